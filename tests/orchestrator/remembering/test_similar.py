"""A host asks a similar layer between the exact look-up and the model, and tells it what came of it."""

from __future__ import annotations

from time import monotonic
from types import SimpleNamespace

import attrs
import pytest

from rtfs_framework.api import (
    CacheEntry,
    CacheInfo,
    CacheLevel,
    CacheRecord,
    CacheStats,
    EmbedderEntry,
    InferenceReply,
    Locality,
    Served,
    SimilarReport,
    SimilarScope,
    SimilarVerdict,
    Usage,
)
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.registry.problems import Provenance

WHO = Provenance("rtfs-test", "1.0", "rtfs_test.plugin")
PROGRAM = '(defn sort "Sort." [x :string] :string "own") (defn main [x] (sort x))'
ROUTED = "[delegation]\nstatic_routes = { sort = 'local-a' }\non_exhausted = 'error'\n"
CONFIG = f"{ROUTED}embedder = 'letters'\n[embedders.letters]\n[caches.near]\n"
INT = PROGRAM.replace(':string "own"', ":int 7")


class Letters:
    """Counts letters: texts of the same letters lie near one another."""

    def fingerprint(self):
        return "letters/1"

    def embed(self, texts):
        return [[1.0 + text.count(each) for each in "abcdefghijklmnopqrstuvwxyz"] for text in texts]


class Near:
    """A layer that says what it is told to, of whatever lies in the partition that asks."""

    def __init__(self, served=Served.HIT, scope=SimilarScope()):  # noqa: B008 - it is frozen
        self.served, self.given = served, scope
        self.kept, self.asked, self.told, self.info = {}, [], [], []

    def scope(self):
        return self.given

    def ask(self, question):
        self.asked.append(question)
        found = self.kept.get(question.partition.digest)
        if found is None:
            return SimilarVerdict(served=Served.MISS, why="nothing is near")
        record = CacheRecord(value=found, stored_at=0.0)
        return SimilarVerdict(served=self.served, why="near", entry="7", record=record, similarity=0.97, bound=0.008)

    def preview(self, question):
        before = len(self.asked)
        found = self.ask(question)
        del self.asked[before:]
        return found

    def report(self):
        if not self.asked:
            return {}
        known = SimilarReport(lookups=9, served=2, explored=3, judged_same=2, judged_other=1, wrong_of_all=0.008,
                              wrong_of_served=None)  # fmt: skip
        return {self.asked[-1].partition.digest: known}

    def put(self, question, value, ttl=None, info=CacheInfo()):  # noqa: B008 - the layer's signature
        self.kept[question.partition.digest] = value
        self.info.append(info)

    def judged(self, question, verdict, *, same):
        self.told.append(("judged", question.text, verdict.entry, same))

    def right(self, entry, question):
        self.told.append(("right", entry, question))

    def wrong(self, entry, question):
        self.told.append(("wrong", entry, question))
        return 1

    def invalidate(self, key):
        return False

    def scan(self):
        return iter(())

    def clear(self):
        self.kept.clear()

    def stats(self):
        return CacheStats()

    def close(self):
        pass


class Broken(Near):
    def ask(self, question):
        raise OSError("the disk is gone")


@pytest.fixture
def opened(kit):
    """Return a function that opens a session whose model says what a function makes of its text."""

    def session(layer, says=str.upper, config=CONFIG, deterministic=True, **options):
        async def answer(request):
            said = says(request.args[0])
            if isinstance(said, InferenceReply):
                return said
            if isinstance(said, str):
                return InferenceReply(text=said, model="m")
            return InferenceReply(data=said, structured=True, model="m")

        provider = kit.provider("a", answer, deterministic=deterministic)
        entry = CacheEntry(name="near", summary="", level=CacheLevel.SIMILAR, factory=lambda _: layer)
        letters = EmbedderEntry(name="letters", summary="", locality=Locality.LOCAL, factory=lambda _: Letters())
        catalog = attrs.evolve(kit.catalog(provider, embedders=(letters,)), caches={"near": (entry, WHO)})
        return kit.open(catalog, config, **options)

    return session


def run(session, source, *texts, program=PROGRAM, **more):
    """Return the calls of `sort` and the values of a run for each text."""
    found = [session.run(source(program), (text,), **more) for text in texts]
    return [result.calls[-1] for result in found], [result.value for result in found]


def test_the_answer_to_a_similar_request_is_served_and_costs_no_call(kit, opened, source):
    with opened(Near()) as session:
        calls, values = run(session, source, "stop", "post")
    assert [str(p) for p in session.problems] == []
    assert values == ["STOP", "STOP"]
    assert kit.providers["a"].requests.__len__() == 1
    assert [call.cache for call in calls] == ["", "similar hit"]
    mark = calls[1].similar
    assert (mark.served, mark.entry, mark.similarity, mark.bound) == ("hit", "7", 0.97, 0.008)
    assert (calls[1].cost, calls[1].model) == (0.0, "m")


