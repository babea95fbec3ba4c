"""Commands come in here: built-in ones and plugins' offer the same records through the same hook.

Built-in modules are named by text, for the layer line keeps `cli` from importing `testing`. `RTFS_PLUGINS` does not
concern them, and a plugin that offers a built-in command's name cannot take its place.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from rtfs_framework.api.command import CommandEntry
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.faults import Part
from rtfs_framework.registry.load import load_catalog

if TYPE_CHECKING:
    from rtfs_framework.registry.problems import Provenance

BUILT_IN = ("rtfs_framework.cli.plugin", "rtfs_framework.testing.plugin")


def full_catalog(environ: Mapping[str, str] = os.environ) -> Catalog:
    """Return everything that is installed and may be loaded, and the built-in commands."""
    from rtfs_framework.orchestrator.config.permitted import installed

    return installed(environ, extra_plugins=map(import_module, BUILT_IN))


def built_in_commands() -> dict[str, CommandEntry]:
    """Return the built-in commands; looks at no installed plugin, so it is quick and cannot fail by one."""
    catalog = load_catalog({"RTFS_PLUGINS": ""}, extra_plugins=map(import_module, BUILT_IN))
    return {name: entry for name, (entry, _) in catalog.commands.items()}


def plugin_commands() -> tuple[dict[str, tuple[CommandEntry, Part]], Catalog]:
    """Return the commands of plugins by name, with who offers them; and all that is installed."""
    from rtfs_framework.orchestrator.config.permitted import installed

    known = built_in_commands()
    catalog = installed(os.environ)
    offered = sorted(catalog.commands.items())
    found = {name: (entry, Part("command", name, who)) for name, (entry, who) in offered if name not in known}
    return found, catalog


def plugin_files(plugins: Iterable[Provenance]) -> Iterator[str]:
    """Yield the files of plugins that are loaded, and their folders."""
    packages = {plugin.module.partition(".")[0] for plugin in plugins}
    for name, module in tuple(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if path and name.partition(".")[0] in packages:
            yield path
            yield os.path.dirname(path)  # noqa: PTH120 - as text
