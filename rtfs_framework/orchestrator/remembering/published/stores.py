"""Sending published programs to a store, fetching, looking through a store, and taking out what nothing points to.

In: a store of `api/store.py`, which proves nothing. Out: what was verified.

No collection that meets a publication leaves a pointer to nothing. Who sends puts the blob, points to it, and looks for
it again; who collects takes blobs out, and then looks for pointers that are new, whose blobs it puts back. A pointer
that was set before the second look is seen by it; who set his later, finds the blob gone and puts it there once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from hashlib import sha256
from typing import Protocol

import attrs

from rtfs_framework.api.errors import PluginError
from rtfs_framework.api.store import Store
from rtfs_framework.lang.errors import LimitError
from rtfs_framework.lang.published.rows import MOST_BYTES, PublishedError
from rtfs_framework.orchestrator.remembering.published.compiling import compiled
from rtfs_framework.orchestrator.remembering.published.keys import PublicKey
from rtfs_framework.orchestrator.remembering.published.pointers import (
    MOST_POINTER,
    ROOM,
    Pointer,
    PointerError,
    claimed,
    opened,
    prefix,
    signer_of,
)
from rtfs_framework.orchestrator.remembering.published.shelf import check_face
from rtfs_framework.orchestrator.remembering.published.trouble import PublishingError

Keys = Mapping[str, PublicKey]
_AT_ONCE = 16
"""Blobs that are taken out together, and held until nothing is seen to need them."""
_OF_ONE = frozenset({"E0823", "E0824"})
"""Errors of a store that are about one thing in it."""


class Readable(Protocol):
    """What can be looked through: a store, or the shelf of this machine."""

    def names(self, prefix: str, /) -> Iterator[str]:
        """Return the names that begin with a prefix."""
        ...

    def read(self, name: str, most: int, /) -> bytes | None:
        """Return what a name points to."""
        ...

    def get(self, digest: str, most: int, /) -> bytes | None:
        """Return a blob."""
        ...


@attrs.frozen(slots=True, kw_only=True)
class Finding:
    """What was found wrong with something in a store."""

    name: str
    """Of the pointer, or the digest of a blob."""
    kind: str
    """ "unsigned", "untrusted", "revoked", "changed", "misplaced", "missing", "broken"."""
    reason: str


@attrs.frozen(slots=True, kw_only=True)
class Swept:
    """What was taken out of a store, or would be."""

    pointers: tuple[str, ...]
    blobs: tuple[str, ...]
    kept: int
    """Blobs that something points to."""


def send(store: Store, pointer: Pointer, record: bytes, blob: bytes) -> bool:
    """Send a program; tell whether its blob had to be sent.

    Raises:
        PublishingError: E0769, the store only reads.
        PluginError: The store cannot be reached, or refuses.
    """
    if store.read_only:
        raise PublishingError("E0769", "this store can only be read", "publish to another: [stores] lists them")
    new = bool(store.missing([pointer.artifact]))
    if new:
        store.put(pointer.artifact, blob)
    store.point(pointer.place, record)
    if store.missing([pointer.artifact]):
        store.put(pointer.artifact, blob)
    return new


def offered(
    store: Readable, salt: str, keys: Keys, refused: list[Finding] | None = None
) -> Iterator[tuple[Pointer, bytes]]:
    """Yield the pointers of a domain that count, with their records; what does not goes to `refused`."""
    for name in store.names(prefix(salt)):
        try:
            record = _legible(partial(store.read, name, MOST_POINTER)) or b""
            yield opened(record, name, keys, salt), record
        except PointerError as error:
            found = Finding(name=name, kind=error.kind, reason=error.reason)
        except PublishedError as error:
            found = Finding(name=name, kind="broken", reason=error.reason)
        else:
            continue
        if refused is not None:
            refused.append(found)


def blob_of(store: Readable, pointer: Pointer) -> bytes:
    """Return the IR of a pointer that was verified.

    Raises:
        PublishedError: It is not there, or was changed.
    """
    blob = _legible(lambda: store.get(pointer.artifact, min(pointer.size, MOST_BYTES)))
    if blob is None:
        raise PublishedError("its program is not there")
    if len(blob) != pointer.size or sha256(blob).hexdigest() != pointer.artifact:
        raise PublishedError("its program was changed")
    return blob


def checked(store: Readable, pointer: Pointer) -> bytes:
    """Return the IR of a pointer once it has been compiled here and its interface compared.

    Raises:
        PublishedError: It is not there, was changed, is no program, or has another interface.
        LimitError: It takes too much to compile.
    """
    blob = blob_of(store, pointer)
    check_face(compiled(blob), pointer)
    return blob


def verify(store: Readable, salt: str, keys: Keys) -> tuple[int, list[Finding]]:
    """Look at every pointer of a domain and the program behind it; return how many are good, and what is not."""
    found: list[Finding] = []
    good, seen = 0, dict[str, str]()
    for pointer, _ in offered(store, salt, keys, found):
        if pointer.artifact not in seen:
            try:
                checked(store, pointer)
                seen[pointer.artifact] = ""
            except (PublishedError, LimitError) as error:
                seen[pointer.artifact] = str(error)
        wrong = seen[pointer.artifact]
        good += not wrong
        if wrong:
            kind = "missing" if wrong.endswith("not there") else "changed" if wrong.endswith("changed") else "broken"
            found.append(Finding(name=pointer.place, kind=kind, reason=wrong))
    return good, found


def sweep(store: Store, keys: Keys, *, revoked: bool = False, dry: bool = False) -> Swept:
    """Take out the blobs that no pointer of any domain leads to; with `revoked`, pointers of revoked keys first.

    A record that says nothing is left alone, and so is what its name says that it points to.

    Raises:
        PublishingError: E0769, the store only reads.
    """
    if store.read_only and not dry:
        raise PublishingError("E0769", "this store can only be read", "collect where it is written")
    gone: list[str] = []
    reached, seen = set[str](), set[str]()
    for name in store.names(f"{ROOM}/"):
        seen.add(name)
        record = _record(store, name)
        key = keys.get(signer_of(record))
        if revoked and key is not None and key.revoked is not None:
            gone.append(name)
        else:
            reached |= _meant(name, record)
    there = set(store.blobs())
    blobs = sorted(there - reached)
    if not dry:
        store.forget(gone, ())
        blobs = _taken_out(store, blobs, seen)
    return Swept(pointers=tuple(gone), blobs=tuple(blobs), kept=len(there) - len(blobs))


def _taken_out(store: Store, blobs: list[str], seen: set[str]) -> list[str]:
    """Take blobs out, but for those that something came to point to meanwhile; return which went."""
    went: list[str] = []
    for start in range(0, len(blobs), _AT_ONCE):
        held = {digest: _blob(store, digest) for digest in blobs[start : start + _AT_ONCE]}
        store.forget((), held)
        needed: set[str] = set()
        for name in set(store.names(f"{ROOM}/")) - seen:
            needed |= _meant(name, _record(store, name))
        for digest, data in held.items():
            if digest in needed and data is not None:
                store.put(digest, data)
            else:
                went.append(digest)
    return went


def _meant(name: str, record: bytes) -> set[str]:
    """Return the digests to which a pointer may lead, by what it says and by its name."""
    said = claimed(record)
    return {*name.split("/"), *(() if said is None else (said.artifact,))}


def _blob(store: Store, digest: str) -> bytes | None:
    """Return a blob, None where it is none that anybody could want."""
    try:
        return _legible(lambda: store.get(digest, MOST_BYTES))
    except PublishedError:
        return None


def _record(store: Store, name: str) -> bytes:
    try:
        return _legible(lambda: store.read(name, MOST_POINTER)) or b""
    except PublishedError:
        return b""


def _legible(ask: Callable[[], bytes | None]) -> bytes | None:
    """Return what a store has: one thing that is too large or damaged says nothing of the others in the store.

    Raises:
        PublishedError: It is.
        PluginError: The store cannot be reached, or refuses.
    """
    try:
        return ask()
    except PluginError as error:
        if error.code not in _OF_ONE:
            raise
        raise PublishedError("it is larger than what is read" if error.code == "E0823" else "it is damaged") from None
