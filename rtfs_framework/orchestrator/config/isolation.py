"""`[security] isolation`: where handlers of capabilities run. `performing.isolation` does what is said here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from attrs import validators

from rtfs_framework.api.units import Bytes, plausible
from rtfs_framework.orchestrator.config.paths import BadPath, read_path

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath

_MEMORY = Bytes(512 * 1024 * 1024)
_LEAST_MEMORY = Bytes(64 * 1024 * 1024)
_FILES, _LEAST_FILES = 64, 16


class Isolation(Enum):
    """Where handlers run."""

    INHERIT = "inherit"
    """In the host's own process."""
    ISOLATED = "isolated"
    """Each call in a child process: a closed environment, limits of the operating system, no way to write files."""
    SANDBOXED = "sandboxed"
    """As before; and without a network, reading nothing but Python's own files and what is named."""


def stricter(one: Isolation, other: Isolation) -> Isolation:
    """Return the level of two that lets handlers do less."""
    return max(one, other, key=list(Isolation).index)


@attrs.frozen(slots=True, kw_only=True)
class ChildTable:
    """`[security.child]`."""

    memory: Bytes = attrs.field(
        default=_MEMORY, validator=validators.ge(_LEAST_MEMORY), metadata=plausible(_LEAST_MEMORY)
    )
    """Of its address space."""
    files: int = attrs.field(default=_FILES, validator=validators.ge(_LEAST_FILES))
    """Files that it may have open at once."""
    environment: Sequence[str] = ()
    """Variables of the host's environment that it sees; none else."""
    read: Sequence[str] = ()
    """Files and folders that a sandboxed one may read."""
    write: Sequence[str] = ()
    """Files and folders that it may write to."""


@attrs.frozen(slots=True, kw_only=True)
class ChildSpec:
    """What a child may use."""

    memory: int = _MEMORY
    """Bytes of address space."""
    files: int = _FILES
    """Open at once."""
    environment: tuple[str, ...] = ()
    """Variables of the host's that it sees."""
    read: tuple[str, ...] = ()
    """Files and folders that one may read that is sandboxed."""
    write: tuple[str, ...] = ()
    """Files and folders that it may write to."""


USUAL_CHILD = ChildSpec()
USUAL_CHILD_TABLE = ChildTable()


def read_child(table: ChildTable, mistake: Callable[..., Any], folder: Callable[[KeyPath], Path]) -> ChildSpec:
    """Return what `[security.child]` says; `folder` tells where the relative paths of a key start."""

    def paths(key: str) -> tuple[str, ...]:
        made: list[str] = []
        for place, text in enumerate(getattr(table, key)):
            path = ("security", "child", key)
            try:
                made.append(str(read_path(text, folder(path))))
            except BadPath as error:
                mistake("E0705", str(error), (*path, place), error.way_out)
        return tuple(made)

    return ChildSpec(
        memory=table.memory,
        files=table.files,
        environment=tuple(table.environment),
        read=paths("read"),
        write=paths("write"),
    )
