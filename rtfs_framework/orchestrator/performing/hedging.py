"""Hedges: a second request of the same call, begun when the first has not answered; the first usable answer wins.

Each of the two is a leg: a call of its own as far as asking, guards, budgets and the journal's "begun" go, and what it
uses is counted apart. When one has answered the other is given up and settled, and both are put together into the one
record of the call: the winner's answer, and the other as an attempt that gave none. Where neither answers, each is an
attempt, and the next decision sees both.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.attempts import Attempt, FailureKind
from rtfs_framework.api.errors import ProviderError
from rtfs_framework.api.targets import show_target
from rtfs_framework.api.values import Clock
from rtfs_framework.orchestrator.boundary.answers import Answer, Reply
from rtfs_framework.orchestrator.concurrency.deadlines import pause
from rtfs_framework.orchestrator.performing.budgets.amounts import nano_of
from rtfs_framework.orchestrator.performing.budgets.estimate import bound_of, prices_of
from rtfs_framework.orchestrator.performing.models import Failed, Models, Pending
from rtfs_framework.orchestrator.recording.attempts import AttemptRecord, Spent, banded, total_cost

if TYPE_CHECKING:
    from rtfs_framework.api.plans import Hedge
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance, ProviderPool
    from rtfs_framework.orchestrator.recording.records import Decision
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall

_LOST = "the other request answered first"
_LEAST_TOKENS, _MOST_TOKENS = 16, 100_000
"""A reply of fewer is not worth a request; no model replies with more."""
_PICO = 1000
"""Pico-dollars of a nano-dollar."""


@attrs.define(slots=True, eq=False)
class Leg:
    """One of the two requests, and how it ended."""

    opened: OpenCall
    instance: ProviderInstance
    made: Answer | Failed | None = None
    """None while it is under way, and for one that was given up."""
    ended: float = 0.0
    """On the monotonic clock; 0 while it is under way."""
    sent: bool = False
    """Whether its request has left, or waits for an equal one that has."""
    broke: BaseException | None = None
    """What no decision follows: a journal that cannot be written."""

    @property
    def is_enough(self) -> bool:
        """Tell whether the call need not wait for the other one: it has an answer, or nothing may follow."""
        return self.broke is not None or not isinstance(self.made, Failed)


@attrs.frozen(slots=True, eq=False)
class Hedging:
    """Asks two models about one call."""

    models: Models
    pool: ProviderPool
    clock: Clock

    def second(self, opened: OpenCall, function: FunctionSignature, first: ProviderInstance) -> ProviderInstance | None:
        """Return the provider of the second request; None where there is none, or its cost has no bound.

        Where calls must not overlap, or the first answers at once, there is none either.
        """
        _, hedge = _hedged(opened)
        found = self.pool.get(hedge.target)
        if found is None or not found.entry.order_independent or self.models.sender.immediate(first):
            return None
        if hedge.most is not None and self._tokens(opened, function, found, hedge.most) is None:
            return None
        return found

    async def ask(
        self, opened: OpenCall, function: FunctionSignature, first: ProviderInstance, second: ProviderInstance
    ) -> Answer | Failed:
        """Return the first usable answer, or the failure of the one that failed last; the other is an attempt.

        Raises:
            JournalError: It cannot be written down that a request begins.
            ProgramError: No target may be asked: the arguments are wrong.
        """
        decision, hedge = _hedged(opened)
        legs = [Leg(opened.leg(decision), first)]
        two = Leg(opened.leg(_at(decision, hedge)), second)
        if hedge.most is not None:
            tokens = self._tokens(opened, function, second, hedge.most) or _LEAST_TOKENS
            two.opened.most_tokens = tokens if tokens < _MOST_TOKENS else None
        try:
            last = await self._race(function, legs, two, hedge.after)
        except BaseException:
            opened.spent = _together(legs, len(opened.record.attempts))
            raise
        if last.broke is not None:
            opened.spent = _together(legs, len(opened.record.attempts))
            raise last.broke
        return self._put_together(opened, legs, last)

    async def _race(self, function: FunctionSignature, legs: list[Leg], two: Leg, after: float) -> Leg:
        """Run the legs, the second a while after the first was sent; return who answered, broke, or failed last."""
        import asyncio

        import anyio

        send, ended = anyio.create_memory_object_stream[Leg | None](3)

        loop, first_left = asyncio.get_running_loop(), asyncio.Event()

        def sets_out(leg: Leg) -> None:  # where providers are awaited
            leg.sent = True
            if leg is legs[0]:
                with suppress(RuntimeError):  # the run is over, and its loop is closed
                    loop.call_soon_threadsafe(first_left.set)

        async def run(leg: Leg) -> None:
            leg.opened.sets_out = partial(sets_out, leg)
            leg.opened.since = self.clock.monotonic()
            try:
                made = self.models.ask(leg.opened, function, leg.instance)
                leg.made = await made.finish() if isinstance(made, Pending) else made
            except Exception as error:  # noqa: BLE001 - raised again by whoever waits for both
                leg.broke = error
            leg.ended = self.clock.monotonic()
            send.send_nowait(leg)

        async def begin_second() -> None:
            await first_left.wait()  # a provider that is getting ready, has no room, or no turn yet, is not slow
            await pause(after)
            send.send_nowait(None)

        last = legs[0]
        with send, ended:
            async with anyio.create_task_group() as group:
                group.start_soon(begin_second)
                group.start_soon(run, legs[0])
                under_way = 1
                while True:
                    leg = await ended.receive()
                    if leg is None:
                        legs.append(two)
                        group.start_soon(run, two)
                        under_way += 1
                    elif leg.is_enough or under_way == 1:
                        last = leg
                        break
                    else:
                        under_way -= 1
                group.cancel_scope.cancel()
        return last

    def _put_together(self, opened: OpenCall, legs: list[Leg], last: Leg) -> Answer | Failed:
        now, record, before = self.clock.monotonic(), opened.record, len(opened.record.attempts)
        settle = None if record.decision is None else record.decision.settle
        for leg in sorted(legs, key=lambda each: each is last):
            record.attempts = (*record.attempts, *leg.opened.record.attempts[before:])  # of a repair
            record.decision, opened.spent, opened.since = leg.opened.record.decision, leg.opened.spent, leg.opened.since
            if leg is not last and (leg.sent or leg.made is not None):  # else it was given up before it left
                failed = leg.made if isinstance(leg.made, Failed) else None
                self._lost(opened, leg, now) if failed is None else opened.tried(leg.instance.target, failed, leg.ended)
        opened.since = last.opened.since
        if record.decision is not None:  # the plan stands on what came of both
            record.decision = attrs.evolve(record.decision, settle=settle)
        if isinstance(last.made, Reply):
            of = last.opened.record
            record.target, record.cache, record.reply_key = of.target, of.cache, of.reply_key
            record.model, record.explanation, record.confidence = of.model, of.explanation, of.confidence
            opened.close(now, last.made.value, answered=True)
        if last.made is None:
            raise AssertionError("the race was left by a request that has not ended")
        return last.made

    @staticmethod
    def _lost(opened: OpenCall, leg: Leg, now: float) -> None:
        """Write down a request that was given up, or whose answer came too late to be used."""
        seconds, spent = max(0.0, now - leg.opened.since), leg.opened.spent or Spent()
        made = AttemptRecord(
            attempt=Attempt(target=leg.instance.target, kind=FailureKind.FINAL, seconds=banded(seconds), reason=_LOST),
            seconds=seconds,
            cost=spent.cost,
            input_tokens=spent.input_tokens,
            output_tokens=spent.output_tokens,
            decision=leg.opened.record.decision,
            signals=opened.signals,
        )
        opened.record.attempts = (*opened.record.attempts, made)

    def _tokens(
        self, opened: OpenCall, function: FunctionSignature, instance: ProviderInstance, most: float
    ) -> int | None:
        """Return how many tokens a reply may have for so many dollars; None when there is no telling, or too few."""
        prices = prices_of(instance.spec)
        if prices is None:
            return None
        try:
            request = self.models.request(opened, function, instance)
        except ProviderError:  # no time is left for it
            return None
        left = nano_of(most) - prices.cost(bound_of(request, prices, 0).input_tokens, 0)
        tokens = _MOST_TOKENS if prices.output == 0 else left * _PICO // prices.output
        return tokens if left >= 0 and tokens >= _LEAST_TOKENS else None


def _hedged(opened: OpenCall) -> tuple[Decision, Hedge]:
    decision = opened.record.decision
    if decision is None or decision.plan.hedge is None:
        raise AssertionError("a call without a hedge was to be hedged")
    return decision, decision.plan.hedge


def _at(decision: Decision, hedge: Hedge) -> Decision:
    """Return the decision as it stands for the second request."""
    reasoning = f"{decision.plan.reasoning}; no answer within {hedge.after:.3g} s: {show_target(hedge.target)}, too"
    plan = attrs.evolve(decision.plan, target=hedge.target, reasoning=reasoning)
    return attrs.evolve(decision, plan=plan, hedge_of=attrs.evolve(decision, settle=None))


def _together(legs: list[Leg], before: int) -> Spent:
    """Return what both have used, their repairs included, of a call that had tried so much before."""
    parts: list[Spent | AttemptRecord] = [leg.opened.spent or Spent() for leg in legs]
    parts += [made for leg in legs for made in leg.opened.record.attempts[before:]]
    return Spent(
        cost=total_cost([each.cost for each in parts]),
        input_tokens=sum(each.input_tokens for each in parts),
        output_tokens=sum(each.output_tokens for each in parts),
    )
