"""What is known of whoever calls: what they say of a call (`DelegationMetadata`), and what they may do (`Permissions`).

Both are reads of a `CallContext`. Neither loosens anything: metadata are words, and the host holds the rules itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import attrs
from attrs import validators

from rtfs_framework.api.patterns import compile_patterns

MOST_TEXT = 4096
MOST_FACTS = 64


def _plain_facts(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
    facts = value.items() if isinstance(value, Mapping) else ()
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for fact in facts for text in fact):
        raise TypeError(f"'{field.name}' must map texts to texts, and is {value!r:.60}")
    if len(value) > MOST_FACTS or any(len(text) > MOST_TEXT for fact in facts for text in fact):
        raise ValueError(f"'{field.name}' may hold {MOST_FACTS} facts of {MOST_TEXT:,} characters each")


_TEXT: Any = [validators.instance_of(str), validators.max_len(MOST_TEXT)]


@attrs.frozen(slots=True, kw_only=True)
class DelegationMetadata:
    """What a caller says of a call: how sure it is, why, further facts, and who says so.

    An engine may choose by it (`CallContext.metadata`). It reaches no model, and nothing is allowed by it.
    """

    confidence: float | None = attrs.field(
        default=None, validator=validators.optional([validators.ge(0.0), validators.le(1.0)])
    )
    """How sure the caller is of what it asks, within 0 and 1; None for no word."""
    reasoning: str = attrs.field(default="", validator=_TEXT)
    context: Mapping[str, str] = attrs.field(factory=dict, validator=_plain_facts)
    """Further facts by name, such as "intent"."""
    source: str = attrs.field(default="", validator=_TEXT)
    """Who says so: "python", "program", "capability <id>", or what the caller calls itself."""

    def over(self, below: DelegationMetadata) -> DelegationMetadata:
        """Return what both say together; where both speak, this counts. Facts are laid over one another by name."""
        if below == NO_METADATA:
            return self
        if self == NO_METADATA:
            return below
        return DelegationMetadata(
            confidence=below.confidence if self.confidence is None else self.confidence,
            reasoning=self.reasoning or below.reasoning,
            context={**below.context, **self.context},
            source=self.source or below.source,
        )


NO_METADATA = DelegationMetadata()
"""Where nobody has said anything."""


def of_python(said: DelegationMetadata) -> DelegationMetadata:
    """Return what a caller of the Python API says, named as such unless it names itself."""
    return said if said.source else attrs.evolve(said, source="python")


@attrs.frozen(slots=True)
class Described:
    """What a capability may return instead of a value: the value, its marks, and metadata for its run's later calls.

    The program sees the value alone. In a branch of a fan-out the metadata are of that branch only.
    """

    value: Any
    metadata: DelegationMetadata = attrs.field(
        default=NO_METADATA, validator=validators.instance_of(DelegationMetadata)
    )
    marks: frozenset[str] = frozenset()
    """Marks that the value brings along, as of state that was kept with them: the run carries them from there on."""


@attrs.frozen(slots=True, kw_only=True)
class Permissions:
    """The rules under which a program runs, as `[security]` and its tenant's table say."""

    level: Literal["pure", "controlled", "full"] = "controlled"
    reach: Literal["pure", "local", "remote"] = "remote"
    """How far the arguments of a delegated function may travel."""
    grant: tuple[str, ...] = ()
    """Names of capabilities, or patterns with `*`."""
    deny: tuple[str, ...] = ()
    """Names of capabilities and functions, or patterns."""

    def may_use(self, capability: str) -> bool:
        """Tell whether the program may use a capability."""
        if self.level == "pure" or _matched(self.deny)(capability) is not None:
            return False
        return self.level == "full" or _matched(self.grant)(capability) is not None


_matched = lru_cache(maxsize=64)(compile_patterns)
