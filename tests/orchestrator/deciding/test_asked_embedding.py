"""An embedder that is asked: a decision waits for its vectors; they are billed, recorded, guarded, and remembered."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from rtfs_framework.api import (
    ConfigError,
    DelegationPlan,
    InferenceReply,
    LocalModel,
    LocalPure,
    PlanSource,
    ProviderError,
    Usage,
)
from rtfs_framework.orchestrator.deciding.vector_text import read_vectors, write_vectors
from rtfs_framework.orchestrator.explaining.replaying.replay import Repeated, replay
from rtfs_framework.orchestrator.recording.journal.history import history_of
from rtfs_framework.testing.fakes import WordsEmbedder

PROGRAM = '(defn f [x] "own")\n[(f "a cat") (f "a dog") (f "a cat")]'
CONFIG = """
[delegation]
embedder = "remote-vectors"
[delegation.remote_providers.vectors]
provider = "vectors"
input_cost = 10.0
"""
WORDS = WordsEmbedder()


class Engine:
    """Reads by a function, and sends what it finds true to the model `m`."""

    def __init__(self, read):
        self.read, self.seen = read, []

    def claims(self):
        return ("f",)

    def decide(self, context):
        self.seen.append(self.read(context))
        target = LocalModel("m") if self.seen[-1] else LocalPure()
        return DelegationPlan(target=target, reasoning="r", source=PlanSource.ENGINE)


def vectors(request):
    assert request.embeds
    texts = [each.content for each in request.messages]
    data = [list(each) for each in WORDS.embed(texts)]
    return InferenceReply(data=data, structured=True, model="v-2", usage=Usage(100, 0))


@pytest.fixture
def hosted(kit):
    """Return a function that opens a session with an engine that reads, and a model that makes vectors."""

    @contextmanager
    def load(read, answer=vectors, config=CONFIG, **entry):
        engine = Engine(read)
        asked = kit.provider("vectors", answer, remote=True, **{"embeds": True, **entry})
        model = kit.provider("m", lambda _: "model", deterministic=True)
        with kit.open(kit.catalog(asked, model, engine=engine, l1=True), config) as session:
            yield session, engine, kit.providers["vectors"].requests

    return load


def consulted(run):
    return [call for call in run.calls if call.kind == "consultation"]


def test_each_request_is_asked_about_once_and_its_plan_is_found_without_asking(hosted, source):
    with hosted(lambda c: c.embedding) as (session, engine, asked):
        run = session.run(source(PROGRAM))
        assert (run.value, session.problems) == (("model",) * 3, ())
        assert [len(each.messages) for each in asked] == [1, 1]
        assert [len(each) for each in engine.seen] == [WORDS.length] * 2
        again = session.run(source(PROGRAM))
        assert (again.value, len(asked)) == (("model",) * 3, 2)
    assert [(each.part, each.model, each.cost) for each in consulted(run)] == [(1, "v-2", pytest.approx(0.001))] * 2
    assert not consulted(again)


def test_the_number_is_of_the_same_vector(hosted, source):
    with hosted(lambda c: c.semantic_hash) as (session, engine, asked):
        session.run(source(PROGRAM))
    assert (len(asked), all(0 < each < 2**64 for each in engine.seen)) == (2, True)


def test_texts_are_compared_by_one_request(hosted, source):
    def near(context):
        found = context.similarity("dogs and cats", ("cats and dogs", "the price of bread"))
        return found[0] > 0.99 > found[1]

    with hosted(near) as (session, engine, asked):
        assert session.run(source(PROGRAM)).value == ("model",) * 3
    assert ([len(each.messages) for each in asked], engine.seen) == ([3], [True])


BAD = [
    InferenceReply(text="no vectors"),
    InferenceReply(data=[], structured=True),
    InferenceReply(data=[[1.0], [2.0]], structured=True),
    InferenceReply(data=["AAAA"], structured=True),
    InferenceReply(data=[[0.0, 0.0]], structured=True),
    InferenceReply(data=[[1.0, "x"]], structured=True),
    InferenceReply(data=[[1e300]], structured=True),
    InferenceReply(data=[[]], structured=True),
    ProviderError("vectors", "the server is gone"),
]


@pytest.mark.parametrize("answer", BAD)
def test_without_vectors_engines_read_none_the_record_says_why_and_no_plan_is_kept(hosted, source, answer):
    def fails(_request):
        if isinstance(answer, Exception):
            raise answer
        return answer

    with hosted(lambda c: (c.embedding, c.semantic_hash) != (None, None), fails) as (session, engine, _):
        run = session.run(source('(defn f [x] "own")\n(f "a")'))
        assert (run.value, engine.seen) == ("own", [False])
    (asked,) = consulted(run)
    assert asked.error
    assert "the embedder failed" in dict(run.calls[-1].decision.steps)["l1"]


LABELS = f'{CONFIG}accepts = []\n[labels]\nmarks = ["pii"]\n[labels.inputs]\n"*" = ["pii"]\n'


def test_labelled_texts_never_leave_for_one_that_does_not_accept_them(hosted, source):
    with hosted(lambda c: c.embedding, config=LABELS) as (session, engine, asked):
        run = session.run(source('(defn f [x] "own")\n(defn main [x] (f x))'), ("a person's letter",))
    assert (run.value, engine.seen, asked) == ("own", [None], [])
    (refused,) = consulted(run)
    assert "pii" in refused.error


def test_one_that_may_not_be_reached_is_not_asked(hosted, source):
    with hosted(lambda c: c.embedding, config=f'{CONFIG}[security]\nreach = "local"\n') as (session, engine, asked):
        session.run(source('(defn f [x] "own")\n(f "a")'))
    assert (engine.seen, asked) == ([None], [])


def test_what_an_engine_wants_is_bounded(hosted, source):
    def greedy(context):
        return [context.similarity("a", (str(n),)) for n in range(9)]

    with hosted(greedy) as (session, _, asked):
        assert session.run(source('(defn f [x] "own")\n(f "a")')).value == "own"
        (problem,) = session.problems
    assert "asks for more than 2 consultations of one call" in problem.message
    assert len(asked) <= 3


def test_it_is_no_target_of_calls(hosted):
    with hosted(lambda c: c.embedding) as (session, _, _):
        assert [each.target for each in session.host.pool.candidates] == [LocalModel("m")]


def test_explaining_asks_nobody(hosted, source):
    with hosted(lambda c: c.embedding) as (session, _, asked):
        found = session.explain(source(PROGRAM))
    assert {each.reasoning for each in found} == {"the engine consults remote vectors"}
    assert not asked


def test_a_provider_that_makes_no_vectors_is_refused(hosted):
    with pytest.raises(ConfigError) as raised, hosted(lambda c: c.embedding, embeds=False):
        pass
    (found,) = raised.value.diagnostics
    assert (found.code, "makes no vectors" in found.message) == ("E0705", True)
    assert found.source.text[found.span.start : found.span.end] == '"remote-vectors"'


def test_a_replay_asks_nobody_and_says_so(hosted, source, kit):
    with hosted(lambda c: c.embedding, config=f'{CONFIG}[journal]\nkeep = "replies"\n') as (session, _, asked):
        run = session.run(source(PROGRAM)).run_id
        before = len(asked)
        with history_of(kit.journal, kit.home) as history:
            found = list(replay(session.host, history, run))
        assert len(asked) == before
    assert {each.result for each in found} == {Repeated.UNKNOWN}
    assert "nobody is asked again" in found[0].because


def test_vectors_read_back_and_anything_else_is_none():
    given = [[1.0, -0.5], [0.25, 3.0]]
    assert read_vectors(write_vectors(given), 2) == tuple(map(tuple, given))
    uneven = write_vectors([[1.0], [1.0, 2.0]])
    nan = write_vectors([[float("nan")]])
    for text, count in (("", 1), ("AA", 1), ("AAAA", 1), (write_vectors(given), 1), (uneven, 2), (nan, 1)):
        assert read_vectors(text, count) is None
