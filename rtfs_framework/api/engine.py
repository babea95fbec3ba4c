"""Delegation engines: decide where a call runs. `decide` is pure: no I/O, no clock, no cache of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from rtfs_framework.api.settings import SettingsSchema

if TYPE_CHECKING:  # a plugin is imported at every start; what only its types need is not
    from rtfs_framework.api.plans import CallContext, Consult, DelegationPlan
    from rtfs_framework.api.targets import ExecTarget


@attrs.frozen(slots=True)
class EngineSettings:
    """What every engine is made from: the parsed routes and default, and its own settings object."""

    routes: Mapping[str, ExecTarget] = attrs.field(factory=dict)
    """`[delegation.static_routes]`: symbol or glob to target."""
    default: ExecTarget | None = None
    own: Any = None
    """An instance of the entry's `settings` class, or None."""


class DelegationEngine(Protocol):
    """Decides. Must be deterministic: the same context gives an equal plan."""

    def claims(self) -> Iterable[str]:
        """Return the symbols or globs that this engine might send elsewhere; asked once, at link time."""
        ...

    def decide(self, context: CallContext) -> DelegationPlan | Consult:
        """Return the plan for one call, or ask to consult a model first."""
        ...

    def conclude(self, context: CallContext, consult: Consult, answer: str) -> DelegationPlan:
        """Return the plan after a consultation. Engines that never consult raise nothing and are never asked."""
        ...


class PlanScope(Enum):
    """What an engine's plans depend on, and so for which calls a stored plan may stand in."""

    SYMBOL = "symbol"
    """The function alone: one stored plan serves every call of it."""
    ARGUMENTS = "arguments"
    """The arguments too: a stored plan serves only calls with equal arguments."""


@attrs.frozen(slots=True, kw_only=True)
class EngineEntry:
    """An engine that a plugin offers under a name."""

    name: str
    summary: str
    factory: Callable[[EngineSettings], DelegationEngine]
    settings: SettingsSchema | None = None
    plan_scope: PlanScope = PlanScope.ARGUMENTS
    """ARGUMENTS is always sound; SYMBOL is faster, and a promise that `decide` does not look at arguments."""
