"""The server's own words, wherever a compatible server puts them, and the kind of failure that they mean."""

from __future__ import annotations

import json

import pytest

from rtfs_framework.api import (
    BadReply,
    ProviderAuthError,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
)
from rtfs_framework.testing.fakes import inference_request
from rtfs_framework.testing.openai_server import OpenAIServer, Raw


def fails(make, ask, body, status=200, headers=None):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with (
        OpenAIServer(then=Raw(raw, status=status, headers=headers or {})) as server,
        pytest.raises(ProviderError) as raised,
    ):
        ask(make(server), inference_request("x"))
    return raised.value


COMPLETION = {"id": "x", "choices": None, "usage": {"prompt_tokens": 1, "completion_tokens": 1}}


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        ({"error": {"code": 429, "message": "Rate limit exceeded upstream"}}, RateLimited, 429, "exceeded upstream"),
        ({"error": {"code": "429", "message": "slow"}}, RateLimited, 429, "slow"),
        ({"error": {"type": "rate_limit_error", "message": "slow"}}, RateLimited, 429, "slow"),
        ({"error": {"code": "rate_limit_exceeded", "message": "slow"}}, RateLimited, 429, "slow"),
        ({"error": "Rate limit reached for requests"}, RateLimited, 429, "Rate limit reached"),
        ({"error": "Too Many Requests"}, RateLimited, 429, "Too Many"),
        ({"error": {"code": "insufficient_quota", "message": "pay"}}, ProviderError, 429, "quota is used up: pay"),
        ({"error": {"code": 401, "message": "who?"}}, ProviderAuthError, 401, "who?; check the key in OPENAI_API_KEY"),
        ({**COMPLETION, "error": {"message": "upstream died", "code": 502}}, ProviderUnavailable, 502, "died"),
        ({"choices": [{"error": {"code": 502, "message": "hiccup"}, "message": {"content": ""}}]},
         ProviderUnavailable, 502, "hiccup"),
        ({"error": "model not loaded"}, ProviderError, None, "model not loaded"),
        ({"detail": "Not Found"}, ProviderError, None, "Not Found"),
        ({"message": "no such route", "code": 404}, ProviderError, 404, "no such route; check the endpoint"),
        ({"error": {"error": {"message": "nested"}}}, ProviderError, None, "nested"),
        ({"error": ["one", {"message": "two"}]}, ProviderError, None, "one; two"),
        ({"error": True}, ProviderError, None, "without words"),
        ({"errors": [{"msg": "bad"}]}, ProviderError, None, "bad"),
    ],
)  # fmt: skip
def test_an_error_inside_a_200_is_told_as_what_it_is(make, ask, body, kind, status, words):
    error = fails(make, ask, body)
    assert type(error) is kind
    assert error.status == status
    assert words in str(error)


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "bad thing"}, "bad thing"),
        ({"error": {"message": "not supported"}}, "not supported"),
        ({"message": "bad thing"}, "bad thing"),
        ({"detail": "bad thing"}, "bad thing"),
        ({"detail": [{"loc": ["body", "x"], "msg": "field required"}]}, "body.x: field required"),
        ({"detail": [{"loc": ["a"], "msg": "m1"}, {"loc": ["b", 0], "msg": "m2"}]}, "a: m1; b.0: m2"),
        ({"detail": {"error": {"message": "deep"}}}, "deep"),
        ({"title": "Bad Request"}, "Bad Request"),
        (["first", "second"], "first; second"),
        ("just a text", "just a text"),
        (b"plain words", "plain words"),
        (b"", "without a reason"),
        ({}, "without a reason"),
        (b"\xff\xfe\x00bad", "bad"),
        ({"error": {"error": {"error": {"error": {"error": {"message": "too deep"}}}}}}, "without a reason"),
    ],
)
def test_the_words_of_a_refusal_are_shown(make, ask, body, words, status):
    error = fails(make, ask, body, status=status)
    assert (type(error), error.status) == (ProviderError, status)
    assert words in str(error)


def test_a_rate_limit_inside_a_200_says_how_long_to_wait(make, ask):
    error = fails(make, ask, {"error": {"code": 429, "message": "slow"}}, headers={"Retry-After": "7"})
    assert (type(error), error.retry_after, error.retryable) == (RateLimited, 7.0, True)


@pytest.mark.parametrize("status", [200, 400, 500])
def test_foreign_words_are_one_short_line_of_what_can_be_seen(make, ask, status):
    evil = "evil \x1b[2J\x1b]0;pwn\x07 \u202e\u2028 \r\nend \x9b31m " + "long " * 1000
    text = str(fails(make, ask, {"error": {"message": evil}}, status=status))
    assert text.isprintable()
    assert "\\x1b[2J" in text
    assert "\\u202e" in text
    assert len(text) < 400


@pytest.mark.parametrize("error", [None, False, {}, "", [], 0])
def test_an_error_that_is_none_does_not_hide_an_answer(make, ask, error):
    body = {"error": error, "choices": [{"message": {"content": "fine"}, "finish_reason": "stop"}]}
    with OpenAIServer(then=Raw(json.dumps(body).encode())) as server:
        assert ask(make(server), inference_request("x")).text == "fine"


@pytest.mark.parametrize(
    ("body", "says"),
    [(b"", "empty"), (b"  \n", "empty"), (b"<html>hi</html>", "<html>hi</html>"), (b"data: {}\n\n", "data: {}"),
     (b"\xff\xfe{", "no text in utf-16"), (b'{"choices": [{"message": {"content": "caf\xe9"}}]}', "no text in utf-8"),
     (b"[1, 2]", "[1, 2]"), (b"null", "null"), (b'"hi"', "hi"), (b"{}", "no choices"),
     (b'{"choices": {"0": 1}}', "no choices"), (b'{"choices": [null]}', "no text"), (b'{"choices": ["hi"]}', "no text"),
     (b'{"choices": [{"message": {"content": [{"type": "text"}]}}]}', "no text")],
)  # fmt: skip
def test_what_is_no_completion_is_a_bad_reply_that_shows_it(make, ask, body, says):
    error = fails(make, ask, body)
    assert type(error) is BadReply
    assert says in str(error)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_other_encodings_of_json_are_read(make, ask, encoding):
    body = json.dumps({"choices": [{"message": {"content": "café"}}]}, ensure_ascii=False).encode(encoding)
    with OpenAIServer(then=Raw(body)) as server:
        assert ask(make(server), inference_request("x")).text == "café"
