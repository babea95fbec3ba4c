"""What commands about models have in common: choosing them by name, and the words of their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.lang.diagnostics import did_you_mean

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance, ProviderPool

_MIB = 1 << 20


def chosen(pool: ProviderPool, texts: Sequence[str]) -> list[ProviderInstance]:
    """Return the models of some names, all where there is none.

    Raises:
        click.UsageError: A name is no model's.
    """
    from rtfs_framework.orchestrator.config.routes import target_text
    from rtfs_framework.orchestrator.performing.inventory import find_model, model_texts

    found = []
    for text in texts:
        instance = find_model(pool, text)
        if instance is None:
            known = model_texts(pool)
            way_out = did_you_mean(text, known) or f"known: {', '.join(known) or 'none'}"
            raise click.UsageError(f"'{text}' is no configured model; {way_out}")
        found.append(instance)
    return found or sorted(pool.instances.values(), key=lambda each: target_text(each.target))


def loaded(model: Mapping[str, Any]) -> str:
    """Return whether a model is in memory, and how much it takes; "" where its provider keeps none."""
    status = model.get("status")
    if not isinstance(status, Mapping):
        return ""
    if not status.get("loaded"):
        return "no"
    memory = status.get("memory")
    return f"{memory / _MIB:,.0f} MiB" if isinstance(memory, int) else "yes"


def price(model: Mapping[str, Any]) -> str:
    """Return what a model costs: US dollars per million tokens, in and out; "" where nobody says."""
    costs = [model.get(key) for key in ("input_cost", "output_cost")]
    if costs == [None, None]:
        return "free" if model.get("locality") == "local" else ""
    return " / ".join(f"${cost:g}" if isinstance(cost, int | float) else "?" for cost in costs)
