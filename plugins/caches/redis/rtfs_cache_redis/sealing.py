"""Records as they lie at the server: sealed, so that who can write there cannot choose what is answered.

In: the layer's seal (made of the user's `artifacts.key`), or a key from the environment that several users share. A
record is sealed for exactly its place: the layer's name, its slot and both times. What was changed, moved, given
another time or written by anybody without the key does not open, and counts as a miss. It is a seal and no cipher: who
can read the server's memory can read replies. What is looked up is a digest, so requests stand nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b, sha256
from hmac import compare_digest
from json import JSONDecodeError, dumps, loads
from typing import Any

import attrs

from rtfs_cache_redis.faults import unusable
from rtfs_framework.api import CacheInfo, CacheKey, CacheRecord, CacheSettings, Seal

_MAC = 32
_LEAST_KEY = 32
_TUPLES = ("labels", "tags", "sources")


class SharedSeal:
    """Seals by a key that several users have: a keyed BLAKE2b (RFC 7693) over the purpose, framed, and the data."""

    def __init__(self, key: bytes) -> None:
        self._key = blake2b(key, digest_size=64, person=b"rtfs shared").digest()

    def close(self, purpose: bytes, data: bytes) -> bytes:
        """Return sealed bytes."""
        return self._mac(purpose, data) + data

    def open(self, purpose: bytes, sealed: bytes) -> memoryview:
        """Return what was sealed.

        Raises:
            ValueError: These bytes were not sealed with this key for this purpose, or were changed since.
        """
        data = sealed[_MAC:]
        if not compare_digest(sealed[:_MAC], self._mac(purpose, data)):
            raise ValueError("the seal does not fit")
        return memoryview(data)

    def _mac(self, purpose: bytes, data: bytes) -> bytes:
        return blake2b(b"%d:%b%b" % (len(purpose), purpose, data), key=self._key, digest_size=_MAC).digest()


def seal_of(settings: CacheSettings, key_env: str | None, where: str) -> Seal:
    """Return the seal of a layer.

    Raises:
        PluginError: There can be none, or the shared key is too short: then anybody could choose what is answered.
    """
    if key_env is not None:
        key = settings.environ.get(key_env, "")
        if len(key) < _LEAST_KEY:
            problem = f"needs a shared key of at least {_LEAST_KEY} characters in ${key_env}"
            raise unusable(where, problem, "make one: python -c 'import secrets; print(secrets.token_hex(32))'")
        return SharedSeal(key.encode())
    if settings.seal is None:
        raise unusable(where, "cannot seal what it keeps: the host gives no key", "name a shared key by key_env")
    try:
        return settings.seal()
    except ValueError as error:
        problem = f"cannot seal what it keeps: {error}"
        raise unusable(where, problem, "see that the key is yours alone, or name a shared key by key_env") from error


def slot_of(key: CacheKey) -> str:
    """Return under what a record lies: a digest (SHA-256, hexadecimal) of both halves of its key, framed."""
    halves = key.namespace.encode("utf-8", "surrogatepass"), key.digest.encode("utf-8", "surrogatepass")
    return sha256(b"%d:%b%b" % (len(halves[0]), *halves)).hexdigest()


@attrs.frozen(slots=True)
class Opened:
    """What a row held."""

    key: CacheKey
    record: CacheRecord


@attrs.frozen(slots=True)
class Rows:
    """Closes records that are sent and opens those that come back."""

    seal: Seal
    layer: str
    """The layer's name: what one keeps is nothing to another."""

    def closed(self, key: CacheKey, record: CacheRecord) -> tuple[str, str, bytes]:
        """Return when a record was stored, when it expires ("" for never), and its sealed bytes."""
        stored, expires = repr(record.stored_at), "" if record.expires_at is None else repr(record.expires_at)
        told = {name: each for name, each in attrs.asdict(record.info).items() if each not in {"", None} and each != ()}
        data = dumps([key.namespace, key.digest, record.value, told]).encode()
        return stored, expires, self.seal.close(self._purpose(slot_of(key), stored, expires), data)

    def opened(self, slot: str, row: tuple[bytes, bytes, bytes]) -> Opened | None:
        """Return what a row holds; None when it is not what was put there."""
        try:
            stored, expires = row[0].decode(), row[1].decode()
            data = bytes(self.seal.open(self._purpose(slot, stored, expires), row[2]))
            namespace, digest, value, told = loads(data)
            key = CacheKey(namespace, digest)
            if slot_of(key) != slot:
                return None
            record = CacheRecord(
                value=value,
                stored_at=float(stored),
                expires_at=float(expires) if expires else None,
                info=_info(told),
            )
        except (ValueError, TypeError, JSONDecodeError):
            return None
        return Opened(key, record)

    def _purpose(self, slot: str, stored: str, expires: str) -> bytes:
        return ascii((self.layer, slot, stored, expires)).encode()


def _info(told: Mapping[str, Any]) -> CacheInfo:
    fields: dict[str, Any] = {name: tuple(each) if name in _TUPLES else each for name, each in told.items()}
    return CacheInfo(**fields)
