"""What a call cost: tokens times the configured prices."""

from __future__ import annotations

from rtfs_framework.api.provider import Usage
from rtfs_framework.orchestrator.config.model import ProviderSpec

_MILLION = 1_000_000


def cost_of(usage: Usage, spec: ProviderSpec) -> float:
    """Return US dollars; 0.0 when no price is configured."""
    return (usage.input_tokens * spec.input_cost + usage.output_tokens * spec.output_cost) / _MILLION
