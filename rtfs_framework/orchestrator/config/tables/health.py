"""`[health]` and `[health.targets.<target>]` of `delegation.toml`: every key has a default, every table a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs
from attrs import validators

from rtfs_framework.api.targets import LocalModel, RemoteModel
from rtfs_framework.api.units import Seconds, plausible
from rtfs_framework.orchestrator.config.health import BreakerMode, BreakerSpec, HealthSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.orchestrator.config.own import Reading

_POSITIVE: Any = validators.optional(validators.gt(0))
_COUNT: Any = validators.optional([validators.ge(1), validators.le(10_000)])
_STEPS: Any = validators.optional([validators.ge(0), validators.le(20)])
_SHARE: Any = validators.optional([validators.gt(0.0), validators.le(1.0)])
_BUDGET: Any = validators.optional([validators.ge(0.0), validators.le(1.0)])
_TIME = plausible(1.0, 86_400.0)


def _slow(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
    if value is not None and value != "off" and value <= 0:
        raise ValueError(f"'{field.name}' must be above 0, or \"off\"")


@attrs.frozen(slots=True, kw_only=True)
class BreakerTable:
    """`[health.targets.<target>]`: what differs for one target. A key that is not there has the value of `[health]`."""

    state: BreakerMode | None = None
    """How its breaker works: by what happens, or held open or closed."""
    window: Seconds | None = attrs.field(default=None, validator=_POSITIVE, metadata=_TIME)
    """How long outcomes count."""
    window_calls: int | None = attrs.field(default=None, validator=_COUNT)
    """How many of the last outcomes count."""
    minimum_calls: int | None = attrs.field(default=None, validator=_COUNT)
    """Fewer outcomes say nothing."""
    failure_rate: float | None = attrs.field(default=None, validator=_SHARE)
    """From this share of failures on, the model is left alone."""
    slow: Seconds | Literal["off"] | None = attrs.field(
        default=None, validator=_slow, metadata=plausible(0.01, 86_400.0)
    )
    """An answer that takes longer counts as slow; "off" for never."""
    slow_rate: float | None = attrs.field(default=None, validator=_SHARE)
    """From this share of slow answers on, the model is left alone."""
    open_for: Seconds | None = attrs.field(default=None, validator=_POSITIVE, metadata=_TIME)
    """How long it is left alone before the first probe."""
    open_for_most: Seconds | None = attrs.field(default=None, validator=_POSITIVE, metadata=_TIME)
    """What that time doubles up to while probes fail."""
    retry_after_most: Seconds | None = attrs.field(default=None, validator=_POSITIVE, metadata=_TIME)
    """The longest wait that a server's `Retry-After` may ask for."""
    probes: int | None = attrs.field(default=None, validator=_COUNT)
    """Requests at once while it is being tried again."""
    recovery_steps: int | None = attrs.field(default=None, validator=_STEPS)
    """How often the number of requests doubles before all go there again."""
    retry_budget: float | None = attrs.field(default=None, validator=_BUDGET)
    """Repeats for each call that goes there: 0.1 is one for ten."""

    def over(self, usual: BreakerSpec) -> BreakerSpec:
        """Return what holds where this table is laid over another."""
        given = {
            field.name: getattr(self, field.name)
            for field in attrs.fields(BreakerSpec)
            if getattr(self, field.name) is not None
        }
        if given.get("slow") == "off":
            given["slow"] = None
        return attrs.evolve(usual, **given)


@attrs.frozen(slots=True, kw_only=True)
class HealthTable(BreakerTable):
    """`[health]`: what holds for every target."""

    most_ejected: float | None = attrs.field(default=None, validator=_SHARE)
    """Of several models, the share that may be left alone at once; the last one never is."""
    shared: bool = True
    """Whether hosts of this machine share what they know of models."""
    targets: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """What differs for one model: any of the keys above but the last two."""


def read_health(reading: Reading, table: HealthTable, target: Callable[[str, KeyPath], ExecTarget]) -> HealthSpec:
    """Return what the tables say; names that lead nowhere are noted as mistakes in `reading`."""
    usual = table.over(BreakerSpec())
    targets: dict[ExecTarget, BreakerSpec] = {}
    for text, keys in table.targets.items():
        path: KeyPath = ("health", "targets", text)
        before = len(reading.mistakes)
        found = target(text, path)
        own = reading.structure(BreakerTable, dict(keys), path)
        if len(reading.mistakes) == before and not isinstance(found, LocalModel | RemoteModel):
            way_out = "the breaker is of models: local-<model> or remote-<provider>"
            reading.mistake("E0706", f"'{text}' is no model, and cannot fail", path, way_out, key=True)
        if own is not None:
            targets[found] = own.over(usual)
    most = HealthSpec().most_ejected if table.most_ejected is None else table.most_ejected
    return HealthSpec(usual=usual, targets=targets, most_ejected=most, shared=table.shared)
