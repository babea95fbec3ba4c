"""A file of results, one a line: what was measured before is not paid for again.

In: a path. Out: `Measured` records by key. A line that is none is refused with its place: a share that is printed must
not depend on what somebody changed. Only a last line that was cut off as it was written counts for nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from rtfs_framework.cli.problems import USAGE, InputError, cannot_read, problem
from rtfs_framework.cli.writing.measuring import FAILED, Key, Measured

BAD_RESULTS = "E0992"
_BEGINS = b'{"task": '


def known(path: Path) -> dict[Key, Measured]:
    """Return what a file of results holds, by key; nothing where there is none.

    Raises:
        InputError: E0903, it cannot be read; E0992, a line is no result.
    """
    found: dict[Key, Measured] = {}
    lines, last = _lines(path)
    if last and not _is_cut(last):
        lines.append(last)
    for number, line in enumerate(lines, 1):
        if line.strip():
            each = _result(line, path, number)
            if each.outcome != FAILED:
                found[each.key] = each
    return found


def mend(path: Path) -> None:
    """Let a file end with a whole line, so that the next one begins at a line of its own: what was cut off goes.

    Raises:
        OSError: It cannot be written.
    """
    _, last = _lines(path)
    if not last:
        return
    with path.open("r+b") as file:
        end = file.seek(0, 2)
        if _is_cut(last):
            file.truncate(end - len(last))
        else:
            file.write(b"\n")


def _lines(path: Path) -> tuple[list[bytes], bytes]:
    """Return the lines of a file, and what stands behind the last end of a line."""
    if not path.is_file():
        return [], b""
    try:
        *lines, last = path.read_bytes().split(b"\n")
    except OSError as error:
        raise cannot_read(str(path), error) from error
    return lines, last


def _is_cut(last: bytes) -> bool:
    """Tell whether a last line is the beginning of a result: it begins as one, and is no JSON."""
    if not (last.startswith(_BEGINS) or _BEGINS.startswith(last)):
        return False
    try:
        json.loads(last)
    except (ValueError, RecursionError):
        return True
    return False


def _result(line: bytes, path: Path, number: int) -> Measured:
    try:
        data: Any = json.loads(line, parse_constant=_no_number)
        return Measured.of_json(data)
    except (ValueError, RecursionError) as error:
        raise _bad(f"{path}, line {number} is no result of `rtfs bench write`: {error}") from None


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _bad(message: str) -> InputError:
    return problem(BAD_RESULTS, message, "mend or remove the line, or name a new file", exit_code=USAGE)
