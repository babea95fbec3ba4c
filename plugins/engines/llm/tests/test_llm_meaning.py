"""Without a model the target is chosen whose description is nearest; with one, its probability is its confidence."""

from __future__ import annotations

import json

import attrs
import pytest

from rtfs_engine_llm.engine import LlmEngine
from rtfs_engine_llm.settings import LlmSettings
from rtfs_framework.api import (
    Candidate,
    DelegationPlan,
    EngineSettings,
    FunctionSignature,
    LocalModel,
    LocalPure,
    PlanSource,
    RemoteModel,
    TargetText,
)
from rtfs_framework.testing.fakes import FakeAsker, WordsEmbedder, call_reads, decided, sure

TONGUES, MOODS, JUDGE = RemoteModel("tongues"), LocalModel("moods"), LocalModel("j")
CANDIDATES = (
    Candidate(TONGUES, "p", description="translates texts into other languages"),
    Candidate(MOODS, "p", description="classifies moods of short texts"),
    Candidate(LocalModel("mute"), "p"),
)
TRANSLATE = FunctionSignature(name="my.app/to-french", doc="Translates a letter into French, as other languages do.")
MOOD = FunctionSignature(name="mood", doc="Classifies the moods of a review.")


class Always:
    def claims(self):
        return ("*",)

    def decide(self, context):
        return DelegationPlan(target=LocalPure(), reasoning="always", source=PlanSource.ENGINE)


def engine(**own):
    targets = {"local-j": JUDGE}
    made = LlmSettings(**{"symbols": ("*",), **own})
    return LlmEngine(EngineSettings(own=made, children={"fallback": (Always(),)}, targets=targets))


def plan_of(function, made=None, *args, embedder=None, candidates=CANDIDATES, **world):
    reads = call_reads(
        function.name,
        *args,
        function=function,
        candidates=candidates,
        embedder=embedder or WordsEmbedder(),
        **world,
    )
    return decided(made or engine(), reads), reads


def test_the_nearest_description_is_chosen_and_nobody_is_asked():
    for function, target in ((TRANSLATE, TONGUES), (MOOD, MOODS)):
        plan, reads = plan_of(function)
        assert (plan.target, reads.question) == (target, None)
        (other,) = plan.alternatives
        assert other.target in {TONGUES, MOODS} - {target}
        assert 0.5 < plan.confidence < 1.0
    assert "the description of local-moods is nearest to the function's" in plan.reasoning


def test_what_is_stated_goes_before_what_fits():
    marked = attrs.evolve(CANDIDATES[0], accepts=frozenset())
    third = Candidate(LocalModel("words"), "p", description="translates words")
    plan, _ = plan_of(
        TRANSLATE, candidates=(marked, *CANDIDATES[1:], third), asker=FakeAsker(labels=frozenset({"pii"}))
    )
    assert plan.target == third.target
    assert any("remote-tongues: it does not accept pii" in text for _, text in plan.context)


def test_a_choice_that_is_not_sure_enough_is_the_fallbacks():
    plan, _ = plan_of(TRANSLATE, engine(min_confidence=1.0))
    assert plan.target == LocalPure()
    assert "remote-tongues fits best, and that is 1 sure" in plan.reasoning


def test_equal_descriptions_are_equally_likely_and_the_first_is_taken():
    twice = [attrs.evolve(CANDIDATES[0], target=LocalModel(name)) for name in ("a", "b")]
    plan, _ = plan_of(TRANSLATE, candidates=tuple(twice))
    assert (plan.target, plan.confidence) == (LocalModel("a"), 0.5)


class Failing(WordsEmbedder):
    def embed(self, texts):
        raise OSError("gone")


@pytest.mark.parametrize(
    ("world", "why"),
    [
        ({"embedder": Failing()}, "there is no embedder that compares"),
        ({"candidates": CANDIDATES[1:]}, "fewer than two of the targets have a 'description'"),
    ],
)
def test_where_nothing_can_be_compared_the_fallback_decides(world, why):
    plan, _ = plan_of(TRANSLATE, **world)
    assert plan.target == LocalPure()
    assert why in plan.reasoning


def test_a_plan_rests_on_the_request_only_where_the_settings_say_so():
    _, reads = plan_of(TRANSLATE, engine(), "a letter")
    assert not {"text", "args", "embedding"} & {name for name, *_ in reads.noted}
    plain, _ = plan_of(FunctionSignature(name="f"), engine(show="request"), "classifies moods of a text")
    assert plain.target == MOODS
    plain, _ = plan_of(FunctionSignature(name="f"), engine(show="request"), "translates into other languages")
    assert plain.target == TONGUES


CHOSEN = [
    # what the model says, how sure its provider is, the floor, where the call goes, and why
    (0.7, 0.6, MOODS, "local-j chose local-moods"),
    (0.5, 0.6, LocalPure(), "local-j is 0.5 sure of local-moods"),
    (None, 0.6, LocalPure(), 'local-j cannot tell how sure it is: confidence = "said" asks it'),
    (None, 0.0, MOODS, "local-j chose local-moods"),
]


@pytest.mark.parametrize(("confidence", "floor", "target", "why"), CHOSEN)
def test_a_models_probability_is_its_confidence(confidence, floor, target, why):
    made = engine(model=TargetText("local-j"), min_confidence=floor)
    words = json.dumps("local-moods")
    said = words if confidence is None else sure(words, confidence)
    _, reads = plan_of(MOOD, made)
    assert "[:enum" in reads.question.schema
    assert "moods of short texts" in reads.question.text
    plan, _ = plan_of(MOOD, made, answers={reads.question.text: said})
    assert plan.target == target
    assert why in plan.reasoning
    if target == MOODS:
        assert plan.confidence == (1.0 if confidence is None else confidence)
