"""By which way a source comes to a place. Asked for when somebody looks: few do."""

from __future__ import annotations

from collections import deque

from rtfs_framework.lang.annotations import Callable
from rtfs_framework.lang.flows.state import State, Unit
from rtfs_framework.lang.source import Span


def ways(state: State) -> Callable[[str, int], tuple[str, ...]]:
    """Return a function of a site and a source's number: the places by which it comes, the site last."""

    def way(text: str, number: int) -> tuple[str, ...]:
        site, bit = state.sites[text], 1 << number
        if site.arguments & bit:
            return (text,)
        places = _from_outside(state, [(unit, mask) for unit, mask in site.units.items()], bit)
        return tuple(dict.fromkeys([*(str(state.place(span)) for span in places), text]))

    return way


def _from_outside(state: State, units: list[tuple[Unit, int]], bit: int) -> list[Span]:
    """Return where a source first mattered, and the calls from there: the shortest way."""
    todo = deque((unit, bool(mask & bit), list[Span]()) for unit, mask in units)
    seen: set[Unit] = set()
    while todo:
        unit, here, so_far = todo.popleft()
        if here:
            return [*_because(unit, bit), *so_far]
        if unit in seen:
            continue
        seen.add(unit)
        for caller, (mask, span) in unit.callers.items():
            if (mask | caller.entry) & bit:
                todo.append((caller, bool(mask & bit), [span, *so_far]))
        if unit.entry & bit and not unit.callers:  # a form before it might not have ended
            return [span for root in state.roots if root.fails & bit for span in _because(root, bit)][:1] + so_far
    return []


def _because(unit: Unit, bit: int) -> list[Span]:
    return [span for mask, span in unit.because.items() if mask & bit][:1]
