"""`rtfs runs`: the causal chain, listed, shown and verified."""

from __future__ import annotations

import sqlite3

import pytest

TRY = '(defn main [x] (try (call :fs.read x) (catch _ e "denied")))'


@pytest.fixture
def ran(rtfs, folder):
    """A run whose one call was refused."""
    (folder / "ask.rtfs").write_text(TRY)
    assert rtfs("run", "ask.rtfs", "x").out == '"denied"\n'
    return rtfs


def test_no_runs_yet(rtfs) -> None:
    result = rtfs("runs", "list")
    assert (result.code, result.out.startswith("no runs yet in ")) == (0, True)
    assert rtfs("runs", "list", "--json").data["runs"] == []


def test_a_pure_run_leaves_nothing(rtfs) -> None:
    rtfs("run", "hello.rtfs", "x")
    assert rtfs("runs", "list", "--json").data["runs"] == []


def test_list(ran) -> None:
    (line,) = ran("runs", "list").lines
    assert line.split()[3:] == ["complete", "1", "calls", "ask.rtfs"]
    ran("run", "ask.rtfs", "y")
    assert len(ran("runs", "list").lines) == 2
    assert len(ran("runs", "list", "--limit", 1).lines) == 1


def test_show(ran) -> None:
    result = ran("runs", "show")
    assert result.code == 0
    assert "program  ask.rtfs (sha256 " in result.out
    assert "status   complete after " in result.out
    assert "UnknownCapability: " in result.lines[-1]
    head, entry = ran("runs", "show", "last", "--json").records
    assert head["run"]["source"] == "ask.rtfs"
    assert (entry["symbol"], entry["error_kind"]) == ("fs.read", "UnknownCapability")


def test_a_run_by_the_beginning_of_its_id(ran) -> None:
    (run,) = ran("runs", "list", "--json").data["runs"]
    assert run["id"] in ran("runs", "show", run["id"][:6]).out


@pytest.mark.parametrize("command", ["show", "verify"])
def test_an_unknown_run(ran, command: str) -> None:
    result = ran("runs", command, "zzz")
    assert result.code == 1
    assert "error[E0720]" in result.err
    assert "no run is called 'zzz'" in result.err
    assert "help: `rtfs runs list`" in result.err


def test_no_journal_at_all(rtfs) -> None:
    result = rtfs("runs", "show")
    assert result.code == 1
    assert "error[E0720]" in result.err
    assert "there is no such file" in result.err


def test_verify(ran) -> None:
    result = ran("runs", "verify", "last")
    assert (result.code, "intact, 1 calls" in result.out) == (0, True)
    assert ran("runs", "verify", "--json").data["ok"] is True


def test_a_changed_entry_is_found(ran, folder) -> None:
    connection = sqlite3.connect(folder / "home" / "journal.sqlite")
    connection.execute("DROP TRIGGER log_no_update")
    connection.execute("UPDATE log SET body = replace(body, 'fs.read', 'fs.write')")
    connection.commit()
    connection.close()
    result = ran("runs", "verify")
    assert result.code == 1
    assert "broken: row 3 was changed" in result.out


def test_a_run_can_be_left_unrecorded(rtfs, folder) -> None:
    (folder / "ask.rtfs").write_text(TRY)
    rtfs("run", "ask.rtfs", "x", "--no-journal")
    assert rtfs("runs", "list", "--json").data["runs"] == []


def test_the_configured_journal(rtfs, folder, monkeypatch) -> None:
    monkeypatch.setenv("RTFS_TRUST", "1")
    (folder / "delegation.toml").write_text('[journal]\npath = "mine.sqlite"\n')
    (folder / "ask.rtfs").write_text(TRY)
    rtfs("run", "ask.rtfs", "x")
    assert (folder / "mine.sqlite").exists()
    assert len(rtfs("runs", "list", "--json").data["runs"]) == 1
