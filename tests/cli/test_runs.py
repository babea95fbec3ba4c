"""`rtfs runs`: the causal chain, listed, shown and verified."""

from __future__ import annotations

import json
import os
import sqlite3

import pytest

TRY = '(defn main [x] (try (call :acme.read x) (catch _ e "denied")))'


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


LOOKED_FOR = [
    ((), {"ask.rtfs", "told.rtfs"}),
    (("--source", "a*"), {"ask.rtfs"}),
    (("--source", "A*"), set()),
    (("--status", "failed"), {"told.rtfs"}),
    (("--status", "unfinished"), set()),
    (("--symbol", "acme.*"), {"ask.rtfs"}),
    (("--symbol", "tell"), {"told.rtfs"}),
    (("--target", "remote *"), set()),
    (("--target", "capability acme.read"), {"ask.rtfs"}),
    (("--symbol", "acme.*", "--status", "failed"), set()),
    (("--since", "1h"), {"ask.rtfs", "told.rtfs"}),
    (("--until", "1h"), set()),
    (("--since", "2126-01-01"), set()),
    (("--of-tenant", "acme"), set()),
    (("--of-tenant", ""), {"ask.rtfs", "told.rtfs"}),
]


def test_runs_that_somebody_looks_for(ran, folder) -> None:
    (folder / "told.rtfs").write_text("(call :tell 1)")
    assert ran("run", "told.rtfs").code == 1
    for words, found in LOOKED_FOR:
        runs = ran("runs", "list", *words, "--json").data["runs"]
        assert {run["source"] for run in runs} == found, words
    assert ran("runs", "list", "--symbol", "x").out.startswith("no such runs in ")
    assert len(ran("runs", "list", "--since", "1h", "--limit", 1).lines) == 1


@pytest.mark.parametrize(("words", "said"), [(("--status", "well"), "--status"), (("--since", "soon"), "--since")])
def test_what_cannot_be_looked_for(ran, words, said) -> None:
    result = ran("runs", "list", *words)
    assert (result.code, said in result.err) == (2, True)


def test_show(ran) -> None:
    result = ran("runs", "show")
    assert result.code == 0
    assert "program  ask.rtfs (sha256 " in result.out
    assert "status   complete after " in result.out
    assert "UnknownCapability: " in result.lines[-1]
    head, entry = ran("runs", "show", "last", "--json").records
    assert head["run"]["source"] == "ask.rtfs"
    assert (entry["symbol"], entry["error_kind"]) == ("acme.read", "UnknownCapability")


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
    connection.execute("UPDATE log SET body = replace(body, 'acme.read', 'acme.write')")
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


def test_the_whole_journal_and_its_head(ran) -> None:
    result = ran("runs", "verify", "--all")
    assert result.code == 0
    assert result.lines[-1].endswith("intact, 1 run, 0 unfinished, 4 rows")
    head = ran("runs", "head").lines[-1]
    assert head == ran("runs", "head", "--json").data["head"]
    ran("run", "ask.rtfs", "y")
    result = ran("runs", "verify", "--all", "--against", head)
    assert (result.code, "2 runs, 0 unfinished" in result.out) == (0, True)
    result = ran("runs", "verify", "--against", f"4:{'0' * 64}", "--json")
    assert (result.code, result.data["ok"]) == (1, False)
    assert "when the head was taken" in result.data["problems"][0]


@pytest.mark.parametrize("head", ["x", "4", "4:zz", "0:" + "0" * 64])
def test_a_head_that_is_none(ran, head: str) -> None:
    result = ran("runs", "verify", "--all", "--against", head)
    assert result.code == 2
    assert "is no head; `rtfs runs head` prints one" in result.err


def test_an_unfinished_run_and_a_newer_one_that_was_cut_off(ran, folder) -> None:
    ran("run", "ask.rtfs", "y")
    connection = sqlite3.connect(folder / "home" / "journal.sqlite")
    connection.execute("DROP TRIGGER log_no_delete")
    connection.execute("DELETE FROM log WHERE position > 4")
    connection.commit()
    connection.close()
    for command in (("verify",), ("verify", "--all")):
        result = ran("runs", *command)
        assert result.code == 1
        assert "the file ends at row 4, but had come to row" in result.out


def test_what_was_kept_is_removed(rtfs, folder) -> None:
    (folder / "delegation.toml").write_text('[journal]\nkeep = "replies"\n')
    assert rtfs("config", "trust").code == 0
    (folder / "ask.rtfs").write_text(TRY)
    rtfs("run", "ask.rtfs", "private")
    assert rtfs("runs", "show", "--json").records[1]["args"] == '["private"]'
    assert "1:0  acme.read" in rtfs("runs", "show").out
    result = rtfs("runs", "redact", "last", "--calls", "1:0")
    assert (result.code, result.out.endswith(": 3 texts removed\n")) == (0, True)
    assert rtfs("runs", "redact", "last", "--json").data["removed"] == 1, "the program's text"
    assert rtfs("runs", "redact", "last", "--json").data["removed"] == 0
    entry = rtfs("runs", "show", "--json").records[1]
    assert (entry["args"], entry["removed"]) == (None, ["args", "error"])
    assert rtfs("runs", "verify", "--all").code == 0
    result = rtfs("runs", "redact", "last", "--calls", "7:7")
    assert result.code == 1
    assert "has no call 7:7" in result.err


KEEPING = '[journal]\nkeep = "replies"\n'


