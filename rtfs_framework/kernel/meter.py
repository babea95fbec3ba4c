"""The meter of one run: counts its steps, looks at the host's watch, and triggers measurements of memory.

Steps are items of a C iterator that is bound to a global of the generated code: taking one costs about ten
nanoseconds, and only its end comes here (`refill`). All loops and functions of a run share the iterator; one that holds
a used-up iterator while the global is fresh just goes on. The last iterator is cut so that a run stops exactly.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import islice, repeat
from operator import length_hint
from typing import Any

from greenlet import getcurrent

from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.errors import Cancelled, LimitError
from rtfs_framework.lang.meter import Meter

CHUNK = 16_384
"""Steps between two looks at the watch."""

STEPS = "rt_steps"
"""The global of generated code that holds the running run's iterator."""

Watch = Callable[[], None]
"""What the host does between steps, such as reading its clock; it ends the run by raising LimitError or Cancelled."""


class RunMeter(Meter):
    """Counts one run, or one branch of it."""

    __slots__ = ("cancelled", "granted", "limits", "most", "names", "origin", "steps", "watch")

    def __init__(self, limits: Limits, names: dict[str, Any], watch: Watch | None = None) -> None:
        super().__init__(limits.items, limits.bits)
        self.limits = limits
        self.names = names
        self.watch = watch
        self.most = limits.steps
        """Steps that are allowed; a branch has what was left of its parent's."""
        self.granted = 0
        self.cancelled = False
        """Set from any thread; seen at the next look."""
        self.origin = self
        """The meter of the whole run, which is this one unless it counts a branch."""
        self.steps: repeat[None] = repeat(None, 0)

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
        if self.cancelled or self.origin.cancelled:
            raise Cancelled("the run was cancelled")
        if self.watch is not None:
            self.watch()

    def refill(self) -> None:
        """Go on with the next steps when the last are used up.

        Raises:
            Cancelled, LimitError: the run ends here.
        """
        if not length_hint(self.steps):
            self.look()
            size = CHUNK if self.most is None else min(CHUNK, self.most - self.granted)
            if size <= 0:
                most = self.limits.steps or 0
                raise LimitError("steps", most, f"more than {most} steps")
            self.granted += size
            self.steps = repeat(None, size)
        self.names[STEPS] = self.steps

    def spend(self, steps: int) -> None:
        """Take many steps at once."""
        while steps:
            left = length_hint(self.steps)
            if not left:
                self.refill()
                continue
            deque(islice(self.steps, steps), 0)
            steps -= min(left, steps)

    def fork(self) -> RunMeter:
        """Return the meter of a branch that runs beside others: it may take the steps that are left here."""
        made = RunMeter(self.limits, self.names, self.watch)
        made.origin = self.origin
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
        """Refill before the next round of a loop, which takes its step itself."""
        found = getattr(getcurrent(), "meter", None)
        if found is None:  # a function value that the host calls by itself
            names[STEPS] = repeat(None, CHUNK)
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

    return {STEPS: repeat(None, 0), "rt_refill": refill, "rt_step": step, "rt_spend": spend}
