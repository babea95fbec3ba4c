"""Writing the journal: rows are queued by any thread, and one transaction at a time takes all that are queued.

What must be on disk before something goes on is committed (`try_commit`, `written`, `commit`), and whatever was queued
before goes with it; the rest is written when there is enough of it, when it is old, and at the end. A row gets its
place and its hash inside the transaction, so processes that share a file write one chain.

A journal that cannot be written keeps its rows, up to a bound, and tries again: at each call that must be recorded
when the configuration says "refuse" (the call is refused as long as it fails), once a second when it says "continue".
It finds out by itself when the file was replaced, and what was not written there goes to the new one.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakSet

import attrs

from rtfs_framework.api.forks import free_at_forks, leave
from rtfs_framework.api.secrets import Blot, blotter
from rtfs_framework.api.values import Clock
from rtfs_framework.orchestrator.concurrency.lanes import a_loop_runs_here
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.forcing import Forcing
from rtfs_framework.orchestrator.recording.journal.rows import RunFacts, SignalFacts
from rtfs_framework.orchestrator.recording.journal.run import Chain
from rtfs_framework.orchestrator.recording.plain import plain_of
from rtfs_framework.orchestrator.recording.purse import NO_ASKER, Asker

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.journal.append import Appending, Queued
    from rtfs_framework.orchestrator.recording.journal.file import OpenFile
    from rtfs_framework.orchestrator.recording.journal.kept import Job
    from rtfs_framework.orchestrator.recording.journal.sealing import Seal

WAIT = 10.0
"""Seconds for which one process waits while others write."""
_PAUSE = 0.01
"""Seconds between two looks whether they still do."""
BATCH = 512
"""Queued rows that are enough for a transaction."""
FLUSH_SECONDS = 1.0
"""Age at which fewer are written all the same; and how long a journal that may fail is left alone after it has."""

MOST = 16_384
"""Rows that are kept while they cannot be written."""
_FOLDED = 2_048
"""Rows after which SQLite's log of writes is folded into the file, by another thread."""

_OPEN: WeakSet[Journal] = WeakSet()
"""Journals of this process: a child that is forked off must not write what its parent has queued."""


def _forked() -> None:
    for journal in tuple(_OPEN):
        journal.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def _nobody(_error: JournalError) -> None:
    """Tell nobody."""


