"""Build every distribution of the repository, each wheel from its own sdist, and install the wheels where this runs.

In: the root of the tree, and a folder for what is built. `uv` is on the PATH of every tox env (tox-uv puts it there).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main(root: Path, target: Path) -> None:
    """Build all, then install all at once, replacing what an earlier run installed."""
    sources = [root, *sorted(found.parent for found in root.glob("plugins/*/*/pyproject.toml"))]
    for source in sources:
        subprocess.run(["uv", "build", "--quiet", "--out-dir", str(target), str(source)], check=True)
    wheels = sorted(map(str, target.glob("*.whl")))
    if len(wheels) != len(sources):
        sys.exit(f"{len(sources)} distributions made {len(wheels)} wheels: {wheels}")
    ours = [option for wheel in wheels for option in ("--reinstall-package", Path(wheel).name.partition("-")[0])]
    subprocess.run(["uv", "pip", "install", "--quiet", *ours, *wheels], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
