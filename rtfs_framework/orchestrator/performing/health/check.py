"""The breaker among the host's guards: a request to a target that is left alone is refused before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.orchestrator.performing.gate import Check, Held, RefusedError
from rtfs_framework.orchestrator.performing.health.board import Board, Turned
from rtfs_framework.orchestrator.performing.health.breaker import Seen, Verdict

if TYPE_CHECKING:
    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.orchestrator.performing.gate import Asking, Outcome
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance

_ANSWERED = (None, FailureKind.REPLY, FailureKind.LOW_CONFIDENCE, FailureKind.HERE)
_BAD = (FailureKind.SAFE, FailureKind.UNCERTAIN)


def seen_of(outcome: Outcome, slow: float | None) -> Seen:
    """Return what an outcome says of its target's health.

    Only failures of the target itself speak of that. One that answers what is of no use is a matter of quality, and one
    that was never asked, or given up, says nothing; that it was slow until then is known all the same.
    """
    if outcome.failure in _BAD:
        return Seen(Verdict.BAD, slow=_is_slow(outcome, slow), retry_after=outcome.retry_after)
    if not outcome.sent:
        return Seen(Verdict.SILENT)
    verdict = Verdict.GOOD if outcome.failure in _ANSWERED else Verdict.SILENT
    return Seen(verdict, slow=_is_slow(outcome, slow))


def _is_slow(outcome: Outcome, slow: float | None) -> bool:
    return slow is not None and outcome.seconds > slow


@attrs.define(slots=True, eq=False)
class _Under(Held):
    """A request that was let through."""

    board: Board
    target: ExecTarget
    permit: int | None
    """None once it is settled."""
    slow: float | None
    asking: Asking | None = None
    """Of a request that is to find out whether its target answers again; None for any other."""

    async def ready(self) -> None:
        """Let the provider's own probe find that out, where it has one: it is free, and nobody waits for it for long.

        Raises:
            RefusedError: The target does not answer.
        """
        if self.asking is None or self.permit is None:
            return
        from rtfs_framework.orchestrator.performing.health.probing import probe

        for _ in range(self.board.spec.of(self.target).probes):
            found = await probe(self.asking)
            if found is None:
                return
            permit = self.board.probed(self.target, self.permit, found.seen, why=found.why)
            if isinstance(permit, Turned):
                self.permit = None
                raise turned_away(permit)
            self.permit = permit
            if not self.board.is_probe(self.target, permit):
                return

    def settle(self, outcome: Outcome) -> None:
        """Count what came of it."""
        if self.permit is None:
            return
        seen = seen_of(outcome, self.slow)
        timed = outcome.sent and outcome.failure in (None, FailureKind.REPLY, FailureKind.UNCERTAIN)
        why = "" if outcome.failure is None else words_of(outcome)
        self.board.settle(self.target, self.permit, seen, seconds=outcome.seconds if timed else None, why=why)


def words_of(outcome: Outcome) -> str:
    """Return a failure in the words of `rtfs health`: of what kind it was, nothing that anybody wrote."""
    kind = "" if outcome.failure is None else outcome.failure.value
    return kind if outcome.retry_after is None else f"{kind}, and it asked for {outcome.retry_after:.3g} s"


def turned_away(turned: Turned) -> RefusedError:
    """Return the refusal of a request to a target that is left alone."""
    return RefusedError(
        BreakerCheck.name, turned.reason, turned.way_out, kind="NetworkError", retry_after=turned.retry_after
    )


@attrs.frozen(slots=True, eq=False)
class BreakerCheck(Check):
    """Asks the board before each request, and tells it what came of it."""

    name = "breaker"  # it waits for a file only when a state changes, and then for milliseconds
    board: Board

    def concerns(self, instance: ProviderInstance) -> bool:
        """Tell whether requests to a provider are counted: those that wait, and those that a table names."""
        return instance.target in self.board.all

    def enter(self, asking: Asking) -> _Under:
        """Let a request through.

        Raises:
            RefusedError: Its target is left alone, or has had its repeats.
        """
        target = asking.instance.target
        repeated = any(each.target == target and each.kind in _BAD for each in asking.opened.attempts)
        permit = self.board.enter(target, repeated=repeated)
        if isinstance(permit, Turned):
            raise turned_away(permit)
        pinged = not asking.instance.immediate and self.board.is_probe(target, permit)
        return _Under(self.board, target, permit, self.board.spec.of(target).slow, asking if pinged else None)
