"""A run: one execution in a greenlet, stepped by its driver. It yields host calls and is resumed with their answers."""

from __future__ import annotations

from sys import getrecursionlimit, setrecursionlimit, version_info

from greenlet import GreenletExit, getcurrent

from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.meter import STEPS, RunMeter, Watch
from rtfs_framework.kernel.outcome import (
    PAUSED,
    Complete,
    ExecutionOutcome,
    HostCall,
    Paused,
    RequiresHosts,
    requires_host,
)
from rtfs_framework.kernel.output import bounded_output
from rtfs_framework.kernel.state import LEFT, RUN_LOCALLY, RunGreenlet, RunState, root, too_many_calls
from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import TYPE_CHECKING, Any, Callable
from rtfs_framework.lang.errors import Cancelled, InternalError, LimitError, ProgramError
from rtfs_framework.lang.recursion import give_room_back, room_is_held, take_room
from rtfs_framework.lang.values import Ticket

if TYPE_CHECKING:
    from rtfs_framework.kernel.seat import Seat
    from rtfs_framework.lang.codegen.artifact import Artifact
    from rtfs_framework.lang.source import Place

_MARGIN = 500
"""Python frames that the driver and the library may use above the program's own."""

_FRAMES_PER_CALL = 8
"""Python frames that a call may take which goes through the library."""

_ENDED = RunGreenlet()
"""Stands for the greenlet of a run that has left it to others."""

_DEEPEST = 12_000 if version_info < (3, 11) else 1_000_000
"""Python frames at most. Python 3.10 keeps calls on the C stack, and the process dies at 19,000."""


