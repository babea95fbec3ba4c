"""How deep texts may nest for commands that need no host; no mistake in its configuration stops them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rtfs_framework.api.errors import ConfigError
from rtfs_framework.lang.meter import MOST_NESTING, NESTING
from rtfs_framework.orchestrator.config.find import any_file


def configured_nesting(program_dir: Path | None, environ: Mapping[str, str]) -> int:
    """Return `nesting` of `[limits]` of the configuration that counts, or the default.

    A file that is not trusted may make it less, but not more.
    """
    from rtfs_framework.orchestrator.config.variables import any_variables

    if any_file(None, program_dir, environ) is None and not any_variables(environ):
        return NESTING
    from rtfs_framework.orchestrator.config.layers import read_layers

    found = NESTING
    try:
        for layer in read_layers(None, program_dir, environ).layers:
            table = layer.data.get("limits")
            asked = table.get("nesting") if isinstance(table, dict) else None
            if asked.__class__ is int and 1 <= asked <= MOST_NESTING:
                found = asked if layer.trusted else min(found, asked)
    except (ConfigError, OSError):
        return NESTING
    return found
