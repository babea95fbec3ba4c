"""Asking a person about a call, and waiting for the answer.

In: an open call and the target that it may go to. Out: a verdict. Nothing is reserved while it waits. Whoever opened
the session may have handed over an approver; else the call is written into the file of approvals, those who listen are
told how to answer it, and the file is looked at until somebody has. No answer in time means no, and so does everything
that goes wrong. A yes stands for this call, these arguments, this target and these rules: `covers` is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from inspect import isawaitable
from threading import Lock
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.approval import ApprovalRequest, Approver
from rtfs_framework.api.targets import Ask, show_target
from rtfs_framework.api.values import Clock
from rtfs_framework.lang.printer import write
from rtfs_framework.orchestrator.config.folders import data_dir
from rtfs_framework.orchestrator.recording.events import EventBus
from rtfs_framework.orchestrator.recording.lineage import reply_id
from rtfs_framework.orchestrator.recording.run_scope import OpenCall

if TYPE_CHECKING:  # a host that never asks meets no SQLite
    from rtfs_framework.orchestrator.performing.approvals.store import Approval, ApprovalStore
    from rtfs_framework.orchestrator.performing.waits import Waits

_FIRST, _LONGEST = 0.05, 1.0
"""Seconds between two looks at the file."""


@attrs.frozen(slots=True)
class Verdict:
    """What a person said."""

    yes: bool
    words: str
    """Who, and how; for records and errors."""


Listener = Callable[[ApprovalRequest], None]


@attrs.define(slots=True, eq=False)
class _Asking:
    """One question on its way into the file: withdrawn whenever that is wished, also while a thread still writes it.

    That thread may be cut at any moment when the process ends. So whoever withdraws does it in the file, by an id that
    is known before: either the row is there by then, or the thread finds out, before it commits, that nobody waits.
    """

    store: ApprovalStore
    write: Callable[[_Asking], Approval]
    id: str
    _row: Approval | None = attrs.field(default=None, init=False)
    _given_up: bool = attrs.field(default=False, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)

    def ask(self) -> Approval:
        """Write it; in a thread."""
        row = self.write(self)
        with self._lock:
            self._row = row
            given_up = self._given_up
        if given_up:
            self._end(row.id)
        return row

    def wanted(self) -> bool:
        """Tell whether somebody waits for the answer."""
        return not self._given_up

    def withdraw(self) -> None:
        """Let it wait no more."""
        with self._lock:
            self._given_up = True
            row = self._row
        self._end(self.id if row is None else row.id)

    def _end(self, id_: str) -> None:
        from rtfs_framework.orchestrator.performing.approvals.store import ApprovalError

        with suppress(ApprovalError):
            self.store.end(id_, "withdrawn")


@attrs.define(slots=True, eq=False, kw_only=True)
class Approvals:
    """Asks, for one host."""

    store: Callable[[], ApprovalStore]
    clock: Clock
    events: EventBus
    seconds: float
    policy: str
    waits: Waits
    """Knows whether this host waits with its runs."""
    keep_args: bool = False
    """Whether arguments may stand in the file; else their digest alone does."""
    approver: Approver | None = None
    listeners: list[Listener] = attrs.field(factory=list)
    """Told of every call that begins to wait, in the thread where it does."""

    async def ask(self, opened: OpenCall, target: Ask) -> Verdict:
        """Return what a person says of a call; it may take as long as the configuration lets it."""
        request = ApprovalRequest(
            symbol=opened.record.symbol,
            args=opened.call.args,
            target=_target(opened, target),
            approver=target.approver,
            run=opened.scope.run,
            call=_call_id(opened),
            tenant=opened.scope.tenant,
            policy=self.policy,
            seconds=self.seconds,
        )
        self._emit("approval.waiting", request)
        with self.waits.waiting(opened):
            asked = self._of_approver(request) if self.approver is not None else self._of_file(opened, request)
            verdict = await asked
        self._emit("approval.answered", request, verdict)
        return verdict

    async def _of_approver(self, request: ApprovalRequest) -> Verdict:
        import asyncio

        import anyio

        from rtfs_framework.orchestrator.concurrency.threads import left_behind

        answer: Any = None
        with anyio.move_on_after(self.seconds) as waiting:
            try:
                answer = await asyncio.wrap_future(left_behind("rtfs approver", lambda: self._called(request)))
            except Exception as error:  # noqa: BLE001 - whatever the caller's own code raises: that is no yes
                return Verdict(False, f"its approver failed: {type(error).__name__}")
        if waiting.cancelled_caught:
            return self._late()
        return Verdict(answer is True, f"{'yes' if answer is True else 'no'}, by the host's approver")

    def _called(self, request: ApprovalRequest) -> Any:
        assert self.approver is not None  # noqa: S101 - for type checkers
        answer = self.approver(request)
        if not isawaitable(answer):
            return answer
        import asyncio

        async def awaited() -> Any:
            return await answer

        return asyncio.run(awaited())

    async def _of_file(self, opened: OpenCall, request: ApprovalRequest) -> Verdict:
        import anyio
        import anyio.to_thread

        from rtfs_framework.orchestrator.performing.approvals.store import ApprovalError, new_id

        store = self.store()
        asking = _Asking(store, lambda asking: self._written(asking, opened, request), new_id())
        try:
            row = await anyio.to_thread.run_sync(asking.ask)
        except ApprovalError as error:
            return Verdict(False, f"nobody could be asked: {error.problem}")
        except BaseException:  # Ctrl-C comes at any moment, also before the row is known here
            _given_up(opened, asking)
            raise
        try:
            return await self._answer(store, opened, row, request)
        except ApprovalError as error:
            return Verdict(False, f"its answer could not be read: {error.problem}")
        except BaseException:
            _given_up(opened, asking)
            raise

    async def _answer(self, store: ApprovalStore, opened: OpenCall, row: Approval, request: ApprovalRequest) -> Verdict:
        """Return what is answered to a question that is in the file, or that it is too late."""
        import anyio
        import anyio.to_thread

        if opened.scope.chain is not None:
            wait = {"call": reply_id(opened), "approval": row.id, "until": row.until}
            opened.scope.chain.note("waiting", wait)
        pause, began = _FIRST, self.clock.monotonic()
        end = began + min(self.seconds, row.until - self.clock.now())  # the other hand may be set back meanwhile
        for listener in tuple(self.listeners):
            listener(attrs.evolve(request, id=row.id))
        while True:
            late = self.clock.now() >= row.until or self.clock.monotonic() >= end
            found = await anyio.to_thread.run_sync(
                store.end if late else store.get, *((row.id, "late") if late else (row.id,))
            )
            if late or found.state != "waiting":
                return self._verdict(row, found)
            self.waits.park_asked(opened, "for a person", self.clock.monotonic() - began)
            await anyio.sleep(pause)
            pause = min(_LONGEST, pause * 1.5)

    def _written(self, asking: _Asking, opened: OpenCall, request: ApprovalRequest) -> Approval:
        past = opened.scope.past is not None
        return asking.store.ask(
            self.seconds,
            past=past,
            id_=asking.id,
            wanted=asking.wanted,
            run=request.run,
            call=request.call,
            symbol=request.symbol,
            target=request.target,
            approver=request.approver,
            args_digest=opened.digest_args(),
            args_text=write(request.args) if self.keep_args and _may_keep(opened) else None,
            policy=request.policy,
            tenant=request.tenant,
        )

    def _verdict(self, asked: Approval, found: Approval) -> Verdict:
        if found.covers != asked.covers:
            return Verdict(False, "what was answered is another call")
        who = f" by {found.answered_by}" if found.answered_by else ""
        why = f": {found.reason}" if found.reason else ""
        if found.state in ("yes", "no"):
            return Verdict(found.state == "yes", f"{found.state}{who}{why} ({found.id})")
        return self._late()

    def _late(self) -> Verdict:
        return Verdict(False, f"no answer within {self.seconds:g} s")

    def _emit(self, name: str, request: ApprovalRequest, verdict: Verdict | None = None) -> None:
        if self.events.active:
            fields = {key: getattr(request, key) for key in ("symbol", "target", "approver", "run", "call")}
            self.events.emit(
                name, fields if verdict is None else {**fields, "yes": verdict.yes, "words": verdict.words}
            )


def _given_up(opened: OpenCall, asking: _Asking) -> None:
    """Let a question wait no more, unless its run is parked: who goes on with it finds what was answered to each."""
    chain = opened.scope.chain
    if chain is None or not chain.parked:
        asking.withdraw()


def _target(opened: OpenCall, target: Ask) -> str:
    """Return where a call would go, with the marks that would reach it: a yes covers both."""
    shown, marks = show_target(target.then), sorted(opened.labels)
    return f"{shown} (carries {', '.join(f':{mark}' for mark in marks)})" if marks else shown


def _may_keep(opened: OpenCall) -> bool:
    """Tell whether a file may hold what a call is about."""
    return opened.record.labelled is None or opened.record.labelled.kept


def _call_id(opened: OpenCall) -> str:
    record = opened.record
    where = f"{record.entry}" if record.record is None else f"{record.entry}.{record.record}"
    return f"{where}:{record.path}"


def store_of(environ: Mapping[str, str], clock: Clock) -> ApprovalStore:
    """Return where a user's questions and answers are kept."""
    from rtfs_framework.orchestrator.performing.approvals.store import ApprovalStore

    return ApprovalStore(data_dir(environ), clock)
