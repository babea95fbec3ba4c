"""Which permissions plugins may have: read before any plugin is imported, so before the configuration can be checked.

`[plugins]` counts in the user's own file, in one that was asked for, and as variables. A file that is found says
nothing of it, trusted or not: which code runs is no matter of a program's folder. Mistakes in the table are told where
the configuration is loaded; until then a table that cannot be read allows nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtfs_framework.orchestrator.config.find import own_file
from rtfs_framework.orchestrator.config.guard import Refused, read_guarded
from rtfs_framework.orchestrator.config.variables import read_variables
from rtfs_framework.registry.load import load_catalog
from rtfs_framework.registry.permissions import ALL_ALLOWED, EVERYTHING, Allowed, normal

if TYPE_CHECKING:
    from rtfs_framework.registry.catalog import Catalog

TABLE = "plugins"
_NOTHING: frozenset[str] = frozenset()


def installed(environ: Mapping[str, str], asked: Path | None = None, extra_plugins: Iterable[Any] = ()) -> Catalog:
    """Return the installed plugins that may be loaded here; `asked` is the file of `--config`.

    Raises nothing: what is wrong with plugins are problems of the catalog, and with files is told by `load_config`.
    """
    return load_catalog(environ, extra_plugins=extra_plugins, allowed=permitted(environ, asked))


def permitted(environ: Mapping[str, str], asked: Path | None = None) -> Allowed:
    """Return what plugins may have."""
    tables = [table for table in map(_table, (own_file(environ), asked)) if table is not None]
    if any(name.startswith("RTFS_PLUGINS__") for name in environ):
        tables.append(_of_variables(environ, tables[-1] if tables else {}))
    if not tables:
        return ALL_ALLOWED
    everybody, grants, said = EVERYTHING, dict[str, frozenset[str]](), False
    for table in tables:
        said = said or not isinstance(table, dict) or "allow" in table or bool(table.get("grant"))
        if not isinstance(table, dict):
            everybody = _NOTHING
            continue
        if "allow" in table:
            everybody = _words(table["allow"])
        own = table.get("grant", {})
        grants.update({normal(name): _words(words) for name, words in own.items()} if isinstance(own, dict) else {})
    return Allowed(everybody, grants, said)


def _table(path: Path | None) -> Any:
    """Return a file's table, None where it has none: most files are not even parsed for that."""
    try:
        content = b"" if path is None else read_guarded(path, found=False)
    except Refused:  # others could have a hand in it
        return {"allow": ()}
    except OSError:  # told by whoever needs the rest of it
        return None
    if TABLE.encode() not in content:
        return None
    from rtfs_framework.api.errors import ConfigError
    from rtfs_framework.api.toml_places import parse_toml

    try:
        return parse_toml(content, str(path))[0].get(TABLE)
    except ConfigError:
        return {"allow": ()}


def _of_variables(environ: Mapping[str, str], known: Any) -> Any:
    from rtfs_framework.api.errors import ConfigError

    said = {name: value for name, value in environ.items() if name.startswith("RTFS_PLUGINS__")}
    try:
        return read_variables(said, {TABLE: known})[0].get(TABLE)
    except ConfigError:
        return {"allow": ()}


def _words(said: Any) -> frozenset[str]:
    fine = isinstance(said, list | tuple) and all(isinstance(word, str) for word in said)
    return frozenset(said) if fine else _NOTHING
