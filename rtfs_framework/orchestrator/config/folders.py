"""Where a host keeps its files: `RTFS_HOME`, else the user's data and cache folders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rtfs_framework.registry.fields import PLAIN

FILE = "journal.sqlite"
KEY = "journal.key"


def data_dir(environ: Mapping[str, str]) -> Path:
    """Return the folder of what must not be lost: `$RTFS_HOME`, else the user's data folder's `rtfs`."""
    home = environ.get("RTFS_HOME")
    if home:
        return Path(home)
    from platformdirs import user_data_dir

    return Path(user_data_dir("rtfs", appauthor=False))


def cache_dir(environ: Mapping[str, str]) -> Path:
    """Return the folder of what can be made again: `$RTFS_HOME/cache`, else the user's cache folder's `rtfs`."""
    home = environ.get("RTFS_HOME")
    if home:
        return Path(home) / "cache"
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("rtfs", appauthor=False))


def part_folder(environ: Mapping[str, str], kind: str, name: str) -> Path:
    """Return the folder of a plug-in's part that keeps files: `kind`/`name` beneath the data folder.

    Raises:
        ValueError: The name is none of a folder of its own (`PLAIN`): it would lead elsewhere.
    """
    if PLAIN.fullmatch(name) is None:
        raise ValueError(f"its name is {name!r:.80}, which is none of a folder: it has to match {PLAIN.pattern}")
    return data_dir(environ) / kind / name


def journal_path(environ: Mapping[str, str], configured: str | None) -> Path:
    """Return the journal's file; a configured path, which is absolute, goes first."""
    return Path(configured) if configured else data_dir(environ) / FILE


def key_file(home: Path) -> Path:
    """Return the file of the key that proves a user's journals; `home` is what `data_dir` says.

    It lies with what must not be lost, not with the caches: without it no journal can be verified or continued.
    """
    return home / KEY
