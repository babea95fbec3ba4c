"""The layer in a host: what decisions read of it, what the journal tells, and what keeps one from another's."""

from __future__ import annotations

import json
import sqlite3

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_cache_l3.layer import ExperienceCache
from rtfs_framework.api import DelegationPlan, EngineEntry, LocalModel, Outcome, PlanSource, Situation
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.deciding.around import NOTHING_AROUND
from rtfs_framework.orchestrator.explaining.replaying.replay import Repeated, replay
from rtfs_framework.orchestrator.learning.experienced import NAME, Experiences
from rtfs_framework.orchestrator.learning.overview import forget
from rtfs_framework.orchestrator.learning.shelf import MemoryLearning
from rtfs_framework.orchestrator.recording.journal.history import history_of
from rtfs_framework.orchestrator.recording.journal.verify import verify
from rtfs_framework.orchestrator.remembering.safe_layer import SafeLayer
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.faults import Part
from rtfs_framework.registry.load import load_catalog
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing import FakeClock

pytestmark = pytest.mark.needs("rtfs-provider-echo", "rtfs-cache-l1")

WHO = Provenance("tests", "0", "tests")
M, N = LocalModel("m"), LocalModel("n")
CONFIG = """
[delegation]
engine = "asks"
[delegation.local_models.m]
provider = "echo"
[delegation.local_models.n]
provider = "echo"
[caches.l2]
enabled = false
"""
ON = "[caches.l3]\ncapacity = 20\n"
SORT = '(defn mail/sort "Sorts a mail into a folder." [mail :string] :own)\n'
FILE = '(defn mail/file "Files a mail into a folder." [mail :string] :own)\n'


class Asks:
    """Sends a call to the target that succeeded most often where it is nearest, else to `m`; notes what it read."""

    def __init__(self, _settings):
        self.seen = []

    def claims(self):
        return ("*",)

    def decide(self, context):
        found = context.experience(4)
        self.seen.append(found)
        best = max(found[0].plans, key=lambda each: each.feedback or 0.0).target if found else M
        return DelegationPlan(target=best, reasoning="r", source=PlanSource.ENGINE)


@pytest.fixture
def opened(tmp_path):
    """Return a function that opens a session, and gives what its engine reads."""

    def load(text=ON, *, caches=None, **options):
        made = []

        def factory(settings):
            made.append(Asks(settings))
            return made[-1]

        file = tmp_path / "delegation.toml"
        file.write_text(CONFIG + text, encoding="utf-8")
        environ = {"RTFS_PLUGINS": "echo,l1,l2,l3", "RTFS_HOME": str(tmp_path / "home")}
        catalog = load_catalog(environ)
        engine = EngineEntry(name="asks", summary="", factory=factory)
        layers = {**catalog.caches, **(caches or {})}
        catalog = attrs.evolve(catalog, engines={"asks": (engine, WHO)}, caches=layers)
        session = Session.open(config_path=file, environ=environ, catalog=catalog, **options)
        return session, made[0].seen

    return load


def run(session, text):
    return session.run(Source("test.rtfs", text))


def caught_up(session):
    session.host.learning.catch_up()


def test_what_came_of_one_function_is_known_of_another_like_it(opened):
    session, seen = opened()
    with session:
        run(session, SORT + '(map mail/sort ["a" "b" "c"])')
        caught_up(session)
        run(session, FILE + '(mail/file "a")')
    assert seen[0] == ()
    ((found,),) = (seen[-1],)
    place = found.situation
    assert (place.symbol, place.types, place.labels) == ("mail/sort", (":string",), ())
    assert (place.text, place.signature) == ("mail sort. Sorts a mail into a folder.", "mail :string")
    assert [(each.target, each.count > 2.9, each.successes > 2.9) for each in found.plans] == [(M, True, True)]
    assert 0.4 < found.nearness < 1.0


def test_it_is_there_in_the_next_session_and_shown_to_people(opened):
    session, _ = opened()
    with session:
        run(session, SORT + '(mail/sort "a")')
    session, seen = opened()
    with session:
        items = list(session.host.caches.layers["l3"][1].scan())
        run(session, SORT + '(mail/sort "a")')
    (item,) = items
    assert (item.record.info.symbol, item.record.info.cost) == ("mail/sort", 0)
    assert item.record.value["situation"]["types"] == [":string"]
    assert [each.nearness for each in seen[0]] == [1.0]


