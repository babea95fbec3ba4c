"""Served answers to similar requests are judged afterwards: billed, recorded, within bounds; nobody waits for it."""

from __future__ import annotations

import asyncio

import attrs
import pytest

from rtfs_framework.api import (
    CacheEntry,
    CacheLevel,
    CacheRecord,
    CacheStats,
    ConfigError,
    EmbedderEntry,
    InferenceReply,
    Keyword,
    Locality,
    Served,
    SimilarScope,
    SimilarVerdict,
    TargetText,
    Usage,
)
from rtfs_framework.api.errors import ProviderUnavailable
from rtfs_framework.orchestrator.performing import judging
from rtfs_framework.orchestrator.recording.journal.query import entries_of, list_runs
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing.clock import FakeClock

WHO = Provenance("rtfs-test", "1.0", "rtfs_test.plugin")
PROGRAM = '(defn sort "Sorts a text." [x :string] :string "own") (defn main [x] (sort x))'
CONFIG = """
[delegation]
static_routes = { sort = 'local-a' }
on_exhausted = 'error'
embedder = 'one'
[embedders.one]
[caches.near]
judge = "JUDGE"
"""


class One:
    """Every text lies at the same place."""

    def fingerprint(self):
        return "one/1"

    def embed(self, texts):
        return [[1.0, 0.0] for _ in texts]


@attrs.frozen(slots=True, kw_only=True)
class Settings:
    judge: TargetText | None = None


class Near:
    """Serves what was put last, and wants it judged where the draw is below its share."""

    def __init__(self, judge, share=1.0, cost=None):
        self.share, self.given = share, SimilarScope(judge=judge or "", judge_cost=cost)
        self.kept, self.draws, self.told = None, [], []

    def scope(self):
        return self.given

    def ask(self, question):
        self.draws.append(question.judge_draw)
        if self.kept is None:
            return SimilarVerdict(served=Served.MISS, why="nothing is near")
        record = CacheRecord(value=self.kept, stored_at=0.0)
        judge = question.judge_draw < self.share
        return SimilarVerdict(served=Served.HIT, why="near", entry="7", record=record, similarity=0.97, judge=judge)

    def put(self, question, value, ttl=None, info=None):
        self.kept = value

    def judged(self, question, verdict, *, same):
        self.told.append((question.text, verdict.entry, same))

    def preview(self, question):
        return self.ask(question)

    def right(self, entry, question):
        raise AssertionError("nobody speaks of an answer here")

    wrong = invalidate = right

    def report(self):
        return {}

    def clear(self):
        self.kept = None

    def scan(self):
        return iter(())

    def stats(self):
        return CacheStats()

    def close(self):
        pass


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def opened(kit, clock):
    """Return a function that opens a session with a layer and a judge, which says what it is told to."""

    def open_(says, text="", judge="local-judge", **layer):
        near = Near(judge, **layer)

        async def answer(_):
            return InferenceReply(text="ANSWER", model="m")

        async def verdict(_):
            if isinstance(says, Exception):
                raise says
            return says

        entry = CacheEntry(
            name="near", summary="", level=CacheLevel.SIMILAR, factory=lambda settings: near, settings=Settings
        )
        embedder = EmbedderEntry(name="one", summary="", locality=Locality.LOCAL, factory=lambda _: One())
        models = kit.provider("a", answer, deterministic=True), kit.provider("judge", verdict)
        catalog = attrs.evolve(kit.catalog(*models, embedders=(embedder,)), caches={"near": (entry, WHO)})
        config = CONFIG.replace('judge = "JUDGE"', f'judge = "{judge}"' if judge else "")
        session = kit.open(catalog, config + text, clock=clock)
        if session.host.judging is not None:
            session.host.judging.threaded = False
        return near, session

    return open_


def said(value, cost=0.0):
    return InferenceReply(data=value, structured=True, usage=Usage(10, 1, cost=cost))


def judge(session):
    asyncio.run(session.host.judging.judge())


def requests_of(kit):
    return kit.providers["judge"].requests if "judge" in kit.providers else []


@pytest.mark.parametrize("same", [True, False])
def test_a_served_answer_is_judged_afterwards_and_the_layer_hears_of_it(kit, opened, source, same):
    near, session = opened(said(same))
    with session:
        session.run(source(PROGRAM), ("stop",))
        served = session.run(source(PROGRAM), ('the "post"',))
        assert served.calls[-1].cache == "similar hit"
        assert requests_of(kit) == []
        judge(session)
        assert session.problems == ()
    (asked,) = requests_of(kit)
    text = asked.messages[-1].content
    assert all(part in text for part in ("sort. Sorts a text.", '"the \\"post\\""', '"ANSWER"'))
    assert near.told == [('the "post"', "7", same)]


