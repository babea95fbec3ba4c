"""Text in cells: measured as a terminal shows it (a Chinese character is two cells wide), wrapped or cut.

What comes out of a file or a model may hold control characters; they are shown as escapes, so that no record can move
the cursor or repaint the table.
"""

from __future__ import annotations

import re

from rich.cells import cell_len, chop_cells, set_cell_size

from rtfs_framework.lang.visible import visible_line

_BLANKS = re.compile(r"[ \t\r\n]+")
MORE = "…"


def clean(text: str) -> str:
    """Return text fit for one line of a table."""
    return visible_line(_BLANKS.sub(" ", text).strip())


def cut(text: str, width: int) -> str:
    """Return text in exactly `width` cells, its end cut off where it is too long."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(set_cell_size(text, max(0, width - 1)).rstrip() + MORE, width)


def wrap(text: str, width: int) -> list[str]:
    """Return lines of at most `width` cells, broken between words where that is possible."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        for part in [word] if cell_len(word) <= width else chop_cells(word, width):
            joined = f"{line} {part}" if line else part
            if cell_len(joined) <= width:
                line = joined
            else:
                lines.append(line)
                line = part
    return [*lines, line] if line or not lines else lines


def widths_for(columns: list[list[str]], available: int, least: int = 6) -> list[int]:
    """Return the width of each column: what its texts need, the widest ones narrowed until all fit."""
    widths = [max(1, *(cell_len(text) for text in texts)) for texts in columns]
    while sum(widths) > available:
        widest = max(range(len(widths)), key=widths.__getitem__)
        if widths[widest] <= least:
            break
        widths[widest] -= 1
    return widths
