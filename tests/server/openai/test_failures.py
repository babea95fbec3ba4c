"""What clients of the OpenAI API see of failures: a status, a code, and never half of an answer that looks whole."""

from __future__ import annotations

import json
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from rtfs_framework.testing.openai_server import Drip, Fail, Hang, Late, OpenAIServer, Say, Stream

openai = pytest.importorskip("openai")
httpx = pytest.importorskip("httpx")
pytest.importorskip("uvicorn")
pytestmark = pytest.mark.needs("rtfs-provider-openai")

HI = [{"role": "user", "content": "hi"}]
BODY = {"model": "host/chat", "messages": HI}
LONG = Say("The answer comes in pieces, and there are several of them.")


def post(served, body=None, path="chat/completions", **headers):
    given = {**served.headers, **headers}
    return httpx.post(f"{served.url}/v1/{path}", headers=given, json=BODY if body is None else body, timeout=40)


def test_nobody_without_a_token_is_answered(door):
    served = door("")
    for path, method in (("chat/completions", "POST"), ("embeddings", "POST"), ("models", "GET"), ("models/x", "GET")):
        answer = httpx.request(method, f"{served.url}/v1/{path}", json=BODY if method == "POST" else None)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["type"]) == (401, "E0942", "authentication_error")


def test_a_body_that_is_none_is_refused_in_the_form_of_the_api(door):
    served = door("")
    answer = httpx.post(f"{served.url}/v1/chat/completions", headers=served.headers, content=b"{")
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert (answer.json()["error"]["code"], answer.headers["x-should-retry"]) == ("E0970", "false")


def test_without_a_target_the_way_out_is_told(door):
    answer = post(door(""))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (503, "E0973", "server_error")
    assert "static_routes" in error["message"]


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (Fail(400, "nonsense"), 502, "E0601"),
        (Fail(401), 502, "E0604"),
        (Fail(429, headers={"Retry-After": "40"}), 429, "E0603"),
    ],
)
def test_what_the_last_target_says_is_told_and_not_to_be_repeated(door, failure, status, code):
    with OpenAIServer(then=failure) as one:
        answer = post(door(one=one))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    wait = answer.headers.get("retry-after")
    assert (wait, answer.headers["x-should-retry"]) == (("40", "true") if status == 429 else (None, "false"))


def test_a_rule_of_the_host_is_a_refusal(door):
    config = '[delegation.static_routes]\n"host/*" = "remote-one"\n[security]\ndeny = ["host/chat"]'
    with OpenAIServer() as one:
        answer = post(door(config, one=one))
        assert one.requests == []
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "permission_error")


def test_a_budget_that_is_used_up_is_told_as_such(door):
    config = '[delegation.static_routes]\n"host/chat" = "remote-one"\n[budgets.small]\ncalls = 1\nper = "day"'
    with OpenAIServer(then=Say("yes")) as one:
        served = door(config, one=one)
        assert post(served).status_code == 200
        answer = post(served)
        assert len(one.requests) == 1
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (429, "E0610", "insufficient_quota")


def test_each_request_is_a_run_of_the_chain_that_tells_how_it_was_answered(door, dead):
    with OpenAIServer(then=Say("yes")) as two:
        served = door(one=dead, two=two)
        told = post(served).json()["rtfs"]
        assert post(served).json()["rtfs"]["run"] != told["run"]
    served.state.close(timeout=5)
    with closing(sqlite3.connect(served.home / "journal.sqlite")) as db, db:
        of_run = "run = (SELECT position FROM log WHERE what = 'run' AND id = ?)"
        rows = db.execute(f"SELECT what, body FROM log WHERE {of_run}", [told["run"]]).fetchall()
    (call,) = [json.loads(body) for what, body in rows if what == "ended"]
    assert told["attempts"] == 1
    assert (call["symbol"], call["target"], len(call["attempts"])) == ("host/chat", "remote two", 1)
    assert rows[-1][0] == "end"


def test_a_stream_that_fails_before_its_first_piece_has_a_status(door):
    with OpenAIServer(then=Fail(400, "nonsense")) as one:
        answer = post(door(one=one), {**BODY, "stream": True})
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "E0601")


