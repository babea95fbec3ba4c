"""A chat request that comes again with its `Idempotency-Key` has the same answer, and is paid once."""

from __future__ import annotations

import hashlib

import httpx
import pytest

from rtfs_framework.testing.openai_server import Fail, OpenAIServer, Say, Stream

pytest.importorskip("openai")
pytestmark = pytest.mark.needs("rtfs-provider-openai")
BODY = {"model": "host/chat", "messages": [{"role": "user", "content": "hi"}]}
LONG = Say("The answer comes in pieces, and there are several of them.")


def post(served, key, body=None, token=None):
    headers = {"Authorization": f"Bearer {token or served.token}", "Idempotency-Key": key}
    return httpx.post(f"{served.url}/v1/chat/completions", headers=headers, json=body or BODY, timeout=40)


def test_the_same_request_has_the_same_answer_and_is_paid_once(door):
    with OpenAIServer(then=Say("yes")) as one:
        served = door(one=one)
        first, again = post(served, "k"), post(served, "k")
        assert first.json() == again.json()
        assert ("rtfs-replayed" in first.headers, again.headers["rtfs-replayed"]) == (False, "true")
        assert len(one.requests) == 1
        assert post(served, "other").json()["id"] != first.json()["id"]
        assert len(one.requests) == 2


def test_another_body_with_the_key_is_refused(door):
    with OpenAIServer(then=Say("yes")) as one:
        served = door(one=one)
        post(served, "k")
        refused = post(served, "k", {**BODY, "temperature": 1})
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "E0945")
        assert refused.headers["x-should-retry"] == "false"
        assert len(one.requests) == 1
        assert post(served, "x" * 201).json()["error"]["param"] == "Idempotency-Key"


def test_a_key_is_a_tenant_s_own_and_so_is_what_a_token_may_see(door):
    digest = hashlib.sha256(b"another").hexdigest()
    config = '[delegation.static_routes]\n"host/chat" = "remote-one"\n'
    config += f'[serve.tokens.clerk]\nsha256 = "{digest}"\ntenant = "a"\nagent = "clerk"\n'
    with OpenAIServer(then=Say("yes")) as one:
        served = door(config, tenants=("a", "b"), one=one)
        assert post(served, "k", token=served.tokens["a"]).status_code == 200
        assert "rtfs-replayed" not in post(served, "k", token=served.tokens["b"]).headers
        assert post(served, "k", token="another").status_code == 422
        assert len(one.requests) == 2


def test_a_stream_that_comes_again_is_one_piece(door):
    with OpenAIServer(then=Stream(LONG)) as one:
        served = door(one=one)
        bodies = [post(served, "k", {**BODY, "stream": True}).text for _ in range(2)]
        assert len(one.requests) == 1
    assert [body.count('"content"') for body in bodies][1] == 1
    assert all(body.endswith("data: [DONE]\n\n") for body in bodies)
    assert LONG.text in bodies[1]


def test_a_failure_that_may_end_otherwise_is_asked_for_anew(door):
    with OpenAIServer([Fail(401)], then=Say("yes")) as one:
        served = door(one=one)
        assert post(served, "k").status_code == 502
        assert post(served, "k").status_code == 200
