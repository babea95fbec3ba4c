"""What this distribution offers to rtfs_framework. The vendor's client, slow to import, comes with first use."""

from __future__ import annotations

from rtfs_framework.api import Locality, ModelProvider, ProviderEntry, ProviderSettings, hookimpl
from rtfs_provider_openai.settings import KEY, VENDOR, OpenAISettings

rtfs_api_version = 2


@hookimpl
def rtfs_providers() -> list[ProviderEntry]:
    """Offer the provider `openai`, with an instance of the same name that needs only a key."""
    return [
        ProviderEntry(
            name="openai",
            summary="Any endpoint that speaks the OpenAI protocol, through the official client.",
            locality=Locality.REMOTE,
            factory=_make,
            settings=OpenAISettings,
            batch=True,
            chat=True,
            embeds=True,
            keys={KEY: VENDOR},
            defaults={"openai": {}},
        )
    ]


def _make(settings: ProviderSettings) -> ModelProvider:
    from rtfs_provider_openai.provider import OpenAIProvider

    return OpenAIProvider(settings)