def test_it_is_billed_and_stands_in_the_journal_under_a_run_of_its_own(kit, opened, source):
    _, session = opened(said(True, cost=0.25))
    with session:
        for text in ("stop", "post"):
            session.run(source(PROGRAM), (text,))
        judge(session)
        path = session.host.journal.path
    (run,) = [each for each in list_runs(path) if each.source == "judgements"]
    (entry,) = [each for each in entries_of(path, run.id) if each.get("kind") == "consultation"]
    assert (entry["symbol"], entry["target"], entry["cost"]) == ("cache/judge", "local-model judge", 0.25)


@pytest.mark.parametrize(
    "says",
    [said("perhaps"), ProviderUnavailable("judge", "it is gone")],
    ids=["no verdict", "a failure"],
)
def test_what_is_no_verdict_teaches_nothing_and_fails_nobody(opened, source, says):
    near, session = opened(says)
    with session:
        for text in ("stop", "post"):
            session.run(source(PROGRAM), (text,))
        judge(session)
    assert near.told == []


def test_judging_ends_when_its_day_has_cost_enough_and_begins_again_the_next(kit, opened, source, clock):
    near, session = opened(said(True, cost=0.25), cost=0.3)
    with session:
        for text in ("stop", "post", "spot"):
            session.run(source(PROGRAM), (text,))
        judge(session)
        session.run(source(PROGRAM), ("tops",))
        judge(session)
        assert len(requests_of(kit)) == 2, "the second leads above it: the most is known only afterwards"
        assert [each == 1.0 for each in near.draws] == [False, False, False, True]
        clock.advance(86_400.0)
        session.run(source(PROGRAM), ("opts",))
        judge(session)
    assert [text for text, _, _ in near.told] == ["post", "spot", "opts"]


def test_only_the_share_that_the_layer_draws_is_judged(kit, opened, source):
    _, session = opened(said(True), share=0.0)
    with session:
        for text in ("stop", "post"):
            session.run(source(PROGRAM), (text,))
        judge(session)
    assert requests_of(kit) == []


@pytest.mark.parametrize(("accepts", "judged"), [('["pii"]', 1), ("[]", 0)])
def test_a_judge_sees_no_marks_that_it_does_not_accept(kit, opened, source, accepts, judged):
    labels = f"""
[labels.inputs]
email = ["pii"]
[labels.accepts]
"local-a" = ["pii"]
"cache near" = ["pii"]
"local-judge" = {accepts}
"""
    near, session = opened(said(True), labels)
    text = '(defn sort "Sorts." [x :string] :string "own") (defn main [r] (sort (:email r)))'
    with session, session.load(source(text)) as program:
        for mail in ("a@example.com", "b@example.com"):
            program.call("main", ({Keyword("email"): mail},))
        judge(session)
    assert len(requests_of(kit)) == judged
    assert len(near.told) == judged


@pytest.mark.parametrize(("accepts", "judged"), [('["secret"]', 1), ("[]", 0)])
def test_a_judge_sees_no_answer_whose_marks_it_does_not_accept(kit, opened, source, accepts, judged):
    labels = f"""
[labels.providers]
"local-a" = ["secret"]
[labels.accepts]
"cache near" = ["secret"]
"local-judge" = {accepts}
"journal" = []
"""
    near, session = opened(said(True), labels)
    with session:
        for text in ("stop", "post"):
            session.run(source(PROGRAM), (text,))
        judge(session)
        path = session.host.journal.path
    assert len(requests_of(kit)) == judged
    assert len(near.told) == judged
    runs = [each.id for each in list_runs(path) if each.source == "judgements"]
    entries = [each for run in runs for each in entries_of(path, run) if each.get("kind") == "consultation"]
    assert [each["labels"] for each in entries] == [["secret"]] * judged


def test_a_thread_judges_and_who_closes_waits_for_what_is_left(opened, source, monkeypatch):
    monkeypatch.setattr(judging, "_GRACE", 60.0)
    near, session = opened(said(True))
    session.host.judging.threaded = True
    with session:
        for text in ("stop", "post", "spot"):
            session.run(source(PROGRAM), (text,))
    assert [text for text, _, _ in near.told] == ["post", "spot"]


@pytest.mark.parametrize(("judge", "said"), [("local-gone", "no local model 'gone'"), ("local-pure", "is no model")])
def test_a_judge_that_is_none_is_refused_at_its_place(opened, judge, said):
    with pytest.raises(ConfigError) as raised:
        opened(None, judge=judge)
    (found,) = raised.value.diagnostics
    assert (found.code, said in found.message) == ("E0706", True)
    assert found.span is not None


def test_without_a_judge_nobody_draws(opened, source):
    near, session = opened(None, judge="")
    with session:
        for text in ("stop", "post"):
            session.run(source(PROGRAM), (text,))
        assert session.host.judging is None
    assert near.draws == [1.0, 1.0]
