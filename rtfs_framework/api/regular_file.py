"""Files that others may have put there: read whole, bounded, and only where they are ordinary files.

In: a path. Out: its bytes with what was known of the file when they were read, or an `OSError`. A pipe or a device is
refused without waiting for it, and so is more than was asked for; what is looked at is what is read, for both are done
on one open file.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_OPEN = os.O_CLOEXEC | os.O_NONBLOCK if os.name == "posix" else getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def read_regular(path: Path, most: int | None = None, *, links: bool = True) -> tuple[bytes, os.stat_result]:
    """Return the bytes of an ordinary file, at most `most` of them, and its state; `links` tells whether to follow one.

    Raises:
        OSError: It cannot be opened, is no ordinary file, is a link that is not followed, or is larger.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | _OPEN | (0 if links else _NO_LINK)), "rb") as file:
        known = os.fstat(file.fileno())
        if not stat.S_ISREG(known.st_mode):
            raise OSError(errno.EINVAL, "it is no ordinary file")
        data = file.read() if most is None else file.read(most + 1)
    if most is not None and len(data) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most:,} bytes")
    return data, known
