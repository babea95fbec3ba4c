"""What a run's calls were answered before its process ended: told to it again, so that it comes to where it was.

In: what the journal knows of the run (`recording/journal/unended.py`). Out: for each call that is made again the same
answer, by its id; None for one that was never made, which then goes its usual way. A call that had begun and of which
no end is known is settled first: it is made again, at the same target and with the same key, where that does no harm;
else somebody has to say whether it was done. A call that is not the one that was written down ends the run: program,
arguments or host are not what they were.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from operator import sub
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.caller import DelegationMetadata
from rtfs_framework.api.targets import ExecTarget, show_target
from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.errors import ProgramError, RtfsError
from rtfs_framework.lang.types.coerce import from_json
from rtfs_framework.lang.types.jsonable import from_plain
from rtfs_framework.orchestrator.boundary.answers import Answer, Counted, Locally, Reply, Throw, Waiting, reply
from rtfs_framework.orchestrator.performing.again import Again
from rtfs_framework.orchestrator.performing.dispatch import Dispatcher
from rtfs_framework.orchestrator.recording.journal.kept import answer_of
from rtfs_framework.orchestrator.recording.journal.redact import name_of
from rtfs_framework.orchestrator.recording.journal.usual import ARGS, HEX
from rtfs_framework.orchestrator.recording.lineage import ANY, received, reply_id
from rtfs_framework.orchestrator.recording.run_scope import OpenCall, RunScope

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.journal.unended import Begun, Unended
    from rtfs_framework.orchestrator.recording.purse import Spending

DIVERGED = "E0721"
"""A call is another one than the journal has."""
UNSETTLED = "E0722"
"""Nobody knows whether a call was carried out."""
NOT_KEPT = "E0723"
"""What a call was answered is not there any more, or never was."""

_MADE_AGAIN = (CallKind.CONTEXT_SET, CallKind.EVENT)
_decode = json.JSONDecoder().raw_decode
"""Rows have no spaces around them, which `json.loads` looks for."""
_OWN_BODY, _VALUE, _ERROR, _AT_CAPABILITY = "own body", "value", "error", "capability "


class ResumeError(RtfsError):
    """Why a run cannot be gone on with."""

    def __init__(self, code: str, problem: str, way_out: str) -> None:
        super().__init__(f"error[{code}]: {problem}\n  help: {way_out}")
        self.code = code
        self.problem = problem
        self.way_out = way_out


@attrs.frozen(slots=True)
class Assumed:
    """What somebody says of calls of which no end is known, by id."""

    done: Mapping[str, Any] = attrs.field(factory=dict)
    """They were carried out, with this answer: JSON-ready data, of the type that the call declares."""
    not_done: frozenset[str] = frozenset()
    """They were not, and are made again; "" stands for all others."""


NOTHING_ASSUMED = Assumed()


@attrs.define(slots=True, eq=False)
class PastCalls:
    """The calls of a run that were made before, for one process that goes on with it."""

    known: Unended
    assumed: Assumed = NOTHING_ASSUMED
    copies: bool = False
    """Whether what was answered is written down once more, as calls of another run than the one that is known."""
    told: int = 0
    """How many were answered from here."""
    _sites: dict[str, tuple[str, str] | None] = attrs.field(factory=dict, init=False)
    """By what the rows of the calls of one place begin with: their kind and name, if they succeeded or failed."""
    _last: tuple[int, int] | None = attrs.field(default=None, init=False)
    """Entry and number of the last call that is known."""
    arrived: Callable[[], None] | None = None
    """Called, once, when the first call comes that is not known: until then the program did what is written down."""

    def answer(self, call: HostCall, scope: RunScope, dispatcher: Dispatcher) -> Answer | Waiting | None:
        """Return what a call was answered before, None where it is to go its usual way.

        Raises:
            ResumeError: It is another call than the journal has, or cannot be settled. What else of the run is under
                way ends first: cut off, it would be asked for again, and may have been paid.
        """
        path = ".".join(map(str, call.path)) if call.branch else str(call.index)
        known = self.known.calls.get((scope.entry, scope.record, path))
        if known is not None and (quick := self._quickly(call, scope, known, path)) is not None:
            return quick
        try:
            return self._answer(call, scope, dispatcher)
        except ResumeError as error:
            chain, why = scope.chain, error
            if chain is None or not chain.under_way(()):
                raise
        opened = OpenCall.of(call, scope, dispatcher.clock.monotonic())
        return Waiting(lambda: dispatcher.approvals.waits.ending(opened, chain, why))

    def _answer(self, call: HostCall, scope: RunScope, dispatcher: Dispatcher) -> Answer | Waiting | None:
        if call.kind in _MADE_AGAIN:
            return self._again(call, scope, dispatcher)
        path = ".".join(map(str, call.path)) if call.branch else str(call.index)
        id_ = (scope.entry, scope.record, path)
        known = self.known.calls.get(id_)
        if known is None:
            arrived, self.arrived = self.arrived, None
            if arrived is not None:
                arrived()
            return None
        opened = OpenCall.of(call, scope, dispatcher.clock.monotonic())
        ended = known.ended
        row: Mapping[str, Any] = _decode(ended)[0] if ended is not None else known.begun or {}
        if row:
            self._compare(opened, row, dispatcher)
        if ended is None:
            return self._unsettled(known, opened, dispatcher) if known.begun is not None else None
        answer = self._told(opened, row, known, dispatcher)
        if answer is None:
            return None
        self.told += 1
        asked = self.known.consultations.get(id_, 0)
        return Counted(answer, asked) if asked else answer

    def _quickly(self, call: HostCall, scope: RunScope, known: Begun, path: str) -> Answer | None:
        """Answer a call that is as it was, where that is all: nobody asks for its marks or for what it rests on.

        None where there is more to it, or anything is not as usual: then it goes the long way, which says what differs.
        Its row is compared as a text, and no record is made.
        """
        text, usual, row = known.reply, known.usual, known.whole
        if text is None or self.copies or scope.floating is not None or scope.lineage is not None:
            return None
        if usual is not None:
            head, args = usual
        elif row is not None:
            head, _, rest = row.partition(ARGS)
            args = rest[:HEX]
        else:
            return None
        site = self._sites[head] if head in self._sites else self._site(head)
        name = call.capability if call.function is None else call.function.name
        if site is None or site[0] != call.kind._value_ or site[1] != name:
            return None
        if args != self.known.keys.value(digest(*call.args)):
            return None
        found = answer_of(text)
        if found.said:
            scope.metadata = DelegationMetadata(**found.said).over(scope.metadata)
        self.told += 1
        answer = reply(found.value) if found.error is None else Throw(found.error)
        asked = self.known.consultations.get((scope.entry, scope.record, path), 0) if self.known.consultations else 0
        return Counted(answer, asked) if asked else answer

    def _site(self, head: str) -> tuple[str, str] | None:
        """Return kind and name of what a row begins with, as `Maker.ended` writes it."""
        try:
            row = json.loads(head + "}")
        except ValueError:
            row = {}
        usual = row.get("outcome") in (_VALUE, _ERROR)
        found = self._sites[head] = (row["kind"], row["symbol"]) if usual else None
        return found

    def passed_over(self, call: HostCall, scope: RunScope) -> bool:
        """Tell whether a call was never made, and a later one of the run was: what it asked for was there already."""
        if (scope.entry, scope.record, str(call.index)) in self.known.calls:
            return False
        if self._last is None:
            self._last = max((_order(entry, path) for entry, _, path in self.known.calls), default=(0, 0))
        return (scope.entry or 0, call.index) < self._last

    @property
    def spent(self) -> Spending:
        """What the run's requests took: those that somebody says were not made, nothing."""
        done, others = self.assumed.not_done, "" in self.assumed.not_done
        back = (held for id_, held in self.known.held.items() if others or name_of(*id_) in done)
        return reduce(sub, back, self.known.spent)

    @property
    def left(self) -> bool:
        """Tell whether calls that were made before were not made again: the run has not come to where it was."""
        made = sum(each.is_over and "?" not in id_[2] for id_, each in self.known.calls.items())
        return self.told < made

    def consulted(self, scope: RunScope, path: str) -> str | None:
        """Return what a model said to a question of an engine, None where it was not asked."""
        known = self.known.calls.get((scope.entry, scope.record, path))
        if known is None or known.reply is None:
            return None
        said = answer_of(known.reply).value
        return said if isinstance(said, str) else None

    def waited(self, call: str) -> Mapping[str, Any] | None:
        """Return what is written of a wait that a process before has begun; None of one that begins here."""
        waits = (body for _, what, body, _ in self.known.notes if what == "waiting")
        return next((body for body in waits if body.get("call") == call), None)

    def promised(self, call: str) -> Mapping[str, Any] | None:
        """Return what is written of a job that was promised to answer a call, the last one; None where none was."""
        waits = (body for _, what, body, _ in reversed(self.known.notes) if what == "waiting" and "job" in body)
        return next((body for body in waits if body.get("call") == call), None)

    def taken(self) -> set[int]:
        """Return the positions of the words from outside that the run was given, by calls that have ended."""
        ended = {f"{self.known.facts.id}:{name_of(*id_)}" for id_, each in self.known.calls.items() if each.is_over}
        return {
            int(body["took"])
            for _, what, body, _ in self.known.notes
            if what == "control" and "took" in body and body.get("call") in ended
        }

    def _again(self, call: HostCall, scope: RunScope, dispatcher: Dispatcher) -> Answer | Waiting:
        """Let what only the run's own context knows happen again; nothing is written, and nobody is told."""
        if call.kind is CallKind.CONTEXT_SET:
            if (scope.entry, scope.record, ".".join(map(str, call.path))) not in self.known.calls:
                return dispatcher.answer(call, scope)
            opened = OpenCall.of(call, scope, 0.0)
            dispatcher.relabel(opened)
            scope.context[call.capability] = call.args[0]
            self._closed(opened, {})
            self.told += 1
            return reply(None)
        known = (scope.entry, scope.record, ".".join(map(str, call.path))) in self.known.calls
        self.told += known
        return reply(None) if known else dispatcher.answer(call, scope)

    def _compare(self, opened: OpenCall, row: Mapping[str, Any], dispatcher: Dispatcher) -> None:
        """See that a call is the one that is written down."""
        record, value = opened.record, self.known.keys.value
        here = (record.kind, record.symbol, value(opened.digest_args()))
        there = (row.get("kind"), row.get("symbol"), row.get("args"))
        if here != there:  # a name that the run's marks withhold stands so in the row
            dispatcher.relabel(opened)
            here = (record.kind, record.symbol, here[2])
        if here == there:
            return
        id_ = name_of(record.entry, record.record, record.path)
        what = f"({record.symbol} ...) at {record.place}"
        if here[:2] == there[:2]:
            problem = f"call {id_} is {what}, as it was, with other arguments"
        else:
            problem = f"call {id_} is {what}, and was ({row.get('symbol')} ...) at {row.get('place')}"
        raise ResumeError(
            DIVERGED,
            f"the run does not come to where it was: {problem}",
            "it is the first that differs: the program, its arguments or the configuration are not what they were; "
            f"`rtfs runs show {self.known.facts.id[:12]}` shows what was done; begin a new run",
        )

    def _told(self, opened: OpenCall, row: Mapping[str, Any], known: Begun, dispatcher: Dispatcher) -> Answer | None:
        """Return what is written down of a call's answer."""
        if row.get("outcome") == _OWN_BODY:
            dispatcher.relabel(opened)
            self._closed(opened, row)
            if self.copies:
                opened.close(dispatcher.clock.monotonic())
            return Locally()
        if known.reply is None:
            return self._lost(opened, row, dispatcher)
        found = answer_of(known.reply)
        dispatcher.relabel(opened)
        self._closed(opened, row)
        if found.said:
            opened.scope.metadata = DelegationMetadata(**found.said).over(opened.scope.metadata)
        if self.copies:
            opened.said = found.said or None
            opened.close(dispatcher.clock.monotonic(), found.value, answered=found.error is None, error=found.error)
        return Reply(found.value) if found.error is None else Throw(found.error)

    def _closed(self, opened: OpenCall, row: Mapping[str, Any]) -> None:
        """Count for the run what the answer brought: its marks, and that it rests on it."""
        record, scope = opened.record, opened.scope
        record.target = str(row.get("target") or record.kind)
        if scope.floating is not None:
            record.told = frozenset(map(str, row.get("brought") or ()))
            scope.floating.answered(record, opened.call.capability)
        if scope.lineage is not None and row.get("outcome") == _VALUE:
            received(opened)
            if row.get("cache"):
                scope.lineage.add(ANY)  # it came from memory, and what it rests on there is not in the row

    def _lost(self, opened: OpenCall, row: Mapping[str, Any], dispatcher: Dispatcher) -> Answer | None:
        """Settle a call that has ended and of whose answer nothing is kept: one that costs nothing is made again."""
        target = str(row.get("target") or "")
        if not self._lasted(opened, target, dispatcher):
            return None
        id_ = name_of(opened.record.entry, opened.record.record, opened.record.path)
        if id_ in self.assumed.done:
            dispatcher.relabel(opened)
            self._closed(opened, row)
            return reply(_typed(opened.call, self.assumed.done[id_], opened, dispatcher))
        if id_ in self.assumed.not_done or "" in self.assumed.not_done:
            return None
        raise ResumeError(
            NOT_KEPT,
            f"call {id_} of {opened.record.symbol} was answered by {target}, and the answer is not kept",
            "its marks forbid that, it held a secret, or somebody redacted it; "
            f"say what it was by `--assume {id_}=done --reply VALUE`; `--assume {id_}=not-done` asks again",
        )

    @staticmethod
    def _lasted(opened: OpenCall, target: str, dispatcher: Dispatcher) -> bool:
        """Tell whether a call may have cost or changed something."""
        if opened.call.kind is CallKind.CAPABILITY or target.startswith(_AT_CAPABILITY):
            return not _harmless(opened.call, (target,), dispatcher)
        known = _target(target, dispatcher)
        instance = None if known is None else dispatcher.pool.get(known)
        return instance is None or instance.costs

    def _unsettled(self, known: Begun, opened: OpenCall, dispatcher: Dispatcher) -> Answer | Waiting:
        """Settle a call that had begun, and of which nobody knows how it ended."""
        row = known.begun or {}
        record, call = opened.record, opened.call
        id_ = name_of(record.entry, record.record, record.path)
        text = str(row.get("target") or "")
        assumed = self.assumed
        if id_ in assumed.done:
            record.target = text
            said = _typed(call, assumed.done[id_], opened, dispatcher)
            dispatcher.relabel(opened)
            received(opened)
            opened.close(dispatcher.clock.monotonic(), said, answered=True)
            return reply(said)
        target = _target(text, dispatcher)
        if id_ in assumed.not_done or "" in assumed.not_done:
            return dispatcher.answer(call, opened.scope)
        again = _harmless(call, known.targets, dispatcher)
        if call.kind is not CallKind.CAPABILITY and not text.startswith(_AT_CAPABILITY):
            candidate = None if target is None else dispatcher.pool.candidate(target)
            again = again and candidate is not None and candidate.idempotent
        if not again and self.promised(reply_id(opened)) is None:
            raise ResumeError(
                UNSETTLED,
                f"call {id_} of {record.symbol} to {text} had begun, and nobody knows how it ended",
                f"find out, then go on with `--assume {id_}=done` (and what it answered: `--reply VALUE`) or "
                f"`--assume {id_}=not-done`, which makes it again; a target that may be asked twice is declared "
                "`idempotent = true`",
            )
        if target is None:
            return dispatcher.answer(call, opened.scope)
        return dispatcher.answer(call, opened.scope, Again(target, known.transform))


