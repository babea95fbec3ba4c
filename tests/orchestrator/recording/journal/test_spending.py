"""Who spent what: real runs in a real journal, grouped, with what is not known and what memory saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtfs_framework.api import BadReply, InferenceReply, ProviderUnavailable, Usage
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.query import entries_of, list_runs
from rtfs_framework.orchestrator.recording.journal.spending import DIMENSIONS, Spent, shares, spending, total
from rtfs_framework.testing import FakeClock

DAY = 86_400
TEXT = """
(defn ^:delegation :remote "m" ask "Say." [text :string] : :string "x")
(defn ^:delegation :remote "n" tell "Tell." [text :string] : :string "x")
(defn ^:delegation :local-model "own" own "Own." [text :string] : :string "x")
(defn main [x] [(ask x) (ask (str x "!")) (tell x) (own x)])
"""
CONFIG = """
[delegation.remote_providers.m]
input_cost = 2
output_cost = 10
[delegation.remote_providers.n]
provider = "n"
"""


def says(*counts):
    return lambda _: InferenceReply(text="ok", model="", usage=Usage(*counts))


@pytest.fixture
def ran(kit, source):
    """Run a program with three models, one of which has no price; return the journal's file."""

    def run(text=TEXT, config=CONFIG, *, m=None, args=("a",), times=1, l2=False, **options):
        catalog = kit.catalog(
            kit.provider("m", m or says(1000, 500), remote=True),
            kit.provider("n", says(10, 20), remote=True),
            kit.provider("own", says(7, 8), deterministic=True),
            l2=l2,
        )
        with kit.open(catalog, config, **options) as session:
            for _ in range(times):
                session.run(source(text), args)
        return kit.journal

    return run


def by(path, *words, **options):
    return spending(path, words, **options)


def test_requests_tokens_and_money_by_target(ran):
    found = by(ran(), "target")
    assert list(found) == [("remote m",), ("remote n",), ("local-model own",)]
    paid, unknown, free = found.values()
    assert (paid.calls, paid.input_tokens, paid.output_tokens, paid.unknown) == (2, 2000, 1000, 0)
    assert paid.cost == pytest.approx(0.014)
    assert (unknown.calls, unknown.cost, unknown.unknown, unknown.input_tokens) == (1, 0.0, 1, 10)
    assert (free.calls, free.cost, free.unknown) == (1, 0.0, 0)


def test_every_word_can_be_grouped_by(ran):
    path = ran(clock=FakeClock(1_780_000_000.0))
    ((run,),) = by(path, "run")
    (first, *_) = by(path, *DIMENSIONS)
    assert dict(zip(DIMENSIONS, first, strict=True)) == {
        "tenant": "",
        "model": "remote m",
        "function": "ask",
        "day": "2026-05-28",
        "engine": "",
        "target": "remote m",
        "run": run,
    }
    assert [key for key, _ in by(path, "function").items()] == [("ask",), ("tell",), ("own",)]


def test_only_what_came_later_counts(ran, kit):
    start = 1_780_000_000.0
    ran(clock=FakeClock(start))
    path = ran(clock=FakeClock(start + 3 * DAY))
    assert total(by(path, "day").values()).calls == 8
    assert total(by(path, "day", since=start + DAY).values()).calls == 4
    assert by(path, "day", since=start + 5 * DAY) == {}
    assert len(by(path, "day")) == 2


def test_a_request_that_failed_costs_what_is_known_of_it(ran):
    def breaks(_):
        raise ProviderUnavailable("m", "gone", usage=Usage(1000, 0))

    text = TEXT.replace('[(ask x) (ask (str x "!")) (tell x) (own x)]', '(try (ask x) (catch _ e "no"))')
    (found,) = by(ran(text, m=breaks), "function").values()
    assert found.failed >= 1
    assert found.cost == pytest.approx(0.002 * found.calls)


def test_failed_attempts_count_at_the_target_that_failed(kit, source):
    """A real call that goes on to another target, after one that was paid and no answer."""

    def breaks(_):
        raise BadReply("m", "cut off", usage=Usage(1000, 500))

    catalog = kit.catalog(kit.provider("m", breaks, remote=True), kit.provider("n", says(10, 20), remote=True))
    config = CONFIG.replace('provider = "n"', 'provider = "n"\ninput_cost = 1\noutput_cost = 1')
    routes = '[delegation.static_routes]\nask = ["remote-m", "remote-n"]\n'
    text = '(defn ask [text :string] : :string "own")\n(defn main [x] (ask x))'
    with kit.open(catalog, f"{config}{routes}") as session:
        assert session.run(source(text), ("a",)).value == "ok"
        requests = len(kit.providers["m"].requests)
    found = by(kit.journal, "target")
    lost, won = found["remote m",], found["remote n",]
    assert (lost.calls, lost.failed, won.calls, won.failed) == (requests, requests, 1, 0)
    assert lost.cost == pytest.approx(0.007 * requests)
    assert (lost.input_tokens, won.input_tokens) == (1000 * requests, 10)
    assert won.cost == pytest.approx(0.00003)


