"""What is kept of an item in the bucket: one line of JSON, then its result, or its payload once it waits no more.

One value, so that state and result change together. While an item waits its payload is in the work queue's message.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import attrs

from rtfs_framework.api import ItemCount, ItemState, ItemStatus, QueueError, QueueItem

HEADER = "Rtfs-Item"
"""Of a message: the item without its payload, as JSON."""


@attrs.frozen(slots=True, kw_only=True)
class Record:
    """An item, and what became of it."""

    id: str
    topic: str
    tenant: str
    priority: int
    key: str
    size: int
    made: float
    due: float
    most_tries: int
    nonce: str
    """Of the message that delivers it: another one's is not its own (a second `put`, or from before a `requeue`)."""
    seq: int = 0
    """Of that message in the stream; 0 while it is not known."""
    state: ItemState = "queued"
    attempt: int = 0
    tries: int = 0
    generation: int = 0
    worker: str = ""
    token: str = ""
    by_id: bool = False
    """Whether its lease was made without that message."""
    until: float = 0.0
    ended: float = 0.0
    reason: str = ""
    data: bytes = attrs.field(default=b"", repr=False)
    """Its result when it is done; its payload when it is dead or cancelled, and since it was requeued."""

    def written(self) -> bytes:
        """Return the value of the bucket."""
        facts = attrs.asdict(self, filter=lambda field, _: field.name != "data")
        return json.dumps(facts).encode() + b"\n" + self.data

    def now(self, clock: float) -> Record:
        """Return it as it is at a time: what its lease's end has made of it."""
        if self.state != "leased" or self.until > clock:
            return self
        if self.tries >= self.most_tries:
            return attrs.evolve(self, state="dead", ended=clock, until=0.0, reason="its last lease ended")
        return attrs.evolve(self, state="queued", until=0.0, reason="its lease ended")

    def status(self, payload: bytes | None = None, *, large: bool) -> ItemStatus:
        """Return what people see."""
        result = self.data if self.state == "done" and large else None
        return ItemStatus(
            id=self.id, topic=self.topic, tenant=self.tenant, priority=self.priority, state=self.state, key=self.key,
            size=self.size, made=self.made, not_before=self.due, attempt=self.attempt, tries=self.tries,
            most_tries=self.most_tries, generation=self.generation, worker=self.worker, until=self.until,
            ended=self.ended, reason=self.reason, payload=payload, result=result,
        )  # fmt: skip

    def item(self, payload: bytes) -> QueueItem:
        """Return what was put."""
        return QueueItem(
            id=self.id, topic=self.topic, payload=payload, tenant=self.tenant, priority=self.priority,
            not_before=self.due, most_tries=self.most_tries, key=self.key,
        )  # fmt: skip


def read(value: bytes | None) -> Record:
    """Return the record of a value.

    Raises:
        QueueError: It is none.
    """
    line, _, data = (value or b"").partition(b"\n")
    try:
        return Record(**json.loads(line), data=data)
    except (ValueError, TypeError) as error:
        raise QueueError(f"the bucket holds what is no item: {line[:80]!r}") from error


def again(record: Record, due: float, reason: str = "") -> Record:
    """Return the record of an item that is put back until a time."""
    return attrs.evolve(record, state="queued", until=0.0, due=due, reason=reason)


def of_item(item: QueueItem, now: float, nonce: str) -> Record:
    """Return the record of an item that is put now."""
    return Record(
        id=item.id, topic=item.topic, tenant=item.tenant, priority=item.priority, key=item.key, size=len(item.payload),
        made=now, due=item.not_before, most_tries=item.most_tries, nonce=nonce,
    )  # fmt: skip


def counts_of(all_: Iterable[Record], topic: str | None) -> list[ItemCount]:
    """Return how many items there are, of one topic or of all."""
    counted: dict[tuple[str, str, ItemState], tuple[int, int]] = {}
    for each in all_:
        if topic in (None, each.topic):
            key = each.topic, each.tenant, each.state
            items, size = counted.get(key, (0, 0))
            counted[key] = items + 1, size + each.size
    return [
        ItemCount(topic=key[0], tenant=key[1], state=key[2], items=items, bytes=size)
        for key, (items, size) in sorted(counted.items())
    ]


def header(record: Record) -> dict[str, str]:
    """Return the headers of an item's message."""
    return {HEADER: attrs.evolve(record, data=b"").written().decode().strip()}


def of_message(headers: Any) -> Record | None:
    """Return the record that a message's headers hold, None where they hold none."""
    try:
        return read(headers[HEADER].encode())
    except (KeyError, TypeError, AttributeError, QueueError):
        return None


def token(text: str) -> str:
    """Return a text as one part of a subject; different texts differ."""
    return "-" + urlsafe_b64encode(text.encode()).decode().rstrip("=")


def text(token_: str) -> str:
    """Return the text of a token."""
    return urlsafe_b64decode(token_[1:] + "=" * (-(len(token_) - 1) % 4)).decode()


def item_key(id_: str) -> str:
    """Return where an item is in the bucket."""
    return f"item.{token(id_)}"


def once_key(topic: str, tenant: str, key: str) -> str:
    """Return where a tenant's idempotency key is in the bucket."""
    whose = sha256(f"{tenant}\n{key}".encode())  # neither has a line's end
    return f"once.{topic}.{whose.hexdigest()}"


def subject(prefix: str, record: Record) -> str:
    """Return where an item's message goes."""
    return f"{prefix}.work.{record.topic}.{token(record.tenant)}.{record.priority}"


def consumer(of_subject: str) -> str:
    """Return the name of the consumer of a subject."""
    return f"rtfs-{sha256(of_subject.encode()).hexdigest()[:32]}"
