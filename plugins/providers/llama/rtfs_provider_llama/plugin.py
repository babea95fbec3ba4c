"""What this distribution offers to rtfs_framework. Imports nothing heavy: the model lives in a process of its own."""

from __future__ import annotations

from rtfs_framework.api import Locality, ModelProvider, ProviderEntry, ProviderSettings, hookimpl
from rtfs_provider_llama.settings import LlamaSettings

rtfs_api_version = 2


@hookimpl
def rtfs_providers() -> list[ProviderEntry]:
    """Offer the provider `llama`. (RTFS_LOCAL_MODEL_PATH makes an instance without any configuration.)"""
    return [
        ProviderEntry(
            name="llama",
            summary="A GGUF model on this machine, by llama.cpp, in a process of its own.",
            locality=Locality.LOCAL,
            factory=_make,
            settings=LlamaSettings,
            deterministic=True,
            parallel=1,
            batch=True,
        )
    ]


def _make(settings: ProviderSettings) -> ModelProvider:
    from rtfs_provider_llama.provider import LlamaProvider

    return LlamaProvider(settings)
