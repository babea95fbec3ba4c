"""What marked entries tell: answers and errors carry their marks, and nothing is told where nothing carries them."""

from __future__ import annotations

import pytest

from rtfs_capability_kv import tables
from rtfs_framework.api import CapabilityError, Keyword, Map

STEPS = (Map.of([(Keyword("op"), Keyword("put")), (Keyword("key"), "b"), (Keyword("value"), 2)]),
         Map.of([(Keyword("op"), Keyword("check")), (Keyword("key"), "a"), (Keyword("version"), 9)]))  # fmt: skip
LOOKS = [("get", "a"), ("read", ("b", "a")), ("keys", ""), ("delete", "a"), ("add", "a", 1), ("replace", "a", 7, 8),
         ("replace", "a", 1, 2), ("transaction", STEPS)]  # fmt: skip


def _error(perform):
    with pytest.raises(CapabilityError) as caught:
        perform()
    return caught.value


@pytest.mark.parametrize(("there", "kind"), [(5000, "InvalidArgument"), ("text", "TypeError")])
def test_the_error_of_a_sum_has_the_marks_of_what_it_tells(kv, there, kind):
    kv("put", "a", there, marks=("pii",))
    error = _error(lambda: kv("add", "a", 2**63 - 4000))
    assert (error.kind, error.marks) == (kind, {"pii"})
    kv("put", "a", "text")
    assert _error(lambda: kv("add", "a", 1)).marks == frozenset()


def test_that_there_is_no_room_tells_of_all_that_is_kept(opened):
    kv = opened(most_keys=2)
    kv("put", "a", 1, marks=("pii",))
    kv("put", "b", 1, marks=("secret",), tenant="other")
    kv("put", "c", 1)
    assert _error(lambda: kv("put", "d", 1)).marks == {"pii"}


def test_that_too_much_is_asked_for_is_marked(kv, monkeypatch):
    from rtfs_capability_kv import calls

    monkeypatch.setattr(calls, "MOST_TOLD", 3)
    kv("put", "a", 12345, marks=("pii",))
    assert _error(lambda: kv("read", ("a",))).marks == {"pii"}


@pytest.mark.parametrize("call", LOOKS, ids=range(len(LOOKS)))
@pytest.mark.parametrize("there", [1, 2**63 - 1, "text"], ids=["a number", "the largest", "a text"])
def test_where_nothing_carries_marks_nothing_is_changed_or_told(kv, call, there):
    kv("put", "a", there, marks=("pii",))
    error = _error(lambda: kv(*call, carries=False, key="run/1"))
    assert (error.kind, error.marks) == ("SecurityViolation", frozenset())
    assert "it looks at marked entries" in str(error)
    assert (kv("get", "a"), kv.marks) == (there, {"pii"})
    assert (kv("get", "b"), kv.marks) == (None, frozenset())
    kv("put", "a", 1)
    kv(*call, carries=False, key="run/1")


def test_a_reply_that_is_known_is_not_told_either_where_nothing_carries_marks(kv):
    kv("put", "a", 1, marks=("pii",))
    assert kv("add", "a", 1, key="run/1") == 2
    kv("put", "a", 0)
    assert _error(lambda: kv("add", "a", 1, key="run/1", carries=False)).kind == "SecurityViolation"
    assert kv("get", "a") == 0


def test_what_marked_runs_took_away_takes_no_room(opened):
    kv = opened(most_keys=2, most_bytes=100)
    for number in range(9):
        kv("put", f"{number:060}", 1, marks=("pii",))
        kv("delete", f"{number:060}", marks=("pii",))
    kv("put", "a", 1)
    kv("put", "b", 1)
    assert "`most_keys`" in str(_error(lambda: kv("put", "0" * 60, 1)))
    kv("delete", "a")
    kv("put", f"{0:060}", 1)
    kv("put", f"{0:060}", 2)
    assert "`most_keys`" in str(_error(lambda: kv("put", "a", 1)))


def test_many_holes_become_one_set_of_marks_and_none_is_lost(kv, monkeypatch):
    monkeypatch.setattr(tables, "MOST_HOLES", 3)
    kv("put", "kept", 1, marks=("internal",))
    for number, mark in enumerate(("pii", "secret", "pii", "pii", "last")):
        kv("put", f"gone/{number}", 1, marks=(mark,))
        kv("delete", f"gone/{number}", marks=(mark,))
    for number in range(4):
        assert (kv("get", f"gone/{number}"), kv.marks) == (None, {"pii", "secret"})
    assert (kv("get", "gone/4"), kv.marks) == (None, {"last"})
    assert (kv("keys", "gone/"), kv.marks) == ((), {"pii", "secret", "last"})
    assert (kv("delete", "never"), kv.marks) == (False, {"pii", "secret"})
    assert (kv("add", "never", 1), kv.marks) == (1, {"pii", "secret"})
    assert (kv("get", "never"), kv.marks) == (1, {"pii", "secret"})
    assert (kv("get", "kept"), kv.marks) == (1, {"internal"})
    assert (kv("get", "gone/0", tenant="other"), kv.marks) == (None, frozenset())


def test_one_tenants_calls_do_not_make_anothers_forgotten(kv, monkeypatch):
    monkeypatch.setattr(tables, "MOST_REPLIES", 3)
    assert kv("add", "n", 1, key="run/1") == 1
    for number in range(9):
        kv("add", "n", 1, key=f"run/{number}", tenant="loud")
    assert kv("add", "n", 1, key="run/1") == 1


def test_versions_do_not_count_what_others_changed_and_none_comes_again(kv, clock):
    clock.now = 1_000_000
    assert kv("put", "a", 1) == 1_000_000
    for number in range(5):
        kv("put", f"b/{number}", 1, marks=("pii",))
        kv("delete", f"b/{number}", marks=("pii",))
    clock.now = 1_000_100
    assert kv("put", "a", 2) == 1_000_100
    clock.now = 5
    assert kv("put", "a", 3) == 1_000_101
    kv("delete", "a")
    assert kv("put", "a", 3) == 1_000_103
