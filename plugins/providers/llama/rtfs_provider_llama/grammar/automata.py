"""Automata of texts: what is left of a text's demands after each character.

A `Machine` is a nondeterministic automaton of one pattern; `Texts` walks several of them at once, some of which must
accept (patterns, formats) and some of which must not (values that are excluded). States are made as they are needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from rtfs_provider_llama.grammar import chars
from rtfs_provider_llama.grammar.chars import CharSet
from rtfs_provider_llama.grammar.errors import GrammarError

ANY: CharSet = ((0, 0x10FFFF),)
_MOST_NODES = 20_000
_MOST_VISITS = 400_000
"""Nodes that are looked at for the states of one automaton: half a second. Counts within counts need many more."""
_TOO_LARGE = "a pattern is too large for a grammar"


@attrs.frozen(slots=True)
class Piece:
    """One character of a set."""

    chars: CharSet


@attrs.frozen(slots=True)
class Run:
    """One after the other."""

    parts: tuple[Node, ...]


@attrs.frozen(slots=True)
class Branch:
    """One of them."""

    ways: tuple[Node, ...]


@attrs.frozen(slots=True)
class Repeated:
    """The part so many times; None is without end."""

    part: Node
    low: int
    high: int | None


@attrs.frozen(slots=True)
class Anchor:
    """The place before the first character, or behind the last."""

    at_end: bool


Node = Piece | Run | Branch | Repeated | Anchor
AT_START, AT_END = Anchor(at_end=False), Anchor(at_end=True)


def word(text: str) -> Node:
    """Return the node of one text."""
    return Run((AT_START, *[Piece(((ord(char), ord(char)),)) for char in text], AT_END))


def words(texts: Iterable[str]) -> Node:
    """Return the node of some texts."""
    return Branch(tuple(word(text) for text in texts))


State = frozenset[int]
_NOWHERE: State = frozenset()


class Machine:
    """The automaton of a node: any text may stand before and behind what it matches, as in a search."""

    def __init__(self, node: Node) -> None:
        self._free: list[list[int]] = []
        self._starting: list[list[int]] = []
        self._ending: list[list[int]] = []
        self._steps: list[tuple[CharSet, int] | None] = []
        self._visits = 0
        self.final = self._node()
        self._steps[self.final] = (ANY, self.final)
        first = self._made(node, self.final)
        start = self._node()
        self._steps[start] = (ANY, start)
        self._free[start].append(first)
        self._alive = self._leading()
        self._onward: dict[int, tuple[list[int], int]] = {}
        self._known: dict[State, dict[int, State]] = {}
        self.start = self._closed({start}, at_start=True)

    def _node(self) -> int:
        if len(self._steps) >= _MOST_NODES:
            raise GrammarError(_TOO_LARGE)
        for edges in (self._free, self._starting, self._ending):
            edges.append([])
        self._steps.append(None)
        return len(self._steps) - 1

    def _made(self, node: Node, after: int) -> int:
        """Return the state from which the node's texts lead to `after`."""
        match node:
            case Run(parts):
                for part in reversed(parts):
                    after = self._made(part, after)
                return after
            case Repeated():
                return self._loop(node, after)
            case _:
                made = self._node()
        match node:
            case Piece(found):
                self._steps[made] = (found, after)
            case Anchor(at_end):
                (self._ending if at_end else self._starting)[made].append(after)
            case Branch(ways):
                self._free[made] += [self._made(way, after) for way in ways]
        return made

    def _loop(self, node: Repeated, after: int) -> int:
        if node.high is None:
            made = self._node()
            self._free[made] += [after, self._made(node.part, made)]
        else:
            made = after
            for _ in range(node.high - node.low):
                choice = self._node()
                self._free[choice] += [after, self._made(node.part, made)]
                made = choice
        for _ in range(node.low):
            made = self._made(node.part, made)
        return made

    def _leading(self) -> set[int]:
        """Return the states that still lead to the final one, once the text has begun."""
        before: dict[int, list[int]] = {}
        for state, step in enumerate(self._steps):
            for after in (*self._free[state], *self._ending[state], *([] if step is None else [step[1]])):
                before.setdefault(after, []).append(state)
        seen = {self.final}
        todo = [self.final]
        while todo:
            fresh = set(before.get(todo.pop(), ())) - seen
            seen |= fresh
            todo += fresh
        return seen

    def _closed(self, states: Iterable[int], *, at_start: bool = False, at_end: bool = False) -> State:
        seen = set(states)
        todo = list(seen)
        while todo:
            state = todo.pop()
            found = [*self._free[state]]
            found += self._starting[state] if at_start else []
            found += self._ending[state] if at_end else []
            fresh = set(found) - seen
            seen |= fresh
            todo += fresh
        self._visits += len(seen)
        if self._visits > _MOST_VISITS:
            raise GrammarError(_TOO_LARGE)
        return frozenset([self.final]) if self.final in seen else frozenset(seen)

    def sets(self) -> list[CharSet]:
        """Return the sets of characters between which it tells."""
        return [step[0] for step in self._steps if step is not None]

    def sort(self, pieces: Sequence[tuple[int, int]]) -> None:
        """Make the steps by pieces of the alphabet, each wholly inside or outside of every set."""
        known: dict[CharSet, list[int]] = {}
        for state, step in enumerate(self._steps):
            if step is None or step[1] not in self._alive:
                continue
            ranges, after = step
            if ranges not in known:
                known[ranges] = [n for n, (first, _) in enumerate(pieces) if any(a <= first <= b for a, b in ranges)]
            self._onward[state] = (known[ranges], after)

    def step(self, state: State) -> dict[int, State]:
        """Return the states behind each piece of the alphabet; from the others nothing leads on."""
        if state not in self._known:
            found: dict[int, set[int]] = {}
            for numbers, after in (self._onward[each] for each in state if each in self._onward):
                for number in numbers:
                    found.setdefault(number, set()).add(after)
            closed: dict[State, State] = {}
            self._known[state] = made = {}
            for number, states in found.items():
                key = frozenset(states)
                if key not in closed:
                    closed[key] = self._closed(key) & self._alive
                made[number] = closed[key]
        return self._known[state]

    def accepts(self, state: State) -> bool:
        """Tell whether the text may end here."""
        return self.final in self._closed(state, at_start=state == self.start, at_end=True)


