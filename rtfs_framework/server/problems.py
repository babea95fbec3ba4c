"""What a server answers when something is wrong: a status, a code, a kind, words, and nothing that is secret."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rtfs_framework.lang.errors import Cancelled, LanguageError, LimitError, ProgramError, RtfsError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.values import ErrorValue, Keyword
from rtfs_framework.orchestrator.boundary.purity import is_plain
from rtfs_framework.orchestrator.running.uses import SessionClosedError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

MALFORMED, NO_TOKEN, LATE, CONFLICT, TOO_LARGE = "E0941", "E0942", "E0944", "E0945", "E0946"
DECLINED, BUSY, LOOP, NOT_HERE, FAILED, INTERNAL = "E0947", "E0948", "E0949", "E0950", "E0951", "E0999"


class Problem(Exception):
    """A request that gets an error instead of an answer."""

    def __init__(  # noqa: PLR0913 - the fields of an error on the wire
        self,
        status: int,
        code: str,
        message: str,
        *,
        kind: str = "RequestError",
        retry_after: float | None = None,
        elsewhere: Sequence[str] = (),
        thrown: str | None = None,
        more: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.kind = kind
        self.message = message
        self.retry_after = retry_after
        self.elsewhere = tuple(elsewhere)
        self.thrown = thrown
        self.more = dict(more or {})
        self._headers = dict(headers or {})

    @property
    def headers(self) -> dict[str, str]:
        """The headers of its answer, besides those of any JSON."""
        found = dict(self._headers)
        if self.retry_after is not None:
            found["Retry-After"] = str(max(1, round(self.retry_after)))
        return found

    def to_json(self) -> dict[str, Any]:
        """Return what is sent."""
        error: dict[str, Any] = {
            "code": self.code,
            "kind": self.kind,
            "message": self.message,
            "retry_after": self.retry_after,
            "elsewhere": list(self.elsewhere),
        }
        if self.thrown is not None:
            error["thrown"] = self.thrown
        return {"error": {**error, **self.more}}

    def body(self) -> bytes:
        """Return the body of its answer."""
        return json.dumps(self.to_json(), ensure_ascii=False).encode("utf-8", "backslashreplace")


async def answer_problem(_: Request, error: Exception) -> Response:
    """Answer with a problem; for Starlette's table of handlers."""
    from starlette.responses import Response

    problem = error if isinstance(error, Problem) else problem_of(error)
    return Response(problem.body(), problem.status, problem.headers, "application/json")


def malformed(message: str, way_out: str | None = None) -> Problem:
    """Return the problem of a request that is not as the protocol says."""
    return Problem(400, MALFORMED, message, more=None if way_out is None else {"help": way_out})


def busy(message: str, retry_after: float = 1.0, *, status: int = 503) -> Problem:
    """Return the problem of a request that may come again: 503, or 429 where only whoever asks has too many."""
    return Problem(status, BUSY, message, kind="Busy", retry_after=retry_after)


def disconnected() -> Problem:
    """Return the problem of a request whose client has gone: nobody reads it."""
    return Problem(400, MALFORMED, "the client has gone", kind="Disconnected")


def late() -> Problem:
    """Return the problem of a request whose time is over."""
    return Problem(408, LATE, "the deadline of the request is over; its run was cancelled", kind="Deadline")


def too_long(seconds: float) -> Problem:
    """Return the problem of a request that takes longer than this server lets any take; another one may take it."""
    message = f"the run takes longer than the {seconds:g} s that this host gives a request; it was cancelled"
    return Problem(408, LATE, message, kind="TooLong")


def problem_of(error: BaseException) -> Problem:
    """Return the problem that an error of a run is."""
    match error:
        case Problem():
            return error
        case SessionClosedError():
            return busy("the server changes its configuration; send the request again")
        case LanguageError():
            found = [each.to_json() for each in error.diagnostics]
            return Problem(422, error.diagnostics[0].code, str(error), kind=error.kind, more={"diagnostics": found})
        case ProgramError():
            return _of_program(error)
        case LimitError():
            return Problem(422, FAILED, str(error), kind="LimitExceeded", more={"dimension": error.dimension})
        case Cancelled():
            return busy("the run was cancelled because the server ends")
        case RtfsError():
            return Problem(422, str(getattr(error, "code", FAILED)), str(error), kind=type(error).__name__)
    return Problem(500, INTERNAL, "a bug of the server; its log has the details", kind="InternalError")


_OVER = frozenset({"E0610", "E0612"})
"""Codes of what a budget, or a rate, refused."""


def _of_program(error: ProgramError) -> Problem:
    value = error.value
    code = _code_of(value)
    if value.kind == "SecurityViolation":
        return Problem(403, code or FAILED, value.message, kind=value.kind, thrown=thrown_text(value))
    if code in _OVER:
        return Problem(429, code, value.message, kind=value.kind, retry_after=60.0, thrown=thrown_text(value))
    return Problem(422, code or FAILED, value.message, kind=value.kind, thrown=thrown_text(value))


def _code_of(value: ErrorValue) -> str:
    data = value.data
    code = data.get(Keyword("code")) if isinstance(data, Map) else None
    return code if isinstance(code, str) else ""


def thrown_text(value: ErrorValue) -> str:
    """Return an error as text that is read back: kind, message and data."""
    data = value.data if is_plain(value.data) else None
    return write(Map.wrap({Keyword("kind"): value.kind, Keyword("message"): value.message, Keyword("data"): data}))
