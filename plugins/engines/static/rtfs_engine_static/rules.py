"""The keys of a rule, `[[engines.static.rules]]`: what it asks of a call, and where the call then goes.

Only texts and numbers; `conditions` makes of them what a context is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from attrs import validators

from rtfs_framework.api import Milliseconds, TargetText, TypePattern, plausible

SIZES = tuple(64 * 4**power for power in range(12))
"""Estimated tokens come in bands of a factor of 4 (`CallContext.size`); a bound of a rule is one of them."""

Texts = str | Sequence[str]
_OUTCOMES = ("to", "capability", "deny")


class BadRule(ValueError):
    """A rule that could not mean what it says, and what to write instead."""

    def __init__(self, message: str, way_out: str) -> None:
        super().__init__(message)
        self.way_out = way_out


def _a_band(_: Any, field: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None and value not in SIZES:
        nearest = min(SIZES, key=lambda size: abs(size - value))
        message = f"'{field.name}' must be the size of a band of tokens, not {value:,}"
        raise BadRule(message, f"write {nearest}; the bands end at 64, 256, 1024, 4096 and so on")


def _some(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
    if value is not None and not all(texts(value) or ("",)):
        raise BadRule(f"'{field.name}' names nothing", f"write {field.name} = [...] with a name, or leave it out")


_UNIT = validators.optional([validators.ge(0.0), validators.le(1.0)])
_POSITIVE: Any = validators.optional(validators.gt(0))
_COST = validators.optional(validators.ge(0.0))


@attrs.frozen(slots=True, kw_only=True)
class Rule:
    """One rule. What it does not name it does not look at."""

    symbols: Texts = attrs.field(validator=_some)
    """Names of functions, or patterns with `*`."""
    name: str = ""
    """For explanations."""
    to: TargetText | Sequence[TargetText] | None = attrs.field(default=None, validator=_some)
    """The targets, the preferred one first."""
    capability: str | None = attrs.field(default=None, validator=_some)
    """Instead of a target: the capability that performs the call."""
    deny: str | None = attrs.field(default=None, validator=_some)
    """Instead of a target: the call is refused, for this reason."""
    ask: str | None = attrs.field(default=None, validator=_some)
    """Who must say yes first: a name or a role. With `to` or `capability`."""
    types: Sequence[TypePattern] | None = None
    """One pattern for each argument; a last `& T` for all that are left."""
    min_size: int | None = attrs.field(default=None, validator=_a_band)
    """The least size of the request, in estimated tokens."""
    max_size: int | None = attrs.field(default=None, validator=_a_band)
    """The largest size of the request, in estimated tokens."""
    tenant: Texts | None = attrs.field(default=None, validator=_some)
    """Names of tenants, or patterns with `*`."""
    agent: Texts | None = attrs.field(default=None, validator=_some)
    """Who the host works for: names, or patterns with `*`."""
    environment: Mapping[str, str] | None = None
    """What must stand in `[security.environment]`: a text, or a pattern with `*`, for each name."""
    constraints: Mapping[str, str] | None = None
    """What must stand in `[security.constraints]`."""
    time_class: Texts | None = attrs.field(default=None, validator=_some)
    """Classes of hours: names, or patterns with `*`."""
    granted: Texts | None = attrs.field(default=None, validator=_some)
    """Capabilities that the program may use, all of them."""
    min_confidence: float | None = attrs.field(default=None, validator=_UNIT)
    """The least confidence that the caller says it has."""
    max_confidence: float | None = attrs.field(default=None, validator=_UNIT)
    """The highest confidence that the caller says it has."""
    intent: Texts | None = attrs.field(default=None, validator=_some)
    """What the caller says that the call is for: names, or patterns with `*`."""
    max_input_cost: float | None = attrs.field(default=None, validator=_COST)
    """As `max_output_cost`, of input."""
    max_output_cost: float | None = attrs.field(default=None, validator=_COST)
    """US dollars per million tokens: targets that cost more, or nobody knows what, are left out."""
    max_latency: Milliseconds | None = attrs.field(default=None, validator=_POSITIVE, metadata=plausible(10, 3_600_000))
    """Of 95 calls of 100: targets that are known to take longer are left out."""

    def __attrs_post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            BadRule: It does.
        """
        said = [key for key in _OUTCOMES if getattr(self, key) is not None]
        if len(said) != 1:
            wrong = f"'{said[1]}' and '{said[0]}' exclude each other" if said else "the rule says not where calls go"
            raise BadRule(wrong, 'a rule has one of: to = "local-pure", capability = "NAME", deny = "the reason"')
        if self.ask is not None and self.deny is not None:
            raise BadRule("'ask' and deny exclude each other", "leave one of them out")
        for what, least, most in (
            ("size", self.min_size, self.max_size),
            ("confidence", self.min_confidence, self.max_confidence),
        ):
            if least is not None and most is not None and least > most:
                raise BadRule(f"'min_{what}' is above max_{what}: the rule fits no call", "exchange the two")
        if self.types and any(pattern.rest for pattern in self.types[:-1]):
            raise BadRule("'types' goes on after `& T`", "`& T` is for all arguments that are left, so it comes last")

    @property
    def ceilings(self) -> tuple[float | None, float | None, float | None]:
        """What a target may cost, per million tokens that go in and come out, and how long it may take."""
        return self.max_input_cost, self.max_output_cost, self.max_latency

    @property
    def asked(self) -> tuple[Any, ...]:
        """What it asks of a call, to compare with other rules."""
        sizes, confidences = (self.min_size, self.max_size), (self.min_confidence, self.max_confidence)
        named = (self.tenant, self.agent, self.time_class, self.granted, self.intent)
        names = tuple(tuple(sorted(texts(each))) for each in named)
        facts = tuple(tuple(sorted((each or {}).items())) for each in (self.environment, self.constraints))
        return None if self.types is None else tuple(self.types), sizes, confidences, names, facts

    @property
    def rank(self) -> tuple[int, int]:
        """A key to sort by, the most specific rule of a symbol first: more conditions, then types that say more."""
        conditions: tuple[Any, ...] = (
            self.types,
            self.min_size if self.min_size is not None else self.max_size,
            self.tenant,
            self.agent,
            self.environment or None,
            self.constraints or None,
            self.time_class,
            self.granted,
            self.min_confidence if self.min_confidence is not None else self.max_confidence,
            self.intent,
            self.max_input_cost if self.max_input_cost is not None else self.max_output_cost,
            self.max_latency,
        )
        named = sum(condition is not None for condition in conditions)
        return -named, -sum(pattern.specificity for pattern in self.types or ())


@attrs.frozen(slots=True, kw_only=True)
class StaticSettings:
    """`[engines.NAME]` of this engine."""

    rules: Sequence[Rule] = ()
    """Rules, the first that fits decides."""
    static_routes: bool = True
    """Whether `[delegation.static_routes]` count here, as rules without conditions."""

    def __attrs_post_init__(self) -> None:
        """Refuse a rule that would never decide.

        Raises:
            BadRule: An earlier one asks the same of the same symbol.
        """
        first: dict[tuple[Any, ...], int] = {}
        for number, rule in enumerate(self.rules, start=1):
            for symbol in texts(rule.symbols):
                earlier = first.setdefault((symbol, rule.asked, rule.ceilings), number)
                if earlier != number:
                    wrong = f"'rules': the rule {number} never decides, for rule {earlier} asks the same of `{symbol}`"
                    raise BadRule(wrong, "give both as one list of targets, or add a condition")


def texts(given: Texts | None) -> tuple[str, ...]:
    """Return what a key names, whether it was written as a text or as a list."""
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)
