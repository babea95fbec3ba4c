"""Replies that are too large, packed, or elsewhere: what a server sends is measured while it is read."""

from __future__ import annotations

import gzip
import json
import zlib
from itertools import repeat

import pytest

from rtfs_framework.api import BadReply, ProviderError, ProviderRedirected, ProviderTimeout, ReplyTooLarge
from rtfs_framework.testing.fakes import inference_request
from rtfs_framework.testing.openai_server import Drip, OpenAIServer, Raw, Say

MIB = 1024 * 1024
SMALL = 64 * 1024
GOOD = json.dumps({"choices": [{"message": {"content": "ok"}}]}).encode()


def packed_deflate(data):
    return zlib.compress(data)


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def fails(make, ask, server, *, timeout=60.0, **own):
    with pytest.raises(ProviderError) as raised:
        ask(make(server, **own), inference_request("x", timeout=timeout))
    return raised.value


def test_a_body_without_end_is_read_up_to_the_bound(make, ask):
    with OpenAIServer(then=Drip(repeat(b"x" * SMALL))) as server:
        error = fails(make, ask, server)
        assert (type(error), error.code, error.retryable) == (ReplyTooLarge, "E0607", False)
        assert "larger than 16,777,216 bytes; raise max_reply" in str(error)
        assert len(server.requests) == 1
    assert server.sent < 16 * MIB + 32 * MIB  # what the sockets hold on the way


def test_a_body_that_says_it_is_too_large_is_not_read(make, ask):
    with OpenAIServer(then=Drip(repeat(b"x" * SMALL), headers={"Content-Length": str(10**12)})) as server:
        assert type(fails(make, ask, server)) is ReplyTooLarge
    assert server.sent < 16 * MIB


@pytest.mark.parametrize("length", ["-1", "1e3", "9" * 40, "ten"])
def test_a_length_that_is_none_ends_no_request_in_another_error(make, ask, length):
    with OpenAIServer(then=Drip([GOOD], headers={"Content-Length": length})) as server:
        assert fails(make, ask, server).code in {"E0605", "E0607"}


@pytest.mark.parametrize(
    ("name", "pack"), [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", packed_deflate),
                       ("deflate", raw_deflate), ("GZIP", gzip.compress)]
)  # fmt: skip
def test_a_packed_reply_is_measured_as_it_is_unpacked(make, ask, name, pack):
    bomb = pack(b" " * (64 * MIB) + GOOD)
    assert len(bomb) < MIB
    with OpenAIServer(then=Raw(bomb, headers={"Content-Encoding": name})) as server:
        assert type(fails(make, ask, server)) is ReplyTooLarge
    with OpenAIServer(then=Raw(pack(GOOD), headers={"Content-Encoding": name})) as server:
        assert ask(make(server), inference_request("x")).text == "ok"
        assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("packings", ["br", "zstd", "gzip, gzip", "gzip, br", "gzip," * 50 + "gzip", "\x1b[2J"])
def test_a_reply_packed_in_a_way_that_nobody_asked_for_is_refused_before_it_is_unpacked(make, ask, packings):
    twice = gzip.compress(gzip.compress(b" " * (64 * MIB)))
    with OpenAIServer(then=Raw(twice, headers={"Content-Encoding": packings})) as server:
        error = fails(make, ask, server)
    assert type(error) in (BadReply, ProviderError) or error.code == "E0605"
    assert "\x1b" not in str(error)


