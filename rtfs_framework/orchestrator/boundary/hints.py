"""Execution hints: what a program asks of the attempts of the calls that an expression makes (docs/hints.md).

In: the hints in force, as a map from names to values. Out: `Hints`, typed; or a `HintError` that says what is allowed.
The names and keys are CCOS's (`runtime.learning.*`); what they mean here is that of its wrappers, nested in the
published order: metrics, cache, circuit-breaker, rate-limit, retry, timeout, fallback, validation (outermost first).
Nothing wraps anything, though: all are inputs and bounds of the host's one loop of attempts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import inf, isfinite
from typing import Any, TypeVar

import attrs

from rtfs_framework.api.typed import parse_type
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.lang.errors import LanguageError, ProgramError, RtfsError, type_validation_error
from rtfs_framework.lang.maps import EMPTY_MAP, Map
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.types.check import violation
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.types.names import Lookup
from rtfs_framework.lang.values import Keyword
from rtfs_framework.lang.vectors import Shared

PREFIX = "runtime.learning."
_FALLBACK = f"{PREFIX}fallback"
MALFORMED, BEYOND, OPEN = "E0622", "E0623", "E0624"
LONGEST_NAME = 64
_MOST_MILLISECONDS = 10**12
_KEY = "rtfs.hint"

T = TypeVar("T")
Reader = Callable[[Any], Any]
"""From a value of a program to that of a field; raises `_WrongError` with what is allowed instead."""


class HintError(RtfsError):
    """A hint that means nothing, or more than the policy allows."""

    def __init__(self, name: str, problem: str, way_out: str, code: str = MALFORMED) -> None:
        """Make one; `name` is the hint's, without `runtime.learning.`."""
        super().__init__(f"{problem}; {way_out}")
        self.name, self.problem, self.way_out, self.code = name, problem, way_out, code

    def thrown(self) -> ProgramError:
        """Return the error that the program sees, at the call that the hint is for."""
        data = Map.wrap({Keyword("code"): self.code, Keyword("hint"): PREFIX + self.name})
        message = f"Invalid argument: the hint {PREFIX}{self.name}: {self.problem}; {self.way_out}"
        return ProgramError("InvalidArgument", message, data).of_program()


class _WrongError(Exception):
    """A value that a key of a hint cannot have; the message says what it can be."""


def _key(name: str, read: Reader, default: Any = attrs.NOTHING) -> Any:
    return attrs.field(default=default, metadata={_KEY: (name, read)})


def _number(least: float, most: float, *, above: bool = False) -> Reader:
    def read(value: Any) -> float:
        good = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
        if not good or not least <= value <= most or (above and value == least):
            bound = f"above {least:g}" if above else f"from {least:g}"
            raise _WrongError(f"a number {bound} up to {most:g}")
        return float(value)

    return read


def _whole(least: int, most: int) -> Reader:
    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise _WrongError(f"a whole number from {least} to {most:,}")
        return value

    return read


def _milliseconds(*, above: bool = True) -> Reader:
    number = _number(0, _MOST_MILLISECONDS, above=above)

    def read(value: Any) -> float:
        try:
            return float(number(value)) / 1000
        except _WrongError:
            raise _WrongError(f"milliseconds, {'above' if above else 'from'} 0") from None

    return read


def _name(value: Any) -> str:
    found = value.name if isinstance(value, Keyword) else value
    if not isinstance(found, str) or not 0 < len(found) <= LONGEST_NAME:
        raise _WrongError(f"a keyword or a string of at most {LONGEST_NAME} characters")
    return found


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _WrongError("true or false")
    return value


@lru_cache(maxsize=256)
def _type_of(text: str) -> Type:
    return parse_type(text)


def _type(value: Any) -> Type | None:
    if isinstance(value, bool):  # the declared type is looked at in any case
        return None
    try:
        return _type_of(write(value))
    except LanguageError:
        raise _WrongError("a type, as annotations write it, such as [:map [:id :int]]; or true") from None


def _names(value: Any) -> tuple[str, ...]:
    try:
        return tuple(map(_name, value if isinstance(value, tuple | Shared) else None))  # type: ignore[arg-type]
    except (TypeError, _WrongError):
        raise _WrongError("a vector of keywords or strings") from None


@attrs.frozen(slots=True, kw_only=True)
class Metrics:
    """Counts calls under a name."""

    name: str = _key("name", _name, "")
    """"" is the symbol that is called."""