def _order(entry: int | None, path: str) -> tuple[int, int]:
    """Return the entry of a call and its number, or that of the call whose branch it is in."""
    number = path.split(".", 1)[0].partition("?")[0]
    return entry or 0, int(number) if number.isdigit() else 0


def _harmless(call: HostCall, targets: Iterable[str], dispatcher: Dispatcher) -> bool:
    """Tell whether all capabilities that a call has asked may be asked again: its own, and those that hints named."""
    named = [each.removeprefix(_AT_CAPABILITY) for each in targets if each.startswith(_AT_CAPABILITY)]
    named += [call.capability] if call.kind is CallKind.CAPABILITY else []
    return all(map(dispatcher.capabilities.idempotent, named))


def _typed(call: HostCall, data: Any, opened: OpenCall, dispatcher: Dispatcher) -> Any:
    """Return what somebody says that a call answered, as a value of the type that the call declares."""
    if call.kind is CallKind.CAPABILITY:
        entry = dispatcher.capabilities.entries.get(call.capability)
        type_ = None if entry is None else entry.returns
    else:
        type_ = None if call.function is None else call.function.returns
    if type_ is None:
        return from_plain(data)
    try:
        return from_json(type_, data, opened.lookup)
    except ProgramError as error:
        id_ = name_of(opened.record.entry, opened.record.record, opened.record.path)
        raise ResumeError(
            UNSETTLED, f"call {id_} cannot have answered that: {error}", "say what it answered"
        ) from error


def _target(text: str, dispatcher: Dispatcher) -> ExecTarget | None:
    """Return the target of a text, None for one that is not here."""
    return next((each for each in dispatcher.pool.all if show_target(each) == text), None)
