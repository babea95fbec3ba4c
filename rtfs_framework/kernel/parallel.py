"""Fan-outs: `step-parallel`, `pmap` and maps that ask the host, split into branches that may run at once.

In: how many branches there are and what each computes. Out: their values, in order, or the first failure in order. A
host that takes branches is handed `RequiresHosts`: it starts them in order, as many at a time as it likes, drives each
like a run of its own, and resumes the run when all that matter have ended. For any other host the branches run here,
one after the other. Both ways a program makes the same calls with the same ids (`HostCall.path`).

A branch has what its run has left of each limit when it starts; what it used is counted when those before it have
ended, so the first branch that goes beyond a limit is the same whatever the timing.
"""

from __future__ import annotations

from sys import _getframe

from greenlet import getcurrent

from rtfs_framework.kernel.depth import nested_calls
from rtfs_framework.kernel.meter import RunMeter
from rtfs_framework.kernel.outcome import Complete, ExecutionOutcome
from rtfs_framework.kernel.run import Run
from rtfs_framework.kernel.state import RunState, too_many_calls
from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Callable, Literal
from rtfs_framework.lang.errors import Cancelled, InternalError, LimitError, ProgramError
from rtfs_framework.lang.meter import watched

_NESTED = 64
"""Fan-outs inside each other; deeper ones are no fan-outs, and their calls are those of the branch they are in."""

Body = Callable[[int], Any]
MergePolicy = Literal["keep-existing", "overwrite", "merge"]
"""What happens to a context value that a branch has set when the branch ends and the host has one of that name: the
host's stays, the branch's takes its place, or both are maps and become one, in which the branch's entries win."""


def spread(count: int, body: Body, *, ordered: bool = False, policy: MergePolicy = "overwrite") -> list[Any]:
    """Return what `body` gives for 0, 1, ..., `count` - 1; the host may run them at once.

    With `ordered`, whoever watches must not see a difference from one after the other (`Branches.ordered`). `policy`
    says how the branches' context changes count.

    Raises:
        ProgramError, LimitError: of the first branch that fails; the branches after it are closed.
    """
    here = getcurrent()
    state: RunState | None = getattr(here, "state", None)
    if state is None or len(state.branch) >= 2 * _NESTED:  # outside a run there is no host
        return [body(item) for item in range(count)]
    if state.closed:
        raise Cancelled("the run was closed")
    number = state.count
    state.count += 1  # a fan-out takes a position, but is no request
    state.most += 1
    state.joined -= 1
    state.symbols += 1
    alone = count < 2 and policy == "overwrite"
    if alone or count == 0 or not state.concurrent:
        return _one_by_one(state, number, count, body)
    branches = state.fan_out = Branches(state, number, count, body, ordered=ordered, policy=policy)
    try:
        here.parent.switch(branches)  # type: ignore[union-attr]
        return branches.values()
    finally:
        state.fan_out = None


def _one_by_one(state: RunState, number: int, count: int, body: Body) -> list[Any]:
    outer = state.branch, state.count, state.joined, state.most, state.scope, state.symbols
    path, scope = (*state.branch, number), f"{state.scope}{state.symbols}."
    left, used, values = state.most - state.count, 0, []
    try:
        for item in watched(range(count)):
            state.branch, state.scope = (*path, item), f"{scope}{item}."
            state.count = state.joined = state.symbols = 0
            state.most = left - used
            try:
                values.append(body(item))
            finally:
                used += state.count + state.joined
    finally:
        state.branch, state.count, state.joined, state.most, state.scope, state.symbols = outer
        state.joined += used
        state.most -= used
    return values


