"""Where `delegation.toml` is looked for: --config, beside the program, the current directory, the user's folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

FILE = "delegation.toml"


def places(program_dir: Path | None, environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the places in order; the first file that exists counts."""
    if program_dir is not None:
        yield program_dir / FILE
    yield Path.cwd() / FILE
    home = environ.get("RTFS_HOME")
    if home:
        yield Path(home) / FILE
        return
    from platformdirs import user_config_dir

    yield Path(user_config_dir("rtfs", appauthor=False)) / FILE


def find_config(config_path: Path | None, program_dir: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the configuration's file, None when there is none. A path that was asked for is not checked here."""
    if config_path is not None:
        return config_path
    return next((path for path in places(program_dir, environ) if path.is_file()), None)