def test_a_stream_that_breaks_off_ends_with_an_error_and_no_other_target_is_asked(door, client):
    with OpenAIServer(then=Stream(LONG, pieces=3, then="break")) as one, OpenAIServer(then=Say("two")) as two:
        served = door(one=one, two=two)
        body = {**BODY, "stream": True}
        address = f"{served.url}/v1/chat/completions"
        with httpx.stream("POST", address, headers=served.headers, json=body, timeout=40) as answer:
            lines = [line for line in answer.iter_lines() if line]
        told = []
        with pytest.raises(openai.APIError) as caught:
            told += [chunk.choices[0].delta.content for chunk in _stream(client(served))]
        assert two.requests == []
    assert "[DONE]" not in lines[-1]
    assert json.loads(lines[-1].removeprefix("data: "))["error"]["code"] == "E0605"
    assert caught.value.code == "E0605"


def _stream(client):
    return client.chat.completions.create(model="host/chat", messages=HI, stream=True)


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_ends_its_call(door, stream):
    with OpenAIServer(then=Hang()) as one:
        served = door(one=one)
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(
                f"{served.url}/v1/chat/completions",
                headers=served.headers,
                json={**BODY, "stream": stream},
                timeout=httpx.Timeout(10, read=1.0),
            )
        _until(lambda: not _under_way(served))


def test_a_client_that_goes_in_the_midst_of_a_stream_ends_its_call(door, client):
    with OpenAIServer(then=Stream(LONG, pieces=2, then="stall")) as one:
        served = door(one=one)
        stream = _stream(client(served))
        assert next(iter(stream)).choices[0].delta.role == "assistant"
        assert _under_way(served)
        stream.close()
        _until(lambda: not _under_way(served))


def _under_way(served):
    return served.state.session_for("").portal.uses._active


def _until(reached):
    for _ in range(500):
        if reached():
            return
        time.sleep(0.02)
    raise AssertionError("it has not ended")


@pytest.mark.needs("rtfs-cache-l2")
def test_what_is_in_memory_is_streamed_too_and_costs_nothing(door):
    with OpenAIServer(then=Stream(LONG)) as one:
        served = door(one=one, more='reuse = "always"')
        bodies = [{**BODY, "stream": True}, {**BODY, "stream": True}, BODY, {**BODY, "temperature": 1}]
        answers = [post(served, body) for body in bodies]
        assert len(one.requests) == 2, "another temperature is another request"
    first, second = ([json.loads(line[6:]) for line in _lines(answer)[:-1]] for answer in answers[:2])
    said = [chunk["choices"][0]["delta"].get("content", "") for chunk in second]
    assert (said, "".join(each["choices"][0]["delta"].get("content", "") for each in first)) == (
        [LONG.text, ""],
        LONG.text,
    )
    assert (first[-1]["rtfs"]["cache"], second[-1]["rtfs"]["cache"]) == ("l2 miss", "l2 hit")
    whole = answers[2].json()
    assert (whole["choices"][0]["message"]["content"], whole["usage"]["total_tokens"]) == (LONG.text, 0)


@pytest.mark.needs("rtfs-cache-l2")
def test_equal_requests_at_once_are_one_and_each_is_answered(door):
    with OpenAIServer(then=Late(1.0, LONG)) as one:
        served = door(one=one, more='reuse = "always"')
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda stream: post(served, {**BODY, "stream": stream}), [True, False] * 2))
        assert len(one.requests) == 1
    assert [_said(answer) for answer in answers] == [LONG.text] * 4
    assert sorted("data: [DONE]" in answer.text for answer in answers) == [False, False, True, True]


def _said(answer):
    """Return the text of an answer, whole or in pieces."""
    if not answer.headers["content-type"].startswith("text/event-stream"):
        return answer.json()["choices"][0]["message"]["content"]
    chunks = [json.loads(line[6:]) for line in _lines(answer)[:-1]]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)


def _lines(answer):
    return [line for line in answer.text.splitlines() if line]


def test_a_slow_answer_is_kept_alive_by_comments(door, monkeypatch):
    monkeypatch.setattr("rtfs_framework.server.openai.streaming._QUIET", 0.05)
    chunk = {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}]}
    pieces = [f"data: {json.dumps(chunk)}\n\n".encode()] * 2 + [b"data: [DONE]\n\n"]
    headers = {"Content-Type": "text/event-stream"}
    with OpenAIServer(then=Drip(pieces, pause=0.4, headers=headers)) as one:
        answer = post(door(one=one), {**BODY, "stream": True})
    assert ": still at work" in answer.text
    assert answer.text.endswith("data: [DONE]\n\n")
