"""What the engine chooses: the primary while it is well, what the evidence allows after that; by its reads alone."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_engine_resilient.engine import ResilientEngine
from rtfs_engine_resilient.settings import ResilientSettings
from rtfs_framework.api import (
    Attempt,
    Candidate,
    DelegationPlan,
    EngineSettings,
    FailureKind,
    Health,
    Hedge,
    Latency,
    LocalModel,
    LocalPure,
    PlanSource,
    RemoteModel,
)
from rtfs_framework.orchestrator.deciding.signals import Signals
from rtfs_framework.testing.fakes import FakeAsker, call_reads, decided

BIG, OTHER, SMALL, PURE = RemoteModel("big"), RemoteModel("other"), LocalModel("small"), LocalPure()
MODELS = (BIG, OTHER, SMALL)
RULED_OUT = (FailureKind.HERE, FailureKind.REPLY, FailureKind.LOW_CONFIDENCE, FailureKind.REFUSED)


class Always:
    """Chooses a target, whatever can be used."""

    def __init__(self, *targets):
        self.targets = targets

    def claims(self):
        return ("*",)

    def decide(self, context):
        known = {each.target for each in context.candidates}
        target = next((each for each in self.targets if each in known), self.targets[0])
        return DelegationPlan(target=target, reasoning="always", source=PlanSource.ENGINE, engine="always")


class Silent:
    """Has no opinion."""

    def claims(self):
        return ()

    def decide(self, context):
        return None


@attrs.frozen
class Measured:
    """What is measured of targets."""

    healths: dict = attrs.field(factory=dict)
    latencies: dict = attrs.field(factory=dict)

    def health(self, target):
        return self.healths.get(target, Health.CLOSED)

    def latency(self, target):
        return self.latencies.get(target)

    def load(self, target):
        return 0


def engine(primary, *fallback, key="primary", **own):
    children = {key: (primary,), "fallback": fallback} if key == "primary" else {key: (primary, *fallback)}
    return ResilientEngine(EngineSettings(children=children, own=ResilientSettings(**own)))


def reads(attempts=(), healths=None, latencies=None, idempotent=MODELS, models=MODELS, draws=None):
    candidates = tuple(Candidate(each, "p", idempotent=each in idempotent) for each in models)
    asker = FakeAsker(attempts=tuple(attempts), draws=draws or {})
    measured = Measured(healths or {}, latencies or {})
    return call_reads("f", 1, candidates=candidates, asker=asker, signals=Signals(targets=measured))


def plan_of(made, **facts):
    return decided(made, reads(**facts))


def tried(target, kind, retry_after=None):
    return Attempt(target=target, kind=kind, seconds=0.1, retry_after=retry_after)


def test_while_the_primary_is_well_its_plan_is_unchanged_and_one_health_is_read():
    primary = Always(BIG)
    found = reads()
    assert decided(engine(primary, Always(SMALL)), found) == decided(primary, reads())
    assert set(found.noted) <= {("attempts",), ("health", "remote", "big")}


@given(st.fixed_dictionaries({each: st.sampled_from([*Health]) for each in MODELS}))
def test_law_with_a_healthy_primary_it_is_the_primary(healths):
    primary = Always(BIG, OTHER)
    alone = decided(primary, reads())
    plan = plan_of(engine(primary, Always(SMALL), PURE_ENGINE, retries=2), healths=healths)
    if healths[BIG].passes:
        assert plan == alone
    else:
        assert plan.target == (OTHER if healths[OTHER].passes else SMALL if healths[SMALL].passes else PURE)
        assert f"not remote big: its breaker is {healths[BIG].value}" in plan.reasoning


PURE_ENGINE = Always(PURE)


def test_a_primary_without_an_opinion_has_none_here():
    assert plan_of(engine(Silent(), Always(SMALL))) is None


def test_a_primary_that_has_nothing_left_gives_way():
    class Once(Always):
        def decide(self, context):
            return None if context.attempts else super().decide(context)

    made = engine(Once(BIG), Always(SMALL))
    assert plan_of(made).target == BIG
    assert plan_of(made, attempts=[tried(BIG, FailureKind.SAFE)]).target == SMALL
    assert plan_of(engine(Once(BIG), Always(SMALL), retries=1), attempts=[tried(BIG, FailureKind.SAFE)]).target == BIG
    assert plan_of(made, attempts=[tried(BIG, FailureKind.UNCERTAIN)]).target == SMALL


def test_it_decides_about_the_functions_that_it_is_told_alone():
    made = engine(Always(SMALL), Always(BIG), key="escalate", symbols=("draft-*", "f"))
    assert tuple(made.claims()) == ("draft-*", "f")
    assert plan_of(made).target == SMALL
    other = engine(Always(SMALL), symbols=("g",))
    assert plan_of(other) is None
    assert not engine(Always(SMALL)).claims()


def test_a_fallback_without_an_opinion_is_passed_over():
    assert plan_of(engine(Always(BIG), Silent(), Always(SMALL)), healths={BIG: Health.OPEN}).target == SMALL


def test_where_nobody_is_well_the_first_is_proposed_and_the_host_says_why_not():
    healths = dict.fromkeys(MODELS, Health.OPEN)
    assert plan_of(engine(Always(BIG), Always(SMALL)), healths=healths).target == BIG


def test_a_target_that_cannot_be_used_here_is_passed_over():
    plan = plan_of(engine(Always(BIG), Always(SMALL)), models=(SMALL,))
    assert plan.target == SMALL
    assert "not remote big: it cannot be used here" in plan.reasoning


@pytest.mark.parametrize("kind", RULED_OUT)
def test_what_ruled_a_target_out_is_not_asked_again(kind):
    made = engine(Always(BIG), Always(SMALL), key="escalate", retries=5)
    attempts = [tried(BIG, kind)]
    assert plan_of(made, attempts=attempts).target == SMALL
    assert plan_of(made, attempts=[*attempts, tried(SMALL, kind)]) is None


def test_what_surely_did_nothing_is_repeated_after_a_back_off():
    made = engine(Always(BIG), Always(SMALL), retries=2, backoff=1.0, backoff_most=10.0)
    attempts = [tried(BIG, FailureKind.SAFE)]
    first = plan_of(made, attempts=attempts, draws={"back-off": 0.0})
    second = plan_of(made, attempts=attempts * 2, draws={"back-off": 1.0})
    assert [(first.target, first.delay), (second.target, second.delay)] == [(BIG, 0.5), (BIG, 2.0)]
    assert plan_of(made, attempts=attempts * 3).target == SMALL


def test_without_retries_the_next_is_asked_at_once():
    plan = plan_of(engine(Always(BIG), Always(SMALL)), attempts=[tried(BIG, FailureKind.SAFE)])
    assert (plan.target, plan.delay) == (SMALL, 0.0)


def test_what_may_have_been_done_is_repeated_only_where_that_is_no_harm():
    made = engine(Always(BIG), Always(SMALL), retries=1)
    attempts = [tried(BIG, FailureKind.UNCERTAIN)]
    assert plan_of(made, attempts=attempts).target == BIG
    assert plan_of(made, attempts=attempts, idempotent=()).target == SMALL


def test_a_server_that_asks_to_wait_is_not_asked_sooner_nor_waited_for_too_long():
    made = engine(Always(BIG), Always(SMALL), retries=1, backoff_most=10.0)
    assert plan_of(made, attempts=[tried(BIG, FailureKind.SAFE, 4.0)]).delay == 4.0
    assert plan_of(made, attempts=[tried(BIG, FailureKind.SAFE, 40.0)]).target == SMALL


def test_a_repeat_looks_at_health_again():
    made = engine(Always(BIG), Always(SMALL), retries=1)
    assert plan_of(made, attempts=[tried(BIG, FailureKind.SAFE)], healths={BIG: Health.OPEN}).target == SMALL


class TestHedges:
    """A second request: where asking twice is no harm, at the next that is well."""

    def test_the_next_in_the_line_is_asked_too(self):
        plan = plan_of(engine(Always(BIG), Always(OTHER), hedge=800, hedge_cost=0.01))
        assert (plan.target, plan.hedge) == (BIG, Hedge(target=OTHER, after=0.8, most=0.01))

    def test_after_the_95th_percentile(self):
        made = engine(Always(BIG), Always(OTHER), hedge="p95")
        assert plan_of(made, latencies={BIG: Latency(1.0, 3.0)}).hedge.after == 3.0
        assert plan_of(made).hedge is None

    @pytest.mark.parametrize(
        "facts",
        [{"idempotent": ()}, {"idempotent": (BIG,)}, {"idempotent": (OTHER,)}, {"healths": {OTHER: Health.OPEN}}],
    )
    def test_never_where_it_may_do_harm_or_no_good(self, facts):
        assert plan_of(engine(Always(BIG), Always(OTHER), hedge=800), **facts).hedge is None

    def test_never_at_the_own_body_or_at_what_was_tried(self):
        assert plan_of(engine(Always(BIG), PURE_ENGINE, hedge=800)).hedge is None
        made = engine(Always(BIG), Always(OTHER), hedge=800)
        assert plan_of(made, attempts=[tried(BIG, FailureKind.HERE)]).hedge is None

    def test_a_later_one_is_found_behind_one_that_is_down(self):
        made = engine(Always(BIG), Always(OTHER), Always(SMALL), hedge=800)
        assert plan_of(made, healths={OTHER: Health.OPEN}).hedge.target == SMALL


ATTEMPTS = st.lists(
    st.builds(
        tried,
        st.sampled_from(MODELS),
        st.sampled_from([kind for kind in FailureKind if kind is not FailureKind.FINAL]),
        st.sampled_from((None, 0.5, 5.0, 500.0)),
    ),
    max_size=6,
)
OWN = st.fixed_dictionaries(
    {"retries": st.integers(0, 3), "hedge": st.sampled_from((None, "p95", 100.0)), "backoff_most": st.just(10.0)}
)
HEALTHS = st.dictionaries(st.sampled_from(MODELS), st.sampled_from([*Health]))
LATENCIES = st.dictionaries(st.sampled_from(MODELS), st.just(Latency(1.0, 2.0)))
SETS = st.sets(st.sampled_from(MODELS))
LINES = st.lists(st.sampled_from([Always(BIG), Always(SMALL, OTHER), Always(OTHER), PURE_ENGINE, Silent()]), min_size=1)


@given(LINES, OWN, ATTEMPTS, HEALTHS, LATENCIES, SETS, SETS)
def test_whatever_happened_no_plan_breaks_a_rule(line, own, attempts, healths, latencies, idempotent, models):
    facts = {"healths": healths, "latencies": latencies, "idempotent": idempotent, "models": tuple(models)}
    plan = plan_of(engine(*line, **own), attempts=attempts, **facts)
    if plan is None or (not attempts and plan == decided(line[0], reads(**facts))):
        return
    of_it = [each for each in attempts if each.target == plan.target]
    if isinstance(plan.target, LocalPure):
        assert not of_it
        return
    assert plan.target in models
    assert healths.get(plan.target, Health.CLOSED).passes
    assert not any(each.kind in RULED_OUT for each in of_it)
    assert plan.target in idempotent or not any(each.kind is FailureKind.UNCERTAIN for each in of_it)
    assert len(of_it) <= own["retries"]
    assert (plan.delay > 0) is bool(of_it)
    assert plan.delay <= 10.0
    if plan.hedge is not None:
        assert {plan.target, plan.hedge.target} <= idempotent
        assert plan.hedge.target != plan.target
        assert healths.get(plan.hedge.target, Health.CLOSED).passes
        assert not any(each.target == plan.hedge.target for each in attempts)


@given(LINES, OWN, ATTEMPTS, HEALTHS, HEALTHS, LATENCIES, LATENCIES)
def test_what_it_did_not_read_never_changes_its_plan(line, own, attempts, one, other, fast, slow):
    made = engine(*line, **own)
    first, second = reads(attempts, one, fast), reads(attempts, other, slow)
    plan = decided(made, first)
    if all(second.look(read)[0] == key for read, key in first.noted.items() if read[0] in ("health", "latency")):
        assert decided(made, second) == plan


@given(
    LINES,
    OWN,
    st.lists(st.sampled_from([FailureKind.SAFE, FailureKind.UNCERTAIN, *RULED_OUT]), min_size=40, max_size=40),
)
def test_a_call_ends_however_its_attempts_fail(line, own, kinds):
    made, attempts = engine(*line, **own), []
    for kind in kinds:
        plan = plan_of(made, attempts=attempts)
        if plan is None:
            break
        attempts.append(tried(plan.target, kind))
    assert len(attempts) <= len(MODELS) * (own["retries"] + 1) + 1