@attrs.define(slots=True, eq=False)
class Journal:
    """One host's journal file; opened by its first row. Any number of threads and event loops may use it."""

    path: Path
    home: Path
    """The folder of the key and of the head file."""
    clock: Clock
    keep_args: bool = False
    seal: Seal | None = None
    """What kept texts are encrypted with."""
    blot: Blot = attrs.field(factory=lambda: blotter(()))
    sync: Literal["normal", "full"] = "normal"
    on_failure: Literal["refuse", "continue"] = "refuse"
    report: Callable[[JournalError], None] = _nobody
    """Told, once, that the journal fails and that calls go on without it."""
    wait: float = WAIT
    host: str = attrs.field(factory=lambda: os.urandom(8).hex())
    """Who writes here: signals are those of one host."""
    signals: int = attrs.field(default=0, init=False)
    """How many changes of signals were told; a call's record says how many were known when it was decided."""
    _queue: list[Queued] = attrs.field(factory=list, init=False)
    _lost: int = attrs.field(default=0, init=False)
    """Rows for which there was no room; `_counting` guards it."""
    _told: int = attrs.field(default=0, init=False)
    """How many of them the file tells of."""
    _counting: Any = attrs.field(factory=threading.Lock, init=False)
    _lock: Any = attrs.field(factory=lambda: free_at_forks(threading.Lock()), init=False)
    _folding: Any = attrs.field(factory=lambda: free_at_forks(threading.Lock()), init=False)
    """Held by the helper while it has a connection of its own."""
    _file: OpenFile | None = attrs.field(default=None, init=False)
    _appending: Appending | None = attrs.field(default=None, init=False)
    _flushed: float = attrs.field(default=float("-inf"), init=False)
    _unfolded: int = attrs.field(default=0, init=False)
    _failure: JournalError | None = attrs.field(default=None, init=False)
    _helper: threading.Thread | None = attrs.field(default=None, init=False)
    _forcing: Forcing = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._forcing = Forcing(self.sync == "full")
        _OPEN.add(self)

    def begin(  # noqa: PLR0913 - keywords
        self,
        run: str,
        program: str,
        source: str,
        policy: str,
        version: str,
        *,
        seed: str = "",
        tenant: str = "",
        asker: Asker = NO_ASKER,
        job: Job | None = None,
        manifest: str = "",
    ) -> Chain:
        """Start a run; its draws are made from `seed`, and `job` is what somebody needs to go on with it."""
        beside = (policy, version, seed, tenant, self.host, asker, job, manifest)
        return Chain(self, RunFacts(run, program, source, self.clock.now(), *beside))

    def signal(self, name: str, target: str, value: object) -> None:
        """Write down that a signal that decisions may read has another value now. It waits for nobody, never raises.

        So that another policy can be answered reads that the first did not make (`rtfs runs replay`). Call it

        - when a banded, hysteretic value changes: not for changes within a band;
        - before the first decision that may read it, when a host starts from another value than the default (closed,
          None, 0, the price of the target's table, plenty): one that was kept in the shared ledger, say.

        Args:
            name: The read as `CallContext` has it: "health", "latency", "load", "price", "budget" or "rate".
            target: `show_target(target)`, or the name of the budget or rate.
            value: What the read would return: an Enum, a `Latency`, a `Price`, a number or None.
        """
        with self._counting:
            number = self.signals = self.signals + 1
        self.queue("signal", None, SignalFacts(name, target, plain_of(value), self.host, number))

    @property
    def head(self) -> str:
        """The head as this process wrote it last, as `rtfs runs head` prints it; "" before its first row."""
        appending = self._appending
        return str(appending.known) if appending is not None and appending.known.position else ""

    @property
    def owes(self) -> bool:
        """Tell whether rows are in the file that are not forced to disk, and are to be."""
        return self._forcing.owed

    @property
    def waiting(self) -> int:
        """How many rows are not on disk."""
        return len(self._queue)

    def queue(self, what: str, chain: Chain | None, facts: Any) -> bool:
        """Queue a row; tell whether there is room for it. How many were lost is written when there is room again."""
        if len(self._queue) >= MOST:
            with self._counting:
                self._lost += 1
            return False
        self._queue.append((what, chain, facts))
        return True

    def must_queue(self, what: str, chain: Chain, facts: Any) -> None:
        """Queue a row without which something must not go on; when there is no room, try to write what is queued.

        Raises:
            JournalError: There is no room, or the file cannot be written, and calls are refused then.
        """
        if len(self._queue) >= MOST and not self._attempt(0.0):
            self._help()
        if not self.queue(what, chain, facts) and self.on_failure == "refuse":
            raise JournalError(self.path, f"{MOST:,} rows wait to be written, and there is no room for more")

    def flush_if_due(self) -> None:
        """Write what is queued when there is enough of it, or it is old; at once when the last attempt failed.

        With very much queued this waits for others, but not where an event loop runs.

        Raises:
            JournalError: The file cannot be written, and the configuration says that calls are refused then.
        """
        now = self.clock.monotonic()
        if len(self._queue) >= BATCH or now - self._flushed >= FLUSH_SECONDS or self._failure is not None:
            self._flushed = now
            if self.try_commit():
                return
            if len(self._queue) >= MOST // 2 and not a_loop_runs_here():
                self.commit()  # whoever fills the queue waits; an event loop must not, and loses rows in the end
            else:
                self._help()

    def flush(self) -> None:
        """Write what is queued, if that can be done at once; else another thread does. Failures are kept for later."""
        with contextlib.suppress(JournalError):
            if not self.try_commit():
                self._help()

    def try_commit(self, *, force: bool = True) -> bool:
        """Write what is queued, without waiting for anybody; tell whether nothing is left to wait for.

        Without `force` it need only survive the process, whatever the configuration says (`forcing`).

        Raises:
            JournalError: The file cannot be written, and calls are refused then.
        """
        if not self._queue and not (force and self.owes):
            return True
        return False if force and self.sync == "full" else self._attempt(0.0, force=force)

    def commit(self, *, force: bool = True) -> None:
        """Write what is queued, waiting for others.

        Raises:
            JournalError: The file cannot be written, and calls are refused then.
        """
        if self._queue or (force and self.owes):
            self._attempt(self.wait, force=force)

    def shrink(self) -> None:
        """Fold SQLite's log of writes into the file, so that what was removed is in neither.

        Raises:
            JournalError: Others read or write all the time.
        """
        from rtfs_framework.orchestrator.recording.journal.file import translated

        with translated(self.path), self._lock:
            if self._file is not None:
                self._file.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    async def written(self, *, force: bool = True) -> None:
        """Wait until what is queued is on disk; the event loop goes on meanwhile.

        Raises:
            JournalError: The file cannot be written, and calls are refused then.
        """
        if not self.try_commit(force=force):
            from anyio import to_thread

            await to_thread.run_sync(partial(self.commit, force=force))

    def close(self) -> None:
        """Write what is queued, note in the head file how far that came, and close the file.

        Raises:
            JournalError: The file cannot be written, and calls are refused then; what was queued is lost.
        """
        helper = self._helper
        if helper is not None:
            helper.join()
        self._flushed = float("-inf")
        try:
            self.commit()
            if self._queue:
                self.report(
                    JournalError(self.path, f"{len(self._queue) + self._lost - self._told} rows could not be written")
                )
        finally:
            self._queue.clear()
            with self._lock:
                self._close(anchor=True)
            _OPEN.discard(self)

    def forget(self) -> None:
        """Forget what is the parent's, in a child that was forked off: its rows, its lock and its open file."""
        self._lock, self._folding = free_at_forks(threading.Lock()), free_at_forks(threading.Lock())
        self._counting = threading.Lock()
        self._helper, self._appending = None, None
        self.host, self.signals = os.urandom(8).hex(), 0
        self._queue.clear()

    def _attempt(self, wait: float, *, force: bool = True) -> bool:
        """Write, for some seconds while others do; tell whether it is done, or given up where that is configured."""
        going_on = self._failure is not None and self.on_failure == "continue"
        if going_on:
            if self.clock.monotonic() - self._flushed < FLUSH_SECONDS:
                return True
            wait = 0.0
        if not wait and self._lock.locked():
            return False
        until = monotonic() + wait
        while (error := self._write_now(force=force)) is not None and error.busy and monotonic() < until:
            sleep(_PAUSE)  # without the lock, so that nobody else waits for this
        if error is None:
            self._failure = None
            return True
        if error.busy and not wait and not going_on:  # others write: no failure yet, whatever was one before
            return False
        return self._failed(error)

    def _failed(self, error: JournalError) -> bool:
        first, self._failure = self._failure is None, error
        self._flushed = self.clock.monotonic()
        if self.on_failure == "refuse":
            raise error
        if first:
            self.report(error)
        return True

    def _write_now(self, *, force: bool) -> JournalError | None:
        """Take all that is queued to the file; return what prevents it."""
        with self._lock:
            self._forcing.wanted = force
            return self._write() if self._queue or (force and self.owes) else None

    def _write(self) -> JournalError | None:
        try:
            file, appending = self._opened()
            if not self._queue:
                self._forcing.make_up(self.path)
                return None
            appending.owed = self.owes
            self._forcing.begins(file.connection)
            taken = appending.append(self._queue, self._lost - self._told)
            del self._queue[: taken.rows]
            appending.settle()
            self._told += taken.lost
            self._forcing.ended(self.path, wrote=taken.wrote)
        except Exception as error:
            from rtfs_framework.orchestrator.recording.journal.file import fault_of

            if (fault := fault_of(self.path, error)) is None:
                raise
            self._close(anchor=False)
            return fault
        self._flushed = self.clock.monotonic()
        self._unfolded += taken.rows
        if self._unfolded >= _FOLDED:
            self._unfolded = 0
            self._help()
        return None

    def _opened(self) -> tuple[OpenFile, Appending]:
        file, appending = self._file, self._appending
        if file is not None and not file.is_there():
            self._close(anchor=False)
            file = None
        if file is None or appending is None:
            from rtfs_framework.orchestrator.recording.journal.append import Appending
            from rtfs_framework.orchestrator.recording.journal.file import open_for_writing

            full = self._forcing.full
            file = self._file = open_for_writing(self.path, self.home, full=full, sealed=self.seal is not None)
            self._forcing.opened()
            appending = self._appending = Appending.of(
                file, self.blot, self._appending, keep=self.keep_args, seal=self.seal, now=self.clock.now
            )
        return file, appending

    def _close(self, *, anchor: bool) -> None:
        """Close the file; `_appending` stays, for what it knows of an unfinished transaction."""
        file, self._file = self._file, None
        if file is None:
            return
        if file.process != os.getpid():  # a child must not touch what its parent has open
            leave(file)
            return
        from sqlite3 import Error

        with contextlib.suppress(Error, OSError):  # the head file then says a little less
            if anchor and self._appending is not None and file.is_there():
                self._appending.anchor()
        with contextlib.suppress(Error):
            file.connection.close()
        file.anchor.close()

    def _help(self) -> None:
        """Let another thread write what is queued, and fold SQLite's log into the file."""
        helper = self._helper
        if helper is None or not helper.is_alive():
            self._helper = threading.Thread(target=self._helped, name="rtfs journal", daemon=True)
            self._helper.start()

    def _helped(self) -> None:
        from sqlite3 import Error

        from rtfs_framework.api.sqlite_file import connect

        with contextlib.suppress(JournalError):
            self.commit()
        with contextlib.suppress(Error), self._folding, contextlib.closing(connect(self.path, wait=0.0)) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            # While others write, SQLite's log is never folded whole, so it never begins anew, and grows without end.
            # What is left to fold by now is little: they wait for moments only.
            with self._lock:
                connection.execute("PRAGMA wal_checkpoint(RESTART)")
