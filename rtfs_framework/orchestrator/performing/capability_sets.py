"""Sets of capabilities: made with a host, closed with it, and from then on capabilities like all others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.capability import CapabilityEntry, CapabilitySet, CapabilitySetEntry, CapabilitySetSettings
from rtfs_framework.orchestrator.config.folders import part_folder
from rtfs_framework.orchestrator.performing.isolation.places import SetPlace
from rtfs_framework.registry.collect import alias_problems, aliases_of, odd_type
from rtfs_framework.registry.contracts import odd_types
from rtfs_framework.registry.faults import Part, PluginFault, ask, make
from rtfs_framework.registry.fields import flaw_of
from rtfs_framework.registry.kinds import KINDS
from rtfs_framework.registry.problems import Provenance

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.config.capability_sets import CapabilitySetSpec
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.orchestrator.recording.events import EventBus
    from rtfs_framework.registry.catalog import Catalog

_KIND = "capability set"
_INSTEAD = "its capabilities are not there"


@attrs.frozen(slots=True, eq=False)
class MadeSet:
    """A set that is at work."""

    part: Part
    made: CapabilitySet
    told: Callable[..., object]
    place: SetPlace
    ids: tuple[str, ...]

    def close(self) -> None:
        """Let it go; its faults are told, and hold nothing up."""
        try:
            ask(self.part, "`close`", self.made.close)
        except Exception as fault:  # noqa: BLE001 - whatever a plug-in raises
            self.told(self.part, fault, "`close`", "the host is closed all the same")


def with_sets(
    catalog: Catalog, config: Config, environ: Mapping[str, str], events: EventBus
) -> tuple[Catalog, tuple[MadeSet, ...]]:
    """Return the catalog with the capabilities of sets, and the sets; one that cannot be made is told, and absent."""
    if not catalog.capability_sets:
        return catalog, ()
    offered: dict[str, Any] = dict(catalog.capabilities)
    names = dict(catalog.function_names)
    sets: list[MadeSet] = []
    for name, (entry, provenance) in catalog.capability_sets.items():
        part = Part(_KIND, name, provenance)
        spec = config.capability_sets.get(name)
        if spec is not None and not spec.enabled:
            continue
        try:
            settings = ask(part, "its name", settings_of, entry, spec, environ)
            made = make(part, entry.factory, settings, methods=("entries", "close"))
            found = _entries(part, made, offered)
        except PluginFault as fault:
            events.plugin_failed(part, fault, "", _INSTEAD)
            continue
        place = SetPlace(name=name, settings=settings, keeps_files=entry.keeps_files)
        sets.append(MadeSet(part, made, events.plugin_failed, place, tuple(each.id for each in found)))
        for each in found:
            offered[each.id] = (each, provenance)
            for remark in odd_types(each):
                told = odd_type(each.id, remark, provenance)
                events.plugin_failed(Part("capability", each.id, provenance), told.message, "its types", told.help)
            names.update({word: each.id for word in each.names if word not in names})
    aliases = aliases_of({id_: entry for id_, (entry, _) in offered.items()})
    for (kind, alias), problem in alias_problems(offered).items():
        if (kind, alias) not in catalog.contested:
            part = Part(kind, alias, Provenance(problem.distributions[0], "", ""))
            events.plugin_failed(part, problem.message, "`entries`", problem.help)
    catalog = attrs.evolve(
        catalog,
        capabilities=MappingProxyType(offered),
        function_names=MappingProxyType(names),
        aliases=MappingProxyType(aliases),
    )
    return catalog, tuple(sets)


def places_of(sets: Iterable[MadeSet]) -> Mapping[str, SetPlace]:
    """Return how the set of each capability is made, by its id."""
    return {id_: each.place for each in sets for id_ in each.ids}


def settings_of(
    entry: CapabilitySetEntry, spec: CapabilitySetSpec | None, environ: Mapping[str, str]
) -> CapabilitySetSettings:
    """Return what a set is made from under a configuration.

    Raises:
        ValueError: Its name is none of a folder.
    """
    own: Any = None if spec is None else spec.own
    if own is None and entry.settings is not None:
        with suppress(TypeError):  # it cannot be made without a table: its factory decides
            own = entry.settings()
    directory = str(part_folder(environ, "capabilities", entry.name))
    base = "." if spec is None else spec.base
    return CapabilitySetSettings(own=own, base=base, directory=directory, environ=environ.get)


def _entries(part: Part, made: CapabilitySet, offered: Mapping[str, Any]) -> list[CapabilityEntry]:
    """Return what a set offers.

    Raises:
        PluginFault: That is no list of capabilities, or one of them is offered already.
    """
    found = ask(part, "`entries`", lambda: list(made.entries()))
    kind = next(each for each in KINDS if each.word == "capability")
    for each in found:
        if not isinstance(each, CapabilityEntry):
            raise PluginFault(part, "`entries`", f"returned a {type(each).__name__}, which is no CapabilityEntry")
        wrong = flaw_of(kind, each)
        if wrong is not None:
            raise PluginFault(part, "`entries`", f"returned '{each.id}', {wrong}")
        if each.id in offered:
            raise PluginFault(part, "`entries`", f"returned '{each.id}', which {offered[each.id][1]} offers already")
    if len({each.id for each in found}) < len(found):
        raise PluginFault(part, "`entries`", "returned one id twice")
    return found
