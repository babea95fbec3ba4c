"""Commands come in here: built-in ones and plugins' offer the same records through the same hook.

Built-in modules are named by text, for the layer line keeps `cli` from importing `testing`. `RTFS_PLUGINS` does not
concern them, and a plugin that offers a built-in command's name cannot take its place.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module

from rtfs_framework.api.command import CommandEntry
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.faults import Part
from rtfs_framework.registry.load import load_catalog
from rtfs_framework.registry.problems import PluginProblem

BUILT_IN = ("rtfs_framework.cli.plugin", "rtfs_framework.testing.plugin")


def full_catalog(environ: Mapping[str, str] = os.environ) -> Catalog:
    """Return everything that is installed, and the built-in commands."""
    return load_catalog(environ, extra_plugins=map(import_module, BUILT_IN))


def built_in_commands() -> dict[str, CommandEntry]:
    """Return the built-in commands; looks at no installed plugin, so it is quick and cannot fail by one."""
    catalog = load_catalog({"RTFS_PLUGINS": ""}, extra_plugins=map(import_module, BUILT_IN))
    return {name: entry for name, (entry, _) in catalog.commands.items()}


def plugin_commands() -> tuple[dict[str, tuple[CommandEntry, Part]], tuple[PluginProblem, ...]]:
    """Return the commands of plugins by name, with who offers them; and what is wrong with plugins."""
    known = built_in_commands()
    catalog = load_catalog(os.environ)
    offered = sorted(catalog.commands.items())
    found = {name: (entry, Part("command", name, who)) for name, (entry, who) in offered if name not in known}
    return found, catalog.problems
