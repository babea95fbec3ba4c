"""What servers tell unasked: heard where the configuration says so, in order, each once, and never without a bound."""

from __future__ import annotations

import json

import anyio
import pytest
from mcp_types import LoggingMessageNotification, LoggingMessageNotificationParams

from rtfs_capability_mcp.events import METHODS, Events
from rtfs_capability_mcp.gate import MOST_TOLD, TELLS, Gate, GateError
from rtfs_capability_mcp.settings import McpGrant
from rtfs_framework.api import CapabilityError, Described, read_value, write


def watched(world, entries, said="{}", **more):
    return world.call(entries["mcp-events.s"], read_value(said), **more)


def test_log_progress_and_changed_resources_are_told_once_in_order(world):
    entries = world.set("telling", events=True)
    assert write(watched(world, entries, '{:uris ["a://b"]}')) == "{:events [] :lost 0}"
    assert world.call(entries["echo"], "2") == "told"
    found = write(watched(world, entries, "{:wait 5 :most 3}"))
    assert found == (
        '{:events [{:kind :log :level "info" :data {"n" 0}}'
        ' {:kind :progress :tool "echo" :progress 0.0 :total 9.0} {:kind :log :level "info" :data {"n" 1}}] :lost 0}'
    )
    assert write(watched(world, entries)) == (
        '{:events [{:kind :progress :tool "echo" :progress 1.0 :total 9.0} {:kind :updated :uri "a://b"}] :lost 0}'
    )
    assert write(watched(world, entries)) == "{:events [] :lost 0}"


def test_what_nobody_reads_is_bounded_and_how_much_was_lost_is_told(world):
    entries = world.set("telling", events=True)
    world.call(entries["echo"], "800")
    found = write(watched(world, entries, "{:most 1000}"))
    assert found.endswith(":lost 600}")
    assert found.count(":kind") == 1000


def log(size):
    return LoggingMessageNotification(params=LoggingMessageNotificationParams(level="info", data="x" * size))


def test_held_events_have_a_bound_in_bytes_together_and_the_oldest_go():
    events = Events(10_000)
    for _ in range(5):
        events.hear(log(3_000))
    events.hear(log(1))
    found, lost = anyio.run(events.taken, 1_000, 0)
    assert ([len(each["data"]) for each in found], lost) == ([3_000, 3_000, 1], 3)
    events.hear(log(20_000))
    assert anyio.run(events.taken, 1_000, 0) == ([], 1)
    events.hear(log(9_000))
    assert len(anyio.run(events.taken, 1_000, 0)[0]) == 1


def notification(size):
    line = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x" * size}}
    return json.dumps(line).encode()


@pytest.mark.parametrize(("size", "most"), [(1, MOST_TOLD), (60_000, TELLS + 1)], ids=["how many", "their bytes"])
def test_a_server_that_tells_without_end_what_nobody_reads_is_given_up(size, most):
    gate = Gate(64_000, METHODS)
    line = notification(size)
    for _ in range(2):
        gate.heard()  # somebody reads it
        assert all(gate.read(line) is not None for _ in range(most))
    with pytest.raises(GateError, match="that nobody reads"):
        gate.read(line)


def test_a_call_of_a_server_that_tells_without_end_ends(world, monkeypatch):
    monkeypatch.setattr("rtfs_capability_mcp.gate.MOST_TOLD", 50)
    with pytest.raises(CapabilityError, match="that nobody reads"):
        world.call(world.set("telling", events=True)["echo"], "100000")


def test_they_are_not_offered_unless_the_configuration_says_so(world):
    entries = world.set("telling")
    assert "mcp-events.s" not in entries
    assert world.call(entries["echo"], "3") == "told"


def test_resources_are_watched_that_are_granted(world):
    entries = world.set("telling", events=True)
    grant = McpGrant(args={"uri": ["a://b"]})
    watched(world, entries, '{:uris ["a://b"]}', grant=grant)
    for said in ('{:uris ["a://b" "c://d"]}', "{}"):
        with pytest.raises(CapabilityError, match="not granted"):
            watched(world, entries, said, grant=grant)


@pytest.mark.parametrize("said", ["{:wait -1}", "{:most 0}", '{:uris "a"}', "{:uris [1]}", "{:most 1001}", "7"])
def test_what_is_no_watching_is_refused(world, said):
    with pytest.raises(CapabilityError, match="takes one map"):
        watched(world, world.set("telling", events=True), said)


def test_a_server_that_knows_no_subscriptions_says_so(world):
    with pytest.raises(CapabilityError, match="Method not found"):
        watched(world, world.set("good", events=True), '{:uris ["a://b"]}')


def test_events_carry_the_marks_of_what_the_server_was_sent(world):
    entries, pii = world.set("telling", events=True), frozenset({"pii"})
    world.call(entries["echo"], "1", marks=pii)
    found = watched(world, entries)
    assert isinstance(found, Described)
    assert found.marks == pii
