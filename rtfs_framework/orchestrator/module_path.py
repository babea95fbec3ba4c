"""Where imported modules are looked for: beside the program, in the current folder, then on the configured path.

The module `a.b` is the file `a/b.rtfs`; the path is `[modules] path` of delegation.toml. A name is only ever looked up
below these folders: each of its parts must be a plain word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.library import FindModule
from rtfs_framework.lang.source import Source

SUFFIX = ".rtfs"
_PART = re.compile(r"[A-Za-z0-9_$!?*+<>=%-]+")


def finder(program: Source, more: Iterable[str | Path] = ()) -> FindModule:
    """Return what finds the modules of a program."""
    folders = list(dict.fromkeys([*_beside(program), Path(), *map(Path, more)]))

    def find(name: str) -> Source | None:
        return find_module(name, folders)

    return find


def find_module(name: str, folders: Iterable[Path]) -> Source | None:
    """Return the text of a module, from the first folder that has it, or None.

    Raises:
        LanguageError: E0222, the file is there and cannot be read.
    """
    parts = name.split(".")
    if not all(_PART.fullmatch(part) for part in parts):
        return None
    for folder in folders:
        path = folder.joinpath(*parts[:-1], parts[-1] + SUFFIX)
        if path.is_file():
            return _read(path)
    return None


def _beside(program: Source) -> Iterator[Path]:
    """Yield the folder of a program that is a file."""
    try:
        if Path(program.name).is_file():
            yield Path(program.name).parent
    except (OSError, ValueError):  # a name that no file can have
        return


def _read(path: Path) -> Source:
    try:
        return Source(str(path), path.read_bytes().decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror or str(error)
        found = Diagnostic(
            code="E0222",
            message=f"the module file {path} cannot be read: {why}",
            help="make it a readable file in UTF-8",
            kind="ModuleError",
        )
        raise LanguageError([found]) from error
