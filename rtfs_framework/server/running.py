"""One run for a caller: what is asked for, within what the server allows, to an answer."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.remote import Journey
from rtfs_framework.lang.errors import InternalError, ProgramError
from rtfs_framework.orchestrator.config.tables.budgets import MOST_DOLLARS
from rtfs_framework.orchestrator.performing.travel import NO_TARGET
from rtfs_framework.orchestrator.recording.floating import Gathered
from rtfs_framework.orchestrator.recording.purse import NANO, USUAL_TERMS, Asker, Purse, Stopping, Terms
from rtfs_framework.orchestrator.running.program import UNFINISHED
from rtfs_framework.server.attending import attended
from rtfs_framework.server.problems import DECLINED, FAILED, LOOP, Problem, late, problem_of, too_long
from rtfs_framework.server.values import is_small, written_beside

if TYPE_CHECKING:
    from rtfs_framework.api.labels import Label
    from rtfs_framework.orchestrator.recording.records import RunResult
    from rtfs_framework.server.attending import Gone
    from rtfs_framework.server.auth import Caller
    from rtfs_framework.server.programs import Kept
    from rtfs_framework.server.state import ServerState
    from rtfs_framework.server.wire import Budget, RunRequest

_NO_USAGE = {"input_tokens": 0, "output_tokens": 0, "cost": 0.0}


_ASKER = {
    "run": re.compile(r"[0-9A-Za-z-]{1,64}"),
    "call": re.compile(r"[0-9:.?]{1,200}"),
    "head": re.compile(r"[0-9]{1,20}:[0-9a-f]{1,128}"),
}
"""What a caller may say of its own record: anything else is nothing that a record could have."""
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,100}")


async def run(state: ServerState, caller: Caller, asked: RunRequest, gone: Gone) -> dict[str, Any]:
    """Run a program for a caller and return the answer's fields. It ends when nobody waits for it any more (`gone`).

    Raises:
        Problem: It was refused, or has failed.
    """
    _check_way(state, asked)
    most = state.spec.seconds
    seconds = most if asked.deadline is None else min(asked.deadline, most)
    if seconds <= 0:
        raise late()
    try:
        kept = state.programs_of(caller.tenant).known(asked.program, asked.digest, asked.rules)
        value = UNFINISHED if kept is None else kept.briefly(asked.entry, asked.args)
        if kept is not None and value is not UNFINISHED:  # nothing has waited, so nobody had to look at the time
            return _said(state, asked, await written_beside(value), _marks(kept.session, caller, asked))
        stopping = Stopping()
        return await attended(_answer(state, caller, asked, stopping), gone, stopping, seconds)
    except asyncio.TimeoutError:
        raise (late() if seconds == asked.deadline else too_long(most)) from None
    except (Problem, InternalError):
        raise
    except Exception as error:
        raise await _failed(state, error) from error


async def _failed(state: ServerState, error: Exception, terms: Terms = USUAL_TERMS) -> Problem:
    """Return the problem that an error is, with the marks of all that its run was given: its words may be of that."""
    if not isinstance(error, ProgramError):
        problem = problem_of(error)
    elif error.kind == NO_TARGET:
        problem = _declined(state, error)
    else:
        problem = problem_of(error) if is_small(error.value.data) else await asyncio.to_thread(problem_of, error)
    if terms.carried is not None and terms.carried.label:
        problem.more["labels"] = sorted(terms.carried.label)
    return problem


def _declined(state: ServerState, error: ProgramError) -> Problem:
    """Return the problem of a function that travelled without its body, and that no target here takes."""
    return Problem(421, DECLINED, error.message, kind=error.kind, elsewhere=state.spec.elsewhere)


def _check_way(state: ServerState, asked: RunRequest) -> None:
    """Refuse what comes back to this host."""
    if state.host_id in asked.via:
        way = " -> ".join((*asked.via, state.host_id))
        message = f"the request comes back to this host: {way}"
        raise Problem(508, LOOP, message, kind="Loop", more={"via": list(asked.via)})


async def _answer(state: ServerState, caller: Caller, asked: RunRequest, stopping: Stopping) -> dict[str, Any]:
    kept = await state.programs_of(caller.tenant).get(asked.program, asked.digest, asked.rules)
    marks = _marks(kept.session, caller, asked)
    with kept:
        if kept.loaded is None:
            terms = Terms(
                marks=marks,
                purse=_purse(asked.budget),
                journey=Journey(via=(*asked.via, state.host_id), hops=_hops(state, asked), key=asked.key),
                carried=Gathered(label=marks),
                asker=_asker(caller, asked),
                stopping=stopping,
            )
            return await _recorded(state, asked, kept, terms)
        value = await kept.value(kept.loaded, asked.entry, asked.args)
    return _said(state, asked, await written_beside(value), marks)


def _asker(caller: Caller, asked: RunRequest) -> Asker:
    """Return who asks, as the record has it: what has not the form of a record's own words is left out."""
    told = {name: asked.caller[name] for name, form in _ASKER.items() if form.fullmatch(asked.caller.get(name, ""))}
    host = asked.via[-1] if asked.via and _HOST.fullmatch(asked.via[-1]) else ""
    return Asker(token=caller.name, host=host, **told)


async def _recorded(state: ServerState, asked: RunRequest, kept: Kept, terms: Terms) -> dict[str, Any]:
    """Run a program that may ask its host for something: a run of its own in the journal."""
    session = kept.session
    linked = attrs.evolve(kept.prepared.link(session.limits), terms=terms)
    try:
        result = await session.run_async(linked, asked.args, entry=asked.entry)
    except InternalError:
        raise
    except Exception as error:
        raise await _failed(state, error, terms) from error
    said = _said(state, asked, await written_beside(result.value), result.marks)
    journal = session.host.journal
    return said | {"run": result.run_id, "head": "" if journal is None else journal.head, "usage": _usage(result)}


def _hops(state: ServerState, asked: RunRequest) -> int:
    return state.spec.hops if asked.hops is None else min(asked.hops, state.spec.hops)


def _marks(session: Any, caller: Caller, asked: RunRequest) -> Label:
    """Return the marks of all that comes with a request.

    Raises:
        Problem: The request names one that this host does not know, so it could not honour it.
    """
    labels = session.host.config.labels
    unknown = asked.marks - (frozenset() if labels is None else labels.marks)
    if unknown:
        message = f"this host knows no mark '{min(unknown)}', and so cannot say where it may go"
        raise Problem(403, FAILED, message, kind="SecurityViolation")
    return asked.marks | caller.marks


def _purse(budget: Budget | None) -> Purse | None:
    if budget is None:
        return None
    nano = None if budget.money is None else int(min(budget.money, MOST_DOLLARS) * NANO)
    return Purse(nano, budget.tokens, budget.calls)


def _said(state: ServerState, asked: RunRequest, value: str, marks: Label) -> dict[str, Any]:
    return {
        "value": value,
        "run": "",
        "head": "",
        "host": state.host_id,
        "usage": _NO_USAGE,
        "labels": sorted(marks),
        "via": [*asked.via, state.host_id],
    }


def _usage(result: RunResult) -> dict[str, Any]:
    summary = result.summary
    cost = None if summary.unpriced else summary.cost
    return {"input_tokens": summary.input_tokens, "output_tokens": summary.output_tokens, "cost": cost}
