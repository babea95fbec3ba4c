"""Grants of capabilities as `[security]` and tenants write them: names and patterns, and tables with arguments.

In: `grant = ["ccos.echo", { id = "fs.read", roots = ["./data"] }]`. Out: the names, by which the authorizer judges, and
what the tables say, as the classes that the capabilities' plug-ins declare. A table names one capability; what it says
holds under each of its ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.capability import CapabilityGrant
from rtfs_framework.api.patterns import compile_patterns, is_pattern, specificity
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.lang.jsontext import JsonError
from rtfs_framework.lang.types.jsonable import from_plain
from rtfs_framework.orchestrator.config.isolation import read_child
from rtfs_framework.orchestrator.config.security import FEEDBACK, PRESETS, REMOTE_EXECUTE, WAITS, RuntimeContext
from rtfs_framework.registry.collect import other_ids

if TYPE_CHECKING:
    from rtfs_framework.api.settings import SettingsSchema
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.orchestrator.config.layers import Merged
    from rtfs_framework.orchestrator.config.own import Reading
    from rtfs_framework.orchestrator.config.tables.file import SecurityTable
    from rtfs_framework.registry.catalog import Catalog
    from rtfs_framework.registry.faults import Part

Written = str | Mapping[str, Any]
"""One item of `grant`."""

_ID = "id"


@attrs.frozen(slots=True)
class ArgumentGrant:
    """A table of `grant`."""

    id: str
    """The capability's own id, whatever alias was written."""
    grant: CapabilityGrant
    table: Mapping[str, Any]
    """As it was written, without its id."""


@attrs.frozen(slots=True)
class GrantClass:
    """What grants of a capability may say."""

    id: str
    part: Part
    settings: SettingsSchema | None

    @property
    def needed(self) -> tuple[str, ...]:
        """The keys without which a grant says nothing."""
        return () if self.settings is None else required(self.settings)


def required(settings: SettingsSchema) -> tuple[str, ...]:
    """Return the keys of a settings class that have no default."""
    return tuple(
        field.alias or field.name for field in attrs.fields(settings) if field.init and field.default is attrs.NOTHING
    )


