"""Numbers of the command line that no machine counts with: a mistake of the line, told as such."""

from __future__ import annotations

import pytest

LINES = [
    ("runs", "list", "--limit"),
    ("queue", "list", "--limit"),
    ("tickets", "list", "--limit"),
    ("cache", "warm", "p.rtfs", "--input", "-", "--limit"),
    ("run", "p.rtfs", "--input", "-", "--limit"),
    ("budget", "settle", "1", "--tokens"),
]


@pytest.mark.parametrize("line", LINES, ids=lambda line: "-".join(line[:2]))
def test_a_number_that_is_too_large_is_a_mistake_of_the_line(rtfs, folder, line):
    (folder / "p.rtfs").write_text("1")
    found = rtfs(*line, str(2**63))
    assert found.code == 2
    assert f"{2**63} is not in the range" in found.err
