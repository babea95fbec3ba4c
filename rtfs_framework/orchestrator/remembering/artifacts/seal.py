"""Sealing: bytes in, bytes out that only the holder of the user's key could have made; anything else is refused.

A keyed BLAKE2b (RFC 7693) covers what the bytes are for and the bytes. The key is 32 random bytes in a file of the
user's own, which nobody else may read. `_blake2` is what `hashlib` gives, without its OpenSSL, which takes 2 ms.
"""

from __future__ import annotations

import os
from _blake2 import blake2b
from _operator import _compare_digest

from rtfs_framework.orchestrator.config.keyfile import KeyFileError, make_key, read_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Buffer

FILE = "artifacts.key"
_MAGIC = b"RTFS sealed 1\n"
_MAC = 32
_HEAD = len(_MAGIC) + _MAC


class SealError(ValueError):
    """Why something cannot be sealed, or is not what was sealed; says which file."""


class Seal:
    """Seals and opens with one key. What was sealed for one purpose cannot be opened for another."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def close(self, purpose: bytes, data: bytes) -> bytes:
        """Return sealed bytes."""
        return b"".join((_MAGIC, self.mac(purpose, data), data))

    def open(self, purpose: bytes, sealed: bytes) -> memoryview:
        """Return what was sealed.

        Raises:
            SealError: These bytes were not sealed with this key for this purpose, or were changed since.
        """
        if sealed[: len(_MAGIC)] != _MAGIC:
            raise SealError("not sealed")
        data = memoryview(sealed)[_HEAD:]
        if not _compare_digest(sealed[len(_MAGIC) : _HEAD], self.mac(purpose, data)):
            raise SealError("the seal does not fit")
        return data

    def derived(self, use: bytes) -> Seal:
        """Return a seal for one use: neither opens what the other closed, and its key does not tell this one's."""
        return Seal(self.mac(b"derived", use))

    def mac(self, purpose: bytes, data: Buffer) -> bytes:
        """Return 32 bytes that only the holder of the key could have made."""
        mac = blake2b(b"%d:%b" % (len(purpose), purpose), key=self._key, digest_size=_MAC)
        mac.update(data)
        return mac.digest()


def read_seal(folder: str) -> Seal:
    """Return the seal of a folder's key.

    Raises:
        SealError: There is none, or others than the user could have read it.
    """
    try:
        return Seal(read_key(os.path.join(folder, FILE)))
    except KeyFileError as error:
        raise SealError(str(error)) from error


def make_seal(folder: str) -> Seal:
    """Return the seal of a folder's key, which is made if there is none.

    Raises:
        SealError: It cannot be made, or others than the user could have read it.
    """
    path = os.path.join(folder, FILE)
    try:
        if not os.path.lexists(path):
            from pathlib import Path

            from rtfs_framework.api.private import private_folder

            private_folder(Path(folder))
        return Seal(make_key(path))
    except OSError as error:
        raise SealError(f"{path} cannot be made: {error.strerror or error}") from error
    except KeyFileError as error:
        raise SealError(str(error)) from error
