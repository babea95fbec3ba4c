"""What a case of a policy's tests says that another host offers.

In: the tables `offer` of a case. Out: the signal, as a host would have heard it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import attrs
from attrs import validators

from rtfs_framework.api.remote import Offer, OfferedTarget
from rtfs_framework.api.signals import Health, Left

HealthName = Literal["closed", "recovering", "half-open", "open", "disabled", "metrics-only", "forced-open"]
LeftName = Literal["nothing", "little", "some", "plenty"]
_COST: Any = validators.optional(validators.ge(0.0))
_SHARE: Any = validators.optional([validators.ge(0.0), validators.le(1.0)])


@attrs.frozen(slots=True, kw_only=True)
class OfferedTable:
    """A target of that host."""

    target: str
    local: bool = False
    accepts: Sequence[str] | None = None
    input_cost: float | None = attrs.field(default=None, validator=_COST)
    output_cost: float | None = attrs.field(default=None, validator=_COST)
    quality: float | None = attrs.field(default=None, validator=_SHARE)
    health: HealthName = "closed"

    def signal(self) -> OfferedTarget:
        """Return it as decisions read it."""
        return OfferedTarget(
            target=self.target,
            local=self.local,
            accepts=_marks(self.accepts),
            input_cost=self.input_cost,
            output_cost=self.output_cost,
            quality=self.quality,
            health=Health(self.health),
        )


@attrs.frozen(slots=True, kw_only=True)
class OfferTable:
    """What a host can do now."""

    host: str = ""
    """Its id; without it, that of the target under which it is configured here."""
    targets: Sequence[OfferedTable] = ()
    accepts: Sequence[str] | None = None
    room: LeftName = "plenty"
    capabilities: Sequence[str] = ()

    def signal(self, id_: str) -> Offer:
        """Return it as decisions read it, of the host that is configured by an id."""
        return Offer(
            host=self.host or id_,
            targets=tuple(each.signal() for each in self.targets),
            accepts=_marks(self.accepts),
            room=Left(self.room),
            capabilities=tuple(self.capabilities),
        )


def _marks(said: Sequence[str] | None) -> frozenset[str] | None:
    return None if said is None else frozenset(mark.removeprefix(":") for mark in said)
