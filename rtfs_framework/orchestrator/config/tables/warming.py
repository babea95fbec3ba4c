"""The table `[warming]`: how much may be done before it is asked for. Without it nothing is."""

from __future__ import annotations

from typing import Any

import attrs
from attrs import validators

from rtfs_framework.api.units import Seconds, plausible
from rtfs_framework.orchestrator.config.model import WarmingSpec

_MOST = 3_600
_HOUR = 3600.0
_SHARE: Any = [validators.gt(0.0), validators.lt(1.0)]


@attrs.frozen(slots=True, kw_only=True)
class WarmingTable:
    """`[warming]`."""

    per_hour: int = attrs.field(default=0, validator=[validators.ge(0), validators.le(_MOST)])
    """Warm-ups in any hour, of one process; 0 for none."""
    usd_per_day: float = attrs.field(default=0.0, validator=validators.ge(0.0))
    """What warm-ups may cost in a day, in US dollars."""
    wasted: float = attrs.field(default=0.2, validator=_SHARE)
    """The share of them that may be for nothing."""
    idle: Seconds = attrs.field(
        default=Seconds(300.0), validator=validators.gt(Seconds(0.0)), metadata=plausible(10, 24 * _HOUR)
    )
    """After what time a model that nobody asks is cold."""

    def spec(self) -> WarmingSpec:
        """Return what the table says."""
        return WarmingSpec(per_hour=self.per_hour, usd_per_day=self.usd_per_day, wasted=self.wasted, idle=self.idle)


USUAL_WARMING = WarmingTable()
