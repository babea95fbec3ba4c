"""Durable queues: work that outlives whoever ordered it, done by whoever takes it, on this machine or on others.

The life of an item: `put` places it, once for each id and key. `lease` hands it to a worker for a while, with a token
(`claim`: one by its id, to whoever waits for just this one); `renew` makes the while longer. `ack` ends it with a
result, `nack` puts it back after a failure, `release` without one. An item whose lease ends goes to the next worker.
Each lease counts as a try unless it was released; an item without tries left is *dead* and waits for a person
(`requeue`).

It is at-least-once with fencing (M. Kleppmann, "How to do distributed locking", 2016): an item may be worked on twice,
for a worker may be slow and not dead, but only the newest lease can end it. Whoever holds an older one is told so.

Workers lease by topic. Among the tenants of a topic turns are shared by weight; within one, higher priorities come
first, and of one priority the oldest. A queue that many workers reach at once keeps these orders roughly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import attrs

from rtfs_framework.api.settings import SettingsSchema

if TYPE_CHECKING:
    from rtfs_framework.api.values import Clock

MOST_PAYLOAD = 768 * 1024
"""Bytes of a payload or a result: what a NATS server takes as one message by default, with room for the rest."""
PRIORITIES = 10
"""Priorities are 0 to 9; 9 comes first. As many as RabbitMQ recommends at most."""

ItemState = Literal["queued", "leased", "done", "dead", "cancelled"]
STATES: tuple[ItemState, ...] = ("queued", "leased", "done", "dead", "cancelled")
ENDED: tuple[ItemState, ...] = ("done", "dead", "cancelled")

_TOPIC = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
_MOST_NAME = 256


class QueueError(Exception):
    """The queue cannot be reached, read or written. What was asked for was not done, or nobody knows."""


class QueueFullError(QueueError):
    """An item was refused, for so much waits already; nothing was placed."""

    def __init__(self, what: Literal["items", "bytes"], bound: int) -> None:
        """Say which bound it is, and how much may wait."""
        super().__init__(f"the queue is full: it holds at most {bound:,} {what}")
        self.what = what
        self.bound = bound


class LeaseLostError(QueueError):
    """A lease counts no longer: it ended and somebody else may have the item, or the item was cancelled."""

    def __init__(self, id_: str, *, cancelled: bool = False) -> None:
        """Say which item it was, and whether it was cancelled."""
        super().__init__(f"item {id_} was cancelled" if cancelled else f"the lease of item {id_} is over")
        self.id = id_
        self.cancelled = cancelled


@attrs.frozen(slots=True, kw_only=True)
class QueueItem:
    """Some work, as it is ordered."""

    id: str
    """Whose it is to choose: the same id is placed once. At most 256 printable characters."""
    topic: str
    """Of which kind: lower-case letters, digits, "-" and "_", at most 64."""
    payload: bytes
    """What the worker needs; at most `MOST_PAYLOAD` bytes, nothing that the queue understands."""
    tenant: str = ""
    """On whose behalf; turns are shared among tenants."""
    priority: int = 0
    """0 to 9; 9 comes first."""
    not_before: float = 0.0
    """When it may be leased at the earliest (seconds since the epoch)."""
    most_tries: int = 5
    """After so many failed tries it is dead."""
    key: str = ""
    """An idempotency key: of all items of a topic and a tenant with the same one, the first is placed. "" has none."""

    def __attrs_post_init__(self) -> None:
        """Refuse what no queue could keep.

        Raises:
            ValueError: A field is none of the above.
        """
        for name, text, may_be_empty in (
            ("id", self.id, False), ("tenant", self.tenant, True), ("key", self.key, True)
        ):  # fmt: skip
            if len(text) > _MOST_NAME or not text.isprintable() or not (text or may_be_empty):
                raise ValueError(f"the {name} of an item is at most {_MOST_NAME} printable characters: {text!r:.80}")
        checked_topic(self.topic)
        if not 0 <= self.priority < PRIORITIES:
            raise ValueError(f"a priority is 0 to {PRIORITIES - 1}, not {self.priority}")
        if self.most_tries < 1:
            raise ValueError(f"an item has at least one try, not {self.most_tries}")
        checked_bytes("payload", self.payload)


def checked_topic(topic: str) -> str:
    """Return a topic.

    Raises:
        ValueError: It is none.
    """
    if not _TOPIC.fullmatch(topic):
        raise ValueError(f"a topic is lower-case letters, digits, '-' and '_', at most 64: {topic!r:.80}")
    return topic


def checked_bytes(what: str, data: bytes) -> bytes:
    """Return a payload or a result.

    Raises:
        ValueError: It is larger than `MOST_PAYLOAD`.
    """
    if len(data) > MOST_PAYLOAD:
        raise ValueError(f"a {what} has at most {MOST_PAYLOAD:,} bytes, not {len(data):,}")
    return data


@attrs.frozen(slots=True)
class Placed:
    """What `put` did."""

    id: str
    """Of the item that is there: of an earlier one, if it had the same key."""
    new: bool


@attrs.frozen(slots=True, kw_only=True)
class Lease:
    """An item in the hands of a worker."""

    item: QueueItem
    token: str
    """Proves the lease; each lease of an item has another one."""
    attempt: int
    """How many leases of the item there were, this one included; it never goes back."""
    tries: int
    """How many of them count, this one included: none that was released."""
    until: float
    """When it ends unless it is renewed (seconds since the epoch, by the queue's clock)."""
    generation: int = 0
    """How often the item was ordered anew: `requeue` alone moves it, so all leases of one order have the same."""


@attrs.frozen(slots=True, kw_only=True)
class ItemStatus:
    """What can be seen of an item."""

    id: str
    topic: str
    tenant: str
    priority: int
    state: ItemState
    key: str
    size: int
    """Bytes of its payload."""
    made: float
    """When it was placed; all times are seconds since the epoch."""
    not_before: float
    attempt: int
    """How many leases of it there were."""
    tries: int
    most_tries: int
    generation: int = 0
    """How often it was ordered anew."""
    worker: str = ""
    """Who has it, or had it last."""
    until: float = 0.0
    """When its lease ends; 0 where there is none."""
    ended: float = 0.0
    """When it was done, dead or cancelled; 0 before."""
    reason: str = ""
    """Why it was put back last, or is dead."""
    payload: bytes | None = None
    """Lists leave it out, and a queue may forget it once the item is done."""
    result: bytes | None = None
    """Lists leave it out; None too where there is none."""


@attrs.frozen(slots=True, kw_only=True)
class ItemFilter:
    """Which items to list; what is not said leaves out nothing."""

    topic: str | None = None
    states: Collection[ItemState] = ()
    tenant: str | None = None
    prefix: str = ""
    """How their ids begin."""
    since: float | None = None
    """Those that were placed at this time or later."""
    before: float | None = None
    """Those that were placed earlier."""
    most: int = 1_000

    def fits(self, status: ItemStatus) -> bool:
        """Tell whether an item is meant."""
        return (
            (self.topic is None or status.topic == self.topic)
            and (not self.states or status.state in self.states)
            and (self.tenant is None or status.tenant == self.tenant)
            and status.id.startswith(self.prefix)
            and (self.since is None or status.made >= self.since)
            and (self.before is None or status.made < self.before)
        )


@attrs.frozen(slots=True, kw_only=True)
class ItemCount:
    """How many items of a tenant are in a state."""

    topic: str
    tenant: str
    state: ItemState
    items: int
    bytes: int
    """Of their payloads."""


class Queue(Protocol):
    """Keeps items. Methods may wait, may be called by any thread, and raise `QueueError` when the queue is broken.

    What was acknowledged, by a `put`, `ack` or `nack` that returned, survives the end of every process.
    """

    def put(self, item: QueueItem) -> Placed:
        """Place an item unless its id, or its key, is there already, in whatever state.

        Raises:
            QueueFullError: So much waits already that it was refused.
        """
        ...

    def lease(
        self, topic: str, worker: str, seconds: float, *, most: int = 1, tenants: Collection[str] | None = None
    ) -> list[Lease]:
        """Hand out up to `most` items for `seconds`, those of `tenants` alone if these are named. It does not wait."""
        ...

    def claim(self, id_: str, worker: str, seconds: float) -> Lease | None:
        """Hand out one item for `seconds`, whoever's turn it is; it does not wait, and counts as nobody's turn.

        None where it may not be leased now: it is in other hands, its time has not come, it has ended, or is not there.
        """
        ...

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """Let a lease end `seconds` from now.

        Raises:
            LeaseLostError: It is over, or the item was cancelled: whoever has it should stop.
        """
        ...

    def ack(self, lease: Lease, result: bytes = b"") -> None:
        """End an item as done. Said twice by the same lease it counts once.

        Raises:
            LeaseLostError: The item is somebody else's, or was cancelled; the result is not kept.
            ValueError: The result has more than `MOST_PAYLOAD` bytes.
        """
        ...

    def nack(self, lease: Lease, reason: str = "", *, delay: float = 0.0, final: bool = False) -> ItemState:
        """Put an item back after a failure, for `delay` seconds at least; return "dead" if it has no tries left.

        One that failed for good (`final`) is dead at once.

        Raises:
            LeaseLostError: The item is somebody else's, or was cancelled.
        """
        ...

    def release(self, lease: Lease, reason: str = "", *, delay: float = 0.0) -> None:
        """Put an item back without counting the try: it was not the item's fault that nothing came of it.

        Raises:
            LeaseLostError: The item is somebody else's, or was cancelled.
        """
        ...

    def cancel(self, id_: str) -> ItemState | None:
        """See that an item is not worked on any more; return its state now, None where there is no such item.

        Whoever has it is told by the next `renew`, `ack` or `nack`. What has ended stays as it is.
        """
        ...

    def requeue(self, id_: str) -> ItemState | None:
        """Let an item that is dead or cancelled begin anew, as its next generation.

        Return its state now, None where there is no such item.
        """
        ...

    def get(self, id_: str) -> ItemStatus | None:
        """Return all that is known of an item, with payload and result."""
        ...

    def items(self, which: ItemFilter) -> Sequence[ItemStatus]:
        """Return items, the oldest first."""
        ...

    def counts(self, topic: str | None = None) -> Sequence[ItemCount]:
        """Return how many items there are, by topic, tenant and state."""
        ...

    def wait(self, topics: Collection[str], seconds: float) -> bool:
        """Wait until something may be leased, at most for `seconds`; tell whether it probably may."""
        ...

    def purge(self, before: float, topic: str | None = None) -> int:
        """Forget items that ended before a time; return how many. Their ids and keys are free then."""
        ...

    def close(self) -> None:
        """Release connections and files. Leases stay."""
        ...


@attrs.frozen(slots=True, kw_only=True)
class QueueSettings:
    """What a queue is made from."""

    clock: Clock
    own: Any = None
    """The plug-in's own settings."""
    environ: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    """Of the environment, the variables that settings named `*_env` name. Never logged."""
    directory: str | None = None
    """Where a queue on this machine keeps files, unless its settings name a place."""
    base: str | None = None
    """Where relative paths in `own` start; None stands for the current folder."""
    most_items: int = 1_000_000
    """How many items may wait or be leased."""
    most_bytes: int = 1 << 30
    """How large all their payloads may be together."""
    weights: Mapping[str, float] = attrs.field(factory=dict)
    """Of tenants' turns, above 0; who is not named has 1."""

    def place(self, path: str | None, name: str) -> Path:
        """Return where a queue on this machine lies: at `path`, else under `name` in `directory`.

        Raises:
            QueueError: Neither is given.
        """
        if path is not None:
            return Path(self.base or ".", Path(path).expanduser()).absolute()
        if self.directory is None:
            raise QueueError("the queue has no place: add `path`")
        return Path(self.directory, name).absolute()


@attrs.frozen(slots=True, kw_only=True)
class QueueEntry:
    """A queue that a plug-in offers under a name: `[queue] store` chooses one."""

    name: str
    summary: str
    factory: Callable[[QueueSettings], Queue]
    """Opens nothing yet: what cannot be reached is a `QueueError` when it is first used."""
    settings: SettingsSchema | None = None
    remote: bool = True
    """Whether what is put there leaves this machine."""
