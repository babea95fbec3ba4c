"""Tickets: calls that answer later. `(ticket (f x))` hands the call over and goes on; `await` gives its answer.

A ticket's call has the id that the call itself would have there. A host that takes branches is handed the call once
(`CallKind.TICKET`) and is asked for it whenever somebody awaits it (`CallKind.AWAIT`, no call: nothing is counted or
numbered); any other host is asked at once, as if no ticket stood there. A function whose own body answers runs when it
is first awaited, once, as a run of its own (`Body`): its calls have ids below the ticket's, whoever awaits it, and
whoever awaits it pays for its steps. No run ends before all its tickets are settled.
"""

from __future__ import annotations

from itertools import chain
from sys import _getframe

from greenlet import getcurrent

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.depth import nested_calls
from rtfs_framework.kernel.faults import to_program_error
from rtfs_framework.kernel.host_table import HOST
from rtfs_framework.kernel.outcome import Complete, ExecutionOutcome, HostCall
from rtfs_framework.kernel.run import Run
from rtfs_framework.kernel.state import RUN_LOCALLY, Instead, RunState, aside, current, too_many_calls
from rtfs_framework.kernel.support import callable_of
from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.errors import Cancelled, LimitError, ProgramError
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.values import Ticket
from rtfs_framework.lang.vectors import GrownVector, List
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.callables import invoke
from rtfs_framework.stdlib.check import sequence
from rtfs_framework.stdlib.table import builtin, record_of
from rtfs_framework.stdlib.walker import fold, rebuilt

_COLLECTIONS = frozenset({tuple, GrownVector, List, Map, Set})
_STOPPED = "Cancelled: the run was stopped"


def ticket(function: Any, *args: Any) -> Ticket:
    """`(ticket (f x))`: the call of a function with arguments, which are evaluated already."""
    call, state = callable_of(function, len(args)), current()
    record = record_of(call)
    if getattr(call, "rtfs_asks", False) if record is None else record.effect is not None:
        state.later = True
        try:
            made = invoke(call, args)
        except ProgramError as error:  # it was never asked: it fails when it is awaited, as any other
            made = _placed(state)
            made.fail(error)
        finally:
            state.later = False
        if made.__class__ is not Ticket:  # it asked for something that nobody answers later
            answer, made = made, _placed(state)
            made.give(answer)
        return made
    made = _placed(state)
    made.at_home, made.body = True, lambda: invoke(call, args)
    return made


ticket.rtfs_asks = True  # type: ignore[attr-defined]


def _placed(state: RunState) -> Ticket:
    """Return a ticket that asks nobody: it takes a position, but is no request."""
    made = Ticket((*state.branch, state.count))
    state.count += 1
    state.most += 1
    state.joined -= 1
    made.place, made.hints = state.place(_getframe(1)), tuple(state.hints)
    state.tickets[made] = None
    return made


def handed_over(state: RunState, call: HostCall) -> Ticket:
    """Hand a call over to the host; any host that knows no tickets is asked at once."""
    state.later = False
    made = Ticket(call.path)
    made.call, made.place, made.hints = call, call.place, tuple(state.hints)
    state.tickets[made] = None
    if state.concurrent:
        getcurrent().parent.switch(records.evolve(call, kind=CallKind.TICKET, args=(made,)))  # type: ignore[union-attr]
    else:
        _ask(made)
    return made


def _ask(made: Ticket) -> None:
    """Ask the host for the call itself, and wait for its answer."""
    try:
        answer = getcurrent().parent.switch(made.call)  # type: ignore[union-attr]
    except ProgramError as error:
        made.fail(error)
        return
    if answer is RUN_LOCALLY or answer.__class__ is Instead:
        made.at_home, made.instead = True, getattr(answer, "body", None)
    else:
        made.give(answer)


def body_of(made: Ticket, function: Any, args: tuple[Any, ...]) -> Ticket:
    """Tell a ticket of a delegated function what answers it if nobody else does."""

    def body() -> Any:
        return invoke(function, args) if made.instead is None else made.instead.run(args, current())

    made.body = body
    return made


class Body(Run):
    """The run of a ticket's own body, driven like a branch; it may take what is left where it is first awaited."""

    leaves = False

    def __init__(self, made: Ticket, parent: RunState) -> None:
        calls = nested_calls(parent.artifact, _getframe())
        limits, depth = parent.limits, parent.limits.depth
        if depth is not None:
            limits = records.evolve(limits, depth=max(depth - calls, 1))
        super().__init__(parent.artifact, made.body, (), limits, parent.places, parent.gate, parent.meter.fork(calls))
        state = self._state
        state.tickets = parent.tickets
        state.branch = (*made.path, 0)
        state.scope = f"t{'.'.join(map(str, made.path))}."
        state.most = parent.most - parent.count
        state.hints = list(made.hints)
        state.fallback = made.place
        self._made = made

    def _enter(self, switch: Callable[[Any], Any], given: Any) -> ExecutionOutcome:
        """See `Run`; how the body ends, and what it took, is noted for its ticket."""
        made = self._made
        try:
            outcome = super()._enter(switch, given)
        except (ProgramError, LimitError) as error:
            self._note()
            if not self._state.closed:
                made.fail(error)
            raise
        if isinstance(outcome, Complete) and not self._state.closed:
            self._note()
            made.give(outcome.value)
        return outcome

    def _note(self) -> None:
        self._made.steps, self._made.calls = self.steps, self._made.calls + self.host_calls


