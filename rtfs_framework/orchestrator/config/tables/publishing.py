"""The tables of `delegation.toml` about published programs: `[publishing]`, and a store each in `[stores.NAME]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.orchestrator.config.publishing import PublishingSpec, StoreSpec

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.orchestrator.config.own import Reading
    from rtfs_framework.registry.catalog import Catalog

_MOST_SALT = 256


@attrs.frozen(slots=True, kw_only=True)
class PublishingTable:
    """`[publishing]`."""

    salt: str = ""
    """The trust domain; "" is the public one."""
    trusted_keys: str | None = None
    """A list of trusted keys instead of the user's own."""
    read: Sequence[str] = ()
    """The stores in which programs are looked for, in their order; none said is all."""


USUAL_PUBLISHING_TABLE = PublishingTable()


@attrs.frozen(slots=True, kw_only=True)
class StoreTable:
    """The host's keys of `[stores.<name>]`."""

    plugin: str | None = None
    """Which plug-in it is; without it, the name is the plug-in's."""


Path = Callable[..., "str | None"]


def read_publishing(
    reading: Reading,
    catalog: Catalog,
    table: PublishingTable,
    stores: Mapping[str, Mapping[str, Any]],
    path_of: Path,
    directory: Callable[..., str],
) -> PublishingSpec:
    """Return what is said of published programs; mistakes are noted. `path_of` reads a path, `directory` starts one."""
    made = [_store(reading, catalog, name, keys, directory) for name, keys in stores.items()]
    for place, name in enumerate(table.read):
        if name not in stores:
            way_out = did_you_mean(name, stores) or f"stores: {', '.join(sorted(stores)) or 'none is configured'}"
            reading.mistake("E0706", f"no store is called '{name}'", ("publishing", "read", place), way_out)
    if len(table.salt) > _MOST_SALT:
        reading.mistake("E0705", f"a salt has at most {_MOST_SALT} characters", ("publishing", "salt"), "a shorter one")
    keys = table.trusted_keys
    return PublishingSpec(
        salt=table.salt,
        trusted_keys=None if keys is None else path_of(keys, ("publishing", "trusted_keys"), file=True),
        read=tuple(table.read),
        stores=tuple(each for each in made if each is not None),
    )


def _store(
    reading: Reading, catalog: Catalog, name: str, table: Mapping[str, Any], directory: Callable[..., str]
) -> StoreSpec | None:
    path: KeyPath = ("stores", name)
    wanted = table.get("plugin", name)
    if not isinstance(wanted, str):
        reading.structure(StoreTable, {"plugin": wanted}, path)
        return None
    if wanted not in catalog.stores:
        at: KeyPath = (*path, "plugin") if "plugin" in table else path
        problem = catalog.contested.get(("store", wanted))
        installed = ", ".join(sorted(catalog.stores)) or "none"
        way_out = did_you_mean(wanted, catalog.stores)
        way_out = way_out or f"installed: {installed}; install the plug-in that offers it (rtfs-store-...)"
        message = f"no store is called '{wanted}'" if problem is None else problem.message
        reading.mistake("E0706", message, at, way_out if problem is None else problem.help, key="plugin" not in table)
        return None
    entry, _ = catalog.stores[wanted]
    ours, own = reading.split(StoreTable, catalog.part("store", wanted), entry.settings, table, path)
    if ours is None:
        return None
    return StoreSpec(name=name, plugin=wanted, own=own, directory=directory(path, table, entry.settings))
