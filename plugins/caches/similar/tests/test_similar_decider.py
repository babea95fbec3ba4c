"""The decision to serve."""

from __future__ import annotations

import json
import random
from copy import deepcopy

import numpy as np
import pytest

from rtfs_cache_similar.deciding import Decider, DeciderSettings, Look, Near
from rtfs_cache_similar.deciding.evidence import CHANCES, Asked, Evidence
from rtfs_cache_similar.deciding.features import NAMES
from rtfs_framework.api import Served

NEAR = [Near("e1", "What is a business process?", 0.97)]
SUBJECTS = (
    "tea",
    "rice",
    "soap",
    "wool",
    "clay",
    "salt",
    "jazz",
    "basil",
    "moss",
    "tin",
    "zinc",
    "silk",
    "hemp",
    "rye",
)
ASKED = [f"Where does the {each} in this shop come from?" for each in SUBJECTS]
AGAIN = [f"Where does the {each} in that shop come from?" for each in SUBJECTS]


def confident(looks=10_000, wrong=0.0, **settings) -> tuple[Decider, dict[Served, int]]:
    """Return a decider after so many look-ups of which most are benign."""
    decider, chance = Decider(DeciderSettings(**settings)), random.Random(3)
    counted = dict.fromkeys(Served, 0)
    for place in range(looks):
        benign = chance.random() < 0.5
        look = Look(AGAIN[place % len(AGAIN)] if benign else "Is there anything to eat at home tonight?")
        near = Near("e", ASKED[place % len(ASKED)], 0.99 - 0.02 * chance.random() if benign else 0.61)
        verdict = decider.decide("p", look, [near], draw=chance.random())
        counted[verdict.served] += 1
        if verdict.served is Served.EXPLORE:
            decider.judged("p", look, near, same=benign and chance.random() >= wrong)
    return decider, counted


@pytest.fixture(scope="module")
def sure() -> Decider:
    return confident()[0]


def test_without_evidence_nothing_is_served() -> None:
    verdict = Decider().decide("p", Look("What's a business process?"), NEAR, draw=1.0)
    assert verdict.served is Served.MISS


@pytest.mark.parametrize("bound", [0.0, -1.0])
def test_a_bound_of_nothing_serves_nothing(bound, sure) -> None:
    near = [Near("e", ASKED[0], 0.99)]
    assert sure.decide("p", Look(AGAIN[0]), near, draw=0.0, bound=bound).served is Served.MISS


def test_benign_lookups_are_served_once_there_is_evidence() -> None:
    decider, counted = confident()
    assert counted[Served.HIT] > 2_500
    assert counted[Served.EXPLORE] <= 0.15 * 10_000 + 3
    report = decider.report()["p"]
    assert report.wrong_of_all is not None
    assert report.wrong_of_all <= 0.01
    assert report.served == counted[Served.HIT]


def test_what_must_not_match_is_not_served_by_a_confident_layer(sure, must_not_match) -> None:
    served = []
    for kind, first, second in must_not_match:
        for question, entry in ((first, second), (second, first)):
            verdict = sure.decide("p", Look(question), [Near("x", entry, 0.999)], draw=1.0)
            served += [(kind, question, entry)] if verdict.served is not Served.MISS else []
            assert verdict.why.startswith("gate ")
    assert served == []


def test_evidence_of_one_partition_serves_no_other(sure) -> None:
    assert sure.decide("q", Look(AGAIN[0]), [Near("e", ASKED[0], 0.99)], draw=1.0).served is Served.MISS


def test_where_answers_are_often_wrong_the_share_of_wrong_ones_stays_below_the_bound() -> None:
    _, counted = confident(looks=4_000, wrong=0.3)
    assert counted[Served.HIT] * 0.3 <= 0.01 * 4_000


def test_what_is_explored_and_never_judged_is_taken_out_with_what_it_stands_for() -> None:
    evidence = Evidence()
    chance = 2  # one of four
    for place in range(400):
        evidence.draws(5, chance, explored=place % 4 == 0)
    assert evidence.drawn[chance, 4] == 0.0
    evidence.learn(Asked(5, np.zeros(len(NAMES)), chance), same=True)
    assert evidence.drawn[chance, :6].tolist() == [4.0] * 5 + [0.0]


def test_feedback_that_says_wrong_stops_serving(sure) -> None:
    decider = Decider()
    decider.load(sure.dump())
    near = Near("e", ASKED[0], 0.99)
    assert decider.decide("p", Look(AGAIN[0]), [near], draw=1.0).served is Served.HIT
    before = decider.report()["p"].wrong_of_all
    for _ in range(200):
        decider.feedback("p", "e", AGAIN[0], same=False)
    assert decider.decide("p", Look(AGAIN[0]), [near], draw=1.0).served is Served.MISS
    assert decider.report()["p"].wrong_of_all > before


def test_feedback_that_says_right_changes_no_bound(sure) -> None:
    before = sure.report()["p"]
    sure.feedback("p", "nobody", "asked", same=True)
    assert sure.report()["p"] == before