class Branch(Run):
    """One branch, driven like a run of its own; `number` is its place among its siblings.

    A branch that ends without having asked for anything goes on as the one after it, so items that ask nothing cost no
    greenlets. Its number is settled by its first outcome that is no pause: it then is the branch of that number. (A
    host that steps each branch so far before it starts the next sees the numbers rise, and knows that those in between
    have ended.)
    """

    leaves = False

    def __init__(self, branches: Branches, number: int) -> None:
        parent = branches.state
        super().__init__(
            parent.artifact,
            self._through,
            (number,),
            branches.limits,
            parent.places,
            parent.gate,
            parent.meter.fork(branches.calls),
        )
        self.number = number
        self._branches = branches
        state = self._state
        state.branch = (*branches.path, number)
        state.scope = f"{branches.scope}{number}."
        state.most = branches.left
        state.tickets = parent.tickets
        state.hints = list(parent.hints)
        state.fallback = branches.place

    def _through(self, number: int) -> Any:
        """Compute an item, and those after it until one asks for something."""
        state, branches = self._state, self._branches
        while True:
            value = branches.body(number)
            if state.count or state.asked or not branches.go_on(self, value):
                return value
            number = self.number
            state.branch, state.scope = (*branches.path, number), f"{branches.scope}{number}."
            state.symbols = 0

    @property
    def settled(self) -> bool:
        """Tell whether it keeps its number: it has asked for something. One that has only paused may still go on."""
        return self._state.count > 0 or self._state.asked

    def close(self) -> None:
        """See `Run`; a branch that was closed has no outcome."""
        self._branches.abandon(self)
        super().close()

    def _enter(self, switch: Callable[[Any], Any], given: Any) -> ExecutionOutcome:
        """See `Run`; how the branch ends is noted for the run that it belongs to."""
        try:
            outcome = super()._enter(switch, given)
        except (ProgramError, LimitError) as error:
            if not self._state.closed:
                self._branches.settle(self, error=error)
            raise
        if isinstance(outcome, Complete) and not self._state.closed:
            self._branches.settle(self, outcome.value)
        return outcome


class Branches:
    """The branches of one fan-out, made when the host starts them."""

    def __init__(
        self, state: RunState, number: int, count: int, body: Body, *, ordered: bool, policy: MergePolicy
    ) -> None:
        self.state = state
        self.path = (*state.branch, number)
        self.scope = f"{state.scope}{state.symbols}."
        self.body = body
        self.ordered = ordered
        """Whether only calls that do not depend on order may overlap; any other waits for all earlier branches."""
        self.policy = policy
        self.place = state.place()
        self.calls = nested_calls(state.artifact, _getframe())
        """How many calls are under way where it began: a branch may nest as many less."""
        depth = state.limits.depth
        self.limits = state.limits if depth is None else records.evolve(state.limits, depth=max(depth - self.calls, 1))
        self._count = count
        self._next = 0
        self._first = 0
        """The first branch that has not ended."""
        self._open: dict[int, Branch] = {}
        self._ended: dict[int, tuple[int, RunMeter | None, BaseException | None]] = {}
        self._values: dict[int, Any] = {}
        self._failure: BaseException | None = None

    def __len__(self) -> int:
        return self._count

    @property
    def left(self) -> float:
        """How many requests a branch may make that starts now."""
        return self.state.most - self.state.count

    def start_next(self) -> Branch | None:
        """Return the next branch, not yet stepped; None when all have been started or an earlier one has failed."""
        if self._next >= self._count or self._failure is not None:
            return None
        branch = Branch(self, self._next)
        self._next += 1
        self._open[branch.number] = branch
        return branch

    def go_on(self, branch: Branch, value: Any) -> bool:
        """Let a branch that has asked for nothing be the next one too; False when there is none to be."""
        if self._next >= self._count or self._failure is not None:
            return False
        del self._open[branch.number]
        self._ended[branch.number] = (0, None, None)  # its steps are counted with those of the last
        self._values[branch.number] = value
        branch.number = self._next
        self._open[branch.number] = branch
        self._next += 1
        return True

    def settle(self, branch: Branch, value: Any = None, error: BaseException | None = None) -> None:
        """Note how a branch ended, and count what it used once all before it have ended.

        A host need say only that it ended one itself; otherwise the kernel knows.
        """
        number = branch.number
        self._open.pop(number, None)
        if number < self._first or number in self._ended:
            return
        self._ended[number] = (branch.host_calls, branch.meter, error)
        self._values[number] = value
        self._count_ended()

    def _count_ended(self) -> None:
        while self._failure is None and self._first in self._ended:
            calls, meter, failure = self._ended.pop(self._first)
            self._first += 1
            self._failure = self._count_in(calls, meter) or failure

    def abandon(self, branch: Branch) -> None:
        """Forget a branch that is closed before it ended."""
        self._open.pop(branch.number, None)

    def values(self) -> list[Any]:
        """Return the values in order.

        Raises:
            ProgramError, LimitError: the first failure in order.
            InternalError: the host resumed the run too early.
        """
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        if self._first != self._count:
            raise InternalError("the host resumed a run whose branches have not ended")
        return [self._values[number] for number in range(self._count)]

    def close(self) -> None:
        """Close what has not ended; nothing is started any more."""
        self._next = self._count
        while self._open:
            _, branch = self._open.popitem()
            branch.close()

    def _count_in(self, calls: int, meter: RunMeter | None) -> LimitError | None:
        state = self.state
        state.joined += calls
        state.most -= calls
        if state.count > state.most:
            return too_many_calls(state)
        try:
            if meter is not None:
                state.meter.join([meter])
        except LimitError as error:
            return error
        return None
