"""What holds when an engine breaks: deny rules, hints, routes and reach; and nothing goes where nobody sent it."""

from __future__ import annotations

import pytest

from rtfs_framework.api import (
    CacheRecord,
    Capability,
    DelegationPlan,
    Hedge,
    LocalModel,
    LocalPure,
    PlanSource,
    RemoteModel,
)

TEXT = """
(defn denied [x] "own")
(defn ^:delegation :local-model "m" hinted [x] : :string "own")
(defn routed [x] "own")
(defn engined [x] "own")
(defn main [x] [(try (denied x) (catch SecurityViolation e :denied)) (hinted x) (routed x) (engined x)])
"""
CONFIG = """
[delegation]
default_target = "remote-r"
[delegation.static_routes]
"routed" = "local-m"
[security]
deny = ["denied"]
"""


class Engine:
    """Answers whatever it is given; raises what is an exception."""

    def __init__(self, answer):
        self.answer = answer

    def claims(self):
        return ("denied", "hinted", "routed", "engined")

    def decide(self, context):
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def plan(**fields):
    made = DelegationPlan(target=LocalPure(), reasoning="because", source=PlanSource.ENGINE)
    for name, value in fields.items():
        object.__setattr__(made, name, value)
    return made


BROKEN = {
    "raises": ZeroDivisionError("oops"),
    "leaves": SystemExit(3),
    "is text": "remote-r",
    "is a target": RemoteModel("r"),
    "is a list": [plan()],
    "nan": plan(confidence=float("nan")),
    "confidence text": plan(confidence="high"),
    "confidence 2": plan(confidence=2.0),
    "delay text": plan(delay="soon"),
    "delay nan": plan(delay=float("nan")),
    "delay before": plan(delay=-1.0),
    "hedge text": plan(hedge="remote-x"),
    "hedge at the own body": plan(hedge=Hedge(target=LocalPure(), after=1.0)),
    "hedge never": plan(hedge=Hedge(target=RemoteModel("x"), after=float("inf"))),
    "hedge bound": plan(hedge=Hedge(target=RemoteModel("x"), after=1.0, most="much")),
    "alternatives": plan(alternatives=("remote-x",)),
    "target text": plan(target="remote-r"),
    "target none": plan(target=None),
    "target id": plan(target=RemoteModel(["r"])),
    "target id none": plan(target=LocalModel(None)),
    "reasoning": plan(reasoning=7),
    "engine": plan(engine=None),
    "context": plan(context={"a": "b"}),
    "context item": plan(context=(("a", object()),)),
    "not configured": plan(target=RemoteModel("nowhere")),
    "not configured here": plan(target=LocalModel("nowhere")),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("l1", [False, True])
def test_nothing_goes_where_nobody_sent_it(kit, source, answer, l1):
    models = (kit.provider("m", lambda _: "model"), kit.provider("r", lambda _: "remote", remote=True))
    catalog = kit.catalog(*models, engine=Engine(answer), l1=l1)
    with kit.open(catalog, CONFIG) as session:
        result = session.run(source(TEXT), ("x",))
        (problem,) = session.problems
    assert [str(each) for each in result.value] == [":denied", "model", "model", "own"]
    assert not kit.providers["r"].requests
    assert "acme-plugin 1.2: engine 'static': `decide` " in problem.message
    assert "the function's own body ran instead" in problem.message
    call = next(each for each in result.calls if each.symbol == "engined")
    assert call.target == "local-pure"
    assert result.summary.problems == (problem,)


def test_a_capability_that_an_engine_names_must_be_granted_and_be_there(kit, source):
    text = '(defn engined [x] "own")\n(defn main [x] (try (engined x) (catch _ e (:kind e))))'
    for config, kind in (("", "UnknownCapability"), ('[security]\ngrant = ["*"]\n', "UnknownCapability")):
        catalog = kit.catalog(engine=Engine(plan(target=Capability("no.such"))))
        with kit.open(catalog, config) as session:
            assert session.run(source(text), ("x",)).value == kind


def test_a_plan_that_a_cache_made_up_is_narrowed_like_any_other(kit, source):
    engine = Engine(plan(target=LocalModel("m")))
    models = (kit.provider("m", lambda _: "model"), kit.provider("r", lambda _: "remote", remote=True))
    catalog = kit.catalog(*models, engine=engine, l1=True)
    layer = kit.layers["l1"]
    text = '(defn engined [x] "own")\n(defn main [x] [(engined x) (engined x)])'
    config = '[security]\nreach = "local"\n'
    with kit.open(catalog, config) as session:
        session.run(source(text), ("x",))
        for key in layer.records:
            layer.records[key] = CacheRecord(value=plan(target=RemoteModel("r"), engine="static"), stored_at=0.0)
        assert session.run(source(text), ("x",)).value == ("own", "own")
    assert not kit.providers["r"].requests
