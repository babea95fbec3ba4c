"""Paths that a configuration names: a text becomes an absolute path, or the reason why it names nothing of use.

In: the text and the folder of whoever says it. Out: the path; `~` and `~user` are homes. Nothing is opened: what the
system says of rights is told by whoever opens the file.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from rtfs_framework.lang.visible import visible_line

_NO_PATH = frozenset({errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL})


class BadPath(ValueError):
    """A text that names no file or folder; its message says why, `way_out` what to do."""

    def __init__(self, message: str, way_out: str) -> None:
        super().__init__(message)
        self.way_out = way_out


def plain_folder(folder: Path) -> Path:
    """Return the absolute path of a folder without `..`, so that one folder has one text from wherever it is named.

    A `..` leaves what a link before it leads to, as the system has it: that part of the path is resolved. Other links
    stay as they are written.
    """
    path = folder.absolute()
    while ".." in path.parts:
        end = path.parts.index("..") + 1
        path = Path(os.path.realpath(Path(*path.parts[:end])), *path.parts[end:])
    return path


def read_path(text: str, folder: Path, *, file: bool = False) -> Path:
    """Return the path that a text names; relative ones start in `folder`. With `file`, what is there must be a file.

    Raises:
        BadPath: It is empty or cannot be a path, its `~user` is unknown, or it names something that is no file.
    """
    if not text.strip():
        raise BadPath("an empty text names no path", 'write a path, such as "~/rtfs/name", or leave the key out')
    if "\0" in text:
        raise BadPath("no path can have the character NUL", "leave it out")
    try:
        # pathlib reads "./~name" as "~name", which would leave no way to write a file of that name
        path = (folder / (Path(text).expanduser() if text.startswith("~") else text)).absolute()
        os.fsencode(path)
    except RuntimeError as error:
        user = visible_line(Path(text).parts[0])
        raise BadPath(f"the home of {user} is not known", f'for a file of that very name, write "./{user}"') from error
    except ValueError as error:
        raise BadPath("this can be no path: it has characters that none can have", "leave them out") from error
    if file:
        _check_file(path)
    return path


def _check_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno in _NO_PATH:
            raise BadPath(f"this can be no path: {error.strerror}", "name another place") from error
        return
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "no ordinary file"
        raise BadPath(f"this names {what}: {visible_line(str(path))}", "name a file, there or not yet there")
