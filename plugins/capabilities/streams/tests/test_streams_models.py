"""Replies of models as streams: piece by piece from a real server on loopback, paid once, given up unread."""

from __future__ import annotations

import json
import os
from contextlib import nullcontext
from threading import Event

import pytest

from rtfs_framework import Session
from rtfs_framework.api import ProgramError, write
from rtfs_framework.orchestrator.config.folders import journal_path
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.registry import load_catalog
from rtfs_framework.testing.openai_server import Drip, Fail, OpenAIServer, Say, Stream

pytestmark = pytest.mark.needs("rtfs-provider-openai")
CONFIG = """
[security]
grant = ["mcp.stream.*", "marketplace.stream.*", "stream.*"]
RULES
[capabilities.streams]
path = "streams.sqlite"
models = ["fast"]
[delegation.remote_providers.fast]
provider = "openai"
endpoint = "URL"
model = "m"
input_cost = 10.0
output_cost = 20.0
MORE
"""
ALL = """
(loop [said []] (let [piece (stream-next s)] (if (nil? piece) said (recur (conj said (:value piece))))))
"""
TELL = '(let [s (stream-source {:model "fast" :prompt "Tell."})] BODY)'
READ = '(stream-next (stream-source {:model "fast" :prompt "x"}))'
NAMED = '(let [s (stream-source {:model "fast" :prompt "Tell."} {:name "tale"})] BODY)'


@pytest.fixture
def opened(tmp_path):
    """Return a function that opens a host which asks a server; more of it goes into its configuration."""

    def session(server, more="", rules=""):
        path, environ = tmp_path / "delegation.toml", {"RTFS_HOME": str(tmp_path / "home")}
        path.write_text(
            CONFIG.replace("URL", server.url).replace("MORE", more).replace("RULES", rules), encoding="utf-8"
        )
        catalog = load_catalog({**environ, "RTFS_PLUGINS": "streams,openai"})
        return Session.open(config_path=path, environ=environ, catalog=catalog, journal=True)

    return session


class Endless:
    """A reply that goes on until its reader has gone."""

    def __init__(self):
        self.gone = Event()

    def __iter__(self):
        return self

    def __next__(self):
        chunk = {"choices": [{"index": 0, "delta": {"content": "and "}, "finish_reason": None}]}
        return f"data: {json.dumps(chunk)}\n\n".encode()

    def __del__(self):
        self.gone.set()


def dripping(endless):
    """Return a behaviour that tells when its request was given up: a write fails then, and its thread ends."""

    class Told(Drip):
        pass

    def pieces():
        try:
            yield from endless
        finally:
            endless.gone.set()

    return lambda _: Told(pieces(), 0.01, {"Content-Type": "text/event-stream"})


def test_a_reply_is_read_piece_by_piece_and_is_one_paid_call_of_the_run(opened):
    with OpenAIServer([Say("Once upon a time")]) as server, opened(server) as session:
        result = session.run(TELL.replace("BODY", f"[(:of s) (:effects s) (:replayable s) {ALL}]"))
    of, effects, replayable, said = result.value
    assert (of, write(effects), replayable) == (":string", "[:model]", False)
    assert len(said) > 1
    assert "".join(said) == "Once upon a time"
    (asked,) = [each for each in result.calls if each.kind == "consultation"]
    assert (asked.target, asked.cost, len(server.requests)) == ("remote fast", pytest.approx(0.00013), 1)
    assert result.summary.cost == pytest.approx(0.00013)


def test_a_processor_is_called_for_each_piece(opened):
    program = TELL.replace("BODY", '(stream-run s (fn [said piece m] {:state (str (or said "") piece)}))')
    with OpenAIServer([Say("Once upon a time")]) as server, opened(server) as session:
        ended = session.run(program).value
    assert write(ended).endswith(':status :completed :seq 4 :state "Once upon a time"}')


@pytest.mark.parametrize(
    ("name", "after"),
    [("cancelled", "(call :mcp.stream.cancel s)"), ("forgotten", "(call :stream.forget s)"), ("left", "nil"),
     ("failed", '(throw "enough")')],
)  # fmt: skip
def test_a_stream_that_nobody_reads_any_more_stops_its_request(opened, name, after):
    endless = Endless()
    with OpenAIServer([dripping(endless)]) as server, opened(server) as session:
        program = TELL.replace("BODY", f"(do (stream-next s) (stream-next s) {after})")
        with pytest.raises(ProgramError) if name == "failed" else nullcontext():
            (asked,) = [each for each in session.run(program).calls if each.kind == "consultation"]
            assert (asked.error_kind, asked.cost) == ("Cancelled", None)
        assert endless.gone.wait(10)


