"""What the layer makes of outcomes, what it finds near, and how it is configured."""

from __future__ import annotations

import math

import attrs
import pytest

from rtfs_cache_l3.layer import ExperienceCache
from rtfs_cache_l3.memory import MOST_TARGETS, name_of
from rtfs_cache_l3.plugin import L3Settings
from rtfs_framework.api import (
    CacheLevel,
    CacheSettings,
    Capability,
    Experience,
    ExperienceQuestion,
    FailureKind,
    LocalModel,
    LocalPure,
    Outcome,
    RemoteModel,
    Situation,
)
from rtfs_framework.registry import load_catalog
from rtfs_framework.testing import FakeClock

M = LocalModel("m")
PLACE = Situation(symbol="mail/sort", text="mail sort. Sorts a mail into a folder.", user="ann")


def outcome(**more):
    return Outcome(**{"symbol": "mail/sort", "target": M, "success": True, "situation": PLACE, **more})


def learned(*outcomes, layer=None):
    made = layer or ExperienceCache(capacity=3, ttl=100.0, clock=FakeClock())
    state = made.initial()
    for each in outcomes:
        state = made.fold(state, each)
    return [made.read(cell) for cell in state.values()]


def test_quantities_are_means_of_what_counts():
    told = [
        outcome(seconds=1.0, cost=0.02),
        outcome(success=False, kind=FailureKind.REPLY, seconds=3.0, cost=0.04),
        outcome(success=False, kind=FailureKind.SAFE, seconds=9.0),
        outcome(success=False, kind=FailureKind.REFUSED, seconds=9.0, cost=9.0),
        outcome(feedback=1.0),
        outcome(feedback=0.5),
    ]
    ((plan,),) = (each.plans for each in learned(*told, layer=made_with(decay=1.0)))
    assert (plan.target, plan.count, plan.answered, plan.rated) == (M, 3.0, 2.0, 2.0)
    assert plan.successes == pytest.approx(1.0)
    assert plan.cost == pytest.approx(0.03)
    assert plan.feedback == pytest.approx(0.75)
    assert plan.seconds == pytest.approx(math.sqrt(2.0 * 4.0) - 1.0)


def made_with(**more):
    return ExperienceCache(**{"capacity": 3, "ttl": 100.0, "clock": FakeClock(), **more})


def test_what_is_old_counts_less():
    layer = made_with(decay=0.5)
    told = [outcome() for _ in range(40)] + [outcome(success=False, kind=FailureKind.REPLY) for _ in range(4)]
    ((plan,),) = (each.plans for each in learned(*told, layer=layer))
    assert plan.count == pytest.approx(2.0, abs=1e-3)
    assert plan.successes / plan.count < 0.1


def test_nothing_is_learned_of_own_bodies_and_without_a_situation():
    assert learned(outcome(target=LocalPure()), outcome(situation=None), outcome(feedback=0.5)) == []


@pytest.mark.parametrize("target", [M, RemoteModel("far"), Capability(":mail.send")], ids=lambda target: target.id)
def test_every_kind_of_target_is_read_back(target):
    ((plan,),) = (each.plans for each in learned(outcome(target=target)))
    assert plan.target == target


def test_a_situation_has_a_bounded_number_of_targets():
    (found,) = learned(*(outcome(target=LocalModel(f"m{n}")) for n in range(MOST_TARGETS + 3)))
    assert [each.target.id for each in found.plans] == [f"m{n}" for n in range(3, MOST_TARGETS + 3)]


@pytest.mark.parametrize("part", ["symbol", "text", "signature", "user", "time_class", "intent"])
def test_each_text_of_a_situation_tells_it_from_others(part):
    other = attrs.evolve(PLACE, **{part: "another"})
    assert name_of(other) != name_of(PLACE)
    assert Situation.of_json(other.to_json()) == other


@pytest.mark.parametrize("part", ["environment", "constraints", "types", "labels"])
def test_each_list_of_a_situation_tells_it_from_others(part):
    said = (("region", "eu"),) if part in ("environment", "constraints") else ("pii",)
    other = attrs.evolve(PLACE, **{part: said})
    assert name_of(other) != name_of(PLACE)
    assert Situation.of_json(other.to_json()) == other


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"form": 2, "symbol": "f"},
        {"form": 1},
        {"form": 1, "symbol": 1},
        {"form": 1, "symbol": "f", "types": "x"},
        {"form": 1, "symbol": "f", "labels": [1]},
        {"form": 1, "symbol": "f", "environment": [["a"]]},
        {"form": 1, "symbol": "f", "constraints": ["ab"]},
    ],
)
def test_what_is_no_situation_is_refused(data):
    with pytest.raises(ValueError, match="situation"):
        Situation.of_json(data)


@pytest.mark.parametrize("cell", [{}, {"situation": {}}, {"at": 0, "until": None, "plans": {"x y": {}}}, 7, None])
def test_what_is_no_cell_is_refused(cell):
    with pytest.raises(ValueError, match=r"experience|situation"):
        made_with().read(cell)


def near(asked, *known, vector=None):
    question = ExperienceQuestion(situation=asked, most=9, vector=vector)
    shown = [Experience(situation=each, plans=()) for each in known]
    return {each.situation.symbol: each.nearness for each in made_with().nearest(shown, question)}


def test_functions_are_near_by_their_words():
    asked = Situation(symbol="mail/file", text="mail file. Files a mail into a folder.")
    far = Situation(symbol="chess/move", text="chess move. Finds the best next move.")
    found = near(asked, far, PLACE)
    assert next(iter(found)) == "mail/sort"
    assert found["mail/sort"] > 2 * found.get("chess/move", 0.0)


@pytest.mark.parametrize("part", ["signature", "user", "time_class", "intent"])
def test_what_differs_makes_it_less_near(part):
    other = attrs.evolve(PLACE, symbol="same/text", **{part: "another"})
    same = attrs.evolve(PLACE, symbol="same/too")
    found = near(PLACE, other, same)
    assert 0.5 < found["same/text"] < found["same/too"] == pytest.approx(1.0)


def test_what_has_nothing_in_common_is_left_out():
    places = {"asked": (1.0, 0.0), "other": (0.0, 1.0), "against": (-1.0, 0.0)}
    known = [Situation(symbol=name, text=name) for name in ("other", "against")]
    assert near(Situation(symbol="f", text="asked"), *known, vector=places.get) == {}


def test_counters_tell_how_often_something_was_near():
    layer = made_with()
    for known in ((), (PLACE,)):
        shown = [Experience(situation=each, plans=()) for each in known]
        layer.nearest(shown, ExperienceQuestion(situation=PLACE, most=1))
    assert (layer.stats().hits, layer.stats().misses) == (1, 1)


def test_the_defaults_and_whose_ttl_counts():
    catalog = load_catalog({"RTFS_PLUGINS": "l3"})
    assert not catalog.problems
    entry = catalog.cache("l3")
    assert (entry.level, entry.persistent, entry.settings) == (CacheLevel.L3, False, L3Settings)
    for given, ttl in (({}, 86_400.0), ({"ttl": 60.0}, 60.0), ({"ttl": 60.0, "own": L3Settings(ttl=5.0)}, 5.0)):
        layer = entry.factory(CacheSettings(clock=FakeClock(), **given))
        (found,) = learned(outcome(at=1.0), layer=layer)
        assert (found.until, layer.stats().capacity) == (1.0 + ttl, 1_000)


@pytest.mark.parametrize("wrong", [{"capacity": 0}, {"capacity": 2_001}, {"ttl": 0.0}, {"decay": 0.4}, {"decay": 1.1}])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError):
        L3Settings(**wrong)
