"""How near texts are by meaning, as engines read it: by one embedder, and by two of which the better one is spared."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from rtfs_framework.api import (
    ConfigError,
    DelegationPlan,
    EmbedderEntry,
    Locality,
    LocalModel,
    LocalPure,
    PlanSource,
    ProviderError,
)
from rtfs_framework.orchestrator.deciding.comparing import RULED_OUT, cosine, similarity
from rtfs_framework.orchestrator.deciding.embedding import HeldEmbedder
from rtfs_framework.orchestrator.explaining.replaying.replay import Repeated, replay
from rtfs_framework.orchestrator.recording.journal.history import history_of
from rtfs_framework.registry.faults import Part
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing.fakes import WordsEmbedder, call_context

PROGRAM = '(defn f [x] "own")\n[(f 1) (f 2)]'
ONE = '[delegation]\nembedder = "words"\n'
TWO = f'{ONE}[embedders.words]\nthen = "better"\nfloor = 0.5\n'


class Counting(WordsEmbedder):
    """Counts the texts that it is asked about."""

    def __init__(self, name="words", *, fails=False):
        self.name, self.fails, self.asked = name, fails, []

    def fingerprint(self):
        return self.name

    def embed(self, texts):
        if self.fails:
            raise ProviderError(self.name, "the model is gone")
        self.asked += texts
        return super().embed(texts)


class Engine:
    """Sends `f` to the model where a text is near the first of two."""

    def __init__(self, others=("cats and dogs", "the price of bread")):
        self.others, self.seen = others, []

    def claims(self):
        return ("f",)

    def decide(self, context):
        found = context.similarity("dogs and cats", self.others)
        self.seen.append(found)
        near = found is not None and found[0] > found[1]
        return DelegationPlan(target=LocalModel("m") if near else LocalPure(), reasoning="r", source=PlanSource.ENGINE)


@pytest.fixture
def hosted(kit):
    """Return a function that opens a session with two embedders."""

    @contextmanager
    def load(config, words=None, better=None, engine=None, locality=Locality.LOCAL):
        made = engine or Engine()
        local = Locality.LOCAL
        entries = [
            EmbedderEntry(name="words", summary="", locality=local, factory=lambda _: words or Counting()),
            EmbedderEntry(name="better", summary="", locality=locality, factory=lambda _: better or Counting("better")),
        ]
        model = kit.provider("m", lambda _: "model", deterministic=True)
        with kit.open(kit.catalog(model, engine=made, embedders=entries, l1=True), config) as session:
            yield session, made

    return load


def test_a_plan_that_rests_on_texts_alone_serves_all_calls(hosted, source):
    with hosted(ONE) as (session, engine):
        run = session.run(source(PROGRAM))
        assert (run.value, len(engine.seen)) == (("model", "model"), 1)
        near, far = engine.seen[0]
    assert near == pytest.approx(1.0, abs=1e-3)
    assert far < near


def test_without_an_embedder_there_is_none(hosted, source):
    with hosted("") as (session, engine):
        assert session.run(source(PROGRAM)).value == ("own", "own")
        assert (engine.seen, session.problems) == ([None], ())


def test_one_that_fails_gives_none_and_no_plan_is_kept(hosted, source):
    with hosted(ONE, words=Counting(fails=True)) as (session, engine):
        run = session.run(source(PROGRAM))
        assert (run.value, engine.seen) == (("own", "own"), [None, None])
        (problem,) = session.problems
    assert "the model is gone" in problem.message
    assert "compared texts, and the embedder failed" in dict(run.calls[0].decision.steps)["l1"]


def test_the_better_one_is_asked_only_about_what_the_first_finds_near(hosted, source):
    better = Counting("better")
    with hosted(TWO, better=better) as (session, engine):
        session.run(source(PROGRAM))
    assert engine.seen[0][1] == RULED_OUT
    assert better.asked == ["dogs and cats", "cats and dogs"]


def test_the_better_one_is_not_even_made_where_nothing_is_near(hosted, source):
    better = Counting("better", fails=True)
    with hosted(TWO, better=better, engine=Engine(("the price of bread", "a train to Oslo"))) as (session, engine):
        session.run(source(PROGRAM))
        assert (engine.seen, session.problems) == ([(RULED_OUT, RULED_OUT)], ())


def held(name="words", then=None, floor=0.0, **more):
    part = Part("embedder", name, Provenance("acme", "1", "acme"))
    return HeldEmbedder(part, lambda: Counting(name, **more), lambda *_: None, then, floor)


def test_who_compared_tells_both_and_the_floor():
    found = {similarity(held(then=held("better"), floor=floor), "a", ["a"])[0] for floor in (0.2, 0.3)}
    assert found == {"words from 0.2 on better", "words from 0.3 on better"}
    assert similarity(held(), "a", ["a"]) == ("words", (1.0,))
    assert similarity(held(then=held("better", fails=True)), "a", ["a"]) is None
    assert similarity(held(), "a", []) == ("words", ())


def test_a_vector_without_length_is_near_nothing():
    assert cosine((0.0, 0.0), (1.0, 0.0)) == 0.0


def test_tests_of_engines_may_give_one():
    context = call_context("f", 1, embedder=WordsEmbedder())
    assert context.similarity("a b", ["b a", "c"])[0] == pytest.approx(1.0)
    assert call_context("f", 1).similarity("a", ["b"]) is None


REFUSED = [
    ('then = "wrods"', "E0706", "no embedder is called 'wrods'", '"wrods"'),
    ('then = "words"', "E0705", "'words' cannot stand behind 'words'", '"words"'),
    (
        'then = "better"\n[embedders.better]\nthen = "words"',
        "E0705",
        "'better' cannot stand behind 'words'",
        '"better"',
    ),
    ('then = "better"\nfloor = 2.0', "E0705", "floor", "2.0"),
    ("then = 3", "E0703", "then", "3"),
]


@pytest.mark.parametrize(("own", "code", "said", "marked"), REFUSED)
def test_bad_settings_are_refused_at_their_place(hosted, own, code, said, marked):
    with pytest.raises(ConfigError) as raised, hosted(f"{ONE}[embedders.words]\n{own}\n"):
        pass
    found = next(each for each in raised.value.diagnostics if said in each.message)
    assert found.code == code
    assert found.source.text[found.span.start : found.span.end] == marked


def test_a_remote_one_may_not_stand_behind(hosted):
    with pytest.raises(ConfigError, match="'better' is remote"), hosted(TWO, locality=Locality.REMOTE):
        pass


def test_another_embedder_behind_or_floor_is_another_policy(hosted):
    hashes = set()
    for config in (ONE, TWO, TWO.replace("0.5", "0.6")):
        with hosted(config) as (session, _):
            hashes.add(session.host.policy_hash)
    assert len(hashes) == 3


def test_figures_are_in_the_journal_and_texts_are_not(hosted, source, kit):
    with hosted(ONE) as (session, _):
        run = session.run(source(PROGRAM)).run_id
    body = kit.journal.read_bytes()
    assert b"the price of bread" not in body
    same = {}
    for config, better in ((ONE, None), (ONE.replace("words", "better"), None)):
        with hosted(config, better=better) as (session, _), history_of(kit.journal, kit.home) as history:
            same[config] = [each.result for each in replay(session.host, history, run)]
    assert set(map(tuple, same.values())) == {(Repeated.SAME, Repeated.SAME)}
    failing = Counting("better", fails=True)
    config = ONE.replace("words", "better")
    with hosted(config, better=failing) as (session, _), history_of(kit.journal, kit.home) as history:
        (first, _) = replay(session.host, history, run)
    assert (first.result, "the embedder fails now" in first.because) == (Repeated.UNKNOWN, True)
