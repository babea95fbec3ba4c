"""Rules: what each condition asks, what is read for it, and which of several decides."""

from __future__ import annotations

from random import Random

import pytest

from rtfs_engine_static.engine import StaticEngine
from rtfs_engine_static.rules import Rule, StaticSettings
from rtfs_framework.api import (
    Ask,
    Attempt,
    Candidate,
    Capability,
    DelegationMetadata,
    Deny,
    EngineSettings,
    FailureKind,
    Latency,
    LocalModel,
    LocalPure,
    Permissions,
    Price,
    RemoteModel,
    TargetText,
    TypePattern,
    is_pattern,
    specificity,
)
from rtfs_framework.orchestrator.deciding.signals import Signals
from rtfs_framework.orchestrator.explaining.imagined import Surrounded
from rtfs_framework.testing.fakes import FakeAsker, call_reads, decided

BIG, CLOUD, SMALL, PURE = RemoteModel("big"), RemoteModel("cloud"), LocalModel("small"), LocalPure()
TARGETS = {"remote-big": BIG, "remote-cloud": CLOUD, "local-small": SMALL, "local-pure": PURE}
USABLE = tuple(Candidate(target, "p") for target in (BIG, CLOUD, SMALL))


def to(*texts, **conditions):
    """Return a rule for `f` unless it says otherwise."""
    types = conditions.pop("types", None)
    if types is not None:
        conditions["types"] = tuple(map(TypePattern, types))
    conditions.setdefault("symbols", "f")
    return Rule(to=tuple(map(TargetText, texts)) or None, **conditions)


def engine(*rules, routes=None, **own):
    settings = EngineSettings(routes=routes or {}, own=StaticSettings(rules=rules, **own), targets=TARGETS)
    return StaticEngine(settings)


def target(chosen, reads):
    plan = decided(chosen, reads)
    return None if plan is None else plan.target


def asked(*args, symbol="f", **fields):
    return call_reads(symbol, *args, candidates=USABLE, **fields)


NOBODY = FakeAsker()


def said(**fields):
    return FakeAsker(metadata=DelegationMetadata(**fields))


def allowed(*grant):
    return FakeAsker(permissions=Permissions(grant=grant))


LONG = ("x" * 800,)
CONDITIONS = [
    # the rule's condition, arguments and caller of a call that it fits, of one that it does not, what is read
    ({"types": ["[:vector :int]"]}, (((1, 2),), NOBODY), (("x",), NOBODY), "types"),
    ({"types": ["[:vector :int]"]}, (((),), NOBODY), ((), NOBODY), "types"),
    ({"types": [":string", "& :any"]}, (("x", 1, 2), NOBODY), ((1, "x"), NOBODY), "types"),
    ({"min_size": 256}, (LONG, NOBODY), (("x",), NOBODY), "size"),
    ({"max_size": 64}, (("x",), NOBODY), (LONG, NOBODY), "size"),
    ({"tenant": ["acme", "b*"]}, ((), FakeAsker(tenant="acme")), ((), FakeAsker(tenant="other")), "tenant"),
    ({"tenant": ["acme", "b*"]}, ((), FakeAsker(tenant="bob")), ((), NOBODY), "tenant"),
    ({"granted": ["fs.read", "net.get"]}, ((), allowed("fs.*", "net.get")), ((), allowed("fs.*")), "permissions"),
    ({"min_confidence": 0.5}, ((), said(confidence=0.5)), ((), said(confidence=0.4)), "metadata"),
    ({"max_confidence": 0.9}, ((), said(confidence=0.9)), ((), NOBODY), "metadata"),
    (
        {"intent": "triage-*"},
        ((), said(context={"intent": "triage-mail"})),
        ((), said(reasoning="triage-")),
        "metadata",
    ),
]


@pytest.mark.parametrize(("condition", "fits", "fails", "read"), CONDITIONS)
def test_a_condition_reads_one_thing_and_fits_what_it_says(condition, fits, fails, read):
    chosen = engine(to("local-small", **condition))
    for (args, who), wanted in ((fits, SMALL), (fails, None)):
        reads = asked(*args, asker=who)
        assert target(chosen, reads) == wanted
        assert [name for name, *_ in reads.noted] == [read]


HERE = Surrounded(agent="clerk", environment={"region": "eu-1"}, constraints={"latency": "low"}, time_class="night")


