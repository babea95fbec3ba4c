"""Delegation engines: decide where a call runs. `decide` is pure: no I/O, no clock, no cache of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from rtfs_framework.api.settings import SettingsSchema

if TYPE_CHECKING:  # a plugin is imported at every start; what only its types need is not
    from rtfs_framework.api.context import CallContext
    from rtfs_framework.api.plans import DelegationPlan
    from rtfs_framework.api.targets import ExecTarget


@attrs.frozen(slots=True)
class EngineSettings:
    """What every engine is made from: the parsed routes and default, its own settings, and its children."""

    routes: Mapping[str, tuple[ExecTarget, ...]] = attrs.field(factory=dict)
    """`[delegation.static_routes]`: symbol or glob to targets, the preferred one first."""
    default: ExecTarget | None = None
    own: Any = None
    """An instance of the entry's `settings` class, or None."""
    children: Mapping[str, tuple[DelegationEngine, ...]] = attrs.field(factory=dict)
    """By the names that the entry declares; a key that the configuration leaves out has none."""
    targets: Mapping[str, ExecTarget] = attrs.field(factory=dict)
    """What the texts in `own` of type `TargetText` mean."""
    directory: str = ""
    """Where the relative paths of its settings start."""


class DelegationEngine(Protocol):
    """Decides. Must be a pure function of what it reads: the same reads give an equal plan."""

    def claims(self) -> Iterable[str]:
        """Return the symbols or globs that this engine might send elsewhere; asked once, at link time.

        The host adds what its children claim.
        """
        ...

    def decide(self, context: CallContext) -> DelegationPlan | None:
        """Return the plan for one call, None for no opinion: then the default decides."""
        ...


@attrs.frozen(slots=True)
class Children:
    """Engines below an engine: a key of its table, which names one of them, or several (`many`)."""

    key: str
    many: bool = False
    required: bool = True
    instead_of: str = ""
    """Another key of the entry in whose place this one may stand: never both."""


@attrs.frozen(slots=True, kw_only=True)
class EngineEntry:
    """An engine that a plugin offers under a name."""

    name: str
    summary: str
    factory: Callable[[EngineSettings], DelegationEngine]
    settings: SettingsSchema | None = None
    children: tuple[Children, ...] = ()
