"""`rtfs streams list` and `rtfs streams show`: what they tell, for people and for programs."""

from __future__ import annotations

import json

import pytest

from rtfs_framework.cli.main import run

CONFIG = """
[security]
grant = ["mcp.stream.*", "marketplace.stream.*", "stream.*"]
[capabilities.streams]
path = "streams.sqlite"
"""
PROGRAM = """
(stream-produce "jobs" [1 2 3] {:all true})
(stream-next (stream-source {:range [0 5]} {:name "five" :of :int}))
(stream-run (mcp-stream "jobs" total {:sum 0})
            (fn [state n m] {:state (update state :sum (fn [s] (+ s n))) :action :pause}))
"""


@pytest.fixture
def rtfs(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RTFS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RTFS_PLUGINS", "streams")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.toml").write_text(CONFIG, encoding="utf-8")

    def command(*args):
        code = run([*args, "--config", "own.toml"])
        out, err = capsys.readouterr()
        return code, out, err

    return command


@pytest.fixture
def ran(rtfs):
    code, _, err = rtfs("eval", PROGRAM)
    assert code == 0, err
    return rtfs


def test_without_a_stream_there_is_no_file_and_nothing_is_made(rtfs, tmp_path):
    assert rtfs("streams", "list") == (0, "no stream is there\n", "")
    assert not (tmp_path / "streams.sqlite").exists()


def test_all_are_listed(ran):
    _, out, _ = ran("streams", "list")
    assert out.splitlines() == [
        "five: open, 0 done, from a range",
        "jobs/total: paused, 1 done, from a queue",
    ]
    _, out, _ = ran("streams", "list", "--json")
    five, jobs = json.loads(out)["streams"]
    assert (five["effects"], five["replayable"], five["type"]) == ([], True, ":int")
    assert (jobs["stream"], jobs["status"], jobs["seq"], jobs["processor"]) == ("jobs/total", "paused", 1, "total")
    assert json.loads(ran("streams", "list", "--of-tenant", "acme", "--json")[1]) == {"streams": []}


def test_one_is_shown_with_its_state(ran):
    _, out, _ = ran("streams", "show", "jobs/total")
    assert [line.strip() for line in out.splitlines()[1:]] == [
        'source: ["queue", "jobs"]',
        "type: :any",
        "processor: total",
        "waiting: 2 items in its queue",
        "state: {:sum 1}",
        "effects: ipc",
    ]
    shown = json.loads(ran("streams", "show", "jobs/total", "--json")[1])
    assert (shown["state"], shown["waiting"], shown["seq"]) == ("{:sum 1}", 2, 1)


def test_nothing_in_json_steers_a_terminal(ran):
    name = "a\x7f\x9b31m\u202eb"
    code, _, err = ran("eval", f'(stream-source {{:range [0 5]}} {{:name "{name}" :state "{name}"}})')
    assert code == 0, err
    for args in (("list",), ("show", name)):
        _, out, _ = ran("streams", *args, "--json")
        assert out.isascii()
        assert "\x7f" not in out
        assert json.loads(out).get("stream", name) == name


def test_an_unknown_one_is_said(ran):
    code, _, err = ran("streams", "show", "nope")
    assert code == 2
    assert "no stream is called 'nope'; `rtfs streams list` shows all" in err


def test_a_file_of_another_program_is_left_alone(rtfs, tmp_path):
    (tmp_path / "streams.sqlite").write_text("not a database, and somebody's own, whatever it is called" * 20)
    code, _, err = rtfs("streams", "list")
    assert code != 0
    assert "streams.sqlite" in err
    assert "Traceback" not in err
