"""The closing line of .ci/run: it adds up all envs, and is a failure when a test failed or none ran."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SUITE = "<testsuites><testsuite tests='{}' failures='{}' errors='{}' skipped='{}' /></testsuites>"


@pytest.mark.parametrize(
    ("suites", "line", "status"),
    [
        ([(3, 0, 0, 1), (4, 0, 0, 0)], "6 passed, 0 failed, 1 skipped", 0),
        ([(3, 1, 0, 0), (4, 0, 1, 1)], "4 passed, 2 failed, 1 skipped", 1),
        ([(2, 0, 0, 2)], "0 passed, 0 failed, 2 skipped", 1),
        ([], "0 passed, 0 failed, 0 skipped", 1),
    ],
)
def test_the_closing_line(suites, line: str, status: int, root: Path, tmp_path: Path) -> None:
    for number, counts in enumerate(suites):
        (tmp_path / f"{number}.xml").write_text(SUITE.format(*counts), encoding="utf-8")
    command = [sys.executable, str(root / "tests/repo/house/summary.py"), str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.stdout.strip(), result.returncode) == (line, status)
