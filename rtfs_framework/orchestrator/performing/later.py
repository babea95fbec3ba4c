"""Targets that answer later (`later = true`): each request to one is an item of the durable queue until it is answered.

In: an open call that a target is to answer. Out: its answer, or why there is none. The item's id is the call's: it is
placed once, whoever makes the call again after its process was killed; what came of it is kept with it, so it is not
asked for twice. The process of the call works on the item under a lease that it renews: by the ordinary attempt, so
gate, guards, budgets, memory and records are those of any call. A target that is left alone (its breaker is open)
costs no try: the item is put back until it is time. A failure that may be repeated costs one, and waits longer each
time; an item without tries left is dead, and its call fails. Hints bound all this: `retry` the tries and the waits,
`timeout` the time in which the call may wait for its item at all. Nothing that anybody wrote is in the item before it
is answered: function, target and a digest (`items.py`). Where the target's table says `workers`, the arguments are in
it, too, and an `rtfs worker` may do it (`working/tickets.py`): the item of a process that was killed, mostly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from os import getpid, urandom
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import attrs
from anyio import to_thread

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.labels import PUBLIC
from rtfs_framework.api.queue import LeaseLostError, QueueError, QueueItem
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.orchestrator.boundary import exact
from rtfs_framework.orchestrator.boundary.answers import Answer, Reply
from rtfs_framework.orchestrator.boundary.failures import RefusedError, as_program_error, late
from rtfs_framework.orchestrator.boundary.hints import seconds_of_call
from rtfs_framework.orchestrator.concurrency.deadlines import pause
from rtfs_framework.orchestrator.concurrency.endings import ended_for_good
from rtfs_framework.orchestrator.performing.health.check import BreakerCheck
from rtfs_framework.orchestrator.performing.hinting import at_work
from rtfs_framework.orchestrator.performing.idempotency import AT_WORK
from rtfs_framework.orchestrator.performing.items import elsewhere, item_of, marks_of, read, result_of, target_of
from rtfs_framework.orchestrator.performing.models import Failed, Models
from rtfs_framework.orchestrator.performing.queues import open_queue, queue_accepts
from rtfs_framework.orchestrator.performing.reply import check_fit
from rtfs_framework.orchestrator.recording.attempts import Spent
from rtfs_framework.orchestrator.recording.lineage import received, reply_id

if TYPE_CHECKING:
    from rtfs_framework.api.labels import Label
    from rtfs_framework.api.provider import InferenceReply
    from rtfs_framework.api.queue import ItemStatus, Lease, Queue
    from rtfs_framework.api.values import Clock
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.orchestrator.performing.models import LookedUp
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance
    from rtfs_framework.orchestrator.performing.waits import Waits
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall
    from rtfs_framework.registry.catalog import Catalog

LEASE = 30.0
"""Seconds after which the work of a process that was killed is anybody's."""
_MOST_LOOKS = 200
"""Looks at the queue in a second, however many calls of a process wait."""
_LONGEST = 60.0
"""Seconds between two tries at most."""
_FIRST, _LAST = 0.01, 0.25
"""Seconds between two looks at the queue: at first, and once nothing has come of many."""

T = TypeVar("T")
Keep = Callable[["InferenceReply", object], Awaitable[None]]


@attrs.define(slots=True, eq=False)
class _Own:
    """A call of this process that waits for its item."""

    models: Models
    opened: OpenCall
    function: FunctionSignature
    instance: ProviderInstance
    looked: LookedUp | None
    keep: Keep | None
    """Told of what the model answered, besides the queue."""
    item: QueueItem
    acknowledged: str = ""
    """The token of the lease under which an answer was kept."""
    lost: LeaseLostError | None = None
    waited: bool = False
    """Whether its item was put back."""
    repeats: bool = False
    """Whether that was for a failure."""


