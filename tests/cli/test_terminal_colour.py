"""Colour is decided once for both streams: NO_COLOR, FORCE_COLOR, TERM and what each stream is."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys

import pytest

from rtfs_framework.orchestrator.config.colour import colour_for

STYLE = re.compile(rb"\x1b\[[0-9;]*m")
COMMANDS = (
    ["check", "bad.rtfs"],
    ["check", "feeling.rtfs"],
    ["explain", "feeling.rtfs"],
    ["explain", "E0203"],
    ["doc", "map"],
    ["doc", "--search", "integer"],
    ["plugins"],
    ["run", "pure.rtfs", "--input", "in.txt", "--no-progress"],
    ["runs", "show"],
    ["eval", "(/ 1 0)"],
    ["eval", '"a \\u001b[31mred\\u001b[0m b"'],
    ["run", "--nope"],
)
CHILD = """
import json, sys
from rtfs_framework.cli.main import run
for args in json.loads(sys.argv[1]):
    run(args)
"""


class Fake:
    """A stream that is, or is not, a terminal."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def isatty(self) -> bool:
        if isinstance(self.answer, Exception):
            raise self.answer
        return bool(self.answer)


@pytest.mark.parametrize(
    ("environ", "terminal", "wanted"),
    [
        ({}, True, True),
        ({}, False, False),
        ({}, ValueError("I/O operation on closed file"), False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": "0"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": ""}, False, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
    ],
)
def test_one_decision(monkeypatch, environ, terminal, wanted) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert colour_for(Fake(terminal)) is wanted


def test_no_stream_has_no_colour(monkeypatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert colour_for(None) is False


@pytest.fixture
def shown(folder):
    """Run all commands in one process whose streams are terminals or pipes; return what each stream got."""
    pty = pytest.importorskip("pty", reason="pseudo-terminals are Unix's")
    (folder / "in.txt").write_text("a\n", encoding="utf-8")
    (folder / "bad.rtfs").write_text("(nosuch 1)", encoding="utf-8")

    def run(out_is_terminal: bool, err_is_terminal: bool, **environ: str) -> tuple[bytes, bytes]:
        ours, theirs = zip(
            *(pty.openpty() if wanted else os.pipe() for wanted in (out_is_terminal, err_is_terminal)), strict=True
        )
        env = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, json.dumps(COMMANDS)],
            stdin=subprocess.DEVNULL,
            stdout=theirs[0],
            stderr=theirs[1],
            cwd=folder,
            env={**env, "TERM": "xterm", **environ},
        )
        for each in theirs:
            os.close(each)
        got, left = dict.fromkeys(ours, b""), set(ours)
        while left:
            for each in select.select(left, [], [], 120)[0]:
                try:
                    part = os.read(each, 65536)
                except OSError:  # Linux says so when the other side of a terminal has gone
                    part = b""
                got[each] += part
                if not part:
                    left.discard(each)
        child.wait(120)
        for each in ours:
            os.close(each)
        return got[ours[0]].replace(b"\r\n", b"\n"), got[ours[1]].replace(b"\r\n", b"\n")

    return run


@pytest.mark.parametrize(
    ("terminals", "environ", "coloured"),
    [
        ((True, True), {}, (True, True)),
        ((True, True), {"NO_COLOR": "1"}, (False, False)),
        ((True, False), {}, (True, False)),
        ((False, True), {}, (False, True)),
        ((False, False), {"FORCE_COLOR": "1"}, (True, True)),
        ((True, True), {"TERM": "dumb"}, (False, False)),
    ],
    ids=["terminals", "NO_COLOR", "stdout only", "stderr only", "FORCE_COLOR", "dumb"],
)
def test_every_command_obeys(shown, terminals, environ, coloured) -> None:
    out, err = shown(*terminals, **environ)
    assert (bool(STYLE.search(out)), bool(STYLE.search(err))) == coloured
    plain = STYLE.sub(b"", out)
    assert b"\x1b" not in plain
    assert b'"a \\u001b[31mred\\u001b[0m b"\n' in plain  # data stay what they are
    headings = [b"error[E0203]", b"map", b"E0203", b"commands", b"message  length"]
    assert all(word in plain for word in headings)
    if coloured[0]:
        starts = {line.split(b"m", 1)[0] for line in out.split(b"\n") if line.startswith(b"\x1b[")}
        assert b"\x1b[1" in starts <= {b"\x1b[1", b"\x1b[33"}
        assert b"\x1b[31m\x1b[1merror[E0203]\x1b[0m" in out
        assert re.search(rb"\x1b\[1mmessage +length", out)
    assert b"DivisionByZero" in err
    assert b"Error: No such option" in err
