"""The provider keeps the contract of providers: with a few letters, and with each real backend that is here."""

from __future__ import annotations

from typing import ClassVar

import attrs
import pytest

from rtfs_framework.api import ProviderSettings, parse_type
from rtfs_framework.testing.conformance import ProviderConformance
from rtfs_framework.testing.fakes import inference_request
from rtfs_provider_llama.provider import LlamaProvider
from rtfs_provider_llama.settings import LlamaSettings


def _requests():
    yield inference_request("hello", name="greet")
    yield inference_request("good", name="mood", returns=parse_type("[:enum :good :bad]"))
    yield inference_request("", 1, 2.5, None, name="mixed", returns=parse_type(":bool"))


class TestWithLetters(ProviderConformance):
    deterministic: ClassVar[bool] = True

    @pytest.fixture(autouse=True)
    def _made(self, make):
        self._make = make

    def make(self):
        return self._make()

    def requests(self):
        return _requests()

    def refused(self):
        yield self._make(context=64), inference_request("a long text " * 100)
        yield self._make(model="/nowhere/m.gguf"), inference_request("x")
        yield self._make(backend="nowhere:Class"), inference_request("x")
        yield self._make(), inference_request("(fail)")


class TestWithAModel(ProviderConformance):
    deterministic: ClassVar[bool] = True

    @pytest.fixture(autouse=True)
    def _own(self, real):
        self._settings: LlamaSettings = real

    def make(self):
        return LlamaProvider(ProviderSettings(id="real", own=self._settings))

    def requests(self):
        short = [attrs.evolve(request, max_tokens=8) for request in _requests()]
        return [*short, inference_request("Anna is 30.", name="age", returns=parse_type(":int"))]

    def refused(self):
        small = attrs.evolve(self._settings, context=64)
        yield LlamaProvider(ProviderSettings(id="real", own=small)), inference_request("a long text " * 100)
