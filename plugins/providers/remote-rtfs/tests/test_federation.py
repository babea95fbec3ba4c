"""Hosts, an engine that chooses among them, a request that comes again, and the command that follows a chain."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys

import pytest

from rtfs_framework.api import Left, RemoteModel
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session

pytest.importorskip("uvicorn")
pytestmark = pytest.mark.needs("rtfs-provider-remote-rtfs", "rtfs-provider-echo", "rtfs-engine-remote-rtfs")
from rtfs_framework.testing.served import served  # noqa: E402 - needs the extra `serve`

MOOD = '(defn mood "Its mood." [text : :string] : :string "own") (defn main [x] (mood x))'
START = "import sys; from rtfs_framework.cli.main import main; sys.exit(main())"
ECHO = '[serve]\nid = "{id}"\n[delegation.static_routes]\nmood = "local-echo"\n'
PEERS = '[delegation]\nengine = "peers"\n[engines.peers]\nplugin = "remote-rtfs"\nsymbols = ["mood"]\n'


def host(name, url):
    return f'[delegation.remote_providers.{name}]\nendpoint = "{url}"\ntoken_env = "{name.upper()}_TOKEN"\n'


def opened(home, text, **tokens):
    home.mkdir(exist_ok=True)
    config = home / "delegation.toml"
    config.write_text(text, encoding="utf-8")
    return Session.open(config_path=config, environ={"RTFS_HOME": str(home), **tokens})


def test_an_engine_hears_offers_and_follows_the_host_that_is_named_instead(tmp_path):
    with served(ECHO.format(id="south")) as south:
        naming = f'[serve]\nid = "north"\nelsewhere = ["{south.url}"]\n'
        with served(naming) as north:
            text = PEERS + host("north", north.url) + host("west", south.url)
            with opened(tmp_path / "a", text, NORTH_TOKEN=north.token, WEST_TOKEN=south.token) as session:
                program = session.load(Source("x", MOOD))
                session.host.offers.settle()
                found = session.host.offers.offer(RemoteModel("north"))
                assert (found.host, found.room) == ("north", Left.PLENTY)
                (call,) = program.call("main", ("hello",)).calls
    assert call.target == "remote west"
    assert call.remote.host == "south"
    assert all(each.attempt.elsewhere == (RemoteModel("west"),) for each in call.attempts)


def test_a_request_that_comes_again_gets_the_answer_that_was_given(request_of, provider_at):
    source = '(defn mood [text : :string] : :string "own") (defn f [x] (mood x))'
    with served(ECHO.format(id="north")) as north:

        async def twice():
            provider = provider_at(north.url, token=north.token)
            try:
                return [await provider.infer(request_of("a", source=source, key="one")) for _ in range(2)]
            finally:
                await provider.aclose()

        first, again = asyncio.run(twice())
    assert first.remote.run
    assert (first.remote.run, first.remote.head, first.text) == (again.remote.run, again.remote.head, again.text)


def test_a_connection_that_breaks_is_tried_again_with_the_same_key(tmp_path, scripted):
    answer = {
        "value": '"there"',
        "run": "ab" * 16,
        "head": "1:" + "00" * 32,
        "host": "north",
        "usage": {},
        "labels": [],
    }
    tries = iter([None, (200, {}, answer)])
    scripted.then = lambda path, *_: next(tries) if path == "/v1/rtfs/run" else (404, {}, {})
    text = '[delegation]\nattempts = 3\n[delegation.static_routes]\nmood = "remote-north"\n' + host(
        "north", scripted.url
    )
    with opened(tmp_path / "a", text, NORTH_TOKEN="t") as session:
        (call,) = session.run(Source("x", MOOD), ("hello",)).calls
    keys = [json.loads(body)["key"] for path, _, body in scripted.seen if path == "/v1/rtfs/run"]
    assert (call.target, len(keys), len(set(keys))) == ("remote north", 2, 1)


def test_the_command_follows_a_chain(tmp_path):
    with served(ECHO.format(id="north")) as north:
        text = '[delegation.static_routes]\nmood = "remote-north"\n' + host("north", north.url)
        with opened(tmp_path / "a", text, NORTH_TOKEN=north.token) as session:
            session.run(Source("x", MOOD), ("hello",))
        environ = {**os.environ, "RTFS_HOME": str(tmp_path / "a"), "NORTH_TOKEN": north.token}
        options = ["runs", "verify", "last", "--follow", "--json", "--config", str(tmp_path / "a" / "delegation.toml")]
        done = subprocess.run(
            [sys.executable, "-c", START, *options],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"]) == (0, True), done.stderr
    assert [(each["host"], each["ok"]) for each in told["followed"]] == [("north", True)]
