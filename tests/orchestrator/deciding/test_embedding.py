"""Embeddings and semantic hashes as engines read them: with an embedder, without one, and with one that fails."""

from __future__ import annotations

from contextlib import contextmanager
from math import inf, nan

import attrs
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
from rtfs_framework.orchestrator.deciding.embedding import HeldEmbedder
from rtfs_framework.orchestrator.explaining.replaying.replay import Repeated, replay
from rtfs_framework.orchestrator.recording.journal.history import history_of
from rtfs_framework.registry.faults import Part
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing.fakes import WordsEmbedder, call_reads

ONE = '(defn f [x] "own")'
WORDS = '[delegation]\nembedder = "words"\n'
KEEP = f'{WORDS}[journal]\nkeep = "replies"\n'


@attrs.frozen
class Own:
    depth: int = 1


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


class Failing(WordsEmbedder):
    def embed(self, texts):
        raise ProviderError("words", "the model is gone")


@pytest.fixture
def hosted(kit):
    """Return a function that opens a session with an engine that reads, and an embedder `words`."""

    @contextmanager
    def load(read, config=WORDS, make=WordsEmbedder, locality=Locality.LOCAL):
        engine, made = Engine(read), []

        def factory(settings):
            made.append(settings)
            return make()

        entry = EmbedderEntry(name="words", summary="", locality=locality, factory=factory, settings=Own)
        model = kit.provider("m", lambda _: "model", deterministic=True)
        with kit.open(kit.catalog(model, engine=engine, embedders=[entry], l1=True), config) as session:
            yield session, engine, made

    return load


def program(*texts):
    return f"{ONE}\n[{' '.join(f'(f {text})' for text in texts)}]"


def problems(session):
    return [(problem.message, problem.count) for problem in session.problems]


def test_without_an_embedder_there_is_none_and_plans_are_kept(hosted, source):
    with hosted(lambda c: (c.embedding, c.semantic_hash) != (None, None), "") as (session, engine, made):
        assert session.run(source(program('"a"', '"b"'))).value == ("own", "own")
        assert (engine.seen, made, problems(session)) == ([False], [], [])


def test_equal_requests_have_equal_vectors_and_share_a_plan(hosted, source):
    with hosted(lambda c: (c.embedding, c.semantic_hash)) as (session, engine, made):
        run = session.run(source(program('"a cat"', '"a dog"', '"a cat"')))
        assert run.value == ("model",) * 3
        assert len(made) == 1
        ((cat, cat_hash), (dog, dog_hash)) = engine.seen
    assert len(cat) == len(dog) == WordsEmbedder.length
    assert (cat != dog, cat_hash != dog_hash) == (True, True)
    assert all(0 <= each < 2**64 for each in (cat_hash, dog_hash))
    assert run.calls[0].decision.read == ("embedding", "semantic_hash")


def test_a_plan_that_read_the_number_alone_is_shared_by_all_that_have_it(hosted, source):
    with hosted(lambda c: c.semantic_hash) as (session, engine, _):
        session.run(source(program('"a  cat"', '"a cat"')))  # of equal words
        assert len(engine.seen) == 1


def test_it_is_made_at_the_first_read(hosted, source):
    with hosted(lambda c: c.size > 64) as (session, _, made):
        session.run(source(program('"a"')))
        assert not made
    with hosted(lambda c: c.embedding, f"{WORDS}[embedders.words]\ndepth = 3\n") as (session, _, made):
        assert not made
        session.run(source(program('"a"')))
        assert [(each.name, each.own.depth) for each in made] == [("words", 3)]


@pytest.mark.parametrize("read", ["embedding", "semantic_hash"])
def test_one_that_fails_gives_none_is_told_once_and_no_plan_is_kept(hosted, source, read):
    with hosted(lambda c: getattr(c, read), make=Failing) as (session, engine, _):
        run = session.run(source(program('"a"', '"a"', '"b"')))
        assert (run.value, engine.seen) == (("own",) * 3, [None] * 3)
        ((message, count),) = problems(session)
    assert "embedder 'words'" in message
    assert "the model is gone" in message
    assert "engines read no embedding" in message
    assert count >= 3
    assert f"read {read}, and the embedder failed" in dict(run.calls[0].decision.steps)["l1"]


def test_one_that_cannot_be_made_is_tried_once(hosted, source):
    def broken():
        raise ImportError("no such module")

    with hosted(lambda c: c.embedding, make=broken) as (session, _, made):
        assert session.run(source(program('"a"', '"b"'))).value == ("own", "own")
        assert len(made) == 1
        ((message, _),) = problems(session)
    assert "its factory failed: ImportError: no such module" in message


