"""Every way in which a host can fail, and what it is evidence of."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest

from rtfs_framework.api import (
    BadReply,
    FailureKind,
    Keyword,
    ProviderAuthError,
    ProviderDeclined,
    ProviderError,
    ProviderRedirected,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    RemoteFailed,
    ReplyTooLarge,
)


def failing(provider, request):
    """Return the error in which a request ends."""

    async def run():
        try:
            with pytest.raises(ProviderError) as raised:
                await provider.infer(request)
        finally:
            await provider.aclose()
        return raised.value

    return asyncio.run(run())


def problem(**error):
    return {
        "error": {"code": "E0940", "kind": "K", "message": "so it is", "retry_after": None, "elsewhere": [], **error}
    }


THROWN = '{:kind "MoodError" :message "no mood" :data {:code 7}}'


@pytest.mark.parametrize(
    ("status", "error", "kind", "failure"),
    [
        (400, {}, ProviderError, FailureKind.HERE),
        (401, {}, ProviderAuthError, FailureKind.HERE),
        (403, {}, ProviderAuthError, FailureKind.HERE),
        (404, {}, ProviderError, FailureKind.HERE),
        (408, {}, ProviderTimeout, FailureKind.FINAL),
        (408, {"kind": "TooLong"}, ProviderTimeout, FailureKind.HERE),
        (408, {"kind": "TooSlow"}, ProviderTimeout, FailureKind.SAFE),
        (409, {}, ProviderError, FailureKind.HERE),
        (413, {}, ProviderError, FailureKind.HERE),
        (421, {"elsewhere": ["https://south.example"]}, ProviderDeclined, FailureKind.HERE),
        (422, {"thrown": THROWN}, RemoteFailed, FailureKind.HERE),
        (422, {"kind": "NoTarget", "thrown": "no RTFS ["}, ProviderDeclined, FailureKind.HERE),
        (429, {"retry_after": 7}, RateLimited, FailureKind.SAFE),
        (500, {}, ProviderUnavailable, FailureKind.UNCERTAIN),
        (503, {"retry_after": 7}, ProviderUnavailable, FailureKind.SAFE),
        (508, {}, ProviderDeclined, FailureKind.HERE),
    ],
)
def test_a_status_is_evidence_of(scripted, provider_at, request_of, status, error, kind, failure):
    scripted.then = lambda *_: (status, {}, problem(**error))
    found = failing(provider_at(scripted.url), request_of(1))
    assert (type(found), found.failure, found.status) == (kind, failure, status)
    if "retry_after" in error:
        assert found.retry_after == 7
    if status == 421:
        assert found.elsewhere == ("https://south.example",)


def test_a_program_that_failed_there_tells_its_kind_and_data(scripted, provider_at, request_of):
    scripted.then = lambda *_: (422, {}, problem(thrown=THROWN))
    found = failing(provider_at(scripted.url), request_of(1))
    assert (found.kind, found.data.get(Keyword("code"))) == ("MoodError", 7)
    assert "no mood" in str(found)


def test_a_wait_in_the_header_counts(scripted, provider_at, request_of):
    scripted.then = lambda *_: (503, {"Retry-After": "3"}, b"<html>gateway</html>")
    found = failing(provider_at(scripted.url), request_of(1))
    assert (found.failure, found.retry_after) == (FailureKind.SAFE, 3.0)


def test_a_refused_connection_did_nothing(provider_at, request_of):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = failing(provider_at(f"http://127.0.0.1:{port}"), request_of(1))
    assert (type(found), found.failure) == (ProviderUnavailable, FailureKind.SAFE)


@pytest.mark.parametrize("then", [None, (200, {"Content-Length": "100"}, b'{"value": "1"')])
def test_a_connection_that_breaks_may_have_done_it(scripted, provider_at, request_of, then):
    scripted.then = lambda *_: then
    found = failing(provider_at(scripted.url), request_of(1))
    assert (type(found), found.failure) == (ProviderUnavailable, FailureKind.UNCERTAIN)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"\xff",
        {},
        {"value": 5},
        {"value": "(["},
        {"value": "#(+ 1 2)"},
        {"value": "##NaN"},
    ],
)
def test_an_answer_that_is_none_of_the_protocols(scripted, provider_at, request_of, body):
    scripted.then = lambda *_: (200, {}, body)
    found = failing(provider_at(scripted.url), request_of(1))
    assert type(found) is BadReply
    assert found.said is None  # a host cannot be told what is wrong with its answer


def test_a_reply_beyond_its_bound_is_not_read(scripted, provider_at, request_of):
    scripted.then = lambda *_: (200, {}, b" " * 5000)
    assert type(failing(provider_at(scripted.url, max_reply=1024), request_of(1))) is ReplyTooLarge


def test_a_redirect_is_not_followed(scripted, provider_at, request_of):
    scripted.then = lambda *_: (307, {"Location": "http://elsewhere.example/"}, b"")
    assert type(failing(provider_at(scripted.url), request_of(1))) is ProviderRedirected
    assert len(scripted.seen) == 1


def test_no_token_is_no_request(scripted, provider_at, request_of):
    found = failing(provider_at(scripted.url, token=None), request_of(1))
    assert "NORTH_TOKEN" in str(found)
    assert not scripted.seen


def test_half_a_character_is_not_sent(scripted, provider_at, request_of):
    assert "half a character" in str(failing(provider_at(scripted.url), request_of(1, source='(defn f [x] "\ud800")')))
    assert not scripted.seen


def test_what_is_sent_is_the_protocols(scripted, provider_at, request_of):
    scripted.then = lambda *_: (500, {}, problem())
    failing(provider_at(scripted.url), request_of(1, "x", key="k"))
    ((path, headers, body),) = scripted.seen
    sent = json.loads(body)
    assert (path, headers["RTFS-Protocol"], headers["Authorization"][:7]) == ("/v1/rtfs/run", "1", "Bearer ")
    assert (sent["args"], sent["entry"], sent["key"], sent["hops"], sent["via"]) == ('[1 "x"]', "f", "k", 3, [])
    assert sent["caller"] == {"run": "ab", "head": "1:cd", "call": "0:0"}
    assert 0 < sent["deadline"] <= 5
