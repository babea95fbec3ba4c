"""Targets that answer later (`later = true`): each request to one is an item of the durable queue until it is answered.

In: an open call that a target is to answer. Out: its answer, or why there is none. The item's id is the call's: it is
placed once, whoever makes the call again after its process was killed; what came of it is kept with it, so it is not
asked for twice. The process of the call works on the item under a lease that it renews: by the ordinary attempt, so
gate, guards, budgets, memory and records are those of any call. A target that is left alone (its breaker is open)
costs no try: the item is put back until it is time. A failure that may be repeated costs one, and waits longer each
time; an item without tries left is dead, and its call fails. Nothing that anybody wrote is in the item before it is
answered: function, target and a digest. Where the target's table says `workers`, the arguments are in it, too, and an
`rtfs worker` may do it (`working/tickets.py`): the item of a process that was killed, mostly.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from os import getpid, urandom
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import attrs
from anyio import to_thread

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.queue import MOST_PAYLOAD, LeaseLostError, QueueError, QueueItem
from rtfs_framework.api.targets import RemoteModel, show_target
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.printer import write
from rtfs_framework.orchestrator.boundary import exact
from rtfs_framework.orchestrator.boundary.answers import Answer, Reply
from rtfs_framework.orchestrator.boundary.conversing import converses
from rtfs_framework.orchestrator.boundary.failures import RefusedError, as_program_error
from rtfs_framework.orchestrator.concurrency.deadlines import pause
from rtfs_framework.orchestrator.performing.health.check import BreakerCheck
from rtfs_framework.orchestrator.performing.models import Failed, Models
from rtfs_framework.orchestrator.performing.queues import open_queue
from rtfs_framework.orchestrator.recording.attempts import Spent
from rtfs_framework.orchestrator.recording.journal.chain import canonical_json
from rtfs_framework.orchestrator.recording.journal.redact import name_of
from rtfs_framework.orchestrator.recording.lineage import received

if TYPE_CHECKING:
    from rtfs_framework.api.provider import InferenceReply
    from rtfs_framework.api.queue import ItemStatus, Lease, Queue
    from rtfs_framework.api.values import Clock
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.orchestrator.performing.models import LookedUp
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall
    from rtfs_framework.registry.catalog import Catalog

TOPIC = "tickets"
LEASE = 30.0
"""Seconds after which the work of a process that was killed is anybody's."""
_MOST_SEEN = 64
"""Items that are looked at to find one's own."""
_LONGEST = 60.0
"""Seconds between two tries at most."""
_FIRST, _LAST = 0.01, 0.25
"""Seconds between two looks at the queue: at first, and once nothing has come of many."""
_VERSION = 1

AT_WORK: ContextVar[bool] = ContextVar("rtfs_at_work", default=False)
"""Whether a worker makes the request of an item: then it is made, and not ordered once more."""

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
    lease: Lease | None = None
    """Handed over by another call of this process."""
    acknowledged: str = ""
    """The token of the lease under which an answer was kept."""
    lost: LeaseLostError | None = None


