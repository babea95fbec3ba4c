"""One code: its title, explanation and examples."""

from __future__ import annotations

from rtfs_framework.lang import records


@records.frozen(kw_only=True)
class Code:
    """What `rtfs explain CODE` tells. Codes are stable: a number never gets another meaning."""

    code: str
    title: str
    text: str
    wrong: str = ""
    right: str = ""
    language: str = "rtfs"
    """What the examples are written in: rtfs, toml or console."""


CODES: dict[str, Code] = {}


def enter(code: str, title: str, text: str, wrong: str = "", right: str = "", *, language: str = "rtfs") -> None:
    """Enter a code.

    Raises:
        ValueError: the code is taken.
    """
    if code in CODES:
        message = f"{code} is explained twice"
        raise ValueError(message)
    CODES[code] = Code(code=code, title=title, text=text, wrong=wrong, right=right, language=language)
