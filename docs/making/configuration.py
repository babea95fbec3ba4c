"""The keys of `delegation.toml`, from the classes that read it: type, unit, default, and what each is for."""

from __future__ import annotations

import ast
import enum
import inspect
import itertools
import textwrap
import types
import typing
from collections.abc import Iterator, Mapping
from functools import lru_cache

import attrs

from making.language import MARK
from rtfs_framework.api.units import Bytes, Megabytes, Milliseconds, Seconds
from rtfs_framework.orchestrator.config.capability_sets import CapabilitySetTable
from rtfs_framework.orchestrator.config.tables.embedders import EmbedderTable
from rtfs_framework.orchestrator.config.tables.file import CacheTable, ConfigFile, ProviderTable
from rtfs_framework.orchestrator.config.tables.guards import GuardTable
from rtfs_framework.orchestrator.config.tables.health import BreakerTable
from rtfs_framework.orchestrator.config.tables.observers import ObserverTable
from rtfs_framework.orchestrator.config.tables.redaction import RedactionTable
from rtfs_framework.registry import load_catalog

_UNITS = {
    Seconds: "time, in seconds",
    Milliseconds: "time, in milliseconds",
    Bytes: "size, in bytes",
    Megabytes: "size, in megabytes",
}
_PLAIN = {str: "text", int: "integer", float: "number", bool: "true or false", type(None): "none"}
_NAMED: Mapping[str, tuple[type, ...]] = {
    "delegation.remote_providers": (ProviderTable,),
    "delegation.local_models": (ProviderTable,),
    "embedders": (EmbedderTable,),
    "observers": (ObserverTable,),
    "caches": (CacheTable,),
    "guards": (GuardTable,),
    "redaction": (RedactionTable,),
    "capabilities": (CapabilitySetTable,),
    "health.targets": (BreakerTable,),
}
"""Tables that are read with a plug-in's own keys, or one by one: the classes of the host's keys."""
_LISTS = frozenset({"labels.declassify.NAME"})
"""Tables of which there are many in a row, without names."""
_ABOUT = """\
Every key of `delegation.toml` that is the host's own, with its type, its default, and what it is for; [the page
about the file](../configuration.md) says where it is looked for and how far it is trusted, and [the keys of
plug-ins](plugin-settings.md) are beside these in their tables. A time may be a plain number of its unit, or a
text with a unit (`"30s"`, `"2 min"`); so may a size (`"512 MiB"`). NAME is a name of your own."""
_ABOUT_PLUGINS = """\
The settings that the plug-ins of this repository add to [those of the host](configuration.md), each in the
table that its heading names: a plug-in's name can be that of the table, or is said by its key (`provider`,
`plugin`, `store`)."""
_KINDS = {
    "engines": "[engines.NAME]",
    "providers": "[delegation.local_models.NAME] or [delegation.remote_providers.NAME]",
    "caches": "[caches.NAME]",
    "embedders": "[embedders.NAME]",
    "observers": "[observers.NAME]",
    "guards": "[guards.NAME]",
    "stores": "[stores.NAME]",
    "queues": "[queues.NAME]",
    "ledgers": "[ledgers.NAME]",
    "capability_sets": "[capabilities.NAME]",
}


def pages() -> dict[str, str]:
    """Return the page about the host's keys."""
    lines = ["# Keys of delegation.toml", "", MARK, "", _ABOUT, ""]
    about = _said(ConfigFile)
    for path, class_ in _tables(ConfigFile, ""):
        lines += _table(path, class_, about[path] if path in about else _first(class_))
    return {"docs/reference/configuration.md": "\n".join(lines)}


def plugin_pages() -> dict[str, str]:
    """Return the page about the keys of plug-ins; those of this repository must be installed."""
    lines = ["# Settings of plug-ins", "", MARK, "", _ABOUT_PLUGINS, ""]
    catalog = load_catalog({})
    for kind, table in _KINDS.items():
        offered = [(name, *found) for name, found in sorted(getattr(catalog, kind).items())]
        chosen = [(name, entry, where) for name, entry, where in offered if entry.settings is not None]
        lines += [f"## {kind.replace('_', ' ').capitalize()}: `{table}`", ""] if chosen else []
        for name, entry, where in chosen:
            lines += [f"### `{name}`", "", f"{entry.summary} ({where.distribution})", ""]
            lines += _rows(entry.settings, "")
            for below, class_ in _tables(entry.settings, ""):
                lines += [f"`{below}`: {_first(class_)}", "", *_rows(class_, "")]
    return {"docs/reference/plugin-settings.md": "\n".join(lines)}


