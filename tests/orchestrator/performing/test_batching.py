"""Calls of one map to one model as one request: own records, checks, memory and shares; singles where that fails."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.api import ConfigError, FailureKind, Usage
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.performing import batching
from rtfs_framework.orchestrator.performing.batching import shares
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.testing.openai_server import Fail, HangUp, OpenAIServer, Say, say_json

pytestmark = pytest.mark.needs("rtfs-engine-static", "rtfs-provider-echo", "rtfs-provider-openai", "rtfs-cache-l2")

HEAD = """
[delegation]
[delegation.static_routes]
f = "remote-m"
[delegation.remote_providers.m]
provider = "openai"
endpoint = "URL"
model = "m"
input_cost = 1.0
output_cost = 2.0
"""
PROGRAM = Source("p.rtfs", '(defn f "Length." [x : :string] : :int -1)\n(map f ["a" "bb" "ccc" "dddd"])')


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Return a function that opens a session whose model takes several calls at once, and waits for them all."""
    monkeypatch.setattr(batching, "WINDOW", 60.0)  # so they leave when they are so many, however slow the machine is

    def open_(server, more="batch = 4\n"):
        file = tmp_path / "delegation.toml"
        file.write_text(HEAD.replace("URL", server.url) + more, encoding="utf-8")
        environ = {"RTFS_PLUGINS": "static,openai,echo,l2", "RTFS_HOME": str(tmp_path / "home")}
        return Session.open(config_path=file, environ=environ)

    return open_


def calls_in(received):
    return re.findall(r"- x \(:string\): (\".*?\")", received.body["messages"][-1]["content"])


def lengths(received):
    """Answer as a model does that can do it: one result, or a list of them."""
    found = [len(json.loads(text)) for text in calls_in(received)]
    schema = received.body["response_format"]["json_schema"]["schema"]
    usage = (10 * len(found) + 3, len(found))
    data = {"values": found} if "values" in schema["properties"] else {"value": found[0]}
    return Say(json.dumps(data), usage=usage)


def test_calls_of_one_map_travel_as_one_request_and_each_has_its_own_record(opened):
    with OpenAIServer(then=lengths) as server, opened(server) as session:
        result = session.run(PROGRAM)
    assert result.value == (1, 2, 3, 4)
    (received,) = server.requests
    assert calls_in(received) == ['"a"', '"bb"', '"ccc"', '"dddd"']
    assert [call.path for call in result.calls] == ["0.0.0", "0.1.0", "0.2.0", "0.3.0"]
    assert sum(call.input_tokens for call in result.calls) == 43
    assert sorted(call.input_tokens for call in result.calls) == [10, 11, 11, 11]
    assert sum(call.cost for call in result.calls) == pytest.approx((43 * 1.0 + 4 * 2.0) / 1e6)
    assert all(
        ("batch", "sent with others of its fan-out, where there were any") in c.decision.steps for c in result.calls
    )


def test_without_the_key_and_outside_of_fan_outs_each_travels_alone(opened):
    with OpenAIServer(then=lengths) as server:
        with opened(server, "") as session:
            assert session.run(PROGRAM).value == (1, 2, 3, 4)
        assert len(server.requests) == 4
        with opened(server) as session:
            session.run(Source("q.rtfs", '(defn f [x : :string] : :int -1)\n[(f "e") (f "ff")]'))
        assert len(server.requests) == 6


def test_more_calls_than_a_batch_holds_make_several(opened):
    with OpenAIServer(then=lengths) as server, opened(server, "batch = 2\n") as session:
        assert session.run(PROGRAM).value == (1, 2, 3, 4)
    assert [len(calls_in(each)) for each in server.requests] == [2, 2]


def test_what_no_other_call_joins_leaves_after_a_while(opened, monkeypatch):
    monkeypatch.setattr(batching, "WINDOW", 0.01)
    with OpenAIServer(then=lengths) as server, opened(server, "batch = 3\n") as session:
        assert session.run(PROGRAM).value == (1, 2, 3, 4)
    sizes = [len(calls_in(each)) for each in server.requests]
    assert sum(sizes) == 4
    assert max(sizes) <= 3


def test_each_reply_has_its_own_place_in_memory(opened, monkeypatch):
    with OpenAIServer(then=lengths) as server, opened(server, 'batch = 4\nreuse = "always"\n') as session:
        session.run(PROGRAM)
        monkeypatch.setattr(batching, "WINDOW", 0.01)  # one alone is left
        again = session.run(Source("p.rtfs", PROGRAM.text.replace('"bb"', '"bbbbb"')))
    assert again.value == (1, 5, 3, 4)
    assert [call.cache for call in again.calls] == ["l2 hit", "l2 miss", "l2 hit", "l2 hit"]
    assert [len(calls_in(each)) for each in server.requests] == [4, 1]


def test_a_result_of_another_type_fails_its_own_call_alone_and_is_repaired_alone(opened):
    def odd(received):
        found = calls_in(received)
        return say_json({"values": [1, "two", 3, 4]}) if len(found) > 1 else say_json({"value": 2})

    with OpenAIServer(then=odd) as server, opened(server) as session:
        result = session.run(PROGRAM)
    assert result.value == (1, 2, 3, 4)
    assert [len(call.attempts) for call in result.calls] == [0, 1, 0, 0]
    assert len(server.requests) == 2


