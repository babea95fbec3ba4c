"""A provider whose answers a benchmark makes up: what it says of itself is always the same."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from rtfs_framework.api import (
    InferenceReply,
    InferenceRequest,
    Locality,
    ModelProvider,
    ProviderEntry,
    ProviderSettings,
)


@attrs.frozen(slots=True)
class Vendor:
    """A provider of one model, which answers at once and always the same way."""

    name: str
    answer: Callable[[InferenceRequest], InferenceReply]
    locality: Locality = Locality.LOCAL
    summary: str = "Answers as the simulated world says."

    def entry(self) -> ProviderEntry:
        """Return its record."""
        return ProviderEntry(
            name=self.name,
            summary=self.summary,
            locality=self.locality,
            factory=self._made,
            immediate=True,
            deterministic=True,
            defaults={self.name: {}},
        )

    def _made(self, _settings: ProviderSettings) -> ModelProvider:
        return self

    def fingerprint(self) -> str:
        """Return its name."""
        return self.name

    async def infer(self, request: InferenceRequest) -> InferenceReply:
        """Answer."""
        return self.answer(request)

    async def aclose(self) -> None:
        """Have nothing to close."""
