"""The meter of one run: counts its steps, and looks at the host's watch, the depth of calls and memory between them.

Steps are items of a C iterator that is bound to a global of the generated code: taking one costs about ten
nanoseconds, and only its end comes here (`refill`). It walks a tuple, so that it can be moved on by many at once.
All loops and functions of a run share the iterator; one that holds a used-up iterator while the global is fresh just
goes on. The last iterator is cut so that a run stops exactly.
"""

from __future__ import annotations

from _operator import length_hint
from sys import getallocatedblocks, getrefcount, getsizeof

from greenlet import getcurrent

from rtfs_framework.kernel.depth import Depth
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.measure import live, reachable
from rtfs_framework.kernel.outcome import PAUSED
from rtfs_framework.lang.annotations import Any, Callable, Protocol
from rtfs_framework.lang.errors import Cancelled, LimitError
from rtfs_framework.lang.meter import LARGE, Meter, V

CHUNK = 16_384
"""Steps between two looks at the watch."""

STEPS = "rt_steps"
"""The global of generated code that holds the running run's iterator."""

STEP_SIZE = 256
"""Bytes that a step is charged with until memory is measured."""

_SUMS = 16
"""Sums of large integers that a step may make."""

_FEWEST = 64
"""Steps that are granted at least."""

_BLOCK = 64
"""Bytes of a usual block."""

_LOOKS = 4
"""Looks at the limits between two looks at Python's blocks."""

_STRETCH = 64
"""Iterations of a loop that counts which are paid ahead at first."""

_OWN_REFERENCES = 3
"""References to a value that nobody else has: the list's, the loop's, and that of asking."""

_FIRST = 64
"""Steps up to the second look of a watch that tells the time; then ever more, as long as they take little of it."""

_LONG = 0.1
"""Seconds that there may be between two looks, unless a single step takes longer."""

Watch = Callable[[], "float | None"]
"""What the host does between steps, such as reading its clock; it ends the run by raising LimitError or Cancelled.

It may return the seconds that went by since it was asked before: then it is asked sooner when steps take long.
"""


class Steps(Protocol):
    """An iterator over a tuple."""

    def __next__(self) -> None: ...

    def __length_hint__(self) -> int: ...

    def __setstate__(self, place: int) -> None: ...


_ALL = (None,) * CHUNK


def steps_of(size: int) -> Steps:
    """Return an iterator of so many steps, at most `CHUNK`."""
    made: Any = iter(_ALL)
    made.__setstate__(CHUNK - size)
    steps: Steps = made
    return steps


