"""The file of a manifest: what a program may touch, as data, the same on every machine.

In: a file that `rtfs manifest` wrote. Out: a `Manifest`; its mistakes have places.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from hashlib import sha256
from math import isfinite
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.orchestrator.recording.journal.chain import canonical_json

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath

VERSION = 1


@attrs.frozen(slots=True, kw_only=True)
class GrantTable:
    """`[[capability.grant]]`: what one grant of a capability allows, all its keys said."""

    allows: Mapping[str, Any]
    base: str = "."
    """Where relative paths in it start, seen from the program's folder."""


@attrs.frozen(slots=True, kw_only=True)
class CapabilityTable:
    """`[[capability]]`: a capability that may be called."""

    id: str
    effects: Sequence[str] = ()
    offered_by: str = ""
    """The distribution."""
    grant: Sequence[GrantTable] = ()


@attrs.frozen(slots=True, kw_only=True)
class KeptTable:
    """`[kept]`: what remembers anything of the run besides the journal."""

    caches: Sequence[str] = ()
    memo: Sequence[str] = ()
    """Functions whose values are kept."""
    observers: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """Who hears what runs do: of which distribution, with which settings."""


@attrs.frozen(slots=True, kw_only=True)
class Manifest:
    """The whole file: what a program may touch."""

    version: int = attrs.field(default=VERSION)
    program: str
    """Its file, without the folder."""
    digest: str = ""
    """Of its text and those of its modules."""
    any_program: bool = False
    """Whether it holds for any program; `digest` says nothing then."""
    isolation: str = "inherit"
    child: Mapping[str, Any] = attrs.field(factory=dict)
    """What a child process may use."""
    context: Mapping[str, str] = attrs.field(factory=dict)
    """The digest of each value that programs read as `@name`."""
    targets: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """Where functions may go besides their own bodies, as the configuration writes it: whose model that is, at which
    address, with which settings of its plug-in, and whom it asks in turn."""
    sets: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """The settings of sets that offer capabilities of the list."""
    modules: Mapping[str, str] = attrs.field(factory=dict)
    """The digest of each module."""
    capability: Sequence[CapabilityTable] = ()
    accepts: Mapping[str, Sequence[str]] = attrs.field(factory=dict)
    """The marks that each target and capability takes, where labels are configured; "*" for every mark."""
    kept: KeptTable = KeptTable()
    budgets: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    quota: Mapping[str, Any] = attrs.field(factory=dict)

    @version.validator
    def _known(self, _: Any, value: int) -> None:
        if value != VERSION:
            raise ValueError(f"'version' is {value}, and this is made for manifests of version {VERSION}")

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        found: dict[str, Any] = plain(self)
        return found

    @property
    def checksum(self) -> str:
        """SHA-256 of what it says, however it is laid out."""
        return sha256(canonical_json(self.to_json()).encode()).hexdigest()


def plain(value: Any) -> Any:
    """Return settings as plain data, the same on every machine: keys that say nothing are left out."""
    if attrs.has(type(value)):
        value = attrs.asdict(value, recurse=False)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(map(plain, value))
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, bool | int | float | str):
        return value
    return value.as_posix() if isinstance(value, PurePath) else str(value)


def _odd(data: Any, where: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Yield what no manifest holds, with its place: it could be compared with nothing."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from _odd(value, (*where, key))
    if isinstance(data, float) and not isfinite(data):
        yield where, f"{data} is no number that bounds anything"
    elif not isinstance(data, dict | list | str | int | float):
        yield where, f"a {type(data).__name__} is nothing that a manifest holds"


def read_manifest(path: Path) -> Manifest:
    """Return the manifest that a file holds.

    Raises:
        ConfigError: It cannot be read, or has mistakes.
    """
    from rtfs_framework.api.toml_places import read_toml, structure

    data, places = read_toml(path)
    for where, words in _odd(data):
        raise places.error("E0705", words, where, "manifests hold texts, true, false and finite numbers")
    found = structure(Manifest, data, places)
    ids = [each.id for each in found.capability]
    twice = next((place for place, id_ in enumerate(ids) if id_ in ids[:place]), None)
    if twice is not None:
        where = ("capability", twice, "id")
        raise places.error(
            "E0705", f"'{ids[twice]}' is listed twice", where, "leave one of them: it would hide what it adds"
        )
    if not found.any_program and not found.digest:
        raise places.error("E0704", "the key 'digest' is missing", (), "or say any_program = true")
    return found
