"""Write a plug-in of every kind for the type checker, which wants each module under a name of its own.

In: a folder. Out: in it, the packages that `rtfs plugin new` makes, and their tests beside them.
"""

from __future__ import annotations

import shutil
import sys
from datetime import date
from pathlib import Path

from rtfs_framework.cli.kit.kinds import KINDS, LICENSES
from rtfs_framework.cli.kit.rendering import rendered


def write(target: Path) -> None:
    """Write all kinds into a folder, in place of what is there."""
    shutil.rmtree(target, ignore_errors=True)
    for kind in KINDS:
        made = rendered(kind, "typed", author="A", license_=LICENSES[0], today=date(2026, 1, 1))
        for name, text in made.items():
            path = Path(name)
            if path.suffix == ".py":
                place = target / (f"{path.stem}_{kind}.py" if path.parts[0] == "tests" else path)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
