"""Two and three hosts as processes of their own: killed in the middle, back again, with clocks that are hours off."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from rtfs_framework.api import FailureKind, ProgramError, ProviderError, RemoteModel
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.explaining.following import all_ok, follow
from rtfs_framework.orchestrator.session import Session

pytest.importorskip("uvicorn")
pytestmark = pytest.mark.needs("rtfs-provider-remote-rtfs", "rtfs-provider-echo")

MOOD = '(defn mood "Its mood." [text : :string] : :string "own") (defn main [x] (mood x))'
ASKING = '(defn mood [text : :string] : :string "own") (defn f [x] (mood x))'
START = "import sys; from rtfs_framework.cli.main import main; sys.exit(main())"
TO = "[delegation.static_routes]\nmood = {}\n"
ECHO = TO.format('"local-echo"')
MENDED = ("'rood'", "'mood'")
PAID = {"value": '"paid"', "run": "ab" * 16, "head": "1:" + "00" * 32, "host": "deep", "usage": {}, "labels": []}


def peer(name, url):
    return f'[delegation.remote_providers.{name}]\nendpoint = "{url}"\ntoken_env = "{name.upper()}_TOKEN"\n'


def beside(text, *hosts):
    """Return a configuration that knows other hosts."""
    return text + "".join(peer(host.name, host.url) for host in hosts)


@pytest.fixture
def asker(tmp_path):
    """Return a function that opens a session which knows some hosts."""

    def open_(text, *hosts):
        home = tmp_path / "asker"
        home.mkdir(exist_ok=True)
        config = home / "delegation.toml"
        config.write_text(beside(text, *hosts), encoding="utf-8")
        tokens = {f"{host.name.upper()}_TOKEN": host.token for host in hosts}
        return Session.open(config_path=config, environ={"RTFS_HOME": str(home), **tokens})

    return open_


def ask(session):
    """Return a run of the program, and its one call."""
    result = session.run(Source("asker.rtfs", MOOD), ("hello",))
    (call,) = result.calls
    return result, call


def followed(session, result):
    return follow(session.host, session.host.journal.path, result.run_id, 4)


def change(path, old, new):
    """Change the rows of calls in a journal, as who may write the file can."""
    with closing(sqlite3.connect(path)) as db, db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        changed = db.execute(f"UPDATE log SET body = replace(body, {old}, {new}) WHERE what = 'ended'").rowcount
    assert changed


def test_a_changed_byte_is_found_by_the_command_on_either_side(tmp_path, asker, start):
    (north,) = start(north=ECHO)
    with asker(TO.format('"remote-north"'), north) as session:
        result, call = ask(session)
        assert (result.value, call.remote.host) == ("hello", "north")
        assert all_ok(followed(session, result))
        mine = session.host.journal.path
    config = str(tmp_path / "asker" / "delegation.toml")
    options = ["runs", "verify", "last", "--follow", "--json", "--config", config]

    def verified():
        environ = {**os.environ, "RTFS_HOME": str(tmp_path / "asker"), "NORTH_TOKEN": north.token}
        command = [sys.executable, "-c", START, *options]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)
        told = json.loads(done.stdout)
        assert (done.returncode == 0) == told["ok"], done.stderr
        return told["ok"], [each["ok"] for each in told["followed"]]

    theirs = north.home / "journal.sqlite"
    change(theirs, *MENDED[::-1])
    assert verified() == (False, [False])
    change(theirs, *MENDED)
    change(mine, *MENDED[::-1])
    assert verified() == (False, [True])


def test_a_request_is_handed_on_by_one_host_and_declined_by_another(asker, start):
    south, north, west = start(
        south=lambda *_: ECHO,
        north=lambda south, *_: beside(TO.format('"remote-south"'), south),
        west=lambda south, *_: f'elsewhere = ["{south.url}"]\n',
    )
    with asker(TO.format('"remote-north"'), north) as session:
        result, call = ask(session)
        assert (result.value, call.remote.host) == ("hello", "north")
        (found,) = followed(session, result)
        assert (found.ok, [each.host for each in found.followed]) == (True, ["south"])
    with asker(TO.format('["remote-west", "remote-south"]'), west, south) as session:
        result, call = ask(session)
        (tried,) = call.attempts
        assert (result.value, call.remote.host) == ("hello", "south")
        assert (tried.attempt.target, tried.attempt.kind) == (RemoteModel("west"), FailureKind.HERE)
        assert tried.attempt.elsewhere == (RemoteModel("south"),)


def test_a_loop_of_two_processes_is_refused(asker, start):
    north, _ = start(
        north=lambda _, south: beside(TO.format('"remote-south"'), south),
        south=lambda north, _: beside(TO.format('"remote-north"'), north),
    )
    with asker(TO.format('"remote-north"'), north) as session:
        result, call = ask(session)
        (tried,) = call.attempts
        assert (result.value, tried.attempt.kind) == ("own", FailureKind.HERE)


def test_a_token_that_is_nobodys_runs_nothing(asker, start):
    (north,) = start(north=ECHO)
    north.token = "nobody's"
    hinted = MOOD.replace('mood "Its', '^:delegation :remote "north" mood "Its')
    with asker("", north) as session, pytest.raises(ProgramError, match="NORTH_TOKEN"):
        session.run(Source("asker.rtfs", hinted), ("hello",))
    assert north.runs() == []


class Deep:
    """A host behind another one that takes money for every request: its first answer waits until it is told."""

    def __init__(self, scripted, *, waits):
        self.asked, self.go_on = threading.Event(), threading.Event()
        self.waits, self.name, self.url, self.paid = waits, "deep", scripted.url, 0
        scripted.then = self._then

    def _then(self, path, *_):
        if path != "/v1/rtfs/run":
            return 404, {}, {}
        self.paid += 1
        self.asked.set()
        if self.waits and self.paid == 1:
            self.go_on.wait(60)
            return None
        return 200, {}, PAID

    def when_asked(self, act):
        """Start a thread that acts once a request has come."""
        thread = threading.Thread(target=lambda: self.asked.wait(60) and act())
        thread.start()
        return thread


def test_a_host_that_is_killed_in_the_middle_is_followed_by_another(asker, start, scripted):
    deep = Deep(scripted, waits=True)
    north, south = start(
        north=lambda *_: beside(TO.format('"remote-deep"'), deep),
        south=lambda *_: ECHO,
        environ={"DEEP_TOKEN": "t"},
    )
    with asker(TO.format('["remote-north", "remote-south"]'), north, south) as session:
        killer = deep.when_asked(north.kill)
        try:
            result, call = ask(session)
        finally:
            deep.asked.set()
            deep.go_on.set()
            killer.join()
        assert (result.value, call.remote.host) == ("hello", "south")
        assert call.attempts[0].attempt.kind is FailureKind.UNCERTAIN
        assert {each.attempt.target for each in call.attempts} == {RemoteModel("north")}
        assert all_ok(followed(session, result))


async def _infer(provider, request):
    try:
        return await provider.infer(request)
    finally:
        await provider.aclose()


def test_a_host_that_was_killed_and_is_back_is_paid_once_for_a_key(start, scripted, provider_at, request_of):
    deep = Deep(scripted, waits=True)
    (north,) = start(north=lambda _: beside(TO.format('"remote-deep"'), deep), environ={"DEEP_TOKEN": "t"})

    def send(key):
        request = request_of("a", source=ASKING, key=key)
        return asyncio.run(_infer(provider_at(north.url, token=north.token), request))

    killer = deep.when_asked(north.kill)
    try:
        with pytest.raises(ProviderError) as raised:
            send("one")
    finally:
        deep.asked.set()
        deep.go_on.set()
        killer.join()
    assert raised.value.failure is FailureKind.UNCERTAIN
    north.start()
    first = send("one")
    assert (first.text, deep.paid) == ("paid", 2)  # what was under way when it was killed has run again
    north.kill()
    north.start()
    again = send("one")
    assert (again.text, again.remote.run, again.remote.head) == (first.text, first.remote.run, first.remote.head)
    assert deep.paid == 2
    assert (send("two").text, deep.paid) == ("paid", 3)


def test_clocks_that_are_hours_off_do_no_harm(start, asker):
    north, south = start(
        north=lambda _, south: beside(TO.format('"remote-south"'), south),
        south=lambda *_: ECHO,
        hours={"north": 5, "south": -7},
    )
    with asker(TO.format('"remote-north"'), north) as session:
        result, call = ask(session)
        assert (result.value, call.remote.host, call.attempts) == ("hello", "north", ())
        assert all_ok(followed(session, result))
    (here,), (there,) = north.runs(), south.runs()
    assert (there["started"] - here["started"]) / 3600 == pytest.approx(-12, abs=0.5)
