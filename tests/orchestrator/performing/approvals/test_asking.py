"""A question that is withdrawn while a thread writes it, which may be cut at any moment: none is left waiting."""

from __future__ import annotations

import pytest

from rtfs_framework.orchestrator.performing.approvals.store import ApprovalStore, new_id
from rtfs_framework.orchestrator.performing.approvals.waiting import _Asking
from rtfs_framework.testing.clock import FakeClock

FIELDS = dict.fromkeys(("run", "call", "symbol", "target", "approver", "args_digest", "policy", "tenant"), "x")


class CutError(BaseException):
    """The process ends, and its threads with it."""


@pytest.fixture
def store(tmp_path):
    return ApprovalStore(tmp_path, FakeClock())


def asking(store, *, before=lambda _: None, behind=lambda _: None):
    """Return a question that something happens to right before its thread writes it, and right behind."""

    def write(asking):
        before(asking)
        row = store.ask(10.0, args_text=None, id_=asking.id, wanted=asking.wanted, **FIELDS)
        behind(asking)
        return row

    return _Asking(store, write, new_id())


def cut(asking):
    raise CutError


def test_one_whose_thread_is_cut_right_behind_its_commit(store):
    asked = asking(store, behind=cut)
    with pytest.raises(CutError):
        asked.ask()
    assert [row.state for row in store.listed(every=True)] == ["waiting"]
    asked.withdraw()
    assert [(row.id, row.state) for row in store.listed(every=True)] == [(asked.id, "withdrawn")]


def test_one_that_is_withdrawn_before_its_thread_commits_and_is_cut(store):
    asked = asking(store, before=lambda asked: asked.withdraw(), behind=cut)
    with pytest.raises(CutError):
        asked.ask()
    assert [row.state for row in store.listed(every=True)] == ["withdrawn"]


def test_one_that_is_asked_and_withdrawn(store):
    asked = asking(store)
    assert asked.ask().id == asked.id
    asked.withdraw()
    assert [row.state for row in store.listed(every=True)] == ["withdrawn"]
