"""The capabilities `fs.*`: read, list, look at, write, add to, delete. Each handler takes a call and gives its reply.

Errors are `CapabilityError`: SecurityViolation where no grant allows it (nothing was done), IoError where the system
could not, InvalidArgument where a text has no such encoding.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from rtfs_capability_files.beneath import LeavesError, Spot, check_of_a_disk, check_ordinary
from rtfs_capability_files.grants import NO_GLOB, NothingThereError, at_path, fits, shown
from rtfs_capability_files.texts import argument, decoded
from rtfs_framework.api import CapabilityError, CapabilityRequest, FailureKind, Keyword, Map, from_json, parse_type

if TYPE_CHECKING:
    from rtfs_capability_files.plugin import FilesGrant

_TIMESTAMP = parse_type(":timestamp")
_KINDS = ((stat.S_ISREG, "file"), (stat.S_ISDIR, "folder"), (stat.S_ISLNK, "link"))
_RULES = "delegation.toml"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


def read(request: CapabilityRequest) -> str:
    """Return the text of a file, in UTF-8 unless the call names an encoding."""
    options = argument(request.args[0])

    def act(spot: Spot, own: FilesGrant) -> str:
        return decoded(whole(spot, own), options.get("encoding", "utf-8"), options["path"])

    return at_path(request.grants, options["path"], act)


def whole(spot: Spot, own: FilesGrant) -> bytes:
    """Return the bytes of a file, no more than one call may have.

    Raises:
        LeavesError: It has more.
    """
    with os.fdopen(spot.open_file(), "rb") as file:
        data = file.read(own.most_bytes + 1)
    check_size(len(data), own)
    return data


def listed(request: CapabilityRequest) -> tuple[Map, ...]:
    """Return what a folder holds, by name. Links are named, not followed; names that are no text are left out."""
    path = request.args[0]

    def act(spot: Spot, own: FilesGrant) -> tuple[Map, ...]:
        folder = spot.open_folder()
        try:
            with os.scandir(folder) as found:
                names = _names(found, spot, own)
            return tuple(_entry(folder, name) for name in names)
        finally:
            os.close(folder)

    return at_path(request.grants, path, act, folder=True)


def _names(found: Any, spot: Spot, own: FilesGrant) -> list[str]:
    names = list[str]()
    for entry in found:
        inner = f"{spot.inner}/{entry.name}" if spot.inner else entry.name
        if not entry.is_dir(follow_symlinks=False) and not fits(own, inner):
            continue
        if len(names) >= own.most_rows:
            raise LeavesError(f"it holds more than {own.most_rows:,} entries", "raise most_rows in its grant")
        with suppress(UnicodeEncodeError):
            entry.name.encode()
            names.append(entry.name)
    return sorted(names)


def _entry(folder: int, name: str) -> Map:
    try:
        known = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:  # it has gone since
        return Map.wrap({Keyword("name"): name, **_described(None)})
    return Map.wrap({Keyword("name"): name, **_described(known)})


def state(request: CapabilityRequest) -> Map | None:
    """Return the kind, bytes and time of change of what a path stands for, nil where there is nothing."""

    def act(spot: Spot, own: FilesGrant) -> Map:
        granted = fits(own, spot.inner)
        try:
            known = spot.state()
        except FileNotFoundError:
            if granted:
                raise
            raise LeavesError(*NO_GLOB) from None  # as of a file that is there, which is not told of
        if not stat.S_ISDIR(known.st_mode) and not granted:
            raise LeavesError(*NO_GLOB)
        return Map.wrap(_described(known))

    try:
        return at_path(request.grants, request.args[0], act, folder=True)
    except NothingThereError:
        return None


def exists(request: CapabilityRequest) -> bool:
    """Tell whether there is something."""
    return state(request) is not None


def _described(known: os.stat_result | None) -> dict[Any, Any]:
    mode, size, changed = (0, 0, 0.0) if known is None else (known.st_mode, known.st_size, known.st_mtime)
    kind = next((name for test, name in _KINDS if test(mode)), "other")
    when = datetime.fromtimestamp(changed, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {Keyword("kind"): Keyword(kind), Keyword("bytes"): size, Keyword("modified"): from_json(_TIMESTAMP, when)}


def write(request: CapabilityRequest) -> int:
    """Put a text in place of a file, or make it; return its bytes. Who reads meanwhile has the old one or the new one.

    The name gets a new file, so another name of the old one (a hard link) keeps what it had.
    """
    path, text = request.args
    data = _encoded(text, path)

    def act(spot: Spot, own: FilesGrant) -> int:
        check_size(len(data), own)
        mode = None
        with suppress(FileNotFoundError):
            known = spot.state()
            check_ordinary(known)
            mode = stat.S_IMODE(known.st_mode) & 0o777
        _check_target(spot)
        _replace(spot, data, mode)
        return len(data)

    return at_path(request.grants, path, act)


def _replace(spot: Spot, data: bytes, mode: int | None) -> None:
    passing = f".rtfs-{uuid4().hex}.tmp"
    made = os.open(passing, _NEW, 0o666 if mode is None else mode, dir_fd=spot.folder)
    with os.fdopen(made, "wb") as file:
        try:
            if mode is not None and stat.S_IMODE(os.fstat(made).st_mode) != mode:  # of what the umask took
                os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.replace(passing, spot.name, src_dir_fd=spot.folder, dst_dir_fd=spot.folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(passing, dir_fd=spot.folder)
            raise


def append(request: CapabilityRequest) -> int:
    """Add a text to the end of a file, or make it; return the bytes that were added."""
    path, text = request.args
    data = _encoded(text, path)

    def act(spot: Spot, own: FilesGrant) -> int:
        check_size(len(data), own)
        _check_target(spot)
        with os.fdopen(spot.open_file(os.O_WRONLY | os.O_APPEND | os.O_CREAT), "ab") as file:
            if os.fstat(file.fileno()).st_nlink > 1:
                raise LeavesError("it has other names (hard links), which may lie outside", "replace it: fs.write")
            file.write(data)
        return len(data)

    return at_path(request.grants, path, act)


def delete(request: CapabilityRequest) -> bool:
    """Remove a file; tell whether there was one. A link within the root is followed: what it stands for goes."""

    def act(spot: Spot, own: FilesGrant) -> bool:
        del own
        _check_target(spot)
        try:
            check_ordinary(spot.state())
            os.unlink(spot.name, dir_fd=spot.folder)  # never follows a link that was put there meanwhile
        except FileNotFoundError:
            return False
        return True

    return at_path(request.grants, request.args[0], act)


def _check_target(spot: Spot) -> None:
    """Refuse to change a folder, what is not of a disk, and the rules that programs run under."""
    if spot.name == ".":
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    if spot.name.lower() == _RULES:
        raise LeavesError("it holds the rules of a host", "a person changes them")
    check_of_a_disk(os.fstat(spot.folder))


def check_size(size: int, own: FilesGrant) -> None:
    """Refuse what is larger than one call may have.

    Raises:
        LeavesError: It is.
    """
    if size > own.most_bytes:
        way_out = "raise most_bytes in its grant, or take less at once (data.csv and its kin read in pieces)"
        raise LeavesError(f"more than {own.most_bytes:,} bytes", way_out)


def _encoded(text: str, path: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        message = f'the text for "{shown(path)}" holds half a character (a lone surrogate)'
        raise CapabilityError(message, "InvalidArgument", failure=FailureKind.FINAL) from None
