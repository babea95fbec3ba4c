"""Files below granted folders, opened so that nothing leads out: step by step from open folders, no link followed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from rtfs_framework.api import CapabilityError, not_granted

_SAFE = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_WAY_OUT = "name a folder above it in  roots  under [capabilities.streams], and no link on the way"


def open_beneath(path: str, roots: Sequence[str], base: str, *, pipe: bool = False) -> int:
    """Return a descriptor of a regular file, or a named pipe, below one of the roots; relative paths start at `base`.

    Raises:
        CapabilityError: SecurityViolation, it is below none, or a link, `..` or another kind of file is in the way;
            IoError, it cannot be read.
    """
    if not _SAFE:
        raise CapabilityError("this system cannot open files without following links", "IoError")
    if "\0" in path or ".." in Path(path).parts:
        raise not_granted(f"the file {path!r}", _WAY_OUT)
    wanted = Path(os.path.abspath(Path(base) / path))  # noqa: PTH100 - `resolve` would follow links
    for root in roots:
        above = Path(os.path.abspath(Path(base) / root))  # noqa: PTH100 - as above
        if wanted.is_relative_to(above) and wanted != above:
            return _walk(above, wanted.relative_to(above).parts, path, stat.S_ISFIFO if pipe else stat.S_ISREG)
    raise not_granted(f"the file {path!r}", _WAY_OUT)


def _walk(root: Path, parts: tuple[str, ...], path: str, is_wanted: Callable[[int], bool]) -> int:
    here = -1
    try:
        here = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
            os.close(here)
            here = inner
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        found = os.open(parts[-1], flags, dir_fd=here)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK) or _is_link(parts, here):
            raise not_granted(f"the file {path!r}, which a link leads to", _WAY_OUT) from error
        raise CapabilityError(f"{path}: {error.strerror or error}", "IoError") from error
    finally:
        if here >= 0:
            os.close(here)
    if not is_wanted(os.fstat(found).st_mode):
        os.close(found)
        raise not_granted(f"{path!r}, which is another kind of file", _WAY_OUT)
    return found


def _is_link(parts: tuple[str, ...], here: int) -> bool:
    """Tell whether a step failed because of a link: systems say `not a folder` of one, too."""
    for part in parts:
        try:
            if stat.S_ISLNK(os.stat(part, dir_fd=here, follow_symlinks=False).st_mode):
                return True
        except OSError:  # noqa: PERF203 - of at most one of the parts anybody knows here
            continue
    return False