@attrs.frozen(slots=True, eq=False)
class Grantable:
    """What a host knows of how its capabilities are granted."""

    aliases: Mapping[str, str] = attrs.field(factory=dict)
    """Other ids, to a capability's own."""
    classes: Mapping[str, SettingsSchema] = attrs.field(factory=dict)
    """What grants may say, by id, where they may say something."""
    wanted: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    """The ids that each capability wants besides its own, also those that another has or that several want."""
    _ids: Mapping[str, tuple[str, ...]] = attrs.field(init=False)

    @_ids.default
    def _collect(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for alias, id_ in self.aliases.items():
            found[id_] = (*found.get(id_, (id_,)), alias)
        return found

    @classmethod
    def of(cls, catalog: Catalog) -> Grantable:
        """Return what a catalog tells of it."""
        offered = {id_: entry for id_, (entry, _) in catalog.capabilities.items()}
        classes = {id_: entry.grant for id_, entry in offered.items() if entry.grant is not None}
        wanted = {id_: other_ids(id_, entry) for id_, entry in offered.items()}
        return cls(catalog.aliases, classes, wanted)

    def id_of(self, name: str) -> str:
        """Return a capability's own id."""
        return self.aliases.get(name, name)

    def ids(self, name: str) -> tuple[str, ...]:
        """Return all ids of a capability, its own first."""
        id_ = self.id_of(name)
        return self._ids.get(id_, (id_,))

    def claims(self, name: str) -> tuple[str, ...]:
        """Return all ids of a capability, and those that it wants and does not have: what is said against one counts.

        Else a denial would end as soon as another plug-in wants its name.
        """
        return tuple(dict.fromkeys((*self.ids(name), *self.wanted.get(self.id_of(name), ()))))

    def needed(self, name: str) -> tuple[str, ...]:
        """Return the keys without which a grant of a capability says nothing."""
        settings = self.classes.get(self.id_of(name))
        return () if settings is None else required(settings)

    def line(self, name: str) -> str:
        """Return what grants a capability, as it is written among grants."""
        keys = self.needed(name)
        return f'{{ id = "{name}", {", ".join(f"{key} = ..." for key in keys)} }}' if keys else f'"{name}"'


NOTHING_OFFERED = Grantable()


def class_of(catalog: Catalog, name: str) -> GrantClass | None:
    """Return what grants of a capability may say; None where no installed plug-in offers it."""
    id_ = catalog.aliases.get(name, name)
    found = catalog.capabilities.get(id_)
    if found is not None:
        return GrantClass(id_, catalog.part("capability", id_), found[0].grant)
    fitting = [
        (specificity(pattern), set_name, entry)
        for set_name, (entry, _) in catalog.capability_sets.items()
        for pattern in entry.ids
        if compile_patterns([pattern])(_dotted(name)) is not None
    ]
    if not fitting:
        return None
    # One set's ids may lie within another's pattern: `mcp.stream.*` within `mcp.*`.
    _, set_name, entry = min(fitting, key=lambda each: each[0])
    return GrantClass(entry.aliases.get(_dotted(name), name), catalog.part("capability set", set_name), entry.grant)


def known_capabilities(catalog: Catalog) -> tuple[str, ...]:
    """Return all ids of capabilities that are known without a host: those of plug-ins, and the host's own."""
    wanted = (each for id_, (entry, _) in catalog.capabilities.items() for each in other_ids(id_, entry))
    return tuple(
        dict.fromkeys((*catalog.capabilities, *catalog.aliases, *wanted, FEEDBACK, *sorted(WAITS), REMOTE_EXECUTE))
    )


def may_offer(catalog: Catalog, text: str) -> bool:
    """Tell whether a set may offer what a name or pattern fits: what it does offer is known when it is made."""
    return any(_overlap(_dotted(text), id_) for entry, _ in catalog.capability_sets.values() for id_ in entry.ids)


def _dotted(name: str) -> str:
    """Return an id of the original as sets declare it: documents may write its last part behind a slash."""
    return name.replace("/", ".") if name.startswith("ccos.") else name


def _overlap(one: str, other: str) -> bool:
    """Tell whether a name fits both of two names or patterns: of two patterns, only their ends can be at odds."""
    if not is_pattern(one) or not is_pattern(other):
        return compile_patterns([one])(other) is not None or compile_patterns([other])(one) is not None
    ends = [(each.partition("*")[0], each.rpartition("*")[2]) for each in (one, other)]
    (start, end), (begun, ended) = ends
    begins = start.startswith(begun) or begun.startswith(start)
    return begins and (end.endswith(ended) or ended.endswith(end))


def names_of(written: Sequence[Written]) -> tuple[str, ...]:
    """Return the names and patterns of what was written; a table's is its id."""
    return tuple(each if isinstance(each, str) else each[_ID] for each in written if isinstance(_id_of(each), str))


def _id_of(written: Written) -> Any:
    return written if isinstance(written, str) else written.get(_ID)


@attrs.frozen(slots=True)
class GrantReader:
    """Reads what a configuration grants."""

    reading: Reading
    catalog: Catalog
    merged: Merged

    def read(self, written: Sequence[Written], path: KeyPath) -> tuple[tuple[str, ...], tuple[ArgumentGrant, ...]]:
        """Return names, and what tables say; mistakes are noted."""
        return names_of(written), tuple(self._tables(written, path))

    def rules(self, table: SecurityTable) -> RuntimeContext:
        """Return what `[security]` says programs may do."""
        values: dict[str, Any] = {}
        for name, value in table.context.items():
            try:
                values[name] = from_plain(value)
            except JsonError as error:  # noqa: PERF203 - a handful of values, each with a mistake of its own
                self.reading.mistake("E0703", str(error), ("security", "context", name), "write it as a text")
        names, arguments = self.read(table.grant, ("security", "grant"))
        preset = PRESETS[table.preset]

        def of(key: str) -> Any:
            """Return what is said, and else what the preset has."""
            return getattr(table if self.merged.origin(("security", key)) is not None else preset, key)

        return RuntimeContext(
            level=of("level"),
            grant=names,
            arguments=arguments,
            deny=tuple(table.deny),
            reach=of("reach"),
            agent=table.agent,
            intent=table.intent,
            acl={name: tuple(agents) for name, agents in table.acl.items()},
            quota=table.quota,
            isolation=of("isolation"),
            child=read_child(table.child, self.reading.mistake, self.merged.folder),
            values=values,
        )

    def _tables(self, written: Sequence[Written], path: KeyPath) -> Iterator[ArgumentGrant]:
        said: set[str] = {
            known.id
            for table in written
            if not isinstance(table, str)
            and isinstance(each := table.get(_ID), str)
            and (known := class_of(self.catalog, each)) is not None
        }
        for place, each in enumerate(written):
            at = (*path, place)
            if isinstance(each, str):
                self._bare(each, at, said)
                continue
            found = self._table(each, at)
            if found is not None:
                yield found

    def _bare(self, name: str, path: KeyPath, said: set[str]) -> None:
        """Refuse a name that grants nothing, because what it may reach is not said."""
        found = None if is_pattern(name) else class_of(self.catalog, name)
        if found is None or not found.needed or found.id in said:
            return
        keys = ", ".join(f"{key} = ..." for key in found.needed)
        message = f"'{name}' is granted by what it may reach, and nothing is said of that"
        self.reading.mistake("E0704", message, path, f'write {{ id = "{name}", {keys} }} in its place')

    def _table(self, table: Mapping[str, Any], path: KeyPath) -> ArgumentGrant | None:
        name = table.get(_ID)
        if not isinstance(name, str) or is_pattern(name):
            message = "a grant with arguments names one capability" if name is not None else "the key 'id' is missing"
            code = "E0704" if name is None else "E0705"
            self.reading.mistake(code, message, path if name is None else (*path, _ID), 'such as id = "fs.read"')
            return None
        found = class_of(self.catalog, name)
        if found is None:
            return None  # told with the other grants that fit nothing
        says = {key: value for key, value in table.items() if key != _ID}
        if found.settings is None:
            for key in says:
                way_out = did_you_mean(key, (_ID,)) or f'grant it by its name: "{name}"'
                self.reading.mistake(
                    "E0702", f"a grant of '{name}' has no key '{key}'", (*path, key), way_out, key=True
                )
            return None
        own = self.reading.split(_NoKeys, found.part, found.settings, says, path, also=(_ID,))[1]
        base = str(self.merged.folder(path[:-1]).absolute())
        return None if own is None else ArgumentGrant(found.id, CapabilityGrant(own, base), says)


@attrs.frozen
class _NoKeys:
    """The host's keys in a table of `grant`, besides its id: none."""
