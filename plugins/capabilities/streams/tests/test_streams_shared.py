"""Streams with a name, fetched ahead while others read them: each item goes to one reader, in order, whoever dies."""

from __future__ import annotations

import os
import random
from contextlib import suppress
from itertools import count

import pytest

from rtfs_capability_streams import slots, store
from rtfs_framework import ProgramError, Session
from rtfs_framework.api import CapabilityError, Keyword
from rtfs_framework.orchestrator.config.folders import journal_path
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.kept import value_text
from rtfs_framework.orchestrator.recording.journal.outside import tell
from rtfs_framework.orchestrator.recording.purse import RunParked
from rtfs_framework.orchestrator.running.ahead import Ahead
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.registry import load_catalog
from rtfs_framework.testing.effort import effort

NEXT = "marketplace.stream.next"
CONFIG = """
[security]
grant = ["mcp.stream.*", "marketplace.stream.*", "stream.*", "ccos.echo"]
[capabilities.streams]
path = "streams.sqlite"
"""
SEVERAL = "(loop [seen []] (if (= MOST (count seen)) seen (recur (conj seen (:value (stream-next s))))))"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="elsewhere streams with a name are read item by item")


def opened(folder):
    (folder / "delegation.toml").write_text(CONFIG, encoding="utf-8")
    environ = {"RTFS_HOME": str(folder / "home"), "RTFS_PLUGINS": "streams,standard"}
    return Session.open(
        config_path=folder / "delegation.toml", environ=environ, catalog=load_catalog(environ), journal=True
    )


@pytest.fixture
def session(tmp_path):
    with opened(tmp_path) as made:
        yield made


def reading(most, between=""):
    loop = SEVERAL.replace("MOST", str(most)).replace(
        "(:value (stream-next s))", f"(do {between} (:value (stream-next s)))"
    )
    return f'(let [s (stream-source {{:range [0 1000]}} {{:name "r"}})] {loop})'


def fetched(result):
    return sum(each.symbol == NEXT for each in result.calls)


class Reader:
    """Reads a stream as a host does: a batch, then its items one by one as long as they are its own."""

    def __init__(self, desk, size):
        self.desk, self.size, self.items, self.batch, self.used = desk, size, (), "", 0

    def item(self, key=None):
        """Return the next item, None at the end."""
        if self.used < len(self.items):
            self.used += 1
            mine = self.used == 1 or self.desk.entries[NEXT].ahead.take(self.batch, self.used)
            if mine is None:
                most, _ = self.desk.entries[NEXT].ahead.may_have("", "r", self.batch, self.used)
                assert most >= self.used - 1, "overtaken"
                mine = most >= self.used
            if mine:
                return self.items[self.used - 1]
        found = self.desk.call(NEXT, '"r"', f"{{:max {self.size} :ahead true}}", key=key)
        self.items, self.batch, self.used = found.get(Keyword("items")), found.get(Keyword("batch")), 0
        return self.item() if self.items else None

    def items_of(self, most):
        return [self.item() for _ in range(most)]


@pytest.fixture
def numbers(desk):
    desk.call("marketplace.stream.start", "{:range [0 60]}", '{:name "r"}')
    return desk


@pytest.mark.parametrize(
    "between",
    [
        pytest.param("", id="alone"),
        pytest.param(
            "(call :ccos.echo 1)", id="between other calls", marks=pytest.mark.needs("rtfs-capability-standard")
        ),
    ],
)
def test_a_program_is_given_many_items_by_few_calls(session, between):
    result = session.run(reading(500, between))
    assert result.value == tuple(range(500))
    assert fetched(result) == 6  # 1, 4, 16, 64, 256, 256
    place = session.run('(:seq (call :mcp.stream.inspect "r"))').value
    assert place == 499  # the last is not done with