Place = tuple[State, ...]


class Texts:
    """Texts that every one of some automata accepts, and none of the others."""

    def __init__(self, wanted: Sequence[Node], refused: Sequence[Node] = ()) -> None:
        self._machines = [Machine(node) for node in (*wanted, *refused)]
        self._wanted = len(wanted)
        self._pieces = chars.pieces({each for machine in self._machines for each in machine.sets()})
        for machine in self._machines:
            machine.sort(self._pieces)
        self.start: Place = tuple(machine.start for machine in self._machines)
        self._known: dict[Place, list[tuple[CharSet, Place]]] = {}

    def steps(self, place: Place) -> list[tuple[CharSet, Place]]:
        """Return where characters lead from here, each set of characters to another place."""
        if place not in self._known:
            self._known[place] = self._steps(place)
        return self._known[place]

    def _steps(self, place: Place) -> list[tuple[CharSet, Place]]:
        onward = [machine.step(state) for machine, state in zip(self._machines, place, strict=True)]
        found: dict[Place, list[tuple[int, int]]] = {}
        for number, piece in enumerate(self._pieces):
            after = tuple(steps.get(number, _NOWHERE) for steps in onward)
            hopeless = any(machine.final in state for machine, state in self._parts(after, refused=True))
            if not hopeless and all(state for _, state in self._parts(after)):
                found.setdefault(after, []).append(piece)
        return [(chars.of(pieces), after) for after, pieces in found.items()]

    def _parts(self, place: Place, *, refused: bool = False) -> list[tuple[Machine, State]]:
        pairs = list(zip(self._machines, place, strict=True))
        return pairs[self._wanted :] if refused else pairs[: self._wanted]

    def accepts(self, place: Place) -> bool:
        """Tell whether a text may end here."""
        good = all(machine.accepts(state) for machine, state in self._parts(place))
        return good and not any(machine.accepts(state) for machine, state in self._parts(place, refused=True))

    def is_free(self, place: Place) -> bool:
        """Tell whether every text may follow here."""
        settled = all(state == {machine.final} for machine, state in self._parts(place))
        return settled and not any(state for _, state in self._parts(place, refused=True))
