"""The texts that a configuration is made of, each with what it may do, and the one table that they make together.

In order, each overriding what was said before: the user's own file, a file that was found, the file that was asked for
(`--config`), single variables. All but the found one are the user's own word. What a found file may say before its
owner trusts it is decided in `narrow`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.errors import config_error
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.source import Source, Span
from rtfs_framework.lang.visible import visible_line
from rtfs_framework.orchestrator.config.find import found_file, own_file
from rtfs_framework.orchestrator.config.guard import Refused, read_guarded
from rtfs_framework.orchestrator.config.paths import plain_folder
from rtfs_framework.orchestrator.config.trust import Record, TrustStore, digest_of, identity, trusts_all
from rtfs_framework.orchestrator.config.variables import any_variables, read_variables

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.api.toml_structure import Located


class Kind(Enum):
    """Where a part of the configuration comes from."""

    OWN = "own"
    FOUND = "found"
    ASKED = "asked"
    VARIABLES = "variables"


@attrs.frozen(slots=True, eq=False)
class Layer:
    """One text."""

    kind: Kind
    path: Path | None
    data: Mapping[str, Any]
    places: Located
    trusted: bool = True
    earlier: Record | None = None
    """What was trusted at the same path, when the content is another now."""

    @property
    def folder(self) -> Path:
        """Where relative paths in it start."""
        return Path.cwd() if self.path is None else plain_folder(self.path.parent)

    def speaks_of(self, path: KeyPath) -> bool:
        """Tell whether it has a table or value at a path."""
        near: Any = self.data
        for key in path:
            if not isinstance(near, dict) or key not in near:
                return False
            near = near[key]
        return True


@attrs.define(slots=True, eq=False)
class Merged:
    """One table made of several texts; knows for each value which text it is from."""

    layers: tuple[Layer, ...]
    data: dict[str, Any] = attrs.field(factory=dict, init=False)
    _origins: dict[KeyPath, Layer] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        """Put one text over the other."""
        for layer in self.layers:
            self._over(self.data, layer.data, layer, ())

    def origin(self, path: KeyPath) -> Layer | None:
        """Return the text that a value is from; of a table, the last that speaks of it."""
        return self._origins.get(path)

    def at(self, path: KeyPath, *, key: bool = False) -> tuple[Source, Span]:
        """Return where a value, or what encloses it, stands."""
        near = path
        while near and near not in self._origins:
            near = near[:-1]
        layer = self._origins[near] if near else self.layers[-1]
        return layer.places.at(path, key=key)

    def folder(self, path: KeyPath) -> Path:
        """Return where the relative paths of a value start."""
        layer = self.origin(path)
        return Path.cwd() if layer is None else layer.folder

    def file_of(self, path: KeyPath) -> str:
        """Return the file that speaks of a table, "" where the user's own or a variable does.

        However its path is written it is one file; and one that was asked for goes before one that was found, which
        would else move what is counted there to another account by speaking of it, too.
        """
        speaking = [each for each in self.layers if each.speaks_of(path)]
        if any(each.kind in (Kind.OWN, Kind.VARIABLES) for each in speaking) or not speaking:
            return ""
        file = speaking[-1].path
        return "" if file is None else identity(file)

    @property
    def asked(self) -> Path | None:
        """The file that was asked for, None when none was."""
        return next((each.path for each in self.layers if each.kind is Kind.ASKED), None)

    @property
    def path(self) -> Path | None:
        """The last file, None when there is none."""
        return next((each.path for each in reversed(self.layers) if each.path is not None), None)

    def _over(self, below: dict[str, Any], table: Mapping[str, Any], layer: Layer, path: KeyPath) -> None:
        for key, value in table.items():
            here = (*path, key)
            if isinstance(value, dict) and isinstance(below.get(key), dict):
                self._origins[here] = layer
                self._over(below[key], value, layer, here)
                continue
            if key in below:
                for old in [each for each in self._origins if each[: len(here)] == here]:
                    del self._origins[old]
            self._origins[here] = layer
            below[key] = {} if isinstance(value, dict) else value
            if isinstance(value, dict):
                self._over(below[key], value, layer, here)


@attrs.frozen(slots=True, kw_only=True)
class Given:
    """Everything that was read, and what must be told of it."""

    layers: tuple[Layer, ...]
    notices: tuple[Diagnostic, ...] = ()


def read_layers(asked: Path | None, program_dir: Path | None, environ: Mapping[str, str]) -> Given:
    """Read every text that counts here, in order; a found file that must not be read is left out with a notice.

    Raises:
        ConfigError: A file that is the user's own or was asked for cannot be used, or a text is no TOML.
    """
    trust = trusts_all(environ)
    own, notices = own_file(environ), []
    layers: list[Layer] = []
    if own.is_file() and not (asked is not None and _is_same(own, asked)):
        layers.append(_file(Kind.OWN, own))
    found = found_file(program_dir, environ, asked)
    if found is not None:
        try:
            layers.append(_found(found, environ, trust=trust))
        except Refused as error:
            notices.append(_refused(found, error))
    if asked is not None:
        layers.append(_file(Kind.ASKED, asked))
    if any_variables(environ):
        data, places = read_variables(environ, Merged(tuple(layers)).data)
        layers.append(Layer(Kind.VARIABLES, None, data, places))
    return Given(layers=tuple(layers), notices=tuple(notices))


def _file(kind: Kind, path: Path) -> Layer:
    try:
        content = read_guarded(path, found=False)
    except Refused as error:
        raise error.error(path) from error
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror or error}"
        raise config_error("E0700", message, help="check the path and its rights") from error
    return _layer(kind, path, content)


def _found(path: Path, environ: Mapping[str, str], *, trust: bool) -> Layer:
    try:
        content = read_guarded(path, found=True)
    except OSError as error:
        raise Refused(f"it cannot be read: {error.strerror or error}", "check its rights") from error
    store = TrustStore.of(environ)
    known = trust or store.find(path, digest_of(content)) is not None
    return attrs.evolve(
        _layer(Kind.FOUND, path, content), trusted=known, earlier=None if known else store.earlier(path)
    )


def _layer(kind: Kind, path: Path, content: bytes) -> Layer:
    from rtfs_framework.api.toml_places import parse_toml

    data, places = parse_toml(content, str(path))
    return Layer(kind, path, data, places)


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _refused(path: Path, error: Refused) -> Diagnostic:
    message = f"{visible_line(str(path))} is ignored: {error.reason}"
    return Diagnostic(code="E0716", message=message, help=error.way_out, kind="ConfigError", severity="warning")
