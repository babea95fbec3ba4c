"""What a run needs to be gone on with: its program, what it was called with, and what each call was answered.

All of it is kept beside the rows, by name and digest, until the run has ended; then it goes, unless the configuration
keeps it (`[journal] keep`). Values are written so that a program cannot tell what is read back from what was written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from json.decoder import scanstring  # type: ignore[attr-defined]  # the stubs lack it
from json.encoder import encode_basestring_ascii
from typing import Any, NamedTuple

import attrs

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.values import ErrorValue
from rtfs_framework.orchestrator.boundary import exact
from rtfs_framework.orchestrator.recording.journal.chain import canonical_json
from rtfs_framework.orchestrator.recording.records import CallRecord

REPLY, PROGRAM, STATE = "reply", "program", "state"
CUT = (REPLY, PROGRAM, STATE)
"""The names of texts that go when their run has ended."""

_MOST = 64 << 20
"""Characters of a value's text."""
_DEEPEST = 200
_decode = json.JSONDecoder().raw_decode
"""Our own texts have no spaces around them, which `json.loads` looks for."""


_PLAIN = '{"v":"'
"""What the text of a value begins with."""
_NOTHING: Mapping[str, Any] = {}


class Answered(NamedTuple):
    """A call that is over, and what it was answered."""

    record: CallRecord
    value: Any
    error: ErrorValue | None
    said: Mapping[str, Any] | None = None
    """What its answer says of later calls, as JSON-ready data."""

    def text(self) -> str | None:
        """Return the text of the answer; None where it has none."""
        if self.error is None and not self.said:
            value = value_text(self.value)
            return None if value is None else f"{_PLAIN}{encode_basestring_ascii(value)[1:]}}}"
        found: dict[str, Any] = (
            {"e": _error_row(self.error)} if self.error is not None else {"v": value_text(self.value)}
        )
        if self.said:
            found["s"] = dict(self.said)
        return None if None in found.values() else canonical_json(found)


class Answer(NamedTuple):
    """What a call was answered, read back."""

    value: Any
    error: ProgramError | None
    said: Mapping[str, Any]


def answer_of(text: str) -> Answer:
    """Return the answer of a text.

    Raises:
        ValueError: It is the text of none.
    """
    if text.startswith(_PLAIN):
        value, end = scanstring(text, len(_PLAIN))
        if text[end:] == "}":
            return Answer(exact.from_text(value), None, _NOTHING)
    found, _ = _decode(text)
    said = found.get("s") or {}
    if "e" in found:
        return Answer(None, ProgramError.of(_error_value(found["e"])), said)
    return Answer(exact.from_text(found["v"]), None, said)


def value_text(value: Any) -> str | None:
    """Return the text of a value; None where it has none (functions, and what nests or is too large)."""
    return exact.to_text(value, _MOST, _DEEPEST)


def _error_row(error: ErrorValue | None) -> Any:
    if error is None:
        return None
    data = value_text(error.data)
    return None if data is None else [error.kind, error.message, data, _error_row(error.cause), error.of_host]


def _error_value(row: Any) -> ErrorValue:
    kind, message, data, cause, of_host = row
    under = None if cause is None else _error_value(cause)
    return ErrorValue(kind, message, exact.from_text(data), None, (), under, of_host)


@attrs.frozen(slots=True, kw_only=True)
class Job:
    """What is run: the program's text and modules, and how it was called."""

    name: str
    text: str
    modules: Mapping[str, str] = attrs.field(factory=dict)
    """The text of every imported module, by the place that it was read from."""
    how: Mapping[str, Any] = attrs.field(factory=dict)
    """How it was called, as JSON-ready data of whoever called it: `{"call": NAME, "args": TEXT}`, say."""
    rules: Mapping[str, Any] = attrs.field(factory=dict)
    """Under which rules (`running.restoring`), as JSON-ready data; none where that is not known."""
    terms: Mapping[str, Any] = attrs.field(factory=dict)
    """On which terms somebody asked for it (`Terms.to_json`); none where that was nobody in particular."""

    def to_text(self) -> str:
        """Return it as one text."""
        return canonical_json(attrs.asdict(self))

    @classmethod
    def of_text(cls, text: str) -> Job:
        """Return the one of a text.

        Raises:
            ValueError: It is the text of none.
        """
        try:
            return cls(**json.loads(text))
        except TypeError as error:
            raise ValueError(str(error)) from error