@attrs.frozen(slots=True, eq=False)
class Later:
    """The host's half of the durable queue."""

    queue: Queue
    clock: Clock
    waits: Waits
    lease: float = attrs.field(factory=lambda: LEASE)
    worker: str = attrs.field(factory=lambda: f"host-{getpid()}-{urandom(4).hex()}")
    _waiting: set[_Own] = attrs.field(factory=set, init=False)

    async def answer(self, own: _Own) -> Answer | Failed:
        """Return what comes of a call's item, which is placed if it is not there."""
        looks = _FIRST
        try:
            own.item = await self._placed(own)
            self._waiting.add(own)
            while (left := self._left(own)) > 0:
                lease = await self._claimed(own)
                made = await self._work(own, lease) if lease is not None else await self._ended(own)
                if made is not None:
                    return made
                await pause(min(looks, left))
                looks = _FIRST if lease is not None else min(2 * looks, max(_LAST, len(self._waiting) / _MOST_LOOKS))
            return await self._over(own)
        finally:
            self._waiting.discard(own)
            if ended_for_good():  # who goes on with a run finds its items; nobody goes on with this one
                await self._cancelled(own)

    def _left(self, own: _Own) -> float:
        """Return the seconds that the call has left, infinity where nobody said how many."""
        opened = own.opened
        return seconds_of_call(opened.call.hints) - (self.clock.monotonic() - opened.started)

    async def _over(self, own: _Own) -> Answer | Failed:
        """End a call whose time is over; nobody need work on its item any more, unless that has just been done."""
        state = await _there(self.queue.cancel, own.item.id)
        made = await self._ended(own) if state == "done" else None
        return made or Failed(own.opened.failed or late(), FailureKind.FINAL, "the call's time would be over")

    async def _placed(self, own: _Own) -> QueueItem:
        """Place the item; where the call's own was for another target, one for this target.

        Its run is on disk before: workers may make the request, and whoever goes on with the run must find it.
        """
        item, chain, past = own.item, own.opened.scope.chain, own.opened.scope.past
        if chain is not None and (past is None or past.waited(reply_id(own.opened)) is None):
            at = round(self.clock.now(), 3)
            chain.note("waiting", {"call": reply_id(own.opened), "at": at, "ticket": item.id})
            await chain.journal.written()
        placed = await _there(self.queue.put, item)
        if placed.new:
            return item
        known = await _there(self.queue.get, item.id)
        if known is not None and target_of(known) in ("", target_of(item)):
            return item
        item = elsewhere(item, own.instance)
        await _there(self.queue.put, item)
        return item

    async def _claimed(self, own: _Own) -> Lease | None:
        """Lease the call's item, if it is to be had; nobody else's."""
        claiming = asyncio.ensure_future(_there(self.queue.claim, own.item.id, self.worker, self.lease))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            with anyio.CancelScope(shield=True), suppress(QueueError):
                lease = await claiming
                if lease is not None:
                    await self._handed_back(lease, "its call was given up")
            raise

    async def _handed_back(self, lease: Lease, why: str, delay: float = 0.0) -> None:
        with anyio.CancelScope(shield=True), suppress(QueueError):
            await _there(lambda: self.queue.release(lease, why, delay=delay))

    async def _cancelled(self, own: _Own) -> None:
        with anyio.CancelScope(shield=True), suppress(QueueError):
            await _there(self.queue.cancel, own.item.id)

    # -- an item that has ended ----------------------------------------------------------------------------------------

    async def _ended(self, own: _Own) -> Answer | Failed | None:
        """Return what has become of an item; None while nothing has."""
        status = await _there(self.queue.get, own.item.id)
        if status is None or status.state in ("queued", "leased"):
            return None
        if status.state == "done":
            return self._told(own, status)
        if status.state == "cancelled":
            return _failed(own, FailureKind.FINAL, f"ticket {own.item.id} was cancelled")
        return _failed(
            own, FailureKind.HERE, f"ticket {own.item.id} is dead: {status.reason or 'it has no tries left'}"
        )

    def _told(self, own: _Own, status: ItemStatus) -> Answer | Failed:
        """Return the answer that is kept with an item."""
        found, opened = read(status.result), own.opened
        opened.record.told |= marks_of(found)
        try:
            value = exact.from_text(found["value"])
        except (KeyError, TypeError, ValueError):
            return _failed(own, FailureKind.FINAL, f"ticket {own.item.id} was answered, and the answer is not kept")
        opened.record.model = str(found.get("model") or "")
        opened.spent = Spent(found.get("cost"), found.get("input_tokens") or 0, found.get("output_tokens") or 0)
        if found.get("run"):
            opened.noted("ticket", f"answered in run {found['run']}")
        received(opened)
        try:
            if opened.hinted is not None:
                opened.hinted.check(value, opened.lookup, f"'{own.instance.spec.id}'")
            check_fit(opened, value, f"'{own.instance.spec.id}'")
        except ProgramError as error:
            return own.models.failed(error, own.instance)
        opened.close(self.clock.monotonic(), value, answered=True)
        return Reply(value)

    # -- an item that is leased ----------------------------------------------------------------------------------------

    async def _work(self, own: _Own, lease: Lease) -> Answer | Failed | None:
        """Make an attempt; None where another one follows."""
        own.lost = None
        if own.waited:
            self._begin_again(own)
        try:
            with anyio.CancelScope() as scope:
                renewing = asyncio.get_running_loop().create_task(self._renewing(own, lease, scope.cancel))
                try:
                    made = await Models.go_on(
                        own.models, own.opened, own.function, own.instance, own.looked, partial(self._keep, own, lease)
                    )
                finally:
                    renewing.cancel()
        except BaseException:
            await self._handed_back(lease, "its process gave it up")
            raise
        if scope.cancelled_caught:
            ended = await self._ended(own)  # perhaps somebody has answered it
            if ended is None and own.instance.spec.idempotent:  # whoever has it now may ask again, and so may this call
                own.waited = True
                return None
            return ended or _failed(own, FailureKind.FINAL, f"ticket {own.item.id}: {own.lost}")
        if not isinstance(made, Failed):
            if own.acknowledged != lease.token and isinstance(made, Reply):  # an equal request brought it
                with suppress(QueueError):
                    await _there(self.queue.ack, lease, _result(own, made.value))
            return made
        return await self._not_answered(own, lease, made)

    async def _renewing(self, own: _Own, lease: Lease, stop: Callable[[], None]) -> None:
        """Renew a lease while there is work on it; stop that when it is lost."""
        while own.lost is None:
            await pause(self.lease / 3)
            try:
                await _there(self.queue.renew, lease, self.lease)
            except LeaseLostError as error:
                own.lost = error
                if own.acknowledged != lease.token:  # else its answer was kept meanwhile, and is there
                    stop()
            except QueueError:  # it may be reached again before the lease ends
                continue

    async def _keep(self, own: _Own, lease: Lease, reply: InferenceReply, value: object) -> None:
        """Keep an answer with its item, before its run has seen it: whatever dies now, it is not asked for again."""
        own.acknowledged = lease.token
        with suppress(QueueError):
            await _there(self.queue.ack, lease, _result(own, value, reply.model))
        if own.keep is not None:
            await own.keep(reply, value)

    async def _not_answered(self, own: _Own, lease: Lease, failed: Failed) -> Failed | None:
        """Put an item back, or give it up; None where it was put back."""
        if failed.guard == BreakerCheck.name:
            wait = min(failed.retry_after or 1.0, _LONGEST)
            own.waited = True
            await self._handed_back(lease, failed.reason, delay=wait)
            if wait < self._left(own):
                return None
            await self._cancelled(own)
            return failed
        if failed.until is not None and self.waits.may_wait(own.opened, failed.until):
            await self._handed_back(lease, failed.reason, delay=max(0.0, failed.until - self.clock.now()))
            return failed  # its call waits for the budget, and comes back
        wait = _wait(own, lease, failed)
        final = not _again(own, failed) or wait >= self._left(own)
        try:
            state = await _there(lambda: self.queue.nack(lease, failed.reason, delay=wait, final=final))
        except QueueError:
            return failed
        if state != "queued":
            return failed
        opened, now, hinted = own.opened, self.clock.monotonic(), at_work(own.opened)
        opened.tried(own.instance.target, failed if hinted is None else hinted.judged(opened, failed, now), now)
        opened.spent, own.waited, own.repeats = Spent(), True, True
        return None

    def _begin_again(self, own: _Own) -> None:
        """Begin another attempt: the time that its item has waited is the call's, and not the attempt's."""
        hinted = at_work(own.opened)
        own.opened.since = self.clock.monotonic()
        if own.repeats and hinted is not None:
            hinted.begin()
        own.waited = own.repeats = False

    def close(self) -> None:
        """Release the queue."""
        self.queue.close()


