"""What is in the items of calls that answer later: who is asked for what, and what came of it.

In: an open call, or its answer. Out: an item of the durable queue, or the bytes of a result. Nothing that anybody wrote
is in an item before it is answered but what a worker needs where one may do it; of an answer there is what the journal
may keep.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.queue import MOST_PAYLOAD, ItemStatus, QueueError, QueueItem
from rtfs_framework.api.targets import RemoteModel, show_target
from rtfs_framework.lang.printer import write
from rtfs_framework.orchestrator.boundary import exact
from rtfs_framework.orchestrator.boundary.conversing import converses
from rtfs_framework.orchestrator.performing.idempotency import key_base
from rtfs_framework.orchestrator.recording.attempts import Spent
from rtfs_framework.orchestrator.recording.journal.chain import canonical_json
from rtfs_framework.orchestrator.recording.journal.redact import name_of

if TYPE_CHECKING:
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance
    from rtfs_framework.orchestrator.recording.records import CallRecord, OpenRecord
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall

TOPIC = "tickets"
_VERSION = 1
_MOST_ID = 256


def item_of(opened: OpenCall, function: FunctionSignature, instance: ProviderInstance, most: int) -> QueueItem:
    """Return the item of a call that may make so many requests in all.

    Raises:
        QueueError: No queue could keep it.
    """
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
    try:
        order = _order(opened, function, instance) if instance.spec.workers else None
        whole = canonical_json(payload | ({"order": attrs.asdict(order)} if order is not None else {})).encode()
        return QueueItem(
            id=bounded(f"{opened.scope.run}/{call}"),
            topic=TOPIC,
            payload=whole if len(whole) <= MOST_PAYLOAD else canonical_json(payload).encode(),
            tenant=opened.scope.tenant,
            most_tries=_tries(opened, most),
        )
    except ValueError as error:
        raise QueueError(f"its item cannot be placed: {error}") from error


def elsewhere(item: QueueItem, instance: ProviderInstance) -> QueueItem:
    """Return a call's item for another target than its first one.

    Raises:
        QueueError: No queue could keep it.
    """
    try:
        return attrs.evolve(item, id=bounded(f"{item.id}@{show_target(instance.target)}"))
    except ValueError as error:
        raise QueueError(f"its item cannot be placed: {error}") from error


def bounded(id_: str) -> str:
    """Return an id that queues take: of a long one the end is a digest, so that no two become one."""
    if len(id_) <= _MOST_ID:
        return id_
    digest = sha256(id_.encode()).hexdigest()
    return f"{id_[: _MOST_ID - len(digest) - 1]}#{digest}"


def _tries(opened: OpenCall, most: int) -> int:
    """Return how many requests are left to a call; where a hint names who answers a failure, the next one is his."""
    hints = None if opened.hinted is None else opened.hinted.hints
    if hints is not None and hints.fallback is not None:
        return 1
    if hints is not None and hints.retry is not None:
        most = min(most, 1 + hints.retry.most)
    return max(most - len(opened.record.attempts), 1)


@attrs.frozen(slots=True, kw_only=True)
class Order:
    """What a worker needs to make a request: the function as a small typed program that names the target."""

    source: str
    entry: str
    args: str
    """The arguments' text (`exact`), as they may be sent."""
    key: str = ""
    """What the keys of its call's requests rest on: whoever makes them, they are the same ones."""

    @classmethod
    def of_payload(cls, payload: bytes) -> Order | None:
        """Return the order in an item; None where its own process alone may ask."""
        found = read(payload).get("order")
        if not isinstance(found, dict) or not all(
            isinstance(found.get(key), str) for key in ("source", "entry", "args")
        ):
            return None
        key = found.get("key")
        return cls(
            source=found["source"],
            entry=found["entry"],
            args=found["args"],
            key=key if isinstance(key, str) else "",  # none of an item that a version before this one placed
        )


def _order(opened: OpenCall, function: FunctionSignature, instance: ProviderInstance) -> Order | None:
    """Return what a worker needs; None where the process of the call alone may ask.

    That is: the arguments carry marks or have no text, or the answer has marks of which the journal keeps no words.
    """
    from rtfs_framework.orchestrator.performing.travel import typed_program

    args = exact.to_text(tuple(opened.sends.args))
    if (
        args is None
        or opened.labels
        or not _keeps(opened, instance.spec.marks)
        or converses(function)
        or not function.name
    ):
        return None
    program = typed_program(function, len(opened.sends.args), opened.lookup)
    head = program.source[: program.source.index(f"(defn {program.entry}")]
    metadata = f"^{write(function.metadata)} " if len(function.metadata) else ""
    at = head.rindex(f"(defn {metadata}{program.name}") + len(f"(defn {metadata}{program.name}")
    kind = "remote" if isinstance(instance.target, RemoteModel) else "local-model"
    hint = f" ^:delegation :{kind} {write(instance.spec.id)}"
    return Order(
        source=program.source[:at] + hint + program.source[at:], entry=program.entry, args=args, key=key_base(opened)
    )


def told_with(record: CallRecord | OpenRecord) -> Label:
    """Return the marks that other hosts gave to the answer of a call, and to what failed before it."""
    return record.told | (PUBLIC if record.remote is None else record.remote.labels)


def result_of(opened: OpenCall, instance: ProviderInstance, value: object, model: str) -> bytes:
    """Return what is kept of an answer: nothing that the journal may not keep, and no more than a queue takes."""
    labelled, told = opened.record.labelled, told_with(opened.record)
    spent = opened.spent or Spent()
    kept = _keeps(opened, instance.spec.marks | told | (PUBLIC if labelled is None else labelled.label))
    found = {
        "v": _VERSION,
        "target": show_target(instance.target),
        "value": exact.to_text(value) if kept else None,
        "model": model,
        "cost": spent.cost,
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
        "marks": sorted(told),
    }
    whole = canonical_json(found).encode()
    return whole if len(whole) <= MOST_PAYLOAD else canonical_json(found | {"value": None}).encode()


def target_of(item: QueueItem | ItemStatus) -> str:
    """Return who is asked, "" where nobody knows any more: a queue may forget the payload of what is done."""
    result = item.result if isinstance(item, ItemStatus) else None
    return str(read(item.payload).get("target") or read(result).get("target") or "")


def marks_of(found: dict[str, Any]) -> Label:
    """Return the marks that other hosts gave to an answer that is kept."""
    marks = found.get("marks")
    return frozenset(each for each in marks if isinstance(each, str)) if isinstance(marks, list) else PUBLIC


def _keeps(opened: OpenCall, marks: Label) -> bool:
    floating = opened.scope.floating
    return floating is None or floating.keeps(marks)


def read(data: bytes | None) -> dict[str, Any]:
    """Return what is in a payload or a result; nothing of what is not of this kind."""
    try:
        found = json.loads(data or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
