"""One leased ticket, carried out: its request is made by a small run of the worker's own, under this host's rules.

The function is a typed program that names its target (`performing/items.py: Order`), so whatever the worker's
configuration forbids or does not know is not done. The bill is in that run; the item has its answer, and where it came
from. A target that is left alone, or is none of this worker's, costs the item no try.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.errors import ConfigError
from rtfs_framework.api.labels import PUBLIC
from rtfs_framework.lang.errors import LanguageError, LimitError, ProgramError
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.boundary import exact
from rtfs_framework.orchestrator.boundary.failures import UNKNOWN_TARGET
from rtfs_framework.orchestrator.performing.health.check import BreakerCheck
from rtfs_framework.orchestrator.performing.idempotency import AT_WORK
from rtfs_framework.orchestrator.performing.items import Order, target_of, told_with
from rtfs_framework.orchestrator.performing.travel import NO_TARGET
from rtfs_framework.orchestrator.recording.journal.chain import canonical_json
from rtfs_framework.orchestrator.recording.purse import RunStopped
from rtfs_framework.orchestrator.running.linking import link
from rtfs_framework.orchestrator.running.past_calls import ResumeError
from rtfs_framework.orchestrator.running.resuming import UNDER_WAY
from rtfs_framework.orchestrator.working.held import GiveBack, Held, Hopeless
from rtfs_framework.orchestrator.working.jobs import JobError, QueuedRun
from rtfs_framework.orchestrator.working.runs import ended_of, opened, pause, run_of

if TYPE_CHECKING:
    from rtfs_framework.api.queue import Lease
    from rtfs_framework.orchestrator.running.program import LoadedProgram
    from rtfs_framework.orchestrator.running.uses import Use
    from rtfs_framework.orchestrator.session import Session
    from rtfs_framework.orchestrator.working.sessions import Sessions

_LATER = 5.0
"""Seconds after which what only another process can do is looked at again."""


@attrs.frozen(slots=True)
class TicketPerformer:
    """Carries out the items of the topic `tickets`."""

    sessions: Sessions

    def perform(self, held: Held) -> None:
        """Make a ticket's request, and acknowledge its answer.

        Raises:
            GiveBack: It cannot be made here and now.
            Hopeless: It never can.
            ProgramError: It may be made again, for one of its tries.
        """
        order = Order.of_payload(held.lease.item.payload)
        if order is None:
            raise GiveBack("the process of its call alone makes it", _LATER)
        session = self.sessions.of(held.lease.item.tenant)
        token = AT_WORK.set(order.key)
        try:
            session.portal.call(lambda use: _perform(session, order, held, use))
        except ConfigError:
            raise
        except LanguageError as error:
            found = error.diagnostics[0]
            if found.code == UNKNOWN_TARGET:
                raise GiveBack(f"this worker has no such target: {found.message}", _LATER) from error
            raise Hopeless(f"its function is refused: {found.message}") from error
        except (RunStopped, LimitError) as error:
            raise Hopeless(str(error)) from error
        except ResumeError as error:
            if error.code == UNDER_WAY:
                raise GiveBack("another worker of this machine is at it", _LATER) from error
            raise Hopeless(error.problem) from error
        except JobError as error:
            raise Hopeless(error.problem) from error
        finally:
            AT_WORK.reset(token)


def _perform(session: Session, order: Order, held: Held, use: Use) -> None:
    held.stopped_by(use.stop)
    id_ = held.lease.item.id
    digest = link(session.host, Source(f"ticket {id_}", order.source), session.limits).digest
    job = QueuedRun(
        name=f"ticket {id_}", text=order.source, modules={}, digest=digest, entry=order.entry, args=order.args
    )
    program, loading = opened(session, job, _run_of(session, held.lease), id_)
    with program:
        program.value = loading.settle(program.instance.start(), use)
        try:
            value = program.call_within(use, order.entry, job.values).value
        except ProgramError as error:
            judged = _judged(program, error, held.lease)
            if not isinstance(judged, Hopeless):  # the next lease makes it anew; what is hopeless is told by replay
                program.close("failed", error)
            raise judged from error
        text = exact.to_text(value)
        if text is None:
            raise Hopeless("its answer has no text that a queue could keep")
        model = next((each.model for each in program.ledger.latest if each.model), "")
        marks = sorted(PUBLIC.union(*map(told_with, program.ledger.latest)))
        target = target_of(held.lease.item)
        found = {
            "v": 1,
            "target": target,
            "value": text,
            "model": model,
            "cost": 0.0,
            "run": program.run_id,
            "marks": marks,
        }
        held.done(canonical_json(found).encode())


def _run_of(session: Session, lease: Lease) -> str:
    """Return the id of its run: of the first of this generation that has not failed, for it may be made again."""

    def failed(number: int) -> bool:
        ended = ended_of(session, run_of(lease, f"ticket {number}"))
        return ended is not None and ended.status == "failed"

    most = 1
    while failed(most - 1):
        most *= 2
    run = run_of(lease, f"ticket {bisect_left(range(most), True, key=lambda number: not failed(number))}")
    ended = ended_of(session, run)
    if ended is not None:
        raise Hopeless(f"its run {run[:12]} has ended beside the queue: {ended.status}")
    return run


def _judged(program: LoadedProgram, error: ProgramError, lease: Lease) -> Exception:
    """Return what an error means for the item."""
    attempts = [made.attempt for call in program.ledger.latest for made in call.attempts]
    if not attempts and error.kind in (NO_TARGET, "SecurityViolation"):
        return GiveBack(f"this worker may not ask the target: {error.message}", pause(lease.attempt))
    if attempts and attempts[-1].guard == BreakerCheck.name:
        return GiveBack(attempts[-1].reason, attempts[-1].retry_after or 1.0)
    if attempts and attempts[-1].kind is FailureKind.SAFE:
        return error
    return Hopeless(f"{error.kind}: {error.message}")
