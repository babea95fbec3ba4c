"""Reading a configuration only where nobody else can have a hand in it: its owner, its rights, its folder, its kind.

In: a path and whether it was found by looking. Out: its bytes, or `Refused` with the reason and the way out. What is
looked at is the file that was opened, and it is read once: the digest that trust rests on is of these very bytes.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from rtfs_framework.api.errors import ConfigError, config_error
from rtfs_framework.api.regular_file import read_regular

MOST_BYTES = 1 << 18
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class Refused(Exception):
    """Why a file is not read, and what to do."""

    def __init__(self, reason: str, way_out: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.way_out = way_out

    def error(self, path: Path) -> ConfigError:
        """Return it as the error of a file that somebody asked for."""
        return config_error("E0716", f"{path} is refused: {self.reason}", help=self.way_out)


def read_guarded(path: Path, *, found: bool) -> bytes:
    """Return what a configuration holds; of one that was found, its folder must be safe and it must be no link.

    Raises:
        Refused: Another user owns it or could write or replace it, or it is a link, no ordinary file, or huge.
        OSError: It cannot be read.
    """
    if found and path.is_symlink():
        raise Refused("it is a link", "name the file that it leads to: --config FILE")
    try:
        data, known = read_regular(path, MOST_BYTES, links=not found)
    except OSError as error:
        if error.errno in {errno.EINVAL, errno.EFBIG, errno.ELOOP, errno.ENXIO}:
            raise Refused(error.strerror or str(error), "a configuration is a small file of text") from error
        raise
    _private(known)
    if found:
        _safe_folders(path)
    return data


def _private(known: os.stat_result) -> None:
    if os.name != "posix":
        return
    if known.st_uid not in (os.geteuid(), 0):
        way_out = "read it and copy it to a file of your own, or become its owner (chown)"
        raise Refused(f"it belongs to another user ({_user(known.st_uid)})", way_out)
    if known.st_mode & _OTHERS:
        raise Refused("others may write it", "chmod go-w it, after you have read it")


def _safe_folders(path: Path) -> None:
    """Refuse a file that another user could put another in the place of."""
    if os.name != "posix":
        return
    folder = path.absolute().parent.resolve()
    for each in (folder, *folder.parents):
        known = each.stat()
        bits = _OTHERS if each == folder else stat.S_IWOTH
        if each == folder and known.st_uid not in (os.geteuid(), 0):
            raise Refused(f"its folder belongs to another user ({_user(known.st_uid)})", "copy it to a folder of yours")
        if known.st_mode & bits and not known.st_mode & stat.S_ISVTX:
            raise Refused(f"others may write {each} and replace it", f"chmod go-w {each}")


def _user(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
