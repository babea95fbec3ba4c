"""Kept texts, encrypted at rest: AES-256-GCM (NIST SP 800-38D) under a key that lies elsewhere than the journal.

In: `[journal] encrypt`, which names where keys are. Out: `Seal`s. A sealed text is a blob: a version, the id of its
key, a random nonce, the ciphertext and its tag; the key is derived for the journal, and the row's position and the
text's name are authenticated, so no text can be moved to another row. What rows name by digest is the plain text.

Who reads a journal has no configuration at hand: this process knows the keys that its configurations named, and a
sealed text says which one it needs. A text whose key is not known reads as None, and never as something else.
"""

from __future__ import annotations

import os
from base64 import b64decode
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.orchestrator.config.keyfile import SIZE, KeyFileError, read_private
from rtfs_framework.orchestrator.recording.journal.fault import JournalError

if TYPE_CHECKING:
    import sqlite3

NEW = b"\x01"
"""What a sealed text begins with."""
_ID = 8
_NONCE = 12
_START = 1 + _ID + _NONCE
_MOST = 256
"""Bytes of a file with a key."""
_MAKE_ONE = "`openssl rand -hex 32` makes one"


class SealError(JournalError):
    """Texts that cannot be encrypted, or cannot be read: the key is missing, or another one."""

    code = "E0727"


@attrs.frozen(slots=True, repr=False)
class Seal:
    """One key."""

    secret: bytes
    name: bytes = attrs.field(init=False)
    """What sealed texts call it; it tells nothing of the key."""

    @name.default
    def _name(self) -> bytes:
        return blake2b(b"rtfs journal texts id", key=self.secret, digest_size=_ID).digest()

    def close(self, journal: str, position: int, name: str, text: str) -> bytes:
        """Return a text, sealed for its place in the journal of that id."""
        nonce = os.urandom(_NONCE)
        raw = text.encode("utf-8", "surrogatepass")
        sealed: bytes = _cipher(self.secret, journal).encrypt(nonce, raw, _place(position, name))
        return NEW + self.name + nonce + sealed

    def open(self, journal: str, position: int, name: str, sealed: bytes) -> str:
        """Return the text.

        Raises:
            ValueError: It was changed, or lay in another place.
        """
        from cryptography.exceptions import InvalidTag

        nonce = sealed[1 + _ID : _START]
        try:
            raw: bytes = _cipher(self.secret, journal).decrypt(nonce, sealed[_START:], _place(position, name))
        except InvalidTag as error:
            raise ValueError("not what was sealed") from error
        return raw.decode("utf-8", "surrogatepass")


_known: dict[bytes, Seal] = {}
"""The keys of this process, by their names."""


def seals_of(sources: Iterable[str], environ: Mapping[str, str], path: Path) -> tuple[Seal, ...]:
    """Return the keys that a configuration names, and know them from now on; `path` is the journal's, for messages.

    Raises:
        SealError: One is missing, is no key, or others could have read it; or the library is not installed.
    """
    found = tuple(Seal(_secret(source, environ, path)) for source in sources)
    if found:
        try:
            import cryptography.hazmat.primitives.ciphers.aead  # noqa: F401 - only whether it is there
        except ImportError:
            problem = "encrypting its texts needs the library 'cryptography'"
            raise SealError(path, problem, "pip install 'rtfs-framework[encrypt]'") from None
    _known.update((seal.name, seal) for seal in found)
    return found


def any_known() -> bool:
    """Tell whether this process knows a key at all: then it should know those of all texts that it meets."""
    return bool(_known)


def opened(journal: str, position: int, name: str, body: Any) -> str | None:
    """Return what is in the column of a text; None when it is sealed, and its key is not known.

    Raises:
        ValueError: It was changed.
    """
    if not isinstance(body, bytes):
        return body if isinstance(body, str) else None
    seal = _seal(body)
    return None if seal is None else seal.open(journal, position, name, body)


def readable(connection: sqlite3.Connection) -> None:
    """Give a connection the function `plain(position, name, body)`: a text, NULL when it cannot be read."""
    from rtfs_framework.orchestrator.recording.journal import large

    row = connection.execute("SELECT id FROM log WHERE position = 1").fetchone() if _known else None
    journal = "" if row is None else str(row[0])

    def plain(position: Any, name: Any, body: Any) -> str | None:
        try:
            digest = large.digest_of(body)
            return opened(journal, position, name, body) if digest is None else large.plain(connection, journal, body)
        except ValueError:  # `verify` says that it was changed
            return None

    connection.create_function("plain", 3, plain)


def check(connection: sqlite3.Connection, path: Path) -> None:
    """See that the keys are those of a file, before more is sealed.

    Raises:
        SealError: The latest sealed text was sealed with another one.
    """
    from rtfs_framework.orchestrator.recording.journal import large

    row = connection.execute("SELECT body FROM texts ORDER BY position DESC LIMIT 1").fetchone()
    digest = None if row is None else large.digest_of(row[0])
    body = None if row is None else row[0] if digest is None else large.stored(connection, row[0])
    if isinstance(body, bytes) and _seal(body) is None:
        raise other_key(path, "its latest texts are encrypted with another key than [journal] encrypt names")


def other_key(path: Path, problem: str) -> SealError:
    """Return what is raised where a key is needed that is not known."""
    way_out = 'put the key back, or name it too: [journal] encrypt = ["env:NEW", "env:OLD"] (the first one encrypts)'
    return SealError(path, problem, way_out)


def _seal(sealed: bytes) -> Seal | None:
    return _known.get(sealed[1 : 1 + _ID]) if sealed[:1] == NEW and len(sealed) > _START else None


@lru_cache(maxsize=64)
def _cipher(secret: bytes, journal: str) -> Any:
    """Return the cipher of one journal: its own key, so that random nonces are few under each."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(blake2b(f"rtfs journal texts {journal}".encode(), key=secret, digest_size=SIZE).digest())


def _place(position: int, name: str) -> bytes:
    return f"{position}\0{name}".encode()


def _secret(source: str, environ: Mapping[str, str], path: Path) -> bytes:
    kind, _, where = source.partition(":")
    if kind == "env":
        text = environ.get(where, "").encode("utf-8", "replace")
        if not text:
            raise SealError(path, f"the key of its texts is not there: {where} is not set", _MAKE_ONE)
    else:
        try:
            text = read_private(where, _MOST)
        except KeyFileError as error:
            raise SealError(path, f"the key of its texts: {error}", f"{_MAKE_ONE}; chmod 600 {where}") from None
    key = _decoded(text.strip())
    if key is None:
        raise SealError(path, f"the key of its texts: {where} has not 32 bytes, as hex or base64", _MAKE_ONE)
    return key


def _decoded(text: bytes) -> bytes | None:
    """Return the 32 bytes that a text stands for; None when it stands for none."""
    other = b"-_" if set(text) & set(b"-_") else None  # the alphabet of URLs
    try:
        found = bytes.fromhex(text.decode("ascii")) if len(text) == 2 * SIZE else b64decode(text, other, validate=True)
    except ValueError:
        return None
    return found if len(found) == SIZE else None
