"""Install the core and every plugin folder into the env that runs this: from the tree, or from wheels made of it.

In: nothing for an editable install of the tree; a folder for what is built, for wheels (each built from its own sdist,
so that both are tried). `uv` is on the PATH of every tox env, where tox-uv puts it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def sources(root: Path = ROOT) -> list[Path]:
    """Return the folders of all distributions of a tree, the core first."""
    return [root, *sorted(found.parent for found in root.glob("plugins/*/*/pyproject.toml"))]


def from_tree() -> None:
    """Make the tree itself importable; all at once, for the plugins' `rtfs-framework` is the tree's."""
    _install(*(argument for source in sources() for argument in ("--editable", str(source))))


def from_wheels(target: Path) -> None:
    """Build all, then install all at once, replacing what an earlier run installed."""
    for source in sources():
        subprocess.run(["uv", "build", "--quiet", "--out-dir", str(target), str(source)], check=True)
    wheels = sorted(target.glob("*.whl"))
    if len(wheels) != len(sources()):
        sys.exit(f"{len(sources())} distributions made {len(wheels)} wheels: {wheels}")
    stale = (argument for wheel in wheels for argument in ("--reinstall-package", wheel.name.partition("-")[0]))
    _install(*stale, *map(str, wheels))


def _install(*arguments: str) -> None:
    result = subprocess.run(["uv", "pip", "install", "--quiet", *arguments], check=False)
    sys.exit(result.returncode)


if __name__ == "__main__":
    from_wheels(Path(sys.argv[1])) if sys.argv[1:] else from_tree()