def _here(state: RunState, made: Ticket) -> None:
    """Run a ticket's own body here, for a host that takes no branches."""
    outer = state.branch, state.count, state.joined, state.most, state.scope, state.symbols, state.hints
    state.most -= state.count
    state.branch, state.scope = (*made.path, 0), f"t{'.'.join(map(str, made.path))}."
    state.count = state.joined = state.symbols = 0
    state.hints = list(made.hints)
    try:
        made.give(made.body())
    except Exception as error:  # noqa: BLE001 - translated, and told to whoever awaits it
        made.fail(to_program_error(error, state.artifact))
    finally:
        used = state.count + state.joined
        state.branch, state.count, state.joined, state.most, state.scope, state.symbols, state.hints = outer
        state.joined += used
        state.most -= used


def settled(made: Ticket) -> None:
    """Wait until a ticket has its answer, and pay for it.

    Raises:
        Cancelled: the host has closed or cancelled the run.
        LimitError: answering it took more than was left.
    """
    state = current()
    if state.closed:
        raise Cancelled("the run was closed")
    if state.concurrent:
        aside(CallKind.AWAIT, "", (made,))
        driven = made.settled or made.at_home
        if not driven:
            _ask(made)  # its host takes branches, and knows no tickets
        if made.at_home and not made.settled and driven:
            made.run = made.run or Body(made, state)
            aside(CallKind.AWAIT, "", (made,))
        if not made.settled:
            _here(state, made)
        if (made.steps or made.calls) and state.branch not in made.paid:
            _pay(state, made)
    elif not made.settled:
        _here(state, made)
    state.tickets.pop(made, None)


def _pay(state: RunState, made: Ticket) -> None:
    made.paid.add(state.branch)
    state.joined += made.calls
    state.most -= made.calls
    if state.count > state.most:
        raise too_many_calls(state)
    state.meter.spend(made.steps)


def finish(state: RunState) -> None:
    """Settle what nobody has awaited, so that nothing is asked for and lost; errors of such calls are in the record."""
    while state.tickets:
        settled(next(iter(state.tickets)))


def give_up(state: RunState) -> None:
    """Settle what is left of a run that has failed."""
    for each in state.tickets:
        each.fail(ProgramError("Cancelled", _STOPPED))
    state.tickets.clear()


@builtin(
    "await",
    ("(await (ticket ((fn [x] (* 2 x)) 21)))", "42"),
    ("(await (ticket ((fn [x] (/ x 0)) 1)))", "!DivisionByZero"),
    ("(await 42)", "42"),
    doc="The answer of a ticket, waited for, or the error of its call; any other value is given as it is.",
    effect="ticket",
    table=HOST,
)
def awaited(value: Any) -> Any:
    """`(await ticket)`."""
    if value.__class__ is not Ticket:
        return value
    settled(value)
    error = value.error
    if error is None:
        return value.answer
    raise ProgramError.of(error.value) if isinstance(error, ProgramError) else error.with_traceback(None)


@builtin(
    "await-all",
    ("(await-all [(ticket ((fn [x] (inc x)) 1)) 5])", "[2 5]"),
    doc="The answers of tickets, in order; the first error in order is raised.",
    effect="ticket",
    table=HOST,
)
def await_all(tickets: ty.sequence) -> tuple[Any, ...]:
    """`(await-all tickets)`."""
    return tuple([awaited(each) for each in sequence("await-all", tickets)])


@builtin(
    "ticket?",
    ("(ticket? (ticket ((fn [] 1))))", "true"),
    ("(ticket? 1)", "false"),
    doc="Tell whether a value is a ticket: an answer that is waited for by await.",
    table=HOST,
)
def is_ticket(value: Any) -> bool:
    """`(ticket? value)`."""
    return value.__class__ is Ticket


def without(value: Any) -> Any:
    """Return a value that leaves the run, with the answers of the tickets in it in their places.

    Raises:
        ProgramError: the error of one of them.
    """
    if value.__class__ is Ticket:
        return awaited(value)
    return fold("ticket", value, awaited, _rebuilt) if _holds(value) else value


def _holds(value: Any) -> bool:
    """Tell whether there is a ticket in a value. No step is taken for that: it happens only where there are tickets."""
    todo: list[Any] = [value] if value.__class__ in _COLLECTIONS else []
    seen: set[int] = set()
    while todo:
        source = todo.pop()
        parts = chain.from_iterable(source.items()) if source.__class__ is Map else source
        for each in parts:
            if each.__class__ is Ticket:
                return True
            if each.__class__ in _COLLECTIONS and id(each) not in seen:
                seen.add(id(each))
                todo.append(each)
    return False


def _rebuilt(source: Any, parts: list[Any] | None) -> Any:
    return source if parts is None else rebuilt("ticket", source, parts)
