"""The provider keeps the contract of providers."""

from __future__ import annotations

from typing import ClassVar

from rtfs_framework.api import ProviderSettings
from rtfs_framework.testing.conformance import ProviderConformance
from rtfs_provider_echo.provider import EchoProvider


class TestEchoProvider(ProviderConformance):
    deterministic: ClassVar[bool] = True

    def make(self):
        return EchoProvider(ProviderSettings("echo"))
