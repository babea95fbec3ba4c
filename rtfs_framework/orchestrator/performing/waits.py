"""What a run waits for, and named places in it: `(host/sleep "2h")`, `(host/wait-for :name)`, `(checkpoint :name)`.

In: a call of one of the host's own capabilities. Out: nil when the time has come, the value that somebody sent, nil. A
wait is written down before it begins, so that a run whose process ends meanwhile waits on for the rest of its time when
it is gone on with. The clock is the wall's. Time that is waited does not count against the run's bound.

A host that does not wait with its runs (`park`) ends a run that has waited for so long, once nothing else of it is
under way: `RunParked`. At these calls a run also hears whether somebody wants it to pause or to end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import attrs

from rtfs_framework.api.capability import CapabilityEntry, CapabilityRequest
from rtfs_framework.api.units import duration
from rtfs_framework.api.values import Clock
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.values import Keyword, Symbol, Timestamp
from rtfs_framework.orchestrator.boundary.answers import Answer, Reply, Throw, Waiting, reply
from rtfs_framework.orchestrator.boundary.exact import from_text
from rtfs_framework.orchestrator.boundary.hints import seconds_of_call
from rtfs_framework.orchestrator.concurrency.deadlines import off_the_clock
from rtfs_framework.orchestrator.config.security import CHECKPOINT, SLEEP, WAIT_FOR
from rtfs_framework.orchestrator.recording.events import EventBus
from rtfs_framework.orchestrator.recording.lineage import reply_id
from rtfs_framework.orchestrator.recording.purse import RunCancelled, RunParked

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.models import Failed
    from rtfs_framework.orchestrator.recording.journal.run import Chain
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall

_FIRST, _LONGEST = 0.02, 1.0
"""Seconds between two looks at the clock and the journal."""
_MOST = 366 * 86_400.0
NAMES = {"host/sleep": SLEEP, "host/wait-for": WAIT_FOR, "checkpoint": CHECKPOINT}
_SAID = {
    SLEEP: '(host/sleep "2h"), or a number of seconds, or a timestamp',
    WAIT_FOR: '(host/wait-for :name), or (host/wait-for :name "2h" otherwise)',
    CHECKPOINT: "(checkpoint :name)",
}


@attrs.frozen(slots=True)
class _Wait:
    """One wait: until when (seconds since the epoch), for which word, and what it gives when the time is over."""

    until: float | None
    name: str = ""
    otherwise: Any = None
    late: ProgramError | None = None
    """What it ends with when the time is over, in place of a value."""
    read: Callable[[Any], Any] | None = None
    """Makes the value of what somebody sent."""
    tell: Callable[[], None] | None = None
    """Called once, when the word is not there yet."""


@attrs.define(slots=True, eq=False)
class Waits:
    """Waits, for one host."""

    clock: Clock
    events: EventBus
    park: float | None = None
    """Seconds after which a run that waits is ended, to be gone on with; None for waiting as long as it takes."""
    resuming: Callable[[str], str] = "rtfs runs resume {:.12}".format
    """Returns the command that goes on with a run."""
    _waiting: dict[str, set[int]] = attrs.field(factory=dict, init=False)
    """The waits of each run that are under way, by their records' identity."""
    _taken: WeakKeyDictionary[Chain, set[int]] = attrs.field(factory=WeakKeyDictionary, init=False)
    """The words that a run has been given, by their positions; they go with the run."""

    def answer(self, opened: OpenCall) -> Answer | Waiting:
        """Return the answer to a call of one of them, or what to wait for."""
        name, args = opened.call.capability, opened.call.args
        chain = opened.scope.chain
        try:
            if name == CHECKPOINT:
                return self._noted(opened, chain, _name(name, args))
            wait = self._asked(name, args)
            if wait.name and chain is None:
                raise _wrong(name, "needs a journal, and this run keeps none")
        except ProgramError as error:
            opened.close(self.clock.monotonic(), error=error)
            return Throw(error)
        asked = wait
        if chain is not None:
            asked = self._written(opened, chain, wait)
        return Waiting(lambda: self._wait(opened, chain, asked))

    def for_word(
        self, opened: OpenCall, name: str, seconds: float, late: ProgramError, *,
        read: Callable[[Any], Any], tell: Callable[[], None],
    ) -> Waiting:  # fmt: skip
        """Wait for a word for so many seconds; its value is what `read` makes of it. For runs with a journal.

        `tell` is called if it is not there yet.
        """
        chain = opened.scope.chain
        wait = _Wait(self.clock.now() + seconds, name, late=late, read=read, tell=tell)
        asked = wait if chain is None else self._written(opened, chain, wait)
        return Waiting(lambda: self._wait(opened, chain, asked))

    def _asked(self, name: str, args: tuple[Any, ...]) -> _Wait:
        if name == SLEEP:
            if len(args) != 1:
                raise _wrong(name, f"takes 1 argument, {len(args)} given")
            return _Wait(self._until(name, args[0]))
        if not 1 <= len(args) <= 3:
            raise _wrong(name, f"takes 1 to 3 arguments, {len(args)} given")
        until = self._until(name, args[1]) if len(args) > 1 else None
        return _Wait(until, _name(name, args[:1]), args[2] if len(args) > 2 else None)

    def _until(self, name: str, given: Any) -> float:
        wrong = _wrong(name, "waits for a time that is none, or for more than a year")
        if isinstance(given, Timestamp):
            until = _epoch(given)
            if until - self.clock.now() > _MOST:
                raise wrong
            return until
        seconds = duration(given) if isinstance(given, str) else given
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= _MOST:
            raise wrong
        return self.clock.now() + seconds

    def _noted(self, opened: OpenCall, chain: Chain | None, name: str) -> Answer | Waiting:
        """Note a named place; whatever was done before it is on disk when the run goes on."""
        if chain is not None:
            chain.note("checkpoint", {"name": name, "call": reply_id(opened), "at": round(self.clock.now(), 3)})
            opened.begin()
        if self.events.active:
            self.events.emit("run.checkpoint", {"run": opened.scope.run, "name": name}, opened.labels)
        if chain is not None:
            return Waiting(lambda: self._passed(opened, chain))
        opened.close(self.clock.monotonic(), None, answered=True)
        return reply(None)

    async def _passed(self, opened: OpenCall, chain: Chain) -> Answer:
        await opened.written()
        self._look(opened, chain)
        opened.close(self.clock.monotonic(), None, answered=True)
        return reply(None)

    def _written(self, opened: OpenCall, chain: Chain, wait: _Wait) -> _Wait:
        """Write a wait down, unless it is there from a process before: then it has its time from there."""
        call = reply_id(opened)
        past = opened.scope.past
        before = None if past is None else past.waited(call)
        if before is not None:
            return attrs.evolve(wait, until=before.get("until", wait.until))
        body: dict[str, Any] = {"call": call, "at": round(self.clock.now(), 3)}
        body |= {} if wait.until is None else {"until": wait.until}
        chain.note("waiting", {**body, **({"for": wait.name} if wait.name else {})})
        opened.begin()
        return wait

    async def _wait(self, opened: OpenCall, chain: Chain | None, wait: _Wait) -> Answer:
        import anyio

        await opened.written()
        pause, began = _FIRST, self.clock.monotonic()
        what = f"for :{wait.name}" if wait.name else "for its time"
        with off_the_clock(), self.waiting(opened):
            while True:
                self._look(opened, chain)
                found = self._found(opened, chain, wait)
                if isinstance(found, Throw):
                    opened.close(self.clock.monotonic(), error=found.error)
                    return found
                if found is not None:
                    opened.close(self.clock.monotonic(), found.value, answered=True)
                    return found
                if wait.tell is not None and pause == _FIRST:
                    wait.tell()
                self.park_asked(opened, what, self.clock.monotonic() - began)
                left = pause if wait.until is None else wait.until - self.clock.now()
                await anyio.sleep(max(0.0, min(pause, left)))
                pause = min(_LONGEST, pause * 1.5)

    def sent(self, opened: OpenCall, name: str, read: Callable[[Any], Any]) -> Reply | None:
        """Return what was sent to a run under a name and that it was not given yet; None when nothing was.

        Raises:
            RunParked: Somebody wants the run to pause.
            RunCancelled: Somebody has cancelled it.
        """
        chain = opened.scope.chain
        self._look(opened, chain)
        found = self._found(opened, chain, _Wait(None, name, read=read))
        return found if isinstance(found, Reply) else None

    async def renewed(self, opened: OpenCall, failed: Failed) -> bool:
        """Wait until what refused a request would let it pass, where its run may wait for that; tell whether it did.

        Raises:
            RunParked: The run ends here, to be gone on with then.
        """
        if failed.until is None or not self.may_wait(opened, failed.until):
            return False
        await self._for_quota(opened, failed.until, failed.reason)
        return True

    def may_wait(self, opened: OpenCall, until: float) -> bool:
        """Tell whether a call may wait for a moment: its run is in the journal, and its own time is not over before."""
        chain, now = opened.scope.chain, self.clock.now()
        if chain is None or not chain.facts.program:  # the host asks in its own name
            return False
        return seconds_of_call(opened.call.hints) - (self.clock.monotonic() - opened.started) > until - now

    async def _for_quota(self, opened: OpenCall, until: float, reason: str) -> None:
        """Wait until a budget is renewed, if this host waits with its runs.

        Raises:
            RunParked: It does not: the run is gone on with then.
        """
        import anyio

        chain = opened.scope.chain
        if chain is not None:
            note = {"call": reply_id(opened), "at": round(self.clock.now(), 3), "until": until, "quota": reason}
            chain.note("waiting", note)
        pause, began = _FIRST, self.clock.monotonic()
        with off_the_clock(), self.waiting(opened):
            while (left := until - self.clock.now()) > 0:
                self.park_asked(opened, f"because {reason}", self.clock.monotonic() - began)
                await anyio.sleep(min(pause, left))
                pause = min(_LONGEST, pause * 1.5)
        opened.since = self.clock.monotonic()

    async def ending(self, opened: OpenCall, chain: Chain, why: Exception) -> Answer:
        """Raise why a run cannot go on, once nothing else of it than waits is under way."""
        import anyio

        pause = _FIRST
        with off_the_clock(), self.waiting(opened):
            while not self._may_end(opened, chain):
                await anyio.sleep(pause)
                pause = min(_LONGEST, pause * 1.5)
        raise why

    @contextmanager
    def waiting(self, opened: OpenCall) -> Iterator[None]:
        """Count a wait of a run while it is under way."""
        run, one = opened.scope.run, id(opened.record)
        waits = self._waiting.setdefault(run, set())
        waits.add(one)
        try:
            yield
        finally:
            waits.discard(one)
            if not waits and self._waiting.get(run) is waits:
                del self._waiting[run]

    def _found(self, opened: OpenCall, chain: Chain | None, wait: _Wait) -> Reply | Throw | None:
        """Return what a wait gives, None while it goes on."""
        if wait.name and chain is not None and chain.number is not None:
            from rtfs_framework.orchestrator.recording.journal.outside import words_for

            taken = self._taken.setdefault(chain, self._before(opened))
            for word in words_for(chain.journal.path, chain.number):
                if word.name == wait.name and word.position not in taken and word.text is not None:
                    taken.add(word.position)
                    chain.note("control", {"took": word.position, "call": reply_id(opened)})
                    value = from_text(word.text)
                    return Reply(value if wait.read is None else wait.read(value))
        if wait.until is not None and self.clock.now() >= wait.until:
            return Reply(wait.otherwise) if wait.late is None else Throw(wait.late)
        return None

    @staticmethod
    def _before(opened: OpenCall) -> set[int]:
        """Return the words that the run was given by a process before."""
        return set() if opened.scope.past is None else opened.scope.past.taken()

    def _look(self, opened: OpenCall, chain: Chain | None) -> None:
        """End the run where somebody asks for that.

        Raises:
            RunParked: It shall pause.
            RunCancelled: It shall end.
        """
        if chain is None or chain.number is None:
            return
        from rtfs_framework.orchestrator.recording.journal.outside import asked_of

        asked = asked_of(chain.journal.path, chain.number, chain.since)
        if asked.get("ask") == "cancel":
            raise RunCancelled(f"cancelled by {asked.get('by') or 'somebody'}")
        if asked.get("ask") == "pause" and self._may_end(opened, chain):
            raise self._parked(chain, f"because {asked.get('by') or 'somebody'} has paused it", opened)

    def _parked(self, chain: Chain, what: str, opened: OpenCall) -> RunParked:
        chain.parked = True
        return RunParked(what, opened.scope.run, self.resuming(opened.scope.run))

    def park_asked(self, opened: OpenCall, what: str, waited: float) -> None:
        """End a run that has waited for so many seconds, if this host does not wait with it, or somebody asks for that.

        Raises:
            RunParked: It is ended, to be gone on with: nothing else of it than waits is under way.
            RunCancelled: Somebody has cancelled it.
        """
        chain = opened.scope.chain
        if chain is None:
            return
        self._look(opened, chain)
        if self.park is not None and waited >= self.park and self._may_end(opened, chain):
            raise self._parked(chain, what, opened)

    def _may_end(self, opened: OpenCall, chain: Chain) -> bool:
        """Tell whether nothing else of a run than waits is under way: what else has begun is not cut off."""
        return not chain.under_way({id(opened.record), *self._waiting.get(opened.scope.run, ())})


