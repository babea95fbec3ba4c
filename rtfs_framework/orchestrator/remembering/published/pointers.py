"""Pointers: signed records that say which published program answers to which interface.

A record is 20 bytes of magic, the 20 bytes of the key's id, 64 of the signature, and the statement. The signature
covers the magic, the id and the statement, so what was signed for another purpose, or by another key, is no pointer.
Nothing of a statement is decoded before its signature is found good. What it says is compared with the name under which
it lay, so no record can be put in another one's place.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any

import attrs

from rtfs_framework.lang.published import data
from rtfs_framework.lang.published.rows import PublishedError, read_rows, write_rows
from rtfs_framework.lang.published.version import FORMAT
from rtfs_framework.orchestrator.remembering.published.keys import ID_DIGITS, PublicKey, Signer, is_signed

MAGIC = b"RTFS signed pointer\n"
MOST_POINTER = 64 << 10
"""Bytes of a record."""
ROOM = "programs"
"""What all names of pointers begin with."""
_ID, _SIGNATURE = ID_DIGITS // 2, 64
_HEAD = len(MAGIC) + _ID + _SIGNATURE
_DIGEST = 64
_FIELDS = 11
_HEX = frozenset("0123456789abcdef")


class PointerError(PublishedError):
    """Why a record is no pointer that counts; `kind` is one word: unsigned, untrusted, revoked, changed, misplaced."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


@attrs.frozen(slots=True, kw_only=True)
class Pointer:
    """What a statement says."""

    face: str
    """The digest of the interface (`lang.published.face`); of a whole program the digest of its IR."""
    artifact: str
    """The SHA-256 of the IR."""
    name: str
    """Of the function, or of the file of a whole program."""
    signature: str
    """The interface in words."""
    whole: bool
    """Whether it is a whole program, not a function."""
    size: int
    """Bytes of the IR."""
    format: int = FORMAT
    compiler: str = ""
    salt: str
    time: int
    """When it was signed, by the signer's clock: seconds since 1970."""
    key: str = ""
    """The id of the key that signed it."""

    @property
    def place(self) -> str:
        """The name under which it lies in a store."""
        return f"{prefix(self.salt, self.face)}{self.artifact}/{self.key}"


@lru_cache(8)
def partition(salt: str) -> str:
    """Return the word that stands for a trust domain in names: those who do not know the salt cannot ask for it."""
    return sha256(b"rtfs salt\0" + salt.encode("utf-8", "surrogatepass")).hexdigest()[:32] if salt else "public"


def prefix(salt: str, face: str = "") -> str:
    """Return what the names of a domain's pointers, or of an interface's, begin with."""
    return f"{ROOM}/{partition(salt)}/{f'{face}/' if face else ''}"


def signed(pointer: Pointer, signer: Signer) -> tuple[Pointer, bytes]:
    """Return a pointer as its signer says it, and its record.

    Raises:
        PublishedError: nobody could read it: its documentation is too long, or its name none.
    """
    made = attrs.evolve(pointer, key=signer.key.id)
    statement = _statement(made)
    if len(statement) > MOST_POINTER - _HEAD:
        raise PublishedError(f"its interface in words has more than {MOST_POINTER - _HEAD} bytes")
    _read(statement, made.key)
    covered = _covered(made.key, statement)
    return made, b"".join((MAGIC, bytes.fromhex(made.key), signer.sign(covered), statement))


def opened(record: bytes, place: str, trusted: Mapping[str, PublicKey], salt: str) -> Pointer:
    """Return what a record says that lay under a name.

    `trusted` are all keys that are listed, those that were revoked with their revocation.

    Raises:
        PointerError: its signature is none that counts, or it says something else than its name.
    """
    if len(record) > MOST_POINTER or len(record) <= _HEAD or not record.startswith(MAGIC):
        raise PointerError("unsigned", "no signed record")
    at = len(MAGIC)
    id_, signature, statement = record[at : at + _ID].hex(), record[at + _ID : _HEAD], record[_HEAD:]
    key = trusted.get(id_)
    if key is None:
        raise PointerError("untrusted", f"signed by {id_}, which is not trusted here")
    if key.revoked is not None:
        raise PointerError("revoked", f"signed by {id_}, which was revoked")
    if not is_signed(key, _covered(id_, statement), signature):
        raise PointerError("changed", f"not what {id_} signed")
    pointer = _read(statement, id_)
    if pointer.salt != partition(salt) or _place(pointer) != place:
        raise PointerError("misplaced", "it lies under a name that is not its own")
    return attrs.evolve(pointer, salt=salt)


def claimed(record: bytes) -> Pointer | None:
    """Return what a record says, whoever wrote it; None where it says nothing. For counting what points where."""
    try:
        return _read(record[_HEAD:], record[len(MAGIC) : len(MAGIC) + _ID].hex())
    except PublishedError:
        return None


def signer_of(record: bytes) -> str:
    """Return the id of the key that a record says it is signed by, whether it is or not."""
    return record[len(MAGIC) : len(MAGIC) + _ID].hex()


def _covered(id_: str, statement: bytes) -> bytes:
    return b"".join((MAGIC, bytes.fromhex(id_), statement))


def _place(pointer: Pointer) -> str:
    return f"{ROOM}/{pointer.salt}/{pointer.face}/{pointer.artifact}/{pointer.key}"


def _statement(pointer: Pointer) -> bytes:
    p = pointer
    what = [p.face, p.artifact, p.name, p.signature, p.whole, p.size, p.format, p.compiler]
    return write_rows(["rtfs-pointer", *what, partition(p.salt), p.time])


def _read(statement: bytes, key: str) -> Pointer:
    row: list[Any] = data.listed(read_rows(statement, MOST_POINTER), _FIELDS)
    word, face, artifact, name, signature, whole, size, form, compiler, salt, time = row
    numbers = all(each.__class__ is int and each >= 0 for each in (size, form, time))
    if word != "rtfs-pointer" or not numbers or not (_is_digest(face) and _is_digest(artifact)):
        raise PublishedError("no pointer")
    return Pointer(
        face=face, artifact=artifact, name=data.name(name), signature=data.text(signature), whole=data.flag(whole),
        size=size, format=form, compiler=data.name(compiler), salt=data.text(salt), time=time, key=key,
    )  # fmt: skip


def _is_digest(text: Any) -> bool:
    return isinstance(text, str) and len(text) == _DIGEST and set(text) <= _HEX