BAD = [
    say_json({"values": [1, 2]}),
    say_json({"values": "none"}),
    Say("no JSON at all"),
    Fail(400, "too long for me"),
]


@pytest.mark.parametrize("bad", BAD)
def test_a_batch_that_fails_is_asked_one_by_one(opened, bad):
    def answer(received):
        return bad if len(calls_in(received)) > 1 else lengths(received)

    with OpenAIServer(then=answer) as server, opened(server) as session:
        result = session.run(PROGRAM)
    assert result.value == (1, 2, 3, 4)
    assert len(server.requests) == 5
    assert [call.attempts for call in result.calls] == [()] * 4


@pytest.mark.parametrize("status", [404, 401])
def test_what_a_failed_batch_took_counts_where_the_calls_then_fail_for_nothing(opened, status):
    def answer(received):
        return Say("no JSON at all", usage=(43, 4)) if len(calls_in(received)) > 1 else Fail(status, "not now")

    with OpenAIServer(then=answer) as server, opened(server) as session:
        result = session.run(PROGRAM)
    assert result.value == (-1, -1, -1, -1), "the own bodies"
    assert sum(call.input_tokens for call in result.calls) == 43
    assert sum(call.output_tokens for call in result.calls) == 4


def test_a_result_that_is_no_text_is_none_of_a_function_that_returns_text(opened):
    def answer(received):
        many = len(calls_in(received)) > 1
        return say_json({"values": ["a", None, {"c": 1}, "d"]}) if many else Say(calls_in(received)[0].strip('"'))

    program = Source("p.rtfs", PROGRAM.text.replace(": :int -1", "-1").replace('"Length." ', '"Same." '))
    with OpenAIServer(then=answer) as server, opened(server) as session:
        assert session.run(program).value == ("a", "bb", "ccc", "dddd")
    assert len(server.requests) == 5


def test_where_it_may_have_been_carried_out_nothing_is_asked_again(opened):
    with OpenAIServer(then=HangUp(halfway=True)) as server, opened(server) as session:
        result = session.run(PROGRAM)
    assert result.value == (-1, -1, -1, -1), "the own bodies"
    assert {len(calls_in(each)) for each in server.requests} == {4}
    assert [[each.attempt.kind for each in call.attempts] for call in result.calls] == [[FailureKind.UNCERTAIN]] * 4


def test_budgets_hold_the_whole_batch(opened):
    more = 'batch = 3\n[budgets.few]\ncalls = 3\nper = "day"\n'
    with OpenAIServer(then=lengths) as server, opened(server, more) as session:
        result = session.run(PROGRAM)
    assert sorted(len(calls_in(each)) for each in server.requests) == [3]
    assert sum(value == -1 for value in result.value) == 1, "one has its own body: nothing was left for it"


def test_equal_calls_make_an_equal_request_whichever_came_first(opened, monkeypatch):
    send = batching._send

    async def the_last_first(items, ask):
        await send(sorted(items, key=lambda item: item.order, reverse=True), ask)

    monkeypatch.setattr(batching, "_send", the_last_first)
    with OpenAIServer(then=lengths) as server, opened(server) as session:
        assert session.run(PROGRAM).value == (1, 2, 3, 4)
    assert calls_in(server.requests[0]) == ['"a"', '"bb"', '"ccc"', '"dddd"']


def test_calls_of_other_marks_do_not_travel_together(opened):
    more = 'batch = 2\naccepts = ["pii"]\n[delegation.local_models.g]\nprovider = "echo"\nmarks = ["pii"]\n[labels]\n'
    text = """(defn f "Length." [x : :string] : :int -1)
    (defn g ^:delegation :local-model "g" [x : :string] : :string "own")
    (map (fn [x] (f (if (= (count x) 2) (g x) x))) ["a" "bb" "ccc" "dd"])"""
    with OpenAIServer(then=lengths) as server, opened(server, more) as session:
        assert session.run(Source("p.rtfs", text)).value == (1, 2, 3, 2)
    assert sorted(calls_in(each) for each in server.requests) == [['"a"', '"ccc"'], ['"bb"', '"dd"']]


@pytest.mark.parametrize(("more", "said"), [("batch = 0\n", "batch"), ("batch = 257\n", "batch")])
def test_a_batch_that_is_none_is_refused(opened, more, said):
    with OpenAIServer() as server, pytest.raises(ConfigError) as raised:
        opened(server, more)
    assert said in raised.value.diagnostics[0].message


def test_a_provider_that_takes_one_call_at_a_time_is_refused_a_batch(opened):
    echo = '[delegation.local_models.e]\nprovider = "echo"\nbatch = 4\n'
    with OpenAIServer() as server, pytest.raises(ConfigError) as raised:
        opened(server, echo)
    (found,) = raised.value.diagnostics
    assert (found.code, found.message) == ("E0705", "the provider 'echo' takes one call at a time")
    assert found.source.text[found.span.start : found.span.end] == "4"


counts = st.none() | st.integers(0, 10**6)


@given(st.builds(Usage, counts, counts, counts), st.integers(1, 50))
def test_law_shares_are_together_the_whole(usage, count):
    parts = shares(usage, count)
    assert len(parts) == count
    for name in ("input_tokens", "output_tokens", "cached_tokens"):
        each = [getattr(part, name) for part in parts]
        whole = getattr(usage, name)
        assert each == [None] * count if whole is None else sum(each) == whole and max(each) - min(each) <= 1