def test_explain_says_what_it_would_do_for_a_call_and_no_look_up_counts(opened, source):
    layer = Near()
    with opened(layer) as session:
        before = session.explain_call(source(PROGRAM), source('(sort "stop")')).way.similar
        run(session, source, "stop")
        after = session.explain_call(source(PROGRAM), source('(sort "post")')).way.similar
    assert [text for _, text in before] == ["no look-ups yet", "similar miss: nothing is near"]
    assert after[0] == (
        f"similar partition {layer.asked[0].partition.digest[:12]}",
        "9 look-ups, 2 served, 3 judged (1 other), wrong answers at most 0.80% of them",
    )
    assert after[1][1] == "similar hit: entry 7, 0.970 alike, wrong answers at most 0.8 % of look-ups, near"
    assert len(layer.asked) == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [({"scope": SimilarScope(functions=("other",))}, "[caches.similar]"), ({"deterministic": False}, "not reused")],
    ids=["of another function", "of what is not reused"],
)
def test_explain_says_why_it_is_not_looked_at(opened, source, more, said):
    layer = Near(scope=more.pop("scope", SimilarScope()))
    with opened(layer, **more) as session:
        ((_, why),) = session.explain_call(source(PROGRAM), source('(sort "stop")')).way.similar
    assert said in why
    assert layer.asked == []


def test_what_a_layer_is_told_of_a_request(opened, source):
    layer = Near()
    with opened(layer) as session:
        run(session, source, "stop")
    (asked,) = layer.asked
    assert asked.text == "stop"
    assert ("embedder", "letters/1") in asked.partition.parts
    assert "arguments" not in dict(asked.partition.parts)
    assert dict(asked.exact.parts)["arguments"]
    assert 0 <= asked.draw < 1
    assert asked.bound is None
    (info,) = layer.info
    assert (info.symbol, info.target, info.model) == ("sort", "local-model a", "m")


def test_an_explored_look_up_asks_the_model_and_compares(kit, opened, source):
    layer = Near(Served.EXPLORE)
    with opened(layer, says=lambda text: "long" if len(text) > 4 else "short") as session:
        calls, values = run(session, source, "stop", "post", "posts")
    assert values == ["short", "short", "long"]
    assert kit.providers["a"].requests.__len__() == 3
    assert [told[1:] for told in layer.told] == [("post", "7", True), ("posts", "7", False)]
    assert [call.similar.same for call in calls] == [None, True, False]
    assert [call.cache for call in calls] == [""] * 3


def test_exploring_ends_when_its_day_has_cost_enough(opened, source):
    layer = Near(Served.EXPLORE, SimilarScope(explore_cost=0.0))
    with opened(layer) as session:
        run(session, source, "stop")
    assert layer.asked[0].draw == 1.0


@pytest.mark.parametrize(
    ("said", "sure"), [("no number", None), (5, 0.1)], ids=["of another type", "of a model that is not sure"]
)
def test_an_explored_answer_counts_where_it_is_of_no_use_too(opened, source, said, sure):
    layer = Near(Served.EXPLORE, SimilarScope(explore_cost=0.5))
    dear = InferenceReply(data=said, structured=True, confidence=sure, usage=Usage(10, 1, cost=1.0))
    config = CONFIG.replace("embedder =", "min_confidence = 0.9\nembedder =")
    with opened(layer, says=lambda text: 4 if text == "stop" else dear, config=config) as session:
        run(session, source, "stop", program=INT)
        for text in ("post", "spot"):
            with pytest.raises(ProgramError):
                session.run(source(INT), (text,))
    assert [each.draw == 1.0 for each in layer.asked] == [False, False, True]


@pytest.mark.parametrize(
    ("functions", "looked"),
    [(("sort",), 1), (("so*",), 1), (("triage/*",), 0), ((), 0)],
    ids=["its", "like", "no", "none"],
)
def test_only_functions_that_the_settings_name_are_looked_up(opened, source, functions, looked):
    layer = Near(scope=SimilarScope(functions=functions))
    with opened(layer) as session:
        run(session, source, "stop")
    assert len(layer.asked) == looked


def test_where_reuse_is_not_sound_nobody_looks(opened, source):
    layer = Near()
    with opened(layer, deterministic=False) as session:
        run(session, source, "stop", "post")
    assert layer.asked == []


def test_a_layer_that_is_not_configured_serves_nothing(opened, source):
    layer = Near()
    with opened(layer, config=CONFIG.replace("[caches.near]\n", "")) as session:
        run(session, source, "stop", "post")
    assert layer.asked == []


def test_without_an_embedder_that_is_told_and_nothing_is_served(opened, source):
    with opened(Near(), config=f"{ROUTED}[caches.near]\n") as session:
        assert run(session, source, "stop")[1] == ["STOP"]
        assert "no embedder of this device is configured" in str(session.problems[0])


def test_a_layer_that_breaks_is_told_and_the_model_answers(opened, source):
    with opened(Broken()) as session:
        assert run(session, source, "stop", "post")[1] == ["STOP", "POST"]
        assert len(session.problems) == 1
        assert "the disk is gone" in str(session.problems[0])