@attrs.frozen(slots=True, kw_only=True)
class Cache:
    """Keeps replies, outside of all else."""

    ttl: float = _key("ttl-ms", _milliseconds())
    entries: int = _key("max-entries", _whole(1, 1_000_000), 100)


@attrs.frozen(slots=True, kw_only=True)
class CircuitBreaker:
    """Fails at once while calls fail: one call with all its repeats counts as one."""

    threshold: int = _key("failure-threshold", _whole(1, 10_000))
    """So many calls failed in a row."""
    cooldown: float = _key("cooldown-ms", _milliseconds())


@attrs.frozen(slots=True, kw_only=True)
class RateLimit:
    """Lets calls pass at a pace; one call with all its repeats takes one place."""

    pace: float = _key("requests-per-second", _number(0, 1_000_000, above=True))
    burst: int = _key("burst", _whole(1, 1_000_000), 1)


@attrs.frozen(slots=True, kw_only=True)
class Retry:
    """Bounds how often a call is repeated, and says how long to wait before."""

    most: int = _key("max-retries", _whole(0, 1000))
    backoff: float = _key("backoff-ms", _milliseconds(above=False), 0.25)
    multiplier: float = _key("backoff-multiplier", _number(1, 100), 2.0)

    def delay(self, repeats: int, most: float) -> float:
        """Return the seconds to wait before the next repeat, after so many; waits grow up to `most`."""
        grown: float = self.backoff * self.multiplier**repeats
        return min(grown, max(most, self.backoff))


@attrs.frozen(slots=True, kw_only=True)
class Timeout:
    """Bounds the time of a call, of each attempt, or both. Seconds."""

    absolute: float | None = _key("absolute-ms", _milliseconds(), None)
    """For the whole call: all attempts, waits and questions to models together."""
    each: float | None = _key("timeout-ms", _milliseconds(), None)
    """For one attempt, its fallback included."""
    multiplier: float = _key("multiplier", _number(0, 100, above=True), 1.0)
    """Times what the target has anyway."""

    def left(self, bound: float, of_call: float, of_attempt: float) -> float:
        """Return the seconds that a request may take to a target that has so many.

        Its call and its attempt have taken some already.
        """
        found = bound * self.multiplier
        if self.absolute is not None:
            found = min(found, self.absolute - of_call)
        return found if self.each is None else min(found, self.each - of_attempt)


@attrs.frozen(slots=True, kw_only=True)
class Fallback:
    """Names a capability that answers where an attempt failed."""

    capability: str = _key("capability", _name)
    pass_args: bool = _key("pass-original-args", _flag, True)


@attrs.frozen(slots=True, kw_only=True)
class Validation:
    """Says what a reply must be beyond its declared type."""

    schema: Type | None = _key("validate-schema", _type, None)  # noqa: RUF009 - it makes an attrs field
    required: tuple[str, ...] = _key("required-fields", _names, ())

    def check(self, value: Any, lookup: Lookup, who: str) -> None:
        """Refuse a reply of `who` that is not what it must be.

        Raises:
            ProgramError: TypeValidationError.
        """
        wrong = None if self.schema is None else violation(self.schema, value, lookup)
        if wrong is None and self.required:
            if not isinstance(value, Map):
                wrong = "the reply has no fields: it is no map"
            else:
                lacks = [each for each in self.required if Keyword(each) not in value and each not in value]
                wrong = f"the reply lacks {', '.join(lacks)}" if lacks else None
        if wrong is not None:
            raise type_validation_error(f"the hint {PREFIX}validation: the answer of {who}: {wrong}")


@attrs.frozen(slots=True, kw_only=True)
class Hints:
    """The hints in force at a call; None for those that are not."""

    metrics: Metrics | None = None
    cache: Cache | None = None
    circuit_breaker: CircuitBreaker | None = None
    rate_limit: RateLimit | None = None
    retry: Retry | None = None
    timeout: Timeout | None = None
    fallback: Fallback | None = None
    validation: Validation | None = None

    @property
    def in_force(self) -> tuple[str, ...]:
        """Their names, the outermost first."""
        return tuple(name for name, field in _FIELDS.items() if getattr(self, field) is not None)


NO_HINTS = Hints()

_KINDS: dict[str, type[Any]] = {
    "metrics": Metrics,
    "cache": Cache,
    "circuit-breaker": CircuitBreaker,
    "rate-limit": RateLimit,
    "retry": Retry,
    "timeout": Timeout,
    "fallback": Fallback,
    "validation": Validation,
}
_KEYS = {name: {field.metadata[_KEY][0]: field for field in attrs.fields(kind)} for name, kind in _KINDS.items()}
NAMES = tuple(_KINDS)
"""Without `runtime.learning.`, the outermost first."""
_FIELDS = {name: name.replace("-", "_") for name in _KINDS}


