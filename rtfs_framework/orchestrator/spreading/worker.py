"""What a worker does with a piece: a host of its own from the texts that travelled, and the records run on it.

Keys come from the worker's environment. It keeps no journal and counts no budget that its submitter counts: what its
calls were is told with their results.
"""

from __future__ import annotations

import atexit
import os
import socket
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import attrs

from rtfs_framework.api.secrets import blotter
from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import ErrorValue
from rtfs_framework.orchestrator.boundary.exact import from_text, to_text
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.config.key_binding import secrets_of
from rtfs_framework.orchestrator.config.load import config_of_texts
from rtfs_framework.orchestrator.config.permitted import installed
from rtfs_framework.orchestrator.host import build_host
from rtfs_framework.orchestrator.recording.journal.rows import RunFacts
from rtfs_framework.orchestrator.recording.journal.run import Chain
from rtfs_framework.orchestrator.recording.journal.writer import Journal
from rtfs_framework.orchestrator.recording.purse import Purse, Terms
from rtfs_framework.orchestrator.recording.records import CallRecord, RecordResult
from rtfs_framework.orchestrator.recording.tally import Ledger, Tally
from rtfs_framework.orchestrator.running.linking import prepare
from rtfs_framework.orchestrator.running.portal import Portal
from rtfs_framework.orchestrator.running.program import LoadedProgram
from rtfs_framework.orchestrator.running.stream import Stream
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.orchestrator.spreading.pieces import Job, Piece, Refusal, done_text, piece_of, refusal_text
from rtfs_framework.orchestrator.spreading.told import call_told, error_told

_MOST = 2
"""Jobs whose hosts are kept open in a process."""


def work(text: bytes) -> bytes:
    """Run the records of a piece, and return what came of them, or why none of them was run."""
    began = monotonic()
    try:
        job, piece = piece_of(text)
        with _one:
            ready = _ready(job)
    except _RefusedError as error:
        return refusal_text(attrs.evolve(error.refusal, message=f"{_here()}: {error.refusal.message}"))
    except (RtfsError, OSError, ValueError, KeyError, TypeError) as error:
        return refusal_text(Refusal(f"{_here()}: {error}", "see that it has the same plug-ins, keys and files as you"))
    try:
        purse = piece.spending()
        records = [*ready.run(piece, purse)]
        return done_text(records, piece.spent(purse), monotonic() - began)
    finally:
        with _one:
            ready.users -= 1
            _close_old()


class _RefusedError(Exception):
    """The work is not done here."""

    def __init__(self, message: str, way_out: str) -> None:
        super().__init__(message)
        self.refusal = Refusal(message, way_out)


@attrs.define(slots=True, eq=False)
class _NoJournal(Journal):
    """A journal without a file, where a run's calls ask for one: all is on disk at once, because nothing is."""

    def queue(self, what: str, chain: Chain | None, facts: Any) -> bool:  # noqa: ARG002 - a journal's signature
        """Keep nothing, for which there is always room."""
        return True


@attrs.define(slots=True, eq=False)
class _Calls(Chain):
    """A run's chain that keeps what is told of its calls, by record."""

    _told: dict[int, list[tuple[CallRecord, str | None]]] = attrs.field(factory=dict, init=False)

    def add(self, record: CallRecord) -> None:
        """Keep a call, with the text of what it was answered."""
        answer, place = self._answered.get(id(record)), -1 if record.record is None else record.record
        Chain.add(self, record)
        self._told.setdefault(place, []).append((record, None if answer is None else answer.text()))

    def take(self, record: int) -> list[tuple[CallRecord, str | None]]:
        """Return the calls of a record with the texts of their answers, sorted by id, and forget them."""
        return sorted(self._told.pop(record, ()), key=lambda each: each[0].order)


