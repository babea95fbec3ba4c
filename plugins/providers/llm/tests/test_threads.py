"""Models that cannot be awaited: one that never ends, or ends the process where it is asked on a command line."""

from __future__ import annotations

import threading

import anyio
import pytest

from rtfs_framework.api import ProviderError, ProviderTimeout, RateLimited, Usage
from rtfs_framework.testing.fakes import inference_request
from rtfs_provider_llm import threads


def test_calls_that_never_end_keep_no_other_thread_and_no_process_waiting(make, models, monkeypatch):
    monkeypatch.setattr(threads, "MOST", 2)
    go_on = threading.Event()
    provider = make("made-sync")

    async def work():
        limiter = anyio.to_thread.current_default_thread_limiter()
        for _ in range(2):
            models.says.append([go_on, "late"])
            with pytest.raises(ProviderTimeout):
                await provider.infer(inference_request("x", timeout=0.05))
        left = [each for each in threading.enumerate() if each.name == "rtfs llm acme"]
        assert len(left) == 2
        assert all(each.daemon for each in left)
        assert limiter.borrowed_tokens == 0
        with pytest.raises(RateLimited, match="2 earlier calls of its model have not ended yet") as raised:
            await provider.infer(inference_request("x", timeout=0.05))
        assert raised.value.usage == Usage(0, 0)
        go_on.set()
        for each in left:
            each.join(10)
        models.says.append("now")
        return (await provider.infer(inference_request("x"))).text

    assert anyio.run(work) == "now"


def test_a_plugin_that_would_end_the_process_costs_one_call(make, models, ask):
    models.says.append(SystemExit("no such region"))
    with pytest.raises(ProviderError, match="no such region"):
        ask(make("made-sync"), inference_request("x"))
