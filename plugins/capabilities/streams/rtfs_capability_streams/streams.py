"""The set `streams`: what the published ids do. A handle is a plain map; the file knows the rest by its `:stream`.

Each call is a step of its own with a key, so a run that is gone on with finds the replies that it was given in its
journal, and a call of which nobody knows how it ended is made again without losing or doubling an item.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rtfs_capability_streams.files import open_beneath
from rtfs_capability_streams.pipes import Pipes
from rtfs_capability_streams.plugin import FILE, StreamSettings
from rtfs_capability_streams.rows import Batch, QueueFull, Stream, as_text
from rtfs_capability_streams.said import count_in, name_in, number_in, progress_of, sink_in, stream_in, type_in
from rtfs_capability_streams.sources import MOST_SOURCE, effects_of, kept, source_of, wrong
from rtfs_capability_streams.store import Store
from rtfs_framework.api import (
    CapabilityEntry,
    CapabilityError,
    CapabilityRequest,
    CapabilitySetSettings,
    Described,
    Keyword,
    Map,
    read_value,
    write,
)

_LOOK = 0.02
"""Seconds between two looks at a queue or file that others fill."""
_PAUSE = 0.001
"""Seconds between two looks at a source that has more: others come to the file."""
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
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store, self._settings, self._base = store, settings, base
        self._clock, self._sleep = clock, sleep

    @classmethod
    def of(cls, settings: CapabilitySetSettings) -> Streams:
        """Return the set of a host; nothing is opened yet."""
        own: StreamSettings = settings.own or StreamSettings()
        pipes = Pipes(lambda path: open_beneath(path, own.roots, settings.base, pipe=True))
        return cls(Store(place(own, settings.base, settings.directory), own.capacity, pipes), own, settings.base)

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    def entries(self) -> Iterable[CapabilityEntry]:
        """Return what programs may call."""
        reads, keeps = ("state", "file", "ipc"), ("state",)
        market, mcp = "marketplace.stream", "mcp.stream"
        return [
            _entry(f"{mcp}.start", "Start a stream by the name of its source.", self._start_named, keeps),
            _entry(f"{market}.start", "Start a stream of a source; its handle.", self._start, keeps, "stream.start"),
            _entry(f"{mcp}.attach", "The handle of a stream that was started.", self._attach, keeps),
            _entry(f"{market}.next", "The next item, or nil at the end.", self._next, reads, "stream.next"),
            _entry(f"{mcp}.next", "Items with their position, state and epoch.", self._batch, reads),
            _entry(f"{mcp}.commit", "Keep position and state, and say how it stands.", self._commit, reads),
            _entry(f"{mcp}.inspect", "How a stream stands.", self._inspect, keeps, "stream.inspect"),
            _entry(f"{mcp}.pause", "Give no more items until it is resumed.", self._turn("paused"), keeps,
                   "stream.pause"),
            _entry(f"{mcp}.resume", "Give items again.", self._turn("open"), keeps, "stream.resume"),
            _entry(f"{mcp}.cancel", "End a stream.", self._turn("cancelled"), keeps, "stream.cancel"),
            _entry("stream.forget", "Remove a stream, its position and state.", self._forget, keeps),
            _entry(f"{market}.register-callbacks", "Named callbacks are to be called for a stream: its handle.",
                   self._callbacks, keeps, "stream.register-callbacks"),
            _entry(f"{market}.open-sink", "Open a bounded queue to put items into.", self._sink, ("ipc",),
                   "stream.open-sink"),
            _entry(f"{market}.send", "Put an item into a queue; wait while it is full.", self._send, ("ipc",),
                   "stream.send"),
            _entry("stream.close", "Let nothing more be put into a queue.", self._close, ("ipc",)),
        ]  # fmt: skip

    def _start_named(self, request: CapabilityRequest) -> Any:
        said = _map(request, 0)
        endpoint, processor = said.get(_k("endpoint")), said.get(_k("processor"))
        if not isinstance(endpoint, str) or not isinstance(processor, str):
            raise wrong('write (mcp-stream "endpoint" processor {...}), of two names and a state')
        named = {_k("name"): f"{endpoint}/{processor}", _k("state"): said.get(_k("initial-state"))}
        return self._made(request, endpoint, Map.of([*said.items(), *named.items()]), processor)

    def _start(self, request: CapabilityRequest) -> Any:
        if not 1 <= len(request.args) <= 2:
            raise wrong("write (stream-source source {...}): one source, and options")
        return self._made(request, request.args[0], _map(request, 1) if request.args[1:] else Map.of(()))

    def _made(self, request: CapabilityRequest, said: Any, options: Map, processor: str = "") -> Any:
        given = said if isinstance(said, Map) else Map.of(())
        incoming, sink = given.get(_k("in")), options.get(_k("sink"), given.get(_k("out")))
        source = source_of(said if incoming is None else incoming, self._settings.endpoints)
        if len(as_text(source)) > MOST_SOURCE:
            raise wrong(f"a source has at most {MOST_SOURCE:,} characters: put more into a file or a queue")
        endpoint = self._settings.endpoints.get(said) if isinstance(said, str) else None
        usual = ":any" if endpoint is None else endpoint.of
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
            wait=number_in(options, "wait", 0, 0, _MOST_WAIT),
            state=kept(options.get(_k("state"))),
            position=None,
            seq=0,
            status="open",
            marks=request.marks,
        )
        capacity = count_in(options, "capacity", 0, 0, 1_000_000)
        return _marked(*_handle(self._store.start(stream, capacity or None)))

    def _attach(self, request: CapabilityRequest) -> Any:
        said = _only(request)
        if isinstance(said, str):
            try:
                return _marked(*_handle(self._store.get(request.tenant, said)))
            except CapabilityError:
                return self._made(request, said, Map.of([(_k("name"), said)]))
        return _marked(*_handle(self._store.get(request.tenant, stream_in(said))))

    def _callbacks(self, request: CapabilityRequest) -> Any:
        if len(request.args) != 2 or not isinstance(request.args[1], Sequence):
            raise wrong("functions stay in their program: write (stream-consume stream {:on-item f})")
        names = {each.name for each in request.args[1] if isinstance(each, Keyword)}
        if not names & {"on-item", "handler"} or names - {"on-item", "handler", "on-error", "on-end"}:
            raise wrong("callbacks are :on-item, and :on-error and :on-end where they are wanted")
        return self._attach(_with(request, request.args[:1]))

    def _next(self, request: CapabilityRequest) -> Any:
        if not 1 <= len(request.args) <= 2:
            raise wrong("write (stream-next stream)")
        options = _map(request, 1) if request.args[1:] else Map.of(())
        most, id_ = count_in(options, "max", 1, 1, _MOST_BATCH), self._id(request)
        batch = self._until_there(
            request, lambda: self._store.pull(request.tenant, id_, request.key, most, self._open, request.marks)
        )
        seq = batch.seq
        if _k("max") in options:
            said = [(_k("items"), batch.items), (_k("seq"), seq), (_k("done"), batch.done)]
            return _marked(Map.of(said), batch.stream.marks)
        if batch.items:
            return _marked(Map.of([(_k("value"), batch.items[0]), (_k("seq"), seq)]), batch.stream.marks)
        return _marked(None if batch.done else Map.of([(_k("waiting"), True)]), batch.stream.marks)

    def _batch(self, request: CapabilityRequest) -> Any:
        if len(request.args) == 1:
            return self._next(request)
        tenant, id_, said = request.tenant, self._id(request), _map(request, 1)
        begins = _k("seq") not in said
        if begins:
            batch = self._until_there(
                request, lambda: self._store.begin(tenant, id_, request.key, self._open, request.marks)
            )
        else:
            made = progress_of(said)
            batch = self._until_there(
                request,
                lambda: self._store.go_on(tenant, id_, request.key, made, self._open, request.marks),
            )
        stream = batch.stream
        entries = [(_k("items"), batch.items), (_k("seq"), stream.seq), (_k("epoch"), stream.epoch)]
        entries += [(_k("done"), batch.done), *([(_k("state"), read_value(stream.state))] if begins else [])]
        return _marked(Map.of(entries), stream.marks)

    def _commit(self, request: CapabilityRequest) -> Any:
        id_, said = self._id(request), progress_of(_map(request, 1))
        stream = self._patiently(
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
        options = _map(request, 1) if request.args[1:] else Map.of(())
        name, type_ = sink_in(request.args[0] if request.args else None), type_in(options, "of", ":any")
        capacity = count_in(options, "capacity", 0, 0, 1_000_000)
        holds, marks = self._store.open_queue(request.tenant, name, type_, capacity or None, request.marks)
        return _marked(Map.of([(_k("sink"), name), (_k("takes"), holds)]), marks)

    def _send(self, request: CapabilityRequest) -> Any:
        if not 2 <= len(request.args) <= 3:
            raise wrong("write (stream-produce sink item), or (stream-produce sink items {:all true})")
        options = _map(request, 2) if request.args[2:] else Map.of(())
        name, item = sink_in(request.args[0]), request.args[1]
        several = options.get(_k("all")) is True and isinstance(item, Sequence) and not isinstance(item, str)
        values = tuple(item) if several else (item,)
        self._patiently(
            request, lambda: self._store.put(request.tenant, name, request.key, values, request.marks), options
        )

    def _close(self, request: CapabilityRequest) -> Any:
        self._store.close_queue(request.tenant, sink_in(_only(request)), request.marks)

    def _id(self, request: CapabilityRequest) -> str:
        return stream_in(request.args[0] if request.args else None)

    def _open(self, path: str) -> int:
        return open_beneath(path, self._settings.roots, self._base)

    def _until_there(self, request: CapabilityRequest, give: Callable[[], Batch]) -> Batch:
        """Return a batch that has items, or the last look when the stream's time to wait is over."""
        last = self._clock() + _left(request)
        batch = self._patiently(request, give)
        end = min(last, self._clock() + batch.stream.wait)
        while not batch.items and not batch.done and self._clock() < (last if batch.cut else end):
            self._sleep(_PAUSE if batch.cut else _LOOK)
            batch = give()
        return batch

    def _patiently(self, request: CapabilityRequest, work: Callable[[], Result], options: Map | None = None) -> Result:
        """Do something as soon as the queue that it needs has room."""
        most = number_in(options or Map.of(()), "wait", 10, 0, _MOST_WAIT)
        end = self._clock() + min(most, _left(request))
        while True:
            try:
                return work()
            except QueueFull as full:  # noqa: PERF203 - it sleeps
                if self._clock() >= end:
                    problem = f"the queue {full.args[0]!r} is full, and nobody took an item in time"
                    raise CapabilityError(problem, "ResourceError") from None
                self._sleep(_LOOK)


