"""`POST /v1/rtfs/run`: from the bytes of a request to those of its answer.

Nearly all requests of a server are of this kind, so it is an ASGI application of its own: no router, no middleware and
no objects for requests and answers stand between.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.server.attending import leaving
from rtfs_framework.server.bodies import read_body, too_large
from rtfs_framework.server.problems import Problem
from rtfs_framework.server.replays import Given, asked_for
from rtfs_framework.server.running import run
from rtfs_framework.server.values import SMALL_TEXT, read_beside
from rtfs_framework.server.wire import RunRequest, check_protocol, read_run

if TYPE_CHECKING:
    from starlette.types import Receive

    from rtfs_framework.server.attending import Gone
    from rtfs_framework.server.auth import Caller
    from rtfs_framework.server.state import ServerState

RUN = "/v1/rtfs/run"
_JSON = (b"content-type", b"application/json")
_ENCODER = json.JSONEncoder(ensure_ascii=False)
_AGAIN = (b"rtfs-replayed", b"true")


Sending = Callable[[int, list[tuple[bytes, bytes]], bytes], Awaitable[None]]
"""Sends a whole answer: status, headers, body."""


async def answer_run(
    state: ServerState, caller: Caller | None, head: dict[bytes, bytes], receive: Receive, send: Sending
) -> None:
    """Answer one request with these headers; `caller` is whose token it has, None for nobody who is known."""
    headers = [_JSON]
    try:
        given = await _answered(state, caller, head, receive, headers)
    except Problem as problem:
        given = Given(problem.status, problem.body())
        headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in problem.headers.items()]
    headers.append((b"content-length", b"%d" % len(given.body)))
    await send(given.status, headers, given.body)


async def _answered(
    state: ServerState,
    caller: Caller | None,
    head: dict[bytes, bytes],
    receive: Receive,
    headers: list[tuple[bytes, bytes]],
) -> Given:
    if caller is None:
        caller = state.caller(head.get(b"authorization", b"").decode("latin-1"))
    check_protocol(head.get(b"rtfs-protocol", b"1").decode("latin-1"))
    spec = state.spec
    body = await read_body(receive, head.get(b"content-length", b"").decode("latin-1"), spec.body)
    asked = read_run(body) if len(body) <= SMALL_TEXT else await read_beside(read_run, body)
    text, most = asked.program.text, spec.program
    if len(text) > most or (not text.isascii() and len(text.encode()) > most):
        raise too_large(most, "the program's text")
    if caller.rules.pinned:
        asked = attrs.evolve(asked, rules=caller.over(asked.rules))
    seconds, gone = spec.replay_for, leaving(receive)
    if not asked.key or not seconds:
        return Given(200, _bytes(await run(state, caller, asked, gone)))
    given, again = await state.replays.answer(
        caller.tenant,
        asked.key,
        _wanted(caller, asked),
        seconds,
        lambda all_gone: _given(state, caller, asked, all_gone),
        gone,
        _left(state, asked),
    )
    if again:
        state.metrics.replayed += 1
        headers.append(_AGAIN)
    return given


async def _given(state: ServerState, caller: Caller, asked: RunRequest, gone: Gone) -> Given:
    """Return an answer that can be given again, errors of the program included."""
    try:
        answer = await run(state, caller, asked, gone)
    except Problem as problem:
        if problem.retry_after is not None:
            raise
        floats = state.session_for(caller.tenant).host.dispatcher.labelling is not None
        return Given(problem.status, problem.body(), private=floats)  # what a program throws may carry any mark
    return Given(200, _bytes(answer), private=bool(answer["labels"]))


def _wanted(caller: Caller, asked: RunRequest) -> str:
    """Return what makes two requests equal: not how long they may take, nor on which way they came.

    The marks of the token count: what one token's request may see, that of another one of the tenant may not.
    """
    marks = sorted(asked.marks | caller.marks)
    return asked_for(asked.digest, asked.entry or "", asked.written, repr(asked.rules), repr(marks))


def _left(state: ServerState, asked: RunRequest) -> float:
    """Return for how many seconds an equal request that is under way is waited for."""
    return state.spec.seconds if asked.deadline is None else min(asked.deadline, state.spec.seconds)


def _bytes(data: Any) -> bytes:
    return _ENCODER.encode(data).encode("utf-8", "backslashreplace")
