"""What a grant of files allows: from a path that a program wrote to the roots it lies under.

In: the grants of a call, a path. Out: what was done at the spot that the first allowing root gives, or `not_granted`.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rtfs_capability_files.beneath import POSSIBLE, LeavesError, Spot, beneath
from rtfs_framework.api import CapabilityError, CapabilityGrant, FailureKind, compile_patterns, not_granted

if TYPE_CHECKING:
    from rtfs_capability_files.plugin import FilesGrant

NO_GLOB = ("it fits none of the granted globs", "add one that it fits: globs = [...]")
MOST_PATH = 4096
"""Characters of a path."""

T = TypeVar("T")

_ODD = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


class NothingThereError(CapabilityError):
    """A path of which the last name, or a folder before it, is not there."""


def at_path(
    grants: tuple[CapabilityGrant, ...], path: str, act: Callable[[Spot, FilesGrant], T], *, folder: bool = False
) -> T:
    """Do something at the spot of a path, under the first root that allows it; `act` refuses by `LeavesError`.

    `folder` says that a folder is meant: globs are of files, and of what is listed.

    Raises:
        CapabilityError: SecurityViolation, no grant allows it and nothing was done; IoError, the system could not.
    """
    _check_path(path)
    if not POSSIBLE:
        message = "this system cannot open a name from an open folder, so files cannot be kept within roots"
        raise CapabilityError(message, "ResourceError", failure=FailureKind.SAFE)
    if not folder and path.endswith(("/", "/.")):
        raise failed(path, OSError(errno.EISDIR, "it names a folder"))
    refusal = LeavesError("it lies under none of the granted roots", "grant a root that holds it: roots = [...]")
    for own, root, names in _candidates(grants, path):
        try:
            return _under(own, root, names, act, folder=folder)
        except LeavesError as error:  # noqa: PERF203 - few, and the next may allow it
            refusal = error
        except OSError as error:
            if own.globs and isinstance(error, NotADirectoryError):  # which would tell of a file
                error = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            raise failed(path, error) from None
    raise not_granted(f'"{shown(path)}": {refusal}', refusal.way_out)


def _under(own: FilesGrant, root: str, names: list[str], act: Callable[[Spot, FilesGrant], T], *, folder: bool) -> T:
    with beneath(root, names) as spot:
        if not folder and not fits(own, spot.inner):
            raise LeavesError(*NO_GLOB)
        return act(spot, own)


def failed(path: str, error: OSError) -> CapabilityError:
    """Return what a program is told: the system's words and its own path, nothing else."""
    words = error.strerror or "it cannot be used"
    message = f'"{shown(path)}": {words[:1].lower()}{words[1:]}'
    made = NothingThereError if isinstance(error, FileNotFoundError | NotADirectoryError) else CapabilityError
    return made(message, "IoError", failure=FailureKind.FINAL)


def shown(path: str) -> str:
    """Return a path for messages: on one line, not too long."""
    return _ODD.sub("?", path if len(path) <= 200 else f"{path[:200]}...")


def _check_path(path: str) -> None:
    """Refuse what is no path in any grant: one that other parts of a system may read otherwise."""
    if not path or len(path) > MOST_PATH:
        what = "an empty path" if not path else f"a path of more than {MOST_PATH:,} characters"
        raise not_granted(what, "write a path under a granted root")
    if _ODD.search(path):
        words = "it holds a control character, a backslash or half a character"
        raise not_granted(f'"{shown(path)}": {words}', "write it with / between names")


def _candidates(grants: tuple[CapabilityGrant, ...], path: str) -> Iterator[tuple[FilesGrant, str, list[str]]]:
    """Yield each grant and root that a path lies under, with the names from there. Only the texts are compared.

    Both start at the folder of the configuration. `..` counts at the start of a path, and nowhere else.
    """
    for grant in grants:
        base = os.path.normpath(Path(grant.base).absolute())
        wanted = _names(base, path)
        for root in grant.own.roots:
            place = os.path.normpath(Path(base, Path(root).expanduser()))  # links in it are the owner's
            above = [each for each in place.split("/") if each]
            if wanted[: len(above)] == above and ".." not in wanted:
                yield grant.own, place, wanted[len(above) :]


def _names(base: str, path: str) -> list[str]:
    names = [each for each in path.split("/") if each not in ("", ".")]
    if path.startswith("/"):
        return names
    start = [each for each in base.split("/") if each]
    while names and names[0] == ".." and start:
        names.pop(0)
        start.pop()
    return start + names


def fits(own: FilesGrant, inner: str) -> bool:
    """Tell whether a path within a root is of the granted globs."""
    return not own.globs or compile_patterns(own.globs)(inner) is not None