def test_what_is_kept_is_shown_and_found(rtfs, folder) -> None:
    (folder / "own.toml").write_text(KEEPING)
    (folder / "ask.rtfs").write_text('(defn main [x] (try (call :acme.read x) (catch _ e "none")))')
    rtfs("run", "ask.rtfs", "Martha's letters", "--config", "own.toml")
    rtfs("run", "ask.rtfs", "other", "--config", "own.toml")
    first, second = (run["id"] for run in reversed(rtfs("runs", "list", "--json").data["runs"]))
    found = rtfs("runs", "list", "--search", "MARTHA'S", "--json").data["runs"]
    assert [run["id"] for run in found] == [first]
    assert len(rtfs("runs", "list", "--search", "defn main", "--json").data["runs"]) == 2
    assert rtfs("runs", "list", "--search", "nobody").out.startswith("no such runs in ")
    assert 'asked ["other"]; answered error ' in rtfs("runs", "show", second, "--replies").out
    assert rtfs("runs", "show", second, "--replies", "--json").records[1]["answer"].startswith("error ")
    rtfs("runs", "redact", first)
    assert rtfs("runs", "list", "--search", "martha", "--json").data["runs"] == []
    assert "asked not kept; answered not kept" in rtfs("runs", "show", first, "--replies").out


def test_runs_that_are_kept_no_longer_are_removed(ran, folder) -> None:
    result = ran("runs", "gc")
    assert (result.code, "say which: --older-than 90d" in result.err) == (2, True)
    assert ran("runs", "gc", "--older-than", "90d").out == "0 runs removed\n"
    head = ran("runs", "head").lines[-1]
    result = ran("runs", "gc", "--older-than", "0s", "--dry-run")
    assert result.lines[-1] == "1 run would be removed: 1 by age"
    assert len(ran("runs", "list", "--json").data["runs"]) == 1
    result = ran("runs", "gc", "--most", "1B", "--json").data
    assert ([each["why"] for each in result["runs"]], result["rows"]) == (["size"], 3)
    assert ran("runs", "list", "--json").data["runs"] == []
    result = ran("runs", "verify", "--all", "--against", head)
    assert (result.code, "1 runs were removed on purpose, 3 rows" in result.out) == (0, True)
    ran("run", "ask.rtfs", "y")
    assert ran("runs", "verify", "--all").code == 0


@pytest.mark.parametrize(("word", "said"), [("--older-than", "is no duration"), ("--most", "is no size")])
def test_how_much_is_kept_is_a_duration_or_a_size(rtfs, word, said) -> None:
    result = rtfs("runs", "gc", word, "much")
    assert (result.code, said in result.err) == (2, True)


def test_what_the_configuration_says_of_ages(rtfs, folder) -> None:
    """A mark's own age is read with or without its colon."""
    table = '[journal]\nretain = "90d"\nmost_bytes = "1 GiB"\nretain_labels = { pii = "30d", ":secret" = "1d" }\n'
    (folder / "own.toml").write_text(table)
    assert rtfs("runs", "gc", "--config", "own.toml").out == "0 runs removed\n"
    (folder / "own.toml").write_text('[journal]\nretain_labels = { pii = "soon" }\n')
    result = rtfs("runs", "gc", "--config", "own.toml")
    assert (result.code, "retain_labels" in result.err) == (1, True)


def test_a_lost_key(ran, folder) -> None:
    (folder / "home" / "journal.key").unlink()
    for command in (("runs", "verify"), ("runs", "head"), ("run", "ask.rtfs", "x")):
        result = ran(*command)
        assert result.code == 1
        assert "error[E0720]" in result.err
        assert "put the key back" in result.err


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("there", [False, True], ids=["new", "there"])
def test_what_is_exported_only_its_owner_can_read(ran, folder, there) -> None:
    file = folder / "out.jsonl"
    if there:
        file.touch(0o644)
    ran("runs", "export", "last", "--out", "out.jsonl")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.stat().st_size > 0


def test_runs_are_exported_as_lines(ran, folder) -> None:
    ran("run", "ask.rtfs", "y")
    head, call = ran("runs", "export", "last").records
    assert (head["run"]["source"], call["call"]["symbol"], call["of"]) == ("ask.rtfs", "acme.read", head["run"]["id"])
    assert ran("runs", "export", "--since", "1h", "--out", "out.jsonl").out == ""
    lines = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert [next(iter(line)) for line in lines] == ["run", "call", "run", "call"]
    refused = ran("runs", "export", "last", "--since", "1h")
    assert (refused.code, "not both" in refused.err) == (2, True)


def test_the_end_of_the_journal(ran) -> None:
    rows = ran("runs", "tail", "--no-follow", "--json").records
    assert [row["what"] for row in rows][-2:] == ["ended", "end"]
    assert {row["run"] for row in rows} == {ran("runs", "list", "--json").data["runs"][0]["id"]}
    assert [row["call"] for row in rows if row["what"] == "ended"] == ["1:0"]
    (line,) = ran("runs", "tail", "--no-follow", "--lines", 1).lines
    assert "complete" in line
    assert ran("runs", "tail", "--no-follow", "--lines", 0).out == ""


def test_a_journal_is_watched_until_ctrl_c(ran, monkeypatch) -> None:
    looks = []

    def pause(_seconds):
        looks.append(1)
        if len(looks) == 1:
            ran("run", "ask.rtfs", "y")
        else:
            raise KeyboardInterrupt

    monkeypatch.setattr("rtfs_framework.cli.commands.runs_export.time.sleep", pause)
    assert ran("runs", "tail", "--lines", 0).code == 130


def test_watching_begins_before_there_is_a_journal(rtfs) -> None:
    assert (rtfs("runs", "tail", "--no-follow").code, rtfs("runs", "tail", "--no-follow").out) == (0, "")
