"""Every way in which an endpoint can fail, made to happen by a real HTTP server: which error, and what it says."""

from __future__ import annotations

import socket
import time
import traceback

import httpx2
import pytest

from rtfs_framework.api import (
    BadReply,
    FailureKind,
    ProviderAuthError,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    ReplyRefused,
    Usage,
)
from rtfs_framework.lang.types.model import EnumType
from rtfs_framework.lang.values import Keyword
from rtfs_framework.testing.fakes import inference_request
from rtfs_framework.testing.openai_server import Fail, Hang, HangUp, OpenAIServer, Raw, Say
from rtfs_provider_openai.failures import Teller, retry_after

SECRET = "sk-do-not-show-me"
NOW = {"Retry-After": "0.01"}
PATIENCE = 25
"""Seconds: less than what would be waited for if the deadline did not hold, and enough for a busy machine."""


def fails(server, make, ask, *, timeout=20.0, returns=None, **own):
    """Ask once, and return the error that came, of whatever kind it is."""
    with pytest.raises(ProviderError) as raised:
        ask(make(server, **own), inference_request("x", timeout=timeout, returns=returns))
    assert str(raised.value).startswith("acme: ")
    assert SECRET not in str(raised.value)
    return raised.value


def cause(error):
    """Return the name of the vendor's exception; its module is not for importing here."""
    assert type(error.__cause__).__module__.startswith("openai")
    return type(error.__cause__).__name__


def test_429_is_told_at_once_with_what_the_server_asks_for(make, ask):
    with OpenAIServer(then=Fail(429, "slow down", headers={"Retry-After": "0.2"})) as server:
        error = fails(server, make, ask)
    assert type(error) is RateLimited
    assert (error.code, error.status, error.retry_after, error.failure) == ("E0603", 429, 0.2, FailureKind.SAFE)
    assert "slow down" in str(error)
    assert cause(error) == "RateLimitError"
    assert len(server.requests) == 1, "the host decides what follows"


def test_429_that_asks_for_longer_than_the_deadline_is_a_rate_limit_and_no_time_out(make, ask):
    with OpenAIServer(then=Fail(429, headers={"Retry-After": "60"})) as server:
        started = time.monotonic()
        error = fails(server, make, ask, timeout=0.3)
    assert type(error) is RateLimited
    assert error.retry_after == 60
    assert time.monotonic() - started < PATIENCE


def test_a_used_up_quota_is_not_worth_asking_again(make, ask):
    with OpenAIServer(then=Fail(429, "You exceeded your quota", code="insufficient_quota")) as server:
        error = fails(server, make, ask)
    assert (type(error), error.status, error.retryable) == (ProviderError, 429, False)


@pytest.mark.parametrize("status", [500, 502, 503, 529, 408, 409])
def test_trouble_on_the_servers_side(make, ask, status):
    with OpenAIServer(then=Fail(status, "oops")) as server:
        error = fails(server, make, ask)
    assert type(error) is ProviderUnavailable
    assert (error.code, error.status, error.retryable) == ("E0605", status, True)
    assert cause(error) in {"InternalServerError", "APIStatusError", "ConflictError"}


@pytest.mark.parametrize(
    ("status", "failure"), [(500, FailureKind.UNCERTAIN), (502, FailureKind.UNCERTAIN), (503, FailureKind.SAFE)]
)
def test_what_is_not_taken_did_nothing_and_is_told_from_what_broke(make, ask, status, failure):
    with OpenAIServer(then=Fail(status, headers={"Retry-After": "3"})) as server:
        error = fails(server, make, ask)
    assert (error.failure, error.retry_after, len(server.requests)) == (failure, 3.0, 1)


def test_no_reply_within_the_deadline(make, ask):
    with OpenAIServer(then=Hang()) as server:
        started = time.monotonic()
        error = fails(server, make, ask, timeout=0.3)
    assert type(error) is ProviderTimeout
    assert (error.code, error.retryable) == ("E0602", True)
    assert 0.3 <= time.monotonic() - started < PATIENCE


@pytest.mark.parametrize("halfway", [False, True])
def test_a_closed_connection(make, ask, halfway):
    with OpenAIServer(then=HangUp(halfway)) as server:
        error = fails(server, make, ask)
    assert type(error) is ProviderUnavailable
    assert error.__cause__ is not None
    assert "closed the connection" in str(error)
    assert (error.failure, len(server.requests)) == (FailureKind.UNCERTAIN, 1)


def test_nobody_listens(make, ask):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        error = fails(None, make, ask, endpoint=endpoint)
    assert type(error) is ProviderUnavailable
    assert error.usage == Usage(0, 0), "nothing was sent"
    assert error.failure is FailureKind.SAFE


def test_what_failed_after_it_was_sent_may_have_cost_something(make, ask):
    with OpenAIServer([HangUp()]) as server:
        assert fails(server, make, ask).usage is None
    assert fails(server, make, ask).usage == Usage(0, 0), "the server is gone: no connection"
    with OpenAIServer(then=Hang()) as server:
        assert fails(server, make, ask, timeout=0.3).usage is None
    with OpenAIServer(then=Fail(500)) as server:
        assert fails(server, make, ask).usage is None


