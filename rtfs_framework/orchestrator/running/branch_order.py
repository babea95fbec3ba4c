"""What branches that run at once do in order: calls that must not overlap, and context changes.

Each branch has a scope of its own. What a branch does is written down when it happens; its calls have ids that do not
depend on that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.lang.maps import Map
from rtfs_framework.orchestrator.recording.run_scope import RunScope
from rtfs_framework.orchestrator.recording.scope_parts import Ordering

if TYPE_CHECKING:
    import anyio

    from rtfs_framework.kernel.parallel import MergePolicy
    from rtfs_framework.orchestrator.recording.floating import Floating, Gathered


@attrs.define(slots=True, eq=False)
class BranchOrdering:
    """A branch of an ordered fan-out: its place is reached when all branches before it have ended, and its run's is."""

    order: Order
    number: int
    outer: Ordering | None

    def around(self, depth: int) -> Ordering | None:
        """Return the place of the branch around this one that lies at most so deep."""
        if self.order.depth <= depth:
            return self
        return None if self.outer is None else self.outer.around(depth)

    @property
    def reached(self) -> bool:
        """Tell whether whatever the branch does is in order."""
        return self.order.first >= self.number and (self.outer is None or self.outer.reached)

    async def wait(self) -> None:
        """Wait until it is reached; then it stays so."""
        if self.outer is not None:
            await self.outer.wait()
        await self.order.until(self.number)


@attrs.define(slots=True, eq=False)
class Order:
    """The order of one fan-out's branches."""

    parent: RunScope
    ordered: bool
    policy: MergePolicy = "overwrite"
    depth: int = 0
    """How many numbers the ids of its branches have."""
    first: int = 0
    """The first branch that has not ended."""
    last: int | None = None
    """The first branch that failed: what comes after it does not count."""
    _scopes: dict[int, RunScope] = attrs.field(factory=dict, init=False)
    _ended: set[int] = attrs.field(factory=set, init=False)
    _events: dict[int, anyio.Event] = attrs.field(factory=dict, init=False)
    _context: dict[str, Any] = attrs.field(init=False)
    _gathered: Gathered | None = attrs.field(init=False)
    """The marks that the branches were given."""

    @_gathered.default
    def _gather(self) -> Gathered | None:
        return None if self.parent.floating is None else self.parent.floating.branches()

    @_context.default
    def _as_it_was(self) -> dict[str, Any]:
        return {} if self.ordered else dict(self.parent.context)

    def scope(self, number: int) -> RunScope:
        """Return the scope of a branch. Unless order is kept, its context is its own until it ends."""
        parent = self.parent
        made = self._scopes[number] = RunScope(
            sink=parent.sink,
            chain=parent.chain,
            lookup=parent.lookup,
            context=parent.context if self.ordered else dict(self._context),
            entry=parent.entry,
            record=parent.record,
            run=parent.run,
            tenant=parent.tenant,
            seed=parent.seed,
            keep_digests=parent.keep_digests,
            keep_args=parent.keep_args,
            metadata=parent.metadata,
            calls=parent.calls,
            purse=parent.purse,
            journey=parent.journey,
            program=parent.program,
            past=parent.past,
            floating=None if self._gathered is None else self._branch(),
            lineage=None if parent.lineage is None else parent.lineage.branch(),
            ordering=BranchOrdering(self, number, parent.ordering) if self.ordered else parent.ordering,
        )
        return made

    def _branch(self) -> Floating | None:
        """Return the label of a branch that starts: its parent's, which waits for it."""
        floating = self.parent.floating
        if floating is None or self._gathered is None:
            return None
        return floating.branch(self._gathered, ordered=self.ordered)

    def join(self) -> None:
        """Count for the run what its branches were given: all have ended, or were stopped."""
        if self.parent.floating is not None and self._gathered is not None:
            self.parent.floating.join(self._gathered)

    def ended(self, number: int) -> None:
        """Note that a branch has ended; let count what now is in order."""
        self._ended.add(number)
        while self.first in self._ended:
            self._ended.remove(self.first)
            self._fold(self.first)
            self.first += 1
            waiting = self._events.pop(self.first, None)
            if waiting is not None:
                waiting.set()

    async def until(self, number: int) -> None:
        """Wait until all branches before one have ended."""
        import anyio

        if self.first < number:
            await self._events.setdefault(number, anyio.Event()).wait()

    def _fold(self, number: int) -> None:
        """Let the branch's context changes count, in the order of the branches and as the program's policy says."""
        scope = self._scopes.pop(number, None)
        if scope is None or self.ordered or (self.last is not None and number > self.last):
            return
        for name, value in scope.context.items():
            if name not in self._context or self._context[name] is not value:
                self._keep(name, value)

    def _keep(self, name: str, value: Any) -> None:
        context = self.parent.context
        if name not in context or self.policy == "overwrite":
            context[name] = value
        elif self.policy == "merge":
            there = context[name]
            both = isinstance(there, Map) and isinstance(value, Map)
            context[name] = Map.of((*there.items(), *value.items())) if both else value