def test_who_reads_on_is_given_the_next_item_and_the_first_reader_goes_on_after_it(session, another, monkeypatch):
    given, hand_out = [], Ahead._hand_out

    def reading_on(held):
        made = hand_out(held)
        if (held.seq, held.used) == (5, 3):
            given.append(another().call(NEXT, '"r"', "{:max 3}").get(Keyword("items")))
        return made

    monkeypatch.setattr(Ahead, "_hand_out", staticmethod(reading_on))
    result = session.run(reading(20))
    assert given == [(8, 9, 10)]
    assert result.value == (*range(8), *range(11, 23))


@pytest.mark.parametrize("seed", range(effort(8)))
def test_each_item_goes_to_one_reader_in_the_order_of_their_calls(numbers, another, seed):
    chance = random.Random(seed)
    readers = [Reader(each, chance.choice([1, 4, 16, 64])) for each in (numbers, another(), another())]
    seen = [chance.choice(readers).item() for _ in range(80)]
    assert [each for each in seen if each is not None] == list(range(60))


def test_a_batch_whose_reader_is_gone_goes_on_after_what_it_was_given(numbers, another):
    assert Reader(another(), 16).items_of(5) == [0, 1, 2, 3, 4]
    assert Reader(numbers, 4).items_of(2) == [5, 6]
    assert numbers.call("mcp.stream.inspect", '"r"').get(Keyword("seq")) == 6


def test_a_batch_that_others_ended_long_ago_ends_there_again(numbers, another):
    first = Reader(numbers, 16)
    assert first.items_of(5) == [0, 1, 2, 3, 4]
    again = Reader(numbers, 16)
    again.items, again.batch = first.items, first.batch
    for place in range(5, 9):
        assert Reader(another(), 4).item() == place
    assert again.items_of(6) == [0, 1, 2, 3, 4, 9]


def test_a_batch_that_was_used_up_is_given_again_to_its_reader(numbers):
    first = Reader(numbers, 4)
    again = Reader(numbers, 4)
    first.item()
    again.items, again.batch = first.items, first.batch
    assert first.items_of(11) == list(range(1, 12))
    assert [again.items[again.used] if again.item() is not None else None for _ in range(3)]
    assert again.used == 3


@pytest.mark.parametrize("act", ["pause", "cancel", "forget"])
def test_who_steers_a_stream_ends_what_was_fetched(numbers, another, act):
    reader = Reader(numbers, 16)
    reader.items_of(3)
    another().call("stream.forget" if act == "forget" else f"mcp.stream.{act}", '"r"')
    if act == "forget":
        with pytest.raises(CapabilityError, match="there is no stream"):
            reader.item()
        return
    assert reader.item() is None
    if act == "pause":
        numbers.call("mcp.stream.resume", '"r"')
        assert reader.item() == 3


def test_who_runs_a_stream_begins_at_the_item_that_was_given_last(numbers, another):
    reader = Reader(numbers, 16)
    reader.items_of(3)
    found = another().call("mcp.stream.next", '"r"', "{}")
    assert found.get(Keyword("items"))[:2] == (2, 3)


@pytest.mark.parametrize("others", [False, True], ids=["nobody else", "others read"])
def test_slots_that_are_lost_lose_no_item(session, another, tmp_path, monkeypatch, others):
    given, hand_out = [], Ahead._hand_out

    def losing(held):
        made = hand_out(held)
        if (held.seq, held.used) == (5, 3):
            os.truncate(tmp_path / "streams.sqlite-given", 0)
            given.extend(another().call(NEXT, '"r"', "{:max 3}").get(Keyword("items")) if others else ())
        return made

    monkeypatch.setattr(Ahead, "_hand_out", staticmethod(losing))
    if not others:
        assert session.run(reading(30)).value == tuple(range(30))
        return
    with pytest.raises(ProgramError, match="another run has gone on with the stream; items 5 to 7 of it were given"):
        session.run(reading(30))
    assert given == [5, 6, 7]  # nobody knew how many of the batch were used