class RunMeter(Meter):
    """Counts one run, or one branch of it."""

    __slots__ = (
        "_allowance",
        "_blocks",
        "_ceiling",
        "_chunk",
        "_counts",
        "_elapsed",
        "_extra",
        "_large",
        "_looks",
        "_measured",
        "_over",
        "_paused",
        "_step_size",
        "cancelled",
        "depth",
        "granted",
        "limits",
        "most",
        "names",
        "origin",
        "sliced",
        "steps",
        "watch",
    )  # fmt: skip

    def __init__(self, limits: Limits, names: dict[str, Any], watch: Watch | None = None) -> None:
        super().__init__(limits.items, limits.bits)
        self.limits = limits
        self.names = names
        self.watch = watch
        self.most = limits.steps
        """Steps that are allowed; a branch has what was left of its parent's."""
        self._counts = limits.metered
        self.granted = 0
        self.cancelled = False
        """Set from any thread; seen at the next look."""
        self.origin: RunMeter | None = None
        """The meter of the whole run, when this one counts a branch."""
        self.sliced = False
        """Whether the run hands itself back to its host now and then (`Paused`)."""
        self._paused = 0
        """Steps that were granted when it last did."""
        self.steps = steps_of(0)
        self._allowance = limits.memory or 0
        """Bytes that may be charged until memory is measured."""
        self._measured = 0
        """Steps when memory was last measured."""
        self._blocks = 0
        self._looks = 0
        self._large: list[Any] = []
        self._over: LimitError | None = None
        self._step_size = STEP_SIZE
        self._extra = 0
        """Bytes of large texts made since then, beyond what their steps were charged with."""
        self._chunk = self._ceiling = CHUNK
        self._elapsed: float | None = None
        """Seconds since the last refill, once the watch has told of any."""
        self.depth: Depth | None = None
        """The bound on nested calls, where it is counted."""

    @property
    def used(self) -> int:
        """Steps taken so far."""
        return self.granted - length_hint(self.steps)

    def look(self) -> None:
        """End the run if its host wants that.

        Raises:
            Cancelled: the host has cancelled the run.
            LimitError: what the watch raises.
        """
        if self.cancelled or (self.origin is not None and self.origin.cancelled):
            raise Cancelled("the run was cancelled")
        if self.watch is not None:
            seconds = self.watch()
            if seconds is not None:
                if self._elapsed is None:
                    self._elapsed, self._chunk = 0.0, _FIRST
                self._elapsed += seconds

    def refill(self) -> None:
        """Go on with the next steps when the last are used up.

        Raises:
            Cancelled, LimitError: the run ends here.
        """
        if not length_hint(self.steps):
            self.look()
            if self._elapsed is not None:
                self._pace(self._elapsed)
            if self.sliced and self.granted - self._paused >= CHUNK:
                self._pause()
            if self.limits.memory is not None:
                self._weigh()
            size = min(self._chunk, self._ceiling)
            size = size if self.most is None else min(size, self.most - self.granted)
            if self._step_size > STEP_SIZE:
                size = min(size, max(self._allowance // self._step_size, _FEWEST))
            if size <= 0:
                most = self.limits.steps or 0
                self._over = self._over or LimitError("steps", most, f"more than {most} steps")
                raise self._over.with_traceback(None)  # see `Depth._error`
            if self.depth is not None:
                size = min(size, self.depth.room())
            self.granted += size
            self.steps = steps_of(size)
        self.names[STEPS] = self.steps

    def _pause(self) -> None:
        """Let the host do something else; without a clock, where this happens depends on the program's steps alone."""
        here = getcurrent()
        if getattr(here, "meter", None) is self:  # not the host, which counts what branches took
            self._paused = self.granted
            here.parent.switch(PAUSED)  # type: ignore[union-attr]
            self.look()
            if self._elapsed is not None:
                self._elapsed = 0.0  # the host's time is no step's

    def _pace(self, seconds: float) -> None:
        """Grant fewer steps if the last took long: how long one takes depends on what it does."""
        if seconds > _LONG:
            self._chunk = max(int(self._chunk * _LONG / (2 * seconds)), _FEWEST)
        elif seconds < _LONG / 4:
            self._chunk = min(2 * self._chunk, CHUNK)
        self._elapsed = 0.0

    def spend(self, steps: int) -> None:
        """Take many steps at once; code that takes none by itself is not counted at all."""
        if not self._counts:
            return
        while steps:
            steps -= self.take(steps)

    def take(self, most: int) -> int:
        """Take as many steps as there are before the next look, but at least one, and tell how many."""
        left = length_hint(self.steps)
        if not left:
            self.refill()
            left = length_hint(self.steps)
        taken = min(left, most)
        self.steps.__setstate__(CHUNK - left + taken)
        return taken

    def _weigh(self, coming: int = 0) -> None:
        """Measure memory if as much may have been used as was left; `coming` bytes are going to be.

        Steps are charged with what usual code allocates in one. Code may allocate more: a few dozen dicts, say. So now
        and then Python is asked how many blocks it has given out (the whole process counts, but this only says when to
        measure, never what is measured).

        Raises:
            LimitError: the program's values take more than they may.
        """
        most = self.limits.memory or 0
        self._looks += 1
        due = (self.granted - self._measured) * self._step_size + self._extra + coming > self._allowance
        if not due and self._looks % _LOOKS == 0:
            due = (getallocatedblocks() - self._blocks) * _BLOCK > self._allowance
        if not due:
            return
        self._drop_unused()
        used, looked_into = live((*reachable(self.names), *self._large), most, self.look)
        if used + coming > most:
            raise LimitError("memory", most, f"more than {most} bytes of memory")
        # So many steps at least that measuring takes no more time than they do.
        self._allowance = max(most - used, most // 4, looked_into // 4 * STEP_SIZE)
        self._measured, self._extra = self.granted, 0
        self._blocks = getallocatedblocks()

    def reserve(self, size: int) -> None:
        """See `Meter`: a large value is refused before it is built."""
        if self.limits.memory is not None:
            self._weigh(size)

    def large_integers(self, bits: int) -> None:
        """See `Meter`: from now on a step is charged with sums of such integers."""
        size = STEP_SIZE + _SUMS * (bits >> 3)
        if self.limits.memory is not None and size > 2 * self._step_size:
            self._step_size = size
            self.granted -= length_hint(self.steps)  # what was granted was charged too little: it is taken back
            self.steps.__setstate__(CHUNK)

    def keep(self, value: Any) -> None:
        """See `Meter`. Where there are long texts, a step may compare some: it is looked more often."""
        if value.__class__ is str:
            self._ceiling = max(min(self._ceiling, CHUNK * LARGE // len(value)), _FEWEST)
        if self.limits.memory is not None:
            self._drop_unused()
            self._large.append(value)
            if value.__class__ is str:
                self._extra += max(getsizeof(value) - len(value), 0)

    def each(self, count: int, call: Callable[[int], V]) -> list[V]:
        """See `Meter`."""
        from rtfs_framework.kernel.parallel import spread  # its branches have meters

        return spread(count, call, ordered=True)

    def _drop_unused(self) -> None:
        self._large[:] = [each for each in self._large if getrefcount(each) > _OWN_REFERENCES]

    def fork(self, calls: int = 0) -> RunMeter:
        """Return the meter of a branch that runs beside others: it may take what is left where so many calls nest."""
        made = RunMeter(self.limits, self.names, self.watch)
        made.origin = self.origin or self
        made.sliced = self.sliced
        if self.depth is not None:
            made.depth = self.depth.less(calls)
        made.most = None if self.most is None else self.most - self.used
        return made

    def join(self, branches: list[RunMeter]) -> None:
        """Count what branches took, in their order; how they were interleaved makes no difference.

        Raises:
            LimitError: together they took more than was left.
        """
        self.spend(sum(branch.used for branch in branches))


def helpers(names: dict[str, Any]) -> dict[str, Any]:
    """Return what generated code calls when its iterator is used up; `names` are that code's globals."""

    def refill() -> None:
        """Refill before the next iteration of a loop, which takes its step itself."""
        found = getattr(getcurrent(), "meter", None)
        if found is None:  # a function value that the host calls by itself
            names[STEPS] = steps_of(CHUNK)
            return
        found.refill()
        names[STEPS] = found.steps

    def step() -> None:
        """Refill and take a step."""
        refill()
        next(names[STEPS])

    def spend(steps: int) -> None:
        found = getattr(getcurrent(), "meter", None)
        if found is not None:
            found.spend(steps)

    def ahead(start: int, at: int, bound: int, step: int) -> int:
        """Take the steps of the next iterations of a loop that counts, and return where it must ask again.

        A loop that fails has paid for at most `_STRETCH` iterations, or three times as many as it has made, too many.
        """
        found = getattr(getcurrent(), "meter", None)
        if found is None:
            return bound
        left = -((at - bound) // step)
        most = 3 * ((at - start) // step) if at != start else _STRETCH
        taken = found.take(min(most, left))
        names[STEPS] = found.steps
        return bound if taken == left else at + taken * step

    return {
        STEPS: steps_of(0), "rt_refill": refill, "rt_step": step, "rt_spend": spend, "rt_ahead": ahead
    }  # fmt: skip
