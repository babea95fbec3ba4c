"""Standard streams that are closed, full, or whose reader has gone: a clear end at every command, no work undone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="closed and full streams are made as POSIX has them")

FULL = "/dev/full"
needs_full = pytest.mark.skipif(not os.path.exists(FULL), reason="this system has no full device")  # noqa: PTH110
START = "from rtfs_framework.cli.main import main; main()"
CALLS = '(defn main [r] (call :nobody.has.this (get r "text")))'
# What writes to stdout, one of each way in which a command writes.
WRITERS = [
    ("eval", "(+ 1 2)"),
    ("eval", "--json", "(+ 1 2)"),
    ("run", "pure.rtfs", "--input", "in.txt", "--no-journal"),
    ("run", "pure.rtfs", "--input", "in.txt", "--no-journal", "--json"),
    ("check", "pure.rtfs"),
    ("explain", "E0203"),
    ("doc", "map"),
    ("plugins",),
    ("config", "show"),
    ("cache", "stats"),
    ("runs", "list"),
    ("fmt", "-"),
    ("expand", "-e", "(inc 1)"),
    ("prompt", "--no-host"),
    ("repl",),
    ("--help",),
    ("run", "--help"),
    ("--version",),
]
FEW = [*WRITERS[:3], ("--help",), ("repl",)]
REST = [pytest.param(args, marks=pytest.mark.slow) for args in WRITERS if args not in FEW]


@pytest.fixture
def shell(folder):
    """Run a command line with redirections as a shell makes them; return its exit code, stdout and stderr."""
    (folder / "in.txt").write_text("a\nb?\n", encoding="utf-8")
    (folder / "calls.rtfs").write_text(CALLS, encoding="utf-8")

    def run(*args: str, how: str = "", stdin: bytes = b"(+ 1 2)\n", **env: str) -> tuple[int, str, str]:
        # In a pipeline the exit code of our side counts.
        ours, _, reader = how.partition("|")
        line = f'"$@" {ours}' + (f'; echo $? > code; }} | {reader} > read; exit "$(cat code)"' if reader else "")
        command = ["sh", "-c", ("{ " if reader else "exec ") + line, "sh", sys.executable, "-c", START, *args]
        done = subprocess.run(
            command, cwd=folder, input=stdin, capture_output=True, timeout=120, check=False, env={**os.environ, **env}
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    yield run
    assert not (folder / "home" / "crashes").exists()


@pytest.mark.parametrize("args", [*FEW, *REST], ids="_".join)
def test_a_closed_stdout_is_told(shell, args) -> None:
    code, _, err = shell(*args, how=">&-")
    assert (code, err.splitlines()[0]) == (1, "error[E0912]: the standard output is closed")
    assert "Traceback" not in err


@needs_full
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("args", [*FEW[1:4], *REST], ids="_".join)
def test_a_full_stdout_is_told(shell, args, unbuffered) -> None:
    code, _, err = shell(*args, how=f"> {FULL}", PYTHONUNBUFFERED=unbuffered)
    assert code == 1
    assert err.startswith("error[E0912]: the standard output cannot be written: ")
    assert "Traceback" not in err
    assert "Exception ignored" not in err


@pytest.mark.parametrize("how", ["2>&-", pytest.param(f"2> {FULL}", marks=needs_full)])
@pytest.mark.parametrize(
    ("args", "code", "out"),
    [
        (("eval", "(/ 1 0)"), 1, ""),
        (("eval", "(+ 1 2)"), 0, "3\n"),
        (("nothing",), 2, ""),
        (("run", "--nope"), 2, ""),
        (("run", "pure.rtfs", "--input", "-", "--format", "jsonl", "--skip-bad", "--no-journal"), 0, None),
        (("run", "pure.rtfs", "--input", "in.txt", "--progress", "--no-journal"), 0, None),
        (("repl",), 0, "3\n"),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, tuple) else None,
)
def test_what_stderr_cannot_take_is_lost_and_the_exit_code_tells(shell, how, args, code, out) -> None:
    done = shell(*args, how=how)
    assert done[0] == code
    assert out is None or done[1] == out


@needs_full
def test_a_log_that_cannot_be_written_is_lost(shell) -> None:
    assert shell("eval", "(+ 1 2)", "--no-journal", how=f"2> {FULL}", RTFS_LOG="debug") == (0, "3\n", "")


@needs_full
@pytest.mark.parametrize("how", [f"> {FULL} 2> {FULL}", ">&- 2>&-", "<&- >&- 2>&-"])
def test_nothing_can_be_said_anywhere(shell, how) -> None:
    assert shell("eval", "(+ 1 2)", how=how) == (1, "", "")


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (("eval", "-"), 0, ""),
        (("repl",), 0, ""),
        (("check", "-"), 0, ""),
        (("fmt", "-"), 0, ""),
        (("run", "pure.rtfs", "--input", "-"), 1, "error[E0907]: <stdin> holds no records"),
        (("run", "pure.rtfs", "--input", "-", "--json"), 1, ""),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, tuple) else None,
)
def test_a_closed_stdin_is_an_empty_input(shell, args, code, told) -> None:
    done = shell(*args, how="<&-")
    assert done[0] == code
    assert done[2].startswith(told)


@needs_full
def test_a_full_output_file_is_told_however_little_is_written(shell) -> None:
    code, _, err = shell("run", "pure.rtfs", "--input", "in.txt", "--output", FULL)
    assert (code, err.splitlines()[0].partition(":")[0]) == (1, "error[E0912]")


@pytest.mark.parametrize("how", [">&-", pytest.param(f"> {FULL}", marks=needs_full), "| head -n 1", "| true"])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_what_was_done_is_in_the_journal(shell, rtfs, how, form) -> None:
    stdin = b"".join(b"%d\n" % number for number in range(3000))
    code, _, err = shell("run", "calls.rtfs", "--input", "-", "--output", "out.jsonl", *form, how=how, stdin=stdin)
    assert "Traceback" not in err
    assert "E0999" not in err
    (run,) = rtfs("runs", "list", "--json").data["runs"]
    assert rtfs("runs", "verify", "last").code == 0
    assert run["status"] in {"interrupted", "failed", "complete"}
    assert run["entries"] >= 1
    assert code == (0 if how.startswith("|") else 1)


def test_a_conversation_ends_when_nobody_reads(process) -> None:
    child = process("repl")
    child.stdin.write(b"(+ 1 2)\n")
    child.stdin.flush()
    assert child.stdout.readline() == b"3\n"
    child.stdout.close()
    child.stdin.write(b"(+ 1 3)\n")
    child.stdin.flush()
    assert child.wait(timeout=60) == 0  # its input is still open
    assert child.stderr.read() == b""


@pytest.mark.needs("rtfs-provider-rules")
def test_sigterm_ends_in_order(process, rtfs) -> None:
    child = process("run", "feeling.rtfs", "--input", "-", "--json")
    child.stdin.write(b"I love it\n")
    child.stdin.flush()
    child.stdout.readline()
    child.send_signal(signal.SIGTERM)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 128 + signal.SIGTERM, err
    assert json.loads(out.splitlines()[-1])["summary"]["interrupted"] is True
    (run,) = rtfs("runs", "list", "--json").data["runs"]
    assert run["status"] == "interrupted"
    assert rtfs("runs", "verify", "last").code == 0
