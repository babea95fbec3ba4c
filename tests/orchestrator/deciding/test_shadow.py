"""An engine beside the real one: what it would have decided is written down, and changes nothing."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import DelegationPlan, Deny, EngineEntry, LocalModel, LocalPure, PlanSource
from rtfs_framework.orchestrator.explaining.whatif.evidence import Evidence, by_shadow, calls_of
from rtfs_framework.orchestrator.recording.journal.history import history_of
from rtfs_framework.orchestrator.recording.journal.query import entries_of

M, OTHER = LocalModel("m"), LocalModel("other")
CONFIG = '[delegation]\nengine = "real"\nshadow = "beside"\n'
PROGRAM = "(defn f [x] :own)\n(f 1)"


def plan(target):
    return DelegationPlan(target=target, reasoning="r", source=PlanSource.ENGINE)


class Engine:
    def __init__(self, decide, claims=("f",)):
        self._decide = decide
        self._claims = claims
        self.asked = 0

    def claims(self):
        return self._claims

    def decide(self, context):
        self.asked += 1
        return self._decide(context)


@pytest.fixture
def desk(kit, source):
    """Return what runs a program with an engine, and another beside it."""

    class Desk:
        def run(self, real, beside, program=PROGRAM, config=CONFIG):
            models = [kit.provider(name, lambda _, name=name: name) for name in ("m", "other")]
            catalog = kit.catalog(*models, l1=True)
            who = next(iter(catalog.providers.values()))[1]
            entries = {
                name: (EngineEntry(name=name, summary=name, factory=lambda _, made=made: made), who)
                for name, made in (("real", real), ("beside", beside))
            }
            with kit.open(attrs.evolve(catalog, engines=entries), config) as session:
                self.result = session.run(source(program))
                self.problems = [each.message for each in session.problems]
            (self.entry,) = (each for each in entries_of(kit.journal, self.result.run_id) if each["symbol"] == "f")
            return self.entry["shadow"]

        journal, home = kit.journal, kit.home
        providers = kit.providers

    return Desk()


def test_it_is_written_down_and_changes_nothing(desk) -> None:
    said = desk.run(Engine(lambda _: plan(M)), Engine(lambda _: plan(OTHER)))
    assert said == {"engine": "beside", "target": "local-model other", "why": ""}
    assert desk.result.value == "m"
    assert not desk.providers["other"].requests
    (call,) = desk.result.calls
    assert call.shadow is not None
    assert call.shadow.target == "local-model other"


def test_it_is_asked_for_every_call_and_its_plans_are_not_kept(desk) -> None:
    beside = Engine(lambda _: plan(OTHER))
    real = Engine(lambda _: plan(LocalPure()))
    with pytest.raises(ValueError, match="too many values"):
        desk.run(real, beside, "(defn f [x] :own)\n[(f 1) (f 2) (f 3)]")
    assert (real.asked, beside.asked) == (1, 3)


def test_it_asks_nobody(desk) -> None:
    said = desk.run(Engine(lambda _: plan(M)), Engine(lambda context: plan(context.consult(OTHER, "where?"))))
    assert said == {"engine": "beside", "target": "", "why": "it would ask local-model other first"}
    assert not desk.providers["other"].requests


def test_its_fault_is_told_and_changes_nothing(desk) -> None:
    def broken(_context):
        raise ZeroDivisionError("oops")

    said = desk.run(Engine(lambda _: plan(M)), Engine(broken))
    assert said == {"engine": "beside", "target": "", "why": "it failed"}
    assert desk.result.value == "m"
    assert any("oops" in each for each in desk.problems)


def test_without_opinion_the_default_decides(desk) -> None:
    said = desk.run(Engine(lambda _: plan(M)), Engine(lambda _: None))
    assert said == {"engine": "beside", "target": "local-pure", "why": "it has no opinion"}
    said = desk.run(Engine(lambda _: plan(M)), Engine(lambda _: plan(OTHER), claims=("g",)))
    assert said == {"engine": "beside", "target": "local-pure", "why": "it does not claim the function"}


def test_the_rules_hold_for_it(desk) -> None:
    config = CONFIG + '[security]\nreach = "pure"\n'
    said = desk.run(Engine(lambda _: plan(LocalPure())), Engine(lambda _: plan(OTHER)), config=config)
    assert said["target"] == "local-pure"
    assert "reach is 'pure'" in said["why"]


def test_where_no_engine_has_a_say_it_has_none(desk) -> None:
    program = '(defn ^:delegation :local-model "m" f [x] :own)\n(f 1)'
    assert desk.run(Engine(lambda _: plan(Deny("no"))), Engine(lambda _: plan(OTHER)), program) is None


def test_its_chance_is_its_own(desk) -> None:
    drawn = []
    draw = lambda context: drawn.append(context.draw("x")) or plan(LocalPure())  # noqa: E731
    desk.run(Engine(draw), Engine(draw))
    first, second = drawn
    assert first != second


def test_it_can_be_asked_about(desk) -> None:
    desk.run(Engine(lambda _: plan(M)), Engine(lambda _: plan(OTHER)))
    evidence = Evidence()
    with history_of(desk.journal, desk.home) as history:
        for engine in ("beside", "another"):
            for call in calls_of(history, desk.result.run_id, by_shadow(engine)):
                evidence.add(call)
    (call,) = evidence.calls
    assert call.choices[0].wanted == {"local-model other": 1.0}
    assert sum(evidence.unknown.values()) == 1


def test_a_name_that_nothing_bears_is_refused(kit) -> None:
    from rtfs_framework.api import ConfigError

    with pytest.raises(ConfigError) as refused, kit.open(kit.catalog(), '[delegation]\nshadow = "nobody"\n'):
        pass
    (found,) = refused.value.diagnostics
    assert found.code == "E0706"
    assert "nobody" in found.message
    assert found.span is not None
