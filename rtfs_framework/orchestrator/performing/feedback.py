"""`(call :host.feedback {:of "f" :value 0.7})`: a program says what the latest answer of a function was worth.

In: a call of the capability. Out: nil, and a row of feedback for those that learn. A program speaks of calls of its own
run alone, of each once, and only where the configuration grants `host.feedback`: what it says moves later calls.

The latest call is that which comes last by its id, among those before this one in its own line: what other branches of
a fan-out ask at the same time has no say in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import attrs

from rtfs_framework.api.capability import CapabilityEntry, CapabilityRequest
from rtfs_framework.api.labels import PUBLIC
from rtfs_framework.api.values import Clock
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword, Symbol
from rtfs_framework.orchestrator.boundary.answers import Answer, Reply, Throw
from rtfs_framework.orchestrator.config.security import FEEDBACK
from rtfs_framework.orchestrator.recording.journal.feedback import checked_value, of_record
from rtfs_framework.orchestrator.recording.similar_mark import served_of

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.events import EventBus
    from rtfs_framework.orchestrator.recording.records import CallRecord
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall
    from rtfs_framework.orchestrator.remembering.similar import Similar

_USAGE = f'(call :{FEEDBACK} {{:of "function" :value :good}}), where :value is :good, :bad or a number from 0 to 1'


class Hears(Protocol):
    """Learns from feedback where no journal is written."""

    def rated(self, record: CallRecord, value: float) -> None:
        """Learn what somebody said of a call."""
        ...


@attrs.frozen(slots=True, eq=False)
class Heard:
    """Who hears what programs say: those that learn, and the layer that answered by a similar request's reply."""

    learning: Hears
    similar: Similar | None = None

    def served(self, record: CallRecord, value: float) -> None:
        """Tell the layer, where it answered the call. It may wait for its file."""
        if self.similar is not None:
            self.similar.rated(served_of(record.similar), value)


@attrs.frozen(slots=True, eq=False)
class FeedbackDesk:
    """Takes what programs say."""

    clock: Clock
    hears: Heard
    events: EventBus

    def answer(self, opened: OpenCall) -> Answer:
        """Take one word, and write the call down."""
        try:
            self._take(opened)
        except ProgramError as error:
            opened.close(self.clock.monotonic(), error=error)
            return Throw(error)
        opened.close(self.clock.monotonic(), None, answered=True)
        return Reply(None)

    def _take(self, opened: OpenCall) -> None:
        name, value = _said(opened.call.args)
        scope = opened.scope
        found = None if scope.calls is None else _latest(scope.calls.made, name, opened)
        if scope.calls is None or found is None:
            raise _wrong(f"no call of '{name}' was decided in this run before; {_USAGE}")
        if found.order in scope.calls.rated:
            raise _wrong(f"the latest call of '{name}' was rated already: a program says it once")
        scope.calls.rated.add(found.order)
        self.hears.served(found, value)
        if scope.chain is None:
            self.hears.learning.rated(found, value)
        else:
            scope.chain.rate(of_record(found, value, "program", self.clock.now()))
        if self.events.active:
            about = {
                "run": scope.run,
                "tenant": scope.tenant,
                "symbol": name,
                "path": found.path,
                "target": found.target,
            }
            own = PUBLIC if found.labelled is None else found.labelled.seen
            self.events.emit("call.rated", {**about, "value": value}, opened.labels | own)


def feedback_entry() -> CapabilityEntry:
    """Return the capability, for whoever lists what programs may call."""
    return CapabilityEntry(
        id=FEEDBACK, summary="Says what the latest answer of a function was worth: engines that learn hear it.",
        handler=_nobody, effects=("learning",),
    )  # fmt: skip


def _nobody(_request: CapabilityRequest) -> Any:
    raise AssertionError("the host answers this itself")


def _said(args: tuple[Any, ...]) -> tuple[str, float]:
    given = args[0] if len(args) == 1 else None
    if not isinstance(given, Map):
        raise _wrong(f"feedback is one map: {_USAGE}")
    unknown = [key for key in given if key not in (_OF, _VALUE)]
    name, value = given.get(_OF), given.get(_VALUE)
    name = name.name if isinstance(name, Symbol | Keyword) else name
    if unknown or not isinstance(name, str):
        raise _wrong(f"feedback names a function (:of) and what its answer was worth (:value): {_USAGE}")
    try:
        return name, checked_value(value.name if isinstance(value, Keyword) else value)
    except ValueError as error:
        raise _wrong(f"{error}; {_USAGE}") from None


_OF, _VALUE = Keyword("of"), Keyword("value")


def _latest(made: list[CallRecord], name: str, opened: OpenCall) -> CallRecord | None:
    """Return the last call of a function in the line of a call, by their ids."""
    own, branch = opened.record.order, opened.record.branch
    found: CallRecord | None = None
    for each in made:
        if each.symbol == name and each.decision is not None and each.part == 0 and each.order < own:
            shared = min(len(branch), len(each.branch))
            if each.branch[:shared] == branch[:shared] and (found is None or each.order > found.order):
                found = each
    return found


def _wrong(message: str) -> ProgramError:
    return ProgramError("InvalidArgument", f"{FEEDBACK}: {message}")
