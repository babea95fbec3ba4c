"""The script that records a terminal session: both files hold what was really printed, and fetch nothing."""

from __future__ import annotations

import json
import os
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal is POSIX's"),
    # The example's configuration speaks of their models.
    pytest.mark.needs("rtfs-provider-openai", "rtfs-provider-rules", "rtfs-engine-static"),
]


def recorder(*commands):
    made = runpy.run_path(str(ROOT / "docs/record.py"))
    made["record"].__globals__["COMMANDS"] = commands
    return made["main"]


def test_a_session_is_what_the_commands_printed(tmp_path):
    recorder("rtfs eval '(map inc [1 2])'", "rtfs fmt triage.rtfs --check")(tmp_path)
    head, *events = map(json.loads, (tmp_path / "session.cast").read_text(encoding="utf-8").splitlines())
    assert head["version"] == 2
    assert all(kind == "o" for _, kind, _ in events)
    assert [at for at, _, _ in events] == sorted(at for at, _, _ in events)
    shown = "".join(text for _, _, text in events)
    assert "[2 3]\r\n" in shown
    assert "rtfs eval '(map inc [1 2])'\r\n" in shown
    image = (tmp_path / "session.svg").read_text(encoding="utf-8")
    assert "[2&#160;3]" in image
    assert "@font-face" not in image
    assert "url(http" not in image


def test_a_command_that_fails_is_no_recording(tmp_path):
    with pytest.raises(SystemExit, match="exited with 1"):
        recorder("rtfs eval '(/ 1 0)'")(tmp_path)