@attrs.frozen(slots=True, eq=False)
class LaterModels(Models):
    """Asks provider instances, some of them by the durable queue."""

    later: Later | None = None
    accepts: Label | None = None
    """The marks of what its queue may hold; None for all."""

    async def go_on(
        self,
        opened: OpenCall,
        function: FunctionSignature,
        instance: ProviderInstance,
        key: LookedUp | None,
        keep: Keep | None = None,
    ) -> Answer | Failed:
        """See `Models`: what a model is to be asked goes through the queue, if its table says so."""
        if self.later is None or not instance.spec.later or opened.leg_of is not None or AT_WORK.get() is not None:
            return await Models.go_on(self, opened, function, instance, key, keep)
        withheld = PUBLIC if self.accepts is None else opened.labels - self.accepts
        if withheld:
            shown = ", ".join(f":{mark}" for mark in sorted(withheld))
            way_out = 'say what the queue accepts: accepts."queue NAME" under [labels]; or ask this target now'
            refused = RefusedError("labels", f"the queue, which other machines read, does not accept {shown}", way_out)
            return self.failed(refused, instance)
        try:
            item = item_of(opened, function, instance, self.most_requests)
            own = _Own(self, opened, function, instance, key, keep, item)
            return await self.later.answer(own)
        except QueueError as error:
            way_out = "`rtfs tickets count` shows what waits; [queue] in the configuration says where"
            return self.failed(RefusedError("queue", str(error), way_out, kind="NetworkError"), instance)

    def close(self) -> None:
        """See `Models`."""
        if self.later is not None:
            self.later.close()


