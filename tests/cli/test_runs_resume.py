"""`rtfs runs resume|signal|pause|cancel`: runs that outlive their process, from the command line."""

from __future__ import annotations

import json

import pytest

from rtfs_framework.orchestrator.recording.journal import sealing

WAITS = """
(defn main [x]
  (let [told (host/wait-for :go)]
    (str x " " (get told "name"))))
"""
EACH = '(defn main [m] (do (host/wait-for (:text m)) (str (:text m) "!")))'.replace("(:text m)", '(get m "text")')
FOLDS = """
(defn fold [state m] (do (host/wait-for (get m "text")) (conj (or state []) (get m "text"))))
(defn finish [state] (str (count state) ": " (str state)))
"""


def last(rtfs):
    return rtfs("runs", "list", "--limit", 1, "--json").data["runs"][0]


@pytest.fixture
def waiting(rtfs, folder):
    """A run that waits for a word, and whose process has ended."""
    (folder / "waits.rtfs").write_text(WAITS)
    result = rtfs("run", "waits.rtfs", "hello", "--park")
    assert (result.code, result.out) == (75, "")
    assert result.err.startswith("waiting: the run waits for :go; go on with `rtfs runs resume ")
    return rtfs


def test_a_word_is_sent_and_the_run_goes_on(waiting) -> None:
    assert last(waiting)["status"] == "waiting"
    assert waiting("runs", "resume", "last", "--park").code == 75
    assert waiting("runs", "signal", "last", ":go", '{"name": "Ann"}').out.endswith(": sent :go\n")
    result = waiting("runs", "resume", "last")
    assert (result.code, result.out) == (0, '"hello Ann"\n'), result.err
    assert last(waiting)["status"] == "complete"
    assert waiting("runs", "verify", "--all").code == 0
    again = waiting("runs", "resume", "last")
    assert (again.code, "is complete" in again.err) == (1, True)
    assert "has ended" in waiting("runs", "signal", "last", "go").err


def test_the_run_that_waits_is_named_in_json(waiting) -> None:
    for args in (("run", "waits.rtfs", "x"), ("runs", "resume", "last"), ("runs", "fork", "last")):
        result = waiting(*args, "--park", "--json")
        assert (result.code, result.data["waits"]) == (75, "for :go")
        assert result.data["run"] == last(waiting)["id"]


def test_a_line_that_click_refuses_is_told_in_json(rtfs) -> None:
    for args in (("--older-than", "-5d"), ("--no-such",), ("a",)):
        result = rtfs("runs", "gc", *args, "--json")
        assert (result.code, result.err) == (2, "")
        (error,) = result.data["errors"]
        assert (error["severity"], error["help"]) == ("error", "rtfs runs gc --help")
        assert args[-1].lstrip("-") in error["message"]


def test_what_runs_wait_for_is_listed(waiting, folder) -> None:
    (folder / "two.rtfs").write_text('(defn main [] (do (host/wait-for :a "2h") (host/sleep "3h")))')
    assert waiting("run", "two.rtfs", "--park").code == 75
    two, one = waiting("runs", "list").lines
    assert one.endswith("waits.rtfs  waits for :go")
    assert "two.rtfs  waits for :a until " in two
    waiting("runs", "signal", "last", "a", "1")
    assert waiting("runs", "resume", "last", "--park").code == 75
    two, one = waiting("runs", "list", "--json").data["runs"]
    assert [each.get("for") for each in (*one["waits"], *two["waits"])] == ["go", None]
    assert "two.rtfs  waits until " in waiting("runs", "list").lines[0]


def test_words_are_encrypted_as_the_configuration_says(rtfs, folder, monkeypatch) -> None:
    pytest.importorskip("cryptography", reason="the extra `encrypt`")
    (folder / "delegation.toml").write_text('[journal]\nencrypt = "env:TEXTS_KEY"\n')
    assert rtfs("config", "trust").code == 0
    monkeypatch.setenv("TEXTS_KEY", "5f" * 32)
    (folder / "waits.rtfs").write_text(WAITS)
    assert rtfs("run", "waits.rtfs", "hello", "--park").code == 75
    assert rtfs("runs", "signal", "last", "go", '{"name": "MARTHA"}').code == 0
    files = list((folder / "home").glob("journal.sqlite*"))
    assert files
    assert not any(word in file.read_bytes() for file in files for word in (b"MARTHA", b"defn main"))
    monkeypatch.setenv("TEXTS_KEY", "60" * 32)
    monkeypatch.setattr(sealing, "_known", {})  # another process
    for command in (("resume", "last"), ("signal", "last", "go", "1")):
        result = rtfs("runs", *command)
        assert (result.code, "E0727" in result.err) == (1, True), result.err
    monkeypatch.setenv("TEXTS_KEY", "5f" * 32)
    assert rtfs("runs", "resume", "last").out == '"hello MARTHA"\n'
    assert rtfs("runs", "verify", "--all").code == 0


def test_all_that_are_due(waiting) -> None:
    assert waiting("runs", "resume", "--due").out == "no run is due\n"
    waiting("runs", "signal", "last", "go", '{"name": "Bo"}')
    result = waiting("runs", "resume", "--due")
    assert (result.code, result.lines[-1]) == (0, '"hello Bo"')
    assert waiting("runs", "resume", "--due").out == "no run is due\n"


