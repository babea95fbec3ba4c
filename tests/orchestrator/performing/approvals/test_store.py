"""The file of approvals: who may answer what, once and in time; shared by processes, and private."""

from __future__ import annotations

import stat
import threading
from contextlib import suppress

import pytest

from rtfs_framework.orchestrator.performing.approvals.store import ApprovalError, ApprovalStore
from rtfs_framework.testing.clock import FakeClock

CALL = {
    "run": "r1", "call": "1:0", "symbol": "pay", "target": "remote openai", "approver": "boss", "args_digest": "d",
    "args_text": None, "policy": "p", "tenant": "",
}  # fmt: skip


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def store(tmp_path, clock):
    return ApprovalStore(tmp_path / "home", clock)


def test_what_waits_is_listed_until_it_is_answered(store, clock):
    assert store.listed() == []
    assert not store.path.exists()
    first = store.ask(60, **CALL)
    clock.advance(1)
    second = store.ask(60, **{**CALL, "symbol": "buy"})
    assert [each.symbol for each in store.listed()] == ["pay", "buy"]
    assert (first.state, first.until - first.asked) == ("waiting", 60)
    answered = store.answer(first.id, yes=True, by="ann")
    assert (answered.state, answered.answered_by, answered.answered) == ("yes", "ann", clock.now())
    refused = store.answer(second.id[:6], yes=False, by="bob", reason="too dear")
    assert (refused.state, refused.reason) == ("no", "too dear")
    assert store.listed() == []
    assert [each.state for each in store.listed(every=True)] == ["yes", "no"]


def test_only_this_user_may_read_it(store):
    store.ask(60, **CALL)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


def test_words_that_are_no_utf8_are_kept_visibly(store):
    """A command line's bytes that are no UTF-8 come as lone surrogates, which no file can hold."""
    with pytest.raises(ApprovalError, match=r"no approval has the id"):
        store.get("\udcff")
    row = store.ask(60, **CALL)
    found = store.answer(row.id, yes=False, by="\udcfe", reason="no \udcff")
    assert (found.answered_by, found.reason) == ("\\udcfe", "no \\udcff")


def test_an_answer_counts_once_and_in_time(store, clock):
    first = store.ask(60, **CALL)
    store.answer(first.id, yes=False, by="ann")
    with pytest.raises(ApprovalError, match="does not wait any more: the answer was no"):
        store.answer(first.id, yes=True, by="bob")
    late = store.ask(60, **CALL)
    clock.advance(60)
    with pytest.raises(ApprovalError, match="its time is over"):
        store.answer(late.id, yes=True, by="ann")
    assert store.end(late.id, "late").state == "late"
    gone = store.ask(60, **CALL)
    store.end(gone.id, "withdrawn")
    with pytest.raises(ApprovalError, match="its run has ended") as raised:
        store.answer(gone.id, yes=True, by="ann")
    assert raised.value.code == "E0741"


def test_a_yes_that_came_first_is_not_made_late(store):
    row = store.ask(60, **CALL)
    store.answer(row.id, yes=True, by="ann")
    assert store.end(row.id, "late").state == "yes"


@pytest.mark.parametrize("id_", ["", "nope", "%", "_"])
def test_an_id_that_names_none_is_refused(store, id_):
    store.ask(60, **CALL)
    with pytest.raises(ApprovalError, match=r"no approval has the id|several approvals") as raised:
        store.answer(id_, yes=True, by="ann")
    assert "rtfs approve list" in raised.value.way_out


def test_what_a_yes_covers_differs_with_everything_that_counts(store):
    counts = ("run", "call", "symbol", "target", "args_digest", "policy", "tenant")
    rows = [store.ask(60, **CALL), *(store.ask(60, **{**CALL, key: "another"}) for key in counts)]
    assert len({row.covers for row in rows}) == 8
    assert store.ask(60, **{**CALL, "approver": "another"}).covers == rows[0].covers


def test_old_answers_are_forgotten(store, clock):
    store.answer(store.ask(60, **CALL).id, yes=True, by="ann")
    left = store.ask(60, **CALL)
    clock.advance(40 * 86_400)
    store.ask(60, **CALL)
    assert [each.state for each in store.listed(every=True)] == ["late", "waiting"]
    assert store.get(left.id).state == "late"


def test_of_many_who_answer_at_once_one_is_heard(store):
    row = store.ask(60, **CALL)
    heard = []

    def answer(number):
        with suppress(ApprovalError):
            heard.append(store.answer(row.id, yes=number % 2 == 0, by=str(number)).answered_by)

    threads = [threading.Thread(target=answer, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == [store.get(row.id).answered_by]


@pytest.mark.parametrize("broken", ["text", "folder"])
def test_a_file_that_cannot_be_used_says_so(store, broken):
    store.folder.mkdir()
    if broken == "text":
        store.path.write_text("no database at all, but long enough to be looked at " * 20, encoding="utf-8")
    else:
        store.path.mkdir()
    with pytest.raises(ApprovalError, match="approvals cannot be kept") as raised:
        store.ask(60, **CALL)
    assert raised.value.code == "E0740"
