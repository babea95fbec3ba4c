"""Who hears a host: the observers of plug-ins, made as the configuration says, and the log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rtfs_framework.api.observer import ObserverSettings
from rtfs_framework.orchestrator.config.folders import part_folder
from rtfs_framework.orchestrator.recording.sinks import Subscription
from rtfs_framework.registry.faults import Part, PluginFault, ask, make

if TYPE_CHECKING:
    from rtfs_framework.api.observer import ObserverEntry
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.orchestrator.config.tables.observers import ObserverSpec
    from rtfs_framework.orchestrator.recording.events import EventBus
    from rtfs_framework.registry.catalog import Catalog


def observer_settings(name: str, own: Any, environ: Mapping[str, str]) -> ObserverSettings:
    """Return what an observer with settings is made from.

    Raises:
        ValueError: Its name is none of a folder.
    """
    return ObserverSettings(name, own, str(part_folder(environ, "observers", name)))


def at_work(catalog: Catalog, config: Config) -> Iterator[tuple[ObserverEntry, Part, ObserverSpec | None]]:
    """Yield the observers that hear a host, each with who offers it and what is said of it."""
    for name, (entry, provenance) in catalog.observers.items():
        spec = config.observers.get(name)
        if (spec is None and entry.settings is None) or (spec is not None and spec.enabled):
            yield entry, Part("observer", name, provenance), spec


def listen(events: EventBus, catalog: Catalog, config: Config, environ: Mapping[str, str]) -> None:
    """Have a host heard by the observers that are at work; one that cannot be made is told, and left out."""
    level = environ.get("RTFS_LOG")
    if level:
        events.switch_on(level)
    for entry, part, spec in at_work(catalog, config):
        made_from: tuple[ObserverSettings, ...] = ()
        try:
            if spec is not None and entry.settings is not None:
                made_from = (ask(part, "its name", observer_settings, part.name, spec.own, environ),)
            observer = make(part, entry.factory, *made_from, methods=("__call__",))
        except PluginFault as fault:
            events.plugin_failed(part, fault, instead="it hears nothing")
            continue
        events.subscriptions.append(Subscription(part, observer, tuple(entry.events)))