@pytest.mark.parametrize("name", ["gzip", "x-gzip", "deflate"])
def test_a_damaged_packed_reply_is_a_bad_reply_and_asked_for_once(make, ask, name):
    good = gzip.compress(GOOD) if "gzip" in name else packed_deflate(GOOD)
    flipped = good[:12] + bytes(each ^ 0xFF for each in good[12:])
    for raw in (flipped, b"not packed at all", good[: len(good) // 2], GOOD):
        with OpenAIServer(then=Raw(raw, headers={"Content-Encoding": name})) as server:
            error = fails(make, ask, server)
            assert (type(error), error.code) == (BadReply, "E0606"), error
            assert len(server.requests) == 1


@pytest.mark.parametrize(("status", "code"), [(500, "E0605"), (401, "E0604")])
def test_a_damaged_error_page_leaves_the_status_to_tell(make, ask, status, code):
    raw = Raw(b"not packed at all", status=status, headers={"Content-Encoding": "gzip"})
    with OpenAIServer(then=raw) as server:
        error = fails(make, ask, server)
        assert error.code == code
        assert error.status == status


def test_packed_data_that_unpacks_to_nothing_is_bounded_too(make, ask):
    empty_blocks = b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\0\0\0\xff\xff" * 400_000
    with OpenAIServer(then=Drip(repeat(empty_blocks), headers={"Content-Encoding": "gzip"})) as server:
        assert fails(make, ask, server).code in {"E0605", "E0606", "E0607"}
    assert server.sent < 64 * MIB


def test_the_bound_is_a_setting_and_holds_to_the_byte(make, ask):
    body = GOOD + b" " * (2048 - len(GOOD))
    with OpenAIServer(then=Raw(body)) as server:
        assert ask(make(server, max_reply=2048), inference_request("x")).text == "ok"
        assert type(fails(make, ask, server, max_reply=2047)) is ReplyTooLarge


@pytest.mark.parametrize("status", [400, 500])
def test_the_end_of_an_error_page_is_read_by_nobody(make, ask, status):
    page = b"<h1>broken</h1>" + b"<p>x</p>" * 400_000
    with OpenAIServer(then=Drip(repeat(page), status=status)) as server:
        error = fails(make, ask, server)
    assert error.status == status
    assert "broken" in str(error)
    assert len(str(error)) < 400
    assert server.sent < 64 * MIB


def test_json_of_very_many_values_is_refused_before_they_are_made(make, ask):
    many = b'{"choices": [' + b"{}," * 1_000_000 + b"{}]}"
    with OpenAIServer(then=Raw(many)) as server:
        error = fails(make, ask, server)
    assert type(error) is BadReply
    assert "more than 500,000 values" in str(error)


def test_a_large_reply_below_the_bound_is_read(make, ask):
    with OpenAIServer(then=Say("y, " * 300_000)) as server:
        assert len(ask(make(server), inference_request("x")).text) == 900_000


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_not_followed_and_named(make, ask, status):
    with OpenAIServer() as other:
        target = other.url.replace("127.0.0.1", "localhost") + "/chat/completions?secret=1"
        with OpenAIServer(then=Raw(b"", status=status, headers={"Location": target})) as server:
            error = fails(make, ask, server)
        assert other.requests == []
        assert len(server.requests) == 1
    assert (type(error), error.code, error.status) == (ProviderRedirected, "E0608", status)
    assert "points to http://localhost:" in str(error)
    assert "'endpoint'" in str(error)
    assert "secret=1" not in str(error)


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_would_drop_the_request_is_not_followed(make, ask, status):
    with OpenAIServer(then=Raw(b"", status=status, headers={"Location": "/v1/chat/completions"})) as server:
        assert type(fails(make, ask, server)) is ProviderRedirected
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_within_the_origin_that_keeps_the_request_is_followed(make, ask, status):
    moved = Raw(b"", status=status, headers={"Location": "/v1/chat/completions"})
    with OpenAIServer([moved, Say("there")]) as server:
        assert ask(make(server), inference_request("x")).text == "there"
    assert server.requests[0].body == server.requests[1].body
    assert server.requests[1].headers["authorization"] == server.requests[0].headers["authorization"]


def test_redirects_without_end_are_not_followed_for_ever(make, ask):
    with OpenAIServer(then=Raw(b"", status=307, headers={"Location": "/v1/chat/completions"})) as server:
        assert fails(make, ask, server).code == "E0605"
    assert len(server.requests) < 10


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "//elsewhere.example/v1", "http://127.0.0.1:1/v1", "https://127.0.0.1/", "http://[::1/v1",
     "http://user:pw@elsewhere.example/", "javascript:1", "http://elsewhere.example/\x1b[2J", "http://xn--/"],
)  # fmt: skip
def test_wherever_a_redirect_points_the_request_stays(make, ask, location):
    with OpenAIServer(then=Raw(b"", status=307, headers={"Location": location})) as server:
        error = fails(make, ask, server)
    assert len(server.requests) == 1
    assert type(error) is ProviderRedirected
    assert "user:pw" not in str(error)
    assert "\x1b" not in str(error)


@pytest.mark.parametrize("pieces", [[b"x"], [b" "], [b"\n"]])
def test_a_body_that_drips_ends_at_the_deadline(make, ask, pieces):
    with OpenAIServer(then=Drip(repeat(pieces[0]), pause=0.02)) as server:
        error = fails(make, ask, server, timeout=0.3)
    assert type(error) is ProviderTimeout


def test_headers_without_end_are_refused(make, ask):
    with OpenAIServer(then=Raw(GOOD, headers={f"X-{number}": "h" * 60_000 for number in range(20)})) as server:
        assert fails(make, ask, server).code == "E0605"
