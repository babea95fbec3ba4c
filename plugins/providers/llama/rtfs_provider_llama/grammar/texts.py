"""Texts within limits: an automaton and lengths -> rules of a grammar.

A part of a pattern that repeats one set of characters becomes one repetition. Where lengths must be counted, or larger
parts repeat, a rule stands for a place of the automaton and the characters so far.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable

from rtfs_provider_llama.grammar import chars
from rtfs_provider_llama.grammar.automata import AT_START, Node, Place, Run, Texts, words
from rtfs_provider_llama.grammar.bounds import Bounds
from rtfs_provider_llama.grammar.chars import CharSet
from rtfs_provider_llama.grammar.errors import GrammarError
from rtfs_provider_llama.grammar.expressions import EMPTY, Expression, Literal, Ref, either, in_turn, repeat
from rtfs_provider_llama.grammar.patterns import Pattern

QUOTE = Literal('"')
ONE: Hashable = ("character",)
"""The key of the rule of one character that may be anything."""
Define = Callable[[Hashable, Expression], None]

_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_DATE = "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_LABEL = "[a-z0-9]+(-[a-z0-9]+){0,2}"
_HOST = rf"{_LABEL}(\.{_LABEL}){{1,3}}"
FORMATS = {
    "uuid": _UUID,
    "date-time": rf"^[0-9]{{4}}-{_DATE}T{_TIME}(\.[0-9]{{1,6}})?Z$",
    "date": f"^[0-9]{{4}}-{_DATE}$",
    "time": f"^{_TIME}Z$",
    "email": rf"^[A-Za-z0-9._%+-]+@{_HOST}$",
    "uri": rf"^https?://{_HOST}(:[1-9][0-9]{{0,4}})?(/[A-Za-z0-9._~%+=&?#/-]*)?$",
}
"""Formats as patterns: less than what the format allows, and surely of it."""


def texts_of(patterns: list[str], formats: list[str], refused: list[str]) -> Texts:
    """Return the automaton of what is demanded of a text, its length aside."""
    wanted: list[Node] = []
    unwanted: list[Node] = [words(refused)] if refused else []
    for pattern in [*patterns, *[_format(name) for name in formats]]:
        reading = Pattern(pattern)
        wanted.append(reading.read())
        unwanted += [Run((AT_START, node)) for node in reading.refused]
    return Texts(wanted, unwanted)


def _format(name: str) -> str:
    if name not in FORMATS:
        message = f"the format {name!r} is not known here"
        raise GrammarError(message)
    return FORMATS[name]


class TextRules:
    """The rules of one kind of text; `key` keeps them apart from those of others."""

    def __init__(self, key: Hashable, texts: Texts, low: int, high: int | None, bounds: Bounds) -> None:
        self._key = key
        self._texts = texts
        self._low, self._high = low, high
        self._bounds = bounds
        self._left = _distances(texts, bounds)

    def write(self, define: Define) -> Expression:
        """Return the expression of such a text with its quotes, and define the rules that it needs."""
        start = self._texts.start
        if start not in self._left:
            return either([])
        if not self._low and self._high is None and self._loops_alone():
            made = self._freely(define)
        else:
            made = self._counted(define)
        return in_turn(QUOTE, made)

    def _loops_alone(self) -> bool:
        """Tell whether nothing repeats but single places."""
        entries = dict.fromkeys(self._left, 0)
        for place in self._left:
            for after in self._onward(place):
                entries[after] += after != place
        ready = deque(place for place, n in entries.items() if not n)
        done = 0
        while ready:
            place = ready.popleft()
            done += 1
            for after in self._onward(place):
                entries[after] -= after != place
                if after != place and not entries[after]:
                    ready.append(after)
        return done == len(entries)

    def _onward(self, place: Place) -> list[Place]:
        return [after for _, after in self._texts.steps(place) if after in self._left]

    def _end(self, place: Place) -> list[Expression]:
        return [QUOTE] if self._texts.accepts(place) else []

    def _freely(self, define: Define) -> Expression:
        for place in self._left:
            if self._texts.is_free(place):
                define((self._key, place), in_turn(repeat(Ref(ONE), 0, self._bounds.characters), QUOTE))
                continue
            ways = self._end(place)
            loop: Expression = EMPTY
            for found, after in self._texts.steps(place):
                if after == place:
                    loop = repeat(chars.written(found), 0, self._most(found))
                elif after in self._left:
                    ways.append(in_turn(chars.written(found), Ref((self._key, after))))
            define((self._key, place), in_turn(loop, either(ways)))
        return Ref((self._key, self._texts.start))

    def _most(self, found: CharSet) -> int:
        wide = sum(high - low for low, high in found) > 0x1000
        return self._bounds.characters if wide else self._bounds.loops

    def _counted(self, define: Define) -> Expression:
        start = self._texts.start
        shortest = max(self._low, int(self._left[start]))
        free = self._texts.is_free(start)
        open_end = max(self._low, self._bounds.characters) if free else shortest + self._bounds.loops
        most = open_end if self._high is None else min(self._high, open_end)
        todo = [(start, 0)]
        seen = set(todo)
        while todo:
            place, n = todo.pop()
            if self._texts.is_free(place):
                define((self._key, place, n), in_turn(_times(self._low - n, most - n), QUOTE))
                continue
            ways = self._end(place) if n >= self._low else []
            for found, after in self._texts.steps(place):
                if after in self._left and n + 1 + self._left[after] <= most:
                    ways.append(in_turn(chars.written(found), Ref((self._key, after, n + 1))))
                    if (after, n + 1) not in seen:
                        seen.add((after, n + 1))
                        todo.append((after, n + 1))
            define((self._key, place, n), either(ways))
            if len(seen) > self._bounds.most_rules:
                message = "a pattern with limits of length is too large for a grammar"
                raise GrammarError(message)
        return Ref((self._key, start, 0))


_BLOCK = 1000
"""Parsers of grammars refuse larger repetitions."""


def _times(low: int, high: int) -> Expression:
    """Return any characters, at least `low` and at most `high` of them."""
    low = max(0, low)
    blocks, rest = divmod(low, _BLOCK)
    whole = repeat(Ref(ONE), _BLOCK, _BLOCK)
    return in_turn(*[whole] * blocks, repeat(Ref(ONE), rest, rest + min(high - low, _BLOCK)))


def _distances(texts: Texts, bounds: Bounds) -> dict[Place, int]:
    """Return the places from which a text can end, each with how many characters that takes at least."""
    before: dict[Place, list[Place]] = {texts.start: []}
    todo = [texts.start]
    while todo:
        place = todo.pop()
        for _, after in texts.steps(place):
            if after not in before:
                before[after] = []
                todo.append(after)
            before[after].append(place)
        if len(before) > bounds.most_rules:
            message = "a pattern is too large for a grammar"
            raise GrammarError(message)
    left = {place: 0 for place in before if texts.accepts(place)}
    ready = deque(left)
    while ready:
        place = ready.popleft()
        for earlier in before[place]:
            if earlier not in left:
                left[earlier] = left[place] + 1
                ready.append(earlier)
    return left
