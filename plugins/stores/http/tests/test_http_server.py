"""Servers that fail, lie, wait, and lead away."""

from __future__ import annotations

import time
from contextlib import suppress
from hashlib import sha256

import pytest

from rtfs_framework.api import PluginError, blob_path

DATA = b"some bytes" * 100
DIGEST = sha256(DATA).hexdigest()
MOST = 10_000


@pytest.fixture
def server(serving):
    found = serving()
    found.kept.put(DIGEST, DATA)
    found.kept.point("a/b", b"data")
    return found


def fails(code, words, work, *arguments):
    with pytest.raises(PluginError, match=words) as caught:
        work(*arguments)
    assert caught.value.code == code
    assert "words of a server" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_for_again(server, made, status):
    server.script = [(status, {}), (status, {})]
    assert made(server.url).get(DIGEST, MOST) == DATA
    assert len(server.seen) == 3


def test_a_server_that_goes_on_failing_is_unreachable(server, made):
    server.always = (500, {})
    fails(
        "E0820",
        f"{server.url}: it answers with status 500\n  help: see that",
        made(server.url, retries=1).read,
        "a/b",
        9,
    )
    assert len(server.seen) == 2


def test_nobody_there_is_unreachable(server, made):
    server.close()
    fails("E0820", "the connection failed or broke off", made(server.url, retries=0).missing, [DIGEST])


@pytest.mark.parametrize("status", [400, 405, 418, 206, 304])
def test_another_status_is_no_answer_and_is_not_asked_for_again(server, made, status):
    server.always = (status, {})
    fails("E0821", f"answers with status {status}", made(server.url).get, DIGEST, MOST)
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_refused_is_named_and_not_shown(server, made, status):
    server.always = (status, {"WWW-Authenticate": "sesame-sesame"})
    store = made(server.url, {"TOKEN": "sesame-sesame"}, token_env="TOKEN")
    assert "sesame" not in fails("E0821", "see that the token", store.get, DIGEST, MOST)


def test_the_token_goes_along(server, made):
    made(server.url, {"TOKEN": " sesame "}, token_env="TOKEN").read("a/b", 9)
    ((_, _, headers),) = server.seen
    assert headers["Authorization"] == "Bearer sesame"


@pytest.mark.parametrize(
    ("url", "environ", "words"),
    [
        (None, {}, "its table names no server\n  help: add `url`"),
        ("ftp://a.example", {}, "its `url` must begin with http"),
        ("http://user:word@a.example", {}, "its `url` "),
        ("https://a.example", {}, "the environment variable TOKEN is not set"),
        ("https://a.example", {"TOKEN": "a\nb"}, "the environment variable TOKEN holds what cannot be a token"),
        ("http://a.example", {"TOKEN": "sesame"}, "a token would go over plain http"),
        ("https://a.example", {"TOKEN": "sesame", "HTTPS_PROXY": "ftp://x"}, "HTTPS_PROXY names a proxy that cannot"),
        ("https://a.example", {"TOKEN": "sesame", "SSL_CERT_FILE": "/none"}, "SSL_CERT_FILE or SSL_CERT_DIR names no"),
    ],
)
def test_what_cannot_be_used_is_refused_at_the_start(made, url, environ, words):
    said = fails("E0821", words, lambda: made(url, environ, token_env="TOKEN"))
    assert "sesame" not in said
    assert "word@" not in said


def test_a_proxy_is_asked_in_its_place(server, made):
    store = made("http://programs.example/programs", {"http_proxy": server.url.removesuffix("/programs")})
    server.always = lambda handler: handler.answer(200, DATA)
    assert store.get(DIGEST, MOST) == DATA
    assert server.seen[0][1] == f"http://programs.example/programs/{blob_path(DIGEST)}"


