"""What crosses between a host and its child, each way in one message.

There: the call; its arguments as text that loses nothing (`boundary.exact`), and what the host itself has made of the
configuration (grants) as a pickle: the child trusts its host. Back: a byte once the child is confined, then JSON alone,
read as the words of an enemy.
"""

from __future__ import annotations

import json
import pickle
from typing import Any

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.caller import DelegationMetadata, Described
from rtfs_framework.api.capability import CapabilityRequest
from rtfs_framework.api.errors import CapabilityError
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.orchestrator.boundary.exact import from_text, to_text
from rtfs_framework.orchestrator.boundary.handover import NoValueError, as_value
from rtfs_framework.orchestrator.performing.isolation.bounds import Bounds
from rtfs_framework.orchestrator.performing.isolation.places import Place

MOST = 16 * 1024 * 1024
"""Bytes of an answer, and characters of arguments."""
CONFINED = b"+"
"""The first byte of a child that has given up the rest: what it says after that are words of its handler's."""
_DEEPEST = 200
_WORDS = 2000


class CannotCrossError(Exception):
    """A value that is no data: a function, say, or one that is too large."""


class GarbledError(Exception):
    """What came back is no answer."""


class HandlerRaisedError(Exception):
    """The handler raised what no capability should."""


@attrs.frozen(slots=True)
class Job:
    """One call, as it goes to a child."""

    place: Place
    bounds: Bounds
    args: str
    rest: bytes
    """The request without its arguments: read when all is given up, for plug-ins' classes are imported by it."""


def pack(place: Place, bounds: Bounds, request: CapabilityRequest) -> bytes:
    """Return the message of a call.

    Raises:
        CannotCrossError: An argument is no data, or all are too large.
    """
    args = to_text(request.args, MOST, _DEEPEST)
    if args is None:
        raise CannotCrossError("its arguments are no data that a text can hold, or too large")
    return pickle.dumps(Job(place, bounds, args, pickle.dumps(attrs.evolve(request, args=(), place=None, speak=None))))


def unpack(message: bytes) -> Job:
    """Return a call from its message; in the child alone."""
    job: Job = pickle.loads(message)  # noqa: S301 - the host's own words, over a socket that nobody else has
    return job


def request_of(job: Job) -> CapabilityRequest:
    """Return what the handler is asked; in the child alone."""
    rest: CapabilityRequest = pickle.loads(job.rest)  # noqa: S301 - as above
    return attrs.evolve(rest, args=from_text(job.args))


def answer(value: Any) -> bytes:
    """Return the message of an answer: a value of programs, or what Python has for one.

    Raises:
        CannotCrossError: It is no data.
    """
    said: dict[str, Any] = {}
    if value.__class__ is Described:
        said = {"metadata": attrs.asdict(value.metadata), "marks": sorted(value.marks)}
        value = value.value
    try:
        text = to_text(as_value(value, ()), MOST, _DEEPEST)
    except NoValueError as error:
        raise CannotCrossError(f"it returned {error}") from error
    if text is None:
        raise CannotCrossError(f"its answer, a {type(value).__name__}, is no data that a text can hold, or too large")
    return json.dumps({"value": text, **said}).encode()


def failure(error: BaseException) -> bytes:
    """Return the message of what a handler raised."""
    said: dict[str, Any] = {"message": str(error)[:_WORDS]}
    if isinstance(error, CapabilityError):
        said |= {"raised": "capability", "kind": error.kind, "failure": error.failure.value}
        said["marks"] = sorted(error.marks)
    elif isinstance(error, ProgramError):
        said |= {"raised": "program", "kind": error.kind}
        said["data"] = to_text(error.value.data, MOST, _DEEPEST)
    else:
        said |= {"raised": "other", "kind": type(error).__name__}
    return json.dumps(said).encode()


def read(message: bytes) -> Any:
    """Return what a handler returned.

    Raises:
        GarbledError: It is no answer.
        CapabilityError, ProgramError: What the handler raised.
        HandlerRaisedError: It raised something else.
    """
    try:
        said = json.loads(message)
        found = _error(said) if "raised" in said else _value(said)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise GarbledError("its child process wrote what is no answer") from error
    if isinstance(found, Exception):
        raise found
    return found


def _value(said: dict[str, Any]) -> Any:
    value = from_text(said["value"])
    if "marks" not in said and "metadata" not in said:
        return value
    return Described(value, DelegationMetadata(**said["metadata"]), _marks(said))


def _marks(said: dict[str, Any]) -> frozenset[str]:
    marks = said["marks"]
    if not (isinstance(marks, list) and all(isinstance(mark, str) for mark in marks)):
        raise TypeError
    return frozenset(marks)


def _error(said: dict[str, Any]) -> Exception:
    kind, message = said["kind"], said["message"]
    if not (isinstance(kind, str) and isinstance(message, str)):
        raise TypeError
    kind, message = kind[:_WORDS], message[:_WORDS]
    if said["raised"] == "capability":
        return CapabilityError(message, kind, failure=FailureKind(said["failure"]), marks=_marks(said))
    if said["raised"] == "program":
        return ProgramError(kind, message, None if said["data"] is None else from_text(said["data"]))
    return HandlerRaisedError(f"{kind}: {message}")