@attrs.frozen(slots=True, eq=False)
class Later:
    """The host's half of the durable queue."""

    queue: Queue
    clock: Clock
    lease: float = attrs.field(factory=lambda: LEASE)
    worker: str = attrs.field(factory=lambda: f"host-{getpid()}-{urandom(4).hex()}")
    _waiting: dict[str, _Own] = attrs.field(factory=dict, init=False)

    async def answer(self, own: _Own) -> Answer | Failed:
        """Return what comes of a call's item, which is placed if it is not there."""
        own.item = await self._placed(own)
        self._waiting[own.item.id] = own
        looks = _FIRST
        try:
            while True:
                lease = own.lease or await self._lease(own) or own.lease  # somebody may have handed it over meanwhile
                own.lease = None
                made = await self._work(own, lease) if lease is not None else await self._ended(own)
                if made is not None:
                    return made
                await pause(looks)
                looks = _FIRST if lease is not None else min(2 * looks, _LAST)
        finally:
            del self._waiting[own.item.id]
            if own.lease is not None:
                await self._handed_back(own.lease, "its call was given up")

    async def _placed(self, own: _Own) -> QueueItem:
        """Place the item; where the call's own was for another target, one for this target."""
        item = own.item
        placed = await _there(self.queue.put, item)
        if placed.new:
            return item
        known = await _there(self.queue.get, item.id)
        target = _read(None if known is None else known.payload).get("target")
        if target == _read(item.payload)["target"]:
            return item
        item = attrs.evolve(item, id=f"{item.id}@{show_target(own.instance.target)}"[:256])
        await _there(self.queue.put, item)
        return item

    async def _lease(self, own: _Own) -> Lease | None:
        """Lease the call's item, if it is to be had; those of other calls of this process are handed to them."""
        tenants = (own.item.tenant,)
        found = await _there(lambda: self.queue.lease(TOPIC, self.worker, self.lease, most=_MOST_SEEN, tenants=tenants))
        mine = None
        for lease in found:
            other = self._waiting.get(lease.item.id)
            if other is own:
                mine = lease
            elif other is not None and other.lease is None:
                other.lease = lease
            else:  # whoever works for its process will find it; the longer nobody does, the less often it is in the way
                await self._handed_back(lease, "not of this process", delay=min(0.05 * lease.attempt, 5.0))
        return mine

    async def _handed_back(self, lease: Lease, why: str, delay: float = 0.0) -> None:
        with anyio.CancelScope(shield=True), suppress(QueueError):
            await _there(lambda: self.queue.release(lease, why, delay=delay))

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
        found = _read(status.result)
        try:
            value = exact.from_text(found["value"])
        except (KeyError, TypeError, ValueError):
            return _failed(own, FailureKind.FINAL, f"ticket {own.item.id} was answered, and the answer is not kept")
        opened = own.opened
        opened.record.model = str(found.get("model") or "")
        opened.spent = Spent(found.get("cost"), found.get("input_tokens") or 0, found.get("output_tokens") or 0)
        if found.get("run"):
            opened.noted("ticket", f"answered in run {found['run']}")
        received(opened)
        opened.close(self.clock.monotonic(), value, answered=True)
        return Reply(value)

    # -- an item that is leased ----------------------------------------------------------------------------------------

    async def _work(self, own: _Own, lease: Lease) -> Answer | Failed | None:
        """Make an attempt; None where another one follows."""
        own.lost = None
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
            return _failed(own, FailureKind.FINAL, f"ticket {own.item.id}: {own.lost}")
        if not isinstance(made, Failed):
            if own.acknowledged != lease.token:  # an equal request brought it
                with suppress(QueueError):
                    await _there(self.queue.ack, lease, _result(own, made))
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
                stop()
            except QueueError:  # it may be reached again before the lease ends
                continue

    async def _keep(self, own: _Own, lease: Lease, reply: InferenceReply, value: object) -> None:
        """Keep an answer with its item, before its run has seen it: whatever dies now, it is not asked for again."""
        own.acknowledged = lease.token
        with suppress(QueueError):
            await _there(self.queue.ack, lease, _result(own, Reply(value), reply))
        if own.keep is not None:
            await own.keep(reply, value)

    async def _not_answered(self, own: _Own, lease: Lease, failed: Failed) -> Failed | None:
        """Put an item back, or give it up; None where it was put back."""
        if failed.guard == BreakerCheck.name:
            await self._handed_back(lease, failed.reason, delay=min(failed.retry_after or 1.0, _LONGEST))
            return None
        again = failed.kind is FailureKind.SAFE or (
            failed.kind is FailureKind.UNCERTAIN and own.instance.spec.idempotent
        )
        wait = min(max(failed.retry_after or 0.0, 2.0 ** (lease.tries - 1) * own.opened.draw("tries")), _LONGEST)
        try:
            state = await _there(lambda: self.queue.nack(lease, failed.reason, delay=wait, final=not again))
        except QueueError:
            return failed
        if state != "queued":
            return failed
        own.opened.tried(own.instance.target, failed, self.clock.monotonic())
        own.opened.spent = Spent()
        return None

    def close(self) -> None:
        """Release the queue."""
        self.queue.close()


@attrs.frozen(slots=True, eq=False)
class LaterModels(Models):
    """Asks provider instances, some of them by the durable queue."""

    later: Later | None = None

    async def go_on(
        self,
        opened: OpenCall,
        function: FunctionSignature,
        instance: ProviderInstance,
        key: LookedUp | None,
        keep: Keep | None = None,
    ) -> Answer | Failed:
        """See `Models`: what a model is to be asked goes through the queue, if its table says so."""
        if self.later is None or not instance.spec.later or opened.leg_of is not None or AT_WORK.get():
            return await Models.go_on(self, opened, function, instance, key, keep)
        own = _Own(self, opened, function, instance, key, keep, _item(opened, function, instance, self.most_requests))
        try:
            return await self.later.answer(own)
        except QueueError as error:
            way_out = "`rtfs tickets count` shows what waits; [queue] in the configuration says where"
            return self.failed(RefusedError("queue", str(error), way_out, kind="NetworkError"), instance)

    def close(self) -> None:
        """See `Models`."""
        if self.later is not None:
            self.later.close()


