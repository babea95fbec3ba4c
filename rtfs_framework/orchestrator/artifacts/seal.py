"""Sealing: bytes in, bytes out that only the holder of the user's key could have made; anything else is refused.

A keyed BLAKE2b (RFC 7693) covers what the bytes are for and the bytes. The key is 32 random bytes in a file of the
user's own, which nobody else may read. `_blake2` is what `hashlib` gives, without its OpenSSL, which takes 2 ms.
"""

from __future__ import annotations

import os
import stat
from _blake2 import blake2b
from _operator import _compare_digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Buffer

FILE = "artifacts.key"
_MAGIC = b"RTFS sealed 1\n"
_KEY, _MAC = 32, 32
_HEAD = len(_MAGIC) + _MAC
_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW if os.name == "posix" else getattr(os, "O_BINARY", 0)


class SealError(Exception):
    """Why something cannot be sealed, or is not what was sealed; says which file."""


class Seal:
    """Seals and opens with one key. What was sealed for one purpose cannot be opened for another."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def close(self, purpose: bytes, data: bytes) -> bytes:
        """Return sealed bytes."""
        return b"".join((_MAGIC, self._mac(purpose, data), data))

    def open(self, purpose: bytes, sealed: bytes) -> memoryview:
        """Return what was sealed.

        Raises:
            SealError: These bytes were not sealed with this key for this purpose, or were changed since.
        """
        if sealed[: len(_MAGIC)] != _MAGIC:
            raise SealError("not sealed")
        data = memoryview(sealed)[_HEAD:]
        if not _compare_digest(sealed[len(_MAGIC) : _HEAD], self._mac(purpose, data)):
            raise SealError("the seal does not fit")
        return data

    def _mac(self, purpose: bytes, data: Buffer) -> bytes:
        mac = blake2b(b"%d:%b" % (len(purpose), purpose), key=self._key, digest_size=_MAC)
        mac.update(data)
        return mac.digest()


def read_seal(folder: str) -> Seal:
    """Return the seal of a folder's key.

    Raises:
        SealError: There is none, or others than the user could have read it.
    """
    path = os.path.join(folder, FILE)
    try:
        file = os.open(path, os.O_RDONLY | _OPEN)
    except OSError as error:
        raise SealError(f"{path} cannot be opened: {error.strerror}") from error
    try:
        known = os.fstat(file)
        key = os.read(file, _KEY + 1)
    finally:
        os.close(file)
    if not stat.S_ISREG(known.st_mode) or len(key) != _KEY:
        raise SealError(f"{path} is no key")
    if os.name == "posix" and (known.st_uid != os.geteuid() or known.st_mode & 0o077):
        raise SealError(f"{path} is not this user's alone")
    return Seal(key)


def make_seal(folder: str) -> Seal:
    """Return the seal of a folder's key, which is made if there is none.

    Raises:
        SealError: It cannot be made, or others than the user could have read it.
    """
    path = os.path.join(folder, FILE)
    try:
        if not os.path.lexists(path):
            os.makedirs(folder, exist_ok=True)
            _make(path)
    except OSError as error:
        raise SealError(f"{path} cannot be made: {error.strerror}") from error
    return read_seal(folder)


def _make(path: str) -> None:
    """Make a key at once and whole: of two processes that do so at the same time, the second takes the first's."""
    fresh = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN, 0o600)
    try:
        os.write(file, os.urandom(_KEY))
        os.close(file)
        try:
            os.link(fresh, path)
        except FileExistsError:
            return
        except (OSError, AttributeError):  # a file system without links: the later key counts
            os.replace(fresh, path)
    finally:
        if os.path.lexists(fresh):
            os.unlink(fresh)
