"""Hearing a model before deciding: billed, written down, bounded and refused like any call."""

from __future__ import annotations

import anyio
import pytest

from rtfs_framework.api import (
    DelegationPlan,
    InferenceReply,
    LocalModel,
    LocalPure,
    PlanSource,
    RemoteModel,
    Usage,
)
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.errors import LimitError
from rtfs_framework.orchestrator.recording.journal import query

PROGRAM = '(defn ask [x] (str "own " x))\n(defn main [x] (ask x))'
MANY = '(defn ask [x] (str "own " x))\n(defn main [x] (pmap ask [x x x]))'
JUDGE = RemoteModel("judge")
PRICE = '[delegation.remote_providers.judge]\nprovider = "judge"\ninput_cost = 10.0\noutput_cost = 20.0\n'


class Asks:
    """Consults so often before it decides for the own body."""

    def __init__(self, target=JUDGE, often=1):
        self.target = target
        self.often = often
        self.heard = []

    def claims(self):
        return ("ask",)

    def decide(self, context):
        answer = context.consult(self.target, f"where, {context.args}?")
        for n in range(1, self.often):
            answer = context.consult(self.target, f"and now, {n}?")
        self.heard.append(answer)
        return DelegationPlan(target=LocalPure(), reasoning=f"heard '{answer}'", source=PlanSource.ENGINE)


def reply(_request):
    return InferenceReply(text="home", model="big", usage=Usage(100, 10))


@pytest.fixture
def ran(kit, source):
    """Return a function that runs a program with an engine that consults."""

    def run(engine, answer=reply, config=PRICE, text=PROGRAM, **options):
        judge = kit.provider("judge", answer, remote=True)
        catalog = kit.catalog(judge, engine=engine)
        with kit.open(catalog, config, **options) as session:
            result = session.run(source(text), ("x",))
            return result, session.problems

    return run


def test_a_consultation_is_a_call_with_its_own_record_usage_and_cost(kit, ran):
    result, problems = ran(Asks())
    assert (result.value, problems) == ("own x", ())
    asked, call = result.calls
    assert (asked.kind, asked.symbol, asked.target, asked.path) == (
        "consultation",
        "ask",
        "remote judge",
        f"{call.path}?1",
    )
    assert (asked.model, asked.input_tokens, asked.output_tokens) == ("big", 100, 10)
    assert asked.cost == pytest.approx(100 * 10e-6 + 10 * 20e-6)
    assert (call.kind, call.target, call.cost) == ("delegated", "local-pure", 0.0)
    summary = result.summary
    assert (summary.calls, summary.input_tokens, summary.output_tokens) == (2, 100, 10)
    assert summary.cost == asked.cost
    assert summary.by_target == {"remote judge": 1, "local-pure": 1}
    kept = query.entries_of(kit.journal, result.run_id)
    assert [(entry["kind"], entry["cost"] > 0) for entry in kept] == [("consultation", True), ("delegated", False)]


def test_consultations_of_branches_are_all_written_down(ran):
    result, _ = ran(Asks(), text=MANY)
    assert result.value == ("own x",) * 3
    kinds = [call.kind for call in result.calls]
    assert (kinds.count("consultation"), kinds.count("delegated")) == (3, 3)
    assert len({call.path for call in result.calls}) == 6
    assert result.summary.input_tokens == 300


def test_an_engine_may_consult_twice_and_then_must_decide(ran):
    result, problems = ran(Asks(often=2))
    assert ([call.path.partition("?")[2] for call in result.calls], problems) == (["1", "2", ""], ())
    result, problems = ran(Asks(often=1000))
    assert result.value == "own x"
    assert len([call for call in result.calls if call.kind == "consultation"]) == 2
    assert "asks for more than 2 consultations of one call" in problems[0].message


def test_a_failed_consultation_is_written_down_too(ran):
    engine = Asks()
    result, problems = ran(engine, lambda _: ConnectionError("down"))
    asked, call = result.calls
    assert (asked.kind, asked.error_kind, asked.code) == ("consultation", "NetworkError", "E0801")
    assert call.target == "local-pure"
    assert engine.heard == [None]
    assert result.summary.errors == 1
    assert "acme-plugin 1.2: provider 'judge'" in problems[0].message


@pytest.mark.parametrize("security", ['reach = "local"', 'reach = "pure"', 'level = "pure"'])
def test_what_may_not_be_reached_is_not_consulted_and_the_refusal_is_written_down(kit, ran, security):
    engine = Asks()
    result, _ = ran(engine, config=f"{PRICE}[security]\n{security}\n")
    assert not kit.providers["judge"].requests
    assert engine.heard == [None]
    asked, _ = result.calls
    assert (asked.kind, asked.refused, asked.target) == ("consultation", True, "remote judge")
    assert result.summary.refused == 1


def test_a_model_that_is_not_configured_is_not_consulted(ran):
    result, _ = ran(Asks(LocalModel("nowhere")))
    asked, call = result.calls
    assert (asked.code, call.target) == ("E0712", "local-pure")


def test_consultations_count_against_the_bound_on_calls(kit, ran):
    text = "(defn ask [x] x)\n(defn main [x] (reduce + (map (fn [i] (ask i)) (range 10))))"
    with pytest.raises(LimitError, match="host calls"):
        ran(Asks(), text=text, limits=Limits(host_calls=12))
    result, _ = ran(Asks(), text=text, limits=Limits(host_calls=20))
    assert result.value == 45


def test_a_consultation_ends_at_its_deadline(ran):
    async def hang():
        await anyio.sleep(3600)

    result, _ = ran(Asks(), lambda _: hang(), config=f"{PRICE}timeout = 50\n")
    asked, call = result.calls
    assert (asked.code, call.target, result.value) == ("E0602", "local-pure", "own x")
    assert (asked.cost, call.cost, result.summary.unpriced) == (None, 0.0, 1), "what it took is not known"
