"""Items of streams that a run is given before it asks for them: a program says `(stream-next s)`, a batch is fetched.

A call for one item becomes `(stream-next s {:max n :ahead true})`, whose reply is in the journal like any other; the
calls after it are answered from that, and are no calls of the host. So a run that is gone on with is told the same
batches, and hands out the same items. n begins at 1 and grows while nothing else happens. This is done only where it
is likely that the run alone knows the stream: it has no name, this run started it, its source can be read again and is
no queue, and no branches or tickets are under way. A handle may still leave the run, so before any other call of the
host, and at its end, the run says how many items it was given: its stream is where its program is. Who reads the stream
between two such moments is given the whole batch, and an error tells the run so, at the next of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import EMPTY_MAP, Map
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.boundary.answers import Answer, Counted, Reply, Throw, Waiting, reply
from rtfs_framework.orchestrator.config.isolation import Isolation
from rtfs_framework.orchestrator.performing.turns import finished

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.dispatch import Dispatcher
    from rtfs_framework.orchestrator.recording.run_scope import RunScope

NEXT, START = "marketplace.stream.next", "marketplace.stream.start"
_MOST = 256
_GROWS = 4
_STREAM, _NAME, _ITEMS, _SEQ, _VALUE = map(Keyword, ("stream", "name", "items", "seq", "value"))
_MAX, _AHEAD, _AFTER, _DONE, _WAITING = map(Keyword, ("max", "ahead", "after", "done", "waiting"))
_ONE_READER = frozenset({Keyword("ipc"), Keyword("model")})

Ask = Callable[[HostCall], "Answer | Waiting"]


@attrs.define(slots=True)
class _Held:
    """A batch that was fetched."""

    stream: str
    seq: int
    items: tuple[Any, ...]
    used: int = 0


@attrs.define(slots=True, eq=False)
class Ahead:
    """What one run has fetched."""

    dispatcher: Dispatcher
    scope: RunScope
    _own: dict[str, int] = attrs.field(factory=dict)
    """The streams that it started and that nobody else can know, with how many items are fetched next."""
    _held: _Held | None = None

    def answer(self, call: HostCall, ask: Ask) -> Answer | Waiting:
        """Answer a call that concerns streams, by what was fetched where that has its answer."""
        stream = self._asked_for(call)
        held = self._held
        if held is not None and held.stream != stream:
            return self.settled(lambda: self.answer(call, ask))
        if stream is None:
            return self._through(call, ask)
        if held is not None and held.used < len(held.items):
            return self._hand_out(held)
        size = self._own[stream]
        self._own[stream] = min(size * _GROWS, _MOST)
        after = {} if held is None else {_AFTER: held.seq + len(held.items)}
        options = Map.wrap({_MAX: size, _AHEAD: True, **after})
        fetched = ask(attrs.evolve(call, args=(call.args[0], options)))
        return _mapped(fetched, lambda made: self._fetched(stream, made))

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
        scope, args = self.scope, call.args
        alone = call.capability == START and not call.branch and scope.record is None and scope.floating is None
        named = len(args) > 1 and isinstance(args[1], Map) and args[1].get(_NAME) is not None
        return _mapped(answer, self._started) if alone and not named and self._may_tell() else answer

    def _may_tell(self) -> bool:
        """Tell whether a plug-in can be told how much was used: only within the host."""
        return self.dispatcher.capabilities.security.rules.isolation is Isolation.INHERIT

    def _started(self, made: Any) -> Any:
        """Note a stream that the run has started."""
        effects = made.get(Keyword("effects"), ()) if isinstance(made, Map) else ()
        if isinstance(made, Map) and made.get(Keyword("replayable")) is True and not _ONE_READER.intersection(effects):
            self._own[made.get(_STREAM)] = 1
        return made

    def _fetched(self, stream: str, made: Any) -> Any:
        items = made.get(_ITEMS)
        if not items:
            self._own[stream] = 1
            return None if made.get(_DONE) else Map.wrap({_WAITING: True})
        held = self._held = _Held(stream, made.get(_SEQ), items)
        return self._hand_out(held).value

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
            said = await capabilities.tell(entry, entry.ahead, *args)
        self._held = None
        if not said and said is not None:
            return None
        self._own.pop(held.stream, None)
        given = f"items {held.seq} to {held.seq + held.used - 1} of it were given to this run, and may be given again"
        return ProgramError("Generic", f"{said or f'the stream {held.stream!r} cannot be kept'}; {given}")


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
