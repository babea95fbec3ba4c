"""What a provider is asked besides answers: in a thread, one at a time, for a bounded time; what breaks is told."""

from __future__ import annotations

import asyncio
import threading

import pytest

from rtfs_framework.api import ModelStatus, ProviderError, ProviderTimeout, ProviderUnavailable
from rtfs_framework.orchestrator.performing import controls as module
from rtfs_framework.orchestrator.performing.controls import BusyError, Controls
from rtfs_framework.registry.faults import Part, PluginFault
from rtfs_framework.registry.problems import Provenance

PART = Part("provider", "m", Provenance("acme-plugin", "1.2", "acme"))


class Model:
    """A provider with every optional method; it notes what it is asked, and in which thread."""

    def __init__(self):
        self.asked, self.threads = [], set()
        self.held = threading.Event()
        self.held.set()

    def _note(self, what):
        self.threads.add(threading.current_thread())
        self.asked.append(what)
        self.held.wait(20)

    def prepare(self):
        self._note("prepare")

    def load(self):
        self._note("load")

    def unload(self):
        self._note("unload")

    def status(self):
        self._note("status")
        return ModelStatus(loaded="load" in self.asked, memory=5)

    def ping(self, timeout):
        self._note(f"ping {timeout:g}")


@pytest.fixture
def model():
    return Model()


@pytest.fixture
def controls(model):
    return Controls("m", PART, lambda: model)


def test_each_is_asked_in_a_thread_of_its_own(model, controls):
    async def work():
        await controls.prepare()
        await controls.prepare()
        before = await controls.status()
        await controls.load()
        await controls.ping(0.25)
        after = await controls.status()
        await controls.unload()
        return before, after

    before, after = asyncio.run(work())
    assert model.asked == ["prepare", "status", "load", "ping 0.25", "status", "unload"]
    assert threading.current_thread() not in model.threads
    assert (before.loaded, after.loaded, after.memory) == (False, True, 5)


def test_what_a_provider_does_not_have_is_told(controls):
    bare = Controls("m", PART, object)
    assert not bare.offers("ping")
    assert asyncio.run(bare.status()) is None
    asyncio.run(bare.prepare())
    assert controls.offers("ping")


def test_never_two_at_once_and_nobody_waits_for_long(model, controls, monkeypatch):
    monkeypatch.setitem(module.SECONDS, "status", 0.2)
    model.held.clear()

    async def work():
        loading = asyncio.ensure_future(controls.load())
        while not model.asked:  # noqa: ASYNC110 - the thread tells nobody
            await asyncio.sleep(0.01)
        try:
            with pytest.raises((BusyError, ProviderUnavailable), match="`load` is under way"):
                await controls.status()
        finally:
            model.held.set()
        await loading
        return await controls.status()

    assert asyncio.run(work()).loaded
    assert model.asked == ["load", "status"]


def test_a_ping_that_does_not_end_is_a_time_out(model, controls):
    asyncio.run(controls.prepare())
    model.held.clear()
    try:
        with pytest.raises(ProviderTimeout, match=r"acme-plugin 1\.2: `ping` did not end within"):
            asyncio.run(controls.ping(0.01))
    finally:
        model.held.set()


def test_a_provider_gets_ready_once_before_it_is_pinged(model, controls):
    asyncio.run(controls.ping(5.0))
    asyncio.run(controls.ping(5.0))
    assert model.asked == ["prepare", "ping 5", "ping 5"]


@pytest.mark.parametrize("name", ["load", "unload", "status", "ping"])
def test_what_a_method_raises_is_a_provider_s_answer_or_its_plugin_s_fault(model, controls, name):
    def refuses(*_):
        raise ProviderError("m", "no such file")

    setattr(model, name, refuses)
    with pytest.raises(ProviderError, match="no such file"):
        asyncio.run(getattr(controls, name)())
    setattr(model, name, lambda *_: 1 / 0)
    with pytest.raises(PluginFault, match=f"`{name}` failed: ZeroDivisionError"):
        asyncio.run(getattr(controls, name)())


def test_a_status_that_is_none_is_a_fault(model, controls):
    model.status = lambda: {"loaded": True}
    with pytest.raises(PluginFault, match="returned a dict, which is no ModelStatus"):
        asyncio.run(controls.status())


def test_getting_ready_is_tried_again_after_it_failed(model, controls):
    def fails():
        model.asked.append("prepare")
        raise ProviderUnavailable("m", "not there yet")

    model.prepare = fails
    for _ in range(2):
        with pytest.raises(ProviderUnavailable):
            asyncio.run(controls.prepare())
    assert model.asked == ["prepare"] * 2
