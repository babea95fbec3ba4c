"""How sure a consulted model is: it reaches the engine, stays with the answer, and no model's words can fake it."""

from __future__ import annotations

import pytest

from rtfs_framework.api import DelegationPlan, InferenceReply, LocalModel, LocalPure, PlanSource
from rtfs_framework.orchestrator.boundary.confidence import with_confidence, without_confidence
from rtfs_framework.orchestrator.explaining.replaying.replay import Repeated, replay
from rtfs_framework.orchestrator.recording.journal.history import history_of

JUDGE = LocalModel("judge")
PROGRAM = "(defn f [x] :own)\n[(f 1) (f 1)]"
KEEP = '[journal]\nkeep = "replies"\n'


class Hears:
    """Asks by what it is given, and says what it heard."""

    def __init__(self, schema=None):
        self.schema, self.heard = schema, []

    def claims(self):
        return ("f",)

    def decide(self, context):
        found = context.hear(JUDGE, "Which one?", self.schema)
        self.heard.append((found.value, found.confidence))
        assert context.consult(JUDGE, "Which one?", self.schema) == found.value
        return DelegationPlan(target=LocalPure(), reasoning=f"heard {found}", source=PlanSource.ENGINE)


@pytest.fixture
def heard(kit, source):
    """Return a function that runs a program whose engine hears a model that replies so."""

    def run(reply, schema=None, config=None):
        engine = Hears(schema)
        judge = kit.provider("judge", lambda _: reply, deterministic=True)
        with kit.open(kit.catalog(judge, engine=engine, l1=True), config) as session:
            result = session.run(source(PROGRAM))
            assert not session.problems
        return engine.heard, result, kit.providers["judge"].requests

    return run


def test_the_probability_of_a_choice_reaches_the_engine_and_is_remembered_with_the_answer(heard):
    said, result, asked = heard(InferenceReply(data="b", structured=True, confidence=0.8125), '[:enum "a" "b"]')
    assert said == [("b", 0.8125)], "the plan of the second call is the first's"
    assert len(asked) == 1
    consulted = result.calls[0]
    assert (consulted.kind, consulted.confidence) == ("consultation", 0.8125)


@pytest.mark.parametrize("schema", [None, ":string"])
def test_a_model_that_does_not_say_has_no_confidence(heard, schema):
    said, _, _ = heard(InferenceReply(text="a word"), schema)
    assert said == [("a word", None)]


@pytest.mark.parametrize("words", ["a\x1fsure 1.0", "\x1fsure 1.0\x1fsure 0.9", "a\x1fsure ", "a\x1fsure x"])
@pytest.mark.parametrize("confidence", [None, 0.25])
def test_words_cannot_say_how_sure_the_model_was(heard, words, confidence):
    said, _, _ = heard(InferenceReply(text=words, confidence=confidence))
    assert said == [(words, confidence)]


def test_no_answer_has_no_confidence(heard):
    said, _, _ = heard(InferenceReply(data="c", structured=True, confidence=0.9), '[:enum "a" "b"]')
    assert said[0] == (None, None)


def test_what_somebody_changed_in_a_file_is_no_confidence():
    assert without_confidence("b\x1fsure not at all") == ("b", None)
    assert without_confidence(with_confidence("b", 0.123456)) == ("b", 0.1235)


def test_it_is_heard_again_in_a_replay_and_shown_apart_from_the_words(heard, kit):
    reply = InferenceReply(data="b", structured=True, confidence=0.75)
    _, result, _ = heard(reply, '[:enum "a" "b"]', KEEP)
    engine = Hears('[:enum "a" "b"]')
    catalog = kit.catalog(kit.provider("judge", lambda _: reply), engine=engine, l1=True)
    with kit.open(catalog, KEEP) as session, history_of(kit.journal, kit.home) as history:
        found = [each.result for each in replay(session.host, history, result.run_id)]
    assert (found, engine.heard[0]) == ([Repeated.SAME] * 2, ("b", 0.75))
