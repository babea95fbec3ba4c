"""The tree of engines: `[engines.NAME] plugin = ...`, and the keys in which an engine names those below it.

Without `plugin`, NAME is the plug-in. A child's name is an instance, else a plug-in, else a target's text; a name that
could be two of them is a mistake, as are cycles, names that nothing bears, and children that are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.redaction import RuleText
from rtfs_framework.api.targets import ExecTarget, TargetText
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.orchestrator.config.model import EngineSpec
from rtfs_framework.orchestrator.config.own import Reading, defaults_of
from rtfs_framework.orchestrator.config.routes import Unknown
from rtfs_framework.orchestrator.config.tables.redaction import unknown_rule
from rtfs_framework.registry.faults import PluginFault, ask

if TYPE_CHECKING:
    from rtfs_framework.api.engine import Children, EngineEntry
    from rtfs_framework.api.settings import SettingsSchema
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.registry.catalog import Catalog

Below = EngineSpec | ExecTarget
_DEEPEST = 32
"""Levels of engines: nobody needs as many, and each takes a part of Python's stack."""

Named = Callable[[str], "ExecTarget | Unknown"]
"""From a text to the target that it names."""


@attrs.frozen(slots=True)
class _NoKeys:
    """The host's keys in an engine's table are read here, one by one."""


