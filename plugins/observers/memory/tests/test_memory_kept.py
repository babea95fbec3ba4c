"""What is kept of events, how it is found, and that what is forgotten is gone."""

from __future__ import annotations

import sqlite3

import pytest

from rtfs_framework.api import Event, Seconds
from rtfs_framework.api.errors import PluginError
from rtfs_observer_memory import memory as room
from rtfs_observer_memory.memory import FILE, Entry, Memory, Query, indexed
from rtfs_observer_memory.observer import MemoryObserver
from rtfs_observer_memory.settings import MemorySettings

CALL = {
    "run": "r1",
    "tenant": "acme",
    "symbol": "triage",
    "target": "remote big",
    "path": "0",
    "cost": 0.5,
    "cache": "",
}


@pytest.fixture(params=["index", "plain"])
def memory(tmp_path, monkeypatch, request):
    if request.param == "plain":
        monkeypatch.setattr(room, "indexed", lambda: False)
    elif not indexed():
        pytest.skip("this SQLite has no FTS5")
    made = Memory(tmp_path / "memory")
    yield made
    made.close()


def names(memory, **said):
    return [each.name for each in memory.find(Query(**said), 100)]


def keep(memory, name, said="", **more):
    memory.add(Entry(**{"at": 1.0, "kind": "call", "name": name, **more}), said)


def test_entries_are_found_by_words_and_by_all_that_is_known_of_them(memory):
    keep(
        memory, "a", "the parcel is late", at=1.0, run="r1", tenant="acme", status="answered", marks=frozenset({"pii"})
    )
    keep(memory, "b", 'a parcel 100% "here"', at=2.0, run="r2", status="failed", marks=frozenset({"pi"}))
    keep(memory, "c", "nothing", at=3.0, kind="run")
    assert names(memory) == ["c", "b", "a"]
    assert names(memory, words=("parcel",)) == ["b", "a"]
    assert names(memory, words=("parc", "late")) == ["a"]
    assert names(memory, words=('"here"',)) == ["b"]
    assert names(memory, words=("parcel", "OR", "nothing")) == []
    assert names(memory, words=("c",)) == ["c"] if indexed() and room.indexed() else True
    assert names(memory, run="r1") == names(memory, tenant="acme") == names(memory, mark="pii") == ["a"]
    assert names(memory, status="failed") == names(memory, mark="pi") == ["b"]
    assert names(memory, kind="run") == names(memory, name="c") == ["c"]
    assert names(memory, since=2.0) == ["c", "b"]
    assert names(memory, since=2.0, before=3.0) == ["b"]
    assert len(memory.find(Query(), 2)) == 2
    assert memory.count(Query(words=("parcel",))) == 2


@pytest.mark.parametrize("hostile", ['"', "*", "a AND", "NEAR(", "%", "\\", "x' or 1=1 --", "\ud800", "col:on", "^a"])
def test_no_words_are_commands(memory, hostile):
    keep(memory, "a", "something")
    memory.find(Query(words=(hostile,), run=hostile, mark=hostile), 10)
    keep(memory, hostile, hostile, run=hostile, marks=frozenset({"m"}))
    assert memory.count(Query(run=hostile.encode("utf-8", "replace").decode())) == 1


def test_what_is_forgotten_is_gone_from_the_file(memory, tmp_path):
    for number in range(50):
        keep(memory, f"n{number}", f"secret{number} xyzzy", run="r1" if number % 2 else "r2")
    assert memory.forget(Query(run="r1")) == 25
    assert memory.count(Query()) == 25
    assert names(memory, words=("secret1",), run="r1") == []
    assert memory.forget(Query()) == 25
    memory.close()
    for file in (tmp_path / "memory").iterdir():
        assert b"xyzzy" not in file.read_bytes()


def test_a_memory_without_a_file_is_empty_and_makes_none(memory, tmp_path):
    assert memory.find(Query(), 1) == []
    assert (memory.get(1), memory.count(Query()), memory.forget(Query())) == (None, 0, 0)
    assert not (tmp_path / "memory").exists()


def test_a_file_of_others_is_refused_with_a_way_out(tmp_path):
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("create table theirs (a)")
    db.close()
    made = Memory(tmp_path)
    with pytest.raises(PluginError, match="move it away"):
        keep(made, "a")
    made.close()


def test_old_entries_and_too_many_go(memory):
    for number in range(10):
        keep(memory, f"n{number}", at=float(number))
    memory.bound(5.0, 100, 9.0)
    assert names(memory) == ["n9", "n8", "n7", "n6", "n5", "n4"]
    memory.bound(100.0, 2, 9.0)
    assert names(memory) == ["n9", "n8"]


def test_the_observer_keeps_calls_ratings_and_runs(memory):
    observer = MemoryObserver(memory, MemorySettings(characters=5))
    words = {"args": "[1234567]", "answer": "yes", "error": None, "reasoning": "a rule"}
    observer(Event("call.answered", 1.0, {**CALL, **words}, frozenset({"internal"})))
    observer(
        Event(
            "call.failed", 2.0, {**CALL, "args": "[]", "error": "broken", "error_kind": "NetworkError", "code": "E0602"}
        )
    )
    observer(Event("call.refused", 3.0, {**CALL, "error": "no", "reasoning": "because"}))
    observer(Event("call.rated", 4.0, {**CALL, "value": 0.5}))
    observer(Event("run.ended", 5.0, {"run": "r1", "status": "complete", "summary": {"calls": 3, "cost": 0.5}}))
    observer(Event("health.changed", 6.0, {"target": "x"}))
    run, rated, refused, failed, answered = memory.find(Query(), 10)
    assert (run.kind, run.status, run.facts) == ("run", "complete", {"calls": 3, "cost": 0.5})
    assert (rated.kind, rated.name, rated.facts) == ("rating", "triage", {"value": 0.5, "path": "0"})
    assert [refused.status, failed.status, answered.status] == ["refused", "failed", "answered"]
    assert (failed.facts["code"], failed.facts["error"]) == ("E0602", "broke")
    assert refused.facts.keys().isdisjoint({"error", "reasoning"})  # the journal keeps no words
    assert (answered.tenant, answered.run, answered.target) == ("acme", "r1", "remote big")
    assert answered.marks == {"internal"}
    assert answered.facts["args"] == "[1234"
    assert answered.facts["cost"] == 0.5
    assert names(memory, words=("[1234",)) == ["triage"]
    observer.close()


def test_the_observer_bounds_what_it_keeps_as_it_goes(memory):
    observer = MemoryObserver(memory, MemorySettings(entries=10, retain=Seconds(1000.0)))
    for number in range(600):
        observer(Event("call.answered", float(number), CALL))
    assert 10 <= memory.count(Query()) < 300
    observer.close()


@pytest.mark.parametrize("wrong", [{"retain": 0.0}, {"entries": 0}, {"characters": -1}, {"characters": 10_001}])
def test_settings_have_bounds(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        MemorySettings(**wrong)
