"""The stores of a configuration, opened one at a time and closed again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rtfs_framework.api.errors import PluginError
from rtfs_framework.api.store import Store, StoreSettings
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.orchestrator.config.folders import data_dir
from rtfs_framework.orchestrator.config.model import Config
from rtfs_framework.orchestrator.config.publishing import StoreSpec
from rtfs_framework.orchestrator.remembering.published.trouble import PublishingError
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.faults import PluginFault, make

FOLDER = "stores"
_METHODS = ("missing", "get", "put", "read", "point", "names", "blobs", "forget", "close")


def spec_of(config: Config, name: str) -> StoreSpec:
    """Return a store of the configuration.

    Raises:
        PublishingError: E0769, there is none of that name.
    """
    stores = {each.name: each for each in config.publishing.stores}
    if name in stores:
        return stores[name]
    known = ", ".join(sorted(stores)) or "none is configured"
    way_out = did_you_mean(name, stores) or f'stores: {known}; add  [stores.{name}]  plugin = "directory"'
    raise PublishingError("E0769", f"no store is called '{name[:80]}'", way_out)


def reading(config: Config) -> list[StoreSpec]:
    """Return the stores in which programs are looked for, in their order."""
    spec = config.publishing
    return [spec_of(config, name) for name in spec.read] if spec.read else list(spec.stores)


@contextmanager
def opened_store(spec: StoreSpec, catalog: Catalog, environ: Mapping[str, str]) -> Iterator[Store]:
    """Open a store; it is closed at the end.

    Raises:
        PluginError: It cannot be made, reached, or closed.
    """
    entry, _ = catalog.stores[spec.plugin]
    seen: Callable[[str], str | None] = environ.get
    place = str(data_dir(environ) / FOLDER)
    settings = StoreSettings(name=spec.name, own=spec.own, environ=seen, directory=place, base=spec.directory)
    try:
        store = make(catalog.part("store", spec.plugin), entry.factory, settings, methods=_METHODS)
    except PluginFault as fault:
        if isinstance(fault.__cause__, PluginError):  # its table or a variable cannot be used: no fault of its authors
            raise fault.__cause__ from None
        raise
    try:
        yield store
    finally:
        store.close()
