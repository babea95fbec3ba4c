"""Warm-ups: within bounds that no engine widens; billed and recorded; what an engine does wrong warms nothing."""

from __future__ import annotations

import asyncio

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.api import (
    DelegationPlan,
    Experience,
    Keyword,
    LocalModel,
    LocalPure,
    PlanSource,
    RemoteModel,
    Situation,
)
from rtfs_framework.api.learning import Warm
from rtfs_framework.orchestrator.performing.warming import Heat
from rtfs_framework.orchestrator.recording.journal.query import entries_of, list_runs

M, FAR, PURE = LocalModel("m"), RemoteModel("far"), LocalPure()
PROGRAM = "(defn f [x] :own)\n(f 1)"


class Engine:
    """Sends everything to `m`, and proposes what it is told to."""

    def __init__(self, proposes):
        self.proposes, self.seen = proposes, []

    def claims(self):
        return ("*",)

    def decide(self, context):
        return DelegationPlan(target=PURE, reasoning="r", source=PlanSource.ENGINE)

    def initial(self):
        return {"n": 0}

    def fold(self, state, outcome):
        return {"n": state["n"] + 1}

    def propose(self, state, context):
        self.seen.append((state, context))
        return self.proposes(state, context) if callable(self.proposes) else self.proposes


def warm(target, worth=0.9, what="model"):
    return Warm(what=what, target=target, worth=worth)


@pytest.fixture
def opened(kit, remote_settings):
    """Return a function that opens a session with `[warming]` and an engine; no thread looks by itself."""

    def open_(proposes, table="per_hour = 10", costs=""):
        engine = Engine(proposes)
        models = [kit.provider("m", lambda _: "ready"), kit.provider("far", lambda _: "ready", remote=True)]
        text = f"[warming]\n{table}\n[delegation.remote_providers.far]\nprovider = 'far'\n{costs}\n"
        session = kit.open(kit.catalog(*models, engine=engine), kit.config(text))
        warming = session.host.warming
        if warming is not None:
            warming.threaded = False
        return engine, session, warming

    return open_


def asked(kit, name="m"):
    provider = kit.providers.get(name)
    return 0 if provider is None else len(provider.requests)


def test_nothing_is_warmed_unless_the_configuration_says_so(opened, source):
    engine, session, warming = opened([warm(M)], "per_hour = 0")
    with session:
        session.run(source(PROGRAM))
    assert warming is None
    assert engine.seen == []


def test_what_is_proposed_is_asked_billed_and_recorded(opened, source, kit):
    _, session, warming = opened([warm(M)])
    with session:
        session.run(source(PROGRAM))
        asyncio.run(warming.warm(warming.look()))
    assert asked(kit) == 1
    assert kit.providers["m"].requests[0].max_tokens == 16
    (run,) = [each for each in list_runs(kit.journal) if each.source == "warm-ups"]
    (entry,) = entries_of(kit.journal, run.id)
    assert (entry["symbol"], entry["kind"], entry["target"]) == ("delegate/warm-up", "consultation", "local-model m")
    assert run.status == "complete"


def test_a_model_that_can_be_loaded_is_loaded_and_asked_nothing(opened, source, kit):
    loaded = []
    _, session, warming = opened([warm(M)])
    with session:
        session.run(source(PROGRAM))
        session.host.pool.get(M).provider()
        kit.providers["m"].load = lambda: loaded.append("m")
        asyncio.run(warming.warm(warming.look()))
        assert (loaded, asked(kit), warming.spent) == (["m"], 0, 0.0)
        assert session.problems == ()
    assert [each for each in list_runs(kit.journal) if each.source == "warm-ups"] == []


def test_a_model_that_cannot_be_loaded_stops_nobody(opened, source, kit):
    _, session, warming = opened([warm(M)])
    with session:
        session.run(source(PROGRAM))
        kit.providers["m"].load = lambda: 1 / 0
        asyncio.run(warming.warm(warming.look()))
        (problem,) = session.problems
    assert "`load` failed: ZeroDivisionError" in problem.message
    assert asked(kit) == 0


def test_what_is_warm_is_not_warmed_again_until_it_is_cold(opened):
    _, session, warming = opened([warm(M)])
    with session:
        assert warming.look() == [warm(M)]
        assert warming.look() == []
        warming.heat._pending[M] -= 301.0
        assert warming.look() == [warm(M)]


@pytest.mark.parametrize(
    "proposal",
    [warm(M, what="reply"), warm(M, what="program"), warm(LocalModel("gone")), warm(PURE), warm(M, 0.1), warm(None)],
)
def test_what_cannot_be_done_here_or_is_not_likely_is_left(opened, proposal):
    _, session, warming = opened([proposal])
    with session:
        assert warming.look() == []
        assert session.problems == ()


BROKEN = [
    (lambda *_: ["m"], "is no proposal"),
    (lambda *_: [attrs.evolve(warm(M), worth="very")], "is no proposal"),
    (lambda *_: 5, "not iterable"),
    (lambda *_: 1 / 0, "division by zero"),
]


@pytest.mark.parametrize(("proposes", "said"), BROKEN)
def test_a_broken_proposal_warms_nothing_and_is_told(opened, proposes, said):
    _, session, warming = opened(proposes)
    with session:
        assert warming.look() == []
        (problem,) = session.problems
    assert said in problem.message


def test_endless_proposals_are_cut(opened):
    def endless(*_):
        while True:
            yield warm(M)

    _, session, warming = opened(endless)
    with session:
        assert warming.look() == [warm(M)]


