"""One run for a caller: what is asked for, within what the server allows, to an answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from rtfs_framework.server.problems import LOOP, Problem, late, problem_of
from rtfs_framework.server.values import written

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.records import RunResult
    from rtfs_framework.server.auth import Caller
    from rtfs_framework.server.state import ServerState
    from rtfs_framework.server.wire import RunRequest


async def run(state: ServerState, caller: Caller, asked: RunRequest) -> dict[str, Any]:
    """Run a program for a caller and return the answer's fields.

    Raises:
        Problem: It was refused, or has failed.
    """
    _check_way(state, asked)
    session = state.session_for(caller.tenant)
    seconds = state.spec.seconds if asked.deadline is None else min(asked.deadline, state.spec.seconds)
    if seconds <= 0:
        raise late()
    try:
        result = await asyncio.wait_for(
            session.run_async(asked.program, asked.args, entry=asked.entry), timeout=seconds
        )
    except asyncio.TimeoutError:
        raise late() from None
    except Exception as error:
        raise problem_of(error) from error
    return _answer(state, asked, result)


def _check_way(state: ServerState, asked: RunRequest) -> None:
    """Refuse what comes back to this host."""
    if state.host_id in asked.via:
        way = " -> ".join((*asked.via, state.host_id))
        raise Problem(
            508, LOOP, f"the request comes back to this host: {way}", kind="Loop", more={"via": list(asked.via)}
        )


def _answer(state: ServerState, asked: RunRequest, result: RunResult) -> dict[str, Any]:
    summary = result.summary
    return {
        "value": written(result.value),
        "run": result.run_id,
        "head": "",
        "host": state.host_id,
        "usage": {"input_tokens": summary.input_tokens, "output_tokens": summary.output_tokens, "cost": summary.cost},
        "labels": [],
        "via": [*asked.via, state.host_id],
    }
