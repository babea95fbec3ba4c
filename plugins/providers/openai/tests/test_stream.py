"""Replies piece by piece, from a real server on loopback: whole ones, and every way in which a stream can break."""

from __future__ import annotations

import json
import time

import attrs
import pytest

from rtfs_framework.api import (
    BadReply,
    FailureKind,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    ReplyRefused,
    ReplyTooLarge,
    Usage,
)
from rtfs_framework.lang.types.model import EnumType
from rtfs_framework.lang.values import Keyword
from rtfs_framework.testing.fakes import inference_request
from rtfs_framework.testing.openai_server import Drip, Fail, OpenAIServer, Raw, Say, Stream, say_json
from rtfs_provider_openai.stream import Events

LONG = "Once upon a time there was a server. " * 20
PATIENCE = 25


@pytest.fixture
def heard():
    return []


@pytest.fixture
def follow(make, ask, heard):
    """Return a function that asks for a text and listens."""

    def followed(server, *, timeout=20.0, **own):
        request = attrs.evolve(inference_request("x", timeout=timeout), on_text=heard.append)
        return ask(make(server, **own), request)

    return followed


def chunk(content=None, finish=None, **more):
    delta = {} if content is None else {"content": content}
    return {"choices": [{"index": 0, "delta": {**delta, **more}, "finish_reason": finish}]}


def events(*chunks, end=True):
    texts = [each if isinstance(each, str) else json.dumps(each) for each in chunks]
    return b"".join(f"data: {text}\n\n".encode() for text in (*texts, *(["[DONE]"] if end else [])))


def sent(content):
    return Raw(content, "text/event-stream")


def test_a_text_arrives_in_pieces_that_are_the_reply(follow, heard):
    with OpenAIServer([Say(LONG, usage=(11, 4))]) as server:
        reply = follow(server)
    assert (reply.text, reply.model, reply.usage) == (LONG, "m", Usage(11, 4))
    assert "".join(heard) == LONG
    assert len(heard) > 10
    body = server.requests[0].body
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})


def test_pieces_are_passed_on_while_the_rest_is_still_to_come(follow, heard):
    with OpenAIServer([Stream(Say(LONG), pieces=5, then="stall")]) as server:
        started = time.monotonic()
        with pytest.raises(ProviderTimeout, match="the stream did not end within") as raised:
            follow(server, timeout=0.5)
    assert "".join(heard) == LONG[:16]
    assert (raised.value.failure, raised.value.usage) == (FailureKind.UNCERTAIN, None)
    assert time.monotonic() - started < PATIENCE


@pytest.mark.parametrize("then", ["break", "stop"])
def test_a_stream_that_breaks_off_is_uncertain(follow, heard, then):
    with OpenAIServer([Stream(Say(LONG), pieces=5, then=then)]) as server, pytest.raises(ProviderError) as raised:
        follow(server)
    assert type(raised.value) is ProviderUnavailable
    assert "the reply broke off" in str(raised.value)
    assert (raised.value.failure, raised.value.usage) == (FailureKind.UNCERTAIN, None)
    assert "".join(heard) == LONG[:16]


def test_what_a_server_counted_before_its_stream_broke_is_in_the_error(follow):
    counted = {**chunk("Once"), "usage": {"prompt_tokens": 30, "completion_tokens": 1}}
    with OpenAIServer([sent(events(counted, end=False))]) as server, pytest.raises(ProviderUnavailable) as raised:
        follow(server)
    assert raised.value.usage == Usage(30, 1)


def test_a_stream_without_an_end_mark_that_says_why_it_ends_is_whole(follow):
    with OpenAIServer([sent(events(chunk("hi"), chunk(finish="stop"), end=False))]) as server:
        assert follow(server).text == "hi"


def test_an_error_in_a_stream_is_told_and_uncertain_once_the_model_spoke(follow, heard):
    error = {"message": "slow down", "code": "rate_limit_exceeded"}
    script = [Stream(Say(LONG), pieces=3, error=error), sent(events({"error": error}))]
    with OpenAIServer(script) as server:
        with pytest.raises(ProviderError, match="slow down") as late:
            follow(server)
        with pytest.raises(ProviderError, match="slow down") as early:
            follow(server)
    assert (late.value.failure, early.value.failure) == (FailureKind.UNCERTAIN, FailureKind.SAFE)
    assert "".join(heard) == LONG[:8]


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (events("{"), BadReply, "holds an event that is no JSON"),
        (b"data: \xff\xfe\n\n", BadReply, "holds an event that is no JSON"),
        (events(chunk("x"), "nonsense"), BadReply, "holds an event that is no JSON"),
        (events(), BadReply, "no chat completion: no choices"),
        (b"", ProviderUnavailable, "broke off"),
        (events([], 5, {"choices": []}, {"choices": [7]}), BadReply, "no chat completion: no choices"),
        (events(chunk("half"), end=False), ProviderUnavailable, "broke off"),
        (events(chunk(finish="stop", reasoning_content="hm")), BadReply, "only reasoning, and no answer"),
        (events(chunk("<think>hm"), chunk(finish="stop")), BadReply, "only reasoning, and no answer"),
        (events(chunk("half"), chunk(finish="length")), BadReply, "cut off at the limit of tokens"),
        (events(chunk("half"), chunk(finish="content_filter")), ReplyRefused, "withheld"),
        (events(chunk(refusal="I ca"), chunk(refusal="n't", finish="stop")), ReplyRefused, "refused: 'I can't'"),
    ],
)
def test_a_stream_that_is_no_answer(follow, content, error, words):
    with OpenAIServer([sent(content)]) as server, pytest.raises(error, match=words) as raised:
        follow(server)
    assert type(raised.value) is error


def test_a_stream_is_bounded(follow):
    endless = Drip(iter(lambda: b"data: {}\n\n" * 100, None), headers={"Content-Type": "text/event-stream"})
    with OpenAIServer([endless]) as server, pytest.raises(ReplyTooLarge):
        follow(server, max_reply=4096)
    assert server.sent < 10_000_000


def test_a_server_that_does_not_stream_says_all_at_once(follow, heard):
    whole = json.dumps({"choices": [{"message": {"content": "all of it"}}]}).encode()
    with OpenAIServer([Raw(whole)]) as server:
        assert follow(server).text == "all of it"
    assert heard == ["all of it"]


def test_an_error_before_any_piece_is_the_error_that_it_is(follow, heard):
    with OpenAIServer([Fail(429, headers={"Retry-After": "3"})]) as server, pytest.raises(ProviderError) as raised:
        follow(server)
    assert (raised.value.failure, raised.value.retry_after, heard) == (FailureKind.SAFE, 3.0, [])


def test_a_typed_answer_is_not_streamed(make, ask, heard):
    mood = EnumType((Keyword("positive"),))
    request = attrs.evolve(inference_request("x", returns=mood), on_text=heard.append)
    with OpenAIServer([say_json({"value": "positive"})]) as server:
        assert ask(make(server), request).data == "positive"
    assert (heard, "stream" in server.requests[0].body) == ([], False)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_the_same_in_pieces_of_any_size(size):
    raw = b': hello\r\nevent: x\r\ndata: {"a":\r\ndata: 1}\r\n\r\ndata:2\n\n\ndata: last'
    reader = Events()
    found = [data for at in range(0, len(raw), size) for data in reader.feed(raw[at : at + size])]
    assert [*found, *reader.finish()] == [b'{"a":\n1}', b"2", b"last"]
