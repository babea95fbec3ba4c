"""Errors in the form that clients of the OpenAI API know: `{"error": {"message", "type", "param", "code"}}`.

The code is this project's own (`rtfs explain CODE` tells more of it), and the status is one that clients act on. What
the host has already tried elsewhere says `x-should-retry: false`, so that no client repeats the whole of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.orchestrator.boundary.failures import code_of
from rtfs_framework.server.problems import FAILED, Problem, problem_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from rtfs_framework.orchestrator.recording.records import CallRecord

BAD_BODY, NO_MODEL, NOT_OFFERED, NO_TARGET = "E0970", "E0971", "E0972", "E0973"

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
_STATUS = {
    NO_TARGET: 503,
    "E0602": 504,
    "E0603": 429,
    "E0609": 403,
    "E0610": 429,
    "E0612": 429,
    "E0615": 422,
    "E0616": 400,
}
"""Of failures of calls, by their codes; those of other models and servers are 502."""
_OF_MODELS = ("E060", "E061", "E08")
_PASSING = frozenset({408, 429, 503, 504})


class BadBody(Problem):
    """A request that is not as the API says, or asks for what is not offered here; `param` names the member."""

    def __init__(self, message: str, param: str | None = None, *, code: str = BAD_BODY, status: int = 400) -> None:
        super().__init__(status, code, message, kind="BadBody")
        self.param = param


def failed(error: ProgramError, calls: Sequence[CallRecord] = ()) -> Problem:
    """Return the problem that a call's failure is; `calls` are those of its run."""
    code = code_of(error)
    if error.kind == "SecurityViolation" or not code:
        return problem_of(error)
    of_models = code in _STATUS or code.startswith(_OF_MODELS)
    status = _STATUS.get(code, 502) if of_models else 422
    return Problem(status, code, error.message, kind=error.kind, retry_after=_wait(calls) if status == 429 else None)


def _wait(calls: Sequence[CallRecord]) -> float | None:
    """Return for how long the targets of the last call ask to be left alone, None where none says so."""
    attempts = calls[-1].attempts if calls else ()
    waits = [each.attempt.retry_after for each in attempts if each.attempt.retry_after is not None]
    return min(waits) if waits else None


def body_of_problem(problem: Problem) -> dict[str, Any]:
    """Return what is sent of a problem."""
    kind = "insufficient_quota" if problem.code == "E0610" else _TYPES.get(problem.status)
    way_out = problem.more.get("help")
    error = {
        "message": f"{problem.message}; {way_out}" if way_out else problem.message,
        "type": kind or ("invalid_request_error" if problem.status < 500 else "server_error"),
        "param": getattr(problem, "param", None),
        "code": problem.code or FAILED,
    }
    return {"error": error}


def answer_problem(problem: Problem) -> Response:
    """Return the answer that tells a problem."""
    from starlette.responses import Response

    again = problem.retry_after is not None or (problem.status in _PASSING and problem.code in _MAY_COME_AGAIN)
    headers = {**problem.headers, "x-should-retry": "true" if again else "false"}
    body = json.dumps(body_of_problem(problem), ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Response(body, problem.status, headers, "application/json")


_MAY_COME_AGAIN = frozenset({"E0948"})
"""Of problems without a time: the server is busy, or changes its configuration."""
