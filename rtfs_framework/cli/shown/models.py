"""What commands about models have in common: choosing them by name, and the words of their tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from rtfs_framework.lang.diagnostics import did_you_mean

if TYPE_CHECKING:
    from rtfs_framework.api.provider import ModelStatus
    from rtfs_framework.orchestrator.performing.inventory import ModelView
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


def loaded(status: ModelStatus | None) -> str:
    """Return whether a model is in memory, and how much it takes; "" where its provider keeps none."""
    if status is None:
        return ""
    if not status.loaded:
        return "no"
    return "yes" if status.memory is None else f"{status.memory / _MIB:,.0f} MiB"


def price(found: ModelView) -> str:
    """Return what a model costs: US dollars per million tokens, in and out; "" where nobody says."""
    if found.input_cost is None and found.output_cost is None:
        return "free" if found.locality == "local" else ""
    return f"${found.input_cost or 0:g} / ${found.output_cost or 0:g}"
