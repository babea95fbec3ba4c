"""What an untrusted file may do with marks: more of what is marked, less of what is accepted; nothing is freed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.targets import LocalModel
from rtfs_framework.orchestrator.config.labels import LabelsSpec, accepted, answered, most_for
from rtfs_framework.orchestrator.config.routes import target_text

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.config.standing import Said


class _Widens:
    """Nothing is left of a value."""


WIDENS: Final = _Widens()

_NOTHING = LabelsSpec()


def of_marks(said: Said) -> Any:
    """Keep marks of the file's own, beside those that are there."""
    return _both(_below(said).marks, said.value)


def of_forbidden(said: Said) -> Any:
    """Keep "error", which sends nothing and answers nothing, and "body" where a person could have said yes."""
    now = _below(said).forbidden
    return said.raw if said.value in ("error", now) or (said.value, now) == ("body", "ask") else WIDENS


def of_trust(said: Said) -> Any:
    """Keep that redactions are not trusted."""
    return WIDENS if said.value else said.raw


def of_source(said: Said) -> Any:
    """Keep marks of a source, beside those that it has."""
    section, _, name = said.key.partition(".")
    labels = _below(said)
    if section == "inputs":
        return _both(labels.inputs.get(tuple(name.split(".")), PUBLIC), said.value)
    if section == "providers":
        known = {target_text(each): marks for each, marks in labels.providers.items()}
        return _both(known.get(name, PUBLIC), said.value)
    if section == "capabilities":
        return _both(answered(labels, name), said.value)
    return _both(labels.context.get(name, PUBLIC), said.value)


def of_accepts(said: Said) -> Any:
    """Keep what accepts no more than without the file."""
    return _at_most(most_for(_below(said), said.key.partition(".")[2]), said)


def still_answered(below: LabelsSpec | None, accepts: Iterable[str]) -> dict[str, list[str]]:
    """Return the marks of what capabilities answer that shall accept less: they may have kept what they were told."""
    spec = below or _NOTHING
    names = [text.removeprefix("capability ") for text in accepts if text.startswith("capability ")]
    found = {name: answered(spec, name) for name in names if name not in spec.capabilities}
    return {name: sorted(marks) for name, marks in found.items() if marks}


def of_model_accepts(said: Said) -> Any:
    """Keep what a model accepts, where that is no more than without the file."""
    spec = said.spec
    if spec is None:
        return said.raw  # only an on-device model may be the file's own, and that accepts every mark
    now = accepted(_below(said), target_text(spec.target))
    if spec.accepts is not None:
        now = spec.accepts
    elif said.below.labels is None:
        now = None if isinstance(spec.target, LocalModel) else PUBLIC
    return _at_most(now, said)


def of_model_marks(said: Said) -> Any:
    """Keep marks of a model's replies, beside those that they have."""
    return _both(PUBLIC if said.spec is None else said.spec.marks, said.value or ())


def _below(said: Said) -> LabelsSpec:
    return said.below.labels or _NOTHING


def _both(now: Label, more: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*sorted(now), *more]))


def _at_most(most: Label | None, said: Said) -> Any:
    return said.raw if said.value is not None and (most is None or most.issuperset(said.value)) else WIDENS
