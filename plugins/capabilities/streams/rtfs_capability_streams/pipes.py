"""Named pipes: lines as they come, which nobody can read a second time.

In: a path. Out: the whole lines that are there. What a transaction takes is put back when it fails; what a process had
taken when it died is gone, so a stream of a pipe says which process reads it (`token`), and no other goes on unasked.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable

import attrs

from rtfs_framework.api import CapabilityError

_CHUNK = 1 << 16
MOST_LINE = 1 << 20
"""Bytes of one line."""


@attrs.define(slots=True)
class _Pipe:
    descriptor: int
    rest: bytes = b""
    heard: bool = False
    """Whether anybody has written: a pipe without a writer is at its end only then."""
    taken: bytes = b""
    """What the transaction under way has taken."""


@attrs.define(slots=True, eq=False)
class Pipes:
    """The pipes that one process reads, open until it is done with all of them; used by one thread at a time."""

    open: Callable[[str], int]
    token: str = attrs.field(factory=lambda: secrets.token_hex(8))
    _pipes: dict[str, _Pipe] = attrs.field(factory=dict, init=False)

    @property
    def used(self) -> bool:
        """Tell whether any was read."""
        return bool(self._pipes)

    @property
    def whole(self) -> bool:
        """Tell whether no piece of a line would be lost now."""
        return not any(each.rest for each in self._pipes.values())

    def lines(self, path: str, most: int) -> tuple[list[str], bool]:
        """Take at most so many lines; tell whether the pipe is at its end.

        Raises:
            CapabilityError: It cannot be opened or read, or a line is too long.
        """
        pipe = self._pipes.get(path)
        if pipe is None:
            pipe = self._pipes[path] = _Pipe(self.open(path))
        ended = self._fill(path, pipe)
        *lines, rest = pipe.rest.split(b"\n")
        if ended and rest and len(lines) < most:
            lines, rest = [*lines, rest], b""
        if max(map(len, (rest, *lines))) > MOST_LINE:
            raise CapabilityError(f"{path}: a line has more than {MOST_LINE} bytes", "IoError")
        pipe.taken, pipe.rest = pipe.rest, b"\n".join([*lines[most:], rest])
        return [line.rstrip(b"\r").decode(errors="replace") for line in lines[:most]], ended and not pipe.rest

    def _fill(self, path: str, pipe: _Pipe) -> bool:
        """Read what is there, as far as it is not much; tell whether all writers have gone."""
        while len(pipe.rest) <= MOST_LINE:
            try:
                found = os.read(pipe.descriptor, _CHUNK)
            except BlockingIOError:
                pipe.heard = True
                return False
            except OSError as error:
                raise CapabilityError(f"{path}: {error.strerror or error}", "IoError") from error
            if not found:
                return pipe.heard
            pipe.heard = True
            pipe.rest += found
        return False

    def settle(self, *, kept: bool) -> None:
        """Forget what the last transaction took, if it was kept; else it is there again."""
        for pipe in self._pipes.values():
            if not kept and pipe.taken:
                pipe.rest = pipe.taken
            pipe.taken = b""

    def close(self) -> None:
        """Close all."""
        while self._pipes:
            os.close(self._pipes.popitem()[1].descriptor)
