"""The engine: who is asked, which share, how the threshold follows, and what happens when a side has nothing left."""

from __future__ import annotations

import json
import random

import attrs
import pytest

from rtfs_engine_router.engine import CELL, RouterEngine
from rtfs_engine_router.settings import RouterSettings
from rtfs_framework.api import (
    Attempt,
    Candidate,
    DelegationPlan,
    EngineSettings,
    FailureKind,
    LocalModel,
    LocalPure,
    Outcome,
    PlanSource,
    RemoteModel,
)
from rtfs_framework.api.fitting import FileError
from rtfs_framework.testing.fakes import FakeAsker, call_context, call_reads, decided

WEAK, STRONG = LocalModel("small"), RemoteModel("cloud")
CANDIDATES = (Candidate(WEAK, "small"), Candidate(STRONG, "cloud"))
EASY, HARD = "sum", "prove that " * 60


class Fixed:
    """Always chooses one target."""

    def __init__(self, target, note=""):
        self.target, self.note = target, note

    def claims(self):
        return ()

    def decide(self, _context):
        if self.target is None:
            return None
        return DelegationPlan(target=self.target, reasoning="by name", source=PlanSource.ENGINE, note=self.note)


@pytest.fixture
def make(model_file):
    def made(weak=WEAK, strong=STRONG, note="", **own):
        children = {"weak": (Fixed(weak, note),), "strong": (Fixed(strong, note),)}
        settings = RouterSettings(router=model_file.name, **own)
        return RouterEngine(EngineSettings(own=settings, children=children, directory=str(model_file.parent)))

    return made


def chosen(engine, *args, **more):
    plan = decided(engine, call_reads("answer", *args, candidates=more.pop("candidates", CANDIDATES), **more))
    return None if plan is None else plan.target


def test_hard_requests_go_to_the_strong_side(make):
    engine = make()
    assert chosen(engine, EASY) == WEAK
    assert chosen(engine, HARD) == STRONG
    plan = decided(engine, call_reads("answer", HARD, candidates=CANDIDATES))
    assert plan.reasoning.startswith("the request's rank is ")
    assert plan.engine == "router"


@pytest.mark.parametrize(("share", "target"), [(0.0, WEAK), (1.0, STRONG)])
def test_no_share_and_all(make, share, target):
    engine = make(remote_share=share)
    assert [chosen(engine, text) for text in (EASY, HARD, "", "x")] == [target] * 4


def test_only_its_functions(make):
    engine = make(symbols=("draft-*",))
    assert list(engine.claims()) == ["draft-*"]
    assert chosen(engine, HARD) is None
    assert decided(engine, call_reads("draft-a", HARD, candidates=CANDIDATES)).target == STRONG


def test_what_it_reads_is_noted(make):
    reads = call_reads("answer", HARD, candidates=CANDIDATES)
    decided(make(), reads)
    assert {read[0] for read in reads.noted} == {"args", "state"}
    reads = call_reads("answer", 7, candidates=CANDIDATES)
    decided(make(adapt=False), reads)
    assert {read[0] for read in reads.noted} == {"args", "text"}


def tried(*targets):
    return FakeAsker(
        attempts=tuple(Attempt(target=target, kind=FailureKind.HERE, seconds=0.1, reason="no") for target in targets)
    )


def test_the_other_side_is_asked_when_a_side_has_nothing_left(make):
    engine = make()
    assert chosen(engine, HARD, asker=tried(STRONG)) == WEAK
    assert chosen(engine, HARD, asker=tried(STRONG, WEAK)) is None
    assert chosen(engine, EASY, candidates=CANDIDATES[1:]) == STRONG
    assert chosen(make(strong=None), HARD) == WEAK
    assert chosen(make(strong=LocalPure()), HARD, candidates=()) == LocalPure()


def outcome(rank, **more):
    return Outcome(symbol="answer", target=WEAK, success=True, note=f"rank {rank:.4f}", **more)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.8])
def test_the_threshold_follows_what_comes(make, share):
    """Requests here are harder than those of the fit: the wished share is kept all the same."""
    engine, dice = make(remote_share=share), random.Random(1)
    state, strong = engine.initial(), []
    for _ in range(4000):
        rank = dice.random() ** 0.3
        strong.append(rank > state[CELL]["at"])
        state = engine.fold(state, outcome(rank))
    assert sum(strong[-2000:]) / 2000 == pytest.approx(share, abs=0.03)
    assert state[CELL]["calls"] == 4000


def test_a_threshold_that_was_learned_decides(make):
    engine = make()

    @attrs.frozen
    class Learned:
        at: float

        def state(self, *_):
            return 1, {"at": self.at, "calls": 9}

        def stats(self, *_):
            return 1, None

    assert chosen(engine, EASY, learned=Learned(0.05)) == STRONG  # its rank is 0.094
    assert chosen(engine, EASY, learned=Learned(0.1)) == WEAK
    assert chosen(engine, HARD, learned=Learned(0.99)) == WEAK


def test_folding_is_pure_and_counts_first_attempts_alone(make):
    engine = make()
    state = engine.initial()
    before = json.dumps(state)
    assert engine.fold(state, outcome(0.9)) != state
    others = [
        outcome(0.9, attempt=1), outcome(0.9, feedback=1.0), attrs.evolve(outcome(0.9), note=""),
        attrs.evolve(outcome(0.9), note="rank high"), attrs.evolve(outcome(0.9), note="rank 7"),
    ]  # fmt: skip
    assert all(engine.fold(state, each) == state for each in others)
    assert json.dumps(state) == before


def test_a_note_of_the_engine_below_is_left_alone(make):
    plan = make(note="mine").decide(call_context("answer", HARD, candidates=CANDIDATES))
    assert plan.note == "mine"


def test_the_digest_of_the_model_is_its_fingerprint(make, model_file):
    before = make().fingerprint()
    model_file.write_text(model_file.read_text().replace("0.125", "0.25"))
    assert make().fingerprint() != before


def test_a_model_that_is_not_there_or_damaged_stops_the_start(make, model_file):
    model_file.write_text("{}")
    with pytest.raises(FileError, match="no fitted router"):
        make()
    model_file.unlink()
    with pytest.raises(FileError, match="no such file"):
        make()
