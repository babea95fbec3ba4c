"""Limits of a host: `[limits]` of its configuration, time by its clock, and what the journal says of it."""

from __future__ import annotations

import anyio
import pytest

from rtfs_framework.api.errors import ConfigError
from rtfs_framework.kernel.limits import OFF, Limits
from rtfs_framework.lang.errors import LimitError
from rtfs_framework.orchestrator.concurrency.deadlines import Deadline, within
from rtfs_framework.orchestrator.recording.journal import query

ENDLESS = "(loop [] (recur))"


@pytest.fixture
def catalog(kit):
    return kit.catalog(kit.provider("m", lambda _: "model"))


class TickingClock:
    """A clock that goes on by a second whenever it is looked at."""

    def __init__(self):
        self.at = 0.0

    def now(self):
        return self.monotonic()

    def monotonic(self):
        self.at += 1.0
        return self.at


def test_the_file_sets_bounds_and_switches_them_off(kit, catalog):
    text = '[limits]\nsteps = 500\nseconds = 1.5\nmemory = "off"\ndepth = 50\nhost_calls = 0\n'
    with kit.open(catalog, text) as session:
        assert session.limits == Limits(steps=500, seconds=1.5, memory=None, depth=50, host_calls=0)


def test_what_the_caller_says_comes_first(kit, catalog):
    with kit.open(catalog, "[limits]\nsteps = 500\n", limits=OFF) as session:
        assert session.limits is OFF


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("steps = 0", "E0705"),
        ("memory = 5", "E0705"),
        ('steps = "many"', "E0705"),
        ("bits = true", "E0703"),
        ("step = 5", "E0702"),
        ('step_rounds = "off"', "E0703"),
    ],
)
def test_mistakes_in_the_table_have_a_place(kit, catalog, line, code):
    with pytest.raises(ConfigError) as refused, kit.open(catalog, f"[limits]\n{line}\n"):
        pass
    assert [(each.code, each.span is not None) for each in refused.value.diagnostics] == [(code, True)]


def test_a_run_ends_when_its_time_is_over(kit, catalog, source):
    clock = TickingClock()
    with kit.open(catalog, limits=Limits(seconds=5), clock=clock) as session:
        with pytest.raises(LimitError) as stopped:
            session.run(source(ENDLESS))
        assert (stopped.value.dimension, stopped.value.limit) == ("seconds", 5)
        assert session.run(source("(+ 1 2)")).value == 3


def test_waiting_ends_when_the_time_is_over():
    async def forever():
        await anyio.sleep_forever()

    async def wait():
        await within(Deadline(TickingClock(), 0.5), forever)

    with pytest.raises(LimitError, match=r"longer than 0\.5 seconds"):
        anyio.run(wait)


def test_without_limits_code_takes_no_steps(kit, catalog, source):
    with kit.open(catalog, limits=OFF) as session:
        linked = session.link(source("(loop [i 0] (if (< i 9) (recur (inc i)) i))"))
        assert not linked.artifact.metered
        assert session.run(source("(loop [i 0] (if (< i 9) (recur (inc i)) i))")).value == 9


def test_the_journal_tells_a_run_that_a_limit_ended_and_keeps_its_calls(kit, catalog, source):
    text = """(defn ^:delegation :local-model "m" ask [x :string] :string "?")
    (defn main [x] (do (ask x) (loop [] (recur))))"""
    with kit.open(catalog, limits=Limits(steps=5_000)) as session:
        with pytest.raises(LimitError):
            session.run(source(text), ("x",))
        assert len(kit.providers["m"].requests) == 1
    (row,) = query.list_runs(kit.journal)
    assert (row.status, row.message, row.entries) == ("failed", "limit steps: more than 5000 steps", 1)
