"""Asking the models that engines want to hear before a program runs: as few requests as can be, billed and recorded.

In: questions. Out: the answer to each, None where there is none. They are consultations of a run of its own in the
journal, and pass rules, guards, rates and budgets like any.
"""

from __future__ import annotations

from collections.abc import Iterable
from os import urandom
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.orchestrator.explaining.planning.joining import joined, parted
from rtfs_framework.orchestrator.recording.run_scope import OpenCall, RunScope
from rtfs_framework.orchestrator.recording.tally import Ledger, Tally

if TYPE_CHECKING:
    from typing_extensions import Self

    from rtfs_framework.orchestrator.deciding.facts import Question
    from rtfs_framework.orchestrator.host import Host
    from rtfs_framework.orchestrator.recording.journal.run import Chain

SYMBOL = "delegate/plan"
"""In whose name a program's questions are asked."""


@attrs.define(slots=True, eq=False)
class Asking:
    """The questions of one plan."""

    host: Host
    program: str
    """Its digest."""
    source: str
    asked: int = attrs.field(default=0, init=False)
    run: str = attrs.field(default="", init=False)
    _tally: Tally = attrs.field(init=False)
    _chain: Chain | None = attrs.field(default=None, init=False)
    _opened: OpenCall | None = attrs.field(default=None, init=False)

    @_tally.default
    def _of_tenant(self) -> Tally:
        return Tally(self.host.config.tenant)

    @property
    def cost(self) -> float | None:
        """US dollars so far, None when they are not known."""
        return None if self._tally.unpriced else self._tally.cost

    async def hear(self, questions: Iterable[Question]) -> dict[Question, str | None]:
        """Return what models say; several questions to one of them are asked together, else one by one."""
        answers: dict[Question, str | None] = {}
        for question, parts in joined(questions):
            found = parted(await self._hear(question), parts)
            if found is None:
                found = {each: await self._hear(each) for each in parts}
            answers.update(found)
        return answers

    async def _hear(self, question: Question) -> str | None:
        if self._opened is None:
            self._opened = self._open()
        self.asked += 1
        return await self.host.dispatcher.consultations.hear(self._opened, question)

    def _open(self) -> OpenCall:
        host, seed = self.host, urandom(16).hex()
        run = urandom(16).hex()
        self._chain = host.begin(run, self.program, f"plan of {self.source}", seed)
        self.run = "" if self._chain is None else run
        ledger, journal = Ledger(host.events, self._chain, self._tally), host.journal

        scope = RunScope(
            sink=ledger.note,
            chain=self._chain,
            run=run,
            tenant=host.config.tenant,
            seed=seed,
            keep_digests=self._chain is not None,
            keep_args=journal is not None and journal.keep_args,
        )
        call = HostCall(CallKind.DELEGATED, SYMBOL, (), FunctionSignature(SYMBOL))
        return OpenCall.of(call, scope, host.clock.monotonic())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """End the run in the journal."""
        if self._chain is not None:
            self._chain.end("complete" if error is None else "interrupted", error)
