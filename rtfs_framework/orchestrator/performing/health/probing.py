"""The probe of a target that is coming back: its provider's own `ping`, which costs nothing, in place of a request.

In: the request that would have been the probe. Out: what the ping says of the target's health, or None where it says
nothing, and the request itself is the probe: the provider has none, it is busy, or its plugin broke.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.errors import ProviderError
from rtfs_framework.orchestrator.performing.controls import SECONDS, BusyError
from rtfs_framework.orchestrator.performing.gate import Outcome
from rtfs_framework.orchestrator.performing.health.breaker import Seen
from rtfs_framework.registry.faults import PluginFault

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.gate import Asking


@attrs.frozen(slots=True)
class Probed:
    """What a probe found out."""

    seen: Seen
    why: str
    """In the words of `rtfs health`."""


async def probe(asking: Asking) -> Probed | None:
    """Ping a request's target for at most half of the time that the request has."""
    from rtfs_framework.orchestrator.performing.health.check import seen_of, words_of

    instance = asking.instance
    controls = instance.controls
    try:
        if not controls.offers("ping"):
            return None
        await controls.ping(min(SECONDS["ping"], asking.request.timeout / 2))
    except PluginFault as fault:
        instance.told(instance.part, fault, "", "a request finds out instead")
        return None
    except BusyError:
        return None
    except ProviderError as error:
        outcome = Outcome(failure=error.failure, retry_after=error.retry_after)
        return Probed(seen_of(outcome, None), f"ping: {words_of(outcome)}")
    return Probed(seen_of(Outcome(), None), "ping")
