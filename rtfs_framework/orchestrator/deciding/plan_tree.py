"""Plans of one function under one policy, found by the reads that made them.

A node names the next read, an edge is its key, a leaf holds a plan's place in the L1 layer. A look-up makes the reads
that the decision would make, and no others: a plan that read nothing but free items costs one look-up. So a plan is
served only while everything that it read is unchanged, and what changes back finds its old plan again.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.orchestrator.deciding.readings import reader_of
from rtfs_framework.orchestrator.deciding.signals import NO_SIGNALS, Signals

if TYPE_CHECKING:
    from rtfs_framework.api.cache import CacheKey
    from rtfs_framework.api.plans import DelegationPlan
    from rtfs_framework.orchestrator.deciding.facts import Read
    from rtfs_framework.orchestrator.deciding.reads import Reader, Reads
    from rtfs_framework.orchestrator.recording.records import Decision


@attrs.define(slots=True, eq=False)
class Leaf:
    """A plan's place."""

    key: CacheKey
    provisional: DelegationPlan | None = None
    """The plan, until a call has succeeded on it."""
    silent: Decision | None = None
    """What is decided where the engine has no opinion; it needs no place in the layer."""
    made: Decision | None = None
    """What decided the plan."""
    hit: tuple[DelegationPlan, Decision] | None = None
    """The latest plan that was found in the layer, and the decision that was made from it."""


@attrs.define(slots=True, eq=False)
class _Node:
    read: Read
    reader: Reader | None
    """Makes the read again; None where only the reads of the decision can."""
    edges: dict[Hashable, _Node | Leaf] = attrs.field(factory=dict)


@attrs.define(slots=True, eq=False)
class PlanTree:
    """The plans of one function."""

    signals: Signals = NO_SIGNALS
    """Those of the host that decides: nodes are bound to them, so a look-up goes to what measures them at once."""
    _root: _Node | Leaf | None = None

    @property
    def only(self) -> Leaf | None:
        """The leaf of all calls, where decisions read nothing of them."""
        root = self._root
        return root if isinstance(root, Leaf) else None

    def find(self, reads: Reads) -> Leaf | None:
        """Return the leaf to which a call's reads lead, None when there is none."""
        at, seen = self._root, []
        while isinstance(at, _Node):
            reader = at.reader
            if reader is None:
                key = reads.look(at.read)[0]
            else:
                found = reader(reads)
                seen.append((at.read, found))
                key = found[0]
            at = at.edges.get(key)
        if at is None:
            reads.looked.update(seen)  # the decision that follows need not make them again
        return at

    def add(self, noted: dict[Read, Hashable], leaf: Leaf) -> bool | None:
        """Put a leaf where these reads lead; tell whether there was none before, None where the engine is not pure.

        Two different next reads after equal ones prove that it is not: something else than its reads decided.
        """
        path = list(noted.items())
        if not path:
            if isinstance(self._root, _Node):
                return None
            new, self._root = self._root is None, leaf
            return new
        if self._root is None:
            self._root = self._node(path[0][0])
        at: _Node | Leaf = self._root
        *before, (last, last_key) = path
        for place, (read, key) in enumerate(before):
            if not isinstance(at, _Node) or at.read != read:
                return None
            below = at.edges.get(key)
            if below is None:
                below = at.edges[key] = self._node(path[place + 1][0])
            at = below
        if not isinstance(at, _Node) or at.read != last:
            return None
        there = at.edges.get(last_key)
        if isinstance(there, _Node):
            return None
        at.edges[last_key] = leaf
        return there is None

    def _node(self, read: Read) -> _Node:
        return _Node(read, reader_of(read, self.signals))
