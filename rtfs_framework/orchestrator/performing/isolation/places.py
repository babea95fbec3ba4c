"""Where a handler is, so that another process finds it: a function of a module, or what a plug-in offers.

In: an entry and who offers it; out: its `Place`. The child, which has given up everything by then, imports the place:
of a function its module, of an offer the plug-in, whose hooks are asked again, and whose set is made anew. So nothing
of a set that the host made crosses: what it holds in memory stays there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import reduce
from importlib import import_module
from typing import Any

import attrs

from rtfs_framework.api.capability import CapabilityEntry, CapabilityRequest, CapabilitySetEntry, CapabilitySetSettings
from rtfs_framework.api.errors import CapabilityError
from rtfs_framework.registry.problems import Provenance


@attrs.frozen(slots=True, kw_only=True)
class SetPlace:
    """A set of capabilities, as it is made anew."""

    name: str
    settings: CapabilitySetSettings
    keeps_files: bool = False


@attrs.frozen(slots=True)
class InModule:
    """A handler that is a function of a module."""

    module: str
    name: str

    def find(self) -> Callable[[CapabilityRequest], Any]:
        """Return the handler."""
        found: Callable[[CapabilityRequest], Any] = _within(import_module(self.module), self.name)
        return found


@attrs.frozen(slots=True, kw_only=True)
class Offered:
    """A handler that a plug-in offers: it is loaded, and asked for it."""

    id: str
    module: str
    name: str
    """Of the plug-in within its module, "" for the module itself."""
    provenance: Provenance
    set: str = ""
    """Of which set it is, "" for none."""
    made_from: bytes = b""
    """The set's settings: what the host read of the configuration, where paths in them start, and the set's folder."""
    directory: str = ""
    """The set's folder, where it keeps files in it: a child may write there; "" where it keeps none."""

    def find(self) -> Callable[[CapabilityRequest], Any]:
        """Return the handler.

        Raises:
            CapabilityError: The plug-in offers no such capability here, or it may not run here.
        """
        from rtfs_framework.registry.admit import admit

        offers, problems = admit(self._plugin, self.provenance)
        kind, name = ("capability set", self.set) if self.set else ("capability", self.id)
        entry = next((each.entry for each in offers if (each.kind.word, each.name) == (kind, name)), None)
        if isinstance(entry, CapabilitySetEntry):
            entry = next((each for each in self._made(entry).entries() if each.id == self.id), None)
        if not isinstance(entry, CapabilityEntry) or not entry.isolable:
            words = f": {problems[0].message}" if problems else ""
            raise CapabilityError(f"{self.provenance} offers no '{self.id}' to a process of its own{words}")
        return entry.handler

    def _plugin(self) -> Any:
        return _within(import_module(self.module), self.name) if self.name else import_module(self.module)

    def _made(self, entry: CapabilitySetEntry) -> Any:
        import pickle  # this room is imported at every start

        own, base, directory = pickle.loads(self.made_from)  # noqa: S301 - the host's own words
        made = CapabilitySetSettings(own=own, base=base, directory=directory, environ=os.environ.get)
        return entry.factory(made)


Place = InModule | Offered


def place_of(entry: CapabilityEntry, provenance: Provenance, of_set: SetPlace | None) -> Place | None:
    """Return where another process finds a handler; None where it finds none, or its plug-in says nothing of it."""
    of_host = entry.speaks or entry.ahead is not None or entry.collect is not None
    if not entry.isolable or of_host:  # it would be asked in the host, too
        return None
    handler: Any = entry.handler
    module, name = getattr(handler, "__module__", None), getattr(handler, "__qualname__", None)
    if of_set is None and isinstance(module, str) and isinstance(name, str):
        found = reduce(lambda near, each: getattr(near, each, None), name.split("."), sys.modules.get(module))
        if found is handler:
            return InModule(module, name)
    at = _plugin_of(provenance)
    if at is None:
        return None
    if of_set is None:
        return Offered(id=entry.id, module=at[0], name=at[1], provenance=provenance)
    import pickle

    settings = of_set.settings
    try:
        made_from = pickle.dumps((settings.own, settings.base, settings.directory))
    except Exception:  # noqa: BLE001 - a plug-in's class may refuse it in any way
        return None
    return Offered(
        id=entry.id,
        module=at[0],
        name=at[1],
        provenance=provenance,
        set=of_set.name,
        made_from=made_from,
        directory=settings.directory if of_set.keeps_files else "",
    )


def _plugin_of(provenance: Provenance) -> tuple[str, str] | None:
    """Return the module of an installed plug-in, and its name within; None of one that is not installed."""
    from rtfs_framework.registry.discover import GROUP
    from rtfs_framework.registry.installed import entry_points

    for point in entry_points(GROUP):
        module, _, name = point.value.partition(":")
        if point.distribution == provenance.distribution and module.strip() == provenance.module:
            return module.strip(), name.partition("[")[0].strip()
    return None


def _within(module: Any, name: str) -> Any:
    for part in name.split("."):
        module = getattr(module, part)
    return module
