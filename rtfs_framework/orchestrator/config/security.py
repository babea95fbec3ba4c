"""The `[security]` table: what programs may do. `deciding.security` judges by it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

import attrs
from attrs import validators

from rtfs_framework.orchestrator.config.isolation import USUAL_CHILD, ChildSpec, Isolation
from rtfs_framework.orchestrator.config.tables.budgets import MOST_COUNTED, MOST_DOLLARS

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.config.grants import ArgumentGrant
    from rtfs_framework.orchestrator.config.signed import Signed


def _within(most: int) -> Any:
    return validators.optional([validators.ge(0), validators.le(most)])


class SecurityLevel(Enum):
    """How much a program may do."""

    PURE = "pure"
    """No capability and no model."""
    CONTROLLED = "controlled"
    """The capabilities that `grant` lists."""
    FULL = "full"
    """Every capability that `deny` does not list."""


class Reach(Enum):
    """How far the arguments of a delegated function may travel."""

    PURE = "pure"
    LOCAL = "local"
    REMOTE = "remote"


SLEEP, WAIT_FOR, CHECKPOINT = "host.sleep", "host.wait-for", "host.checkpoint"
WAITS = frozenset({SLEEP, WAIT_FOR, CHECKPOINT})
"""Capabilities of the host's own that reach nothing: a run waits, or notes where it is. They need no grant."""
FEEDBACK = "host.feedback"
"""A capability that the host itself serves: a program says what answers were worth."""
REMOTE_EXECUTE = "remote-rtfs.execute"
"""Another one, where a provider of other RTFS hosts is installed: a program sends them steps."""


@attrs.frozen(slots=True, kw_only=True)
class Quota:
    """`[security.quota]`: what each run may spend, besides the budgets of all; None for no bound."""

    usd: float | None = attrs.field(default=None, validator=_within(MOST_DOLLARS))
    """US dollars."""
    tokens: int | None = attrs.field(default=None, validator=_within(MOST_COUNTED))
    """Of input and output together."""
    calls: int | None = attrs.field(default=None, validator=_within(MOST_COUNTED))
    """Requests to models."""


NO_QUOTA = Quota()


@attrs.frozen(slots=True)
class Kept:
    """Capabilities that are kept for agents, and the agent that this is judged for."""

    acl: Mapping[str, tuple[str, ...]]
    agent: str


@attrs.frozen(slots=True, kw_only=True)
class RuntimeContext:
    """The rules of one host: the `[security]` table. A run is gone on with under no wider ones."""

    level: SecurityLevel = SecurityLevel.CONTROLLED
    grant: tuple[str, ...] = ()
    """Names and patterns, those of `arguments` among them."""
    arguments: tuple[ArgumentGrant, ...] = ()
    """What grants say besides names."""
    deny: tuple[str, ...] = ()
    reach: Reach = Reach.REMOTE
    agent: str = ""
    """Who the host works for; "" for nobody in particular."""
    intent: str = ""
    """What for: engines read it among what is said of a call."""
    acl: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    """Agents (names or patterns) by capability (a name or pattern): where one fits, nobody else may use it."""
    gone: frozenset[str] = frozenset()
    """Capabilities of which no grant of today says what one said when a run began that is gone on with."""
    before: tuple[Kept, ...] = ()
    """What was kept for whom, and for whom it was, when a run began that is gone on with: it is judged by, too."""
    quota: Quota = NO_QUOTA
    isolation: Isolation = Isolation.INHERIT
    child: ChildSpec = USUAL_CHILD
    signed: Signed | None = None
    """The manifest that it is held to; None for none."""
    values: Mapping[str, Any] = attrs.field(factory=dict)
    """Host context values that programs read as `@name`."""


PRESETS: Mapping[str, RuntimeContext] = {
    "pure": RuntimeContext(level=SecurityLevel.PURE, reach=Reach.PURE),
    "controlled": RuntimeContext(),
    "sandboxed": RuntimeContext(reach=Reach.LOCAL, isolation=Isolation.SANDBOXED),
    "full": RuntimeContext(level=SecurityLevel.FULL),
}
"""Level, reach and isolation that go together, by the name of `[security] preset`; keys that are said go first."""
