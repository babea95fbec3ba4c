"""What every diagnostic means. In: `codes.md`, where the codes are explained. Out: one record for each."""

from __future__ import annotations

import os
import re

from rtfs_framework.lang import records

_ENTRY = re.compile(r"^## (E0\d{3}) (.*)\n\n((?:(?!```|## ).+\n)+)((?:\n```(?:.*\n)+?```\n)*)", re.MULTILINE)
_EXAMPLE = re.compile(r"```(\w+) (wrong|right)\n((?:.*\n)+?)```")


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


def read_codes(text: str) -> dict[str, Code]:
    """Return the codes that a text explains, in its order.

    Raises:
        ValueError: one is explained twice.
    """
    found: dict[str, Code] = {}
    for code, title, about, examples in _ENTRY.findall(text):
        if code in found:
            message = f"{code} is explained twice"
            raise ValueError(message)
        shown = _EXAMPLE.findall(examples)
        given = {word: body.rstrip("\n") for _, word, body in shown}
        language = shown[0][0] if shown else "rtfs"
        found[code] = Code(code=code, title=title, text=" ".join(about.splitlines()), language=language, **given)
    return found


def _text() -> str:
    with open(os.path.join(os.path.dirname(__file__), "codes.md"), encoding="utf-8") as file:  # noqa: PTH118, PTH120, PTH123
        return file.read()


CODES = read_codes(_text())
