"""The free probe of a target that is coming back: a real server, pinged in place of a request that would be paid."""

from __future__ import annotations

import http.client
import json
import sqlite3
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rtfs_framework.api import (
    LocalModel,
    ProviderAuthError,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
)
from rtfs_framework.api.signals import Health
from rtfs_framework.testing.clock import FakeClock

PROGRAM = """
(defn ^:delegation :local-model "m" classify "Tell the mood." [text :string] : :string "own body")
(defn main [x] (try (classify x) (catch HostError e (str "caught " (:message e)))))
"""
MODEL = LocalModel("m")


class Server:
    """A server on loopback that is well, or answers 503 to everything; `seen` are the paths that it was asked for."""

    def __init__(self):
        self.status, self.seen = 200, []
        self.hangs = threading.Event()
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                desk.seen.append(self.path)
                if desk.hangs.is_set():
                    desk.over.wait(20)
                self.send_response(desk.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.over = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self.thread.start()

    def get(self, path, timeout=5.0):
        with closing(http.client.HTTPConnection(*self.http.server_address, timeout=timeout)) as connection:
            connection.request("GET", path)
            return connection.getresponse().status

    def close(self):
        self.over.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.fixture
def server():
    made = Server()
    yield made
    made.close()


class Desk:
    """Sessions over one home and clock, and a provider that asks a real server both ways."""

    def __init__(self, kit, source, server):
        self.kit, self.source, self.server, self.clock = kit, source(PROGRAM), server, FakeClock()
        self.catalog = kit.catalog(kit.provider("m", self.answer))
        kit.providers["m"].ping = self.ping

    def answer(self, _):
        return self._asked("/paid") or "fine"

    def ping(self, timeout):
        wrong = self._asked("/health", timeout)
        if wrong is not None:
            raise wrong

    def _asked(self, path, timeout=5.0):
        try:
            status = self.server.get(path, timeout)
        except OSError as error:
            return ProviderUnavailable("m", str(error))
        return None if status == 200 else ProviderUnavailable("m", "down", status=status)

    @property
    def pings(self):
        return self.server.seen.count("/health")

    @property
    def paid(self):
        return self.server.seen.count("/paid")

    def open(self, config=""):
        return self.kit.open(self.catalog, f"[delegation]\nattempts = 1\n{config}", clock=self.clock)

    def run(self, session, times=1):
        return [session.run(self.source, (f"text {place} {self.clock.now()}",)).value for place in range(times)]

    def breaks(self, session):
        """Open the breaker, and let its time pass."""
        self.server.status = 503
        self.run(session, 5)
        assert session.host.health.health(MODEL) is Health.OPEN
        self.clock.advance(31.0)
        assert session.host.health.health(MODEL) is Health.HALF_OPEN
        self.server.seen.clear()

    def signals(self):
        with closing(sqlite3.connect(self.kit.journal)) as db, db:
            rows = [json.loads(body) for (body,) in db.execute("select body from log where what = 'signal'")]
        return [row["value"] for row in rows if row["signal"] == "health"]


@pytest.fixture
def desk(kit, source, server):
    return Desk(kit, source, server)


def test_a_dead_server_is_pinged_and_no_request_is_paid(desk):
    with desk.open() as session:
        desk.breaks(session)
        (said,) = desk.run(session)
        assert (desk.pings, desk.paid) == (1, 0)
        assert "left alone for 60 s more, because it failed: ping" in said
        desk.run(session, 5)
        assert (desk.pings, desk.paid) == (1, 0)


def test_a_server_that_is_back_is_found_by_a_ping_and_then_asked(desk):
    with desk.open() as session:
        desk.breaks(session)
        desk.server.status = 200
        assert desk.run(session, 20) == ["fine"] * 20
        assert (desk.pings, desk.paid) == (1, 20)
        assert session.host.health.health(MODEL) is Health.CLOSED
    assert desk.signals() == ["open", "half-open", "open", "recovering", "closed"]


def test_each_ping_that_fails_doubles_the_time_and_the_journal_says_so(desk):
    with desk.open() as session:
        desk.breaks(session)
        for wait in (60.0, 120.0, 240.0):
            (said,) = desk.run(session)
            assert f"left alone for {wait:g} s more" in said
            desk.clock.advance(wait + 1)
        assert (desk.pings, desk.paid) == (3, 0)
    assert desk.signals().count("half-open") == 1  # while a ping is under way, nobody else may ask


def test_as_many_pings_as_probes_are_wanted(desk):
    with desk.open("[health]\nprobes = 3\n") as session:
        desk.breaks(session)
        desk.server.status = 200
        assert desk.run(session) == ["fine"]
        assert (desk.pings, desk.paid) == (3, 1)


def test_a_ping_that_hangs_is_bounded_and_counts_as_a_failure(desk):
    with desk.open("[delegation.local_models.m]\nprovider = 'm'\ntimeout = '1s'\n") as session:
        desk.breaks(session)
        desk.server.hangs.set()
        (said,) = desk.run(session)
        assert "left alone for 60 s more" in said
        assert (desk.pings, desk.paid) == (1, 0)


@pytest.mark.parametrize(
    ("error", "health", "paid"),
    [
        (RateLimited("m", "slow down", retry_after=90.0), Health.OPEN, 0),
        (ProviderError("m", "refused"), Health.RECOVERING, 1),  # it answers, whatever it answers
        (ProviderAuthError("m", "no key"), Health.RECOVERING, 1),
    ],
)
def test_what_a_ping_raises_counts_as_it_would_of_a_request(desk, error, health, paid):
    def ping(_):
        raise error

    with desk.open() as session:
        desk.breaks(session)
        desk.server.status = 200
        desk.kit.providers["m"].ping = ping
        said = desk.run(session)
        assert session.host.health.health(MODEL) is health
        assert desk.paid == paid
        assert ("it asked for 90 s" in said[0]) is (not paid)


def test_a_ping_that_breaks_is_told_and_a_request_finds_out(desk):
    desk.kit.providers["m"].ping = lambda _: 1 / 0
    with desk.open() as session:
        desk.breaks(session)
        desk.server.status = 200
        assert desk.run(session) == ["fine"]
        assert desk.paid == 1
        (problem,) = session.problems
    assert "`ping` failed: ZeroDivisionError" in problem.message
    assert "a request finds out instead" in problem.message


def test_without_a_ping_a_request_is_the_probe(desk):
    del desk.kit.providers["m"].ping
    with desk.open() as session:
        desk.breaks(session)
        desk.run(session)
        assert (desk.pings, desk.paid) == (0, 1)


def test_a_provider_that_loads_is_not_pinged_meanwhile(desk):
    started, over = threading.Event(), threading.Event()

    def load():
        started.set()
        over.wait(20)

    desk.kit.providers["m"].load = load
    config = "[delegation.local_models.m]\nprovider = 'm'\ntimeout = '1s'\n"
    with desk.open(config) as session:
        desk.breaks(session)
        desk.server.status = 200
        controls = session.host.pool.get(MODEL).controls
        under_way = controls._begin("load", 20.0, ())
        try:
            assert started.wait(5)
            assert desk.run(session) == ["fine"]
            assert (desk.pings, desk.paid) == (0, 1)
        finally:
            over.set()
            under_way.result(5)
