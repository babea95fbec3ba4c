"""The tables of `delegation.toml` about checks by others: guards of plug-ins, and calls that wait for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
from attrs import validators

from rtfs_framework.api.patterns import is_pattern
from rtfs_framework.api.units import Seconds, plausible
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.orchestrator.config.routes import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.orchestrator.config.own import Reading
    from rtfs_framework.registry.catalog import Catalog

_WEEK = 7 * 86_400.0
APPROVAL_SECONDS = 300.0
"""How long a call waits for a person when nothing is said."""


@attrs.frozen(slots=True, kw_only=True)
class GuardTable:
    """The host's keys of `[guards.<name>]`."""

    plugin: str | None = None
    """The plug-in that it is. None: the one whose name the table has."""
    enabled: bool = True
    """Whether it is at work."""
    targets: Sequence[str] = ()
    """The targets that it is about, or patterns; none is all."""
    symbols: Sequence[str] = ()
    """The functions that it is about, or patterns; none is all."""


@attrs.frozen(slots=True, kw_only=True)
class ApprovalsTable:
    """`[approvals]`."""

    timeout: Seconds = attrs.field(
        default=Seconds(APPROVAL_SECONDS),
        validator=[validators.gt(Seconds(0)), validators.le(Seconds(_WEEK))],
        metadata=plausible(5, _WEEK),
    )
    """How long a call waits for a person; then the answer is no."""


USUAL_APPROVALS = ApprovalsTable()


@attrs.frozen(slots=True, kw_only=True)
class GuardSpec:
    """A guard that is at work."""

    name: str
    """In the configuration: of its table, or of the plug-in."""
    plugin: str
    version: str = ""
    """Of its distribution."""
    targets: tuple[str, ...] = ()
    """The targets that it is about, as `delegation.toml` writes them, or patterns; none is all."""
    symbols: tuple[str, ...] = ()
    own: Any = None
    table: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(slots=True)
class GuardTables:
    """Reads `[guards]`; mistakes are noted in `reading`."""

    reading: Reading
    catalog: Catalog
    target: Callable[[str], ExecTarget | Unknown]

    def guards(self, tables: Mapping[str, Mapping[str, Any]]) -> tuple[GuardSpec, ...]:
        """Return the guards that are at work, in the order of the file."""
        found = [self._guard(name, table) for name, table in tables.items()]
        return tuple(spec for enabled, spec in found if spec is not None and enabled)

    def _guard(self, name: str, table: Mapping[str, Any]) -> tuple[bool, GuardSpec | None]:
        from rtfs_framework.orchestrator.config.own import key_names

        path: KeyPath = ("guards", name)
        plugin = table.get("plugin", name)
        known = self.catalog.guards.get(plugin) if isinstance(plugin, str) else None
        if isinstance(plugin, str) and known is None:
            self._unknown(plugin, (*path, "plugin") if "plugin" in table else path, key="plugin" not in table)
            return False, None
        if known is None:
            self.reading.structure(GuardTable, {"plugin": plugin}, path)
            return False, None
        entry, provenance = known
        part = self.catalog.part("guard", plugin)
        ours, own = self.reading.split(GuardTable, part, entry.settings, table, path)
        if ours is None:
            return False, None
        self._check_targets(ours.targets, path)
        left = {key: value for key, value in table.items() if key not in key_names(GuardTable) or key in _CHOOSING}
        made = GuardSpec(
            name=name,
            plugin=plugin,
            version=str(provenance),
            targets=tuple(ours.targets),
            symbols=tuple(ours.symbols),
            own=own,
            table=left,
        )
        return ours.enabled, made

    def _check_targets(self, texts: Iterable[str], path: KeyPath) -> None:
        for place, text in enumerate(texts):
            found = None if is_pattern(text) else self.target(text)
            if isinstance(found, Unknown):
                self.reading.mistake("E0706", found.message, (*path, "targets", place), found.help)

    def _unknown(self, plugin: str, path: KeyPath, *, key: bool) -> None:
        problem = self.catalog.contested.get(("guard", plugin))
        if problem is not None:
            self.reading.mistake("E0706", problem.message, path, problem.help, key=key)
            return
        installed = ", ".join(sorted(self.catalog.guards)) or "none"
        way_out = did_you_mean(plugin, self.catalog.guards)
        way_out = way_out or f"installed: {installed}; install the plug-in that offers it (rtfs-guard-...)"
        self.reading.mistake("E0706", f"no guard is called '{plugin}'", path, way_out, key=key)


_CHOOSING = frozenset({"targets", "symbols"})
