"""Observers hear what happens in order; one that breaks is reported once; structlog comes only when asked for."""

from __future__ import annotations

import asyncio
import subprocess
import sys

from rtfs_framework.orchestrator.recording.events import EventBus
from rtfs_framework.testing import FakeClock

PROGRAM = '(defn ^:delegation :local-model "m" f [x] :string "")\n(f "a")'


def test_observers_hear_a_run_in_order_and_only_what_they_want(kit, source, observer):
    everything, refusals = [], []
    catalog = kit.catalog(
        kit.provider("m", lambda _: "ok"),
        observers=[observer("all", everything.append), observer("some", refusals.append, ("call.refused",))],
    )
    with kit.open(catalog) as session:
        session.run(source(PROGRAM))
    assert [event.name for event in everything] == ["run.started", "call.decided", "call.answered", "run.ended"]
    assert everything[1].fields == {
        "symbol": "f", "target": "local-model m", "source": "hint", "engine": "", "attempt": 0,
    }  # fmt: skip
    assert everything[2].fields["target"] == "local-model m"
    assert everything[2].fields["source"] == "hint"
    assert everything[3].fields["summary"]["calls"] == 1
    assert refusals == []


def test_words_are_told_where_the_journal_keeps_them_and_without_secrets(kit, source, observer):
    heard = []
    catalog = kit.catalog(
        kit.provider("m", lambda request: "tok-123456 " + "x" * 20_000),
        observers=[observer("all", heard.append, ("call.answered", "call.failed", "call.rated"))],
    )
    environ = {**kit.environ, "HF_TOKEN": "tok-123456"}
    text = PROGRAM + '(call :host.feedback {:of "f" :value 0.5})'
    text += '(try (f "type") (catch e 0)) (try (call :nothing "tok-123456") (catch e 0))'
    for keep, words in (("digests", False), ("replies", True)):
        config = f'[journal]\nkeep = "{keep}"\n[security]\ngrant = ["host.feedback", "nothing"]\n'
        heard.clear()
        with kit.open(catalog, config, environ=environ) as session:
            session.run(source(text))
        assert ["args" in each.fields for each in heard if each.name != "call.rated"] == [words] * 4
        assert "tok-123456" not in str(heard)
        assert all(each.marks == frozenset() for each in heard)
    called, rated, *_ = heard
    assert called.fields["args"] == '["a"]'
    assert called.fields["answer"].startswith('"[secret] xxx')
    assert len(called.fields["answer"]) <= 10_010
    assert {name: rated.fields[name] for name in ("symbol", "value", "target")} == {
        "symbol": "f", "value": 0.5, "target": "local-model m",
    }  # fmt: skip


def test_a_broken_observer_is_reported_once_and_left_out(kit, source, observer):
    heard = []

    def broken(_event):
        raise ZeroDivisionError("oops")

    catalog = kit.catalog(
        kit.provider("m", lambda _: "ok"), observers=[observer("bad", broken), observer("good", heard.append)]
    )
    with kit.open(catalog) as session:
        assert session.run(source(PROGRAM)).value == "ok"
        (problem,) = session.problems
    assert "acme-plugin 1.2: observer 'bad': hearing an event failed: ZeroDivisionError: oops" in problem.message
    assert (problem.code, problem.severity, problem.distributions) == ("E0801", "warning", ("acme-plugin",))
    assert "acme-plugin" in problem.help
    assert "observer.failed" in [event.name for event in heard]
    assert "run.ended" in [event.name for event in heard]


def test_an_observer_that_cannot_be_made_is_reported(kit, observer):
    from attrs import evolve

    def broken():
        raise OSError("no")

    entry = evolve(observer("bad", None), factory=broken)
    with kit.open(kit.catalog(observers=[entry])) as session:
        assert "OSError: no" in session.problems[0].message


def test_nothing_is_built_when_nobody_listens():
    bus = EventBus(FakeClock())
    bus.emit("x", {})
    assert not bus.active


def test_logging_is_switched_on_by_a_level_and_goes_to_stderr(tmp_path):
    script = f"""
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
import sys
with Session.open(environ={{"RTFS_HOME": {str(tmp_path)!r}, "RTFS_LOG": sys.argv[1]}}, catalog=Catalog()) as session:
    session.run(Source("a", "(context/set :a 1)"))
"""
    heard = {}
    for level in ("info", "debug"):
        done = subprocess.run(
            [sys.executable, "-c", script, level], check=True, capture_output=True, text=True, cwd=tmp_path, timeout=50
        )
        assert done.stdout == "", done.stdout
        heard[level] = done.stderr
    assert "run.started" in heard["info"]
    assert "call.answered" not in heard["info"]
    assert "call.answered" in heard["debug"]


def test_calls_of_a_fan_out_are_heard_of_as_they_end(kit, capability, source, observer):
    seen = []
    watch = observer("watch", seen.append, events=("call.answered",))

    async def last_first(request):
        while len(seen) < 3 - request.args[0]:  # noqa: ASYNC110 - heard in another thread
            await asyncio.sleep(0.0005)
        return 0

    catalog = kit.catalog(capabilities=[capability("ask", last_first)], observers=[watch])
    with kit.open(catalog, '[security]\ngrant = ["*"]\n') as session:
        session.run(source("(pmap (fn [x] (call :ask x)) (range 4))"))
    assert [event.fields["path"] for event in seen] == ["0.3.0", "0.2.0", "0.1.0", "0.0.0"]
