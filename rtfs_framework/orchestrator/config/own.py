"""The two owners of a plugin's table: the host's keys and the plugin's. Every key must be somebody's."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

import attrs

from rtfs_framework.api.settings import SettingsSchema
from rtfs_framework.api.targets import ExecTarget, LocalModel, RemoteModel
from rtfs_framework.api.units import UNITS, doubt
from rtfs_framework.lang.diagnostics import Diagnostic, did_you_mean
from rtfs_framework.registry.absent import REMOTE_HOST
from rtfs_framework.registry.faults import Part, PluginFault, ask

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.api.toml_structure import Located
    from rtfs_framework.orchestrator.config.model import ProviderSpec
    from rtfs_framework.registry.catalog import Catalog

T = TypeVar("T")

_BY_THE_HOST = "the host tries again itself, by what a failure is evidence of: [delegation] attempts = 3"
_RETRIES = dict.fromkeys(("max_retries", "num_retries", "retries", "retry"), _BY_THE_HOST)
"""Keys that other tools have in tables of providers."""
_ROUNDS = 3
"""How often what is wrong is left out: what is missing is only seen when the rest is right."""


@attrs.frozen(slots=True)
class Reading:
    """A file being read: its places, and the mistakes found so far."""

    places: Located
    mistakes: list[Diagnostic] = attrs.field(factory=list)

    doubts: list[Diagnostic] = attrs.field(factory=list)
    """What is no mistake, but hardly what was meant."""

    def mistake(self, code: str, message: str, path: KeyPath, way_out: str | None, *, key: bool = False) -> None:
        """Note a mistake at the value (or, with `key`, at the key) of a path."""
        source, span = self.places.at(path, key=key)
        self.mistakes.append(
            Diagnostic(code=code, message=message, source=source, span=span, help=way_out, kind="ConfigError")
        )

    def structure(self, cls: type[T], data: Any, path: KeyPath) -> T | None:
        """Return an instance of an attrs class, None after noting what is wrong.

        After mistakes it is one of what is right, so that the mistakes of whoever reads on are told, too.
        """
        from rtfs_framework.api.toml_structure import StructureError, structure

        wrong: set[KeyPath] = set()
        for _ in range(_ROUNDS):
            try:
                made = structure(cls, data, self.places, path)
            except StructureError as error:  # noqa: PERF203 - at most three times
                for place, mistake in zip(error.paths, error.diagnostics, strict=True):
                    left_out = (f"the key '{each[-1]}' is missing" for each in wrong if each[:-1] == place)
                    if mistake.message not in left_out:
                        self.mistakes.append(mistake)
                wrong.update(error.paths)
                inside = {found[len(path) :] for found in error.paths} - {()}
                if not inside:  # the table itself lacks something: there is nothing to leave out
                    return None
                data = _without(data, inside)
            else:
                self._doubt(cls, data, path)
                return made
        return None

    def _doubt(self, cls: Any, data: Any, path: KeyPath) -> None:
        """Note the plain numbers that can hardly be meant: a timeout of 20 milliseconds."""
        for field in attrs.fields(cls):
            key = field.alias or field.name
            value = data.get(key)
            if attrs.has(field.type) and isinstance(value, dict):
                self._doubt(field.type, value, (*path, key))
            unit = next((UNITS[kind] for kind in (field.type, *get_args(field.type)) if kind in UNITS), None)
            why = None if unit is None else doubt(field, unit, value)
            if why is not None and unit is not None:
                source, span = self.places.at((*path, key))
                way_out = f'write the unit, whatever is meant: "{value:g} ms", "{value:g} s"'
                message = f"'{key}' counts {unit.name}: {why}"
                found = Diagnostic(
                    code="E0707", message=message, source=source, span=span, help=way_out, kind="ConfigError",
                    severity="warning",
                )  # fmt: skip
                self.doubts.append(found)

    def settings(self, part: Part, cls: SettingsSchema, data: Any, path: KeyPath) -> Any:
        """Return a plugin's settings, None after noting what is wrong: with the table, or with the plugin's class."""
        try:
            ask(part, f"its settings class `{cls.__name__}`", _check_types, cls)
            return ask(part, f"its settings class `{cls.__name__}`", self.structure, cls, data, path)
        except PluginFault as fault:
            self.mistake(fault.code, fault.problem, path, fault.way_out, key=True)
            return None

    def split(
        self,
        host: type[T],
        part: Part,
        plugin: SettingsSchema | None,
        table: Mapping[str, Any],
        path: KeyPath,
        *,
        also: Iterable[str] = (),
    ) -> tuple[T | None, Any]:
        """Return the host's part and the plugin's settings of one table. A key of both goes to both.

        `also` are keys that may stand in the table and are read elsewhere.
        """
        from rtfs_framework.api.toml_structure import shown

        host_keys, own_keys = key_names(host), key_names(plugin)
        known = list(dict.fromkeys((*host_keys, *own_keys, *also)))
        for key in table:
            if key not in known:
                way_out = _RETRIES.get(key) or did_you_mean(key, known)
                way_out = way_out or (f"known keys: {', '.join(known)}" if known else "it has no keys")
                self.mistake("E0702", f"unknown key {shown(key)}", (*path, key), way_out, key=True)
        ours = self.structure(host, {key: table[key] for key in table if key in host_keys}, path)
        own = None
        if plugin is not None:
            own = self.settings(part, plugin, {key: table[key] for key in table if key in own_keys}, path)
        return ours, own


class _Mistaken:
    """A value that cannot be understood."""


MISTAKEN: Final = _Mistaken()


def typed_value(cls: type[Any], key: str, raw: Any) -> Any:
    """Return a value as a class of settings understands it, or MISTAKEN."""
    from rtfs_framework.api.toml_converter import converter

    try:
        return getattr(converter().structure({key: raw}, cls), key)
    except Exception:  # noqa: BLE001 - hooks and validators raise what they like
        return MISTAKEN


def _check_types(cls: SettingsSchema) -> None:
    """Refuse a settings class whose types no file can hold, or which are not there when the program runs.

    Raises:
        Exception: Whatever looking at the types raises; it names the type.
    """
    from rtfs_framework.api.toml_converter import converter

    attrs.resolve_types(cls)
    for field in attrs.fields(cls):
        converter().get_structure_hook(field.type)


def _without(data: Any, paths: Collection[KeyPath]) -> Any:
    """Return data without what stands at some paths; without anything when that is all of it."""
    if () in paths or not isinstance(data, dict):
        return {} if isinstance(data, dict) else data
    inner: dict[str | int, set[KeyPath]] = {}
    for first, *rest in paths:
        inner.setdefault(first, set()).add(tuple(rest))
    return {
        key: _without(value, inner[key]) if key in inner else value
        for key, value in data.items()
        if () not in inner.get(key, ()) and (key not in inner or isinstance(value, dict))
    }


def key_names(cls: SettingsSchema | None) -> list[str]:
    """Return the keys that a settings class declares."""
    if cls is None:
        return []
    return [field.alias or field.name for field in attrs.fields(cls) if field.init]


def defaults_of(cls: SettingsSchema | None, table: Mapping[str, Any] | None = None) -> Any:
    """Return a plugin's own settings without a file: made directly, so that nothing heavy is imported."""
    return None if cls is None else cls(**(table or {}))


