"""Refinement predicates (LANGUAGE.md 12.3): one record each, used to read, check and describe them."""

from __future__ import annotations

import math
import operator
import re

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.maps import Map, Set, equal
from rtfs_framework.lang.pattern import BadPattern, compile_pattern
from rtfs_framework.lang.types.model import Predicate
from rtfs_framework.lang.values import Keyword
from rtfs_framework.lang.vectors import GrownVector, List

Test = Callable[[Any], bool]


@records.frozen()
class PredicateSpec:
    """One predicate: its accepted form, what it wants as arguments (None when they fit), and the test it makes."""

    form: str
    complaint: Callable[[tuple[Any, ...]], str | None]
    test: Callable[..., Test]


def test_of(predicate: Predicate) -> Test:
    """Return the Python test of a predicate. Raises BadPattern for a bad pattern, KeyError for an unknown name."""
    return PREDICATES[predicate.name].test(*predicate.args)


def complaint_about(predicate: Predicate) -> str | None:
    """Say what is wrong with the arguments of a predicate whose name is known, or None."""
    return PREDICATES[predicate.name].complaint(predicate.args)


def holds_key(value: Any, key: Any) -> bool:
    """Tell whether a map has a key; a string key stands in for a keyword of the same name."""
    return value.__class__ is Map and (key in value or (key.__class__ is Keyword and key.name in value))


_NUMBERS = frozenset({int, float})
_TEXT: frozenset[Any] = frozenset({str})
_SIZED: frozenset[Any] = frozenset({str, tuple, GrownVector, List, Map, Set})
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#]+[^\s]*")


def _same(bound: Any) -> Test:
    if bound.__class__ in _NUMBERS:
        return lambda value: value.__class__ in _NUMBERS and bool(value == bound)
    return lambda value: equal(value, bound)


def _different(bound: Any) -> Test:
    same = _same(bound)
    return lambda value: not same(value)


def _in_range(low: Any, high: Any) -> Test:
    return lambda value: value.__class__ in _NUMBERS and low <= value <= high


def _matches(text: str) -> Test:
    found = compile_pattern(text)

    def test(value: Any) -> bool:
        try:
            return value.__class__ is str and found.search(value.encode()) is not None
        except UnicodeEncodeError:  # Half a character (a lone surrogate) matches nothing.
            return False

    return test


def _non_empty() -> Test:
    return lambda value: value.__class__ in _SIZED and len(value) > 0


def _whole(found: re.Pattern[str]) -> Callable[[], Test]:
    return lambda: lambda value: value.__class__ is str and found.fullmatch(value) is not None


def _has_key(key: Any) -> Test:
    return lambda value: holds_key(value, key)


def _required_keys(keys: tuple[Any, ...]) -> Test:
    return lambda value: value.__class__ is Map and all(holds_key(value, key) for key in keys)


def _wants(what: str, *fits: Callable[[Any], bool]) -> Callable[[tuple[Any, ...]], str | None]:
    def complaint(args: tuple[Any, ...]) -> str | None:
        good = len(args) == len(fits) and all(fit(arg) for fit, arg in zip(fits, args, strict=True))
        return None if good else f"expected {what}"

    return complaint


def _is_number(value: Any) -> bool:
    return value.__class__ is int or (value.__class__ is float and not math.isnan(value))


def _is_size(value: Any) -> bool:
    return value.__class__ is int and value >= 0


def _bad_pattern(args: tuple[Any, ...]) -> str | None:
    if len(args) != 1 or args[0].__class__ is not str:
        return "expected one string"
    try:
        compile_pattern(args[0])
    except BadPattern as error:
        return f"Invalid regex pattern: {error}"
    return None


def _compare(sign: str, compare: Callable[[Any, Any], bool]) -> PredicateSpec:
    def test(bound: Any) -> Test:
        return lambda value: value.__class__ in _NUMBERS and compare(value, bound)

    return PredicateSpec(f"[:{sign} number]", _wants("one number", _is_number), test)


def _size(name: str, classes: frozenset[Any], compare: Callable[[int, int], bool]) -> PredicateSpec:
    def test(bound: int) -> Test:
        return lambda value: value.__class__ in classes and compare(len(value), bound)

    return PredicateSpec(f"[:{name} n]", _wants("one non-negative integer", _is_size), test)


def _bare(name: str, test: Callable[[], Test]) -> PredicateSpec:
    return PredicateSpec(f"[:{name}]", _wants("no argument"), test)


def _any_value(value: Any) -> bool:  # noqa: ARG001 - fits everything
    return True


def _is_keys(value: Any) -> bool:
    return value.__class__ is tuple


PREDICATES: dict[str, PredicateSpec] = {
    ">": _compare(">", operator.gt),
    "<": _compare("<", operator.lt),
    ">=": _compare(">=", operator.ge),
    "<=": _compare("<=", operator.le),
    "=": PredicateSpec("[:= value]", _wants("one value", _any_value), _same),
    "!=": PredicateSpec("[:!= value]", _wants("one value", _any_value), _different),
    "in-range": PredicateSpec("[:in-range low high]", _wants("two numbers", _is_number, _is_number), _in_range),
    "min-length": _size("min-length", _TEXT, operator.ge),
    "max-length": _size("max-length", _TEXT, operator.le),
    "length": _size("length", _TEXT, operator.eq),
    "matches-regex": PredicateSpec('[:matches-regex "pattern"]', _bad_pattern, _matches),
    "is-url": _bare("is-url", _whole(_URL)),
    "is-email": _bare("is-email", _whole(_EMAIL)),
    "min-count": _size("min-count", _SIZED, operator.ge),
    "max-count": _size("max-count", _SIZED, operator.le),
    "count": _size("count", _SIZED, operator.eq),
    "non-empty": _bare("non-empty", _non_empty),
    "has-key": PredicateSpec("[:has-key :key]", _wants("one key", _any_value), _has_key),
    "required-keys": PredicateSpec("[:required-keys [:a :b]]", _wants("one vector of keys", _is_keys), _required_keys),
}
"""Every predicate by name."""
