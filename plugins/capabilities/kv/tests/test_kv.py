"""Values under keys: what comes back, for whom, with which marks, and what is refused."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from rtfs_capability_kv import calls, tables
from rtfs_capability_kv.plugin import KvGrant, KvSettings, rtfs_capability_sets
from rtfs_framework.api import CapabilityError, CapabilitySetSettings, Keyword, Map, read_value, write
from rtfs_framework.lang.types.check import violation

VALUES = [
    "nil", "true", "7", "-9223372036854775807", "1.0", "1.0E-5", "##NaN", '"é\\n\\"x"', ":a/b", "[1 [2.0 nil]]",
    "(1 2)", "#{1 2}", '{"a" 1 :a 1.0 1 {}}', '#timestamp("2026-01-02T03:04:05Z")',
    '#uuid("c0ffee00-0000-4000-8000-000000000000")',
]  # fmt: skip


def _map(**entries):
    return Map.of((Keyword(name), Keyword(value) if name == "op" else value) for name, value in entries.items())


def _refused(kind, perform):
    with pytest.raises(CapabilityError) as caught:
        perform()
    assert caught.value.kind == kind
    return str(caught.value)


@pytest.mark.parametrize("text", VALUES)
def test_values_come_back_as_they_were_in_another_process_too(kv, opened, text):
    kv("put", "a", read_value(text))
    assert write(kv("get", "a")) == text
    assert write(opened()("get", Keyword("a"))) == text


def test_nothing_is_nil_and_versions_never_come_again(kv):
    assert kv("get", "a") is None
    first = kv("put", "a", 1)
    assert kv("delete", "a") is True
    assert kv("delete", "a") is False
    again = kv("put", "a", 1)
    assert again > first
    (facts,) = kv("read", ("a",))
    assert write(facts) == f'{{:key "a" :version {again} :value 1}}'
    (facts,) = kv("read", ("b",))
    assert write(facts) == '{:key "b" :version 0 :value nil}'


def test_keys_are_listed_in_order_and_in_pieces(kv):
    for key in ("b/2", "a", "b/1", "b/10", "c", "b", "b/%", "b/é"):
        kv("put", key, 1)
    assert kv("keys", "b/") == ("b/%", "b/1", "b/10", "b/2", "b/é")
    assert kv("keys", _map(prefix="b/", after="b/1", most=2)) == ("b/10", "b/2")
    assert kv("keys", "") == ("a", "b", "b/%", "b/1", "b/10", "b/2", "b/é", "c")
    assert kv("keys", "b/_") == ()


def test_tenants_see_only_what_is_theirs(kv):
    kv("put", "a", 1, tenant="acme")
    for tenant in ("", "other", "acm", "acmee", "ACME"):
        assert kv("get", "a", tenant=tenant) is None
        assert kv("keys", "", tenant=tenant) == ()
        assert write(kv("read", ("a",), tenant=tenant)) == '[{:key "a" :version 0 :value nil}]'
        assert kv("delete", "a", tenant=tenant) is False
        assert kv("replace", "a", 1, 2, tenant=tenant) is False
        assert kv("put", "a", 2, tenant=tenant) == 1
    assert kv("get", "a", tenant="acme") == 1


def test_marks_come_back_with_a_value_and_go_when_it_does(kv):
    kv("put", "a", 1, marks=("pii", "secret"))
    assert (kv("get", "a"), kv.marks) == (1, {"pii", "secret"})
    assert (kv("keys", ""), kv.marks) == (("a",), {"pii", "secret"})
    kv("put", "a", 2)
    assert (kv("get", "a"), kv.marks) == (2, frozenset())


def test_that_something_was_taken_away_is_marked(kv):
    kv("put", "a", 1)
    kv("delete", "a", marks=("pii",))
    assert (kv("get", "a"), kv.marks) == (None, {"pii"})
    assert (kv("keys", ""), kv.marks) == ((), {"pii"})
    assert (kv("delete", "a"), kv.marks) == (False, {"pii"})


@pytest.mark.parametrize(
    ("changed", "change"),
    [
        ("a", ("add", "a", 1)),
        ("a", ("replace", "a", 1, 2)),
        ("a", ("transaction", (_map(op="put", key="a", value=2), _map(op="check", key="a", version=2)))),
        ("b", ("transaction", (_map(op="put", key="b", value=2), _map(op="get", key="a")))),
        ("b", ("transaction", (_map(op="put", key="b", value=2, version=0), _map(op="check", key="a", version=1)))),
    ],
    ids=["add", "replace", "check after put", "get", "check of another"],
)
def test_what_depends_on_a_marked_value_is_marked(kv, changed, change):
    kv("put", "a", 1, marks=("pii",))
    kv(*change, marks=("internal",))
    assert kv.marks == {"pii"}
    assert kv("get", changed) == 2
    assert kv.marks == {"pii", "internal"}


def test_a_conflict_keeps_nothing_and_is_marked(kv):
    kv("put", "a", 1, marks=("pii",))
    kv("transaction", (_map(op="put", key="b", value=2), _map(op="check", key="a", version=9)), marks=("internal",))
    assert kv.marks == {"pii"}
    assert (kv("get", "b"), kv.marks) == (None, frozenset())


def test_transactions_are_done_wholly_or_not_at_all(kv):
    one = kv("put", "a", 1)
    done = kv("transaction", (
        _map(op="check", key="a", version=one), _map(op="put", key="a", value=2, version=one),
        _map(op="put", key="b", value=3, version=0), _map(op="get", key="a"), _map(op="delete", key="gone"),
    ))  # fmt: skip
    assert violation(kv.entries["transaction"].returns, done) is None
    assert done.get(Keyword("done")) is True
    assert [each.get(Keyword("value")) for each in done.get(Keyword("results"))] == [None, None, None, 2, None]
    not_done = kv("transaction", (
        _map(op="put", key="c", value=1), _map(op="delete", key="b"), _map(op="put", key="a", value=9, version=one),
        _map(op="check", key="b", version=99),
    ))  # fmt: skip
    assert write(not_done) == '{:done false :conflicts ["a" "b"] :results []}'
    assert [kv("get", key) for key in "abc"] == [2, 3, None]


def test_a_value_is_replaced_where_it_is_the_expected_one(kv):
    assert kv("replace", "a", None, read_value('{"x" 1 "y" 2}')) is True
    assert kv("replace", "a", None, 1) is False
    assert kv("replace", "a", read_value('{"y" 2 "x" 1}'), 1.0) is True
    assert kv("replace", "a", 1, 2) is False
    assert kv("get", "a") == 1.0


def test_a_call_that_is_made_again_does_nothing_twice(kv, opened):
    for _ in range(3):
        assert kv("add", "n", 2, key="run/1", marks=("pii",)) == 2
        assert opened()("add", "n", 2, key="run/1") == 2
    assert kv("add", "n", 2, key="run/2") == 4
    assert kv.marks == {"pii"}
    assert kv("add", "n", 2, key="run/2", tenant="acme") == 2
    assert kv("add", "n", 3, key="run/2") == 7  # another call: an id names one call with its arguments


@pytest.mark.parametrize("change", [("put", "a", 1), ("delete", "a"), ("replace", "a", 0, 1),
                                    ("transaction", (_map(op="put", key="a", value=1, version=1),))],
                         ids=lambda change: change[0])  # fmt: skip
def test_a_repeated_call_answers_as_before_whatever_has_happened_since(kv, change):
    kv("put", "a", 0)
    first = write(kv(*change, key="run/1"))
    kv("put", "a", "since")
    assert write(kv(*change, key="run/1")) == first
    assert kv("get", "a") == "since"


def test_replies_to_calls_are_forgotten_in_time(kv, monkeypatch):
    monkeypatch.setattr(tables, "MOST_REPLIES", 3)
    for number in range(6):
        kv("add", "n", 1, key=f"run/{number}")
    assert kv("add", "n", 1, key="run/3") == 4
    assert kv("add", "n", 1, key="run/2") == 7


def test_a_reply_that_could_not_be_kept_is_not_known(kv):
    kv("put", "a", "text")
    for _ in range(2):
        assert "no integer" in _refused("TypeError", lambda: kv("add", "a", 1, key="run/1"))
    kv("put", "a", 1)
    assert kv("add", "a", 1, key="run/1") == 2


KEYS = ["", "a\n", "\0", "a\x7f", "\ud800", "x" * 513, 7, None, ("a",), 1.5, True]


@pytest.mark.parametrize("key", KEYS, ids=range(len(KEYS)))
@pytest.mark.parametrize("call", [("get",), ("put", 1), ("delete",), ("add", 1), ("replace", 1, 2)], ids=lambda c: c[0])
def test_what_is_no_key(kv, call, key):
    name, *more = call
    _refused("InvalidArgument", lambda: kv(name, key, *more))
    assert kv("keys", "") == ()


OUTSIDE = ["other", "cart", "car", "cart\\x", "Cart/a", "CART/a", " cart/a", "./cart/a", "/cart/a", "\u200bcart/a",
           "\uff43art/a", "ca\u0301rt/a", "x/../cart/a", "%63art/a", "*", "c%", "c_rt/a", "cart'/a", "' or 1 = 1 --",
           Keyword("other/a"), Keyword("Cart/a")]  # fmt: skip


@pytest.mark.parametrize("key", OUTSIDE, ids=range(len(OUTSIDE)))
def test_keys_outside_of_the_grant(kv, key):
    kv("put", "cart/a", 1)
    kv("put", key, 1)
    before = kv("keys", ""), kv("get", key)
    allowed = {"prefixes": ("cart/", "basket/")}
    for name, *more in (("get",), ("put", 2), ("delete",), ("add", 1), ("replace", 1, 2), ("keys",)):
        assert "`prefixes`" in _refused("SecurityViolation", lambda: kv(name, key, *more, **allowed))  # noqa: B023
    _refused("SecurityViolation", lambda: kv("read", ("cart/a", key), **allowed))
    for word, more in (("put", {"value": 2}), ("delete", {}), ("get", {}), ("check", {"version": 1})):
        steps = (_map(op="put", key="cart/a", value=2), _map(op=word, key=key, **more))
        _refused("SecurityViolation", lambda: kv("transaction", steps, **allowed))  # noqa: B023
    assert (kv("keys", ""), kv("get", key)) == before
    assert kv("get", "cart/a", **allowed) == 1


def test_a_list_is_of_granted_keys_alone(kv):
    kv("put", "cart/a", 1)
    kv("put", "other", 1)
    assert kv("keys", "cart/", prefixes=("cart/",)) == ("cart/a",)
    for asked in ("", "c", _map(prefix="", after="cart"), _map(after="a"), _map(most=5)):
        _refused("SecurityViolation", lambda: kv("keys", asked, prefixes=("cart/",)))  # noqa: B023


def _nested(depth):
    value = 1
    for _ in range(depth):
        value = (value,)
    return value


UNFIT = [
    _nested(193),
    _nested(50_000),
    10**4000,
    len,
    (1, len),
    "\ud800",
    ("\\", "\udfff"),
    Map.of([("f", print)]),
    Keyword("a b"),
]


@pytest.mark.parametrize("value", UNFIT, ids=range(len(UNFIT)))
def test_what_is_no_data_is_not_kept(kv, value):
    for call in (("put", "a", value), ("replace", "a", None, value),
                 ("transaction", (_map(op="put", key="a", value=value),))):  # fmt: skip
        assert "cannot be kept" in _refused("InvalidArgument", lambda: kv(*call))  # noqa: B023
    assert kv("keys", "") == ()


STEPS = [
    _map(op="put", key="a"), _map(op="get", key="a", value=1), _map(op="check", key="a"), _map(op="drop", key="a"),
    _map(key="a"), _map(op="put", value=1), _map(op="put", key="a", value=1, version=-1),
    _map(op="get", key="a", mark=1),
    _map(op="put", key="a", value=1, version=True), _map(op="put", key="a", value=1, version=1.0), 7,
    Map.of([("op", 1)]),
]  # fmt: skip


@pytest.mark.parametrize("step", STEPS, ids=range(len(STEPS)))
def test_what_is_no_operation(kv, step):
    _refused("InvalidArgument", lambda: kv("transaction", (_map(op="put", key="x", value=1), step)))
    assert kv("keys", "") == ()


LISTS = [_map(most=0), _map(most=10_001), _map(most=True), _map(prefx="a"), Map.of([("most", 1)])]


@pytest.mark.parametrize("asked", LISTS, ids=range(len(LISTS)))
def test_what_is_no_list(kv, asked):
    _refused("InvalidArgument", lambda: kv("keys", asked))


def test_bounds_of_values_keys_and_bytes(opened):
    kv = opened(most_value=10, most_keys=2, most_bytes=30)
    assert "`most_value`" in _refused("ResourceError", lambda: kv("put", "a", "éééé12"))
    kv("put", "a", "123456")
    kv("put", "b", "1234567")
    assert "`most_keys`" in _refused("ResourceError", lambda: kv("put", "c", 1))
    assert "`most_keys`" in _refused("ResourceError", lambda: kv("transaction", (
        _map(op="put", key="a", value=1), _map(op="put", key="c", value=1))))  # fmt: skip
    assert (kv("get", "a"), kv("get", "c")) == ("123456", None)
    kv("put", "a", 1, tenant="other")
    kv("delete", "a")
    kv("put", "c", "1234567")
    tight = opened(most_bytes=20)
    assert "`most_bytes`" in _refused("ResourceError", lambda: tight("put", "c", "12345678"))
    assert kv("get", "c") == "1234567"


def test_sums_stay_within_64_bits(kv):
    kv("put", "n", 2**63 - 1)
    assert "64 bits" in _refused("InvalidArgument", lambda: kv("add", "n", 1))
    assert kv("add", "n", -1) == 2**63 - 2


def test_a_file_that_is_no_one_of_ours_is_left_alone(opened, tmp_path):
    (tmp_path / "kv.sqlite").write_bytes(b"words of a user" * 100)
    assert "cannot be used" in _refused("StorageError", lambda: opened()("put", "a", 1))
    assert (tmp_path / "kv.sqlite").read_bytes() == b"words of a user" * 100


def test_the_file_is_this_users_and_where_the_configuration_says(opened, tmp_path):
    kv = opened(path="deep/own.sqlite")
    kv("put", "a", 1)
    assert (tmp_path / "deep" / "own.sqlite").stat().st_mode & 0o077 == 0
    assert not (tmp_path / "kv.sqlite").exists()


def test_nothing_is_opened_before_the_first_call(opened, tmp_path):
    opened()
    assert list(tmp_path.iterdir()) == []


_OTHER = """
import sys
sys.path.insert(0, {tests!r})
from conftest import Store
store = Store({folder!r})
for number in range(100):
    store("add", "n", 1)
    store("transaction", ())
