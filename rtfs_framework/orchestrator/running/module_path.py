"""Where imported modules are looked for: beside the program, in the current folder, then on the configured path.

The module `a.b` is the file `a/b.rtfs`; the path is `[modules] path` of delegation.toml. A name is only ever looked up
below these folders: each of its parts must be a plain word, and what it leads to (a link, a link in its way) must lie
below them too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from rtfs_framework.api.regular_file import read_regular
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
        LanguageError: E0222, the file is there and cannot be read, or is a link that leads out of the folder.
    """
    parts = name.split(".")
    if not all(_PART.fullmatch(part) for part in parts):
        return None
    for folder in folders:
        path = folder.joinpath(*parts[:-1], parts[-1] + SUFFIX)
        if path.is_file():
            return _read(path, folder)
    return None


def candidates(program: Source, more: Iterable[str | Path], modules: Iterable[Path]) -> Iterator[Path]:
    """Yield every place where modules that were found may have been looked for."""
    folders = list(dict.fromkeys([*_beside(program), Path(), *map(Path, more)]))
    for path in modules:
        for folder in folders:
            if path.is_relative_to(folder):
                yield from (each / path.relative_to(folder) for each in folders)


def names_of(program: Source, more: Iterable[str | Path], modules: Iterable[Source]) -> dict[str, Source]:
    """Return modules by the names under which a program finds them."""
    found = {}
    for each in modules:
        folders = [*_beside(program), Path(), *map(Path, more)]
        path = Path(each.name)
        folder = next((folder for folder in folders if path.is_relative_to(folder)), path.parent)
        found[".".join(path.relative_to(folder).with_suffix("").parts)] = each
    return found


def _beside(program: Source) -> Iterator[Path]:
    """Yield the folder of a program that is a file."""
    try:
        if Path(program.name).is_file():
            yield Path(program.name).parent
    except (OSError, ValueError):  # a name that no file can have
        return


def _read(path: Path, folder: Path) -> Source:
    """Return a module's text. The file that is opened is the one whose place was looked at, whatever links change."""
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(folder.resolve()):
            raise _unreadable(path, f"it is a link that leads out of {folder.resolve()}", "copy the module into it")
        return Source(str(path), read_regular(real, links=False)[0].decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror or str(error)
        raise _unreadable(path, why, "make it a readable file in UTF-8") from error


def _unreadable(path: Path, why: str, way_out: str) -> LanguageError:
    message = f"the module file {path} cannot be read: {why}"
    return LanguageError([Diagnostic(code="E0222", message=message, help=way_out, kind="ModuleError")])
