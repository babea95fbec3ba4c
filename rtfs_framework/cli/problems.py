"""Mistakes in what a user names or feeds: diagnostics with file, line and way out, like those of programs.

Codes: E0901 no such file; E0902 not in the encoding; E0903 cannot be read; E0904 no such column; E0905 malformed
record; E0906 record without the key; E0907 no records; E0908 `main` does not fit; E0909 unknown command; E0910 unknown
encoding or format; E0911 an overlong line; E0912 the output cannot be written;
E0929 an input that is not the one that it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs

from rtfs_framework.lang.diagnostics import Diagnostic, did_you_mean
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.source import Source, Span

MISSING_FILE = "E0901"
ENCODING = "E0902"
UNREADABLE = "E0903"
NO_COLUMN = "E0904"
MALFORMED = "E0905"
NO_KEY = "E0906"
EMPTY = "E0907"
NO_MAIN = "E0908"
BAD_CHOICE = "E0910"
OVERLONG = "E0911"
OUTPUT = "E0912"
OTHER_INPUT = "E0929"

FAILED = 1
USAGE = 2


class InputError(LanguageError):
    """Something that was given to a command cannot be used; `exit_code` is 2 when the command line is to blame."""

    def __init__(self, *diagnostics: Diagnostic, exit_code: int = FAILED) -> None:
        super().__init__(diagnostics)
        self.exit_code = exit_code


@attrs.frozen(slots=True, eq=False)
class Excerpt(Source):
    """A few lines of a file that nobody wants to hold whole; `first` is the number of the first."""

    first: int = attrs.field(default=1, kw_only=True)

    def place(self, offset: int) -> tuple[int, int]:
        """Return the line and column of an offset into the excerpt."""
        line, column = Source.place(self, offset)
        return line + self.first - 1, column

    def line(self, number: int) -> str:
        """Return the text of a line of the file."""
        return Source.line(self, number - self.first + 1)


def problem(code: str, message: str, way_out: str | None = None, *, exit_code: int = FAILED) -> InputError:
    """Return an error without a place."""
    return InputError(Diagnostic(code=code, message=message, help=way_out, kind="InputError"), exit_code=exit_code)


def problem_at(
    code: str, message: str, source: Source, span: Span, way_out: str | None = None, *, exit_code: int = FAILED
) -> InputError:
    """Return an error at a place."""
    found = Diagnostic(code=code, message=message, source=source, span=span, help=way_out, kind="InputError")
    return InputError(found, exit_code=exit_code)


def require_file(path: Path, what: str = "file") -> None:
    """Refuse a path that is no file, and name the nearest that is.

    Raises:
        InputError: E0901 or E0903.
    """
    if path.is_dir():
        message = f"{path} is a folder, not a {what}"
        raise problem(UNREADABLE, message, f"name a file in it{_such_as(path)}", exit_code=USAGE)
    if not path.exists():
        raise problem(MISSING_FILE, f"no such {what}: {path}", _nearest(path), exit_code=USAGE)


def cannot_read(path: str, error: OSError) -> InputError:
    """Return the error of a file that is there but cannot be read."""
    way_out = "check the path and its rights"
    return problem(UNREADABLE, f"{path} cannot be read: {error.strerror or error}", way_out, exit_code=USAGE)


def _nearest(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder {folder} either"
    near = did_you_mean(path.name, _names(folder))
    if near is not None:
        name = near.partition("'")[2].rpartition("'")[0]
        return f"did you mean '{path.with_name(name)}'?"
    return f"check the path; the current folder is {Path.cwd()}" if not path.is_absolute() else "check the path"


def _such_as(folder: Path) -> str:
    names = _names(folder)[:3]
    return f", such as {', '.join(str(folder / name) for name in names)}" if names else ""


def _names(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith("."))
    except OSError:
        return []


def to_json(error: LanguageError) -> list[dict[str, Any]]:
    """Return the diagnostics of an error as JSON-ready data."""
    return [each.to_json() for each in error.diagnostics]