def test_without_a_layer_nothing_is_read_or_noted(opened, tmp_path):
    session, seen = opened("")
    with session:
        result = run(session, SORT + '(mail/sort "a")')
    assert seen == [()]
    assert result.calls[0].decision.read == ()
    assert "situation" not in rows(tmp_path)[0]


def rows(tmp_path):
    with sqlite3.connect(tmp_path / "home" / "journal.sqlite") as db:
        found = [json.loads(body) for (body,) in db.execute("select body from log where what = 'ended'")]
    db.close()
    return found


def test_the_journal_holds_a_situation_once_and_no_argument(opened, tmp_path):
    session, _ = opened()
    with session:
        run(session, SORT + '(map mail/sort ["hidden words" "b"])')
    first, second = rows(tmp_path)
    assert first["situation"] == second["situation"]
    with sqlite3.connect(tmp_path / "home" / "journal.sqlite") as db:
        ((text,),) = db.execute("select body from plans where digest = ?", (first["situation"],))
    db.close()
    assert Situation.of_json(json.loads(text)).symbol == "mail/sort"
    assert "hidden" not in text


def test_a_situation_that_was_changed_in_the_journal_is_found(opened, tmp_path):
    session, _ = opened()
    with session:
        one = run(session, SORT + '(mail/sort "a")').run_id
    home = tmp_path / "home"
    assert verify(home / "journal.sqlite", one, home).ok
    digest = rows(tmp_path)[0]["situation"]
    with sqlite3.connect(home / "journal.sqlite") as db:
        for (name,) in db.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            db.execute(f"drop trigger {name}")
        db.execute("update plans set body = replace(body, 'Sorts', 'Loses') where digest = ?", (digest,))
    db.close()
    assert not verify(home / "journal.sqlite", one, home).ok


def test_intents_are_told_apart_and_written_as_digests(opened, tmp_path):
    said = '(defn ^{{:intent "{}"}} f [x] :own)\n(f 1)'
    session, _ = opened()
    with session:
        for intent in ("hidden-purpose", "other", "hidden-purpose"):
            run(session, said.format(intent))
        caught_up(session)
        cells = session.host.learning.cells(NAME)
    assert len(cells) == 2
    assert b"hidden-purpose" not in (tmp_path / "home" / "learned.sqlite").read_bytes()


MANY = SORT + FILE + '(map mail/sort ["a" "b"])\n(map mail/file ["a" "b"])'


def test_runs_replay_without_a_difference(opened, tmp_path):
    session, seen = opened()
    with session:
        runs = []
        for number in range(4):
            runs.append(run(session, MANY))
            session.rate(runs[-1].run_id, runs[-1].calls[0], number % 2)
            caught_up(session)
    assert seen[-1]
    home = tmp_path / "home"
    session, _ = opened(journal=False)
    with session, history_of(home / "journal.sqlite", home) as history:
        found = [each for one in runs for each in replay(session.host, history, one.run_id)]
    assert len(found) == 16
    assert {(each.result, each.because) for each in found} == {(Repeated.SAME, "")}


def test_what_was_forgotten_later_is_known_when_a_run_is_replayed(opened, tmp_path):
    session, _ = opened()
    with session:
        run(session, MANY)
        caught_up(session)
        later = run(session, MANY)
        caught_up(session)
        cells = list(session.host.learning.cells(NAME))
        host = session.host
        forget(host.learning, host.journal, host.clock, [NAME], "", cells[:1])
        assert cells[0] not in host.learning.cells(NAME)
        forget(host.learning, host.journal, host.clock, [NAME], "")
        assert not host.learning.cells(NAME)
        assert not list(host.caches.layers["l3"][1].scan()) or host.learning.experiences.published().version == 0
    home = tmp_path / "home"
    session, _ = opened(journal=False)
    with session, history_of(home / "journal.sqlite", home) as history:
        found = {each.result for each in replay(session.host, history, later.run_id)}
    assert found == {Repeated.SAME}


def test_tenants_never_see_one_another(opened):
    for tenant in ("acme", "beta"):
        session, seen = opened(f"{ON}[tenants.{tenant}]\n", tenant=tenant)
        with session:
            run(session, SORT + '(mail/sort "a")')
            caught_up(session)
            run(session, SORT + '(mail/sort "a")')
        assert [len(each) for each in seen] == [0, 1]
        assert sum(each.count for each in seen[-1][0].plans) == 1.0


