"""Servers that mean harm: each ends in an error that says what it did, and the host goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import anyio
import pytest

from rtfs_capability_mcp import schemas, session, stdio, tools
from rtfs_capability_mcp.loop import McpLoop
from rtfs_capability_mcp.pins import tool_of
from rtfs_capability_mcp.settings import McpSettings
from rtfs_capability_mcp.tools import McpTools
from rtfs_framework.api import CapabilityError, CapabilitySetSettings, FailureKind

BOUND = 100_000


def refused(world, how, text="hi", tool="echo", **settings):
    entries = world.set(how, **settings)
    with pytest.raises(CapabilityError) as raised:
        world.call(entries[tool], text)
    assert str(raised.value).isprintable() or "\n" in str(raised.value)
    assert "\x1b" not in str(raised.value)
    return raised.value


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("huge", "more than 100,000 bytes"),
        ("endless", "more than 100,000 bytes"),
        ("notifying", "more than 100,000 bytes at once"),
        ("begging", "asked more than 100 times"),
        ("malformed", "what is no message"),
        ("deep", "bytes"),
        ("crashing", "it ended; it wrote: out of \\u{1b}[31mluck"),
        ("dying", "it ended; it wrote: no such module"),
    ],
)
def test_a_server_that_breaks_is_given_up(world, how, says):
    assert says in str(refused(world, how, most_bytes=BOUND))


@pytest.mark.parametrize("how", ["many", "wordy", "turning"])
def test_a_list_of_tools_without_end_is_given_up(world, how):
    assert "there are more than" in str(refused(world, how))


def test_deep_nesting_within_the_bound_is_no_message(world):
    assert "what is no message" in str(refused(world, "deep", most_bytes=10_000_000))


def test_a_slow_server_costs_no_more_than_the_time_of_the_call(world):
    echo = world.set("cancellable")["echo"]
    world.call(echo)  # it has started
    with pytest.raises(CapabilityError, match=r"no answer within 0\.1 s") as raised:
        world.call(echo, "wait", deadline=0.1)
    assert raised.value.failure is FailureKind.UNCERTAIN
    with pytest.raises(CapabilityError, match=r"no answer within 0\.2 s"):
        world.call(world.set("slow", timeout=0.2)["echo"])


def test_a_server_that_never_starts_is_killed_although_it_will_not_end(world):
    error = refused(world, "deaf", start_timeout=0.2)
    assert "did not start within 0.2 s" in str(error)
    assert error.failure is FailureKind.SAFE


def test_the_time_of_a_call_holds_while_the_server_starts(world):
    entries = world.set("deaf", start_timeout=60.0)
    with pytest.raises(CapabilityError, match=r"no answer within 0\.2 s") as raised:
        world.call(entries["echo"], deadline=0.2)
    assert raised.value.failure is FailureKind.SAFE


def test_an_answer_that_is_no_json_is_none(world):
    assert "JSON cannot hold" in str(refused(world, "nan"))


def test_an_answer_that_is_not_what_the_schema_says_is_none(world):
    error = refused(world, "lying", tool="length")
    assert (error.kind, error.failure) == ("TypeValidationError", FailureKind.REPLY)
    assert "is not what its schema says" in str(error)


@pytest.mark.parametrize("how", ["changed", "gone"])
def test_a_tool_that_is_not_what_was_pinned_is_not_called(world, how):
    error = refused(world, how)
    assert (error.kind, error.failure) == ("SecurityViolation", FailureKind.FINAL)
    assert "E0851" in str(error)
    assert "rtfs capabilities add mcp s --renew" in str(error)
    assert ("mails it to me" in str(error)) == (how == "changed")


def test_its_other_tools_may_still_be_called(world):
    assert world.call(world.set("changed")["length"], "four").items()


def test_a_tool_that_changes_after_a_call_is_refused_at_the_next(world):
    echo = world.set("changing")["echo"]
    assert world.call(echo, "once") == "once"
    with pytest.raises(CapabilityError, match="E0851"):
        world.call(echo, "twice")


def test_nothing_is_granted_to_a_server(world):
    told = json.loads(world.call(world.set("asking")["echo"]))
    assert told == ["Sampling not supported", "List roots not supported", "Elicitation not supported"]


def test_answers_that_nobody_asked_for_are_dropped(world):
    assert world.call(world.set("stranger")["echo"], "hi") == "hi"


@pytest.mark.parametrize("how", ["printing", "flooding"])
def test_what_it_prints_beside_messages_does_no_harm(world, how):
    assert world.call(world.set(how)["echo"], "hi") == "hi"


def test_an_error_of_a_tool_is_shown_with_what_cannot_be_seen(world):
    assert "mcp.s.echo failed: it does \\u{1b}[2Jnot" in str(refused(world, "good", "fail"))


def test_a_child_of_a_server_dies_with_it(world):
    child = int(world.call(world.set("forking")["echo"]))
    os.kill(child, 0)
    world.close()
    assert gone(child)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_what_left_the_group_of_a_server_dies_with_it_and_nobody_else(world):
    other = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    try:
        child = int(world.call(world.set("leaving")["echo"]))
        os.kill(child, 0)
        world.close()
        assert gone(child)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_child_of_a_server_that_has_crashed_dies_too(world):
    entries = world.set("forking")
    child = int(world.call(entries["echo"]))
    os.kill(parent(child), 9)
    assert gone(child)


def test_the_environment_of_a_server_is_closed(world):
    entries = world.set("env", env={"KEY": "SECRET"}, cwd=".")
    told = json.loads(world.call(entries["echo"]))
    told.pop("LC_CTYPE", None)  # Python's own, where no locale is set
    assert len(told.pop("RTFS_MCP_SERVER")) == 32  # by which what it starts is found
    assert told == {"PATH": "/usr/bin:/bin", "KEY": "hunter2-hunter2", "CWD": str(world.base)}


def test_a_variable_that_is_not_set_is_named(world):
    error = refused(world, "good", env={"KEY": "NOWHERE"})
    assert "NOWHERE is not set" in str(error)


def test_a_server_that_fell_over_is_not_started_again_at_once(world, monkeypatch):
    monkeypatch.setattr(session, "_FIRST_WAIT", 60.0)
    entries = world.set("dying")
    for says in ("it ended", "it fell over and is started again in"):
        with pytest.raises(CapabilityError, match=says) as raised:
            world.call(entries["echo"])
    assert raised.value.failure is FailureKind.SAFE


def test_closing_ends_a_server_that_will_not_end(world, monkeypatch):
    started = []
    original = stdio.anyio.open_process

    async def seen(*args, **options):
        started.append(await original(*args, **options))
        return started[-1]

    monkeypatch.setattr(stdio.anyio, "open_process", seen)
    entries = world.set("deaf")
    with pytest.raises(CapabilityError):
        world.call(entries["echo"], deadline=0.1)
    world.close()
    assert gone(started[0].pid)


def state(pid):
    """Return what the system says of a process from its state on."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def parent(pid):
    return int(state(pid)[1])


