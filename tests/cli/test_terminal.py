"""On a terminal: the bar on stderr and the rows on stdout do not disturb each other; cells are as wide as they look."""

from __future__ import annotations

import os
import re
import sys

import pytest
from rich.cells import cell_len

from rtfs_framework.cli.shown import cells

_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals of this kind")
def test_rows_and_bar_share_a_terminal(process, folder) -> None:
    import pty

    (folder / "in.txt").write_text("".join(f"record {number}?\n" for number in range(200)))
    ours, theirs = pty.openpty()
    child = process("run", "pure.rtfs", "--input", "in.txt", stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so when the other side has gone
            break
        if not part:
            break
        seen += part
    os.close(ours)
    assert child.wait(timeout=30) == 0
    lines = [line.rpartition("\r")[2] for line in _CODES.sub("", seen.decode()).replace("\r\n", "\n").split("\n")]
    assert [line.split("?")[0] for line in lines if line.startswith("record ")] == [f"record {n}" for n in range(200)]
    assert any("200 records" in line and "100%" in line for line in lines)
    assert any(line.startswith("200 records, 0 errors") for line in lines)


@pytest.mark.parametrize("text", ["short", "日本語のテキスト", "e\u0301" * 5, "👍👍👍", "", "a" * 50])
@pytest.mark.parametrize("width", [1, 2, 5, 9])
def test_cut_text_has_exactly_that_width(text: str, width: int) -> None:
    assert cell_len(cells.cut(text, width)) == width


@pytest.mark.parametrize("text", ["one two three", "日本語のテキスト です", "a" * 50, "", "  "])
def test_wrapped_lines_fit_and_lose_nothing(text: str) -> None:
    lines = cells.wrap(text, 6)
    assert max(map(cell_len, lines)) <= 6
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_only_the_widest_columns_are_narrowed() -> None:
    columns = [["a" * 100], ["b" * 10], ["c" * 40]]
    assert cells.widths_for(columns, 60) == [25, 10, 25]
    assert cells.widths_for(columns, 1000) == [100, 10, 40]
    assert min(cells.widths_for(columns, 5)) == 6


def test_clean_text_is_one_harmless_line() -> None:
    assert cells.clean("a\tb\r\n c\x1b[2J\x9b\x00") == r"a b c\u001b[2J\u009b\u0000"
