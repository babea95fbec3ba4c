"""Lines of a file, from the place where somebody was before, also where the file was rotated meanwhile.

In: what opens files, a path, a place. Out: lines, each with the place after it: `[offset, inode, checksum, length]`, of
which the last two are of the line before it, so that another file that has taken the path is known as another one.
A file that is followed is looked for as `path.1`, `path.2` ..., as logrotate names them (or copies to, before it cuts
the file): its rest comes first, then those after it, then the file that is at the path now. Whoever writes is believed
to have gone on to the next file once something is in that; before, nobody leaves the one before it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import BinaryIO
from zlib import crc32

from rtfs_framework.api import CapabilityError

MOST_LINE = 1 << 20
"""Bytes of one line."""
_CHUNK = 1 << 16
_MOST_ROTATED = 20
"""Files that are looked at for one that was rotated."""
Place = list[int]
Open = Callable[[str], int]
"""Gives a descriptor of a file that may be read."""


def lines(open_: Open, path: str, place: Place | int | None, *, follow: bool) -> Iterator[tuple[bytes | None, Place]]:
    """Give lines; of a file that is followed only whole ones, and first, if nobody was in it, None with its beginning.

    So a file of which nothing was read yet is known, too, when it has been rotated.

    Raises:
        CapabilityError: IoError: the file cannot be read, or is another one than was read; SecurityViolation.
    """
    with ExitStack() as held:

        def opened(name: str) -> BinaryIO:
            return held.enter_context(os.fdopen(open_(name), "rb", buffering=_CHUNK))

        file = opened(path)
        if not place:
            if follow:
                yield None, [0, os.fstat(file.fileno()).st_ino, 0, 0]
            yield from _rest(file, 0, whole=follow)
            return
        at = [place, 0, 0, 0] if isinstance(place, int) else place
        wrong = _other(file, at, follow=follow)
        if wrong is None:
            yield from _rest(file, at[0], whole=follow)
            return
        chain = _rotated(opened, path, at) if follow else []
        if not chain:
            gone = " and is at no path.1, path.2 ..." if follow else ""
            raise CapabilityError(f"{path}: {wrong}{gone}; (call :stream.forget stream) begins anew", "IoError")
        chain.append(file)
        starts = [at[0], *[0] * (len(chain) - 1)]
        for n, (one, start) in enumerate(zip(chain, starts, strict=True)):
            over = any(_size(each) for each in chain[n + 1 :])  # looked at before the last of it is read
            yield from _rest(one, start, whole=not over)
            if not over:
                return


def _other(file: BinaryIO, place: Place, *, follow: bool) -> str | None:
    """Return why a file is not the one that a place is of; None where it is, or nobody can tell."""
    offset, inode, checksum, length = place
    size = _size(file)
    if size < offset:
        return f"the file is shorter than what was read of it ({size} of {offset} bytes)"
    if follow and inode not in (0, os.fstat(file.fileno()).st_ino):
        return "the file is another one than was read"
    file.seek(offset - length)
    if crc32(file.read(length)) != checksum:
        return f"the file is another one than was read: the line that ends at byte {offset} was another"
    return None


def _rotated(opened: Callable[[str], BinaryIO], path: str, place: Place) -> list[BinaryIO]:
    """Return the file that a place is of and those after it, oldest first; none where it is not there."""
    files: list[BinaryIO] = []
    for n in range(1, _MOST_ROTATED + 1):
        try:
            files.append(opened(f"{path}.{n}"))
        except CapabilityError:  # noqa: PERF203 - of the first that is not there
            break
    for follow in (True, False) if place[0] else (True,):  # the file itself, else its copy: what is empty has none
        for n, each in enumerate(files):
            if place[1] and _other(each, place, follow=follow) is None:
                return files[n::-1]
    return []


def _rest(file: BinaryIO, offset: int, *, whole: bool) -> Iterator[tuple[bytes, Place]]:
    """Give lines and the place after each; a last one without an end counts unless only `whole` ones do."""
    inode = os.fstat(file.fileno()).st_ino
    file.seek(offset)
    while line := file.readline(MOST_LINE + 1):
        if len(line) > MOST_LINE:
            raise CapabilityError(f"a line has more than {MOST_LINE} bytes", "IoError")
        if whole and not line.endswith(b"\n"):
            return
        offset += len(line)
        yield line.rstrip(b"\r\n"), [offset, inode, crc32(line), len(line)]


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
