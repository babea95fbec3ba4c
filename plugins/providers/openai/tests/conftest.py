"""What the tests of this plugin share: providers that point at a server on loopback, and a way to ask them."""

from __future__ import annotations

import anyio
import pytest

from rtfs_framework.api import ProviderSettings
from rtfs_provider_openai.plugin import OpenAISettings, rtfs_providers

SECRET = "sk-do-not-show-me"


@pytest.fixture
def make():
    """Return a function that makes a provider; the key is in the environment unless told otherwise."""
    (entry,) = rtfs_providers()

    def made(server=None, *, environ=None, **own):
        if server is not None:
            own.setdefault("endpoint", server.url)
        settings = OpenAISettings(**{"model": "m", **own})
        variables = {"OPENAI_API_KEY": SECRET} if environ is None else environ
        return entry.factory(ProviderSettings(id="acme", own=settings, environ=variables))

    return made


@pytest.fixture
def ask():
    """Return a function that asks a provider once, or several times in one event loop, and closes it."""

    def asked(provider, *requests):
        async def use():
            try:
                return [await provider.infer(request) for request in requests]
            finally:
                await provider.aclose()

        replies = anyio.run(use)
        return replies[0] if len(requests) == 1 else replies

    return asked