def test_answers_from_memory_say_what_they_saved(ran):
    config = CONFIG.replace("output_cost = 10", 'output_cost = 10\nreuse = "always"')
    config = config.replace('provider = "n"', 'provider = "n"\nreuse = "always"')
    found = by(ran(config=config, times=3, l2=True), "function")
    asked, told, own = (found[word,] for word in ("ask", "tell", "own"))
    assert (asked.calls, asked.from_memory) == (6, 4)
    assert (asked.cost, asked.saved) == (pytest.approx(0.014), pytest.approx(0.028))
    assert (told.from_memory, told.saved, told.unknown_saved, told.unknown) == (2, 0.0, 2, 1)
    assert (own.from_memory, own.saved, own.unknown_saved) == (2, 0.0, 0)


def test_what_was_paid_before_the_time_asked_for_still_tells_what_was_saved(ran):
    config = CONFIG.replace("output_cost = 10", 'output_cost = 10\nreuse = "always"')
    start = 1_780_000_000.0
    ran(config=config, l2=True, clock=FakeClock(start))
    path = ran(config=config, l2=True, clock=FakeClock(start + 3 * DAY))
    found = by(path, "function", since=start + DAY)["ask",]
    assert (found.calls, found.from_memory, found.cost, found.saved) == (2, 2, 0.0, pytest.approx(0.014))


def test_shared_answers_are_paid_once(ran):
    text = TEXT.replace('[(ask x) (ask (str x "!")) (tell x) (own x)]', "(pmap ask [x x x x])")
    config = CONFIG.replace("output_cost = 10", 'output_cost = 10\nreuse = "always"')
    (found,) = by(ran(text, config, l2=True), "function").values()
    assert (found.calls, found.from_memory) == (4, 3)
    assert (found.cost, found.saved) == (pytest.approx(0.007), pytest.approx(0.021))


def test_a_request_whose_end_nobody_wrote_may_have_been_paid(desk):
    desk.run(calls=0)
    with_one = desk.journal()
    chain = with_one.begin("run-2", "digest", "a.rtfs", "policy", "0.1")
    chain.begin(desk.record(0, target="remote m"))
    chain.begin(desk.record(1, target="fs.read", kind="capability"))
    with_one.close()
    found = by(desk.path, "target")
    assert found == {("remote m",): Spent(calls=1, unknown=1)}


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_journals_of_older_versions_count_too(version):
    found = by(Path(__file__).parent / "old" / f"{version}.sqlite", "target", "engine")
    entries = [
        entry
        for run in list_runs(Path(__file__).parent / "old" / f"{version}.sqlite")
        for entry in entries_of(Path(__file__).parent / "old" / f"{version}.sqlite", run.id)
    ]
    known = sum(entry["cost"] or 0 for entry in entries if not entry["cache"].endswith("hit"))
    assert total(found.values()).cost == pytest.approx(known)
    assert all(target.startswith(("remote ", "local-model ")) for target, _ in found)


def test_without_a_journal_it_says_so(tmp_path):
    with pytest.raises(JournalError, match="there is no such file"):
        by(tmp_path / "none.sqlite", "model")


def body(**more):
    return {"kind": "delegated", "symbol": "f", "target": "remote m", "outcome": "value", **more}


def tried(target, kind="uncertain", **more):
    return {"target": target, "kind": kind, **more}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (body(cost=3.0), [("remote m", False, 3.0)]),
        (body(cost=None), [("remote m", False, None)]),
        (body(), [("remote m", False, 0.0)]),
        (body(target="local-pure"), []),
        (body(target="fs.read", kind="capability"), []),
        (body(error={"kind": "NetworkError"}), [("remote m", True, 0.0)]),
        (
            body(cost=3.0, attempts=[tried("remote n", cost=1.0)]),
            [("remote n", True, 1.0), ("remote m", False, 2.0)],
        ),
        (
            body(cost=None, attempts=[tried("remote n", cost=None)]),
            [("remote n", True, None), ("remote m", False, 0.0)],
        ),
        (body(cost=None, attempts=[tried("remote n", cost=1.0)]), [("remote n", True, 1.0), ("remote m", False, None)]),
        (body(attempts=[tried("remote n", "refused")]), [("remote m", False, 0.0)]),
        (
            body(target="local-pure", cost=1.0, attempts=[tried("remote n", cost=1.0)]),
            [("remote n", True, 1.0)],
        ),
        (
            body(error={"kind": "NetworkError"}, cost=1.0, attempts=[tried("remote n", cost=1.0), tried("remote m")]),
            [("remote n", True, 1.0), ("remote m", True, 0.0)],
        ),
        (body(cost="dear", attempts=["odd", 3]), [("remote m", False, None)]),
    ],
)
def test_a_call_is_its_attempts_and_its_answer(row, expected):
    found = [(share.target, share.failed, share.cost) for share in shares(row)]
    assert found == expected


def test_tokens_of_attempts_count_where_they_went():
    row = body(input_tokens=9, output_tokens=5, attempts=[tried("remote n", input_tokens=4, output_tokens=1)])
    assert [(each.input_tokens, each.output_tokens) for each in shares(row)] == [(4, 1), (5, 4)]
