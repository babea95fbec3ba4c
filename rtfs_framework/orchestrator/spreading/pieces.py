"""What travels: a job, which all pieces of a run share, pieces of records, and what came of them. JSON, and no code.

A worker gets the text of a program, the texts of the configuration, and records; it compiles and decides for itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import attrs

from rtfs_framework.api.ledger import Amount
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.values import ErrorValue
from rtfs_framework.orchestrator.boundary.exact import from_text
from rtfs_framework.orchestrator.recording.journal.kept import Answer, answer_of
from rtfs_framework.orchestrator.recording.purse import Purse
from rtfs_framework.orchestrator.recording.records import CallRecord
from rtfs_framework.orchestrator.spreading.told import call_of, error_of

_VERSION = 1


@attrs.frozen(slots=True, kw_only=True)
class Job:
    """What is the same for all records of a run."""

    version: str
    """Of rtfs-framework: workers have the same one."""
    policy: str
    """The policy's hash, as workers must find it."""
    digest: str
    """Of the program with its modules."""
    run: str
    seed: str
    entry: int
    tenant: str
    name: str
    """What the program is called, and its text."""
    source: str
    modules: Mapping[str, tuple[str, str]]
    """Modules that it imports: by their dotted names, what each file is called, and its text."""
    layers: tuple[tuple[str, str, str], ...]
    """The texts of the configuration: kind, path, TOML."""
    limits: Mapping[str, Any]
    concurrency: int
    parallel: int
    counted: bool
    """Whether budgets are counted by who submits: then workers count none themselves."""

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return attrs.asdict(self)

    @property
    def key(self) -> str:
        """What stands for all of it."""
        return sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    @property
    def bounds(self) -> Limits:
        """The limits of its runs."""
        return Limits(**self.limits)


@attrs.frozen(slots=True)
class Piece:
    """Records that follow each other, as texts that lose nothing, and what they may spend together."""

    first: int
    records: tuple[str, ...]
    purse: tuple[int | None, int | None, int | None] | None = None
    """Nano-dollars, tokens and calls, each None for no bound; None for none at all."""

    def spending(self) -> Purse | None:
        """Return a purse that holds what it may spend."""
        return None if self.purse is None else Purse(*self.purse)

    def spent(self, purse: Purse | None) -> Amount:
        """Return what was taken from that purse; of what has no bound, nothing is known to be."""
        if purse is None or self.purse is None:
            return Amount()
        left = (purse.nano, purse.tokens, purse.calls)
        return Amount(*((held or 0) - (still or 0) for held, still in zip(self.purse, left, strict=True)))


@attrs.frozen(slots=True, kw_only=True)
class Done:
    """What came of one record."""

    value: Any
    error: ErrorValue | None
    calls: tuple[CallRecord, ...]
    answers: tuple[Answer | None, ...]
    """What each of them was answered; None where that has no text."""
    seconds: float


@attrs.frozen(slots=True)
class DonePiece:
    """What came of a piece."""

    records: tuple[Done, ...]
    spent: Amount
    """Taken from its purse. The worker's gate counts what nobody told of a request at its bound."""
    seconds: float
    """How long it took."""


@attrs.frozen(slots=True)
class Refusal:
    """Why a worker cannot do what it was asked to."""

    message: str
    way_out: str


def piece_text(job: Mapping[str, Any], piece: Piece) -> bytes:
    """Return a piece with its job, as workers get it."""
    return json.dumps({"v": _VERSION, "job": job, **attrs.asdict(piece)}, separators=(",", ":")).encode()


def piece_of(text: bytes) -> tuple[Job, Piece]:
    """Return a job and a piece of it.

    Raises:
        ValueError: It is of another version.
    """
    told = json.loads(text)
    if told.get("v") != _VERSION:
        message = f"a piece of version {told.get('v')}, which is not {_VERSION}"
        raise ValueError(message)
    job = {**told["job"], "layers": tuple(map(tuple, told["job"]["layers"]))}
    job["modules"] = {name: (path, source) for name, (path, source) in job["modules"].items()}
    purse = told["purse"]
    return Job(**job), Piece(told["first"], tuple(told["records"]), None if purse is None else tuple(purse))


def done_text(records: Sequence[Mapping[str, Any]], spent: Amount, seconds: float) -> bytes:
    """Return what came of a piece, what was taken from its purse, and the seconds that its work took."""
    told = {"records": records, "spent": attrs.astuple(spent), "seconds": seconds}
    return json.dumps(told, separators=(",", ":")).encode()


def refusal_text(refusal: Refusal) -> bytes:
    """Return the text of a refusal."""
    return json.dumps({"refused": attrs.astuple(refusal)}).encode()


def done_of(text: bytes) -> DonePiece | Refusal:
    """Return what came of a piece, or why a worker did not do it.

    Raises:
        ValueError: It says nothing of the kind.
    """
    try:
        told = json.loads(text)
        if "refused" in told:
            message, way_out = map(str, told["refused"])
            return Refusal(message, way_out)
        records = tuple(map(_done_of, told["records"]))
        return DonePiece(records, Amount(*map(int, told["spent"])), float(told["seconds"]))
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        message = f"what came of no piece: {error!r:.200}"
        raise ValueError(message) from error


def _done_of(told: Mapping[str, Any]) -> Done:
    value, error = told["value"], told["error"]
    calls, answers = tuple(map(call_of, told["calls"])), told["answers"]
    if len(calls) != len(answers):
        message = f"{len(answers)} answers of {len(calls)} calls"
        raise ValueError(message)
    return Done(
        value=None if value is None else from_text(value),
        error=None if error is None else error_of(error),
        calls=calls,
        answers=tuple(None if each is None else answer_of(each) for each in answers),
        seconds=float(told["seconds"]),
    )