def read_hints(table: Map) -> Hints:
    """Return the hints of a map. `nil` and `false` end what an expression around said; other names are not looked at.

    Raises:
        HintError: One has a key that it does not know, lacks one, or has a value that it cannot have.
    """
    found: dict[str, Any] = {}
    for key, value in table.items():
        text = key.name if key.__class__ is Keyword else key
        if text.__class__ is str and text.startswith(PREFIX):
            name = text[len(PREFIX) :]
            hint = read_hint(name, value)
            if hint is not None:
                found[_FIELDS[name]] = hint
    return Hints(**found) if found else NO_HINTS


def with_own_ids(table: Map, ids: Mapping[str, str]) -> Map:
    """Return hints in which a capability that is named by another id of it (a key of `ids`) has its own."""
    for key, value in table.items():
        text = key.name if key.__class__ is Keyword else key
        if text != _FALLBACK or value.__class__ is not Map:
            continue
        named = {each: _own_id(said, ids) if _is_named(each, "capability") else said for each, said in value.items()}
        return Map.wrap({**dict(table.items()), key: Map.wrap(named)})
    return table


def _is_named(key: Any, name: str) -> bool:
    return (key.name if key.__class__ is Keyword else key) == name


def _own_id(said: Any, ids: Mapping[str, str]) -> Any:
    text = said.name if said.__class__ is Keyword else said
    return ids.get(text, said) if text.__class__ is str else said


def read_hint(name: str, value: Any) -> Any:
    """Return one hint, by its name without `runtime.learning.`; None for one that is off, or that is none.

    Raises:
        HintError: It means nothing.
    """
    kind = _KINDS.get(name)
    if kind is None or value is None or value is False:
        return None
    keys = _KEYS[name]
    if kind is Metrics and value is True:
        value = EMPTY_MAP
    if not isinstance(value, Map):
        raise HintError(name, f"{_brief(value)} is no map", f"write a map of {_listed(keys)}, or nil for none")
    given: dict[str, Any] = {}
    for key, each in value.items():
        text = key.name if isinstance(key, Keyword) else key
        if not isinstance(text, str) or text not in keys:
            near = did_you_mean(text, keys) if isinstance(text, str) else None
            raise HintError(name, f"it has no key {_brief(key)}", near or f"its keys are {_listed(keys)}")
        given[keys[text].name] = _field(name, text, keys[text], each)
    lacks = [text for text, field in keys.items() if field.default is attrs.NOTHING and field.name not in given]
    if lacks:
        raise HintError(name, f"it lacks {_listed(lacks)}", "say it; nil instead of a map is no hint")
    return kind(**given)


def _field(name: str, key: str, field: attrs.Attribute[Any], value: Any) -> Any:
    try:
        return field.metadata[_KEY][1](value)
    except _WrongError as wrong:
        raise HintError(name, f":{key} cannot be {_brief(value)}", f"it is {wrong}") from None


def seconds_for(bound: float, hints: Map, of_call: float = 0.0, of_attempt: float = 0.0) -> float:
    """Return the seconds that a request may take to a target that has so many, by the hint `timeout` of a call.

    `of_call` and `of_attempt` are the seconds that they have taken already.
    """
    hint = _timeout(hints)
    return bound if hint is None else hint.left(bound, of_call, of_attempt)


def seconds_of_call(hints: Map) -> float:
    """Return the seconds that a whole call may take by the hint `timeout`, infinity where that does not say."""
    hint = _timeout(hints)
    return inf if hint is None or hint.absolute is None else hint.absolute


def _timeout(hints: Map) -> Timeout | None:
    """Return the hint `timeout`. One that means nothing counts as none: the call is refused elsewhere."""
    try:
        found: Timeout | None = read_hint("timeout", _of(hints, PREFIX + "timeout")) if len(hints) else None
    except HintError:
        return None
    return found


def _of(table: Map, name: str) -> Any:
    found = table.get(Keyword(name))
    return table.get(name) if found is None else found


def _listed(keys: Any) -> str:
    return ", ".join(f":{each}" for each in keys)


def _brief(value: Any) -> str:
    text = write(value)
    return text if len(text) <= LONGEST_NAME else text[:LONGEST_NAME] + "…"
