"""What the tests share: models of a plug-in of llm's that is made for them, and a way to ask them."""

from __future__ import annotations

import threading
import types
from typing import ClassVar

import anyio
import llm
import pytest
from llm.parts import StreamEvent
from llm.plugins import load_plugins, pm
from pydantic import Field

from rtfs_framework.api import ProviderSettings
from rtfs_provider_llm.plugin import LlmSettings, rtfs_providers


class Sync(llm.Model):
    """A model without an asynchronous form: says what the test's `says` tells it."""

    model_id = "made-sync"
    can_stream = True
    supports_schema = True
    says: ClassVar[list] = []
    asked: ClassVar[list] = []

    class Options(llm.Options):
        """What it takes."""

        temperature: float | None = Field(default=None)
        max_output_tokens: int | None = Field(default=None)

    def execute(self, prompt, stream, response, conversation):
        self.asked.append((prompt, stream))
        said = self.says.pop(0)
        if isinstance(said, BaseException):
            raise said
        for piece in said if isinstance(said, list) else [said]:
            if isinstance(piece, threading.Event):
                piece.wait(30)
            elif isinstance(piece, Exception):
                raise piece
            else:
                yield piece
        response.set_usage(input=5, output=2, details={"prompt_tokens_details": {"cached_tokens": 1}})


class Thinks(Sync):
    """Stands for its asynchronous form, which is asked."""

    model_id = "made-thinks"


class AsyncThinks(llm.AsyncModel):
    """Also sends its reasoning."""

    model_id = "made-thinks"
    can_stream = True

    async def execute(self, prompt, stream, response, conversation):
        yield StreamEvent(type="reasoning", chunk="hm", part_index=0)
        yield StreamEvent(type="text", chunk="do", part_index=1)
        yield StreamEvent(type="text", chunk="ne", part_index=1)
        response.set_usage(input=3, output=1)


@pytest.fixture(autouse=True)
def models():
    """Register the models as a plug-in of llm does."""
    load_plugins()
    module = types.ModuleType("made_for_tests")

    def register_models(register):
        register(Sync(), aliases=("made",))
        register(Thinks(), AsyncThinks())

    module.register_models = llm.hookimpl(register_models)
    pm.register(module)
    Sync.says, Sync.asked = [], []
    yield Sync
    pm.unregister(module)


@pytest.fixture
def make():
    """Return a function that makes a provider."""
    entry = rtfs_providers()[-1]

    def made(model="echo", environ=None, **own):
        settings = LlmSettings(model=model, **own)
        return entry.factory(ProviderSettings(id="acme", own=settings, environ=environ or {}))

    return made


@pytest.fixture
def ask():
    """Return a function that asks a provider once."""

    def asked(provider, request):
        return anyio.run(provider.infer, request)

    return asked