def _tables(class_: type, path: str) -> Iterator[tuple[str, type]]:
    """Yield the tables inside one, each with its path: those of a class, of many by name, of plug-ins."""
    for field in attrs.fields(class_):
        at = f"{path}.{field.name}" if path else field.name
        for inner, many in _inside(_hints(class_)[field.name]):
            below = f"{at}.NAME" if many else at
            yield below, inner
            yield from _tables(inner, below)
        for inner in _NAMED.get(at, ()):
            yield f"{at}.NAME", inner


def _inside(hint: object) -> list[tuple[type, bool]]:
    """Return the classes of tables that a type speaks of, and whether there are many by name."""
    if isinstance(hint, type) and attrs.has(hint):
        return [(hint, False)]
    many = typing.get_origin(hint) not in {typing.Union, types.UnionType}
    return [(each, many) for each in typing.get_args(hint) if isinstance(each, type) and attrs.has(each)]


def _table(path: str, class_: type, about: str) -> list[str]:
    rows = _rows(class_, path)
    heading = f"[[{path.removesuffix('.NAME')}]]" if path in _LISTS else f"[{path}]"
    return [f"## `{heading}`", "", *([about, ""] if about else []), *rows] if rows else []


def _first(class_: type) -> str:
    """Return what a class says of itself in its first line, without the name of its table."""
    text = " ".join((class_.__doc__ or "").strip().split("\n\n", maxsplit=1)[0].split())
    about = text.partition("`: ")[2] if text.startswith("`[") else text
    return "" if about.startswith("The host's keys") else about[:1].upper() + about[1:]


def _rows(class_: type, path: str) -> list[str]:
    """Return the keys of a table as rows; tables inside it have their own."""
    said, hints = _said(class_), _hints(class_)
    rows = [
        f"| `{_key(field)}` | {_type(hints[field.name])} | {_default(field)} | {said[field.name]} |"
        for field in attrs.fields(class_)
        if not _inside(hints[field.name]) and f"{path}.{field.name}" not in _NAMED
    ]
    return ["| key | type | default | |", "|---|---|---|---|", *rows, ""] if rows else []


def _key(field: attrs.Attribute[object]) -> str:
    return field.name.rstrip("_")


@lru_cache
def _hints(class_: type) -> dict[str, object]:
    """Return the types of a class's fields, read where each was written."""
    found: dict[str, object] = {}
    for base in reversed(class_.__mro__[:-1]):
        names = vars(inspect.getmodule(base))
        for name, written in vars(base).get("__annotations__", {}).items():
            found[name] = eval(written, names) if isinstance(written, str) else written
    return found


@lru_cache
def _said(class_: type) -> dict[str, str]:
    """Return what a class says of its fields: the texts behind them.

    Raises:
        KeyError: a field has none; every key must say what it is for.
    """
    found: dict[str, str] = {}
    for base in reversed(class_.__mro__[:-1]):
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        except (OSError, TypeError):
            continue
        body = tree.body if isinstance(tree, ast.ClassDef) else []
        for field, text in itertools.pairwise(body):
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                found[ast.unparse(field.target)] = " ".join(str(text.value.value).split()).replace("|", "\\|")
    silent = [field.name for field in attrs.fields(class_) if field.name not in found]
    if silent:
        message = f"{class_.__qualname__} does not say what {', '.join(silent)} is for"
        raise KeyError(message)
    return found


def _type(hint: object) -> str:
    if hint in _UNITS:
        return _UNITS[hint]
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return ", ".join(f'`"{each}"`' for each in arguments)
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(dict.fromkeys(_type(each) for each in arguments if each is not type(None)))
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return ", ".join(f'`"{each.value}"`' for each in hint)
    if isinstance(hint, type) and attrs.has(hint):
        return "table"
    if arguments and issubclass(origin, Mapping):
        return "table" if arguments[1] in {object, typing.Any} else f"table of {_many(_type(arguments[1]))}"
    return f"list of {_many(_type(arguments[0]))}" if arguments else "anything"


def _many(one: str) -> str:
    plural = {"text": "texts", "integer": "integers", "number": "numbers", "table": "tables"}
    return " or ".join(plural.get(each, each) for each in one.split(" or "))


def _default(field: attrs.Attribute[object]) -> str:
    value = field.default
    if value is attrs.NOTHING:
        return "must be said"
    if value is None:
        return ""
    if isinstance(value, (attrs.Factory, tuple, dict)):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, enum.Enum):
        return f'`"{value.value}"`'
    if isinstance(value, (int, float)):
        return f"{value:,}".removesuffix(".0")
    return f'`"{value}"`'
