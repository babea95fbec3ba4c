"""A call's id is unique in its run, whatever calls it: top-level forms, `main`, records, branches within branches."""

from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.redact import name_of
from rtfs_framework.orchestrator.recording.records import call_json
from rtfs_framework.testing.effort import effort

GRANT = '[security]\ngrant = ["*"]\n'


@pytest.fixture
def session(kit, capability):
    async def ask(request):
        await asyncio.sleep(0)
        return request.args[0] if request.args else 0

    with kit.open(kit.catalog(capabilities=[capability("ask", ask)]), GRANT) as made:
        yield made


def ids(kit, run):
    return [name_of(e["entry"], e["record"], e["path"]) for e in query.entries_of(kit.journal, run)]


def test_top_level_forms_and_main(kit, session, source):
    """They had one path before."""
    text = "(call :ask 1) (call :ask 2) (defn main [x] (+ (call :ask x) (call :ask x)))"
    result = session.run(source(text), (3,))
    assert [(call.entry, call.path) for call in result.calls] == [(0, "0"), (0, "1"), (1, "0"), (1, "1")]
    session.host.journal.commit()
    assert ids(kit, result.run_id) == ["0:0", "0:1", "1:0", "1:1"]
    assert [call_json(call)["entry"] for call in result.calls] == [0, 0, 1, 1]


def test_calls_into_a_loaded_program_and_streams(kit, session, source):
    program = session.load(source("(call :ask 0) (defn main [x] (call :ask x)) (defn other [x] (call :ask x))"))
    program.call("main", (1,))
    streams = [session.stream(program, "main", [7, 8]), session.stream(program, "other", [9])]
    found = [[(call.entry, call.record, call.path) for result in stream for call in result.calls] for stream in streams]
    program.call("other", (1,))
    assert found == [[(2, 0, "0"), (2, 1, "0")], [(3, 0, "0")]]
    session.host.journal.commit()
    assert ids(kit, program.run_id) == ["0:0", "1:0", "2:0:0", "2:1:0", "3:0:0", "4:0"]


def test_threads_that_call_one_program(kit, session, source):
    """Whatever else may be said of sharing a program, its ids stay apart."""
    program = session.load(source("(defn main [x] x)"))
    taken: list[int] = []
    threads = [
        threading.Thread(target=lambda: taken.extend(next(program.entries) for _ in range(500))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(taken)) == 4000


def call(items):
    """Return a form that makes some calls: one, several in turn, or branches of them."""
    return st.one_of(
        st.lists(items, min_size=1, max_size=3).map(lambda forms: f"(do {' '.join(forms)})"),
        st.tuples(st.sampled_from(["pmap", "map"]), items, st.integers(1, 3)).map(
            lambda made: f"(vec ({made[0]} (fn [i] {made[1]}) (range {made[2]})))"
        ),
        st.lists(items, min_size=1, max_size=2).map(lambda forms: f"(step-parallel {' '.join(forms)})"),
        items.map(lambda form: f'(try (do {form} (throw "no")) (catch e {form}))'),
        items.map(lambda form: f"(loop [k 0] (if (< k 2) (do {form} (recur (inc k))) k))"),
    )


FORMS = st.recursive(st.just("(call :ask 1)"), call, max_leaves=5)


@settings(max_examples=effort(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(top=st.lists(FORMS, max_size=2), main=FORMS, records=st.integers(0, 3))
def test_ids_are_unique_and_sorted_over_any_program(kit, session, source, top, main, records):
    program = session.load(source(f"{' '.join(top)} (defn main [x] {main})"))
    calls = list(program.call("main", (0,)).calls)
    for result in session.stream(program, "main", range(records), concurrency=2):
        calls += result.calls
    names = [name_of(each.entry, each.record, each.path) for each in calls]
    assert len(set(names)) == len(names)
    assert [each.order for each in calls] == sorted(each.order for each in calls)
    session.host.journal.commit()
    written = ids(kit, program.run_id)
    assert len(set(written)) == len(written)
    assert [name for name in written if not name.startswith("0:")] == names
    assert len(written) == program.summary.calls
