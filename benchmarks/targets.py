"""The targets: what was promised, what was measured, and whether that is enough.

In: comparisons of programs. Out: geometric means per peer and one `Target` for every promise that could be judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import geometric_mean

import attrs

from benchmarks.measure import Comparison

OFF, ON = "rtfs", "rtfs, limits"
AHEAD_OF = ("monty", "starlark")
"""Peers whose geometric mean RTFS must beat, limits on, over the programs that both run."""
AHEAD_ON_EACH = "basilisp"
GEOMETRIC = {OFF: 1.25, ON: 1.35}
"""The most that the geometric mean over all programs, typed ones among them, may be."""
MAPS = ("immutables", "pyrsistent")
"""Persistent maps used directly: RTFS's map update may take twice their time."""


@attrs.frozen(slots=True)
class Target:
    """One promise: `measured` must not be above `bound`."""

    name: str
    measured: float
    bound: float

    @property
    def met(self) -> bool:
        """Whether the promise is kept."""
        return self.measured <= self.bound

    def __str__(self) -> str:
        verdict = "met   " if self.met else "MISSED"
        return f"{verdict} {self.name}: {self.measured:.2f}x, at most {self.bound:.2f}x"


def ratio(comparison: Comparison, peer: str) -> float | None:
    """Return how many times Python's time a peer took, None when it did not run."""
    cell = comparison.cells.get(peer)
    return cell.ratio.value if cell and cell.ratio else None


def mean(comparisons: Sequence[Comparison], peer: str, *, beside: str | None = None) -> float | None:
    """Return a peer's geometric mean over what it runs, or over what it and another run."""
    ratios = [own for c in comparisons if (own := ratio(c, peer)) and (beside is None or ratio(c, beside) is not None)]
    return geometric_mean(ratios) if ratios else None


def targets(comparisons: Sequence[Comparison]) -> Iterator[Target]:
    """Yield every promise that the comparisons can judge."""
    for comparison in comparisons:
        program = comparison.program
        for peer, bound in ((OFF, program.target), (ON, program.target_metered)):
            if bound is not None and (measured := ratio(comparison, peer)) is not None:
                yield Target(f"{program.name}, {_limits(peer)}", measured, bound)
        yield from _against(comparison, MAPS, 2.0)
        yield from _against(comparison, (AHEAD_ON_EACH,), 1.0)
    if len(comparisons) < 2:  # one program has no mean worth the name
        return
    for peer, bound in GEOMETRIC.items():
        if (measured := mean(comparisons, peer)) is not None:
            yield Target(f"geometric mean, {_limits(peer)}", measured, bound)
    for peer in AHEAD_OF:
        own, theirs = mean(comparisons, ON, beside=peer), mean(comparisons, peer, beside=ON)
        if own and theirs:
            yield Target(f"geometric mean against {peer}, limits on", own / theirs, 1.0)


def _against(comparison: Comparison, peers: Sequence[str], bound: float) -> Iterator[Target]:
    for peer in peers:
        own, theirs = ratio(comparison, ON), ratio(comparison, peer)
        if own and theirs:
            yield Target(f"{comparison.program.name} against {peer}, limits on", own / theirs, bound)


def _limits(peer: str) -> str:
    return "limits off" if peer == OFF else "limits on"
