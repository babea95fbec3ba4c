"""What this distribution offers to rtfs_framework. Imports nothing heavy: to decide needs no library that learns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
from attrs import validators

from rtfs_framework.api import (
    ANY,
    FILE_WITHIN,
    CommandEntry,
    Locality,
    ModelProvider,
    ProviderEntry,
    ProviderSettings,
    TargetText,
    hookimpl,
)

rtfs_api_version = 2


@attrs.frozen(slots=True, kw_only=True)
class StackSettings:
    """The keys of a local model that is answered by this provider."""

    model: str = attrs.field(validator=validators.min_len(1), metadata=FILE_WITHIN)
    """The fitted model: a file that `rtfs learn stack` wrote, relative to the configuration."""
    members: Sequence[TargetText] = ()
    """The local models that are asked, as the fitted model names them."""
    argument: str | None = attrs.field(default=None, metadata=ANY)
    """The parameter whose value is classified; without it, the first that is a text."""


@hookimpl
def rtfs_providers() -> list[ProviderEntry]:
    """Offer the provider `stack`."""
    return [
        ProviderEntry(
            name="stack",
            summary="Other local models and learned text features, combined by a small fitted model.",
            locality=Locality.LOCAL,
            factory=_make,
            settings=StackSettings,
            deterministic=True,
            vectors=True,
        )
    ]


@hookimpl
def rtfs_commands() -> list[CommandEntry]:
    """Offer the command that fits one."""
    return [
        CommandEntry(
            name="learn stack",
            summary="Fit a stack: rules, models and the words of texts, from labelled texts.",
            example="rtfs learn stack labelled.csv --member local-sentiment --out stack.json",
            load=_learn,
        )
    ]


def _make(settings: ProviderSettings) -> ModelProvider:
    from rtfs_provider_stack.provider import StackProvider

    return StackProvider(settings)


def _learn() -> Any:
    from rtfs_provider_stack.commands import learn

    return learn