@attrs.define(slots=True)
class EngineTree:
    """The engines of one configuration. Mistakes are noted in `reading`; what has one is None."""

    reading: Reading
    catalog: Catalog
    tables: Mapping[str, Mapping[str, Any]]
    target: Named
    targets: tuple[str, ...]
    """The texts of all targets, for suggestions."""
    rules: Collection[str] = ()
    """The names of all rules of redaction."""
    directory: Callable[[KeyPath, Mapping[str, Any], SettingsSchema | None], str] = lambda *_: ""
    """From a table, its path and the class of its settings to where its relative paths start."""
    _made: dict[str, EngineSpec | None] = attrs.field(factory=dict, init=False)
    _above: list[str] = attrs.field(factory=list, init=False)
    """The engines whose children are being read."""

    def resolve(self, wanted: str | None, key: str = "engine") -> EngineSpec | None:
        """Return the engine that `[delegation] KEY` names; every table is read, whether it is below it or not."""
        for name in self.tables:
            self._instance(name)
        if wanted is None:
            return None
        path: KeyPath = ("delegation", key)
        if wanted in self.tables:
            return self._instance(wanted)
        if wanted in self.catalog.engines:
            return self._plain(wanted, path)
        self._nobody(wanted, path, ())
        return None

    def _instance(self, name: str) -> EngineSpec | None:
        if name not in self._made:
            self._made[name] = None
            if len(self._above) >= _DEEPEST:
                message = f"engines nest deeper than {_DEEPEST} levels"
                self.reading.mistake("E0706", message, ("engines", name), "leave some of them out", key=True)
                return None
            self._above.append(name)
            self._made[name] = self._read(name, self.tables[name])
            self._above.pop()
        return self._made[name]

    def _read(self, name: str, table: Mapping[str, Any]) -> EngineSpec | None:
        path: KeyPath = ("engines", name)
        plugin = table.get("plugin", name)
        if not isinstance(plugin, str):
            self.reading.mistake(
                "E0703", "'plugin' must be a text: an engine's name", (*path, "plugin"), 'such as plugin = "static"'
            )
            return None
        if self._clashes(name, plugin, path):
            return None
        found = self.catalog.engines.get(plugin)
        if found is None:
            place: KeyPath = (*path, "plugin") if "plugin" in table else path
            self._unknown_plugin(plugin, place, key="plugin" not in table)
            return None
        entry = found[0]
        below = {each.key for each in entry.children} | {"plugin"}
        part = self.catalog.part("engine", plugin)
        own = {key: value for key, value in table.items() if key not in below}
        _, settings = self.reading.split(_NoKeys, part, entry.settings, own, path, also=sorted(below))
        children = {each.key: self._children(each, entry, table, path) for each in entry.children}
        targets = self._targets(settings, path)
        directory = self.directory(path, table, entry.settings)
        return EngineSpec(
            name=name, plugin=plugin, own=settings, children=children, targets=targets, directory=directory
        )

    def _targets(self, settings: Any, path: KeyPath) -> dict[str, ExecTarget]:
        """Return what the texts in an engine's settings mean that name targets; those that name none are mistakes."""
        found: dict[str, ExecTarget] = {}
        for text, place in texts_of(settings, TargetText, path):
            target = self.target(text)
            if isinstance(target, Unknown):
                self.reading.mistake("E0706", target.message, place, target.help)
            else:
                found[str(text)] = target
        for text, place in texts_of(settings, RuleText, path):
            if text not in self.rules:
                message, way_out = unknown_rule(text, self.rules)
                self.reading.mistake("E0706", message, place, way_out)
        return found

    def _clashes(self, name: str, plugin: str, path: KeyPath) -> bool:
        what = ""
        if name != plugin and name in self.catalog.engines:
            what = "an installed engine"
        elif not isinstance(self.target(name), Unknown):
            what = "a target"
        if what:
            message = f"'{name}' is the name of {what}: which of the two is meant would not be clear"
            self.reading.mistake("E0706", message, path, "choose another name for this engine", key=True)
        return bool(what)

    def _unknown_plugin(self, plugin: str, path: KeyPath, *, key: bool) -> None:
        problem = self.catalog.contested.get(("engine", plugin))
        if problem is not None:
            self.reading.mistake("E0706", problem.message, path, problem.help, key=key)
            return
        installed = ", ".join(sorted(self.catalog.engines)) or "none"
        way_out = did_you_mean(plugin, self.catalog.engines)
        way_out = way_out or f"installed: {installed}; `plugin = ...` in its table names one of them"
        self.reading.mistake("E0706", f"no engine is called '{plugin}'", path, way_out, key=key)

    def _plain(self, plugin: str, path: KeyPath) -> EngineSpec | None:
        """Return an engine without a table."""
        entry: EngineEntry = self.catalog.engines[plugin][0]
        missing = [each.key for each in entry.children if each.required]
        if missing:
            message = f"the engine '{plugin}' needs a table: it has no '{missing[0]}'"
            self.reading.mistake("E0704", message, path, f"add [engines.{plugin}] with {missing[0]} = ...")
            return None
        part = self.catalog.part("engine", plugin)
        try:
            doing = f"its settings without a table [engines.{plugin}]"
            return EngineSpec(name=plugin, plugin=plugin, own=ask(part, doing, defaults_of, entry.settings))
        except PluginFault as fault:
            self.reading.mistake(fault.code, fault.problem, path, f"add [engines.{plugin}]")
            return None

    # -- children ------------------------------------------------------------------------------------------------------

    def _children(
        self, wanted: Children, entry: EngineEntry, table: Mapping[str, Any], path: KeyPath
    ) -> tuple[Below, ...]:
        if wanted.key not in table:
            others = [each.key for each in entry.children if each.instead_of == wanted.key]
            if wanted.required and not any(each in table for each in others):
                message = f"the key '{wanted.key}' is missing"
                way_out = f"add {' = ..., or '.join((wanted.key, *others))} = ... (an engine or a target)"
                self.reading.mistake("E0704", message, path, way_out, key=True)
            return ()
        if wanted.instead_of in table:
            message = f"'{wanted.key}' stands in the place of '{wanted.instead_of}', and both are here"
            self.reading.mistake("E0705", message, (*path, wanted.key), "leave one of the two out", key=True)
            return ()
        return tuple(
            found for found in self._named(wanted, table[wanted.key], (*path, wanted.key)) if found is not None
        )

    def _named(self, wanted: Children, value: Any, path: KeyPath) -> Iterator[Below | None]:
        if isinstance(value, str):
            yield self._child(value, path)
            return
        if not wanted.many or not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            form = "a list of names" if wanted.many else "a name"
            way_out = f"such as {wanted.key} = " + ('["static", "local-pure"]' if wanted.many else '"static"')
            self.reading.mistake("E0703", f"'{wanted.key}' must be {form} (of engines or targets)", path, way_out)
            return
        if wanted.required and not value:
            self.reading.mistake("E0705", f"'{wanted.key}' names nobody", path, "name at least one engine or target")
        for place, name in enumerate(value):
            yield self._child(name, (*path, place))

    def _child(self, name: str, path: KeyPath) -> Below | None:
        if name in self._above:
            way = " -> ".join((*self._above[self._above.index(name) :], name))
            self.reading.mistake("E0706", f"the engine '{name}' is above itself: {way}", path, "name another one")
            return None
        if name in self.tables:
            return self._instance(name)
        if name in self.catalog.engines:
            return self._plain(name, path)
        target = self.target(name)
        if not isinstance(target, Unknown):
            return target
        self._nobody(name, path, self.targets)
        return None

    def _nobody(self, name: str, path: KeyPath, targets: tuple[str, ...]) -> None:
        problem = self.catalog.contested.get(("engine", name))
        if problem is not None:
            self.reading.mistake("E0706", problem.message, path, problem.help)
            return
        known = (*self.tables, *sorted(self.catalog.engines), *targets)
        message = f"no engine is called '{name}'" if not targets else f"'{name}' is no engine and no target"
        names = ", ".join(dict.fromkeys(known)) or "none"
        way_out = did_you_mean(name, known) or f"known: {names}; or install the plugin that offers it"
        self.reading.mistake("E0706", message, path, way_out)


def texts_of(value: Any, kind: type[str], path: KeyPath) -> Iterator[tuple[str, KeyPath]]:
    """Yield the texts of settings that name something of a kind, each with its place."""
    if isinstance(value, kind):
        yield value, path
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from texts_of(getattr(value, field.name), kind, (*path, field.alias or field.name))
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from texts_of(item, kind, (*path, place))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from texts_of(item, kind, (*path, key))
