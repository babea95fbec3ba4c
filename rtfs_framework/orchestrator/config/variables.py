"""Single settings from the environment: `RTFS_DELEGATION__DEFAULT_TARGET=local-pure`; two underscores are a dot.

In: an environment. Out: the settings as a table, with places that name the variable. A value is read as TOML (`true`,
`5`, `["a"]`, `"quoted"`), and as a text when it is none. A part of a name stands for the key that it spells in small
letters, or for one that is already there and differs in case or has dashes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.errors import ConfigError
from rtfs_framework.lang.diagnostics import Diagnostic, did_you_mean
from rtfs_framework.lang.source import Source, Span

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath

PREFIX = "RTFS_"
DOT = "__"
SECTIONS = frozenset(
    {
        "delegation",
        "engines",
        "embedders",
        "caches",
        "security",
        "journal",
        "modules",
        "limits",
        "health",
        "hints",
        "keys",
        "guards",
        "approvals",
    }
    | {
        "approvals",
        "budgets",
        "capabilities",
        "guards",
        "labels",
        "ledger",
        "ledgers",
        "observers",
        "plugins",
        "prices",
        "publishing",
        "queue",
        "queues",
        "rates",
        "redaction",
        "serve",
        "write",
        "mcp",
        "stores",
        "tenants",
        "warming",
    }
)
"""The tables of a configuration; a test sees that none is missing."""


@attrs.frozen(slots=True)
class Variables:
    """Where values stand that have no file: in the variable of their name."""

    sources: Mapping[KeyPath, Source]

    def at(self, path: KeyPath, *, key: bool = False) -> tuple[Source, Span]:  # noqa: ARG002 - a name has no place
        """Return the variable that a path comes from, and the whole of its value."""
        near = path
        while near and near not in self.sources:
            near = near[:-1]
        source = self.sources.get(near) or next(
            each for known, each in self.sources.items() if known[: len(path)] == path
        )
        return source, Span(0, max(1, len(source.text)))


def any_variables(environ: Mapping[str, str]) -> bool:
    """Tell whether an environment has a setting, or what was probably meant as one."""
    return any(map(_is_setting, environ))


def read_variables(environ: Mapping[str, str], known: Mapping[str, Any]) -> tuple[dict[str, Any], Variables]:
    """Return the settings of an environment; `known` is what files say.

    Raises:
        ConfigError: E0702, a variable that names no table of the configuration.
    """
    data: dict[str, Any] = {}
    sources: dict[KeyPath, Source] = {}
    mistakes: list[Diagnostic] = []
    for name in sorted(environ):
        if not _is_setting(name):
            continue
        source = Source(name, environ[name])
        path = _path(name.removeprefix(PREFIX).split(DOT), known)
        if len(path) < 2 or not all(path) or path[0] not in SECTIONS:
            mistakes.append(_unknown(source))
        elif not _put(data, path, _value(environ[name])):
            mistakes.append(_mistake(source, "it sets a part of what another variable sets whole", "unset one of them"))
        else:
            sources[path] = source
    if mistakes:
        raise ConfigError(mistakes)
    return data, Variables(sources)


def _is_setting(name: str) -> bool:
    """Tell whether a variable is a setting, or was probably meant as one (one underscore too few)."""
    if not name.startswith(PREFIX):
        return False
    rest = name.removeprefix(PREFIX)
    if rest == "PLUGINS":  # names the plugins to load, and is older than the table
        return False
    return DOT in rest or rest.lower().split("_")[0] in SECTIONS


def _path(parts: list[str], known: Any) -> tuple[str, ...]:
    """Return the path that the parts of a name stand for."""
    path: list[str] = []
    for number, part in enumerate(parts):
        key = part if number == 1 and path == ["keys"] else part.lower()
        table = known if isinstance(known, Mapping) else {}
        key = next((each for each in table if each == key or _spelled(each) == _spelled(part)), key)
        path.append(key)
        known = table.get(key)
    return tuple(path)


def _spelled(key: str) -> str:
    return key.replace("-", "_").lower()


def _value(text: str) -> Any:
    from rtfs_framework.api.toml_places import load_toml

    try:
        data, _ = load_toml(f"value = {text}", "")
    except ConfigError:
        return text
    return data["value"] if list(data) == ["value"] else text


def _put(data: dict[str, Any], path: tuple[str, ...], value: Any) -> bool:
    *tables, key = path
    for each in tables:
        inner = data.setdefault(each, {})
        if not isinstance(inner, dict):
            return False
        data = inner
    if key in data:
        return False
    data[key] = value
    return True


def _unknown(source: Source) -> Diagnostic:
    from rtfs_framework.orchestrator.config.tables.file import sections

    names = [f"{PREFIX}{section}{DOT}{key}".upper() for section, keys in sections().items() for key in keys]
    way_out = did_you_mean(source.name, names) or f"such as {PREFIX}DELEGATION{DOT}DEFAULT_TARGET"
    return _mistake(source, f"no setting is called {source.name}", way_out)


def _mistake(source: Source, message: str, way_out: str) -> Diagnostic:
    span = Span(0, max(1, len(source.text)))
    return Diagnostic(code="E0702", message=message, source=source, span=span, help=way_out, kind="ConfigError")
