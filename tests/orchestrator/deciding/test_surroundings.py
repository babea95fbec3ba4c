"""Surroundings: what the configuration and the clock say is what engines read, and no plan outlives its hour."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from rtfs_framework.api import ConfigError, DelegationPlan, LocalModel, PlanSource
from rtfs_framework.orchestrator.config.surroundings import HourClass, Surroundings
from rtfs_framework.orchestrator.deciding.around import HostAround
from rtfs_framework.orchestrator.deciding.policy import runtime_context_hash
from rtfs_framework.orchestrator.explaining.replaying.replay import Repeated, replay
from rtfs_framework.orchestrator.recording.journal.history import history_of
from rtfs_framework.testing.clock import FakeClock

M, OTHER = LocalModel("m"), LocalModel("other")
SAID = """
[security]
agent = "clerk"
environment = { region = "eu" }
constraints = { latency = "low" }
hours = { night = "22-6", office = "9-17" }
"""


def at(hour, minute=0):
    return datetime(2026, 1, 5, hour, minute, tzinfo=timezone.utc).timestamp()


class Engine:
    """Claims `f` and decides by a function."""

    def __init__(self, decide):
        self.decided = 0
        self._decide = decide

    def claims(self):
        return ("f",)

    def decide(self, context):
        self.decided += 1
        target, why = self._decide(context)
        return DelegationPlan(target=target, reasoning=why, source=PlanSource.ENGINE)


@pytest.fixture
def opened(kit):
    def open_(decide, config=None, clock=None, **options):
        engine = Engine(decide)
        models = [kit.provider(name, lambda _, name=name: name) for name in ("m", "other")]
        catalog = kit.catalog(*models, engine=engine, l1=True)
        return engine, kit.open(catalog, config, clock=clock or FakeClock(), **options)

    return open_


def all_of(context):
    return f"{context.agent} {dict(context.environment)} {dict(context.constraints)} {context.time_class}"


def test_an_engine_reads_what_the_configuration_says(opened, source):
    clock = FakeClock()
    clock.wall = at(23)
    _, session = opened(lambda c: (M, all_of(c)), SAID, clock)
    with session:
        (call,) = session.run(source("(defn f [x] x) (f 1)")).calls
    assert call.decision.plan.reasoning == "clerk {'region': 'eu'} {'latency': 'low'} night"
    assert {name: value for (name,), _, value in call.decision.footprint} == {
        "agent": "clerk",
        "environment": {"region": "eu"},
        "constraints": {"latency": "low"},
        "time_class": "night",
    }


def test_where_nothing_is_said_there_are_four_classes_of_hours(opened, source):
    clock = FakeClock()
    clock.wall = at(12)
    _, session = opened(lambda c: (M, all_of(c)), None, clock)
    with session:
        (call,) = session.run(source("(defn f [x] x) (f 1)")).calls
    assert call.decision.plan.reasoning == " {} {} afternoon"


def test_a_plan_is_not_served_in_another_class_of_hours_and_found_again_in_its_own(opened, source):
    clock = FakeClock()
    clock.wall = at(20)
    engine, session = opened(lambda c: (M if c.time_class == "evening" else OTHER, c.time_class), None, clock)
    with session:
        program = session.load(source("(defn f [x] x)"))
        said = []
        for hour in (20, 23, 24, 29, 30, 44):
            clock.wall = at(0) + hour * 3600
            said.append((program.call("f", (hour,)).value, engine.decided))
    assert said == [("m", 1), ("m", 1), ("other", 2), ("other", 2), ("other", 3), ("m", 3)]


def test_a_single_setting_of_the_environment_says_for_whom(opened, kit, source):
    environ = {**kit.environ, "RTFS_SECURITY__AGENT": "robot", "RTFS_SECURITY__CONSTRAINTS__LATENCY": "low"}
    _, session = opened(lambda c: (M, f"{c.agent} {dict(c.constraints)}"), environ=environ)
    with session:
        (call,) = session.run(source("(defn f [x] x) (f 1)")).calls
    assert call.decision.plan.reasoning == "robot {'latency': 'low'}"


def test_they_are_parts_of_the_digest_of_the_rules(opened):
    found = set()
    for config in (None, "[security]\nagent = 'a'", "[security]\nenvironment = { a = 'b' }",
                   "[security]\nconstraints = { a = 'b' }"):  # fmt: skip
        _, session = opened(lambda _: (M, ""), config)
        with session:
            found.add(runtime_context_hash(session.host.config))
    assert len(found) == 4


@pytest.mark.parametrize(
    ("text", "column", "way_out"),
    [
        ('hours = { night = "22" }', 19, "22-6"),
        ('hours = { night = "25-6" }', 19, "22-6"),
        ('hours = { night = "6-6" }', 19, "22-6"),
        ('time_zone = "Europe/Nowhere"', 13, "Europe/Berlin"),
        ('time_zone = "../../etc/passwd"', 13, "Europe/Berlin"),
    ],
)
def test_hours_and_zones_that_are_none_are_told_with_their_place(opened, text, column, way_out):
    with pytest.raises(ConfigError) as caught:
        opened(lambda _: (M, ""), f"[security]\n{text}\n")
    (found,) = caught.value.diagnostics
    assert (found.code, found.source.place(found.span.start)) == ("E0705", (2, column))
    assert way_out in found.help


def test_hours_are_those_of_the_time_zone():
    berlin = Surroundings(hours=(HourClass("night", 22, 6), HourClass("day", 6, 22)), time_zone="Europe/Berlin")
    assert [berlin.time_class(at(hour)) for hour in (4, 5, 20, 21)] == ["night", "day", "day", "night"]


def test_hours_without_a_class_have_none():
    assert Surroundings(hours=(HourClass("office", 9, 17),)).time_class(at(17)) == ""


def test_the_class_is_that_of_every_moment_whichever_was_asked_before():
    clock = FakeClock()
    around = HostAround(Surroundings(time_zone="Asia/Kathmandu"), clock)  # 5 hours and 45 minutes ahead
    for minute in (*range(0, 1440, 5), *range(1439, 0, -7)):
        clock.wall = at(0) + minute * 60
        assert around.time_class == around.surroundings.time_class(clock.wall)


def test_a_replay_reads_the_surroundings_of_then(opened, kit, source):
    clock = FakeClock()
    clock.wall = at(23)
    _, session = opened(lambda c: (M if c.agent == "clerk" and c.time_class == "night" else OTHER, ""), SAID, clock)
    with session:
        run = session.run(source("(defn f [x] x) (f 1)")).run_id
    later = FakeClock()
    later.wall = at(12)
    other = SAID.replace("clerk", "robot")
    for decide, config, result, now in (
        (lambda c: (M if c.agent == "clerk" and c.time_class == "night" else OTHER, ""), SAID, Repeated.SAME, M),
        (lambda c: (M if c.agent == "clerk" and c.time_class == "night" else OTHER, ""), other, Repeated.SAME, M),
        (lambda c: (M if c.time_class == "afternoon" else OTHER, ""), SAID, Repeated.DIFFERS, OTHER),
        (lambda c: (M if c.constraints["latency"] == "low" else OTHER, ""), SAID, Repeated.SAME, M),
    ):
        _, session = opened(decide, config, later)
        with session, history_of(kit.journal, kit.home) as history:
            (found,) = replay(session.host, history, run)
        assert (found.result, found.now) == (result, f"local-model {now.id}"), found


def test_the_hour_of_a_decision_that_did_not_read_it_is_known_by_the_journal(opened, kit, source):
    clock = FakeClock()
    clock.wall = at(23)
    _, session = opened(lambda _: (M, ""), None, clock)
    with session:
        program = session.load(source("(defn f [x] x)"))
        program.call("f", (1,))
        clock.wall = at(12)
        program.call("f", (2,))
        run = program.run_id
    _, session = opened(lambda c: (M if c.time_class == "evening" else OTHER, ""), None, FakeClock())
    with session, history_of(kit.journal, kit.home) as history:
        made, from_memory = replay(session.host, history, run)
    assert (made.result, made.now) == (Repeated.SAME, "local-model m")
    assert from_memory.result is Repeated.UNKNOWN
    assert "in which hour" in from_memory.because