class Greedy(ExperienceCache):
    """Returns what it was not shown."""

    def nearest(self, known, question):
        return [attrs.evolve(known[0], situation=attrs.evolve(known[0].situation, symbol="made/up"))]


class Broken(ExperienceCache):
    def nearest(self, known, question):
        raise ZeroDivisionError


class Unreadable(ExperienceCache):
    def read(self, cell):
        return cell


@pytest.mark.parametrize("kind", [Greedy, Broken, Unreadable], ids=lambda kind: kind.__name__)
def test_a_layer_that_breaks_is_left_out_and_told(opened, kind):
    def factory(settings):
        return kind(capacity=9, ttl=None, clock=settings.clock)

    catalog = load_catalog({"RTFS_PLUGINS": "l3"})
    entry = attrs.evolve(catalog.cache("l3"), factory=factory)
    session, seen = opened(caches={"l3": (entry, WHO)})
    with session:
        for _ in range(2):
            found = run(session, SORT + '(mail/sort "a")')
            caught_up(session)
        assert found.calls[0].target == "local-model m"
        assert seen == [(), ()]
        (problem,) = session.problems
        assert "cache 'l3'" in problem.message


def test_what_is_over_is_no_experience(opened, tmp_path):
    clock = FakeClock(wall=1_700_000_000.0)
    session, seen = opened(f"{ON}ttl = 100\n", clock=clock)
    with session:
        run(session, SORT + '(mail/sort "a")')
        caught_up(session)
        clock.advance(50.0)
        kept = run(session, SORT + '(mail/sort "a")')
        clock.advance(60.0)
        over = run(session, SORT + '(mail/sort "a")')
    assert [len(each) for each in seen] == [0, 1, 0]
    home = tmp_path / "home"
    session, _ = opened(f"{ON}ttl = 100\n", journal=False)
    with session, history_of(home / "journal.sqlite", home) as history:
        found = {each.result for one in (kept, over) for each in replay(session.host, history, one.run_id)}
    assert found == {Repeated.SAME}


def test_a_journal_of_before_is_read_and_teaches_nothing(opened):
    session, _ = opened("")
    with session:
        run(session, SORT + '(mail/sort "a")')
    session, seen = opened()
    with session:
        caught_up(session)
        assert not session.host.learning.cells(NAME)
        run(session, SORT + '(mail/sort "a")')
        caught_up(session)
        assert len(session.host.learning.cells(NAME)) == 1
    assert seen == [()]


LABELS = st.lists(st.sampled_from(("internal", "pii", "secret")), max_size=2, unique=True).map(sorted).map(tuple)
SYMBOLS = ("mail/sort", "mail/file", "chess/move")


@given(
    st.lists(st.tuples(st.sampled_from(SYMBOLS), LABELS, st.sampled_from((M, N))), min_size=1, max_size=40),
    st.lists(st.tuples(st.sampled_from(SYMBOLS), LABELS), min_size=1, max_size=10),
)
def test_nothing_is_ever_seen_across_marks(told, asked):
    clock = FakeClock()
    layer = ExperienceCache(capacity=15, ttl=None, clock=clock)
    safe = SafeLayer(Part("cache", "l3", WHO), layer, lambda *_: None, clock=clock)
    learned = MemoryLearning({"l3": layer}, counting=False, every=1)
    remembered = Experiences(safe, layer, NOTHING_AROUND, clock, "", str)
    remembered.cells = lambda: learned.cells("l3")
    for symbol, labels, target in told:
        place = Situation(symbol=symbol, text=f"{symbol} of a text", labels=labels)
        learned.take(Outcome(symbol=symbol, target=target, success=True, situation=place))
    known = {labels for _, labels, _ in told[-15:]}
    for symbol, labels in asked:
        version, found = remembered.nearest(Situation(symbol=symbol, text=symbol, labels=labels), 64, None)
        assert version
        assert {each.situation.labels for each in found} <= {labels}
        assert found or labels not in known or symbol not in {each for each, marks, _ in told[-15:] if marks == labels}
    assert not safe.broken
    assert layer.stats().size == len(remembered.published().known) <= 15
