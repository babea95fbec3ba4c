"""Where `delegation.toml` is looked for: in the user's own folder, and beside the program or else in the current one.

The user's own file is theirs; a file that merely lies where a program is run is *found*, and may be anybody's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

FILE = "delegation.toml"


def own_file(environ: Mapping[str, str]) -> Path:
    """Return the place of the user's own configuration, whether there is one or not."""
    home = environ.get("RTFS_HOME")
    if home:
        return Path(home) / FILE
    from platformdirs import user_config_dir

    return Path(user_config_dir("rtfs", appauthor=False)) / FILE


def found_file(program_dir: Path | None, environ: Mapping[str, str], *known: Path | None) -> Path | None:
    """Return the configuration that lies beside the program or here; None when there is none but those `known`."""
    skipped = [own_file(environ), *(each for each in known if each is not None)]
    for path in _near(program_dir):
        if path.exists() and not path.is_dir():
            return None if any(_same(path, each) for each in skipped) else path
    return None


def places(program_dir: Path | None, environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield every place that is looked at."""
    yield from _near(program_dir)
    yield own_file(environ)


def any_file(config_path: Path | None, program_dir: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return a configuration that says something here, None when there is none at all."""
    if config_path is not None:
        return config_path
    own = own_file(environ)
    return found_file(program_dir, environ) or (own if own.is_file() else None)


def _near(program_dir: Path | None) -> Iterator[Path]:
    if program_dir is not None:
        yield program_dir / FILE
    yield Path.cwd() / FILE


def _same(one: Path, other: Path) -> bool:
    """Tell whether two paths are one file. A link to it is not it: who made the link may point it elsewhere."""
    try:
        return one.samefile(other) and one.is_symlink() == other.is_symlink()
    except OSError:
        return False
