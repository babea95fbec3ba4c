"""The record of a run names who asked for it, and both sides' records are held against each other."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import httpx
import pytest

from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.explaining.following import follow, wrong_in
from rtfs_framework.orchestrator.recording.journal.query import show_run
from rtfs_framework.orchestrator.session import Session

pytest.importorskip("uvicorn")
pytestmark = pytest.mark.needs("rtfs-provider-remote-rtfs", "rtfs-provider-echo")
from rtfs_framework.testing.served import served  # noqa: E402 - needs the extra `serve`

MOOD = '(defn mood "Its mood." [text : :string] : :string "own") (defn main [x] (mood x))'
ECHO = '[serve]\nid = "{id}"\n[delegation.static_routes]\nmood = "local-echo"\n'


def peer(server, name):
    return (
        f'[delegation.static_routes]\nmood = "remote-{name}"\n[delegation.remote_providers.{name}]\n'
        f'endpoint = "{server.url}"\ntoken_env = "{name.upper()}_TOKEN"\n'
    )


@pytest.fixture
def north():
    with served(ECHO.format(id="north")) as made:
        yield made


@pytest.fixture
def session(north, tmp_path):
    home = tmp_path / "asker"
    home.mkdir()
    (home / "delegation.toml").write_text(peer(north, "north"), encoding="utf-8")
    environ = {"RTFS_HOME": str(home), "NORTH_TOKEN": north.token}
    with Session.open(config_path=home / "delegation.toml", environ=environ) as made:
        yield made


def run(session):
    result = session.run(Source("asker.rtfs", MOOD), ("hello",))
    session.host.journal.flush()
    return result, session.host.journal.path


def recorded(north, result):
    """Return who asked, as north's record has it."""
    north.state.session_for("").host.journal.flush()
    return show_run(north.home / "journal.sqlite", result.calls[0].remote.run)[0].asked_by


def rewrite(north, old, new):
    """Change the first rows of runs in north's journal, as who may write the file can."""
    with closing(sqlite3.connect(north.home / "journal.sqlite")) as db, db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute("UPDATE log SET body = replace(body, ?, ?) WHERE what = 'run'", (old, new))


def test_the_record_of_the_callee_names_run_call_and_head_of_the_asker(north, session):
    result, path = run(session)
    told = recorded(north, result)
    assert (told["run"], told["token"]) == (result.run_id, "token0")
    assert told["call"] == "1:0"
    assert told["head"].split(":")[0].isdecimal()
    (found,) = follow(session.host, path, result.run_id, 4)
    assert (found.ok, found.asked_by.run, found.asked_by.call) == (True, result.run_id, "1:0")


@pytest.mark.parametrize(
    ("what", "word"), [("head", "the journal here was written anew"), ("run", "which this journal has not"),
                       ("call", "which this journal has not")]
)  # fmt: skip
def test_an_asker_that_this_journal_does_not_have_is_found(north, session, what, word):
    result, path = run(session)
    told = recorded(north, result)
    if what != "head":
        rewrite(north, f'"head":"{told["head"]}"', '"head":""')
    rewrite(north, f'"{what}":"{told[what]}"', f'"{what}":"9{told[what]}"')
    assert any(word in each for each in wrong_in(follow(session.host, path, result.run_id, 4)))


def test_a_hop_on_the_way_is_named_by_its_id(tmp_path, north):
    with served('[serve]\nid = "middle"\n' + peer(north, "north"), environ={"NORTH_TOKEN": north.token}) as middle:
        body = {"program": {"source": MOOD}, "args": '["hello"]'}
        answer = httpx.post(f"{middle.url}/v1/rtfs/run", headers=middle.headers, json=body, timeout=30).json()
        north.state.session_for("").host.journal.flush()
        with closing(sqlite3.connect(north.home / "journal.sqlite")) as db:
            (text,) = db.execute("SELECT body FROM log WHERE what = 'run'").fetchone()
        told = json.loads(text)["asked_by"]
        assert (told["host"], told["run"]) == ("middle", answer["run"])
        query = {"follow": "true"}
        proved = httpx.get(f"{middle.url}/v1/rtfs/runs/{answer['run']}/verify", params=query, headers=middle.headers)
    assert proved.json()["ok"] is True
    assert [each["host"] for each in proved.json()["followed"]] == ["north"]


@pytest.mark.parametrize(
    "told", [{"run": "<script>", "call": "x", "head": "nothing"}, {"run": "a" * 65}, {"tenant": "b"}]
)
def test_what_no_record_could_be_called_is_left_out(north, told):
    body = {"program": {"source": MOOD}, "args": '["hello"]', "caller": told, "via": ["no host\n"]}
    answer = httpx.post(f"{north.url}/v1/rtfs/run", headers=north.headers, json=body, timeout=30).json()
    north.state.session_for("").host.journal.flush()
    assert show_run(north.home / "journal.sqlite", answer["run"])[0].asked_by == {"token": "token0"}


def test_the_command_shows_who_asked(north, session, monkeypatch, capsys):
    from rtfs_framework.cli.main import run as rtfs

    result, _ = run(session)
    recorded(north, result)
    monkeypatch.setenv("RTFS_HOME", str(north.home))
    assert rtfs(["runs", "show", result.calls[0].remote.run]) == 0
    shown = capsys.readouterr().out
    assert f"asked by the holder of token token0, run {result.run_id[:12]}, call 1:0" in shown
