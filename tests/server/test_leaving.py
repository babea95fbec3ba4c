"""Whoever goes ends what is made for them, unless somebody else waits for the same."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager

import httpx
import pytest

from rtfs_framework.orchestrator.recording.journal.query import entries_of, list_runs
from rtfs_framework.testing.openai_server import OpenAIServer, say_json
from rtfs_framework.testing.served import served

pytestmark = pytest.mark.needs("rtfs-provider-openai")
PROGRAM = '(defn say "Say it." [text : :string] : :string "own") (defn main [x] [(say x) (say (str x "!"))])'
CONFIG = (
    '[delegation.static_routes]\nsay = "remote-one"\n[delegation.remote_providers.one]\nprovider = "openai"\n'
    'endpoint = "{url}"\nmodel = "one"\napi_key_env = ""\n'
)
ENDLESS = "(defn main [] (loop [i 0] (recur (inc i))))"


class Gate:
    """A model that answers when it may."""

    def __init__(self):
        self.asked, self.open = threading.Event(), threading.Event()

    def __call__(self, _):
        self.asked.set()
        assert self.open.wait(30)
        return say_json({"value": "said"})


@pytest.fixture
def gate():
    """Return a gate that is open at the end, so that no thread is left."""
    made = Gate()
    yield made
    made.open.set()


@contextmanager
def serving(gate):
    """Serve a host whose model stands behind a gate."""
    with OpenAIServer(then=gate) as one, served(CONFIG.format(url=one.url)) as server:
        try:
            yield server, one
        finally:
            gate.open.set()


def begin(server, program=PROGRAM, **more):
    """Send a request and return the connection on which its answer would come."""
    body = json.dumps({"program": {"source": program}, **more}).encode()
    address = httpx.URL(server.url)
    made = socket.create_connection((address.host, address.port))
    head = f"POST /v1/rtfs/run HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n"
    made.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return made


def until(reached):
    for _ in range(1000):
        found = reached()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("it never came to that")


def ended(server):
    """Return the only run of a server's journal once its end is written."""
    path = server.home / "journal.sqlite"

    def look():
        rows = list_runs(path) if path.exists() else []
        return rows[0] if rows and rows[0].status != "unfinished" else None

    return until(look)


def test_a_client_that_goes_ends_its_run_at_the_next_host_call(gate):
    with serving(gate) as (server, one):
        connection = begin(server, args='["a"]')
        assert gate.asked.wait(30)
        connection.close()
        row = ended(server)
        assert (row.status, row.message) == ("interrupted", "the client has gone")
        (call,) = entries_of(server.home / "journal.sqlite", row.id)
        assert (call["symbol"], call["error_kind"]) == ("say", "Cancelled")
        assert len(one.requests) == 1, "the second call was never made"
        until(lambda: server.state.metrics.running == 0)


def test_a_client_that_goes_ends_what_only_computes(ask):
    with served("[limits]\nsteps = 'off'\nseconds = 60") as server:
        connection = begin(server, ENDLESS, entry="main")
        until(lambda: server.state.session_for("").portal.uses._active)
        connection.close()
        until(lambda: not server.state.metrics.running)
        assert not server.state.session_for("").portal.uses._active
        assert ask(server, "(+ 1 2)").json()["value"] == "3"


def test_with_a_key_it_goes_on_for_whoever_comes_again(gate):
    with serving(gate) as (server, one):
        server.state.replays.comes_again = 30.0
        connection = begin(server, args='["a"]', key="k")
        assert gate.asked.wait(30)
        connection.close()
        flight = until(lambda: next(iter(server.state.replays._under_way.values()), None))
        answers = []
        again = threading.Thread(target=lambda: answers.append(_again(server)))
        again.start()
        until(lambda: flight.waiting)
        gate.open.set()
        again.join()
        assert answers[0].headers["rtfs-replayed"] == "true"
        assert ended(server).status == "complete"
        assert len(one.requests) == 2, "each call was paid once"


def _again(server):
    body = {"program": {"source": PROGRAM}, "args": '["a"]', "key": "k"}
    return httpx.post(f"{server.url}/v1/rtfs/run", headers=server.headers, json=body, timeout=30)


def test_with_a_key_it_ends_when_nobody_comes_again(gate):
    with serving(gate) as (server, _):
        server.state.replays.comes_again = 0.05
        connection = begin(server, args='["a"]', key="k")
        assert gate.asked.wait(30)
        connection.close()
        assert ended(server).message == "the client has gone"
        until(lambda: not server.state.replays._under_way)


def test_a_deadline_and_an_end_say_so_too(gate, ask):
    with serving(gate) as (server, _):
        assert ask(server, PROGRAM, '["a"]', deadline=0.2).status_code == 408
        assert ended(server).message == "the time of the request is over"


def test_who_waits_is_answered_at_the_end_of_the_server(gate, ask):
    """An end lets requests under way end: whose client is there is answered, whose client has gone keeps nobody."""
    answers = []
    with serving(gate) as (server, _):
        there = threading.Thread(target=lambda: answers.append(ask(server, PROGRAM, '["a"]')))
        there.start()
        assert gate.asked.wait(30)
        gone = begin(server, args='["b"]')
        until(lambda: server.state.metrics.running == 2)
        server.state.draining = True
        gone.close()
        until(lambda: server.state.metrics.running == 1)
        gate.open.set()
        there.join()
    assert answers[0].json()["value"] == '["said" "said"]'


def test_what_still_runs_when_the_server_ends_says_so(gate, tmp_path):
    with OpenAIServer(then=gate) as one:
        with served(CONFIG.format(url=one.url) + "[serve]\ndrain = 1\n", home=tmp_path) as server:
            connection = begin(server, args='["a"]')
            assert gate.asked.wait(30)
        connection.close()
        gate.open.set()
    (row,) = list_runs(tmp_path / "journal.sqlite")
    assert (row.status, row.message) == ("interrupted", "the server ends")