def place(own: StreamSettings, base: str, directory: str) -> Path:
    """Return where the file is."""
    return Path(base) / Path(own.path).expanduser() if own.path else Path(directory) / FILE


def shown(stream: Stream) -> Map:
    """Return all that is told of a stream."""
    handle, _ = _handle(stream)
    entries = [
        (_k("status"), _k(stream.status)),
        (_k("seq"), stream.seq),
        (_k("source"), write(_plain(stream.source))),
        (_k("state"), read_value(stream.state)),
        *([(_k("processor"), stream.processor)] if stream.processor else []),
    ]
    return Map.of([*handle.items(), *entries])


def _plain(source: Any) -> Any:
    return tuple(_plain(each) for each in source) if isinstance(source, list) else source


def _entry(
    id_: str, summary: str, handler: Callable[[CapabilityRequest], Any], effects: tuple[str, ...], *aliases: str
) -> CapabilityEntry:
    return CapabilityEntry(
        id=id_, summary=summary, handler=handler, effects=effects, idempotent=True, blocking=True, aliases=aliases
    )


def _handle(stream: Stream) -> tuple[Map, frozenset[str]]:
    effects = tuple(_k(each) for each in effects_of(stream.source))
    entries = [
        (_k("stream"), stream.id),
        (_k("of"), stream.type),
        (_k("effects"), effects),
        (_k("replayable"), stream.replayable),
    ]
    two_way = [(_k("sink"), stream.sink), (_k("takes"), stream.takes)] if stream.sink else []
    return Map.of([*entries, *two_way]), stream.marks


def _marked(value: Any, marks: frozenset[str]) -> Any:
    return Described(value, marks=marks) if marks else value


def _with(request: CapabilityRequest, args: tuple[Any, ...]) -> CapabilityRequest:
    import attrs

    return attrs.evolve(request, args=args)


def _only(request: CapabilityRequest) -> Any:
    if len(request.args) != 1:
        raise wrong(f"{request.id} takes 1 argument, {len(request.args)} given")
    return request.args[0]


def _map(request: CapabilityRequest, place_: int) -> Map:
    found = request.args[place_] if len(request.args) > place_ else None
    if not isinstance(found, Map):
        raise wrong(f"argument {place_ + 1} of {request.id} is a map")
    return found


def _id_of(request: CapabilityRequest) -> str:
    words = request.key or secrets.token_hex(16)
    return "s-" + hashlib.sha256(words.encode()).hexdigest()[:16]


def _left(request: CapabilityRequest) -> float:
    return _MOST_WAIT if request.deadline is None else max(0.0, request.deadline - _SPARE)