@pytest.mark.parametrize(
    ("fits", "fails", "read"),
    [
        ({"agent": ["c*", "robot"]}, {"agent": "robot"}, "agent"),
        ({"environment": {"region": "eu-*"}}, {"environment": {"region": "us-*"}}, "environment"),
        ({"environment": {}}, {"environment": {"region": "*", "stage": "*"}}, None),
        ({"constraints": {"latency": "low"}}, {"constraints": {"cost": "low"}}, "constraints"),
        ({"time_class": "night"}, {"time_class": ["day", "evening"]}, "time_class"),
    ],
)
def test_a_condition_on_surroundings_reads_them_alone(fits, fails, read):
    for condition, wanted in ((fits, SMALL), (fails, None)):
        reads = asked(around=HERE)
        assert target(engine(to("local-small", **condition)), reads) == wanted
        assert read is None or [name for name, *_ in reads.noted] == [read]


def test_a_rule_without_conditions_reads_nothing():
    reads = asked(1)
    assert target(engine(to("local-small"), routes={"g": (CLOUD,)}), reads) == SMALL
    assert not reads.noted


def test_only_what_is_needed_is_read():
    """A rule of another symbol is not looked at, and after a condition that fails no other one of its rule is."""
    chosen = engine(to("local-small", tenant="acme", types=[":int"]), to("remote-big", symbols="g*", max_size=64))
    reads = asked("x")
    assert target(chosen, reads) is None
    assert [name for name, *_ in reads.noted] == ["tenant"]


@pytest.mark.parametrize(
    ("prices", "chosen"),
    [
        ({BIG: Price(5.0, 15.0), CLOUD: Price(0.5, 1.5)}, CLOUD),
        ({BIG: Price(1.0, 2.0), CLOUD: Price(0.5, 1.5)}, BIG),
        ({BIG: Price(None, 2.0), CLOUD: Price(1.0, 2.0)}, CLOUD),
        ({BIG: Price(1.0, 2.5), CLOUD: Price()}, SMALL),
    ],
)
def test_what_costs_more_or_nobody_knows_what_is_left_out(prices, chosen):
    rule = to("remote-big", "remote-cloud", "local-small", max_input_cost=1.0, max_output_cost=2.0)
    signals = Signals(prices=Prices(prices))
    assert target(engine(rule), asked(signals=signals)) == chosen


@pytest.mark.parametrize(
    ("p95", "chosen"), [({BIG: 3.0, CLOUD: 1.0}, CLOUD), ({BIG: None, CLOUD: 1.0}, BIG), ({BIG: 3.0, CLOUD: 3.0}, PURE)]
)
def test_what_is_known_to_take_longer_is_left_out(p95, chosen):
    rule = to("remote-big", "remote-cloud", "local-pure", max_latency=2000.0)
    assert target(engine(rule), asked(signals=Signals(targets=Times(p95)))) == chosen


def test_a_rule_whose_targets_all_break_its_ceilings_does_not_apply():
    rules = (to("remote-big", max_input_cost=1.0), to("local-small"))
    signals = Signals(prices=Prices({BIG: Price(2.0, 2.0)}))
    assert target(engine(*rules), asked(signals=signals)) == SMALL


def test_a_list_goes_on_with_the_next_that_was_not_tried():
    chosen = engine(to("remote-big", "remote-cloud", "local-small"), to("remote-big", symbols="g"))
    tried = [BIG, CLOUD, SMALL]
    for count, wanted in enumerate((BIG, CLOUD, SMALL, None)):
        attempts = tuple(Attempt(target=each, kind=FailureKind.SAFE) for each in tried[:count])
        assert target(chosen, asked(asker=FakeAsker(attempts=attempts))) == wanted
    once = FakeAsker(attempts=(Attempt(target=BIG, kind=FailureKind.UNCERTAIN),))
    assert target(chosen, asked(symbol="g", asker=once)) is None


def test_where_all_of_a_rule_were_tried_no_wider_rule_sends_the_call_elsewhere():
    chosen = engine(to("local-small", symbols="secret-f"), to("remote-big", symbols="*"))
    once = FakeAsker(attempts=(Attempt(target=SMALL, kind=FailureKind.SAFE),))
    assert target(chosen, asked(symbol="secret-f", asker=once)) is None


