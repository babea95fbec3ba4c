"""What the tests of grammars share: a reader of GBNF that draws texts, and types that JSON can say."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import strategies as st

from rtfs_framework.lang.types import model as m
from rtfs_framework.lang.values import Keyword

_TOKEN = re.compile(
    r'\s*(?:(?P<rule>[a-z][a-z0-9-]*)\s*::=|(?P<ref>[a-z][a-z0-9-]*)|"(?P<text>(?:\\.|[^"\\])*)"'
    r"|\[(?P<set>(?:\\.|[^\]\\])*)\]|(?P<times>\{\d+(?:,\d+)?\}|\?)|(?P<sign>[()|]))"
)
_CHAR = re.compile(r"\\x(?P<x>..)|\\u(?P<u>.{4})|\\U(?P<U>.{8})|\\(?P<escaped>[\"\\\[\]])|(?P<plain>[^\\])", re.DOTALL)


def _characters(text: str) -> list[str]:
    assert "".join(found.group() for found in _CHAR.finditer(text)) == text
    return [
        chr(int(f["x"] or f["u"] or f["U"], 16))
        if f["plain"] is None and f["escaped"] is None
        else f["plain"] or f["escaped"]
        for f in _CHAR.finditer(text)
    ]


class Gbnf:
    """A grammar as it is written, and random texts of it."""

    def __init__(self, text: str) -> None:
        self.rules: dict[str, Any] = {}
        for line in text.splitlines():
            tokens = list(_TOKEN.finditer(line))
            assert "".join(token.group() for token in tokens) == line, line
            self._tokens = tokens[1:]
            self.rules[tokens[0]["rule"]] = self._alternatives()
            assert not self._tokens

    def _alternatives(self) -> Any:
        ways = [[]]
        while self._tokens and self._tokens[0]["sign"] != ")":
            token = self._tokens.pop(0)
            if token["sign"] == "|":
                ways.append([])
            elif token["times"]:
                low, _, high = token["times"].strip("{}").partition(",")
                ways[-1].append(("times", ways[-1].pop(), *((0, 1) if low == "?" else (int(low), int(high or low)))))
            else:
                ways[-1].append(self._part(token))
        return ("either", ways)

    def _part(self, token: Any) -> Any:
        if token["sign"] == "(":
            inner = self._alternatives()
            assert self._tokens.pop(0)["sign"] == ")"
            return inner
        if token["ref"]:
            return ("ref", token["ref"])
        if token["set"] is not None:
            return ("set", self._ranges(token["set"]))
        return ("text", "".join(_characters(token["text"])))

    def _ranges(self, text: str) -> list[tuple[int, int]]:
        parts = [found.group() for found in _CHAR.finditer(text)]
        ranges = []
        while parts:
            low = high = ord(_characters(parts.pop(0))[0])
            if parts and parts[0] == "-":
                parts.pop(0)
                high = ord(_characters(parts.pop(0))[0])
            ranges.append((low, high))
        return ranges

    def sample(self, draw: random.Random, most: int = 200_000) -> str:
        """Return a text of the grammar; repetitions are mostly short, and each takes its least or most at times."""
        out: list[str] = []
        todo: list[Any] = [("ref", "root")]
        while todo:
            most -= 1
            assert most, "no end"
            node = todo.pop()
            match node:
                case ("text", text):
                    out.append(text)
                case ("set", ranges):
                    out.append(chr(draw.randint(*draw.choice(ranges))))
                case ("ref", name):
                    todo.append(self.rules[name])
                case ("either", ways):
                    todo += reversed(draw.choice(ways))
                case ("times", part, low, high):
                    many = draw.choice([low, min(high, low + 1), min(high, low + draw.randint(0, 3))])
                    todo += [part] * (high if high < 20 and draw.random() < 0.1 else many)
        return "".join(out)


@pytest.fixture(scope="session")
def gbnf_of():
    """Return what reads a grammar."""
    return Gbnf


KEYWORDS = st.from_regex(r"[a-z][a-z0-9-]{0,5}", fullmatch=True).map(Keyword)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
INTS = st.integers(-1000, 1000) | st.integers(-(10**20), 10**20)
FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.floats(-100, 100).map(lambda f: round(f, 3))
SIZES = st.integers(0, 9)
PATTERNS = st.sampled_from(
    ["^[A-Z]{2,3}-[0-9]+$", "ab+c?", "^(red|green|blue)$", r"^\d{3}(-\d{4})?$", "^[^x]*$", r"\.txt$", "(?i)^yes|no$",
     r"^\w+(\s\w+)*$", "^.{2,5}$", "^a|b$", r"^[\w.-]+@[a-z]+\.com$", "", "^(ab|cd)*e$"]
)  # fmt: skip


def _limits(names: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[m.Predicate]:
    return st.builds(m.Predicate, st.sampled_from(names), st.tuples(values))


NUMBER = st.one_of(
    _limits([">", "<", ">=", "<=", "!=", "="], INTS | FLOATS),
    st.builds(lambda a, b: m.Predicate("in-range", (min(a, b), max(a, b))), INTS | FLOATS, INTS | FLOATS),
)
TEXT = st.one_of(
    _limits(["min-length", "max-length", "length", "count", "min-count", "max-count"], SIZES),
    st.sampled_from([m.Predicate(name) for name in ("is-email", "is-url", "non-empty")]),
    st.builds(lambda text: m.Predicate("matches-regex", (text,)), PATTERNS),
    _limits(["!=", "="], TEXTS),
)
SIZED = st.one_of(_limits(["count", "min-count", "max-count"], st.integers(0, 3)), st.just(m.Predicate("non-empty")))
KEYS = st.builds(lambda key: m.Predicate("has-key", (key,)), KEYWORDS) | st.builds(
    lambda a, b: m.Predicate("required-keys", ((a, b),)), KEYWORDS, KEYWORDS
)


def _and(types: st.SearchStrategy[Any], predicates: st.SearchStrategy[m.Predicate]) -> st.SearchStrategy[m.Type]:
    return st.builds(lambda t, ps: m.AndType((t,), tuple(ps)), types, st.lists(predicates, min_size=1, max_size=2))


NAMES = st.sampled_from(["Point", "a.b/Tree", "List", "Json", "Point?"]).map(m.NamedType)
LITERALS = st.one_of(KEYWORDS, TEXTS, INTS, FLOATS, st.booleans(), st.none())
LEAVES = st.one_of(
    st.sampled_from([p for p in m.Primitive if p is not m.Primitive.NEVER]),
    NAMES,
    st.builds(m.EnumType, st.lists(LITERALS, min_size=1, max_size=4).map(tuple)),
    st.builds(m.LiteralType, LITERALS),
    _and(st.sampled_from([m.Primitive.INT, m.Primitive.FLOAT]), NUMBER),
    _and(st.just(m.Primitive.STRING), TEXT),
)
KEY_TYPES = st.one_of(
    st.sampled_from([m.Primitive.STRING, m.Primitive.KEYWORD, m.Primitive.INT, m.Primitive.BOOL, m.Primitive.UUID]),
    st.builds(m.EnumType, st.lists(KEYWORDS | TEXTS | INTS, min_size=1, max_size=4).map(tuple)),
)


def _maps(inner: st.SearchStrategy[m.Type]) -> st.SearchStrategy[m.Type]:
    keys = st.lists(st.one_of(KEYWORDS, TEXTS), max_size=4, unique_by=lambda k: getattr(k, "name", k))
    entries = keys.flatmap(lambda ks: st.tuples(*[st.builds(m.MapEntry, st.just(k), inner, st.booleans()) for k in ks]))
    return st.builds(m.MapType, entries, st.none() | inner)


def _collections(inner: st.SearchStrategy[m.Type]) -> st.SearchStrategy[m.Type]:
    some = st.lists(inner, min_size=1, max_size=3).map(tuple)
    shape = st.lists(st.none() | st.integers(0, 3), max_size=2).map(tuple)
    arrays = st.one_of(st.builds(m.VectorType, inner), st.builds(m.ListType, inner), st.builds(m.TupleType, some))
    return st.one_of(
        arrays,
        st.builds(m.SetType, inner),
        _maps(inner),
        st.builds(m.MapOfType, KEY_TYPES, inner),
        st.builds(m.UnionType, some),
        st.builds(m.OptionalType, inner),
        st.builds(m.ArrayType, inner, shape),
        _and(arrays, SIZED),
        _and(st.builds(m.MapOfType, KEY_TYPES, inner), SIZED),
        _and(_maps(inner), KEYS | SIZED),
        # One says what its other members are: of two, JSON Schema cannot say by which one a text becomes a keyword.
        st.builds(lambda a, b: m.AndType((a, m.MapType(b.entries))), _maps(inner), _maps(inner)),
    )


# Deferred, because hypothesis prints strategies, and nested ones at great length.
FLAT = st.deferred(lambda: LEAVES | _collections(LEAVES))
TYPES = st.deferred(lambda: LEAVES | _collections(FLAT))


def _names() -> dict[str, m.Type]:
    int_, tree = m.Primitive.INT, m.NamedType("a.b/Tree")
    entry = m.MapEntry
    return {
        "Point": m.MapType((entry(Keyword("x"), int_), entry(Keyword("y"), m.Primitive.FLOAT, optional=True))),
        "a.b/Tree": m.MapType((entry(Keyword("value"), int_), entry(Keyword("kids"), m.VectorType(tree)))),
        "List": m.OptionalType(m.TupleType((int_, m.NamedType("List")))),
        "Json": m.UnionType((
            int_, m.Primitive.BOOL, m.Primitive.STRING, m.VectorType(m.NamedType("Json")),
            m.MapOfType(m.Primitive.STRING, m.NamedType("Json")),
        )),
    }  # fmt: skip


@pytest.fixture(scope="session")
def names():
    """Return the user's types that the generated ones name, recursive ones among them."""
    return _names()


@pytest.fixture(scope="session")
def types():
    """Return a strategy of types that JSON can say."""
    return TYPES