def test_a_transaction_that_fails_loses_nothing_of_what_is_known(numbers, another, monkeypatch):
    first = Reader(another(), 16)
    first.items_of(5)
    second = Reader(numbers, 4)

    def failing(*_):
        raise CapabilityError("no")

    lend = slots.Slots.lend
    monkeypatch.setattr(slots.Slots, "lend", lambda *args: (lend(*args), failing()))
    with pytest.raises(CapabilityError, match="no"):
        second.item()
    monkeypatch.setattr(slots.Slots, "lend", lend)
    assert [second.item(), first.item(), second.item()] == [5, 6, 7]


def test_who_is_at_the_slots_is_waited_for_where_waiting_is_allowed(numbers, monkeypatch):
    reader = Reader(numbers, 16)
    reader.item()
    own = slots.fcntl.flock

    def busy(file, how):
        if how & slots.fcntl.LOCK_NB:
            raise BlockingIOError
        own(file, how)

    monkeypatch.setattr(slots.fcntl, "flock", busy)
    assert numbers.entries[NEXT].ahead.take(reader.batch, 2) is None
    assert reader.items_of(3) == [1, 2, 3]


def test_without_locks_such_a_stream_is_read_item_by_item(session, monkeypatch):
    monkeypatch.setattr(slots, "fcntl", None)
    result = session.run(reading(9))
    assert result.value == tuple(range(9))
    assert fetched(result) == 9


@pytest.mark.parametrize(
    "moment", [4, 17, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3, 6, 9, 13, 25, 31))]
)
def test_a_run_that_dies_anywhere_and_others_that_go_on_have_each_item_once(session, tmp_path, moment):
    child = os.fork()
    if child == 0:  # pragma: no cover - it is killed
        change, given, made = store.Store._change, slots._put, count()

        def deadly(act):
            def work(*args):
                if next(made) == moment:
                    os.kill(os.getpid(), 9)
                return act(*args)

            return work

        store.Store._change, slots._put = deadly(change), deadly(given)
        try:
            with opened(tmp_path) as own:
                own.run(reading(40))
        finally:
            os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
    others = session.run(reading(5)).value
    runs = query.list_runs(journal_path({"RTFS_HOME": str(tmp_path / "home")}, None))
    run = next(each.id for each in runs if each.status == query.UNFINISHED)
    resumed = session.resume(Resuming(run=run)).value
    assert sorted((*others, *resumed)) == list(range(45))


FORKED = """
(def s (stream-source {:range [0 100]} {:name "r"}))
(def before [(:value (stream-next s)) (:value (stream-next s)) (:value (stream-next s))])
(host/wait-for :go)
(def between [(:value (stream-next s)) (:value (stream-next s))])
(host/wait-for :on)
[before between (:value (stream-next s)) (:value (stream-next s))]
"""


def signalled(folder, run, name, *, fork=False):
    """Go on with a run, or a fork of it, until it waits again or ends, as another process does."""
    with opened(folder) as session:
        session.park()
        if name:
            tell(session.host.journal, run, "signalled", {"name": name}, value_text(1))
        with suppress(RunParked):
            return session.resume(Resuming(run=run, fork=fork)).value
        return query.list_runs(session.host.journal.path)[0].id


@pytest.mark.parametrize("first", ["origin", "fork"])
def test_a_fork_and_its_origin_share_what_was_given_before_and_nothing_after(tmp_path, first):
    with opened(tmp_path) as session:
        session.park()
        with suppress(RunParked):
            session.run(FORKED)
        origin = query.list_runs(session.host.journal.path)[0].id
    fork = signalled(tmp_path, origin, "", fork=True)
    assert fork != origin
    both = (origin, fork) if first == "origin" else (fork, origin)
    for run in both:
        signalled(tmp_path, run, "go")
    ends = [signalled(tmp_path, run, "on") for run in both]
    assert [before for before, *_ in ends] == [(0, 1, 2)] * 2
    after = [each for _, between, *rest in ends for each in (*between, *rest)]
    assert sorted(after) == list(range(3, 11))
    assert all(list(each[1]) == sorted(each[1]) for each in ends)