def test_what_came_before_a_failure_is_read_first_and_the_stream_may_end_with_it(opened):
    broken = Stream(Say("one two three four"), pieces=3, then="break")
    program = NAMED.replace("BODY", f"[(try {ALL} (catch error (:kind error)))]")
    with OpenAIServer([broken]) as server, opened(server) as session:
        assert session.run('(do (stream-source {:range [0 1]} {:name "other"}) 1)').value == 1
        first = session.run(program).value
        with pytest.raises(ProgramError, match=r"broke off.*ends it with what came"):
            session.run('(stream-next "tale")')
        session.run('(call :mcp.stream.resume "tale")')
        assert session.run('(stream-next "tale")').value is None
        assert len(server.requests) == 1
    assert write(first) == '["NetworkError"]'


def test_what_its_run_had_not_read_is_read_by_the_next_where_the_reply_was_whole(opened):
    program = NAMED.replace("BODY", "(do (stream-next s {:max 1}) (call :mcp.stream.inspect s))")
    with OpenAIServer([Say("one")]) as server:
        with opened(server) as session:
            session.run(program)
            session.run('(call :mcp.stream.resume "tale")')
            session.run('(stream-next "tale" {:max 9})')
        with opened(server) as session:
            assert session.run('(stream-next "tale")').value is None
        assert len(server.requests) == 1


def test_another_process_asks_no_model_a_second_time(opened):
    with OpenAIServer([Stream(Say("one two three"), pieces=3, then="stall")], then=Fail(500)) as server:
        with opened(server) as session:
            session.run(NAMED.replace("BODY", "(stream-next s)"))
        with opened(server) as session:
            with pytest.raises(ProgramError, match="no model is asked twice"):
                session.run('(stream-next "tale")')
            session.run('(call :mcp.stream.resume "tale")')
            session.run('(stream-next "tale" {:max 9})')
            assert session.run('(stream-next "tale")').value is None
        assert len(server.requests) == 1


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_a_run_that_dies_is_told_what_it_had_read_and_asks_nobody_again(opened, tmp_path):
    program = NAMED.replace("BODY", "[(stream-next s) (stream-next s) (stream-next s)]")
    with OpenAIServer([Stream(Say("one two three"), pieces=3, then="stall")], then=Fail(500)) as server:
        child = os.fork()
        if child == 0:  # pragma: no cover - it is killed
            try:
                from rtfs_capability_streams.store import Store

                pull, left = Store.pull, [2]

                def pulling(self, *args, **more):
                    left[0] -= 1
                    if left[0] < 0:
                        os.kill(os.getpid(), 9)
                    return pull(self, *args, **more)

                Store.pull = pulling
                with opened(server) as session:
                    session.run(program)
            finally:
                os._exit(3)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
        run = query.list_runs(journal_path({"RTFS_HOME": str(tmp_path / "home")}, None))[0].id
        with opened(server) as session, pytest.raises(ProgramError, match="no model is asked twice"):
            session.resume(Resuming(run=run))
        assert len(server.requests) <= 1


@pytest.mark.parametrize(
    ("program", "more", "rules", "kind"),
    [
        ('(stream-source {:model "other" :prompt "x"})', "", "", "SecurityViolation"),
        ('(stream-source {:model "fast"})', "", "", "InvalidArgument"),
        ('(stream-source {:merge [{:model "fast" :prompt "x"}]})', "", "", "InvalidArgument"),
        (READ, '[budgets.each]\nper = "run"\nusd = 0.000001', "", "BudgetExhausted"),
        (READ, "", 'reach = "local"', "SecurityViolation"),
    ],
)
def test_nobody_is_asked_who_may_not_be(opened, program, more, rules, kind):
    with OpenAIServer() as server, opened(server, more, rules) as session:
        with pytest.raises(ProgramError) as found:
            session.run(program)
        assert found.value.kind == kind
        assert not server.requests


MARKS = """
[labels.capabilities]
"mcp.stream.inspect" = ["pii"]
"marketplace.stream.*" = []
[labels.accepts]
"capability marketplace.stream.*" = ["pii"]
"capability mcp.stream.*" = ["pii"]
ACCEPTS
"""


@pytest.mark.parametrize(("accepts", "asked"), [("", 0), ('remote-fast = ["pii"]', 1)])
def test_the_marks_of_a_prompt_hold_for_whoever_reads_the_stream_later(opened, accepts, asked):
    start = """
    (let [other (stream-source {:range [0 1]})
          prompt (str (:seq (call :mcp.stream.inspect other)))]
      (do (stream-source {:model "fast" :prompt prompt} {:name "tale"}) 1))
    """
    with OpenAIServer() as server, opened(server, MARKS.replace("ACCEPTS", accepts)) as session:
        session.run(start)
        result = session.run('(try (:value (stream-next "tale")) (catch e :refused))')
        assert len(server.requests) == asked
    assert result.marks == frozenset({"pii"})
    assert write(result.value) == ('"ok"' if asked else ":refused")