def test_a_rule_may_name_a_capability_or_deny():
    chosen = engine(to(symbols="c", capability="fs.read"), to(symbols="d", deny="not here"))
    assert target(chosen, asked(symbol="c")) == Capability("fs.read")
    assert target(chosen, asked(symbol="d")) == Deny("not here; 'rule 2' of the engine `static` says so")


def test_a_rule_may_ask_a_person_first():
    chosen = engine(to("remote-big", "local-small", ask="boss"), to(symbols="c", capability="fs.read", ask="boss"))
    assert target(chosen, asked()) == Ask("boss", BIG)
    tried = FakeAsker(attempts=(Attempt(target=BIG, kind=FailureKind.SAFE),))
    assert target(chosen, asked(asker=tried)) == Ask("boss", SMALL)
    assert target(chosen, asked(symbol="c")) == Ask("boss", Capability("fs.read"))


def test_a_plan_names_its_rule():
    plan = decided(engine(to("local-small", name="near", symbols="ai-*")), asked(symbol="ai-x"))
    assert plan.reasoning == "'near' of the pattern `ai-*`: local-model small"
    assert (plan.context, plan.engine) == ((("rule", "near"),), "static")


def test_routes_are_rules_without_conditions_unless_they_are_left_out():
    routes = {"f": (CLOUD,), "*": (BIG,)}
    rule = to("local-small", tenant="acme")
    assert target(engine(rule, routes=routes), asked()) == CLOUD
    assert target(engine(rule, routes=routes), asked(asker=FakeAsker(tenant="acme"))) == SMALL
    assert target(engine(rule, routes=routes, static_routes=False), asked()) is None


SYMBOLS = ("f", "f-draft", "f-draft-long", "g")
PATTERNS = ("f", "f*", "f-*", "*", "*-long", "f-draft", "g")
ASKS = ({}, {"types": [":int"]}, {"types": [":any"]}, {"max_size": 64}, {"min_size": 256}, {"tenant": "acme"},
        {"tenant": "acme", "types": [":int"]}, {"tenant": "*", "max_size": 64, "types": [":string"]})  # fmt: skip
CALLS = (
    ((1,), FakeAsker()),
    (("x",), FakeAsker(tenant="acme")),
    ((1,), FakeAsker(tenant="acme")),
    (("x" * 900,), FakeAsker()),
)


def test_the_most_specific_rule_decides():
    """The order is what the README says: symbol, then more conditions, then types that say more, then the earlier one.

    A rule alone says whether it applies; among those that do, the first in the stated order decides, whatever the order
    in the file.
    """
    random = Random(11)
    for _ in range(120):
        drawn = random.sample([(pattern, place) for pattern in PATTERNS for place in range(len(ASKS))], 8)
        rules = [
            to("local-small", symbols=pattern, name=f"{pattern} {place}", **ASKS[place]) for pattern, place in drawn
        ]
        chosen, symbol = engine(*rules), random.choice(SYMBOLS)
        for args, who in CALLS:
            fitting = [rule for rule in rules if decided(engine(rule), asked(*args, symbol=symbol, asker=who))]
            ordered = sorted(fitting, key=lambda rule: _stated(rule, rules.index(rule)))
            plan = decided(chosen, asked(*args, symbol=symbol, asker=who))
            assert (plan and plan.context[0][1]) == (ordered[0].name if ordered else None)


def test_a_rule_with_one_condition_more_goes_before():
    """Adding a condition to a rule never lets the wider one hide it."""
    for more in ASKS[1:]:
        wide, narrow = to("local-small"), to("remote-big", **more)
        for args, who in CALLS:
            alone = target(engine(narrow), asked(*args, asker=who))
            for pair in ((wide, narrow), (narrow, wide)):
                assert target(engine(*pair), asked(*args, asker=who)) == (alone or SMALL)


def _stated(rule, place):
    exact = not is_pattern(rule.symbols)
    conditions = [rule.types, rule.max_size or rule.min_size, rule.tenant]
    said = sum(pattern.specificity for pattern in rule.types or ())
    return not exact, specificity(rule.symbols), -sum(each is not None for each in conditions), -said, place


class Prices:
    def __init__(self, known):
        self.known = known

    def price(self, target):
        return self.known.get(target, Price())


class Times:
    def __init__(self, p95):
        self.p95 = p95

    def latency(self, target):
        found = self.p95.get(target)
        return None if found is None else Latency(found / 2, found)