def test_a_model_that_costs_is_warmed_within_the_days_money_alone(opened, kit):
    costs = "input_cost = 1.0\noutput_cost = 1000.0\n"
    for table, times in (("per_hour = 10", 0), ("per_hour = 10\nusd_per_day = 0.04", 2)):
        _, session, warming = opened([warm(FAR)], table, costs)
        with session:
            for _ in range(5):
                asyncio.run(warming.warm([warm(FAR)]))
        assert asked(kit, "far") == times
        kit.providers.clear()


def test_a_remote_model_of_unknown_price_is_never_warmed(opened, kit):
    _, session, warming = opened([warm(FAR)], "per_hour = 10\nusd_per_day = 100.0")
    with session:
        asyncio.run(warming.warm(warming.look()))
    assert asked(kit, "far") == 0


def test_a_warm_up_that_fails_stops_nobody(opened, kit):
    _, session, warming = opened([warm(M)])
    with session:
        session.host.pool.get(M).provider().answer = None
        asyncio.run(warming.warm([warm(M)]))
        assert session.run("(+ 1 2)").value == 3


def test_engines_hear_the_hour_the_latest_calls_and_the_candidates(opened, source):
    engine, session, warming = opened([])
    with session:
        session.run(source("(defn f [x] :own) (defn g [x] :own) (f 1) (g 1)"))
        warming.look()
        warming.look()
    (_, first), (_, second) = engine.seen
    assert 0 <= first.hour <= 23
    assert first.recent == ("f", "g")
    assert second.recent == (), "nothing was called since"
    assert M in {each.target for each in first.candidates}


def test_engines_hear_nothing_of_calls_that_carry_marks(opened, source):
    engine, session, warming = opened([], 'per_hour = 10\n[labels.inputs]\nemail = ["pii"]')
    text = "(defn f [x] :own) (defn g [x] :own) (defn main [r] (do (f 1) (if (:email r) (g 1) nil)))"
    with session, session.load(source(text)) as program:
        program.call("main", ({Keyword("email"): "alice@example.com"},))
        warming.look()
    assert [context.recent for _, context in engine.seen] == [("f",)]


class Near:
    """Says which functions are near, as a layer of experience does."""

    def __init__(self, found):
        self.found, self.asked = found, []

    def experience(self, situation, most, embedder):
        self.asked.append((situation.symbol, situation.intent, embedder))
        return None if self.found is None else (1, self.found)

    def state(self, engine, cell):
        return 0, None


@pytest.mark.parametrize(
    ("known", "near"),
    [((("g", 0.4), ("h", 0.7), ("g", 0.5), ("f", 1.0)), (("h", 0.7), ("g", 0.5))), (None, ()), ((), ())],
    ids=["some", "the layer fails", "none"],
)
def test_engines_hear_which_functions_are_like_the_latest_one(opened, source, known, near):
    engine, session, warming = opened([])
    found = known and tuple(
        Experience(situation=Situation(symbol=symbol), plans=(), nearness=how) for symbol, how in known
    )
    with session:
        record = session.run(source(PROGRAM)).calls[0]
        warming.look()
        warming.learned = Near(found)
        warming.ended(attrs.evolve(record, situation=Situation(symbol="f", intent="a digest")))
        warming.look()
        warming.look()
    assert warming.learned.asked == [("f", "", None)], "once, and only where something was called"
    assert [context.near for _, context in engine.seen] == [(), near, ()]


def test_a_thread_looks_after_calls_and_ends_with_the_session(opened, source, kit):
    _, session, warming = opened([warm(M)])
    warming.threaded = True
    with session:
        session.run(source(PROGRAM))
        for _ in range(500):
            if asked(kit):
                break
            asyncio.run(asyncio.sleep(0.01))
        thread = warming._thread
    assert asked(kit) == 1
    assert not thread.is_alive()


bounds = {"horizon": st.just(300.0), "per_hour": st.integers(1, 8), "wasted": st.floats(0.05, 0.5)}
happening = st.tuples(st.sampled_from("wu"), st.floats(0.0, 400.0), st.floats(0.0, 1.0), st.sampled_from((M, FAR)))


@given(st.fixed_dictionaries(bounds), st.lists(happening, max_size=80))
def test_law_never_above_the_bound_of_an_hour_and_never_what_is_warm(given_, events):
    heat, now, made = Heat(**given_), 0.0, []
    for what, after, worth, target in events:
        now += after
        if what == "u":
            heat.used(target, now)
            continue
        warm_before = heat.is_warm(target, now)
        for each in heat.chosen([warm(target, worth)], now):
            assert not warm_before
            assert each.worth >= 0.5
            made.append(now)
    for at in made:
        assert sum(at <= each < at + 3_600.0 for each in made) <= given_["per_hour"]


def test_an_engine_that_is_too_sure_of_itself_is_let_do_less():
    heat, now, made = Heat(horizon=300.0, per_hour=60), 0.0, 0
    for _ in range(1_000):
        now += 301.0
        made += len(list(heat.chosen([warm(M, 0.9)], now)))
    assert made < 1_000 / 5, "nobody ever asked"
    heat, now, made = Heat(horizon=300.0, per_hour=60), 0.0, 0
    for _ in range(1_000):
        now += 400.0
        made += len(list(heat.chosen([warm(M, 0.6)], now)))
        heat.used(M, now + 1.0)
        list(heat.chosen([warm(FAR, 0.9)], now + 2.0))
        heat.used(FAR, now + 3.0)
    assert made > 100, "what is said to be less likely is tried where all that was done was of use"
