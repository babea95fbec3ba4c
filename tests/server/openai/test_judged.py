"""Guards, labels and bounds of a host hold for clients of the OpenAI API, too: in whole answers and in streams."""

from __future__ import annotations

import json

import pytest

from rtfs_framework.testing.openai_server import Hang, OpenAIServer, Say, Stream

httpx = pytest.importorskip("httpx")
pytest.importorskip("uvicorn")
pytestmark = pytest.mark.needs("rtfs-provider-openai")

ROUTE = '[delegation.static_routes]\n"host/chat" = "remote-one"\n'
KEY = "AKIA" + "IOSFODNN7EXAMPLE"
BODY = {"model": "host/chat", "messages": [{"role": "user", "content": "hi"}]}


def post(served, body=BODY, token=None):
    headers = {"Authorization": f"Bearer {token or served.token}"}
    return httpx.post(f"{served.url}/v1/chat/completions", headers=headers, json=body, timeout=30)


def as_asked(said):
    return lambda received: Stream(said) if received.body.get("stream") else said


def pieces(answer):
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    told = [event["choices"][0]["delta"].get("content") for event in events if event["choices"]]
    return [piece for piece in told if piece]


@pytest.mark.needs("rtfs-guard-secrets")
def test_a_guard_takes_secrets_out_of_all_of_a_conversation(door):
    past = [{"role": "user", "content": f"my key is {KEY}"}, {"role": "assistant", "content": "noted"}]
    body = {**BODY, "messages": [*past, {"role": "user", "content": f"repeat {KEY}"}], "stop": ["END"]}
    with OpenAIServer(then=Say("no")) as one:
        assert post(door(f"{ROUTE}[guards.secrets]\n", one=one), body).status_code == 200
    sent = one.requests[0].body
    assert KEY not in json.dumps(sent)
    assert [message["role"] for message in sent["messages"]] == ["user", "assistant", "user"]
    assert (sent["messages"][0]["content"].startswith("my key is ["), sent["stop"]) == (True, ["END"])


@pytest.mark.needs("rtfs-guard-secrets")
def test_what_a_guard_judges_is_streamed_as_a_whole_and_without_what_it_takes_out(door):
    with OpenAIServer(then=as_asked(Say(f"The key is {KEY}, as you know it."))) as one:
        answer = post(door(f"{ROUTE}[guards.secrets]\n", one=one), {**BODY, "stream": True})
    (piece,) = pieces(answer)
    assert (KEY in answer.text, piece.startswith("The key is [")) == (False, True)
    assert answer.text.endswith("data: [DONE]\n\n")


def test_what_comes_with_a_marked_token_does_not_reach_who_may_not_have_it(door):
    from rtfs_framework.server.auth import digest_of

    marked = f'[labels]\n[serve.tokens.inner]\nsha256 = "{digest_of("a token of the house")}"\nmarks = ["internal"]\n'
    with OpenAIServer(then=Say("yes")) as one:
        served = door(ROUTE + marked, one=one)
        assert post(served).status_code == 200
        refused = post(served, token="a token of the house")
        assert len(one.requests) == 1
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "E0973")


def test_what_must_be_sure_enough_is_streamed_as_a_whole(door):
    said = Say("The answer comes in pieces, and there are several of them.")
    with OpenAIServer(then=as_asked(said)) as one:
        answer = post(door(one=one, more="min_confidence = 0.5"), {**BODY, "stream": True})
    assert pieces(answer) == [said.text]
    assert "stream" not in one.requests[0].body


@pytest.mark.parametrize("stream", [False, True])
def test_the_time_of_a_request_is_bounded(door, stream):
    with OpenAIServer(then=Hang()) as one:
        answer = post(door(f'{ROUTE}[serve]\nseconds = "1s"\n', one=one), {**BODY, "stream": stream})
    assert (answer.status_code, answer.json()["error"]["code"]) == (408, "E0944")


def test_the_size_of_a_request_is_bounded(door):
    answer = post(door('[serve]\nbody = "1 KiB"\n'), {**BODY, "user": "x" * 2000})
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "invalid_request_error")


def test_a_host_s_own_bound_on_replies_stays_the_lower_one(door):
    with OpenAIServer(then=Say("yes")) as one:
        served = door(one=one, more="max_tokens = 5")
        for asked in (100, 3):
            assert post(served, {**BODY, "max_tokens": asked}).status_code == 200
    assert [received.body["max_tokens"] for received in one.requests] == [5, 3]