def deferring(models: Models, config: Config, environ: Mapping[str, str], clock: Clock, catalog: Catalog) -> Models:
    """Return what asks models, those among them that answer later by the queue of the configuration."""
    later = Later(open_queue(config, environ, clock, catalog), clock)
    fields = {field.name: getattr(models, field.name) for field in attrs.fields(Models)}
    return LaterModels(**fields, later=later)


async def _there(function: Callable[..., T], *args: Any) -> T:
    """Call the queue in a thread: it may wait."""
    return await to_thread.run_sync(lambda: function(*args))


def _item(opened: OpenCall, function: FunctionSignature, instance: ProviderInstance, most: int) -> QueueItem:
    record = opened.record
    call = name_of(record.entry, record.record, record.path)
    payload = {
        "v": _VERSION,
        "run": opened.scope.run,
        "call": call,
        "symbol": record.symbol,
        "target": show_target(instance.target),
        "args": opened.digest_sent(),
    }
    order = _order(opened, function, instance) if instance.spec.workers else None
    whole = canonical_json(payload | ({"order": attrs.asdict(order)} if order is not None else {})).encode()
    return QueueItem(
        id=f"{opened.scope.run}/{call}",
        topic=TOPIC,
        payload=whole if len(whole) <= MOST_PAYLOAD else canonical_json(payload).encode(),
        tenant=opened.scope.tenant,
        most_tries=max(most - len(record.attempts), 1),
    )


@attrs.frozen(slots=True, kw_only=True)
class Order:
    """What a worker needs to make a request: the function as a small typed program that names the target."""

    source: str
    entry: str
    args: str
    """The arguments' text (`exact`), as they may be sent."""

    @classmethod
    def of_payload(cls, payload: bytes) -> Order | None:
        """Return the order in an item; None where its own process alone may ask."""
        found = _read(payload).get("order")
        if not isinstance(found, dict) or not all(
            isinstance(found.get(key), str) for key in ("source", "entry", "args")
        ):
            return None
        return cls(source=found["source"], entry=found["entry"], args=found["args"])


def _order(opened: OpenCall, function: FunctionSignature, instance: ProviderInstance) -> Order | None:
    """Return what a worker needs; None for arguments that carry marks or have no text: they stay in this process."""
    from rtfs_framework.orchestrator.performing.travel import typed_program

    args = exact.to_text(tuple(opened.sends.args))
    if args is None or opened.labels or converses(function) or not function.name:
        return None
    program = typed_program(function, len(opened.sends.args), opened.lookup)
    head = program.source[: program.source.index(f"(defn {program.entry}")]
    metadata = f"^{write(function.metadata)} " if len(function.metadata) else ""
    at = head.rindex(f"(defn {metadata}{program.name}") + len(f"(defn {metadata}{program.name}")
    kind = "remote" if isinstance(instance.target, RemoteModel) else "local-model"
    hint = f" ^:delegation :{kind} {write(instance.spec.id)}"
    return Order(source=program.source[:at] + hint + program.source[at:], entry=program.entry, args=args)


def _result(own: _Own, answer: Answer, reply: InferenceReply | None = None) -> bytes:
    """Return what is kept of an answer: nothing that the journal may not keep."""
    opened, value = own.opened, answer.value if isinstance(answer, Reply) else None
    floating, labelled = opened.scope.floating, opened.record.labelled
    marks = own.instance.spec.marks | (frozenset() if labelled is None else labelled.label)
    kept = isinstance(answer, Reply) and (floating is None or floating.keeps(marks))
    spent = opened.spent or Spent()
    found = {
        "v": _VERSION,
        "value": exact.to_text(value) if kept else None,
        "model": "" if reply is None else reply.model,
        "cost": spent.cost,
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
    }
    return canonical_json(found).encode()


def _read(data: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(data or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _failed(own: _Own, kind: FailureKind, reason: str) -> Failed:
    error = ProgramError("NetworkError", f"{own.instance.spec.id}: {reason}")
    return Failed(as_program_error(error, own.instance.spec.id), kind, reason)
