"""Calls of one fan-out to one model, put to it as one request: numbered items in, a list of results out.

In: requests of branches of one `map` (`pmap`, ...) for one function, of a model whose table says `batch`. Out: for each
its own reply, with its share of what the request took. Nothing else of a call is shared: each has its own record,
permit of the gate (so budgets hold the whole), check of its reply's type, and place in memory.

A model that refuses the batch, or answers what is no list of as many results, is asked item by item; what that took is
counted, too. Where a request may have been carried out, or the server takes none, each call fails by itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.errors import BadReply, ProviderError
from rtfs_framework.api.provider import InferenceReply, InferenceRequest, Message, Usage
from rtfs_framework.orchestrator.performing.cost import usage_of

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.gate import Permit
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall

WINDOW = 0.02
"""Seconds without another call after which those that are there leave together."""
_MOST_WINDOWS = 10
_CANNOT = frozenset({FailureKind.HERE, FailureKind.REPLY})
"""Failures that say that the model cannot do it as one: asked one by one, it may."""
_MANY = (
    "Below are {count} calls of one function, numbered. Carry out each by itself. Answer with one JSON object of the "
    'form {{"values": [...]}}: {count} results, in the order of the numbers. Of each call holds:\n\n'
)

Asking = Callable[[InferenceRequest], Awaitable[InferenceReply]]
"""Sends one request, and returns its reply."""


@attrs.define(slots=True, eq=False)
class _Item:
    """One call in a batch."""

    request: InferenceRequest
    ready: Callable[[float], Awaitable[None]]
    """Called right before anything is sent for it; may refuse."""
    order: tuple[int, int, tuple[int, ...], int]
    """Of the call by its id: whatever the timing, equal calls make an equal request."""
    reply: asyncio.Future[InferenceReply] = attrs.field(init=False)

    @reply.default
    def _to_come(self) -> asyncio.Future[InferenceReply]:
        return asyncio.get_running_loop().create_future()


@attrs.define(slots=True, eq=False)
class Batches:
    """The batches of one model; all in the loop where providers are awaited."""

    _open: dict[Hashable, list[_Item]] = attrs.field(factory=dict, init=False)
    _tasks: set[asyncio.Task[None]] = attrs.field(factory=set, init=False)

    async def infer(self, key: Hashable, most: int, item: _Item, ask: Asking) -> InferenceReply:
        """Return the reply to one request, which may travel with others of its key."""
        items = self._open.get(key)
        if items is None:
            items = self._open[key] = []
            self._start(self._after_a_while(key, items, ask))
        items.append(item)
        if len(items) >= most:
            del self._open[key]
            self._start(_send(items, ask))
        return await item.reply

    async def _after_a_while(self, key: Hashable, items: list[_Item], ask: Asking) -> None:
        for _ in range(_MOST_WINDOWS):
            count = len(items)
            await asyncio.sleep(WINDOW)
            if len(items) == count:
                break
        if self._open.get(key) is items:
            del self._open[key]
            await _send(items, ask)

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def batches_of(instance: ProviderInstance) -> Batches:
    """Return the batches of a model, made once."""
    made: Batches | None = instance.batches
    if made is None:
        made = instance.batches = Batches()
    return made


def key_of(opened: OpenCall, instance: ProviderInstance, request: InferenceRequest) -> Hashable | None:
    """Return what calls have in common that may travel together; None for one that travels alone."""
    call, scope, function = opened.call, opened.scope, request.function
    roles = [message.role for message in request.messages]
    if not call.branch or roles != ["system", "user"]:
        return None
    fan_out = scope.run, scope.entry, scope.record, call.branch[:-1]
    labelled = opened.record.labelled  # a reply may hold what stands beside its call: only equal marks travel together
    marks = None if labelled is None else (labelled.label, labelled.freed)
    asked = instance.target, function.name, function.body_digest, request.temperature, request.hints
    return asyncio.get_running_loop(), *asked, marks, *fan_out


def together(
    opened: OpenCall,
    instance: ProviderInstance,
    request: InferenceRequest,
    permit: Permit | None,
    begin: Callable[[], None],
    infer: Callable[[ProviderInstance, InferenceRequest, Permit | None, Callable[[], None]], Awaitable[InferenceReply]],
) -> Coroutine[Any, Any, InferenceReply] | None:
    """Return the asking of one call with others of its fan-out, None for one that travels alone.

    Each begins by itself, right before the one request leaves.
    """
    key = key_of(opened, instance, request)
    if key is None:
        return None
    opened.noted("batch", "sent with others of its fan-out, where there were any")

    async def ready(seconds: float) -> None:
        if permit is not None:
            await permit.begin_there(seconds)
        begin()

    async def ask(joined: InferenceRequest) -> InferenceReply:
        return await infer(instance, joined, None, lambda: None)

    item = _Item(request, ready, opened.record.order)
    return batches_of(instance).infer(key, instance.spec.batch, item, ask)


async def _send(items: Sequence[_Item], ask: Asking) -> None:
    """Send what is together, and give each its reply or failure."""
    try:
        in_order = sorted(items, key=lambda item: item.order)
        allowed = [item for item in in_order if not item.reply.done() and await _may(item)]
        if len(allowed) > 1:
            await _together(allowed, ask)
        else:
            await asyncio.gather(*(_alone(item, ask) for item in allowed))
    except BaseException as error:  # whoever waits must not wait for ever
        for item in items:
            _fail(item, error)
        if not isinstance(error, Exception):
            raise


async def _may(item: _Item) -> bool:
    try:
        await item.ready(item.request.timeout)
    except Exception as error:  # noqa: BLE001 - a check refuses one call, and not the others
        _fail(item, error)
        return False
    return True


async def _together(items: Sequence[_Item], ask: Asking) -> None:
    reply, results = InferenceReply(), None
    try:
        reply = await ask(joined_request([item.request for item in items]))
        took, results = reply.usage, results_of(reply, len(items), texts=items[0].request.schema is None)
    except ProviderError as error:
        if not isinstance(error, BadReply) and error.failure not in _CANNOT:
            for item, share in zip(items, shares(error.usage or Usage(), len(items)), strict=True):
                _fail(item, _of_one(error, share if error.usage is not None else None))
            return
        took = error.usage or Usage()
    parts = shares(took, len(items))
    if results is None:
        await asyncio.gather(*(_alone(item, ask, share) for item, share in zip(items, parts, strict=True)))
        return
    for item, result, share in zip(items, results, parts, strict=True):
        made = attrs.evolve(reply, text=None, data=None, structured=False, usage=share, confidence=None)
        plain = item.request.schema is None
        _give(item, attrs.evolve(made, text=result) if plain else attrs.evolve(made, data=result, structured=True))


async def _alone(item: _Item, ask: Asking, before: Usage | None = None) -> None:
    """Ask for one; what a failed batch took before counts, too."""
    try:
        reply = await ask(item.request)
    except Exception as error:  # noqa: BLE001 - it is this call's own failure
        if isinstance(error, ProviderError) and before is not None:
            own = _own(error)
            error.usage = None if own is None else _sum(own, before)
        _fail(item, error)
        return
    _give(item, reply if before is None else attrs.evolve(reply, usage=_sum(reply.usage, before)))


def joined_request(requests: Sequence[InferenceRequest]) -> InferenceRequest:
    """Return one request for several calls of one function."""
    first = requests[0]
    schema = dict(first.schema or {"type": "string"})
    more: dict[str, Any] = {name: schema.pop(name) for name in ("$schema", "$defs") if name in schema}
    whole = {"type": "object", "properties": {"values": {"type": "array", "items": schema}}, "required": ["values"]}
    system = _MANY.format(count=len(requests)) + first.messages[0].content
    calls = "\n\n".join(f"Call {number}:\n{each.messages[1].content}" for number, each in enumerate(requests, 1))
    bounds = [each.max_tokens for each in requests]
    most = None if any(each is None for each in bounds) else sum(each or 0 for each in bounds)
    return attrs.evolve(
        first,
        args=tuple(each.args for each in requests),
        messages=(Message("system", system), Message("user", calls)),
        schema={**more, **whole, "additionalProperties": False},
        timeout=min(each.timeout for each in requests),
        max_tokens=most,
    )


def _own(error: ProviderError) -> Usage | None:
    """Return what a failed request took, None where that is not known."""
    usage = usage_of(error)
    return Usage(0, 0) if usage is None and error.failure is FailureKind.SAFE else usage


def results_of(reply: InferenceReply, count: int, *, texts: bool = False) -> list[Any] | None:
    """Return the results of a batch, None when the reply is none of so many, or one of them is no text as it must."""
    data = reply.data
    if not reply.structured:
        try:
            data = json.loads(reply.text or "")
        except (ValueError, RecursionError):
            return None
    found = data.get("values") if isinstance(data, dict) else data
    if not isinstance(found, list) or len(found) != count:
        return None
    return None if texts and not all(isinstance(each, str) for each in found) else found


def shares(usage: Usage, count: int) -> list[Usage]:
    """Return what each of so many calls took of a request: together exactly the whole."""
    split = [_split(getattr(usage, field.name), count) for field in attrs.fields(Usage)]
    return [Usage(*(each[place] for each in split)) for place in range(count)]


def _split(whole: int | None, count: int) -> list[int | None]:
    if whole is None:
        return [None] * count
    each, rest = divmod(whole, count)
    return [each + (place < rest) for place in range(count)]


def _sum(first: Usage, second: Usage) -> Usage:
    both = [(getattr(first, field.name), getattr(second, field.name)) for field in attrs.fields(Usage)]
    return Usage(*(None if one is None or other is None else one + other for one, other in both))


def _of_one(error: ProviderError, usage: Usage | None) -> ProviderError:
    """Return a failure of all as that of one: what was billed is shared."""
    made = error.__class__.__new__(error.__class__, *error.args)  # `copy` would make it anew, of its text alone
    made.__dict__.update(error.__dict__)
    made.usage = usage
    made.__cause__ = error.__cause__
    return made


def _give(item: _Item, reply: InferenceReply) -> None:
    if not item.reply.done():
        item.reply.set_result(reply)


def _fail(item: _Item, error: BaseException) -> None:
    if item.reply.done():
        return
    if isinstance(error, Exception):
        item.reply.set_exception(error)
    else:
        item.reply.cancel()
