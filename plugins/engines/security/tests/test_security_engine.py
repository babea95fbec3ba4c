"""What becomes of a call: by each thing that a rule may look at, by each preset; and the law of composition."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_engine_security.engine import SecurityEngine
from rtfs_engine_security.settings import PRESETS, Rule, SecuritySettings
from rtfs_framework.api import (
    Ask,
    Candidate,
    Capability,
    DelegationPlan,
    Deny,
    EngineSettings,
    Hedge,
    LocalModel,
    LocalPure,
    Permissions,
    PlanSource,
    RemoteModel,
    RuleText,
)
from rtfs_framework.orchestrator.explaining.imagined import Surrounded
from rtfs_framework.testing.fakes import FakeAsker, call_reads, decided

BIG, SMALL, PURE, CAP = RemoteModel("big"), LocalModel("small"), LocalPure(), Capability("db.put")
KNOWN = (
    Candidate(BIG, "p", "large-2", accepts=frozenset({"internal"})),
    Candidate(SMALL, "p", "small-7b"),
)


class Base:
    """Chooses the first of its targets that can be used, with a hedge if it has one."""

    def __init__(self, *targets, hedge=None):
        self.targets, self.hedge = targets, hedge

    def claims(self):
        return ("f*",)

    def decide(self, context):
        known = {each.target for each in context.candidates}
        models = (LocalModel, RemoteModel)
        found = [each for each in self.targets if each in known or not isinstance(each, models)]
        if not found:
            return None
        return DelegationPlan(target=found[0], reasoning="base", source=PlanSource.ENGINE, engine="b", hedge=self.hedge)


class Stubborn(Base):
    """Chooses its target, whatever it may choose from."""

    def decide(self, context):
        return DelegationPlan(target=self.targets[0], reasoning="base", source=PlanSource.ENGINE, engine="b")


def engine(base, *rules, default=None, **own):
    settings = SecuritySettings(rules=rules, **own)
    return SecurityEngine(EngineSettings(children={"base": (base,)}, own=settings, default=default))


def reads(symbol="f", labels=(), agent="", default=PURE, **asker):
    who = FakeAsker(labels=frozenset(labels), **asker)
    return call_reads(symbol, 1, candidates=KNOWN, asker=who, around=Surrounded(agent=agent), default=default)


def plan_of(made, **facts):
    return decided(made, reads(**facts))


def target_of(made, **facts):
    plan = plan_of(made, **facts)
    return None if plan is None else plan.target


FITS = [
    (Rule(say="deny"), {}),
    (Rule(symbols=("g", "f*"), say="deny"), {}),
    (Rule(where="remote", say="deny"), {}),
    (Rule(where=("own", "remote"), say="deny"), {}),
    (Rule(targets="bi*", say="deny"), {}),
    (Rule(models=("small-*", "large-*"), say="deny"), {}),
    (Rule(labels="pii", say="deny"), {"labels": ("pii", "internal")}),
    (Rule(labels=":pii", say="deny"), {"labels": ("pii",)}),
    (Rule(labels="*", say="deny"), {"labels": ("own-mark",)}),
    (Rule(unaccepted=True, say="deny"), {"labels": ("pii",)}),
    (Rule(unaccepted=False, say="deny"), {"labels": ("internal",)}),
    (Rule(level="controlled", say="deny"), {}),
    (Rule(level=("pure", "full"), say="deny"), {"permissions": Permissions(level="full")}),
    (Rule(granted=("a", "b"), say="deny"), {"permissions": Permissions(grant=("*",))}),
    (Rule(missing=("a", "b"), say="deny"), {"permissions": Permissions(grant=("c",))}),
    (Rule(tenant=("acme", "b*"), say="deny"), {"tenant": "acme"}),
    (Rule(agent="bot-*", say="deny"), {"agent": "bot-7"}),
]


@pytest.mark.parametrize(("rule", "facts"), FITS)
def test_a_rule_that_fits_decides(rule, facts):
    assert isinstance(target_of(engine(Base(BIG), rule), **facts), Deny)


FITS_NOT = [
    (Rule(symbols="g", say="deny"), {}),
    (Rule(where=("own", "local", "capability"), say="deny"), {}),
    (Rule(targets="small", say="deny"), {}),
    (Rule(models="small-*", say="deny"), {}),
    (Rule(labels="pii", say="deny"), {"labels": ("internal",)}),
    (Rule(labels="*", say="deny"), {}),
    (Rule(unaccepted=True, say="deny"), {"labels": ("internal",)}),
    (Rule(unaccepted=False, say="deny"), {"labels": ("pii",)}),
    (Rule(level=("pure", "full"), say="deny"), {}),
    (Rule(granted=("a", "b"), say="deny"), {"permissions": Permissions(grant=("a",))}),
    (Rule(missing=("a", "b"), say="deny"), {"permissions": Permissions(grant=("a",))}),
    (Rule(tenant="acme", say="deny"), {}),
    (Rule(agent="bot-*", say="deny"), {"agent": "ann"}),
    (Rule(labels="pii", tenant="acme", say="deny"), {"labels": ("pii",)}),
]


@pytest.mark.parametrize(("rule", "facts"), FITS_NOT)
def test_a_rule_that_does_not_fit_says_nothing(rule, facts):
    base = Base(BIG)
    assert plan_of(engine(base, rule), **facts) == plan_of(base, **facts)


def test_local_asks_the_base_again_among_the_models_of_this_machine():
    rule = Rule(where="remote", say="local", reason="stays here")
    plan = plan_of(engine(Base(BIG, SMALL), rule))
    assert (plan.target, plan.engine) == (SMALL, "security")
    assert "not remote big: 'rule 1' says local: stays here" in plan.reasoning
    assert target_of(engine(Base(BIG), rule)) == PURE
    assert target_of(engine(Stubborn(BIG), rule)) == PURE
    assert target_of(engine(Base(BIG, SMALL), rule, Rule(where="local", say="deny"))) == PURE


@pytest.mark.parametrize("target", [PURE, SMALL])
def test_what_stays_on_this_machine_is_local_already(target):
    assert target_of(engine(Base(target), Rule(say="local"), Rule(say="deny", where="remote"))) == target
    assert target_of(engine(Base(CAP), Rule(say="local"))) == PURE
    assert plan_of(engine(Base(PURE), Rule(say="redact", redact=[RuleText("email")]))).transform == ()


def test_redact_keeps_the_plan_and_names_the_rules_once():
    rule = Rule(labels="pii", say="redact", redact=[RuleText("email"), RuleText("phone"), RuleText("email")])
    plan = plan_of(engine(Base(BIG), rule), labels=("pii",))
    assert (plan.target, plan.transform) == (BIG, ("email", "phone"))
    assert plan_of(engine(Base(BIG), rule)).transform == ()


def test_ask_names_who_is_asked():
    assert target_of(engine(Base(BIG), Rule(say="ask"))) == Ask("operator", BIG)
    assert target_of(engine(Base(BIG), Rule(say="ask"), approver="desk")) == Ask("desk", BIG)
    assert target_of(engine(Base(BIG), Rule(say="ask", approver="boss"), approver="desk")) == Ask("boss", BIG)
    asks = Ask("ann", BIG)
    assert target_of(engine(Stubborn(asks), Rule(say="ask", approver="boss"))) == asks


def test_deny_says_why():
    assert "no; 'mine' says deny: no" in target_of(engine(Base(BIG), Rule(say="deny", name="mine", reason="no"))).reason


def test_the_first_rule_that_fits_decides_and_allow_ends_the_line():
    rules = (Rule(symbols="f", say="allow"), Rule(say="deny"))
    assert target_of(engine(Base(BIG), *rules)) == BIG
    assert isinstance(target_of(engine(Base(BIG), *rules), symbol="fx"), Deny)


def test_what_is_refused_already_stays_refused():
    assert target_of(engine(Stubborn(Deny("no")), Rule(say="ask"))) == Deny("no")


class TestPresets:
    """Exactly what the documentation says."""

    @pytest.mark.parametrize(
        ("labels", "redact", "target", "transform"),
        [
            ((), ("email",), BIG, ()),
            (("pii",), ("email",), BIG, ("email",)),
            (("pii",), (), SMALL, ()),
            (("pii", "secret"), ("email",), SMALL, ()),
            (("own",), ("email", "phone"), BIG, ("email", "phone")),
        ],
    )
    def test_privacy_first(self, labels, redact, target, transform):
        made = engine(Base(BIG, SMALL), preset="privacy-first", redact=[RuleText(each) for each in redact])
        plan = plan_of(made, labels=labels)
        assert (plan.target, plan.transform) == (target, transform)

    @pytest.mark.parametrize("own", ["local", "capability"])
    def test_privacy_first_says_nothing_of_what_stays(self, own):
        target = SMALL if own == "local" else CAP
        assert target_of(engine(Base(target), preset="privacy-first"), labels=("pii", "secret")) == target

    @pytest.mark.parametrize(("given", "target"), [(BIG, SMALL), (SMALL, SMALL), (PURE, PURE), (CAP, CAP)])
    def test_local_only(self, given, target):
        assert target_of(engine(Base(given, SMALL), preset="local-only")) == target

    @pytest.mark.parametrize(
        ("given", "target"),
        [(BIG, Ask("operator", BIG)), (SMALL, Ask("operator", SMALL)), (CAP, Ask("operator", CAP)), (PURE, PURE)],
    )
    def test_review_everything(self, given, target):
        assert target_of(engine(Base(given), preset="review-everything")) == target

    def test_rules_of_ones_own_come_first(self):
        made = engine(Base(BIG), Rule(symbols="f", say="allow"), preset="local-only")
        assert (target_of(made), target_of(made, symbol="g")) == (BIG, PURE)


def test_what_is_on_no_list_is_never_asked():
    assert target_of(engine(Base(BIG, SMALL), models="small-*")) == SMALL
    assert target_of(engine(Base(BIG, SMALL), targets="small")) == SMALL
    assert target_of(engine(Stubborn(BIG), targets="small")) == PURE
    assert target_of(engine(Stubborn(RemoteModel("unknown")), models="*")) == PURE
    assert target_of(engine(Base(CAP), targets="small")) == CAP


def test_a_second_request_is_judged_too():
    hedge = Hedge(target=BIG, after=1.0)
    redacting = Rule(where="remote", labels="pii", say="redact", redact=[RuleText("email")])
    base = Base(SMALL, hedge=hedge)
    assert plan_of(engine(base, Rule(where="remote", say="deny"))).hedge is None
    assert "no second request" in plan_of(engine(base, Rule(where="remote", say="deny"))).reasoning
    assert plan_of(engine(base, redacting), labels=("pii",)).hedge is None
    assert plan_of(engine(base, redacting)).hedge == hedge
    assert plan_of(engine(base, targets="small")).hedge is None
    both = Base(BIG, hedge=Hedge(target=RemoteModel("big"), after=1.0))
    assert plan_of(engine(both, redacting), labels=("pii",)).hedge is not None


def test_the_default_is_judged_where_the_base_has_no_opinion():
    made = engine(Base(), Rule(where="remote", labels="pii", say="local"), default=BIG)
    assert tuple(made.claims()) == ("*",)
    assert plan_of(made, default=BIG) is None
    assert target_of(made, default=BIG, labels=("pii",)) == PURE
    assert tuple(engine(Base()).claims()) == ()


def test_it_reads_what_its_rules_name_and_nothing_else():
    found = reads()
    decided(engine(Base(BIG), Rule(symbols="g", labels="pii", say="deny")), found)
    assert not found.noted
    found = reads()
    decided(engine(Base(BIG), Rule(where="remote", labels="pii", say="deny")), found)
    assert set(found.noted) == {("labels",)}


MARKS = st.sets(st.sampled_from(("pii", "secret", "internal", "own")))
RULES = st.builds(
    Rule,
    say=st.sampled_from(("allow", "local", "ask", "deny")),
    symbols=st.none() | st.sampled_from(("f", "g", "*")),
    where=st.none() | st.sampled_from(("own", "local", "remote", "capability")),
    labels=st.none() | st.sampled_from(("pii", "*")),
    unaccepted=st.none() | st.booleans(),
    level=st.none() | st.sampled_from(("pure", "controlled")),
)
OWN = st.builds(
    SecuritySettings,
    rules=st.lists(RULES, max_size=4),
    preset=st.none() | st.sampled_from(PRESETS),
    targets=st.none() | st.sampled_from(("small", "big", "*")),
)
TARGETS = st.lists(st.sampled_from((BIG, SMALL, PURE, CAP)), max_size=3)
_FAR = {"own": 0, "local": 1, "capability": 1, "remote": 2}


@given(OWN, TARGETS, MARKS)
def test_law_nothing_goes_further_than_the_base_sends_it(own, targets, marks):
    from rtfs_engine_security.conditions import where_of

    base = Base(*targets)
    made = SecurityEngine(EngineSettings(children={"base": (base,)}, own=own))
    plan, alone = plan_of(made, labels=marks), plan_of(base, labels=marks)
    if alone is None or plan is None:
        assert plan is None or isinstance(plan.target, Ask | Deny) or own.targets is not None
        return
    target = plan.target.then if isinstance(plan.target, Ask) else plan.target
    restricted = own.targets is not None
    assert isinstance(target, Deny) or restricted or _FAR[where_of(target)] <= _FAR[where_of(alone.target)]


@given(TARGETS, MARKS, st.lists(RULES, max_size=3))
def test_law_with_nothing_to_object_to_it_is_its_base(targets, marks, rules):
    base, nothing = Base(*targets), [attrs.evolve(rule, symbols="never") for rule in rules]
    assert plan_of(engine(base, *nothing), labels=marks) == plan_of(base, labels=marks)
