"""`rtfs models pull`, from a real server that cuts off, moves, changes and lies."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytest.importorskip("httpx2")

from rtfs_framework.cli import pulling
from rtfs_framework.cli.problems import InputError
from rtfs_framework.cli.pulling import Pull, server_of

CONTENT = bytes(range(256)) * 4096  # 1 MiB
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Files:
    """A server of one file. `faults` are used up one by one, one for each request: what is wrong with its answer."""

    def __init__(self):
        self.content, self.etag, self.faults, self.seen = CONTENT, '"v1"', [], []
        self.arrived, self.over = threading.Event(), threading.Event()
        files = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                files.seen.append((self.path, dict(self.headers)))
                files.answer(self, files.faults.pop(0) if files.faults else {})
                self.close_connection = True

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http.server_address[1]}/models/phi.gguf"

    def answer(self, handler, fault):
        if "status" in fault:
            handler.send_response(fault["status"])
            for name, value in fault.get("headers", {}).items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        start, status, asked = 0, 200, handler.headers.get("Range")
        fresh = handler.headers.get("If-Range", self.etag) == self.etag
        if asked and fresh and not fault.get("no ranges"):
            start, status = int(asked.removeprefix("bytes=").rstrip("-")), 206
        if start >= len(self.content) and status == 206:
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(self.content)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        body = self.content[start:]
        handler.send_response(status)
        if status == 206:
            said = start + fault.get("shift", 0)
            handler.send_header("Content-Range", f"bytes {said}-{len(self.content) - 1}/{len(self.content)}")
        if not fault.get("no etag"):
            handler.send_header("ETag", self.etag)
        for name, value in fault.get("headers", {}).items():
            handler.send_header(name, value)
        if not fault.get("no length"):
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        with suppress(OSError):
            handler.wfile.write(body[: fault.get("cut", len(body))])
            handler.wfile.flush()
        if fault.get("hang"):
            self.arrived.set()
            self.over.wait(30)

    def close(self):
        self.over.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.fixture
def files():
    made = Files()
    yield made
    made.close()


@pytest.fixture
def pull(files, tmp_path):
    """Return a function that fetches the file, and never waits between two tries."""

    def run(**more):
        made = {"url": files.url, "sha256": DIGEST, "path": tmp_path / "phi.gguf", "pause": lambda _: None}
        return Pull(**{**made, **more}).run()

    return run


def left(folder):
    return sorted(each.name for each in folder.iterdir() if each.name.startswith("phi"))


def test_a_file_is_fetched_verified_and_alone(pull, tmp_path):
    told = []
    found = pull(tell=lambda done, total: told.append((done, total)))
    assert (found.path.read_bytes(), found.size, found.resumed) == (CONTENT, len(CONTENT), 0)
    assert left(tmp_path) == ["phi.gguf"]
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_what_is_there_already_is_verified_and_not_fetched(pull, files):
    pull()
    assert pull().was_there
    assert len(files.seen) == 1


def test_another_file_of_that_name_is_never_overwritten(pull, files, tmp_path):
    (tmp_path / "phi.gguf").write_bytes(b"mine")
    with pytest.raises(InputError, match="is there already and is another file"):
        pull()
    assert (tmp_path / "phi.gguf").read_bytes() == b"mine"
    assert files.seen == []


@pytest.mark.parametrize("more", [{}, {"no length": True, "no etag": True}])
def test_a_connection_that_is_lost_is_made_again_where_it_was(pull, files, more):
    files.faults = [{"cut": 300_000}, {"cut": 300_000}, more]
    assert pull().path.read_bytes() == CONTENT
    ranges = [headers.get("Range") for _, headers in files.seen]
    assert ranges == [None, "bytes=300000-", "bytes=600000-"]
    assert files.seen[1][1]["If-Range"] == '"v1"'


def test_a_server_that_is_busy_is_asked_again_and_one_that_stays_so_is_not_for_ever(pull, files, tmp_path):
    files.faults = [{"status": 503}, {"status": 429}]
    assert pull().path.read_bytes() == CONTENT
    files.faults = [{"status": 503}] * 20
    with pytest.raises(InputError, match="answered 503"):
        pull(path=tmp_path / "other")
    assert len(files.faults) == 15


def test_the_next_command_goes_on_where_the_last_one_ended(pull, files, tmp_path):
    files.faults = [{"cut": 700_000}, *[{"status": 503}] * 10]
    with pytest.raises(InputError, match=r"700,000 bytes are kept in phi\.gguf\.part"):
        pull()
    assert left(tmp_path) == ["phi.gguf.part", "phi.gguf.part.json"]
    files.faults = []
    found = pull()
    assert found.resumed == 700_000
    assert found.path.read_bytes() == CONTENT
    assert files.seen[-1][1]["Range"] == "bytes=700000-"
    assert left(tmp_path) == ["phi.gguf"]


def test_a_file_that_was_replaced_meanwhile_is_fetched_from_its_beginning(pull, files):
    files.faults = [{"cut": 700_000}, *[{"status": 503}] * 10]
    with pytest.raises(InputError):
        pull()
    files.faults, files.etag, files.content = [], '"v2"', CONTENT[::-1]
    found = pull(sha256=hashlib.sha256(CONTENT[::-1]).hexdigest())
    assert found.path.read_bytes() == CONTENT[::-1]


def test_a_part_that_is_damaged_is_found_out_and_fetched_again(pull, files, tmp_path):
    files.faults = [{"cut": 700_000}, *[{"status": 503}] * 10]
    with pytest.raises(InputError):
        pull()
    part = tmp_path / "phi.gguf.part"
    part.write_bytes(b"x" + part.read_bytes()[1:])
    files.faults = []
    found = pull()
    assert (found.resumed, found.path.read_bytes()) == (0, CONTENT)


def test_a_part_that_is_whole_already_only_needs_its_name(pull, files, tmp_path):
    (tmp_path / "phi.gguf.part").write_bytes(CONTENT)
    (tmp_path / "phi.gguf.part.json").write_text(json.dumps({"url": files.url, "sha256": DIGEST, "etag": ""}), "utf-8")
    assert pull().path.read_bytes() == CONTENT
    assert files.seen[0][1]["Range"] == f"bytes={len(CONTENT)}-"


def test_a_server_without_ranges_sends_everything_again(pull, files):
    files.faults = [{"cut": 700_000}, {"no ranges": True}]
    assert pull().path.read_bytes() == CONTENT


def test_a_part_of_another_file_is_begun_anew(pull, files, tmp_path):
    (tmp_path / "phi.gguf.part").write_bytes(b"of another file")
    (tmp_path / "phi.gguf.part.json").write_text("no json", "utf-8")
    assert pull().path.read_bytes() == CONTENT
    assert "Range" not in files.seen[0][1]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"status": 404}, "answered 404"),
        ({"status": 403}, "answered 403"),
        ({"headers": {"Content-Encoding": "gzip"}}, "sent the file compressed"),
        ({"status": 302, "headers": {"Location": "http://models.example/phi.gguf"}}, "asked over plain http"),
        ({"status": 302, "headers": {"Location": "ftp://models.example/phi.gguf"}}, "ftp://models.example/phi.gguf"),
    ],
)
def test_what_is_no_answer_is_said_and_nothing_has_the_name(pull, files, tmp_path, fault, said):
    files.faults = [fault]
    with pytest.raises(InputError) as raised:
        pull()
    assert said in raised.value.diagnostics[0].message
    assert raised.value.diagnostics[0].code == "E0960"
    assert not (tmp_path / "phi.gguf").exists()


def test_another_part_than_was_asked_for_is_refused(pull, files):
    files.faults = [{"cut": 700_000}, {"shift": 5}]
    with pytest.raises(InputError, match="sent another part"):
        pull()


def test_what_has_another_digest_is_thrown_away(pull, files, tmp_path):
    files.content = CONTENT[:-1] + b"!"
    with pytest.raises(InputError, match=f"has SHA-256 {hashlib.sha256(files.content).hexdigest()}, not {DIGEST}"):
        pull()
    assert left(tmp_path) == []


@pytest.mark.parametrize("fault", [{}, {"no length": True}])
def test_a_file_that_is_too_large_is_refused(pull, files, tmp_path, fault):
    files.faults = [fault]
    with pytest.raises(InputError, match="at most 1,000 are taken"):
        pull(most=1000)
    assert left(tmp_path) == []


def test_a_disk_that_is_too_small_is_seen_before_anything_is_written(pull, monkeypatch):
    monkeypatch.setattr(pulling, "_SPARE", 1 << 62)
    with pytest.raises(InputError, match="bytes are missing"):
        pull()


def test_redirects_are_followed_but_not_for_ever(pull, files, tmp_path):
    files.faults = [{"status": 302, "headers": {"Location": "/elsewhere"}}]
    assert pull().path.read_bytes() == CONTENT
    assert [path for path, _ in files.seen] == ["/models/phi.gguf", "/elsewhere"]
    files.faults = [{"status": 302, "headers": {"Location": "/elsewhere"}}] * 20
    with pytest.raises(InputError, match="leads from one address to the next"):
        pull(path=tmp_path / "other")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://models.example/phi.gguf", "plain http"),
        ("http://10.0.0.1/phi.gguf", "plain http"),
        ("https://user:secret@models.example/phi.gguf", "such as"),
        ("file:///etc/passwd", "such as"),
        ("phi.gguf", "such as"),
    ],
)
def test_addresses_from_which_nothing_is_fetched(url, said):
    with pytest.raises(InputError) as raised:
        server_of(url)
    assert said in raised.value.diagnostics[0].render()


@pytest.mark.parametrize("location", ["https://[bad/phi.gguf", "http://127.0.0.1:1/phi?a=\x01", "file:///etc/passwd"])
def test_a_redirect_to_what_is_no_address_is_said_and_leaves_nothing(pull, files, tmp_path, location):
    files.faults = [{"status": 302, "headers": {"Location": location}}] * 20  # some clients break off, and ask again
    with pytest.raises(InputError) as raised:
        pull()
    assert raised.value.diagnostics[0].code == "E0960"
    assert left(tmp_path) == []


@pytest.mark.parametrize("etag", ['"v\xe9"', '"' + "v" * 5000 + '"', "v1"])
def test_a_mark_that_cannot_be_sent_back_is_no_mark(pull, files, etag):
    files.faults = [{"no etag": True, "cut": 600_000, "headers": {"ETag": etag}}]
    assert pull().size == len(CONTENT)
    assert "If-Range" not in files.seen[1][1]


@pytest.mark.parametrize("said", ["bytes " + "9" * 5000 + "-1/2", "bytes -1/2", "bytes", "octets 5-9/10"])
def test_a_header_that_says_no_place_says_none(said):
    assert pulling._start_of(said) is None


def test_nothing_that_has_arrived_is_nothing_that_is_kept(pull, files, tmp_path):
    files.faults = [{"status": 503}] * 5
    with pytest.raises(InputError, match="nothing has arrived yet"):
        pull(url=f"{files.url}?key=secret")
    assert left(tmp_path) == []


def test_two_at_once_do_not_write_one_part(pull, files):
    files.faults = [{"cut": 300_000, "hang": True}]
    first = threading.Thread(target=pull)
    first.start()
    assert files.arrived.wait(10)
    with pytest.raises(InputError, match="is being written by another process"):
        pull()
    files.over.set()
    first.join(20)
    assert not first.is_alive()


def test_the_command_line(rtfs, files, folder):
    found = rtfs("models", "pull", files.url, "--sha256", DIGEST.upper(), "--json")
    assert found.code == 0, found.err
    path = folder / "home" / "models" / "phi.gguf"
    assert found.data == {
        "path": str(path), "size": len(CONTENT), "sha256": DIGEST, "resumed": 0, "was_there": False,
    }  # fmt: skip
    assert path.read_bytes() == CONTENT
    again = rtfs("models", "pull", files.url, "--sha256", DIGEST)
    assert "there already, verified" in again.out
    assert f"RTFS_LOCAL_MODEL_PATH={path}" in again.out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "a file is taken only with its digest: --sha256 HEX"),
        (("--sha256", "abc"), "64 hexadecimal digits"),
        (("--sha256", DIGEST, "--max-size", "much"), "'much' is no size"),
        (("--sha256", DIGEST, "--max-size", "9" * 400), "is no size"),
    ],
)
def test_what_the_command_line_refuses(rtfs, files, args, said):
    found = rtfs("models", "pull", files.url, *args)
    assert found.code == 2
    assert said in " ".join(found.err.split())
    assert files.seen == []


@pytest.mark.parametrize(
    ("url", "args", "code"),
    [
        ("https://[bad/phi.gguf", (), "E0960"),
        ("https://models.example/..?key=secret", (), "E0960"),
        ("https://models.example/" + "a" * 300, (), "E0912"),
        (None, ("--out", "a" * 300), "E0912"),
        (None, ("--out", "taken/phi.gguf"), "E0912"),
    ],
)
def test_odd_addresses_and_places_are_told_and_no_key_is(rtfs, files, folder, url, args, code):
    (folder / "taken").write_text("a file, and no folder", encoding="utf-8")
    found = rtfs("models", "pull", url or files.url, "--sha256", DIGEST, *args)
    assert f"error[{code}]" in found.err
    assert "secret" not in found.err


@pytest.mark.skipif(os.name == "nt", reason="no such signal")
def test_ctrl_c_keeps_what_has_arrived(process, files, folder):
    files.faults = [{"cut": 400_000, "hang": True}]
    args = "models", "pull", files.url, "--sha256", DIGEST
    child = process(*args)
    part = folder / "home" / "models" / "phi.gguf.part"
    assert files.arrived.wait(30)
    deadline = time.monotonic() + 20
    while (not part.exists() or part.stat().st_size < 400_000) and time.monotonic() < deadline:
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=20)
    assert child.returncode == 130
    assert b"interrupted (400,000 bytes are kept in " in err
    files.over.set()
    child = process(*args)
    _, err = child.communicate(timeout=20)
    assert child.returncode == 0, err
    assert files.seen[-1][1]["Range"] == "bytes=400000-"
    assert (folder / "home" / "models" / "phi.gguf").read_bytes() == CONTENT