def test_no_proxy_is_asked_for_what_is_excepted(server, made):
    environ = {"http_proxy": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
    assert made(server.url, environ).get(DIGEST, MOST) == DATA


def test_a_redirect_within_the_server_is_followed(server, made):
    server.script = [(302, {"Location": f"/programs/{blob_path(DIGEST)}"})]
    assert made(server.url).get(DIGEST, MOST) == DATA


def test_a_redirect_elsewhere_is_not(server, serving, made):
    other = serving(server.kept)
    store = made(server.url, {"TOKEN": "sesame"}, token_env="TOKEN")
    for location in (f"{other.url}/{blob_path(DIGEST)}", "//programs.example/x", "file:///etc/passwd", ""):
        server.script = [(302, {"Location": location})]
        fails("E0821", "leads on to another server\n  help: if that is where", store.get, DIGEST, MOST)
    assert other.seen == []


def test_a_redirect_in_a_circle_ends(server, made):
    server.always = (301, {"Location": "/programs/again"})
    fails("E0821", "leads on more than 3 times", made(server.url).get, DIGEST, MOST)


def test_other_bytes_than_those_of_the_digest_are_refused(server, made):
    server.kept.kept_blobs[DIGEST] = DATA[:-1] + b"x"
    fails("E0824", "is another, or was cut off\n  help: publish it again", made(server.url).get, DIGEST, MOST)


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        (len(DATA) + 50, "E0820", "broke off"),
        (10**12, "E0823", "has 1,000,000,000,000 bytes, more than the 10,000"),
        (10**30, "E0820", "broke off"),
    ],
)
def test_a_length_that_is_too_long_is_found(server, made, said, code, words):
    def lie(handler):
        handler.answer(200, DATA, {"Content-Length": str(said), "Connection": "close"})
        handler.close_connection = True

    server.always = lie
    fails(code, words, made(server.url, retries=0).get, DIGEST, MOST)


def test_a_length_that_is_too_short_is_found(server, made):
    server.always = lambda handler: handler.answer(200, DATA, {"Content-Length": str(len(DATA) - 50)})
    fails("E0824", "is another, or was cut off", made(server.url, retries=0).get, DIGEST, MOST)


def test_what_has_no_length_is_bounded_all_the_same(server, made):
    def pour(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        with suppress(OSError):  # the client has had enough
            for _ in range(100_000):
                handler.wfile.write(b"3e8\r\n" + b"x" * 1_000 + b"\r\n")
        handler.close_connection = True

    server.always = pour
    fails("E0823", "more than the 10,000 that are read", made(server.url).get, DIGEST, MOST)


def test_what_comes_encoded_is_refused(server, made):
    server.always = lambda handler: handler.answer(200, DATA, {"Content-Encoding": "gzip"})
    fails("E0824", "comes encoded", made(server.url).get, DIGEST, MOST)


def test_a_server_that_says_nothing_is_waited_for_so_long(server, made):
    server.always = lambda _: server.released.wait(30)
    fails("E0820", "no answer in time", made(server.url, retries=0, timeout=0.2).get, DIGEST, MOST)


def test_a_server_that_drips_is_waited_for_so_long(server, made):
    def drip(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        with suppress(OSError):  # the client has gone
            for _ in range(1_000):
                handler.wfile.write(b"x")
                handler.wfile.flush()
                time.sleep(0.02)
        handler.close_connection = True

    server.always = drip
    fails("E0820", "did not come within 0.3 s", made(server.url, retries=0, timeout=0.3).get, DIGEST, MOST)


def test_without_a_list_names_are_read_but_not_listed(server, made):
    store = made(server.url)
    server.script = [(404, {})]
    fails("E0821", "it hands out no names.txt", store.names, "")
    assert store.read("a/b", 9) == b"data"


@pytest.mark.parametrize("text", ["<html>", "../a\n", "a\n/b\n"])
def test_what_is_no_list_is_refused(server, made, text):
    server.always = lambda handler: handler.answer(200, text.encode())
    fails("E0824", "is no list of names", made(server.url).names, "")
