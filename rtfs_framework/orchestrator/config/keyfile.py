"""Secret keys in files: 32 random bytes that only their user may read. Imports next to nothing: see `artifacts.quick`.

In: a path. Out: the bytes. A file that others could have read, that is a link, that is no plain file or no key is
refused and never replaced. Opening does not wait: a pipe in a key's place is seen, not read.
"""

from __future__ import annotations

import os
import stat

SIZE = 32
_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK if os.name == "posix" else getattr(os, "O_BINARY", 0)


class KeyFileError(Exception):
    """Why there is no key; says which file."""


def read_key(path: str) -> bytes:
    """Return the key in a file.

    Raises:
        KeyFileError: There is none, or others than the user could have read it.
    """
    key = read_private(path, SIZE)
    if len(key) != SIZE:
        raise KeyFileError(f"{path} is no key")
    return key


def read_private(path: str, most: int) -> bytes:
    """Return what is in a file, which has at most so many bytes, and which only this user may read.

    Raises:
        KeyFileError: There is none, it is no such file, or others than the user could have read it.
    """
    try:
        file = os.open(path, os.O_RDONLY | _OPEN)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be opened: {error.strerror}") from error
    try:
        known = os.fstat(file)
        data = os.read(file, most + 1) if stat.S_ISREG(known.st_mode) else b""
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}") from error
    finally:
        os.close(file)
    if not 0 < len(data) <= most:
        raise KeyFileError(f"{path} is no key")
    if os.name == "posix" and (known.st_uid != os.geteuid() or known.st_mode & 0o077):
        raise KeyFileError(f"{path} is not this user's alone")
    return data


def make_key(path: str) -> bytes:
    """Return the key in a file, which is made if there is none. Its folder exists.

    Raises:
        KeyFileError: It cannot be made, or others than the user could have read it.
    """
    try:
        if not os.path.lexists(path):
            _make(path)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be made: {error.strerror}") from error
    return read_key(path)


def _make(path: str) -> None:
    """Make a key at once and whole: of two processes that do so at the same time, the second takes the first's."""
    fresh = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN, 0o600)
    try:
        try:
            os.write(file, os.urandom(SIZE))
            if os.name == "posix":
                os.fchmod(file, 0o600)
            os.fsync(file)
        finally:
            os.close(file)
        try:
            os.link(fresh, path)
        except FileExistsError:
            return
        except (OSError, AttributeError):  # a file system without links: the later key counts
            os.replace(fresh, path)  # noqa: PTH105 - no pathlib here: it takes longer than a small program
    finally:
        if os.path.lexists(fresh):
            os.unlink(fresh)  # noqa: PTH108
