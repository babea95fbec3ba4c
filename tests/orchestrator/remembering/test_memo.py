"""Values of memoised functions on a host: kept across runs and processes, each for whom it may be given to."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from asyncio import sleep
from contextlib import closing

import pytest

from rtfs_framework.api import CacheKey, CacheRecord
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session

WORK = "(defn ^:memo work [n] (reduce + (range n)))\n"


def rows(kit):
    """Return what lies in the layer: the texts of the values."""
    kept = kit.layers["l2"].records
    assert {namespace for namespace, _ in kept} <= {"memo"}
    return sorted(record.value for record in kept.values())


@pytest.fixture
def run(kit, source):
    """Return a function that runs a program in a session of its own: its value, and how many look-ups found theirs."""

    def once(text, args=(), **options):
        with kit.open(kit.catalog(l2=True), **options) as session:
            before = kit.layers["l2"].hits
            value = session.run(source(text), args).value
            return value, kit.layers["l2"].hits - before

    return once


def test_a_value_is_kept_for_later_runs(run, kit):
    assert run(f"{WORK} (work 10)") == (45, 0)
    assert run(f"{WORK} [(work 10) (work 11)]") == ((45, 55), 1)
    assert rows(kit) == ["45", "55"]


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("(defn ^:memo f [g] (g 1)) (f inc)", ()),
        ("(defn ^:memo f [x] (fn [y] x)) (f 1)", ()),
        ('(defn ^:memo f [n] (apply str (repeat n "x"))) (count (f 2000000))', ()),
    ],
)  # fmt: skip
def test_what_is_no_plain_data_or_too_large_is_computed_each_time(run, kit, text, args):
    run(text, args=args)
    run(text, args=args)
    assert rows(kit) == []


def test_each_tenant_has_values_of_its_own(run):
    assert [run(f"{WORK} (work 10)", tenant=name)[1] for name in ("one", "other", "one")] == [0, 0, 1]


@pytest.mark.parametrize("damage", ["", "[", '["f","0x1p99999"]', '["k"]', "{}", None, 7])
def test_a_damaged_value_is_computed_anew(run, kit, damage):
    run(f"{WORK} (work 10)")
    kept = kit.layers["l2"].records
    for slot, record in list(kept.items()):
        kept[slot] = CacheRecord(value=damage, stored_at=record.stored_at)
    assert run(f"{WORK} (work 10)")[0] == 45
    assert rows(kit) == ["45"]


def test_a_layer_that_breaks_costs_nothing_but_the_work(run, kit, source):
    class Broken:
        hits = 0

        def get(self, key):
            raise OSError("gone")

        put = invalidate = scan = clear = stats = get

        def close(self):
            pass

    kit.layers["l2"] = Broken()
    with kit.open(kit.catalog(l2=True), "") as session:
        assert session.run(source(f"{WORK} [(work 10) (work 10)]")).value == (45, 45)
        assert any("gone" in str(each) for each in session.problems)


def test_without_a_layer_it_is_a_plain_function(kit, source):
    with kit.open(kit.catalog()) as session:
        assert session.run(source(f"{WORK} [(work 10) (work 10)]")).value == (45, 45)


def test_what_was_refused_never_runs(kit, source):
    with kit.open(kit.catalog(l2=True)) as session, pytest.raises(Exception, match="f cannot be memoised") as caught:
        session.run(source("(defn ^:memo f [x] (call :a.b x)) (f 1)"))
    assert "E0247" in str(caught.value)
    assert "help: take ^:memo off" in str(caught.value)


def test_branches_that_run_at_once_share_values(run):
    text = f"{WORK} [(pmap work [10 11 10]) (map work [10 11])]"
    assert run(text)[0] == ((45, 55, 45), (45, 55))
    assert run(text) == (((45, 55, 45), (45, 55)), 5)


@pytest.mark.timeout(20)
def test_branches_that_ask_for_kept_values_alone_end_beside_one_that_waits(kit, capability, source):
    async def slow(request):
        await sleep(0.01)
        return request.args[0]

    text = f"{WORK} (pmap (fn [n] (if (= n 0) (call :slow n) (work n))) (range 5))"
    catalog = kit.catalog(l2=True, capabilities=[capability("slow", slow)])
    with kit.open(catalog, '[security]\ngrant = ["*"]\n') as session:
        assert session.run(source(text)).value == (0, 0, 1, 3, 6)


def test_a_key_says_for_whom_and_of_what(kit, source):
    asked = []

    class Told:
        hits = 0

        def get(self, key):
            asked.append(key)

        def put(self, key, value, ttl=None, info=None):
            asked.append(info)

        def close(self):
            pass

        invalidate = scan = clear = stats = get

    kit.layers["l2"] = Told()
    with kit.open(kit.catalog(l2=True), tenant="acme") as session:
        session.run(source(f"{WORK} (work 10)"))
    key, info = asked
    assert isinstance(key, CacheKey)
    assert [name for name, _ in key.parts] == ["function", "arguments", "library", "tenant"]
    assert (info.symbol, info.tenant, info.labels) == ("work", "acme", ())


PROGRAM = WORK + "(work 12)"


@pytest.mark.needs("rtfs-cache-l2")
def test_a_value_is_kept_for_other_processes_and_a_planted_one_is_not_served(tmp_path):
    text = (
        "import sys\n"
        "from rtfs_framework.lang.source import Source\n"
        "from rtfs_framework.orchestrator.session import Session\n"
        "with Session.open(environ={'RTFS_HOME': sys.argv[1]}) as session:\n"
        f"    print(session.run(Source('p', {PROGRAM!r})).value, session.host.caches.stats()['l2'].hits)\n"
    )

    def told():
        made = subprocess.run(
            [sys.executable, "-c", text, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return made.stdout.split()

    assert told() == ["66", "0"]
    assert told() == ["66", "1"]
    with closing(sqlite3.connect(tmp_path / "cache" / "l2.sqlite")) as db, db:
        assert db.execute("update replies set value = cast(replace(value, '66', '99') as blob)").rowcount == 1
    with Session.open(environ={"RTFS_HOME": str(tmp_path)}) as session:
        assert session.run(Source("p", PROGRAM)).value == 66
        assert any("it was changed, moved or planted" in str(each) for each in session.problems)


ASKED = '(defn ask "Ask." [x :string] :string "own")\n(defn ^:memo loud [s] (str s "!"))\n'


def test_a_value_says_which_replies_it_may_have_come_from_and_what_finds_it_rests_on_its_own_alone(kit, source):
    provider = kit.provider("a", lambda request: request.args[0].upper(), deterministic=True)
    config = "[delegation]\nstatic_routes = { ask = 'local-a' }\n"
    first, second = '(do (loud "X") (loud (ask "x")) (loud (ask "y")))', '(do (loud "Y") (ask "z"))'
    with kit.open(kit.catalog(provider, l2=True), config) as session:
        runs = [session.run(source(ASKED + text)).run_id for text in (first, second)]
        hits = kit.layers["l2"].hits
    kept = kit.layers["l2"].records.items()
    sources = {record.value: record.info.sources for slot, record in kept if slot[0] == "memo"}
    (last,) = [record.info for slot, record in kept if slot[0] == "reply" and '"Z"' in record.value]
    assert hits == 2, "X! of the first run's second call, and Y! of the second run"
    assert sources['"X!"'] == ()
    assert [run.startswith(runs[0]) for run in sources['"Y!"']] == [True, True]
    assert last.reply.startswith(runs[1])
    assert last.sources == ()
