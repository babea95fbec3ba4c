"""The set `streams`: what the published ids do. A handle is a plain map; the file knows the rest by its `:stream`.

Each call is a step of its own with a key, so a run that is gone on with finds the replies that it was given in its
journal, and a call of which nobody knows how it ended is made again without losing or doubling an item.
"""

from __future__ import annotations

import hashlib
import secrets
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from inspect import iscoroutinefunction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rtfs_capability_streams.files import open_beneath
from rtfs_capability_streams.handles import handle_of, map_in, only_in, shown, with_args
from rtfs_capability_streams.pipes import Pipes
from rtfs_capability_streams.plugin import FILE, StreamSettings
from rtfs_capability_streams.rows import Batch, Stream, as_text
from rtfs_capability_streams.said import (
    count_in,
    name_in,
    names_in,
    number_in,
    progress_of,
    sink_in,
    stream_in,
    type_in,
)
from rtfs_capability_streams.sources import MOST_SOURCE, kept, source_of, wrong
from rtfs_capability_streams.store import Store
from rtfs_framework.api import (
    CapabilityEntry,
    CapabilityError,
    CapabilityRequest,
    CapabilitySetSettings,
    Described,
    Keyword,
    Map,
    not_granted,
    read_value,
)

if TYPE_CHECKING:  # no start pays for it
    from rtfs_capability_streams.waiting import Patience

_SPARE = 1.0
"""Seconds before its call's deadline at which a wait ends."""
_BATCH, _MOST_BATCH = 256, 4096
_MOST_WAIT = 3600.0
Result = TypeVar("Result")


def _k(name: str) -> Keyword:
    return Keyword(name)


