"""Peers that are slow, silent, or too many: none of them takes the server from the others."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

import httpx
import pytest

from rtfs_framework.testing.served import served

BOUNDS = "[serve]\nheader_timeout = 0.6\nbody_timeout = 0.8\nidle_timeout = 30\nbody = 100_000\n"


@pytest.fixture(scope="module")
def server():
    with served(BOUNDS) as made:
        yield made


def connect(server):
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def said(talk):
    found = b""
    while piece := talk.recv(65536):
        found += piece
    return found


def head(server, more=b""):
    return b"POST /v1/rtfs/run HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n%b" % (server.token.encode(), more)


def drip(talk, piece):
    for _ in range(200):
        talk.sendall(piece)
        time.sleep(0.05)


def test_a_head_that_drips_is_cut_off(server):
    with connect(server) as talk:
        talk.sendall(b"GET /healthz HTTP/1.1\r\n")
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            drip(talk, b"X-More: 1\r\n")
    with connect(server) as talk:
        talk.sendall(b"GET /healthz HTT")
        answer = said(talk)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"E0944"' in answer


def test_a_connection_that_says_nothing_is_closed(server):
    with connect(server) as talk:
        assert said(talk) == b""


def test_a_body_that_does_not_come_is_cut_off(server):
    with connect(server) as talk:
        talk.sendall(head(server, b"Content-Length: 100\r\n\r\n{"))
        assert said(talk).startswith(b"HTTP/1.1 408 ")


def test_an_endless_body_is_cut_off_at_its_bound(server):
    with connect(server) as talk:
        talk.sendall(head(server, b"Transfer-Encoding: chunked\r\n\r\n"))
        chunk = b"10000\r\n%b\r\n" % (b"x" * 0x10000)
        sent = 0
        try:
            while sent < 1 << 30:
                talk.sendall(chunk)
                sent += 0x10000
        except OSError:
            pass
        assert sent < 64 << 20  # what the system's buffers took
    assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_a_large_body_that_says_so_is_refused_at_once(server):
    with connect(server) as talk:
        talk.sendall(head(server, b"Content-Length: 1073741824\r\n\r\n"))
        assert talk.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_idle_connections_make_room_for_new_ones(ask):
    with served("[serve]\nconnections = 20\n") as server:
        idle = [connect(server) for _ in range(60)]
        try:
            assert ask(server, "(+ 1 2)").json()["value"] == "3"
            text = httpx.get(f"{server.url}/metrics", headers=server.headers).text
            evicted = next(line for line in text.splitlines() if line.startswith("rtfs_connections_evicted_total "))
            assert int(evicted.split()[1]) >= 40
        finally:
            for each in idle:
                each.close()


FULL = """
import resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400))
from rtfs_framework.testing.served import served
import httpx
with served() as server:
    host, port = server.url.removeprefix("http://").split(":")
    print(port, flush=True)
    sys.stdin.readline()
    print(httpx.get(server.url + "/healthz", timeout=20).status_code, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
def test_idle_connections_up_to_the_limit_of_files_are_survived():
    process = subprocess.Popen([sys.executable, "-c", FULL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        port = int(process.stdout.readline())
        idle = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(600)]
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "200\n"
        for each in idle:
            each.close()


def test_more_requests_than_there_is_room_for_are_told_to_come_back(ask):
    slow = "(defn main [] (loop [i 0] (recur (inc i))))"
    bounds = "[limits]\nsteps = 'off'\nseconds = 3\n[serve]\nconcurrency = 1\nseconds = 2\n"
    with served(bounds) as server, httpx.Client() as client:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: ask(server, slow, entry="main"), range(4)))
        refused = [each for each in answers if each.status_code == 503]
        assert len(refused) == 3
        assert {each.headers["retry-after"] for each in refused} == {"1"}
        assert client.get(f"{server.url}/healthz").status_code == 200