store.set.close()
"""


def test_processes_at_once_lose_nothing(kv, tmp_path):
    from pathlib import Path

    kv("put", "n", 0)
    code = _OTHER.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", code]) as other:
        for _ in range(100):
            kv("add", "n", 1)
        assert other.wait(60) == 0
    assert kv("get", "n") == 200


@pytest.mark.parametrize(
    "own", [{"most_value": 0}, {"most_bytes": 0}, {"most_keys": 0}], ids=lambda own: next(iter(own))
)
def test_settings_that_mean_nothing(own):
    with pytest.raises(ValueError, match=next(iter(own))):
        KvSettings(**own)


def test_a_grant_names_a_prefix_and_a_bare_name_all_keys():
    with pytest.raises(ValueError, match="at least one"):
        KvGrant(prefixes=())
    assert KvGrant().prefixes == ("",)


def test_the_set_is_made_without_settings(tmp_path):
    (entry,) = rtfs_capability_sets()
    made = entry.factory(CapabilitySetSettings(directory=str(tmp_path)))
    assert all(each.idempotent and each.blocking and not each.deterministic for each in made.entries())
    made.close()


def test_what_is_nested_as_deep_as_programs_may_be_is_kept(kv):
    kv("put", "a", _nested(192))
    assert kv("get", "a") == _nested(192)
    for _ in range(2):
        done = kv("transaction", (_map(op="get", key="a"),), key="run/1", marks=("pii",))
        assert done.get(Keyword("results"))[0].get(Keyword("value")) == _nested(192)


def test_a_value_that_shares_its_parts_without_end_is_too_large(opened):
    kv, value = opened(most_value=1000), "x"
    for _ in range(60):
        value = (value, value)
    assert "`most_value`" in _refused("ResourceError", lambda: kv("put", "a", value))


def test_an_entry_that_nobody_can_read_is_told_and_the_others_are_there(kv, tmp_path):
    kv("put", "a", 1)
    kv("put", "b", 2)
    with closing(sqlite3.connect(tmp_path / "kv.sqlite")) as db:
        db.execute("update entries set value = '#<damaged>' where key = 'a'")
        db.commit()
    assert "cannot be used" in _refused("StorageError", lambda: kv("get", "a"))
    assert kv("get", "b") == 2
    kv("put", "a", 3)
    assert kv("get", "a") == 3


def test_words_that_look_like_what_cannot_be_kept_are_kept(kv):
    for text in ("#<function>", "\\ud800", "\\\\ud800 #<", "\U0001f600\u2028"):
        kv("put", "a", (text, Map.of([(text, 1)])))
        assert kv("get", "a") == (text, Map.of([(text, 1)]))


def test_no_call_asks_for_too_much_at_once(kv, monkeypatch):
    assert "1,000" in _refused("InvalidArgument", lambda: kv("read", ("a",) * 1001))
    assert "1,000" in _refused("InvalidArgument", lambda: kv("transaction", (_map(op="get", key="a"),) * 1001))
    monkeypatch.setattr(calls, "MOST_TOLD", 10)
    kv("put", "a", "1234")
    assert len(kv("read", ("a",))) == 1
    for asked in (("read", ("a", "a")), ("transaction", (_map(op="get", key="a"),) * 2)):
        assert "fewer at once" in _refused("ResourceError", lambda: kv(*asked))  # noqa: B023
