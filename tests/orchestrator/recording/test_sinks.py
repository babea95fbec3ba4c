"""Observers that are slow, hang or break stop no run: their queues are bounded, and what is dropped is counted."""

from __future__ import annotations

import os
import threading

import pytest

from rtfs_framework.api import Event
from rtfs_framework.orchestrator.recording import sinks
from rtfs_framework.orchestrator.recording.events import EventBus
from rtfs_framework.orchestrator.recording.sinks import Subscription
from rtfs_framework.registry.faults import Part
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing import FakeClock

PART = Part("observer", "slow", Provenance("acme-plugin", "1.2", "acme"))
CALLS = "(pmap (fn [x] (call :ask x)) (range 20))"


class Hanging:
    """Hears one event, and does not come back before it is let go."""

    def __init__(self):
        self.heard, self.go, self.closed = [], threading.Event(), False

    def __call__(self, event):
        self.heard.append(event)
        self.go.wait(60)

    def close(self):
        self.closed = True


@pytest.fixture
def hanging(monkeypatch):
    monkeypatch.setattr(sinks, "CLOSING_LATE", 0.01)
    made = Hanging()
    yield made
    made.go.set()


def bus_of(*subscriptions):
    bus = EventBus(FakeClock())
    bus.subscriptions.extend(subscriptions)
    return bus


def test_a_run_goes_on_while_an_observer_hangs(kit, source, capability, observer, hanging):
    heard = []
    catalog = kit.catalog(
        capabilities=[capability("ask", lambda request: request.args[0])],
        observers=[observer("hangs", hanging), observer("good", heard.append)],
    )
    with kit.open(catalog, '[security]\ngrant = ["*"]\n') as session:
        assert session.run(source(CALLS)).value == tuple(range(20))
        assert session.run(source("(+ 1 2)")).value == 3
        assert [each.name for each in hanging.heard] == ["run.started"]
        assert [each.name for each in heard].count("call.answered") == 20
        faults = session.host.events.faults
    assert not hanging.closed
    (problem,) = faults.problems
    assert "acme-plugin 1.2: observer 'hangs': `close` does not end; it was left behind" in problem.message


def test_what_a_full_queue_does_not_take_is_dropped_counted_and_told_once(hanging):
    slow = Subscription(PART, hanging, most=3)
    bus, told = bus_of(slow), []
    bus.faults.listen(told.append)
    for number in range(10):
        bus.emit("x", {"number": number})
    assert slow.dropped == 8  # the fault was an event, too
    (problem,) = told
    assert "hearing events is too slow: 3 events wait for it; it does not hear of the newest" in problem.message
    assert bus.faults.problems[0].count == 8
    hanging.go.set()
    assert slow.caught_up(30)
    bus.emit("y", {})
    bus.close()
    assert [(each.name, dict(each.fields)) for each in hanging.heard] == [
        *(("x", {"number": number}) for number in range(3)), ("y", {}),
    ]  # fmt: skip
    assert hanging.closed


def test_the_end_of_a_run_waits_for_who_keeps_up_and_once_for_who_does_not(hanging):
    slow, waits = Subscription(PART, hanging), []
    wait_for = slow._changed.wait_for

    def waited(ready, seconds=None):
        if seconds is None:
            return wait_for(ready)
        waits.append(seconds)
        return wait_for(ready, 0.0 if seconds == sinks.PATIENCE else seconds)

    slow._changed.wait_for = waited
    bus = bus_of(slow)
    bus.emit("run.ended", {})
    bus.emit("run.ended", {})
    assert waits == [sinks.PATIENCE]
    assert not slow.caught_up(1.0)  # it is late: nobody waits
    hanging.go.set()
    while slow._waiting:
        threading.Event().wait(0.001)
    assert slow.caught_up(1.0)
    assert waits == [sinks.PATIENCE, 1.0]
    bus.close()


def test_an_observer_that_raises_hears_nothing_more_and_others_do():
    heard, good, asked = [], [], threading.Event()

    def bad(event):
        heard.append(event)
        asked.wait(60)
        raise SystemExit(1)

    bus = bus_of(Subscription(PART, bad), Subscription(PART, good.append))
    for _ in range(3):
        bus.emit("x", {})
    asked.set()
    bus.emit("run.ended", {})
    assert [each.part.name for each in bus.subscriptions] == ["slow"]
    assert bus.subscriptions[0].observer == good.append
    bus.close()
    assert len(heard) == 1
    assert [each.name for each in good] == ["x", "x", "x", "run.ended", "observer.failed"]
    assert "SystemExit" in bus.faults.problems[0].message


def test_what_breaks_while_it_closes_is_told():
    class Bad(Hanging):
        def __call__(self, event):
            self.heard.append(event)

        def close(self):
            raise OSError("no")

    bad = Bad()
    bus = bus_of(Subscription(PART, bad))
    bus.emit("x", {})
    bus.close()
    bus.emit("y", {})
    assert [each.name for each in bad.heard] == ["x"]
    assert "`close` failed: OSError: no" in bus.faults.problems[0].message


def test_an_observer_may_use_the_bus_itself():
    heard = []

    def curious(event):
        heard.append(event.name)
        if event.name == "x":
            bus.emit("run.ended", {})

    own = Subscription(PART, curious)
    bus = bus_of(own)
    bus.emit("x", {})
    assert own.caught_up(30)
    bus.close()
    assert heard == ["x", "run.ended"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
def test_a_child_of_a_fork_hears_its_own_events_alone(hanging):
    slow = Subscription(PART, hanging)
    for number in range(3):
        slow.tell(Event("parent", float(number), {}), print)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        slow.observer = lambda event: os.write(writer, event.name.encode())
        slow.tell(Event("child", 0.0, {}), print)
        slow.caught_up(30)
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with open(reader, "rb") as found:  # noqa: PTH123 - a pipe
        assert found.read() == b"child"
    hanging.go.set()
    slow.close(print)