class Run:
    """One execution. Use `step` once, then `resume`, `throw` or `resume_locally` until `Complete`.

    All of them raise ProgramError when the program fails, and LimitError when a limit stops it.
    """

    leaves = True
    """Whether the value leaves for the host; that of a branch does not."""

    def __init__(
        self,
        artifact: Artifact,
        function: Any,
        args: tuple[Any, ...],
        limits: Limits,
        places: dict[int, Place | None],
        gate: list[None],
        meter: RunMeter,
        seat: Seat | None = None,
    ) -> None:
        """Make a run; who holds the `gate` may run it, and the `meter` knows the globals of its code.

        It takes the `seat`, which is of the thread that is going to run it, until it ends.
        """
        self._artifact = artifact
        self._function = function
        self._args = args
        self._limits = limits
        self._names = meter.names
        self._gate = gate
        self._state = RunState(artifact, limits, places, meter)
        self._state.gate = gate
        self._meter = meter
        self._seat = seat
        self._greenlet = RunGreenlet(self._main) if seat is None else seat.take(self._main)
        self._greenlet.state = self._state
        self._greenlet.meter = self._meter
        self._switch = self._greenlet.switch
        self._started = False
        self.frames = frames_of(limits, counted=self._meter.depth is not None)
        """How deep Python's stack may be while the run computes."""

    def step(self, *, concurrent: bool = False, sliced: bool = False) -> ExecutionOutcome:
        """Start the run; return its first outcome.

        With `concurrent` the host says that it takes several branches at once (`RequiresHosts`). Without, branches run
        one after the other, and their calls have the same ids. With `sliced` the run hands itself back (`Paused`)
        after every 16,384 steps that asked for nothing; its values, steps and calls are the same.
        """
        if self._started:
            raise InternalError("the run was started before")
        self._started = True
        self._state.concurrent = concurrent
        self._meter.sliced = sliced or self._meter.sliced
        return self._enter(self._switch, None)

    def resume(self, value: Any) -> ExecutionOutcome:
        """Answer the waiting host call with a value."""
        if not self._greenlet:
            raise self._not_waiting()
        return self._enter(self._switch, value)

    def resume_locally(self) -> ExecutionOutcome:
        """Answer a delegated call by running the function's own body."""
        return self.resume(RUN_LOCALLY)

    def throw(self, error: ProgramError) -> ExecutionOutcome:
        """Answer the waiting host call with an error, which the program may catch.

        It is one of the host's, unless it says that the program is to blame.
        """
        if not self._greenlet:
            raise self._not_waiting()
        if error.value.of_host is None:
            error.value = records.evolve(error.value, of_host=True)
        return self._enter(self._greenlet.throw, error)

    def count_calls(self, calls: int) -> None:
        """Count calls that the host made on the run's behalf, as if the run had made them.

        Raises:
            LimitError: They are more than it may make.
        """
        state = self._state
        state.joined += calls
        state.most -= calls
        if state.count > state.most:
            raise too_many_calls(state)

    def close(self) -> None:
        """Abandon the run; its `finally` blocks run, but can no longer reach the host.

        From another thread than the run's, or while a run of the same program computes, they run when the run is freed.
        """
        self._state.closed = True
        self._meter.cancelled = True  # a loop in a `finally` block ends too
        if self._greenlet and self._gate and root(self._greenlet) is root(getcurrent()):
            try:
                self._enter(self._greenlet.throw, GreenletExit)
            except (ProgramError, LimitError, Cancelled):
                return

    def cancel(self) -> None:
        """Let the run end in Cancelled soon. May be called from any thread, also while the run is under way."""
        self._meter.cancelled = True

    @property
    def watch(self) -> Watch | None:
        """What the host looks at between steps."""
        return self._meter.watch

    @property
    def meter(self) -> RunMeter:
        """What counts its steps."""
        return self._meter

    @property
    def steps(self) -> int:
        """How many steps the run has taken (see `Limits`); 0 when it was compiled without."""
        return self._meter.used

    @property
    def symbols(self) -> int:
        """How many symbols `gensym` has made; a macro's run starts where the one before ended."""
        return self._state.symbols

    @symbols.setter
    def symbols(self, count: int) -> None:
        self._state.symbols = count

    @property
    def host_calls(self) -> int:
        """How many host calls the run has made."""
        return self._state.count + self._state.joined

    def _not_waiting(self) -> InternalError:
        return InternalError("the run does not wait for its host")

    def _enter(self, switch: Callable[[Any], Any], given: Any) -> ExecutionOutcome:
        """Switch into the run and return what it hands out; its bound on depth holds while it runs, and only then."""
        greenlet = self._greenlet
        here = getcurrent()
        if self._state.fan_out is not None:
            self._state.fan_out.close()
        try:
            self._gate.pop()
        except IndexError:
            raise InternalError("a program is run by one thread at a time; load it once per thread") from None
        self._names[STEPS] = self._meter.steps
        if greenlet.parent is not here:
            greenlet.parent = here
        before, wanted = getrecursionlimit(), self.frames
        lowers = before > wanted and not room_is_held()
        if lowers:
            setrecursionlimit(wanted)
        elif before < wanted:
            take_room(wanted)
        try:
            handed = switch(given)
        finally:
            self._gate.append(None)
            if lowers:
                setrecursionlimit(before)
            elif before < wanted:
                give_room_back(wanted)
        if not greenlet:
            return Complete(handed)
        if handed is LEFT:
            self._greenlet = _ENDED
            return Complete(self._seat.leave(greenlet))  # type: ignore[union-attr, arg-type]
        if handed.__class__ is Paused:
            return PAUSED
        return requires_host(handed) if handed.__class__ is HostCall else RequiresHosts(handed)

    def _main(self, _begin: None) -> Any:
        function, self._function = self._function, None  # a branch's refers to it: none is left to the collector
        try:
            value = function(*self._args)
            return self._leaving(value) if self.leaves else value
        except LimitError as error:
            made = self._stack_ends() if error.dimension == "depth" and not error.limit else error
            raise self._located(made, error) from None
        except RecursionError as error:
            raise self._located(self._stack_ends(), error) from None
        except Exception as error:  # noqa: BLE001 - translated, never swallowed
            from rtfs_framework.kernel.faults import to_program_error

            raise to_program_error(error, self._artifact) from None
        finally:
            if self.leaves and self._state.tickets:
                from rtfs_framework.kernel.tickets import give_up

                give_up(self._state)

    def _leaving(self, value: Any) -> Any:
        """Return the value as it leaves the run: all calls have their answers."""
        if Ticket.used:
            from rtfs_framework.kernel.tickets import finish, without

            finish(self._state)
            value = without(value)
        return bounded_output(value, self._limits.output)

    def _located(self, made: LimitError, error: Exception) -> LimitError:
        """Return a limit's error with the place at which what was raised stood."""
        from rtfs_framework.kernel.faults import locate_limit

        return locate_limit(made, error.__traceback__, self._artifact)

    def _stack_ends(self) -> LimitError:
        """Return the error of calls that nest deeper than Python lets them."""
        most = self._limits.depth
        if most is not None and self._meter.depth is None:
            return LimitError("depth", most, f"Maximum recursion depth ({most}) exceeded")
        text = f"calls nest deeper than the stack of Python {version_info[0]}.{version_info[1]} allows"
        return LimitError("depth", most or self.frames, text)


def frames_of(limits: Limits, *, counted: bool) -> int:
    """Return how deep Python's stack may be: where calls are counted, library functions between them get room."""
    most = _DEEPEST if limits.depth is None else limits.depth
    return min(_FRAMES_PER_CALL * most if counted else most, _DEEPEST) + _MARGIN