@attrs.define(slots=True, eq=False)
class _Ready:
    """A job's program, loaded on a host of its own."""

    job: Job
    session: Session
    program: LoadedProgram
    users: int = 0

    def run(self, piece: Piece, purse: Purse | None) -> Iterator[dict[str, Any]]:
        """Yield what came of each record, in order."""
        job, base, host = self.job, self.program, self.session.host
        journal = _NoJournal(Path(), Path(), host.clock, blot=blotter(secrets_of(host.config, os.environ)))
        facts = RunFacts(job.run, job.digest, job.name, host.clock.now(), job.policy, job.version, job.seed, job.tenant)
        calls = _Calls(journal, facts)
        ledger = Ledger(host.events, calls, Tally(job.tenant), run=job.run, learned_from=host.ended)
        program = attrs.evolve(base, chain=calls, ledger=ledger, terms=Terms(purse=purse))
        program.lock = base.lock  # it computes in one thread at a time, whatever piece it computes for
        records = map(from_text, piece.records)
        for result in Stream.over(program, "main", records, job.concurrency, first=piece.first, entry=job.entry):
            yield _told(result, calls.take(result.index))


def _told(result: RecordResult, calls: list[tuple[CallRecord, str | None]]) -> dict[str, Any]:
    value, error = None, result.error
    if error is None:
        value = to_text(result.value)
        if value is None:
            error = ErrorValue(
                "InvalidArgument",
                "the value of main cannot travel from a worker: a function or an error, or more than 1 MiB",
            )
    return {
        "value": value,
        "error": None if error is None else error_told(error),
        "calls": [call_told(call) for call, _ in calls],
        "answers": [answer for _, answer in calls],
        "seconds": result.seconds,
    }


_jobs: OrderedDict[str, _Ready] = OrderedDict()
_one = threading.Lock()


def _ready(job: Job) -> _Ready:
    """Return a job's program, as it is kept here, for one more user; the lock is held, so of equal jobs one is made.

    Raises:
        _RefusedError: What is here differs from what its submitter has.
        RtfsError: The host cannot be made, or the program is refused.
    """
    found = _jobs.get(job.key)
    if found is None:
        found = _jobs[job.key] = _made(job)
    _jobs.move_to_end(job.key)
    found.users += 1  # first, so that it is not itself what nobody uses
    _close_old()
    return found


def _close_old() -> None:
    for key in [key for key, each in _jobs.items() if not each.users][: max(0, len(_jobs) - _MOST)]:
        _jobs.pop(key).session.close(wait=False)


def close_all() -> None:
    """Close what is kept open in this process."""
    with _one:
        while _jobs:
            _jobs.popitem()[1].session.close(wait=False)


atexit.register(close_all)


def _made(job: Job) -> _Ready:
    from rtfs_framework import __version__

    if job.version != __version__:
        raise _RefusedError(f"rtfs-framework {__version__}, and yours is {job.version}", "install the same version")
    environ = os.environ
    catalog = installed(environ)  # by what this machine allows
    config = attrs.evolve(config_of_texts(job.layers, environ, catalog, job.tenant), parallel=job.parallel)
    if job.counted:
        config = attrs.evolve(config, budgets=())
    host = build_host(config, catalog, environ, SystemClock(), journal=False)
    session = Session(host, Portal(host.io), job.bounds)
    try:
        _check_policy(job, host.policy_hash)
        host.mind_purses()
        host.dispatcher.approvals.approver = lambda _: False  # nobody is asked here, and nobody waits
        return _Ready(job, session, _loaded(job, session))
    except BaseException:
        session.close(wait=False)
        raise


def _check_policy(job: Job, found: str) -> None:
    if found != job.policy:
        raise _RefusedError(
            f"the same configuration makes another policy here ({found[:12]}, and yours is {job.policy[:12]})",
            "install the same plug-ins in the same versions, with the same files of models and prices, and set the "
            "variables with the keys of providers that the configuration names",
        )


def _loaded(job: Job, session: Session) -> LoadedProgram:
    sources = {name: Source(path, text) for name, (path, text) in job.modules.items()}
    prepared = prepare(session.host, Source(job.name, job.source), session.limits, find=sources.get)
    if prepared.artifact.digest != job.digest:
        raise _RefusedError("the program is another one here", "say where its modules are: it found others")
    program = session.load(prepared.link(session.limits))
    program.run_id, program.seed = job.run, job.seed
    return program


def _here() -> str:
    return f"worker {socket.gethostname()}, process {os.getpid()}"
