"""The table of events is what the host tells: every name, and every field that stands in the code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import rtfs_framework
from rtfs_framework.api.events import EVENTS
from rtfs_framework.orchestrator.recording import tally
from rtfs_framework.testing.conformance.observer import EVENTS as TRIED

ROOT = Path(rtfs_framework.__file__).parent / "orchestrator"


def told():
    """Yield the calls of `emit` whose first argument is a text: its name, and the fields that stand there."""
    for file in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args
            if not (named and node.func.attr in ("emit", "_emit") and isinstance(node.args[0], ast.Constant)):
                continue
            fields = node.args[1].keys if len(node.args) > 1 and isinstance(node.args[1], ast.Dict) else []
            yield node.args[0].value, {key.value for key in fields if key is not None}


FOUND = list(told())


def test_the_calls_are_found():
    assert len(FOUND) > 15


@pytest.mark.parametrize("name", sorted({name for name, _ in FOUND}))
def test_an_event_of_the_code_is_in_the_table_with_its_fields(name):
    fields = set().union(*(found for told_name, found in FOUND if told_name == name))
    assert fields <= set(EVENTS[name].fields)


def test_an_event_of_the_table_is_told_somewhere():
    by_other_words = {"call.answered", "call.failed", "call.refused", "budget.changed", "rate.changed"}
    assert set(EVENTS) - {name for name, _ in FOUND} == by_other_words


def test_the_fields_of_a_call_are_those_of_its_record():
    source = ast.parse(Path(tally.__file__).read_text(encoding="utf-8"))
    (made,) = [node for node in source.body if isinstance(node, ast.FunctionDef) and node.name == "_fields"]
    (answer,) = [node.value for node in ast.walk(made) if isinstance(node, ast.Return)]
    stated = {key.value for key in answer.keys} | {"run", "tenant", "args", "answer"}
    assert stated == set(EVENTS["call.answered"].fields)


def test_what_the_suite_of_observers_tells_is_in_the_table():
    assert {name for name, _ in TRIED} - {"something.new"} <= set(EVENTS)


def test_a_session_tells_what_the_table_says(tmp_path):
    from rtfs_framework.testing.clock import FakeClock
    from rtfs_framework.testing.pytest_plugin import RecordingHost

    host = RecordingHost(tmp_path, FakeClock())
    host.answers("hello")
    config = '[delegation.static_routes]\ngreet = "local-fake"\n[delegation.local_models.fake]\nprovider = "scripted"\n'
    with host.open(config=config) as session:
        session.run('(defn greet [who] "own") (step "greeting" (greet "Ada"))')
    host.close()
    assert {event.name for event in host.events} >= {"run.started", "call.decided", "call.answered", "run.ended"}
    for event in host.events:
        assert set(event.fields) <= set(EVENTS[event.name].fields), event.name