def word_of(call: str) -> str:
    """Return the name of the word from outside that answers a call, of its id (`reply_id`)."""
    return f"answer-{call.partition(':')[2].replace(':', '-')}"


def wait_entries() -> dict[str, CapabilityEntry]:
    """Return the capabilities, as lists show them."""
    said = {
        SLEEP: "Wait for a while, or until a time; the run may outlive its process meanwhile.",
        WAIT_FOR: "Wait for a word from outside: `rtfs runs signal RUN NAME VALUE`.",
        CHECKPOINT: "Note a named place: all before it is on disk, and the run may be paused or forked here.",
    }
    return {
        name: CapabilityEntry(
            id=name, summary=text, handler=_nobody, idempotent=True, order_independent=name != CHECKPOINT
        )
        for name, text in said.items()
    }


def _nobody(_request: CapabilityRequest) -> Any:  # the host answers it itself
    return None


def _name(of: str, args: tuple[Any, ...]) -> str:
    if len(args) != 1 or not isinstance(args[0], str | Keyword | Symbol):
        raise _wrong(of, "takes a name")
    return args[0] if isinstance(args[0], str) else args[0].name


def _wrong(name: str, problem: str) -> ProgramError:
    return ProgramError("TypeValidationError", f"{name} {problem}; write {_SAID[name]}").of_program()


def _epoch(stamp: Timestamp) -> float:
    from datetime import datetime

    try:
        return datetime.fromisoformat(stamp.text.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError) as error:
        raise _wrong(SLEEP, f"cannot wait for {stamp.text}: {error}") from error
