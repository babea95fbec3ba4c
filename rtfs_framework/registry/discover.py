"""Discovery: which plugins are installed, and which of them `RTFS_PLUGINS` lets in. Imports no plugin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from rtfs_framework.lang.diagnostics import did_you_mean
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


def find_plugins() -> list[FoundPlugin]:
    """Return the installed plugins, by distribution and name, whatever order the file system lists them in."""
    found = [_found(point) for point in entry_points(GROUP, DATA_GROUP)]
    return sorted(found, key=lambda plugin: (plugin.provenance.distribution, plugin.name))


def choose(found: Sequence[FoundPlugin], wanted: str | None) -> tuple[list[FoundPlugin], list[PluginProblem]]:
    """Return the plugins that `RTFS_PLUGINS` names (all when it is None, none when empty), and the names it got wrong.

    A name is an entry point's or a distribution's; case and `-_.` do not matter, as in pip.
    """
    if wanted is None:
        return list(found), []
    words = [word.strip() for word in wanted.split(",") if word.strip()]
    known = {_normal(name) for plugin in found for name in _names(plugin)}
    problems = [_unknown(word, found) for word in words if _normal(word) not in known]
    asked = {_normal(word) for word in words}
    return [plugin for plugin in found if not asked.isdisjoint(map(_normal, _names(plugin)))], problems


def _found(point: Point) -> FoundPlugin:
    """Return a plugin; one whose distribution is damaged goes by its package's name."""
    module = point.value.partition(":")[0].strip()
    return FoundPlugin(
        point.name,
        Provenance(point.distribution or module.partition(".")[0], point.version, module),
        point.load,
        point.group == DATA_GROUP,
    )


def _names(plugin: FoundPlugin) -> tuple[str, str]:
    return plugin.name, plugin.provenance.distribution


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _unknown(word: str, found: Sequence[FoundPlugin]) -> PluginProblem:
    names = sorted({name for plugin in found for name in _names(plugin)})
    hint = did_you_mean(word, names)
    return PluginProblem(
        code=SELECTION,
        message=f"{VARIABLE} names `{word}`, which is not installed" + (f"; {hint}" if hint else ""),
        distributions=(),
        help=f"installed: {', '.join(names)}" if names else "no plugin is installed",
    )
