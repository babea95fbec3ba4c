"""What a server refuses, does not know, or never says; and how credentials get there."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rtfs_framework.api import PluginError, blob_path

DATA = b"some bytes"
DIGEST = sha256(DATA).hexdigest()
MOST = 10_000


def fails(code, words, work, *arguments):
    with pytest.raises(PluginError, match=words) as caught:
        work(*arguments)
    assert caught.value.code == code
    return str(caught.value)


@pytest.fixture
def scripted():
    """A server that answers requests by a function of their method, path and headers to status and bytes."""
    servers = []

    def start(answer):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                seen.append((self.command, self.path, dict(self.headers.items())))
                status, data = answer(*seen[-1])
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("ETag", '"e"')
                self.send_header("Last-Modified", "Mon, 30 Nov 2026 00:00:00 GMT")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            do_GET = do_HEAD = do_DELETE = do_PUT  # noqa: N815 - what the library calls

            def log_message(self, *_):
                pass

        seen = []
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}", seen

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def test_more_names_than_one_page_holds_are_listed(s3_url, made):
    store = made(s3_url)
    names = [f"many/{i:04}" for i in range(1_050)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: store.point(name, b""), names))
    assert list(store.names("many/")) == names
    assert list(store.names("many/10")) == names[1_000:]


def test_a_damaged_blob_is_refused_and_mended_by_the_next_put(s3_url, made):
    store = made(s3_url)
    store._bucket.put(blob_path(DIGEST), b"other bytes")
    fails("E0824", "is another, or was cut off", store.get, DIGEST, MOST)
    store.put(DIGEST, DATA)
    assert store.get(DIGEST, MOST) == DATA


def test_a_wrong_secret_is_named_and_not_shown(s3_url, made):
    store = made(s3_url, {"KEY": "an-access-key", "SECRET": "sesame-sesame"})
    for work in (lambda: store.get(DIGEST, MOST), lambda: store.put(DIGEST, DATA), lambda: store.names("")):
        words = r"does not let it in \(SignatureDoesNotMatch\)\n  help: see that the credentials \(KEY, SECRET\)"
        said = fails("E0821", words, work)
        assert "sesame" not in said


def test_without_credentials_nobody_is_let_in(s3_url, made):
    fails("E0821", "does not let it in", made(s3_url, key_id_env="", secret_env="").put, DIGEST, DATA)


def test_a_bucket_that_is_not_there_is_named(s3_url, made):
    store = made(s3_url, bucket="no-such-bucket")
    fails("E0821", "there is no bucket 'no-such-bucket'\n  help: make it", store.get, DIGEST, MOST)


@pytest.mark.parametrize(
    ("own", "environ", "words"),
    [
        ({"bucket": None}, {}, "its table names no bucket\n  help: add `bucket`"),
        ({}, {}, "the environment variable 'KEY' is not set"),
        ({}, {"KEY": "a"}, "the environment variable 'SECRET' is not set"),
        ({"session_token_env": "T"}, {"KEY": "a", "SECRET": "b"}, "the environment variable 'T' is not set"),
        ({"endpoint": "s3.example"}, {"KEY": "a", "SECRET": "b"}, "its `endpoint` "),
    ],
)
def test_what_cannot_be_used_is_refused_at_the_start(made, own, environ, words):
    fails("E0821", words, lambda: made("https://s3.example", environ, **own))


def test_where_a_server_cannot_write_under_a_condition_it_writes_without(scripted, made):
    def answer(method, _path, headers):
        conditional = method == "PUT" and "if-none-match" in {name.lower() for name in headers}
        return (501, b"<Error><Code>NotImplemented</Code></Error>") if conditional else (200, b"")

    url, seen = scripted(answer)
    made(url, retries=0, prefix="p").put(DIGEST, DATA)
    assert [(method, path) for method, path, _ in seen] == [("PUT", f"/programs/p/{blob_path(DIGEST)}")] * 2


def test_what_may_pass_is_tried_again_so_often(scripted, made):
    url, seen = scripted(lambda *_: (503, b"<Error><Code>SlowDown</Code><Message>words of a server</Message></Error>"))
    said = fails("E0820", "it answers SlowDown\n  help: see that the server", made(url, retries=1).read, "a", MOST)
    assert len(seen) == 2
    assert "words of a server" not in said


def test_nobody_there_is_unreachable(made):
    fails("E0820", "the connection failed", made("http://127.0.0.1:9", retries=0, timeout=2.0).read, "a", MOST)


def test_what_is_larger_is_not_read(scripted, made):
    url, _ = scripted(lambda *_: (200, b"x" * 20_000))
    fails("E0823", "has 20,000 bytes, more than the 10,000", made(url).read, "a", MOST)


def test_a_proxy_is_asked_in_its_place(scripted, made):
    url, seen = scripted(lambda *_: (200, b"data"))
    store = made("http://s3.example", {"KEY": "a", "SECRET": "b", "http_proxy": url}, prefix="p")
    assert store.read("a", MOST) == b"data"
    assert seen[0][1] == "http://s3.example/programs/p/names/a%3D"


def test_a_token_of_credentials_that_end_goes_along(scripted, made):
    url, seen = scripted(lambda *_: (200, b"data"))
    made(url, {"KEY": "a", "SECRET": "b", "T": "token"}, session_token_env="T").read("a", MOST)
    assert {name.lower(): value for name, value in seen[0][2].items()}["x-amz-security-token"] == "token"
