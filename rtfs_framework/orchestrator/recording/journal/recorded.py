"""What the journal tells of a decision, as values again: for who decides it once more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rtfs_framework.api.attempts import Attempt, FailureKind
from rtfs_framework.api.targets import Capability, ExecTarget, L4CacheHit, LocalModel, LocalPure, RemoteModel
from rtfs_framework.lang.analyzer.data import to_data
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.maps import EMPTY_MAP, Map
from rtfs_framework.lang.reader.read import read_one
from rtfs_framework.lang.signature import DelegationHint, FunctionSignature, HintKind, Parameter
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.types.read import read_type
from rtfs_framework.orchestrator.recording.attempts import banded

if TYPE_CHECKING:
    from rtfs_framework.lang.types.model import Type


def function_of(data: Mapping[str, Any]) -> FunctionSignature:
    """Return the signature that `function_json` told of.

    Raises:
        ValueError: It tells of none.
    """
    try:
        hint = data.get("hint")
        metadata = value_of(data["metadata"]) if data.get("metadata") else EMPTY_MAP
        return FunctionSignature(
            data["name"],
            data.get("doc", ""),
            tuple(Parameter(name, _type(shown), rest) for name, shown, rest in data.get("parameters", ())),
            _type(data.get("returns")),
            None if hint is None else DelegationHint(HintKind(hint[0]), hint[1]),
            metadata if isinstance(metadata, Map) else EMPTY_MAP,
            data.get("digest", ""),
        )
    except (KeyError, TypeError, LanguageError) as error:
        raise ValueError(f"no signature: {error}") from error


def attempt_of(told: Mapping[str, Any]) -> Attempt:
    """Return an attempt as engines saw it.

    Raises:
        ValueError: It tells of none.
    """
    kind = FailureKind(told["kind"])
    seconds = 0.0 if kind is FailureKind.REFUSED else banded(float(told.get("seconds", 0.0)))
    return Attempt(
        target=target_of(told["target"]),
        kind=kind,
        seconds=seconds,
        guard=told.get("guard", ""),
        reason=told.get("reason", ""),
        retry_after=told.get("retry_after"),
        elsewhere=tuple(map(target_of, told.get("elsewhere", ()))),
        transform=tuple(told.get("transform", ())),
        aside=bool(told.get("aside")),
    )


def target_of(shown: str) -> ExecTarget:
    """Return the target of an attempt: the own body, a model, a capability or a published program."""
    kind, _, name = shown.partition(" ")
    if kind == "l4":
        pointer, _, key = name.partition("@")
        return L4CacheHit("" if pointer == "any" else pointer, key)
    found: dict[str, ExecTarget] = {
        "local-model": LocalModel(name),
        "remote": RemoteModel(name),
        "capability": Capability(name),
    }
    return found.get(kind, LocalPure())


def value_of(text: str) -> Any:
    """Return the value that `write` printed.

    Raises:
        LanguageError: The text does not read back.
    """
    return to_data(read_one(Source("<journal>", text)))


def _type(shown: str | None) -> Type | None:
    return None if shown is None else read_type(read_one(Source("<journal>", shown)))
