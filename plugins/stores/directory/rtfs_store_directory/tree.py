"""Files below one folder: read only where nothing on the way is a link, written in one step, private to their user.

A new file is written beside the others (`tmp/`), brought to the disk and then renamed, so that whoever looks sees the
old one, the new one, or none. What the end of a process leaves in `tmp/` is taken away a day later.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import time

from rtfs_framework.api import private_folder, read_regular

TEMPORARY = "tmp"
_DAY = 86_400.0
_POSIX = os.name == "posix"


class Tree:
    """The files below a root, by their paths from there (`blobs/ab/…`). Raises OSError, and nothing else."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._is_swept = False

    def size(self, path: str) -> int | None:
        """Return the size of an ordinary file, None where there is none."""
        try:
            known = self._inside(path).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return known.st_size if stat.S_ISREG(known.st_mode) else None

    def read(self, path: str, most: int | None = None) -> bytes | None:
        """Return a file, None where there is none.

        Raises:
            OSError: It cannot be read; EFBIG: it is larger than `most`; ELOOP: it lies behind a link; EINVAL: it is no
                ordinary file.
        """
        try:
            return read_regular(self._inside(path), most, links=False)[0]
        except (FileNotFoundError, NotADirectoryError):
            return None

    def prepare(self) -> None:
        """Make the root, and take away what is left of others, before the first writing."""
        self._folder(TEMPORARY)
        self._sweep()

    def write(self, path: str, data: bytes) -> None:
        """Make or replace a file; it is on the disk when this returns."""
        self.prepare()
        self._folder(path.rpartition("/")[0])
        target = self._inside(path)
        handle, fresh = tempfile.mkstemp(dir=self.root / TEMPORARY)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(fresh).replace(target)
        except BaseException:
            with suppress(OSError):
                Path(fresh).unlink()
            raise
        _to_disk(target.parent)

    def remove(self, path: str) -> None:
        """Take a file away, if there is one."""
        with suppress(FileNotFoundError, NotADirectoryError):
            self._inside(path).unlink()

    def walk(self, folder: str) -> Iterator[str]:
        """Yield the paths of all ordinary files below a folder; links are passed over."""
        try:
            entries = sorted(os.scandir(self._inside(folder)), key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in entries:
            path = f"{folder}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from self.walk(path)
            elif entry.is_file(follow_symlinks=False):
                yield path

    def _inside(self, path: str) -> Path:
        """Return where a path lies, once it is known that no folder on the way is a link."""
        place = self.root
        for part in path.split("/")[:-1]:
            place /= part
            try:
                known = place.lstat()
            except FileNotFoundError:
                break
            if stat.S_ISLNK(known.st_mode):
                raise OSError(errno.ELOOP, "a folder on the way is a link", str(place))
        return self.root / path

    def _folder(self, path: str) -> None:
        """Make a folder and those above it, as far as they are not there."""
        self._inside(f"{path}/")
        place = self.root
        if not place.exists():
            private_folder(place)
        for part in path.split("/"):
            place /= part
            if not place.is_dir():
                private_folder(place)
                _to_disk(place.parent)

    def _sweep(self) -> None:
        """Take away, once, what processes left that ended while they wrote."""
        if self._is_swept:
            return
        self._is_swept = True
        for path in self.walk(TEMPORARY):
            with suppress(OSError):
                place = self.root / path
                if place.lstat().st_mtime < time() - _DAY:
                    place.unlink()


def _to_disk(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can."""
    if _POSIX:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