ANSWERS = [
    ([], "returned 0 vectors for 1 text"),
    ([[1.0], [2.0]], "returned 2 vectors for 1 text"),
    ([[]], "returned a vector of 0 numbers"),
    ([[1.0, nan]], "a number that is not finite"),
    ([[inf]], "a number that is not finite"),
    ([["x"]], "failed: ValueError"),
    (None, "failed: TypeError"),
]


@pytest.mark.parametrize(("answer", "words"), ANSWERS)
def test_what_is_no_vector_is_refused(answer, words):
    class Wrong(WordsEmbedder):
        def embed(self, texts):
            return answer

    told = []
    part = Part("embedder", "e", Provenance("acme", "1", "acme"))
    assert HeldEmbedder(part, Wrong, lambda *each: told.append(each)).vector("a") is None
    ((who, fault, _, instead),) = told
    assert who is part
    assert words in str(fault)
    assert instead.endswith("their plans are not kept")


def test_a_fingerprint_that_is_no_text_is_refused():
    class Wrong(WordsEmbedder):
        def fingerprint(self):
            return 7

    context = call_reads("f", "a", embedder=Wrong()).open()
    assert (context.embedding, context.semantic_hash) == (None, None)


UNKNOWN = ("E0706", "no embedder is called 'wrods'", "did you mean")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            '[delegation]\nembedder = "wrods"\n',
            (*UNKNOWN, "delegation.toml:2:12"),
        ),
        ("[embedders.wrods]\n", (*UNKNOWN, "delegation.toml:1:12")),
        (f"{WORDS}[embedders.words]\ndepht = 1\n", ("E0702", "depht", "delegation.toml:4:1", "depth")),
        (f"{WORDS}[embedders.words]\ndepth = 'x'\n", ("E0703", "depth", "delegation.toml:4:9")),
    ],
)
def test_a_mistake_in_the_configuration_has_its_place(hosted, config, words):
    with pytest.raises(ConfigError) as error, hosted(lambda c: c.embedding, config):
        pass
    assert [word for word in words if word not in str(error.value)] == []


def test_a_remote_one_is_refused(hosted):
    with pytest.raises(ConfigError) as error, hosted(lambda c: c.embedding, locality=Locality.REMOTE):
        pass
    text = str(error.value)
    for word in ("E0705", "'words' is remote", "delegation.toml:2:12", "choose one that is local"):
        assert word in text


def test_another_embedder_or_setting_is_another_policy(hosted):
    hashes = set()
    for config in ("", WORDS, f"{WORDS}[embedders.words]\ndepth = 2\n"):
        with hosted(lambda c: c.embedding, config) as (session, _, _):
            hashes.add(session.host.policy_hash)
    assert len(hashes) == 3


def again(hosted, kit, run, read, **options):
    with hosted(read, **options) as (session, _, _), history_of(kit.journal, kit.home) as history:
        return [(each.result, each.because) for each in replay(session.host, history, run)]


def test_numbers_are_in_the_journal_and_vectors_are_not(hosted, source, kit):
    with hosted(lambda c: c.semantic_hash % 2 and c.embedding) as (session, engine, _):
        run = session.run(source(program('"a cat"', '"a dog"', '"a bird"', '"seven"')))
    body = kit.journal.read_bytes()
    numbers = [call.decision.footprint[0][2] for call in run.calls]
    assert all(str(number).encode() in body for number in numbers)
    assert not any(repr(number).encode() in body for vector in engine.seen if vector for number in vector if number)


def test_it_is_decided_again_by_the_number_that_was_read(hosted, source, kit):
    def odd(context):
        return context.semantic_hash % 2

    with hosted(odd) as (session, _, _):
        run = session.run(source(program('"a cat"', '"a dog"'))).run_id
    assert [each for each, _ in again(hosted, kit, run, odd)] == [Repeated.SAME] * 2
    for each, because in again(hosted, kit, run, odd, config=f"{WORDS}[embedders.words]\ndepth = 2\n"):
        assert each is Repeated.UNKNOWN, "another embedder may have another number"
        assert "the arguments were not kept" in because


def test_vectors_are_made_again_of_arguments_that_were_kept(hosted, source, kit):
    def first(context):
        return context.embedding[0] > 0

    with hosted(first, KEEP) as (session, _, _):
        run = session.run(source(program('"a cat"', '"a dog"'))).run_id
    assert [each for each, _ in again(hosted, kit, run, first, config=KEEP)] == [Repeated.SAME] * 2
    for each, because in again(hosted, kit, run, first, config=KEEP, make=Failing):
        assert (each, "the embedder fails now" in because) == (Repeated.UNKNOWN, True)
    without = again(hosted, kit, run, lambda c: c.embedding is None, config='[journal]\nkeep = "replies"\n')
    assert [each for each, _ in without] == [Repeated.SAME] * 2
