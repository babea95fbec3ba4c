"""Items of streams that a run is given before it asks for them: a program says `(stream-next s)`, a batch is fetched.

A call for one item becomes `(stream-next s {:max n :ahead true})`, whose reply is in the journal like any other; the
calls after it are answered from that, and are no calls of the host. So a run that is gone on with is told the same
batches, and hands out the same items. n begins at 1 and grows. This is done in the run itself, of streams that it has
started, whose source can be read again and is no queue.

Of a stream with a *name*, which others may read at any time, the reply names the batch (`:batch`). Each item is taken
(`FetchedAhead.take`) before it is handed out; where others have read on, the batch ends there, and another is fetched.
It is kept where it ended, so the run ends it there again when it is gone on with. A fork is told batches that the run
before it fetched, which may go on, too: of these it hands out what that was given before the last call that both have,
and then fetches its own.

Any other stream is the run's alone as long as its handle stays in the run, and none is taken. Before any other call of
the host, and at its end, the run says how many items it was given: its stream is where its program is. Who reads the
stream between two such moments is given the whole batch, and an error tells the run so, at the next of them.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import EMPTY_MAP, Map
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.boundary.answers import Answer, Counted, Reply, Throw, Waiting, reply
from rtfs_framework.orchestrator.config.isolation import Isolation
from rtfs_framework.orchestrator.performing.turns import finished
from rtfs_framework.orchestrator.recording.journal.redact import name_of

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.dispatch import Dispatcher
    from rtfs_framework.orchestrator.recording.run_scope import RunScope

NEXT = "marketplace.stream.next"
_STARTS = frozenset({"marketplace.stream.start", "mcp.stream.start"})
_MOST = 256
_GROWS = 4
_STREAM, _ITEMS, _SEQ, _VALUE = map(Keyword, ("stream", "items", "seq", "value"))
_MAX, _AHEAD, _AFTER, _DONE, _WAITING = map(Keyword, ("max", "ahead", "after", "done", "waiting"))
_BATCH = Keyword("batch")
_OVERTAKEN = "another run has gone on with the stream"
_ONE_READER = frozenset({Keyword("ipc"), Keyword("model")})

Ask = Callable[[HostCall], "Answer | Waiting"]


@attrs.define(slots=True)
class _Held:
    """A batch that was fetched."""

    stream: str
    seq: int
    items: tuple[Any, ...]
    batch: str = ""
    """Its name, if its stream has one."""
    used: int = 0
    sure: int = 1
    """Of a named batch: how many items are the run's, whoever reads on."""
    copied: bool = False
    """Whether another run fetched it, of which this is a fork."""