class Streams:
    """Capabilities of streams over one file."""

    def __init__(
        self,
        store: Store,
        settings: StreamSettings,
        base: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self._store, self._settings, self._base = store, settings, base
        self._clock, self._sleep = clock, sleep
        self._patience: Patience | None = None

    @classmethod
    def of(cls, settings: CapabilitySetSettings) -> Streams:
        """Return the set of a host; nothing is opened yet."""
        own: StreamSettings = settings.own or StreamSettings()
        pipes = Pipes(lambda path: open_beneath(path, own.roots, settings.base, pipe=True))
        return cls(Store(place(own, settings.base, settings.directory), own.capacity, pipes), own, settings.base)

    def close(self) -> None:
        """Let go of the file."""
        if self._patience is not None:
            self._patience.close()
        self._store.close()

    @property
    def _waits(self) -> Patience:
        """What waits for its calls; made by the first, in the thread where all of them are awaited."""
        if self._patience is None:
            import asyncio

            from rtfs_capability_streams.waiting import Patience

            self._patience = Patience(self._clock, self._sleep or asyncio.sleep, self._store.version)
        return self._patience

    def entries(self) -> Iterable[CapabilityEntry]:
        """Return what programs may call."""
        reads: tuple[str, ...] = ("state", "file", "ipc", *(("model",) if self._settings.models else ()))
        keeps = ("state",)
        market, mcp = "marketplace.stream", "mcp.stream"
        return [
            self._entry(f"{mcp}.start", "Start a stream by the name of its source.", self._start_named, keeps),
            self._entry(f"{market}.start", "Start a stream of a source; its handle.", self._start, keeps,
                        "stream.start"),
            self._entry(f"{mcp}.attach", "The handle of a stream that was started.", self._attach, keeps),
            self._entry(f"{market}.next", "The next item, or nil at the end.", self._next, reads, "stream.next"),
            self._entry(f"{mcp}.next", "Items with their position, state and epoch.", self._batch, reads),
            self._entry(f"{mcp}.commit", "Keep position and state, and say how it stands.", self._commit, reads),
            self._entry(f"{mcp}.inspect", "How a stream stands.", self._inspect, keeps, "stream.inspect"),
            self._entry(f"{mcp}.pause", "Give no more items until it is resumed.", self._turn("paused"), keeps,
                        "stream.pause"),
            self._entry(f"{mcp}.resume", "Give items again.", self._turn("open"), keeps, "stream.resume"),
            self._entry(f"{mcp}.cancel", "End a stream.", self._turn("cancelled"), keeps, "stream.cancel"),
            self._entry("stream.forget", "Remove a stream, its position and state.", self._forget, keeps),
            self._entry(f"{market}.register-callbacks", "Named callbacks are to be called for a stream: its handle.",
                        self._callbacks, keeps, "stream.register-callbacks"),
            self._entry(f"{market}.open-sink", "Open a bounded queue to put items into.", self._sink, ("ipc",),
                        "stream.open-sink"),
            self._entry(f"{market}.send", "Put an item into a queue; wait while it is full.", self._send, ("ipc",),
                        "stream.send"),
            self._entry("stream.close", "Let nothing more be put into a queue.", self._close, ("ipc",)),
        ]  # fmt: skip

    def _entry(
        self,
        id_: str,
        summary: str,
        handler: Callable[[CapabilityRequest], Any],
        effects: tuple[str, ...],
        *aliases: str,
    ) -> CapabilityEntry:
        """Return a capability whose errors carry the marks of the stream or queue that they speak of."""
        waits = iscoroutinefunction(handler)

        async def waited(request: CapabilityRequest) -> Any:
            try:
                return await handler(request)
            except CapabilityError as error:
                failed = error
            raise await self._waits.look(lambda: self._marked(failed, request)) from failed

        def done(request: CapabilityRequest) -> Any:
            try:
                return handler(request)
            except CapabilityError as error:
                raise self._marked(error, request) from error

        return CapabilityEntry(
            id=id_, summary=summary, handler=waited if waits else done, effects=effects, idempotent=True,
            blocking=not waits, aliases=aliases, speaks="model" in effects,
            ahead=self._store if id_ == "marketplace.stream.next" else None,
        )  # fmt: skip

    def _marked(self, error: CapabilityError, request: CapabilityRequest) -> CapabilityError:
        marks = error.marks
        try:
            for name in names_in(request.args):
                marks |= self._store.marks(request.tenant, name)
        except CapabilityError:  # the file cannot be read, and that is the error
            return error
        return CapabilityError(str(error), error.kind, failure=error.failure, marks=marks) if marks else error

    def _start_named(self, request: CapabilityRequest) -> Any:
        said = map_in(request, 0)
        endpoint, processor = said.get(_k("endpoint")), said.get(_k("processor"))
        if not isinstance(endpoint, str) or not isinstance(processor, str):
            raise wrong('write (mcp-stream "endpoint" processor {...}), of two names and a state')
        named = {_k("name"): f"{endpoint}/{processor}", _k("state"): said.get(_k("initial-state"))}
        return self._made(request, endpoint, Map.of([*said.items(), *named.items()]), processor)

    def _start(self, request: CapabilityRequest) -> Any:
        if not 1 <= len(request.args) <= 2:
            raise wrong("write (stream-source source {...}): one source, and options")
        return self._made(request, request.args[0], map_in(request, 1) if request.args[1:] else Map.of(()))

    def _made(self, request: CapabilityRequest, said: Any, options: Map, processor: str = "") -> Any:
        given = said if isinstance(said, Map) else Map.of(())
        incoming, sink = given.get(_k("in")), options.get(_k("sink"), given.get(_k("out")))
        source = source_of(said if incoming is None else incoming, self._settings.endpoints)
        if len(as_text(source)) > MOST_SOURCE:
            raise wrong(f"a source has at most {MOST_SOURCE:,} characters: put more into a file or a queue")
        self._may_ask(source)
        endpoint = self._settings.endpoints.get(said) if isinstance(said, str) else None
        asks = source[0] == "model"
        usual = ":string" if asks else ":any" if endpoint is None else endpoint.of
        name = options.get(_k("name"))
        stream = Stream(
            named=name is not None,
            tenant=request.tenant,
            id=name_in(name) if name is not None else _id_of(request),
            source=source,
            type=type_in(options, "of", usual),
            sink="" if sink is None else sink_in(sink),
            takes=type_in(options, "takes", ":any"),
            processor=processor,
            batch=count_in(options, "batch", _BATCH, 1, _MOST_BATCH),
            wait=number_in(options, "wait", _MOST_WAIT if asks else 0, 0, _MOST_WAIT),
            state=kept(options.get(_k("state"))),
            position=None,
            seq=0,
            status="open",
            marks=request.marks,
        )
        capacity = count_in(options, "capacity", 0, 0, 1_000_000)
        return _marked(*handle_of(self._store.start(stream, capacity or None)))

    def _attach(self, request: CapabilityRequest) -> Any:
        said = only_in(request)
        if isinstance(said, str):
            try:
                return _marked(*handle_of(self._store.get(request.tenant, said)))
            except CapabilityError:
                return self._made(request, said, Map.of([(_k("name"), said)]))
        return _marked(*handle_of(self._store.get(request.tenant, stream_in(said))))

    def _callbacks(self, request: CapabilityRequest) -> Any:
        if len(request.args) != 2 or not isinstance(request.args[1], Sequence):
            raise wrong("functions stay in their program: write (stream-consume stream {:on-item f})")
        names = {each.name for each in request.args[1] if isinstance(each, Keyword)}
        if not names & {"on-item", "handler"} or names - {"on-item", "handler", "on-error", "on-end"}:
            raise wrong("callbacks are :on-item, and :on-error and :on-end where they are wanted")
        return self._attach(with_args(request, request.args[:1]))

    def _may_ask(self, source: list[Any]) -> None:
        if source[0] == "model" and source[1] not in self._settings.models:
            raise not_granted(
                f"to stream what the model {source[1]!r} says", "name it in `[capabilities.streams] models = [...]`"
            )

    async def _ready(self, request: CapabilityRequest, id_: str) -> None:
        """Note who reads a stream, and ask its model where nobody has."""
        stream = await self._waits.look(lambda: self._store.reads(request.tenant, id_))
        if self._store.must_ask(stream):
            self._ask(request, stream)

    def _ask(self, request: CapabilityRequest, stream: Stream) -> None:
        self._may_ask(stream.source)
        if request.speak is None or (stream.marks and not request.carries_marks):
            raise not_granted("to ask a model here", "configure a model, and [labels] where its words have marks")
        _, model, words = stream.source
        self._store.replies.begin((request.tenant, stream.id), request.speak(model, words, stream.marks))

    async def _there(
        self, request: CapabilityRequest, id_: str, give: Callable[[], Batch], first: Batch | None = None
    ) -> Batch:
        """Return a batch that has items, or the last look when the stream's time to wait is over."""
        last = self._clock() + _left(request)

        def undo() -> None:
            self._store.unpull(request.tenant, id_, request.key)

        def looked() -> Batch | Stream:
            stream = self._store.reads(request.tenant, id_)
            return stream if self._store.must_ask(stream) else give()

        if first is None:
            found = await self._waits.look(looked, undo)
            if isinstance(found, Batch):
                first = found
            elif self._store.must_ask(found):  # no other call has meanwhile
                self._ask(request, found)
        return await self._waits.until_there(give, undo, last, first)

    async def _next(self, request: CapabilityRequest) -> Any:
        if not 1 <= len(request.args) <= 2:
            raise wrong("write (stream-next stream)")
        options = map_in(request, 1) if request.args[1:] else Map.of(())
        most, id_ = count_in(options, "max", 1, 1, _MOST_BATCH), self._id(request)
        ahead = options.get(_k("ahead")) is True
        after = count_in(options, "after", 0, 0, sys.maxsize) if ahead and _k("after") in options else None
        batch = await self._there(
            request,
            id_,
            lambda: self._store.pull(
                request.tenant, id_, request.key, most, self._open, request.marks, ahead=ahead, after=after
            ),
        )
        seq = batch.seq
        if _k("max") in options:
            said = [(_k("items"), batch.items), (_k("seq"), seq), (_k("done"), batch.done)]
            if batch.batch:
                said.append((_k("batch"), batch.batch))
            return _marked(Map.of(said), batch.stream.marks)
        if batch.items:
            return _marked(Map.of([(_k("value"), batch.items[0]), (_k("seq"), seq)]), batch.stream.marks)
        return _marked(None if batch.done else Map.of([(_k("waiting"), True)]), batch.stream.marks)

    async def _batch(self, request: CapabilityRequest) -> Any:
        if len(request.args) == 1:
            return await self._next(request)
        tenant, id_, said = request.tenant, self._id(request), map_in(request, 1)
        begins = _k("seq") not in said
        if begins:
            batch = await self._there(
                request, id_, lambda: self._store.begin(tenant, id_, request.key, self._open, request.marks)
            )
        else:
            made = progress_of(said)

            def go_on() -> Batch:
                return self._store.go_on(tenant, id_, request.key, made, self._open, request.marks)

            await self._ready(request, id_)
            batch = await self._there(request, id_, go_on, await self._with_room(request, go_on))
        stream = batch.stream
        entries = [(_k("items"), batch.items), (_k("seq"), stream.seq), (_k("epoch"), stream.epoch)]
        entries += [(_k("done"), batch.done), *([(_k("state"), read_value(stream.state))] if begins else [])]
        return _marked(Map.of(entries), stream.marks)

    async def _commit(self, request: CapabilityRequest) -> Any:
        id_, said = self._id(request), progress_of(map_in(request, 1))
        stream = await self._with_room(
            request,
            lambda: self._store.end(request.tenant, id_, request.key, said, self._open, request.marks),
        )
        waits = stream.status == "open" and said.action == "continue"
        status = "waiting" if waits else stream.status
        entries = [(_k("stream"), id_), (_k("status"), _k(status)), (_k("seq"), stream.seq)]
        return _marked(Map.of([*entries, (_k("state"), read_value(stream.state))]), stream.marks)

    def _inspect(self, request: CapabilityRequest) -> Any:
        stream = self._store.get(request.tenant, self._id(request))
        return _marked(shown(stream), stream.marks)

    def _turn(self, wanted: str) -> Callable[[CapabilityRequest], Any]:
        before = {"paused": ("open",), "open": ("paused",), "cancelled": ("open", "paused")}[wanted]

        def turn(request: CapabilityRequest) -> Any:
            stream = self._store.turn(request.tenant, self._id(request), wanted, before)
            return _marked(Map.of([(_k("stream"), stream.id), (_k("status"), _k(stream.status))]), stream.marks)

        return turn

    def _forget(self, request: CapabilityRequest) -> Any:
        self._store.forget(request.tenant, self._id(request))

    def _sink(self, request: CapabilityRequest) -> Any:
        options = map_in(request, 1) if request.args[1:] else Map.of(())
        name, type_ = sink_in(request.args[0] if request.args else None), type_in(options, "of", ":any")
        capacity = count_in(options, "capacity", 0, 0, 1_000_000)
        holds, marks = self._store.open_queue(request.tenant, name, type_, capacity or None, request.marks)
        return _marked(Map.of([(_k("sink"), name), (_k("takes"), holds)]), marks)

    async def _send(self, request: CapabilityRequest) -> Any:
        if not 2 <= len(request.args) <= 3:
            raise wrong("write (stream-produce sink item), or (stream-produce sink items {:all true})")
        options = map_in(request, 2) if request.args[2:] else Map.of(())
        name, item = sink_in(request.args[0]), request.args[1]
        several = options.get(_k("all")) is True and isinstance(item, Sequence) and not isinstance(item, str)
        values = tuple(item) if several else (item,)
        await self._with_room(
            request, lambda: self._store.put(request.tenant, name, request.key, values, request.marks), options
        )

    def _close(self, request: CapabilityRequest) -> Any:
        self._store.close_queue(request.tenant, sink_in(only_in(request)), request.marks)

    def _id(self, request: CapabilityRequest) -> str:
        return stream_in(request.args[0] if request.args else None)

    def _open(self, path: str) -> int:
        return open_beneath(path, self._settings.roots, self._base)

    async def _with_room(
        self, request: CapabilityRequest, work: Callable[[], Result], options: Map | None = None
    ) -> Result:
        """Do something as soon as the queue that it needs has room."""
        most = number_in(options or Map.of(()), "wait", 10, 0, _MOST_WAIT)
        return await self._waits.room(work, self._clock() + min(most, _left(request)))


def place(own: StreamSettings, base: str, directory: str) -> Path:
    """Return where the file is."""
    return Path(base) / Path(own.path).expanduser() if own.path else Path(directory) / FILE


def _marked(value: Any, marks: frozenset[str]) -> Any:
    return Described(value, marks=marks) if marks else value


def _id_of(request: CapabilityRequest) -> str:
    words = request.key or secrets.token_hex(16)
    return "s-" + hashlib.sha256(words.encode()).hexdigest()[:16]


def _left(request: CapabilityRequest) -> float:
    return _MOST_WAIT if request.deadline is None else max(0.0, request.deadline - _SPARE)