def test_the_text_of_the_program_may_be_gone_and_another_takes_over_where_it_does_the_same(waiting, folder) -> None:
    (folder / "waits.rtfs").unlink()
    (folder / "other.rtfs").write_text("(defn main [x] (host/wait-for :elsewhere))")
    refused = waiting("runs", "resume", "last", "--upgrade", "other.rtfs")
    assert (refused.code, "error[E0721]" in refused.err, "call 1:0" in refused.err) == (1, True, True), refused.err
    (folder / "new.rtfs").write_text(WAITS.replace('(str x " "', '(str "new " x " "'))
    waiting("runs", "signal", "last", "go", '{"name": "Cy"}')
    assert waiting("runs", "resume", "last", "--upgrade", "new.rtfs").out == '"new hello Cy"\n'


def test_an_upgrade_that_took_over_is_what_is_gone_on_with(waiting, folder) -> None:
    longer = WAITS.replace('(get told "name")', '(get told "name") (host/wait-for :more)')
    (folder / "new.rtfs").write_text(longer)
    waiting("runs", "signal", "last", "go", '{"name": "Di"}')
    assert waiting("runs", "resume", "last", "--upgrade", "new.rtfs", "--park").code == 75
    (folder / "new.rtfs").unlink()
    waiting("runs", "signal", "last", "more", "!")
    assert waiting("runs", "resume", "last").out == '"hello Di!"\n'


def test_forked_before_a_call_and_at_a_checkpoint(rtfs, folder) -> None:
    (folder / "delegation.toml").write_text('[journal]\nkeep = "replies"\n')
    assert rtfs("config", "trust").code == 0
    text = "(defn main [] (let [a (host/wait-for :a 0 1)] (checkpoint :half) [a (host/wait-for :b 0 2)]))"
    (folder / "two.rtfs").write_text(text)
    assert rtfs("run", "two.rtfs").out == "[1 2]\n"
    first = last(rtfs)["id"]
    (folder / "three.rtfs").write_text(text.replace(":b 0 2", ":b 0 3"))
    for at in (":half", "1:2"):
        assert rtfs("runs", "fork", first, "--at", at, "--upgrade", "three.rtfs").out == "[1 3]\n"
    assert rtfs("runs", "fork", first).out == "[1 2]\n"
    nowhere = rtfs("runs", "fork", first, "--at", "9:9")
    assert (nowhere.code, "error[E0728]" in nowhere.err) == (1, True)
    assert len(rtfs("runs", "list").lines) == 4
    assert rtfs("runs", "verify", "--all").code == 0


def test_a_run_whose_texts_went_with_it_says_so_when_it_is_forked(rtfs, folder) -> None:
    (folder / "one.rtfs").write_text("(defn main [] (host/wait-for :a 0 1))")
    assert rtfs("run", "one.rtfs").out == "1\n"
    refused = rtfs("runs", "fork", "last")
    assert (refused.code, "error[E0723]" in refused.err) == (1, True)
    assert 'has ended, and its program and answers went with it: [journal] keep is "digests"' in refused.err
    assert 'set keep = "replies"' in refused.err


def test_cancelled_and_paused(waiting) -> None:
    assert waiting("runs", "pause", "last").code == 0
    assert waiting("runs", "cancel", "last", "--json").data["done"] == "cancelled"
    assert last(waiting)["status"] == "cancelled"
    assert "was cancelled" in waiting("runs", "resume", "last").err


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ((), "name a run, or say --due"),
        (("last", "--due"), "name a run, or say --due"),
        (("last", "--assume", "1:0=perhaps"), "write ID=done"),
        (("last", "--assume", "1:0=done", "--reply", "{"), "is no JSON"),
        (("last", "--reply", "1"), "--reply needs one --assume"),
        (("nobody",), "no run is called"),
    ],
)
def test_what_cannot_be_meant_is_refused(waiting, args, told) -> None:
    result = waiting("runs", "resume", *args)
    assert (result.code in (1, 2), told in result.err) == (True, True), result.err


def records(folder, text):
    (folder / "each.rtfs").write_text(text)
    (folder / "in.txt").write_text("a\nb\nc\n")


def test_a_run_over_records_goes_on_behind_those_that_are_done(rtfs, folder) -> None:
    records(folder, EACH)
    started = rtfs("run", "each.rtfs", "--input", "in.txt", "--output", "out.jsonl", "--concurrency", 1, "--park")
    assert started.code == 75, started.err
    rtfs("runs", "signal", "last", "a", "1")
    rtfs("runs", "signal", "last", "b", "1")
    assert rtfs("runs", "resume", "last", "--park").code == 75
    done = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert [each["value"] for each in done] == ["a!", "b!"]
    (folder / "in.txt").write_text("z\nb\nc\n")
    rtfs("runs", "signal", "last", "c", "1")
    other = rtfs("runs", "resume", "last")
    assert (other.code, "error[E0929]" in other.err) == (2, True), other.err
    (folder / "moved.txt").write_text("a\nb\nc\n")
    ended = rtfs("runs", "resume", "last", "--input", "moved.txt", "--json")
    assert ended.code == 0, ended.err
    lines = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert [each["value"] for each in lines[:-1]] == ["a!", "b!", "c!"]
    assert lines[-1]["summary"]["records"] == 3


def test_a_fold_goes_on_in_the_middle_of_its_file(rtfs, folder) -> None:
    records(folder, FOLDS)
    assert rtfs("run", "each.rtfs", "--input", "in.txt", "--park").code == 75
    for word in ("a", "b"):
        rtfs("runs", "signal", "last", word, "1")
        assert rtfs("runs", "resume", "last", "--park").code == 75
    rtfs("runs", "signal", "last", "c", "1")
    assert rtfs("runs", "resume", "last").lines[0] == '"3: [\\"a\\" \\"b\\" \\"c\\"]"'
