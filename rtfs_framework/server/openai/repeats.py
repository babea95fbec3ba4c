"""Chat requests with an `Idempotency-Key`: an equal one has the answer that was given, and is not paid again.

It is known by its tenant, its key, and the digest of its body and of what its token may see; so no other token, and no
other body, ever gets its answer.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from rtfs_framework.server.openai.errors import BadBody
from rtfs_framework.server.openai.replies import Answered
from rtfs_framework.server.problems import CONFLICT, Problem
from rtfs_framework.server.replays import Given, asked_for
from rtfs_framework.server.wire import MOST_KEY

if TYPE_CHECKING:
    from starlette.requests import Request

    from rtfs_framework.server.attending import Gone
    from rtfs_framework.server.auth import Caller
    from rtfs_framework.server.state import ServerState

HEADER = "Idempotency-Key"


def key_of(request: Request) -> str:
    """Return what makes a request repeatable, "" where it is not.

    Raises:
        BadBody: It is too long.
    """
    key = request.headers.get(HEADER, "")
    if len(key) > MOST_KEY:
        raise BadBody(f"'{HEADER}' has more than {MOST_KEY} characters", HEADER)
    return key


async def once(
    state: ServerState,
    caller: Caller,
    key: str,
    body: str,
    make: Callable[[Gone], Awaitable[Answered]],
    gone: Gone,
) -> tuple[Answered, bool]:
    """Return the answer of a request with this key and this digest of its body, and whether it was given before.

    Raises:
        Problem: 422, another request has this key; or why there is no answer.
    """
    seconds = state.spec.replay_for
    if not key or not seconds:
        return await make(gone), False

    async def given(all_gone: Gone) -> Given:
        try:
            answered = await make(all_gone)
        except Problem as problem:
            if problem.retry_after is not None:
                raise
            told = {"code": problem.code, "message": problem.message, "kind": problem.kind}
            return Given(problem.status, json.dumps(told).encode(), private=_floats(state, caller))
        return Given(200, json.dumps(answered.to_json()).encode(), private=bool(answered.marks))

    asked = asked_for("openai", body, repr(sorted(caller.marks)), repr(caller.rules))
    try:
        found, again = await state.replays.answer(
            caller.tenant, f"openai\n{key}", asked, seconds, given, gone, state.spec.seconds
        )
    except Problem as problem:
        if problem.code != CONFLICT:
            raise
        raise BadBody(problem.message, HEADER, code=CONFLICT, status=422) from None
    told = json.loads(found.body)
    if found.status != 200:
        raise Problem(found.status, told["code"], told["message"], kind=told["kind"])
    return Answered.of(told), again


def _floats(state: ServerState, caller: Caller) -> bool:
    """Tell whether data carries marks there, so that the words of a failure may."""
    return state.session_for(caller.tenant).host.dispatcher.labelling is not None