def deferring(
    models: Models, config: Config, environ: Mapping[str, str], clock: Clock, catalog: Catalog, waits: Waits
) -> Models:
    """Return what asks models, those among them that answer later by the queue of the configuration."""
    later = Later(open_queue(config, environ, clock, catalog), clock, waits)
    fields = {field.name: getattr(models, field.name) for field in attrs.fields(Models)}
    return LaterModels(**fields, later=later, accepts=queue_accepts(config, catalog))


async def _there(function: Callable[..., T], *args: Any) -> T:
    """Call the queue in a thread: it may wait."""
    return await to_thread.run_sync(lambda: function(*args))


def _result(own: _Own, value: object, model: str = "") -> bytes:
    return result_of(own.opened, own.instance, value, model)


def _again(own: _Own, failed: Failed) -> bool:
    """Tell whether a failure may be repeated."""
    spec, hints = own.instance.spec, None if own.opened.hinted is None else own.opened.hinted.hints
    if failed.kind is FailureKind.REPLY:  # it may say something else, where the program wants to hear that
        return (
            hints is not None and hints.retry is not None and spec.idempotent and not own.instance.entry.deterministic
        )
    return failed.kind is FailureKind.SAFE or (failed.kind is FailureKind.UNCERTAIN and spec.idempotent)


def _wait(own: _Own, lease: Lease, failed: Failed) -> float:
    """Return the seconds before the next try: as the hint `retry` says, else more each time with a part drawn."""
    hints = None if own.opened.hinted is None else own.opened.hinted.hints
    if hints is None or hints.retry is None:
        grown = min(2.0 ** (lease.tries - 1) * own.opened.draw("tries"), _LONGEST)
    else:
        grown = hints.retry.delay(lease.tries - 1, _LONGEST)
    return max(grown, min(failed.retry_after or 0.0, _LONGEST))


def _failed(own: _Own, kind: FailureKind, reason: str) -> Failed:
    error = ProgramError("NetworkError", f"{own.instance.spec.id}: {reason}")
    return Failed(as_program_error(error, own.instance.spec.id), kind, reason)