@attrs.define(slots=True, eq=False)
class Ahead:
    """What one run has fetched."""

    dispatcher: Dispatcher
    scope: RunScope
    _own: dict[str, int] = attrs.field(factory=dict)
    """The streams that it started and reads ahead, with how many items are fetched next."""
    _held: _Held | None = None
    """Of a stream that nobody else can know."""
    _named: dict[str, _Held] = attrs.field(factory=dict)
    """Of those with a name."""

    def answer(self, call: HostCall, ask: Ask) -> Answer | Waiting:
        """Answer a call that concerns streams, by what was fetched where that has its answer."""
        stream = self._asked_for(call)
        if self._held is not None and self._held.stream != stream:
            return self.settled(lambda: self.answer(call, ask))
        if stream is None:
            return self._through(call, ask)
        held = self._named.get(stream)
        if held is not None and held.used < len(held.items):
            return self._take(held, call, ask)
        held = self._held
        if held is not None and held.used < len(held.items):
            return self._hand_out(held)
        return self._fetch(stream, call, ask)

    def _fetch(self, stream: str, call: HostCall, ask: Ask) -> Answer | Waiting:
        """Fetch a batch, and hand its first item out."""
        held, size = self._held, self._own[stream]
        self._own[stream] = min(size * _GROWS, _MOST)
        self._named.pop(stream, None)
        after = {} if held is None else {_AFTER: held.seq + len(held.items)}
        options = Map.wrap({_MAX: size, _AHEAD: True, **after})
        fetched = ask(attrs.evolve(call, args=(call.args[0], options)))
        return _mapped(fetched, lambda made: self._fetched(stream, call, made))

    def _take(self, held: _Held, call: HostCall, ask: Ask) -> Answer | Waiting:
        """Hand out an item of a stream with a name, unless others have read on."""
        if held.copied:
            past = self.scope.past
            shared = past is not None and past.passed_over(call, self.scope)
            return self._hand_out(held) if shared else self._read_on(held, call, ask)
        entry = self.dispatcher.capabilities.entries.get(NEXT)
        mine: bool | None = held.used < held.sure
        if not mine and entry is not None and entry.ahead is not None:
            try:
                mine = entry.ahead.take(held.batch, held.used + 1)
            except Exception:  # noqa: BLE001 - a plug-in's; what is wrong is said where it is asked below
                mine = None
        if mine:
            return self._hand_out(held)
        return Waiting(lambda: self._found_out(held, call, ask)) if mine is None else self._read_on(held, call, ask)

    def _read_on(self, held: _Held, call: HostCall, ask: Ask) -> Answer | Waiting:
        self._own[held.stream] = 1
        return self._fetch(held.stream, call, ask)

    async def _found_out(self, held: _Held, call: HostCall, ask: Ask) -> Answer:
        """Do the same where one has to wait for the answer."""
        capabilities, most = self.dispatcher.capabilities, None
        entry = capabilities.entries.get(NEXT)
        if entry is not None and entry.ahead is not None:
            args = (self.scope.tenant, held.stream, held.batch, held.used + 1)
            most = await capabilities.tell(entry, entry.ahead.may_have, *args)
        if most is None or most[0] < held.used:
            return Throw(self._lost(held, _OVERTAKEN if most else None))
        if most[0] == held.used:
            return await finished(self._read_on(held, call, ask))
        if most[1]:
            if most[0] < len(held.items):
                self._own[held.stream] = 1  # as where it is found out when it is at its end
            held.items, held.sure = held.items[: most[0]], most[0]
        return self._hand_out(held)

    def settled(self, act: Callable[[], Answer | Waiting]) -> Answer | Waiting:
        """Do something before which the run says how many items it was given; an error where others have read on."""
        held = self._held
        if held is None:
            return act()
        self._own[held.stream] = 1
        if len(held.items) == 1:
            self._held = None
            return act()

        async def said() -> Answer:
            wrong = await self._say(held)
            return Throw(wrong) if wrong is not None else await finished(act())

        return Waiting(said)

    async def give_up(self, *, for_good: bool) -> ProgramError | None:
        """Say how many items the run was given, if it is over for good; one that is gone on with is given the rest.

        Returns an error where others have read on meanwhile.
        """
        held = self._held
        return await self._say(held) if held is not None and len(held.items) > 1 and for_good else None

    def _asked_for(self, call: HostCall) -> str | None:
        """Return the stream of which a call wants one item, if items of it may be fetched."""
        if call.capability != NEXT or len(call.args) != 1 or call.hints is not EMPTY_MAP or call.branch:
            return None
        handle = call.args[0]
        stream = handle.get(_STREAM) if isinstance(handle, Map) else None
        return stream if isinstance(stream, str) and stream in self._own else None

    def _through(self, call: HostCall, ask: Ask) -> Answer | Waiting:
        answer = ask(call)
        scope = self.scope
        alone = call.capability in _STARTS and not call.branch and scope.record is None and scope.floating is None
        return _mapped(answer, self._started) if alone and self._may_tell() else answer

    def _may_tell(self) -> bool:
        """Tell whether a plug-in can be told how much was used: only within the host."""
        return self.dispatcher.capabilities.security.rules.isolation is Isolation.INHERIT

    def _started(self, made: Any) -> Any:
        """Note a stream that the run has started."""
        effects = made.get(Keyword("effects"), ()) if isinstance(made, Map) else ()
        if isinstance(made, Map) and made.get(Keyword("replayable")) is True and not _ONE_READER.intersection(effects):
            self._own[made.get(_STREAM)] = 1
        return made

    def _fetched(self, stream: str, call: HostCall, made: Any) -> Any:
        items = made.get(_ITEMS)
        if not items:
            self._own[stream] = 1
            return None if made.get(_DONE) else Map.wrap({_WAITING: True})
        held = _Held(stream, made.get(_SEQ), items, made.get(_BATCH) or "")
        if held.batch:
            held.copied = self.scope.past is not None and not held.batch.endswith(self._mark(call))
            self._named[stream] = held
        else:
            self._held = held
        return self._hand_out(held).value

    def _mark(self, call: HostCall) -> str:
        """Return what the name of a batch ends with that a call of this run has fetched."""
        scope = self.scope
        key = f"{scope.run}:{name_of(scope.entry, scope.record, str(call.index))}"
        return sha256(key.encode()).hexdigest()[:32]

    @staticmethod
    def _hand_out(held: _Held) -> Reply:
        item, place = held.items[held.used], held.seq + held.used
        held.used += 1
        return reply(Map.wrap({_VALUE: item, _SEQ: place}))

    async def _say(self, held: _Held) -> ProgramError | None:
        """Say how many items of a batch the run was given; return why it may not go on."""
        capabilities = self.dispatcher.capabilities
        entry = capabilities.entries.get(NEXT)
        said: str | None = ""
        if entry is not None and entry.ahead is not None:
            args = (self.scope.tenant, held.stream, held.seq, held.used)
            said = await capabilities.tell(entry, entry.ahead.settle, *args)
        self._held = None
        if not said and said is not None:
            return None
        return self._lost(held, said)

    def _lost(self, held: _Held, why: str | None) -> ProgramError:
        """Return the error of a run that others have overtaken, or whose stream nobody can ask."""
        self._own.pop(held.stream, None)
        self._named.pop(held.stream, None)
        given = f"items {held.seq} to {held.seq + held.used - 1} of it were given to this run, and may be given again"
        return ProgramError("Generic", f"{why or f'the stream {held.stream!r} cannot be kept'}; {given}")


def _mapped(answer: Answer | Waiting, change: Callable[[Any], Any]) -> Answer | Waiting:
    """Return an answer whose value is changed when it is there."""
    if isinstance(answer, Waiting):
        finish = answer.finish

        async def finished_() -> Answer:
            return _changed(await finish(), change)

        return Waiting(finished_)
    return _changed(answer, change)


def _changed(answer: Answer, change: Callable[[Any], Any]) -> Answer:
    if isinstance(answer, Counted):
        return Counted(_changed(answer.answer, change), answer.calls)
    return reply(change(answer.value)) if isinstance(answer, Reply) else answer
