"""`rtfs run` as a process: Ctrl-C, closed pipes, constant memory, the progress bar, crashes."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

MANY = 100_000
FEW = 5_000
SLACK = 12_000
"""Kilobytes that two runs may differ by without meaning anything."""


def read_until(child, text: str) -> str:
    """Read a child's lines until one holds a text."""
    seen = []
    for line in child.stdout:
        seen.append(line.decode())
        if text in seen[-1]:
            return "".join(seen)
    raise AssertionError("".join(seen) + child.stderr.read().decode())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT between processes")
def test_ctrl_c_ends_with_a_partial_summary(process) -> None:
    child = process("run", "pure.rtfs", "--input", "-")
    child.stdin.write(b"".join(b"record %d\n" % number for number in range(30)))
    child.stdin.flush()
    read_until(child, "record 29 ")
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert child.returncode == 130, err
    assert "30 records, 0 errors, interrupted after " in out.decode()
    assert err == b""


@pytest.mark.needs("rtfs-provider-rules")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT between processes")
def test_ctrl_c_leaves_a_whole_journal(process, rtfs) -> None:
    child = process("run", "feeling.rtfs", "--input", "-", "--json")
    child.stdin.write(b"I love it\nI hate it\n")
    child.stdin.flush()
    for number in range(2):
        assert json.loads(child.stdout.readline())["record"] == number
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert child.returncode == 130, err
    summary = json.loads(out)["summary"]
    assert (summary["records"], summary["interrupted"]) == (2, True)
    (run,) = rtfs("runs", "list", "--json").data["runs"]
    assert (run["status"], run["entries"]) == ("interrupted", 2)
    assert rtfs("runs", "verify", "last").code == 0


def test_a_closed_pipe_is_silent(process, folder) -> None:
    (folder / "in.txt").write_text("a record\n" * 20_000)
    child = process("run", "pure.rtfs", "--input", "in.txt", "--json")
    child.stdout.readline()
    child.stdout.close()
    assert child.stderr.read() == b""
    assert child.wait(timeout=30) == 0


def test_a_pipe_that_is_closed_at_once_is_silent(process) -> None:
    child = process("--help")
    child.stdout.close()
    assert child.stderr.read() == b""
    assert child.wait(timeout=30) == 0


def peak_of(process, folder: Path, count: int) -> int:
    """Run over that many lines; return the peak memory in kilobytes."""
    (folder / "in.txt").write_text("".join(f"message {number} about nothing?\n" for number in range(count)))
    with (folder / "out.txt").open("wb") as out:
        child = process("run", "pure.rtfs", "--input", "in.txt", stdout=out, stderr=out)
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    assert f"{count:,} records, 0 errors" in (folder / "out.txt").read_text()
    return usage.ru_maxrss // (1024 if sys.platform == "darwin" else 1)


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="this system does not tell a child's peak memory")
def test_memory_does_not_grow_with_the_input(process, folder) -> None:
    assert peak_of(process, folder, FEW) - peak_of(process, folder, 50) < SLACK


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "wait4"), reason="this system does not tell a child's peak memory")
def test_memory_does_not_grow_with_a_large_input(process, folder) -> None:
    assert peak_of(process, folder, MANY) - peak_of(process, folder, FEW) < SLACK


def test_no_progress_bar_without_a_terminal(rtfs) -> None:
    assert rtfs("run", "pure.rtfs", "--input", "-", stdin="a\n").err == ""


@pytest.mark.parametrize("name", ["in.txt", "-"])
def test_a_progress_bar_on_request(rtfs, folder, name: str) -> None:
    (folder / "in.txt").write_text("a\n" * 100)
    result = rtfs("run", "pure.rtfs", "--input", name, "--progress", stdin="a\n" * 100)
    assert "100 records" in result.err
    assert ("100%" in result.err) == (name != "-")
    assert "100 records" in result.out
    assert "\x1b" not in result.out


def test_a_bug_of_ours_is_reported_without_a_traceback(rtfs, folder, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("rtfs_framework.orchestrator.session.Session.run", broken)
    result = rtfs("eval", "1")
    assert result.code == 1
    assert "error[E0999]: internal error: ZeroDivisionError: oops" in result.err
    assert "Traceback" not in result.err
    (crash,) = (folder / "home" / "crashes").iterdir()
    assert str(crash) in result.err
    assert "ZeroDivisionError: oops" in crash.read_text()


def test_debugging_shows_the_traceback(rtfs, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setenv("RTFS_DEBUG", "1")
    monkeypatch.setattr("rtfs_framework.orchestrator.session.Session.run", broken)
    with pytest.raises(ZeroDivisionError):
        rtfs("eval", "1")


def test_an_interrupt_before_anything_ran(rtfs, monkeypatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rtfs_framework.orchestrator.session.Session.run", interrupted)
    result = rtfs("eval", "1")
    assert result.code == 130
    assert "interrupted" in result.err


def test_the_console_entry_leaves_with_the_exit_code(process) -> None:
    child = process("nothing")  # a process of its own: it changes streams and signals for good
    _, err = child.communicate(timeout=60)
    assert child.returncode == 2
    assert b"E0909" in err


@pytest.mark.parametrize(("variable", "colour"), [("FORCE_COLOR", True), ("NO_COLOR", False)])
def test_colour_can_be_forced_and_refused(rtfs, monkeypatch, variable: str, colour: bool) -> None:
    monkeypatch.setenv(variable, "1")
    assert ("\x1b[" in rtfs("eval", "(+ 1").err) == colour
