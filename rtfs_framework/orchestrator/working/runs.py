"""One leased run, carried out: begun, or gone on with where another worker left it.

Its id is its item's, so whoever carries it out makes the same calls with the same ids and idempotency keys. Where the
journal of the worker before can be reached (the same machine, or a shared file), the run is gone on with by replay.
The result is acknowledged before the run ends in the journal: a worker that dies between the two leaves a run that is
gone on with, never one whose value is lost. What has ended in the journal is not done again: only somebody who orders
the item anew (`requeue`) makes another run of it, by its next generation.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.errors import ConfigError
from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.lang.errors import LanguageError, LimitError, ProgramError
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.performing.queues import queue_accepts
from rtfs_framework.orchestrator.recording.journal.alive import hold, release
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.query import show_run
from rtfs_framework.orchestrator.recording.purse import Asker, RunParked, RunStopped, Terms
from rtfs_framework.orchestrator.running.beginning import begin, called
from rtfs_framework.orchestrator.running.linking import link
from rtfs_framework.orchestrator.running.past_calls import ResumeError
from rtfs_framework.orchestrator.running.resuming import UNDER_WAY, Resuming, modules_of, reopen
from rtfs_framework.orchestrator.working.held import GiveBack, Held, Hopeless
from rtfs_framework.orchestrator.working.jobs import JobError, QueuedRun, result_bytes, withheld_bytes

if TYPE_CHECKING:
    from rtfs_framework.api.queue import Lease
    from rtfs_framework.orchestrator.recording.journal.listed import RunRow
    from rtfs_framework.orchestrator.recording.journal.writer import Journal
    from rtfs_framework.orchestrator.running.program import LoadedProgram, ProgramRun
    from rtfs_framework.orchestrator.running.uses import Use
    from rtfs_framework.orchestrator.session import Session
    from rtfs_framework.orchestrator.working.sessions import Sessions

_PARK = 5.0
"""Seconds for which a worker waits with a run that waits for a time, a word or a person."""
_LOOK, _LONGEST = 5.0, 300.0
"""Seconds after which such a run is looked at again: at first, and at most."""
_ENDED = {"complete": "is complete", "failed": "has failed", "cancelled": "was cancelled"}


@attrs.frozen(slots=True)
class RunPerformer:
    """Carries out the items of the topic `runs`."""

    sessions: Sessions

    def perform(self, held: Held) -> None:
        """Carry out a run, and acknowledge its result.

        Raises:
            GiveBack: It cannot be carried out here and now.
            Hopeless: It never can, or its program failed.
        """
        item = held.lease.item
        try:
            job = QueuedRun.of_bytes(item.payload)
            session = self.sessions.of(item.tenant)
            session.host.dispatcher.approvals.waits.park = _PARK
            session.portal.call(lambda use: _perform(session, job, held, use))
        except RunParked as error:
            raise GiveBack(f"it waits {error.what}", pause(held.lease.attempt)) from error
        except (RunStopped, LimitError) as error:
            raise Hopeless(str(error)) from error
        except ResumeError as error:
            if error.code == UNDER_WAY:
                raise GiveBack("another worker of this machine is at it", _LOOK) from error
            raise Hopeless(f"{error.problem}; {error.way_out}") from error
        except ProgramError as error:
            raise Hopeless(_told_of(self.sessions.of(item.tenant), error)) from error
        except ConfigError:
            raise
        except LanguageError as error:
            raise Hopeless(f"its program is refused: {error.diagnostics[0].message}") from error
        except JobError as error:
            raise Hopeless(error.problem) from error


def _perform(session: Session, job: QueuedRun, held: Held, use: Use) -> None:
    held.stopped_by(use.stop)
    id_, run = held.lease.item.id, run_of(held.lease)
    ended = ended_of(session, run)
    if ended is not None:
        raise Hopeless(_told_elsewhere(run) if ended.status == "complete" else _why_ended(ended))
    program, loading = opened(session, job, run, id_)
    with program:  # it ends as what becomes of it says: by a lost lease as "interrupted", which is gone on with
        program.value = loading.settle(program.instance.start(), use)
        args = job.values
        value = program.value
        if job.entry is not None:
            value = program.call_within(use, job.entry, args).value
        summary = program.summary.to_json()
        withheld = _withheld(session, program)
        made = result_bytes(value, program.run_id, summary)
        held.done(withheld_bytes(program.run_id, summary, withheld) if withheld else made)


def _withheld(session: Session, program: LoadedProgram) -> Label:
    """Return the marks of what a run was given that its queue, if other machines read it, does not accept."""
    host, seen = session.host, program.seen
    accepts = queue_accepts(host.config, host.catalog)
    return PUBLIC if accepts is None or seen is None else seen.label - accepts


def _told_of(session: Session, error: ProgramError) -> str:
    """Return what the queue is told of a program's error: its words may be of what carries marks."""
    words = queue_accepts(session.host.config, session.host.catalog) is None
    return (
        f"{error.kind}: {error.message}"
        if words
        else f"{error.kind}; `rtfs runs show` on the worker's machine says more"
    )


def opened(session: Session, job: QueuedRun, run: str, item: str) -> tuple[LoadedProgram, ProgramRun]:
    """Return the program of a run, begun or gone on with, before its top-level forms are evaluated."""
    journal = session.host.journal
    if journal is not None and _row(journal, run) is not None:
        resumed = reopen(session.host, session.portal, session.limits, Resuming(run=run))
        return resumed.program, resumed.loading
    if journal is not None:  # somebody who is frozen may be at it, and has not written a row yet
        if not hold(journal.home, run):
            raise GiveBack("another worker of this machine is at it", _LOOK)
        release(journal.home, run)
    source = Source(job.name, job.text)
    linked = link(session.host, source, session.limits, modules_of(job.modules))
    if linked.digest != job.digest:
        raise JobError("its program is compiled to another one here", "let workers have the version that ordered it")
    terms = Terms(run=run, asker=Asker(queue=item))
    return begin(session.host, session.portal, attrs.evolve(linked, terms=terms), None, called(job.entry, job.values))


def pause(attempt: int) -> float:
    """Return when a run that waits is looked at again: it is replayed for that, so ever more seldom."""
    return min(_LONGEST, _LOOK * 2.0 ** min(attempt - 1, 16))


def ended_of(session: Session, run: str) -> RunRow | None:
    """Return what the journal here says of a run that has ended for good; None where it knows of none."""
    journal = session.host.journal
    row = None if journal is None else _row(journal, run)
    return row if row is not None and row.status in _ENDED else None


def _row(journal: Journal, run: str) -> RunRow | None:
    journal.commit()
    try:
        return show_run(journal.path, run)[0]
    except JournalError:
        return None


def _why_ended(row: RunRow) -> str:
    return f"run {row.id[:12]} {_ENDED[row.status]}" + (f": {row.message}" if row.message else "")


def _told_elsewhere(run: str) -> str:
    return (
        f"run {run[:12]} is complete: somebody went on with it beside the queue, and its value was told there; "
        "`rtfs queue retry` does it all again"
    )


def run_of(lease: Lease, part: str = "") -> str:
    """Return the id of a lease's run: the item's, if it could be a run's and was not ordered anew."""
    id_ = lease.item.id
    if not part and not lease.generation and len(id_) == 32 and all(each in "0123456789abcdef" for each in id_):
        return id_
    return sha256(f"{part}/{id_}/{lease.generation}".encode()).hexdigest()[:32]