_REMOTE_PLUGIN = "openai"
_OF_REMOTE_HOST = {"endpoint", "timeout"}
"""The keys by which a remote RTFS host is known: those of the published configuration."""
_ONLY_REMOTE_HOST = "token_env"
"""A key that no other provider has."""
_OF_FILES = {".rules": "rules", ".gguf": "llama", ".bin": "llama"}
"""Which plugin answers from a local model's file, where its table has a `path` and names no provider."""


def usual_plugin(
    target: ExecTarget,
    name: str,
    table: Mapping[str, Any],
    defaults: Mapping[ExecTarget, ProviderSpec],
    catalog: Catalog,
) -> str | None:
    """Return the plugin of a table that names none: its file's, the default's, its name's, its keys', or openai."""
    path = table.get("path")
    if isinstance(target, LocalModel) and isinstance(path, str):
        return _OF_FILES.get(PurePath(path).suffix.lower())
    known = defaults.get(target)
    if known is not None:
        return known.plugin
    if name in catalog.providers:
        return name
    if isinstance(target, RemoteModel):
        return REMOTE_HOST if set(table) == _OF_REMOTE_HOST or _ONLY_REMOTE_HOST in table else _REMOTE_PLUGIN
    return None


def default_engine(catalog: Catalog) -> str | None:
    """Return the engine that is used when none is named: `static`, if it is installed."""
    return "static" if "static" in catalog.engines else None