def test_an_answer_that_was_not_explored_teaches_nothing() -> None:
    decider = Decider()
    decider.judged("p", Look("Is it?"), NEAR[0], same=True)
    assert decider.report()["p"].judged_same == 0


def test_an_entry_of_the_very_text_is_left_to_the_exact_tier() -> None:
    verdict = Decider().decide("p", Look(NEAR[0].text), NEAR, draw=0.0)
    assert verdict.served is Served.MISS


def test_a_state_goes_round(sure) -> None:
    other = Decider()
    other.load(sure.dump())
    assert other.dump() == sure.dump()
    assert other.report() == sure.report()


def _changed(change) -> bytes:
    decider, _ = confident(looks=300)
    data = json.loads(decider.dump())
    change(data, data["partitions"]["p"])
    return json.dumps(data).encode()


@pytest.mark.parametrize(
    "change",
    [
        lambda top, _: top.update(version=9),
        lambda top, _: top.update(format="other"),
        lambda _, part: part.update(served=-1),
        lambda _, part: part.update(fits=99),
        lambda _, part: part.update(contradicted=1_000),
        lambda _, part: part.update(labels=[0.5] * len(part["rows"])),
        lambda _, part: part.update(wrong=part["drawn"], judged=part["wrong"]),
        lambda _, part: part["judged"].pop(),
        lambda _, part: part["charged"].pop(),
        lambda _, part: part["rows"][0].pop(),
        lambda _, part: part.pop("blamed"),
        lambda _, part: part.update(model={"features": []}),
    ],
    ids=[
        "version",
        "format",
        "negative",
        "fits",
        "contradicted",
        "labels",
        "wrong",
        "short",
        "charged",
        "row",
        "missing",
        "model",
    ],
)
def test_a_crafted_state_is_refused_and_changes_nothing(change) -> None:
    decider = Decider()
    before = decider.dump()
    with pytest.raises(ValueError, match="evidence"):
        decider.load(_changed(change))
    assert decider.dump() == before


@pytest.mark.parametrize("data", [b"", b"{", b"\x80\x04.", b'{"format": NaN}', b"[]"], ids=range(5))
def test_what_is_no_state_is_refused(data) -> None:
    with pytest.raises(ValueError, match="evidence"):
        Decider().load(data)


def judging(sure, share):
    """Return a confident decider that has so many of its hits judged, and what serves a question by it."""
    made = deepcopy(sure)
    made.settings = DeciderSettings(explore=0.0, judge=share)

    def serve(place, draw):
        near = [Near(f"e{place}", ASKED[place], 0.99)]
        return made.decide("p", Look(AGAIN[place]), near, judge_draw=draw), near[0]

    return made, serve


def test_a_judged_hit_is_evidence_as_far_as_it_was_likely_to_be_drawn(sure) -> None:
    made, serve = judging(sure, 0.5)
    evidence, half = made._partitions["p"], list(CHANCES).index(0.5)
    before = [each[half, 0] for each in (evidence.drawn, evidence.judged, evidence.wrong)]
    same, other = evidence.same, evidence.other
    verdicts = [serve(place, place / 10) for place in range(10)]
    assert [verdict.served for verdict, _ in verdicts] == [Served.HIT] * 10
    assert [verdict.judge for verdict, _ in verdicts] == [True] * 5 + [False] * 5
    assert evidence.drawn[half, 0] - before[0] == pytest.approx(0.0), "those that wait take out what they stand for"
    for place, (_, near) in enumerate(verdicts):
        made.judged("p", Look(AGAIN[place]), near, same=place > 0)
    found = [each[half, 0] for each in (evidence.drawn, evidence.judged, evidence.wrong)]
    assert [now - then for now, then in zip(found, before, strict=True)] == pytest.approx([10.0, 5.0, 1.0])
    assert (evidence.same - same, evidence.other - other) == (4, 1), "of what nobody drew nothing is learned"


@pytest.mark.parametrize(
    ("share", "draw", "judged"),
    [(0.0, 0.0, False), (1.0, 0.99, True), (0.3, 0.24, True), (0.3, 0.26, False), (0.5, 1.0, False)],
)
def test_the_share_that_is_judged_is_the_next_lower_one_that_bets_know(sure, share, draw, judged) -> None:
    made, serve = judging(sure, share)
    before = made._partitions["p"].drawn.sum()
    assert serve(0, draw)[0].judge is judged
    counted = made._partitions["p"].drawn.sum() - before
    assert (counted != 0.0) == (share == 0.3)  # a certain draw counts once it is judged


def test_hits_that_a_judge_calls_wrong_end_the_serving(sure) -> None:
    made, serve = judging(sure, 1.0)
    chance, served = random.Random(4), 0
    for number in range(2_000):
        verdict, near = serve(number % len(ASKED), chance.random())
        if verdict.served is Served.HIT:
            served += 1
            made.judged("p", Look(AGAIN[number % len(ASKED)]), near, same=False)
    assert 0 < served < 300
    assert served <= made.report()["p"].judged_other
