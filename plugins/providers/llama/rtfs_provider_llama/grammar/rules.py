"""The rules of a grammar by key: which can end, how high they stand, and their text.

A schema's rule that can come back to itself is written once for each level that is left below it, so that recursion
ends. (The keys of schemas are sets; the other rules are parts of them, and never loop on their own.)
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator

from rtfs_provider_llama.grammar.bounds import Bounds
from rtfs_provider_llama.grammar.errors import GrammarError, NothingFitsError
from rtfs_provider_llama.grammar.expressions import NOTHING, Expression, Ref, height, refs, show, within

_Level = tuple[Hashable, "int | None"]
"""A rule at so many levels that are left; None for one from which no recursion is reached."""


class Rules:
    """Rules that are collected, then written."""

    def __init__(self, root: Hashable) -> None:
        self._root = root
        self._rules: dict[Hashable, Expression] = {}
        self._wanted: dict[Hashable, None] = {root: None}

    def __len__(self) -> int:
        return len(self._rules)

    def define(self, key: Hashable, expression: Expression) -> None:
        """Add one rule; the rules that it names are wanted from now on."""
        self._rules[key] = expression
        self._wanted.pop(key, None)
        for each in refs(expression):
            if each not in self._rules:
                self._wanted[each] = None

    def missing(self) -> Hashable | None:
        """Return the key of a rule that is wanted and not defined."""
        return next(iter(self._wanted), None)

    def text(self, bounds: Bounds) -> str:
        """Return the grammar.

        Raises:
            GrammarError: Nothing fits it, or it is too large.
        """
        onward = {key: list(dict.fromkeys(refs(rule))) for key, rule in self._rules.items()}
        looping = _looping(onward)
        heights = self._heights(onward, looping)
        least = heights.get(self._root, math.inf)
        if least == math.inf:
            message = "nothing fits this schema"
            raise NothingFitsError(message)
        levels = _Levels(self._rules, _reaching(onward, looping), looping, heights)
        return _named(levels.unrolled(self._root, max(bounds.depth, int(least))), bounds)

    def _heights(self, onward: dict[Hashable, list[Hashable]], looping: set[Hashable]) -> dict[Hashable, float]:
        """Return how many looping rules the lowest text of each rule passes; a rule that nothing fits has none."""
        before = _backward(onward)
        found: dict[Hashable, float] = {}
        todo = dict.fromkeys(reversed(self._rules))
        while todo:
            key, _ = todo.popitem()
            low = height(self._rules[key], lambda other: found.get(other, math.inf)) + (key in looping)
            if low < found.get(key, math.inf):
                found[key] = low
                todo.update(dict.fromkeys(before.get(key, ())))
        return found


class _Levels:
    def __init__(
        self,
        rules: dict[Hashable, Expression],
        reaching: set[Hashable],
        looping: set[Hashable],
        heights: dict[Hashable, float],
    ) -> None:
        self._rules = rules
        self._reaching = reaching
        self._looping = looping
        self._heights = heights

    def unrolled(self, root: Hashable, depth: int) -> dict[Hashable, Expression]:
        """Return the rules by level, from the root on."""
        first = self._level(root, depth)
        made: dict[Hashable, Expression] = {}
        todo: list[_Level] = [first]
        while todo:
            level = todo.pop()
            if level in made:
                continue
            key, left = level
            below = left if left is None or key not in self._looping else left - 1
            made[level] = within(self._rules[key], lambda other, below=below: self._ref(other, below))  # type: ignore[misc]
            todo += [each for each in refs(made[level]) if each not in made]  # type: ignore[misc]
        return made

    def _level(self, key: Hashable, left: int | None) -> _Level:
        return key, left if key in self._reaching else None

    def _ref(self, key: Hashable, left: int | None) -> Expression:
        low = self._heights.get(key, math.inf)
        fits = low < math.inf and (left is None or low <= left)
        return Ref(self._level(key, left)) if fits else NOTHING


def _looping(onward: dict[Hashable, list[Hashable]]) -> set[Hashable]:
    """Return the schemas' rules that can come back to themselves, and those between two such."""
    backward = _backward(onward)
    left = set(onward)
    for forth, back in ((onward, backward), (backward, onward)):
        open_ends = {key: sum(other in left for other in forth.get(key, ())) for key in left}
        todo = [key for key, n in open_ends.items() if not n]
        while todo:
            key = todo.pop()
            left.discard(key)
            for other in back.get(key, ()):
                if other in left:
                    open_ends[other] -= 1
                    if not open_ends[other]:
                        todo.append(other)
    return {key for key in left if isinstance(key, frozenset)}


def _backward(onward: dict[Hashable, list[Hashable]]) -> dict[Hashable, list[Hashable]]:
    """Return by which rules each one is named."""
    found: dict[Hashable, list[Hashable]] = {}
    for key, others in onward.items():
        for other in others:
            found.setdefault(other, []).append(key)
    return found


def _reaching(onward: dict[Hashable, list[Hashable]], goals: set[Hashable]) -> set[Hashable]:
    """Return the rules from which one of the goals is reached."""
    before = _backward(onward)
    seen = set(goals)
    todo = list(goals)
    while todo:
        fresh = set(before.get(todo.pop(), ())) - seen
        seen |= fresh
        todo += fresh
    return seen


def _named(rules: dict[Hashable, Expression], bounds: Bounds) -> str:
    """Return the rules as text, each behind those that name it; equal rules are one."""
    if len(rules) > bounds.most_rules:
        message = f"the grammar needs more than {bounds.most_rules} rules"
        raise GrammarError(message)
    root = next(iter(rules))
    names: dict[Hashable, str] = {}
    known: dict[str, str] = {}
    lines: list[str] = []
    for key in _leaves_first(rules, root):
        text = show(rules[key], names.__getitem__)
        if key == root:
            lines.append(f"root ::= {text}")
        elif text in known:
            names[key] = known[text]
        else:
            names[key] = known[text] = f"r{len(known)}"
            lines.append(f"{names[key]} ::= {text}")
    return "\n".join(reversed(lines)) + "\n"


def _leaves_first(rules: dict[Hashable, Expression], root: Hashable) -> Iterator[Hashable]:
    """Yield the rules below one, each behind all that it names (none of them loops any more)."""
    seen = {root}
    work = [(root, refs(rules[root]))]
    while work:
        key, others = work[-1]
        other = next(others, None)
        if other is None:
            work.pop()
            yield key
        elif other not in seen:
            seen.add(other)
            work.append((other, refs(rules[other])))