@pytest.mark.parametrize(
    "behaviour",
    [
        Raw(b'{"id": "x", "choi'),
        Raw(b""),
        Raw(b"null"),
        Raw(b"[]"),
        Raw(b'"text"'),
        Raw(b'{"choices": []}'),
        Raw(b'{"choices": 5}'),
        Raw(b'{"choices": [null]}'),
        Raw(b'{"choices": [{}]}'),
        Raw(b'{"choices": [{"message": {"content": 5}}]}'),
        Raw(b'{"choices": [{"message": {"content": null, "tool_calls": []}}]}'),
        Raw(b"<html>Welcome to the wifi</html>", "text/html"),
        Raw(b"\xff\xfe", "application/json"),
        Raw(b"[" * 100_000),
        Say("cut", finish_reason="length"),
    ],
    ids=lambda behaviour: repr(behaviour)[:60],
)
def test_what_is_no_completion_is_a_bad_reply(make, ask, behaviour):
    with OpenAIServer(then=behaviour) as server:
        error = fails(server, make, ask)
    assert type(error) is BadReply
    assert error.code == "E0606"


@pytest.mark.parametrize("text", ["It is positive", "", '{"valu": "positive"}', '{"value": ', "[" * 100_000])
def test_an_answer_that_is_not_the_agreed_json_is_a_bad_reply(make, ask, text):
    with OpenAIServer(then=Say(text)) as server:
        error = fails(server, make, ask, returns=EnumType((Keyword("positive"),)))
    assert type(error) is BadReply


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (Say("", finish_reason="content_filter"), "withheld by the provider's content filter"),
        (Say(None, refusal="I cannot help with that."), "the model refused: 'I cannot help with that.'"),
        (Fail(400, "violates the policy", code="content_filter"), "content filter refused the request: violates"),
    ],
)
def test_a_refusal_is_no_bad_reply(make, ask, behaviour, words):
    with OpenAIServer(then=behaviour) as server:
        error = fails(server, make, ask)
    assert (type(error), error.code, error.failure) == (ReplyRefused, "E0615", FailureKind.HERE)
    assert words in str(error)


def test_a_wrong_key(make, ask):
    with OpenAIServer(key="another") as server:
        error = fails(server, make, ask)
    assert type(error) is ProviderAuthError
    assert (error.code, error.status, error.retryable) == ("E0604", 401, False)
    assert "check the key in OPENAI_API_KEY" in str(error)
    assert cause(error) == "AuthenticationError"


def test_a_server_that_repeats_the_key_does_not_get_it_into_the_message(make, ask):
    with OpenAIServer(then=Fail(403, f"key {SECRET} is not allowed")) as server:
        error = fails(server, make, ask)
    assert type(error) is ProviderAuthError
    assert "key [secret] is not allowed" in str(error)


def test_a_missing_key_names_the_variable_and_the_way_out_and_asks_nobody(make, ask):
    with OpenAIServer() as server:
        error = fails(server, make, ask, environ={}, api_key_env="ACME_KEY")
    assert type(error) is ProviderAuthError
    assert (error.code, error.usage) == ("E0604", Usage(0, 0))
    assert "ACME_KEY is not set" in str(error)
    assert 'api_key_env = ""' in str(error)
    assert server.requests == []
    with pytest.raises(ProviderAuthError, match="OPENAI_API_KEY is not set"):
        ask(make(environ={}), inference_request("x"))


@pytest.mark.parametrize(
    ("status", "says"), [(400, "bad"), (404, "check the endpoint and the model's name"), (422, "bad")]
)
def test_a_request_that_the_server_refuses(make, ask, status, says):
    with OpenAIServer(then=Fail(status, "bad")) as server:
        error = fails(server, make, ask)
    assert (type(error), error.status, error.retryable) == (ProviderError, status, False)
    assert says in str(error)
    assert len(server.requests) == 1


def test_a_wrong_path_in_the_endpoint(make, ask):
    with OpenAIServer() as server:
        error = fails(server, make, ask, endpoint=server.url.removesuffix("/v1"))
    assert error.status == 404
    assert "check the endpoint" in str(error)


def test_the_traceback_does_not_show_the_key(make, ask):
    with OpenAIServer(then=Fail(500)) as server:
        error = fails(server, make, ask)
    assert SECRET not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after-ms": "250", "retry-after": "3"}, 0.25),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:10 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 10.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:27:00 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:10 GMT"}, None),
        ({"retry-after": f"Wed, 21 Oct {10**20} 07:28:10 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
    ],
)
def test_how_long_to_wait(headers, seconds):
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("cause", "failure"),
    [
        (httpx2.ConnectTimeout, FailureKind.SAFE),
        (httpx2.PoolTimeout, FailureKind.SAFE),
        (httpx2.ReadTimeout, FailureKind.UNCERTAIN),
    ],
)
def test_a_time_out_before_there_was_a_connection_did_nothing(cause, failure):
    import openai

    timed_out = openai.APITimeoutError(request=httpx2.Request("POST", "http://127.0.0.1/v1"))
    timed_out.__cause__ = cause("late")
    error = Teller("m", "", lambda text: text).of(timed_out)
    assert (type(error), error.failure) == (ProviderTimeout, failure)


@pytest.mark.parametrize("content", [b"<html>sign in</html>", b'{"choices": [NaN]}'])
def test_what_answers_without_json_is_no_model_s_server(make, ask, content):
    with OpenAIServer(then=Raw(content)) as server:
        error = fails(server, make, ask)
    assert (type(error), error.failure) == (BadReply, FailureKind.UNCERTAIN)
