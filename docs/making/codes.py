"""What every diagnostic means, from the text that `rtfs explain CODE` shows."""

from __future__ import annotations

import re
from pathlib import Path

import rtfs_framework.lang.codes
from making.language import MARK

_ABOUT = """\
What every diagnostic means; `rtfs explain CODE` shows an entry. A code's number never gets another meaning. The
examples show what is wrong, and what is right."""


def pages() -> dict[str, str]:
    """Return the page."""
    text = Path(rtfs_framework.lang.codes.__file__).with_name("codes.md").read_text(encoding="utf-8")
    _, entries = text.split("\n# ", maxsplit=1)
    below = re.sub(r"^(#+ )", r"#\1", f"# {entries}", flags=re.MULTILINE)
    return {"docs/reference/codes.md": f"# Codes\n\n{MARK}\n\n{_ABOUT}\n\n{below}"}
