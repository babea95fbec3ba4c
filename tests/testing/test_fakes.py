"""The fake clock and the scripted provider do what tests rely on."""

from __future__ import annotations

import anyio
import pytest

from rtfs_framework.api import ProviderTimeout
from rtfs_framework.lang.types.model import Primitive
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.fakes import ScriptedProvider, cache_key, call_reads, inference_request


def test_a_clock_moves_only_when_told():
    clock = FakeClock()
    before = (clock.now(), clock.monotonic())
    assert (clock.now(), clock.monotonic()) == before
    clock.advance(1.5)
    assert (clock.now() - before[0], clock.monotonic() - before[1]) == (1.5, 1.5)
    clock.wall -= 60.0
    assert clock.monotonic() - before[1] == 1.5
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1.0)


def test_a_script_is_answered_line_by_line():
    provider = ScriptedProvider(["one", ProviderTimeout("scripted", "too slow")])
    request = inference_request("x")
    assert anyio.run(provider.infer, request).text == "one"
    with pytest.raises(ProviderTimeout):
        anyio.run(provider.infer, request)
    with pytest.raises(AssertionError, match="request 3, but the script has 2 answers"):
        anyio.run(provider.infer, request)
    assert provider.requests == [request] * 3
    anyio.run(provider.aclose)
    assert provider.closed


def test_records_have_sensible_defaults():
    assert call_reads("ai-x", 1).look(("args",)) == call_reads("other", 1).look(("args",))
    assert inference_request(1, returns=Primitive.INT).schema["type"] == "integer"
    assert inference_request(1, timeout=2.0).timeout == 2.0
    assert cache_key("a", "b") != cache_key("b", "a")
