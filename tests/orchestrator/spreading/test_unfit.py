"""What cannot be spread is refused before a record is read, and says what to do instead."""

from __future__ import annotations

import json

import attrs
import pytest

from rtfs_framework.api import PluginError
from rtfs_framework.orchestrator.spreading import worker
from rtfs_framework.orchestrator.spreading.fit import SpreadError, check_counts


def _error(world, session, program=None, on=("inline", "there")):
    def never():
        pytest.fail("a record was read")
        yield

    with pytest.raises((SpreadError, PluginError)) as caught:
        world.spread(session, never(), program, on)
    return caught.value


@pytest.mark.parametrize(
    ("config", "program", "words"),
    [
        ("[labels]\nmarks = ['pii']\n", None, "marks"),
        ("[rates.r]\ncalls = 5\n", None, "the rate 'r' is kept by one process"),
        ("[budgets.b]\ncalls = 5\nfor_each = ['symbol']\n", None, "counts apart by symbol"),
        ("[budgets.b]\ncalls = 5\nused_up = 'wait'\n", None, "runs wait for the budget 'b' to be renewed"),
        ("[security.quota]\ncalls = 5\n", None, "[security.quota] bounds one run of one process"),
        ("", '(def x (call :acme.read "a"))\n(defn main [r] x)', "top-level forms ask for something"),
        ("", '(defn main [r] (call :acme.write "a"))', "test.rtfs:1:16: acme.write may change something"),
        ("", "(defn main [r] (call (get r :which) 1))", "known only as it runs"),
        ("", '(defn main [r] (host/wait-for :go "1s" nil))', "test.rtfs:1:17: host.wait-for waits for somebody"),
        ("", '(defn main [r] (call :acme.ask "a?"))', "test.rtfs:1:16: acme.ask waits for somebody"),
        ("# key-of-acme\n[security.context]\nnote = 'key-of-acme'\n", None, "holds a secret itself"),
    ],
    ids=["labels", "rates", "apart", "waits", "quota", "top-level", "effects", "dynamic", "word", "person", "secret"],
)
def test_what_one_process_must_see_to(world, source, capability, config, program, words):
    world.capabilities = (
        capability("acme.read", lambda _: "x", order_independent=True),
        capability("acme.write", lambda _: "x", effects=("files",)),
        capability("acme.ask", lambda _: "x", served="person", order_independent=True),
    )
    with world.open(config + "[security]\ngrant = ['acme.*']\n") as session:
        error = _error(world, session, source(program or world.main))
    (found,) = error.diagnostics
    assert words in found.message
    assert found.code == "E0831"
    assert found.help


@pytest.mark.parametrize("called", ["acme.read", "old.read"])
def test_what_changes_nothing_may_be_asked_for(world, capability, called):
    world.capabilities = (capability("acme.read", lambda _: "x", order_independent=True, aliases=("old.read",)),)
    with world.open("[security]\ngrant = ['acme.*']\n") as session:
        spread = world.spread(session, ["a"], f'(defn main [r] (call :{called} "a"))')
        assert [each.value for each in spread] == ["x"]
        spread.close()


def test_an_executor_that_there_is_not_lists_those_that_there_are(world):
    with world.open() as session:
        error = _error(world, session, on=("inlin", "there"))
    assert error.code == "E0808"
    assert "no executor is called `inlin`" in str(error)
    assert "known: inline" in str(error)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "0.0.1"}, "and yours is 0.0.1"),
        ({"policy": "0" * 64}, "another policy"),
        ({"digest": "0" * 64}, "the program is another one"),
        ({"source": "(defn main [r] (nobody))"}, "nobody"),
    ],
    ids=["version", "policy", "program", "refused"],
)
def test_workers_that_are_not_alike_refuse(world, change, words):
    with world.open() as session:
        spread = world.spread(session, ["a"])
        spread.job = {**spread.job, **change}
        with pytest.raises(SpreadError) as caught:
            next(spread)
        spread.close()
    (found,) = caught.value.diagnostics
    assert found.code == "E0832"
    assert words in found.message
    assert "process" in found.message


def test_a_worker_without_the_key_refuses(world, monkeypatch):
    with world.open() as session:
        spread = world.spread(session, ["a"])
        monkeypatch.setattr(worker.os, "environ", {**world.environ, "ACME_API_KEY": ""})
        with pytest.raises(SpreadError, match="set the variables with the keys"):
            next(spread)
        spread.close()


def test_no_secret_travels(world):
    with world.open() as session:
        spread = world.spread(session, ["a"])
        assert "key-of-acme" not in json.dumps(spread.job)
        assert "cloud" in str(spread.job["layers"])
        spread.close()


SECRETS = ['pa"ss\\word1', "tab\there 1", "line 1\nline 2", "del\x7fete-me"]


@pytest.mark.parametrize("where", ["value", "key", "list"])
@pytest.mark.parametrize("secret", SECRETS, ids=["quotes", "tab", "lines", "delete"])
def test_a_secret_is_found_however_toml_escapes_it(world, secret, where):
    world.environ["ACME_API_KEY"] = f"{secret}\n"  # as files of keys end
    text = json.dumps(f"it is {secret}.").replace("\x7f", "\\u007f")
    said = {"value": f"note = {text}", "key": f"{text} = 'x'", "list": f"note = [{text}]"}[where]
    with world.open(f"[security.context]\n{said}\n") as session:
        error = _error(world, session)
    assert error.diagnostics[0].code == "E0831"
    assert "holds a secret itself" in error.diagnostics[0].message


RECORD = {"value": None, "error": None, "calls": [], "answers": [], "seconds": 0}


def _of_record(**change):
    return json.dumps({"records": [{**RECORD, **change}], "spent": [0, 0, 0], "seconds": 1}).encode()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut"),
        pytest.param(b"\xff", id="bytes"),
        pytest.param(b"5", id="number"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"{}", id="nothing"),
        pytest.param(b'{"refused": 1}', id="refused"),
        pytest.param(b'{"records": [], "spent": 1, "seconds": 1}', id="spent"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(_of_record(value="{"), id="value"),
        pytest.param(_of_record(answers=["{}"]), id="answers"),
        pytest.param(_of_record(calls=[5], answers=[None]), id="call"),
        pytest.param(_of_record(error={}), id="error"),
    ],
)
def test_what_cannot_be_read_of_a_worker_is_told_of(world, answer):
    with world.open() as session:
        spread = world.spread(session, ["a"])
        spread.executor.work = lambda _: answer
        with pytest.raises(SpreadError, match="a worker says what cannot be read") as caught:
            next(spread)
        spread.close()
    assert caught.value.diagnostics[0].code == "E0832"


def test_workers_that_do_nothing_are_told_of(world):
    world.loses = range(100)
    with world.open() as session:
        spread = world.spread(session, ["a", "b"])
        with pytest.raises(SpreadError, match="do none of what they are given: it was to be lost") as caught:
            next(spread)
        spread.close()
    assert caught.value.diagnostics[0].code == "E0832"


def test_a_shared_ledger_takes_budgets_and_no_rates(world):
    apart = "[budgets.b]\ncalls = 5\nfor_each = ['symbol']\n"
    for config, fine in ((apart, True), (apart + "[rates.r]\ncalls = 5\n", False)):
        with world.open(config) as session:
            ledger = attrs.evolve(session.host.config.ledger, store="shared")
            counted = attrs.evolve(session.host.config, ledger=ledger)
            if fine:
                check_counts(counted)
                continue
            with pytest.raises(SpreadError, match="the rate 'r' is kept by one process"):
                check_counts(counted)
