"""Opening files beneath a folder, and nowhere else: name by name, each from the folder before it.

No path is ever handed to the system whole. Each name is opened from the open folder before it, and never through a
link: links are read and walked here, so that one that leads out is refused, and one that is put there between a look
and an opening is not followed. The folders of the way stay open, so `..` of a link goes to the one that was come from.
(The way of `openat2` with RESOLVE_BENEATH, in user space: see A. Sarai, "libpathrs", and openat2(2).)
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import attrs

MOST_LEVELS = 64
"""Folders that a path may go down: each is open while it is walked."""
MOST_LINKS = 40

_OUT = "a link leads out of the root"
_NO_LINK = "put what it leads to into a root, or write its own path"

_HERE = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
_FOLDER = _HERE | getattr(os, "O_DIRECTORY", 0)
_PASS = _FOLDER | getattr(os, "O_PATH", os.O_RDONLY)
_NO_WAIT = _HERE | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_OF_THE_KERNEL = ("/proc", "/sys", "/dev")
"""Where files are no files: what they hold is of processes and devices, the host's own among them."""

POSSIBLE = os.open in os.supports_dir_fd and os.readlink in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Whether this system can open a name from an open folder."""


class LeavesError(Exception):
    """What a grant does not allow; the text says why, and nothing of what lies outside."""

    def __init__(self, why: str, way_out: str = "") -> None:
        super().__init__(why)
        self.way_out = way_out


@attrs.frozen(slots=True)
class Spot:
    """A name in an open folder: what a path stands for. The name was no link when it was looked at."""

    folder: int
    """The folder's descriptor; open while the spot is used."""
    name: str
    inner: str
    """The path within the root, links resolved; "" is the root."""

    def state(self) -> os.stat_result:
        """Return what is known of it; of a link that was put there since, that it is a link."""
        return os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)

    def open_file(self, flags: int = os.O_RDONLY) -> int:
        """Return the descriptor of an ordinary file; nothing else is opened for long, nor waited for.

        Raises:
            OSError: It is not there (and `flags` do not make it), or is no ordinary file.
        """
        try:
            check_ordinary(self.state())  # opening alone may do something to a device
        except FileNotFoundError:
            if not flags & os.O_CREAT:
                raise
        found = os.open(self.name, flags | _NO_WAIT, 0o666, dir_fd=self.folder)
        try:
            check_ordinary(os.fstat(found))
        except BaseException:
            os.close(found)
            raise
        return found

    def open_folder(self) -> int:
        """Return the descriptor of a folder, to list it."""
        found = os.open(self.name, os.O_RDONLY | _FOLDER, dir_fd=self.folder)
        try:
            check_of_a_disk(os.fstat(found))
        except BaseException:
            os.close(found)
            raise
        return found


def check_ordinary(state: os.stat_result) -> None:
    """Refuse what is no ordinary file.

    Raises:
        OSError: It is a folder, a link, a device, a pipe.
        LeavesError: It is a file that the system makes up.
    """
    if stat.S_ISDIR(state.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    if not stat.S_ISREG(state.st_mode):
        raise OSError(errno.EINVAL, "it is no ordinary file")
    check_of_a_disk(state)


def check_of_a_disk(state: os.stat_result) -> None:
    """Refuse what the system makes up.

    Raises:
        LeavesError: It lies in /proc, /sys or /dev, or in what is mounted below them.
    """
    if state.st_dev in _kernel_devices():
        raise LeavesError(
            "it is the system's, and no file of a disk", "there is none: such files are not read or written"
        )


@cache
def _kernel_devices() -> set[int]:
    """Return the devices of what is mounted there and below, but for a folder that is simply one of the root's.

    What is also mounted elsewhere is of a disk: a container has files of its host's in /dev.
    """
    found = set[int]()
    for name in _OF_THE_KERNEL:
        with suppress(OSError):
            found.add(Path(name).stat().st_dev)
    below, elsewhere = set[int](), {Path("/").stat().st_dev}
    for place, device in _mounts():
        (below if place.startswith(tuple(f"{name}/" for name in _OF_THE_KERNEL)) else elsewhere).add(device)
    return (found - {Path("/").stat().st_dev}) | (below - elsewhere)


def _mounts() -> Iterator[tuple[str, int]]:
    """Yield where something is mounted, and its device: of Linux, see proc_pid_mountinfo(5); nothing elsewhere."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for fields in map(str.split, lines):
        major, _, minor = fields[2].partition(":")
        yield fields[4], os.makedev(int(major), int(minor))


@contextmanager
def beneath(root: str, names: list[str]) -> Iterator[Spot]:
    """Walk from a folder down a path of names, and give the spot where it ends.

    The root itself is the owner's: it is opened as it is, links included.

    Raises:
        LeavesError: The way leads out of the root.
        OSError: A folder of the way is not there, or is none.
    """
    opened = [os.open(root, getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_DIRECTORY", 0) | os.O_RDONLY)]
    try:
        way: list[str] = []
        last = _walk(opened, way, names)
        yield Spot(opened[-1], last or ".", "/".join([*way, last] if last else way))
    finally:
        for each in opened:
            os.close(each)


def _walk(opened: list[int], way: list[str], names: list[str]) -> str:
    """Go down; return the last name, "" where the way ends at the folder that is open last."""
    todo, links = names[::-1], 0
    while todo:
        name = todo.pop()
        if name == "..":
            if not way:
                raise LeavesError(_OUT, _NO_LINK)
            way.pop()
            os.close(opened.pop())
            continue
        target = _target(opened[-1], name)
        if target is not None:
            links += 1
            todo += _of_link(target, links)[::-1]
        elif not todo:
            return name
        else:
            if len(way) >= MOST_LEVELS:
                raise OSError(errno.ENAMETOOLONG, f"more than {MOST_LEVELS} folders deep")
            opened.append(os.open(name, _PASS, dir_fd=opened[-1]))
            way.append(name)
    return ""


def _target(folder: int, name: str) -> str | None:
    """Return where a link leads, None where there is none."""
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOENT):
            return None
        raise


def _of_link(target: str, links: int) -> list[str]:
    """Return the names of a link's target.

    Raises:
        LeavesError: It is absolute. (Links of /proc that only the system can follow are, too, or lead nowhere.)
    """
    if target.startswith("/"):
        raise LeavesError(_OUT, _NO_LINK)
    if links > MOST_LINKS:
        raise OSError(errno.ELOOP, "too many links")
    return [each for each in target.split("/") if each not in ("", ".")]
