"""How deep texts may nest for commands that need no host; no mistake in its configuration stops them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rtfs_framework.api.errors import ConfigError
from rtfs_framework.lang.meter import MOST_NESTING, NESTING
from rtfs_framework.orchestrator.config.find import find_config


def configured_nesting(program_dir: Path | None, environ: Mapping[str, str]) -> int:
    """Return `nesting` of `[limits]` of the configuration that counts, or the default."""
    path = find_config(None, program_dir, environ)
    if path is None:
        return NESTING
    from rtfs_framework.api.toml_places import read_toml

    try:
        table = read_toml(path)[0].get("limits")
    except (ConfigError, OSError):
        return NESTING
    asked = table.get("nesting") if isinstance(table, dict) else None
    return asked if asked.__class__ is int and 1 <= asked <= MOST_NESTING else NESTING
