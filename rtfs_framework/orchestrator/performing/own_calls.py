"""Calls that a host makes in its own name: warm-ups, measurements. Each is billed, guarded and recorded like any.

They stand in the journal under one run of their own, which begins with the first of them.
"""

from __future__ import annotations

from collections.abc import Callable
from os import urandom
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.targets import show_target
from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.orchestrator.recording.run_scope import OpenCall, RunScope
from rtfs_framework.orchestrator.recording.tally import Ledger, Tally

if TYPE_CHECKING:
    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.orchestrator.recording.events import EventBus
    from rtfs_framework.orchestrator.recording.journal.run import Chain


@attrs.define(slots=True, eq=False, kw_only=True)
class OwnCalls:
    """The calls of one purpose."""

    symbol: str
    """In whose name they are made."""
    events: EventBus
    tenant: str
    begin: Callable[[str], Chain | None]
    """Begins a run of that id in the journal."""
    tally: Tally = attrs.field(init=False)
    """What they came to."""
    _opened: OpenCall | None = attrs.field(default=None, init=False)
    _chain: Chain | None = attrs.field(default=None, init=False)

    @tally.default
    def _nothing_yet(self) -> Tally:
        return Tally(self.tenant)

    def next(self, target: ExecTarget, words: str, now: float) -> OpenCall:
        """Open a call that asks a target something."""
        return self.opened(now).consultation(show_target(target), words, now)

    def opened(self, now: float) -> OpenCall:
        """Return the call beside which all of them stand."""
        if self._opened is None:
            run = urandom(16).hex()
            self._chain = self.begin(run)
            ledger = Ledger(self.events, self._chain, self.tally)
            scope = RunScope(
                sink=ledger.note,
                chain=self._chain,
                run=run,
                tenant=self.tenant,
                keep_digests=self._chain is not None,
            )
            call = HostCall(CallKind.DELEGATED, self.symbol, (), FunctionSignature(self.symbol))
            self._opened = OpenCall.of(call, scope, now)
        return self._opened

    def end(self, status: str = "complete") -> None:
        """End the run in the journal, if it began."""
        if self._chain is not None:
            self._chain.end(status)
