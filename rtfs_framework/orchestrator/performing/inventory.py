"""What people see of a host's models: each instance, whether it can be used, how its model is, what it costs.

In: the providers of a host, and its board of signals. Out: one record for each. Nothing is sent anywhere; a provider
that keeps a model in memory is made, and asked for its status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.errors import ProviderError
from rtfs_framework.api.provider import ModelStatus
from rtfs_framework.api.signals import Health
from rtfs_framework.api.targets import LocalModel, RemoteModel
from rtfs_framework.orchestrator.config.routes import target_text
from rtfs_framework.orchestrator.performing.controls import BusyError
from rtfs_framework.registry.faults import PluginFault

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.health.board import Board
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance, ProviderPool


@attrs.frozen(slots=True, kw_only=True)
class ModelView:
    """One instance."""

    target: str
    provider: str
    distribution: str
    model: str
    locality: str
    """"local" or "remote": whether data stays on this device."""
    unusable: str | None
    """Why it cannot be used and what to do; None when it can."""
    status: ModelStatus | None = None
    """None where its provider keeps no model in memory, or does not answer now."""
    busy: str = ""
    """Why there is no status now."""
    health: Health
    input_cost: float | None
    """US dollars per million tokens."""
    output_cost: float | None
    priced_by: str

    def plain(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        status = self.status
        return {
            "target": self.target,
            "provider": self.provider,
            "distribution": self.distribution,
            "model": self.model,
            "locality": self.locality,
            "usable": self.unusable is None,
            "why": self.unusable or self.busy or None,
            "status": None if status is None else attrs.asdict(status),
            "health": self.health.value,
            "input_cost": self.input_cost,
            "output_cost": self.output_cost,
            "priced_by": self.priced_by,
        }


async def inventory(pool: ProviderPool, board: Board) -> list[ModelView]:
    """Return all instances, by their targets' texts."""
    import asyncio

    instances = sorted(pool.instances.values(), key=lambda each: target_text(each.target))
    return list(await asyncio.gather(*(view_of(each, pool, board) for each in instances)))


async def view_of(instance: ProviderInstance, pool: ProviderPool, board: Board) -> ModelView:
    """Return one instance."""
    spec = instance.spec
    unusable, status, busy = pool.unusable(instance.target), None, ""
    if unusable is None:
        try:
            status = await instance.controls.status()
        except ProviderError as error:
            unusable = str(error)
        except PluginFault as fault:
            instance.told(instance.part, fault, "", "its status is not known")
            busy = fault.problem
        except BusyError as error:
            busy = str(error)
    return ModelView(
        target=target_text(instance.target),
        provider=instance.entry.name,
        distribution=instance.distribution,
        model=spec.model,
        locality=instance.entry.locality.value,
        unusable=unusable,
        status=status,
        busy=busy,
        health=board.health(instance.target),
        input_cost=spec.input_cost,
        output_cost=spec.output_cost,
        priced_by=spec.priced_by,
    )


def find_model(pool: ProviderPool, text: str) -> ProviderInstance | None:
    """Return the instance that a text names: a target's text, or an id that only one has."""
    for target, instance in pool.instances.items():
        if target_text(target) == text:
            return instance
    named = [
        instance
        for target, instance in pool.instances.items()
        if isinstance(target, LocalModel | RemoteModel) and target.id == text
    ]
    return named[0] if len(named) == 1 else None


def model_texts(pool: ProviderPool) -> list[str]:
    """Return the texts by which models can be named."""
    return sorted(map(target_text, pool.instances))
