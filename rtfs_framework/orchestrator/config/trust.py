"""Which configurations their user has trusted: one small file for each, in a folder that nobody else can read or write.

A record holds the path, the SHA-256 of the content and the time; it is found by both, so another content at the same
path is as unknown as another path. In: paths and digests. Out: records. A folder or record that others could have
written counts for nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from rtfs_framework.api.errors import config_error
from rtfs_framework.api.private import private_folder
from rtfs_framework.api.regular_file import read_regular
from rtfs_framework.orchestrator.config.folders import data_dir

FOLDER = "trust"
VARIABLE = "RTFS_TRUST"
_YES, _NO = frozenset({"1", "true", "yes"}), frozenset({"", "0", "false", "no"})
_MOST_BYTES = 1 << 16


@attrs.frozen(slots=True, kw_only=True)
class Record:
    """One configuration that was trusted; `time` is in seconds since the epoch."""

    path: str
    digest: str
    time: float


@attrs.frozen(slots=True)
class TrustStore:
    """The records of one user."""

    folder: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> TrustStore:
        """Return the user's store; nothing is made."""
        return cls(data_dir(environ) / FOLDER)

    def find(self, path: Path, digest: str) -> Record | None:
        """Return the record of a path with this content, None when it was never trusted."""
        record = self._read(self.folder / _name(identity(path), digest)) if self._is_private() else None
        return record if record is not None and (record.path, record.digest) == (identity(path), digest) else None

    def add(self, path: Path, digest: str, time: float) -> Record:
        """Trust a content at a path; what was trusted there before is forgotten.

        Raises:
            ConfigError: E0717, the folder is not the user's alone or cannot be written.
        """
        record = Record(path=identity(path), digest=digest, time=time)
        self.revoke(path)
        try:
            private_folder(self.folder.parent)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            if not self._is_private():
                message = f"{self.folder} is not yours alone, so nothing in it can be trusted"
                raise config_error("E0717", message, help=f"look at it, then chmod 700 {self.folder}")
            target = self.folder / _name(record.path, digest)
            import json

            fresh = target.with_name(f".{target.name}.{os.getpid()}.{os.urandom(4).hex()}")
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(json.dumps(attrs.asdict(record)))
            fresh.replace(target)
        except OSError as error:
            message = f"{self.folder} cannot be written: {error.strerror or error}"
            raise config_error(
                "E0717", message, help="check its rights, or set RTFS_HOME to a folder of yours"
            ) from error
        return record

    def revoke(self, path: Path) -> int:
        """Forget whatever was trusted at a path; return how many records there were."""
        gone = 0
        for file, record in self._all():
            if record.path == identity(path):
                file.unlink(missing_ok=True)
                gone += 1
        return gone

    def records(self) -> list[Record]:
        """Return all records, by path."""
        return sorted((record for _, record in self._all()), key=lambda record: (record.path, record.time))

    def earlier(self, path: Path) -> Record | None:
        """Return the record of another content at this path."""
        return next((record for record in self.records() if record.path == identity(path)), None)

    def _all(self) -> Iterator[tuple[Path, Record]]:
        if not self._is_private():
            return
        for file in sorted(self.folder.iterdir()):
            record = None if file.name.startswith(".") else self._read(file)
            if record is not None:
                yield file, record

    def _is_private(self) -> bool:
        try:
            known = self.folder.lstat()
        except OSError:
            return False
        if os.name != "posix":
            return stat.S_ISDIR(known.st_mode)
        return stat.S_ISDIR(known.st_mode) and known.st_uid == os.geteuid() and not known.st_mode & 0o077

    @staticmethod
    def _read(file: Path) -> Record | None:
        """Return a record; None for what is none, or could have been written by others."""
        import json

        try:
            raw, known = read_regular(file, _MOST_BYTES, links=False)
            data: dict[str, Any] = json.loads(raw)
            record = Record(path=data["path"], digest=data["digest"], time=float(data["time"]))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        alone = os.name != "posix" or (known.st_uid == os.geteuid() and not known.st_mode & 0o077)
        return record if alone and file.name == _name(record.path, record.digest) else None


def identity(path: Path) -> str:
    """Return what a configuration is known by: its path without links in it."""
    return str(path.absolute().resolve())


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of a content."""
    from hashlib import sha256

    return sha256(content).hexdigest()


def trusts_all(environ: Mapping[str, str]) -> bool:
    """Tell whether the environment trusts whatever is found.

    Raises:
        ConfigError: The variable says neither yes nor no.
    """
    word = environ.get(VARIABLE, "").strip().lower()
    if word in _YES | _NO:
        return word in _YES
    raise config_error("E0705", f"{VARIABLE} must be 1 or 0, not {word!r}", help="unset it, or trust files one by one")


def _name(path: str, digest: str) -> str:
    from hashlib import sha256

    return sha256(f"{path}\0{digest}".encode("utf-8", "surrogateescape")).hexdigest()
