"""Replies without bounds, late, cut off or packed to burst: refused within what the grant and the call allow."""

from __future__ import annotations

import gzip
import threading
import zlib

import pytest

from rtfs_framework.api import CapabilityError, FailureKind, Keyword, Map

MOST = 100_000


def _call(web, told, *, deadline=20.0, **own):
    web.good.script["/"] = told
    return web.call(f"http://good.example:{web.good.port}/", web.grant(most_bytes=MOST, **own), deadline=deadline)


def _chunks(pieces, headers=()):
    def serve(handler):
        handler.send_response(200)
        for name, value in (("Transfer-Encoding", "chunked"), *headers):
            handler.send_header(name, value)
        handler.end_headers()
        try:
            for piece in pieces:
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            handler.wfile.write(b"0\r\n\r\n")
        except OSError:
            pass
        handler.close_connection = True

    return serve


def _endless(piece):
    while True:
        yield piece


def _packed_nothing():
    """Blocks of deflate that unpack to no byte, without an end."""
    yield zlib.compressobj().flush(zlib.Z_SYNC_FLUSH)
    yield from _endless(b"\0\0\0\xff\xff" * 800)


def _raw(data):
    def serve(handler):
        handler.wfile.write(data)
        handler.close_connection = True

    return serve


@pytest.mark.parametrize(
    "told",
    [
        (200, {}, b"x" * (MOST + 1)),
        _chunks(_endless(b"x" * 4096)),
        (200, {"Content-Encoding": "gzip"}, gzip.compress(b"\0" * 20_000_000)),
        (200, {"Content-Encoding": "deflate"}, zlib.compress(b"\0" * 20_000_000)),
        _chunks(_packed_nothing(), (("Content-Encoding", "deflate"),)),
        (500, {}, b"x" * (MOST + 1)),
    ],
    ids=["long", "endless", "gzip bomb", "deflate bomb", "packed nothing", "an error's"],
)  # fmt: skip
def test_replies_that_are_too_large(web, told):
    with pytest.raises(CapabilityError) as caught:
        _call(web, told)
    assert "raise `most_bytes`" in str(caught.value)
    assert caught.value.kind == "NetworkError"


def test_what_was_sent_may_have_been_done_though_the_reply_is_too_large(web):
    web.good.script["/"] = (200, {}, b"x" * (MOST + 1))
    with pytest.raises(CapabilityError) as caught:
        web.send(f"http://good.example:{web.good.port}/", web.grant(methods=("POST",), most_bytes=MOST))
    assert caught.value.failure is FailureKind.UNCERTAIN
    assert [seen[0] for seen in web.good.seen] == ["POST"]


def test_the_largest_reply_is_taken(web):
    assert len(_call(web, (200, {}, b"x" * MOST)).get(Keyword("body"))) == MOST


@pytest.mark.parametrize("coding", ["gzip, gzip", "br", "zstd", "compress", "x-unknown"])
def test_bodies_packed_in_ways_that_were_not_asked_for(web, coding):
    with pytest.raises(CapabilityError, match="packed in a way that was not asked for"):
        _call(web, (200, {"Content-Encoding": coding}, b"xxxx"))


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nshort!",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 400_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 60_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\n X: y\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"",
    ],
    ids=["cut off", "two lengths", "no chunk", "odd framing", "a long header", "many headers", "folded",
         "ssh", "nothing"],
)  # fmt: skip
def test_what_is_no_http(web, data):
    with pytest.raises(CapabilityError) as caught:
        _call(web, _raw(data))
    assert (caught.value.kind, caught.value.failure) == ("NetworkError", FailureKind.UNCERTAIN)


def test_damaged_packing(web):
    with pytest.raises(CapabilityError, match="cannot be unpacked"):
        _call(web, (200, {"Content-Encoding": "gzip"}, b"no gzip at all"))


def test_two_replies_to_one_request_and_words_after_a_reply_are_not_read(web):
    second = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    reply = _call(web, _raw(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood" + second))
    assert reply.get(Keyword("body")) == "good"


@pytest.mark.parametrize("by", ["the deadline", "the call"])
def test_a_server_that_lets_one_wait(web, by):
    released = threading.Event()

    def wait(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun")
        released.wait(20)

    web.good.script["/"] = wait
    url = f"http://good.example:{web.good.port}/"
    ask = url if by == "the deadline" else Map.of([(Keyword("url"), url), (Keyword("timeout"), 0.1)])
    try:
        with pytest.raises(CapabilityError, match=r"did not answer within 0\.1 s") as caught:
            web.call(ask, deadline=0.1 if by == "the deadline" else 20.0)
    finally:
        released.set()
    assert (caught.value.kind, caught.value.failure) == ("NetworkError", FailureKind.UNCERTAIN)


@pytest.mark.parametrize("seconds", [0, -1, 3601, float("nan"), float("inf"), "1", True])
def test_times_that_mean_nothing(web, seconds):
    with pytest.raises(CapabilityError, match=":timeout"):
        web.call(Map.of([(Keyword("url"), f"http://good.example:{web.good.port}/"), (Keyword("timeout"), seconds)]))
    assert web.good.seen == []