@pytest.mark.parametrize("breaks", ["scope", "ask"])
def test_a_layer_that_broke_is_asked_again_when_it_is_time(opened, source, breaks):
    class Once(Near):
        def scope(self):
            self.fail("scope")
            return super().scope()

        def ask(self, question):
            self.fail("ask")
            return super().ask(question)

        def fail(self, what):
            nonlocal breaks
            if breaks == what:
                breaks = ""
                raise OSError("the disk is gone")

    layer = Once()
    with opened(layer) as session:
        run(session, source, "stop")
        safe = session.host.dispatcher.models.similar.layer
        safe.start = lambda work: work()
        safe.clock = SimpleNamespace(monotonic=lambda: monotonic() + 1_000)
        assert [call.cache for call in run(session, source, "post", "spot", "tops")[0]][-1] == "similar hit"


@pytest.mark.parametrize(
    "verdict",
    [
        None,
        SimilarVerdict(served=Served.HIT, why="", record=None),
        SimilarVerdict(served=Served.HIT, why="", record="text"),
        SimilarVerdict(served="hit", why="", record=CacheRecord(value="", stored_at=0.0)),
        SimilarVerdict(served=Served.MISS, why="", similarity=float("nan")),
        SimilarVerdict(served=Served.MISS, why="", similarity="near"),
        SimilarVerdict(served=Served.MISS, why=7),
    ],
)
def test_what_is_no_verdict_is_told_and_the_model_answers(opened, source, verdict):
    class Odd(Near):
        def ask(self, question):
            return verdict

    with opened(Odd()) as session:
        assert run(session, source, "stop")[1] == ["STOP"]
        assert "no verdict" in str(session.problems[0])


@pytest.mark.parametrize(
    ("said", "bound"),
    [("{:false-hits 0.001}", 0.001), ("{:false-hits 2}", None), ("{}", None), ("false", None), ("0", None)],
    ids=["a share", "no share", "nothing", "false", "0"],
)
def test_a_call_may_wish_for_a_stricter_bound_and_what_is_none_serves_nothing(opened, source, said, bound):
    layer = Near()
    hinted = PROGRAM.replace("(sort x))", f"^{{:runtime.learning.similar {said}}} (sort x))")
    with opened(layer) as session:
        run(session, source, "stop", "post", program=hinted)
    assert [each.bound for each in layer.asked] == ([] if bound is None else [bound, bound])


def test_a_kept_answer_that_does_not_fit_is_evicted_and_asked_for_anew(opened, source):
    layer = Near()
    with opened(layer, says=len) as session:
        assert run(session, source, "stop", program=INT)[1] == [4]
        layer.kept = dict.fromkeys(layer.kept, '{"text": "four", "structured": false, "data": null, "usage": [0, 0]}')
        assert run(session, source, "posts", program=INT)[1] == [5]
    assert [told[:2] for told in layer.told] == [("wrong", "7")]


def test_what_people_say_of_a_served_answer_reaches_the_layer(opened, source):
    layer = Near()
    with opened(layer) as session:
        ran = [session.run(source(PROGRAM), (text,)) for text in ("stop", "post", "spot")]
        for result, said in zip(ran, ("bad", "bad", "good"), strict=True):
            session.rate(result.run_id, result.calls[-1], said)
    questions = [result.calls[-1].similar.question for result in ran]
    assert layer.told == [("wrong", "7", questions[1]), ("right", "7", questions[2])]


def test_what_a_program_says_of_a_served_answer_reaches_the_layer(opened, source):
    layer = Near()
    said = PROGRAM.replace("(sort x))", '(let [y (sort x)] (call :host.feedback {:of "sort" :value :bad}) y))')
    with opened(layer, config=f"{CONFIG}[security]\ngrant = ['host.feedback']\n") as session:
        for text in ("stop", "post"):
            session.run(source(said), (text,))
    assert [told[:2] for told in layer.told] == [("wrong", "7")]


def test_tenants_never_share(opened, source):
    layer = Near()
    with opened(layer) as session:
        run(session, source, "stop")
    with opened(layer, tenant="other") as session:
        assert run(session, source, "post")[1] == ["POST"]
    assert len(layer.kept) == 2


def test_a_run_in_the_journal_says_what_was_served(opened, source):
    from rtfs_framework.cli.commands.runs import _entry
    from rtfs_framework.orchestrator.recording.journal.query import show_run

    with opened(Near()) as session:
        session.run(source(PROGRAM), ("stop",))
        run_id = session.run(source(PROGRAM), ("post",)).run_id
        session.host.journal.commit()
        _, entries = show_run(session.host.journal.path, run_id)
        (entry,) = [each for each in entries if each["symbol"] == "sort"]
    assert entry["cache"] == "similar hit"
    assert entry["similar"]["entry"] == "7"
    assert "similar hit: entry 7, 0.970 alike, wrong answers at most 0.8 % of look-ups" in _entry(entry)


def test_draws_differ_from_run_to_run(opened, source):
    layer = Near()
    with opened(layer) as session:
        run(session, source, "stop", "post")
    assert layer.asked[0].draw != layer.asked[1].draw
