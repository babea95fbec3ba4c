"""The two owners of a plugin's table: the host's keys and the plugin's. Every key must be somebody's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from rtfs_framework.api.errors import ConfigError
from rtfs_framework.api.settings import SettingsSchema
from rtfs_framework.lang.diagnostics import Diagnostic, did_you_mean

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath, Places
    from rtfs_framework.registry.catalog import Catalog

T = TypeVar("T")


@attrs.frozen(slots=True)
class Reading:
    """A file being read: its places, and the mistakes found so far."""

    places: Places
    mistakes: list[Diagnostic] = attrs.field(factory=list)

    def mistake(self, code: str, message: str, path: KeyPath, way_out: str | None, *, key: bool = False) -> None:
        """Note a mistake at the value (or, with `key`, at the key) of a path."""
        span = self.places.key(path) if key else self.places.of(path)
        self.mistakes.append(
            Diagnostic(
                code=code, message=message, source=self.places.source, span=span, help=way_out, kind="ConfigError"
            )
        )

    def structure(self, cls: type[T], data: Any, path: KeyPath) -> T | None:
        """Return an instance of an attrs class, None after noting what is wrong."""
        from rtfs_framework.api.toml_places import structure

        try:
            return structure(cls, data, self.places, path)
        except ConfigError as error:
            self.mistakes.extend(error.diagnostics)
            return None

    def split(
        self, host: type[T], plugin: SettingsSchema | None, table: Mapping[str, Any], path: KeyPath
    ) -> tuple[T | None, Any]:
        """Return the host's part and the plugin's settings of one table. A key of both goes to both."""
        host_keys, own_keys = key_names(host), key_names(plugin)
        known = list(dict.fromkeys((*host_keys, *own_keys)))
        for key in table:
            if key not in known:
                way_out = did_you_mean(key, known) or (f"known keys: {', '.join(known)}" if known else "it has no keys")
                self.mistake("E0702", f"unknown key '{key}'", (*path, key), way_out, key=True)
        ours = self.structure(host, {key: table[key] for key in table if key in host_keys}, path)
        own = None
        if plugin is not None:
            own = self.structure(plugin, {key: table[key] for key in table if key in own_keys}, path)
        return ours, own


def key_names(cls: SettingsSchema | None) -> list[str]:
    """Return the keys that a settings class declares."""
    if cls is None:
        return []
    return [field.alias or field.name for field in attrs.fields(cls) if field.init]


def defaults_of(cls: SettingsSchema | None, table: Mapping[str, Any] | None = None) -> Any:
    """Return a plugin's own settings without a file: made directly, so that nothing heavy is imported."""
    return None if cls is None else cls(**(table or {}))


def default_engine(catalog: Catalog) -> str | None:
    """Return the engine that is used when none is named: `static`, if it is installed."""
    return "static" if "static" in catalog.engines else None
