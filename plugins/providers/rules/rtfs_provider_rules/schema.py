"""What a rule file may hold. The fields are the keys; `load` checks what a single table cannot know."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import attrs
from attrs import validators

NEGATORS = ("not", "no", "never", "none", "nothing", "without", "hardly", "barely", "cannot", "nor", "neither")
"""Words that negate, besides every word that ends in n't."""

MOST_CHARACTERS = 10_000
"""How much of a text is looked at: VADER's time grows with the square of the number of words."""


def _finite(_: Any, attribute: Any, value: float | None) -> None:
    if value is not None and not math.isfinite(value):
        raise ValueError(f"'{attribute.name}' must be a finite number: {value}")


def _filled(_: Any, attribute: Any, value: Any) -> None:
    if not value:
        raise ValueError(f"'{attribute.name}' must not be empty")


def _positive(_: Any, attribute: Any, value: float | None) -> None:
    if value is not None and not 0 < value < math.inf:
        raise ValueError(f"'{attribute.name}' must be greater than 0: {value}")


@attrs.frozen(slots=True, kw_only=True)
class PatternTable:
    """One of a label's `patterns`: what to find, and what each finding adds to the label's score."""

    words: tuple[str, ...] = ()
    """Words or phrases, found as whole words; a `*` at the end stands for any ending."""
    regex: str | None = None
    """An expression in RE2's syntax, found anywhere."""
    weight: float = attrs.field(default=1.0, validator=_finite)
    negated: float | None = attrs.field(default=None, validator=_finite)
    """The weight when a negator stands within the three words before; without it, negation changes nothing."""


@attrs.frozen(slots=True, kw_only=True)
class LabelTable:
    """`[labels.<label>]`."""

    bias: float = attrs.field(default=0.0, validator=_finite)
    threshold: float | None = attrs.field(default=None, validator=_positive)
    patterns: tuple[PatternTable, ...] = ()


@attrs.frozen(slots=True, kw_only=True)
class LexiconTable:
    """`[lexicon]`: its score, from -1 to 1, is added to one label's and subtracted from another's."""

    library: Literal["vader"]
    positive: str
    negative: str
    words: Mapping[str, float] = attrs.field(factory=dict)
    """Words added to the library's, or in place of them, from -4 to 4."""

    @words.validator
    def _in_range(self, attribute: Any, value: Mapping[str, float]) -> None:
        for word, weight in value.items():
            if not -4 <= weight <= 4:
                raise ValueError(f"'{attribute.name}' must lie between -4 and 4, but {word!r} is {weight}")


@attrs.frozen(slots=True, kw_only=True)
class ClassifyFile:
    """A rule file of kind "classify": a text in, a label out."""

    kind: Literal["classify"]
    about: str = ""
    argument: str | None = None
    fallback: str
    threshold: float = attrs.field(default=1.0, validator=_positive)
    margin: float = attrs.field(default=0.0, validator=validators.ge(0))
    max_characters: int = attrs.field(default=MOST_CHARACTERS, validator=[validators.ge(1), validators.le(1_000_000)])
    negators: tuple[str, ...] = NEGATORS
    lexicon: LexiconTable | None = None
    labels: Mapping[str, LabelTable] = attrs.field(validator=_filled)


@attrs.frozen(slots=True, kw_only=True)
class ConditionTable:
    """A condition on an argument's text that is more than equality."""

    words: tuple[str, ...] = ()
    regex: str | None = None


@attrs.frozen(slots=True, kw_only=True)
class CaptureTable:
    """`[captures.<name>]`: a piece of an argument that replies may name."""

    argument: str
    regex: str


@attrs.frozen(slots=True, kw_only=True)
class ReplyTable:
    """One of `[[replies]]`."""

    when: Mapping[str, str | tuple[str, ...] | ConditionTable] = attrs.field(factory=dict)
    text: str = attrs.field(validator=_filled)


@attrs.frozen(slots=True, kw_only=True)
class TemplateFile:
    """A rule file of kind "template": arguments in, one line of text out."""

    kind: Literal["template"]
    about: str = ""
    arguments: tuple[str, ...] = attrs.field(validator=_filled)
    max_characters: int = attrs.field(default=MOST_CHARACTERS, validator=[validators.ge(1), validators.le(1_000_000)])
    max_inserted: int = attrs.field(default=80, validator=validators.ge(1))
    captures: Mapping[str, CaptureTable] = attrs.field(factory=dict)
    replies: tuple[ReplyTable, ...] = attrs.field(validator=_filled)