def gone(pid):
    """Wait until a process is gone, or is a zombie that nobody has fetched yet."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for _ in range(500):
            if state(pid)[0] == "Z":
                return True
            time.sleep(0.01)
        return False
    return True


@pytest.mark.parametrize("which", ["inputSchema", "outputSchema"])
def test_a_tool_whose_schemas_take_too_much_work_is_not_called(world, which):
    two = {f"T{n}": {"allOf": [{"$ref": f"#/$defs/T{n + 1}"}] * 2} for n in range(30)}
    schemas = {"inputSchema": {"type": "object"}, which: {"$ref": "#/$defs/T0", "$defs": {**two, "T30": {}}}}
    entries = world.set("no-such-thing", pins=(tool_of("echo", schemas),), command=("no-such-program",))
    with pytest.raises(CapabilityError, match=f"is not called.*{which}: it looks at one value more than") as raised:
        world.call(entries["echo"])
    assert (raised.value.kind, raised.value.failure) == ("SecurityViolation", FailureKind.FINAL)


def test_a_server_that_has_fallen_over_thousands_of_times_takes_no_other_down(world, monkeypatch):
    monkeypatch.setattr(session, "_FIRST_WAIT", 0.0)
    entries = world.set("dying")
    with pytest.raises(CapabilityError, match="it ended"):
        world.call(entries["echo"])
    (found,) = world.sets[-1]._started._sessions.values()
    found._fell = 5_000
    with pytest.raises(CapabilityError, match="it ended"):
        world.call(entries["echo"])
    assert found._fell == 5_001


def test_a_loop_that_has_ended_begins_anew(monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    loop = McpLoop()

    async def breaks():
        raise OSError

    async def work(group):
        group.start_soon(breaks)

    async def fine(group):
        return group

    try:
        anyio.run(loop.run, work)
        broken = loop._thread
        broken.join(10)
        anyio.run(loop.run, fine)
        assert loop._thread is not broken
    finally:
        loop.close()


def test_without_servers_no_lock_is_read(world, monkeypatch):
    monkeypatch.setattr(tools, "read_lock", lambda path: pytest.fail(f"{path} is read"))
    made = McpTools(CapabilitySetSettings(own=McpSettings(), base=str(world.base)))
    assert list(made.entries()) == []


def test_no_start_reads_types(world, monkeypatch):
    monkeypatch.setattr(tools, "parse_type", lambda text: pytest.fail(f"{text} is read"))
    monkeypatch.setattr(schemas, "parse_type", lambda text: pytest.fail(f"{text} is read"))
    found = world.set(resources=True, prompts=True, events=True)
    others = {f"mcp-{each}.s" for each in ("resource", "resources", "prompt", "prompts", "events")}
    assert set(found) == {"echo", "length", *others}
