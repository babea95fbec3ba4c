"""Files that hold what only their user may see: folders of mode 0700, files of mode 0600, whatever the umask says.

In: a path. Out: nothing; the folder or file is there and private, or an `OSError` says what to do. What is laxer is
tightened where it belongs to this user; what belongs to somebody else is refused, for that user can read and change it.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

_POSIX = os.name == "posix"
_BESIDE = ("", "-wal", "-shm", "-journal")
"""What SQLite keeps beside a file."""


def private_folder(path: Path, *, ours: bool = True) -> None:
    """Make a folder, and those above it, or tighten the one that is there.

    `ours` says that nothing but our own files belongs there; any other folder that exists is left as it is.

    Raises:
        OSError: It cannot be made, or others could change what is in it.
    """
    try:
        path.mkdir(mode=0o700)
    except FileNotFoundError:
        private_folder(path.parent, ours=False)
        private_folder(path, ours=ours)
    except FileExistsError:
        if not path.is_dir():
            raise
        if ours and _POSIX:
            _tighten_folder(path)
    else:
        if _POSIX and path.stat().st_mode & 0o777 != 0o700:
            path.chmod(0o700)  # a mask may have taken even the owner's rights


def private_file(path: Path) -> None:
    """Make an empty file of mode 0600, or tighten the one that is there, and what SQLite keeps beside it.

    Raises:
        OSError: It cannot be made, or it belongs to another user.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    with suppress(FileExistsError):
        file = os.open(path, flags, 0o600)
        try:
            if _POSIX and os.fstat(file).st_mode & 0o777 != 0o600:  # who runs isolated may change no mode
                os.fchmod(file, 0o600)
        finally:
            os.close(file)
    if _POSIX:
        for suffix in _BESIDE:
            _tighten_file(path.with_name(path.name + suffix))


def _tighten_folder(path: Path) -> None:
    known = path.stat()
    if known.st_uid == os.geteuid():
        if known.st_mode & 0o077:
            try:
                path.chmod(0o700)
            except PermissionError as error:  # nobody who runs isolated may
                words = f"others can look into {path}, and that cannot be changed from here; chmod 700 {path}"
                raise PermissionError(words) from error
    elif known.st_mode & 0o022:
        way_out = "choose a folder of your own (RTFS_HOME), or have its owner take away the others' right to write"
        raise PermissionError(f"{path} belongs to another user, and others may change what is in it; {way_out}")


def _tighten_file(path: Path) -> None:
    try:
        known = path.stat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(known.st_mode) or not known.st_mode & 0o077:
        return
    if known.st_uid != os.geteuid():
        way_out = "choose another place, or have its owner hand it over"
        raise PermissionError(f"{path} belongs to another user, who can read and change it; {way_out}")
    path.chmod(0o600)
