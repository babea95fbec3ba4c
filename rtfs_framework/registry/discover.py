"""Discovery: which plugins are installed, and which of them `RTFS_PLUGINS` lets in. Imports no plugin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.registry import permissions
from rtfs_framework.registry.installed import Point, entry_points
from rtfs_framework.registry.problems import SELECTION, PluginProblem, Provenance

GROUP = "rtfs_framework"
DATA_GROUP = "rtfs_framework_data"
"""Data that plug-ins share: an entry is loaded when its data is first needed, and has no hooks."""
VARIABLE = "RTFS_PLUGINS"


@attrs.frozen(slots=True)
class FoundPlugin:
    """A plugin that is installed but not yet imported: its entry point's name, who offers it, how to import it."""

    name: str
    provenance: Provenance
    load: Callable[[], Any]
    is_data: bool = False
    """Whether it is no plug-in with hooks but data, such as prices."""
    declared: tuple[str, ...] | None = None
    """The permissions that its distribution declares; None where it says nothing of them."""


def find_plugins() -> list[FoundPlugin]:
    """Return the installed plugins, by distribution and name, whatever order the file system lists them in."""
    points = entry_points(GROUP, DATA_GROUP, permissions.GROUP)
    declared: dict[str, list[str]] = {}
    for point in points:
        if point.group == permissions.GROUP:
            declared.setdefault(_who(point), []).append(point.name)
    found = [_found(point, declared) for point in points if point.group != permissions.GROUP]
    return sorted(found, key=lambda plugin: (plugin.provenance.distribution, plugin.name))


def choose(found: Sequence[FoundPlugin], wanted: str | None) -> tuple[list[FoundPlugin], list[PluginProblem]]:
    """Return the plugins that `RTFS_PLUGINS` names (all when it is None, none when empty), and the names it got wrong.

    A name is an entry point's or a distribution's; case and `-_.` do not matter, as in pip.
    """
    if wanted is None:
        return list(found), []
    words = [word.strip() for word in wanted.split(",") if word.strip()]
    known = {permissions.normal(name) for plugin in found for name in _names(plugin)}
    problems = [_unknown(word, found) for word in words if permissions.normal(word) not in known]
    asked = {permissions.normal(word) for word in words}
    return [plugin for plugin in found if not asked.isdisjoint(map(permissions.normal, _names(plugin)))], problems


def _who(point: Point) -> str:
    """Return a distribution's name; one that is damaged goes by its package's name."""
    return point.distribution or point.value.partition(":")[0].strip().partition(".")[0]


def _found(point: Point, declared: Mapping[str, Sequence[str]]) -> FoundPlugin:
    module = point.value.partition(":")[0].strip()
    said = declared.get(_who(point))
    return FoundPlugin(
        point.name,
        Provenance(_who(point), point.version, module),
        point.load,
        point.group == DATA_GROUP,
        None if said is None else tuple(sorted(said)),
    )


def _names(plugin: FoundPlugin) -> tuple[str, str]:
    return plugin.name, plugin.provenance.distribution


def _unknown(word: str, found: Sequence[FoundPlugin]) -> PluginProblem:
    names = sorted({name for plugin in found for name in _names(plugin)})
    hint = did_you_mean(word, names)
    return PluginProblem(
        code=SELECTION,
        message=f"{VARIABLE} names `{word}`, which is not installed" + (f"; {hint}" if hint else ""),
        distributions=(),
        help=f"installed: {', '.join(names)}" if names else "no plugin is installed",
    )
