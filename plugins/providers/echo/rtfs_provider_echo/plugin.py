"""What this distribution offers to rtfs_framework."""

from __future__ import annotations

from rtfs_framework.api import Locality, ModelProvider, ProviderEntry, ProviderSettings, hookimpl

rtfs_api_version = 2


@hookimpl
def rtfs_providers() -> list[ProviderEntry]:
    """Offer the provider `echo`, with an instance of the same name that needs no configuration."""
    return [
        ProviderEntry(
            name="echo",
            summary="Answers the first argument, as it came: the test double of hosts.",
            locality=Locality.LOCAL,
            factory=_make,
            deterministic=True,
            immediate=True,
            defaults={"echo": {}},
        )
    ]


def _make(settings: ProviderSettings) -> ModelProvider:
    from rtfs_provider_echo.provider import EchoProvider

    return EchoProvider(settings)
