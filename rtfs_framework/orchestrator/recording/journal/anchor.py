"""The head file: how far a journal had come, kept outside of it, so that a file put back to an older state is noticed.

In: the folder of the journal's key, and the journal's place. The file is written inside each transaction, under
SQLite's lock, and names the head that the transaction builds on: that one is committed already. So it never speaks of
rows that a process which is killed did not write, it never goes back, and it lags by one transaction until a session
closes. It is as good as its folder: who can write there can put both back.
"""

from __future__ import annotations

import os
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Literal

import attrs

from rtfs_framework.api.private import private_file
from rtfs_framework.orchestrator.recording.journal.chain import Head, Keys

_MAGIC = "rtfs journal head 1"
_SIZE = 320
_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@attrs.frozen(slots=True)
class Anchored:
    """What a head file says: a head of this journal; or that it belongs to another one; or nothing."""

    state: Literal["here", "other", "missing", "damaged"]
    head: Head = attrs.field(factory=Head)
    journal: str = ""


@attrs.define(slots=True, eq=False)
class Anchor:
    """The head file of the journal in one place; it stays open while it is written."""

    path: Path
    _file: int | None = attrs.field(default=None, init=False)

    @classmethod
    def of(cls, home: Path, journal: Path) -> Anchor:
        """Return the head file of a journal; `home` is the folder of the key."""
        place = sha256(os.path.realpath(journal).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        return cls(home / f"journal-{place}.head")

    def raw(self) -> bytes | None:
        """Return what is in the file, None without one. Who compares it with the journal reads it before that."""
        try:
            file = os.open(self.path, os.O_RDONLY | _FLAGS)
        except OSError:
            return None
        try:
            return os.read(file, _SIZE)
        except OSError:
            return b""
        finally:
            os.close(file)

    def read(self, keys: Keys) -> Anchored:
        """Return what the file says."""
        return understood(self.raw(), keys)

    def write(self, keys: Keys, head: Head) -> None:
        """Write a head that is committed; the caller holds the journal's lock.

        Raises:
            OSError: It cannot be written.
        """
        if not head.position:
            return
        text = "\n".join((_MAGIC, keys.journal, str(head), keys.head(head), "")).ljust(_SIZE)
        if self._file is None:
            private_file(self.path)
            self._file = os.open(self.path, os.O_WRONLY | _FLAGS)
        if hasattr(os, "pwrite"):
            os.pwrite(self._file, text.encode("ascii"), 0)
        else:
            os.lseek(self._file, 0, os.SEEK_SET)
            os.write(self._file, text.encode("ascii"))

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def tighten(self) -> None:
        """See that nobody else may read the file, if it is there.

        Raises:
            OSError: It belongs to another user.
        """
        if self.path.exists():
            private_file(self.path)


def understood(raw: bytes | None, keys: Keys) -> Anchored:
    """Return what the text of a head file says, as far as it can be believed."""
    if raw is None:
        return Anchored("missing")
    try:
        magic, journal, head, proof = raw.decode("ascii").split("\n")[:4]
        found = Head.parse(head)
    except ValueError:
        return Anchored("damaged")
    if magic != _MAGIC:
        return Anchored("damaged")
    if journal != keys.journal:
        return Anchored("other", found, journal)
    return Anchored("here", found) if compare_digest(proof, keys.head(found)) else Anchored("damaged")
