"""Golden files: what a program is before and after one pass. `python tests/lang/passes/goldens.py` writes them anew.

The passes that have an IR show it; those that are codegen's show the Python that is made without and with them.
"""

from __future__ import annotations

import ast
from pathlib import Path

from rtfs_framework.kernel.loader import surroundings
from rtfs_framework.lang.codegen.program import emit_program
from rtfs_framework.lang.codegen.unit import Unit
from rtfs_framework.lang.ir.show import show_program
from rtfs_framework.lang.ir.verify import verify
from rtfs_framework.lang.passes.table import PASSES
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.views import laid_out, view

HERE = Path(__file__).parent / "golden"
BY_NAME = {each.name: each for each in PASSES}
PROGRAMS = sorted(HERE.glob("*/*.rtfs"))


def shown(path: Path) -> dict[str, str]:
    """Return the texts of a program before and after the pass that its folder names."""
    around = surroundings()
    program = view(Source(path.name, path.read_text(encoding="utf-8")), around).program
    each = BY_NAME[path.parent.name]
    if each.run is None:
        beside = {"shortcuts"} if each.name == "numbers" else set[str]()  # where it shows what is known of numbers
        made = {".before": frozenset(beside), ".after": frozenset({each.name, *beside})}
        return {end: ast.unparse(emit_program(program, Unit(), passes)) + "\n" for end, passes in made.items()}
    verify(program, "analysis")
    after = each.run(program, around.library)
    verify(after, each.name)
    return {".before": laid_out(show_program(program)), ".after": laid_out(show_program(after))}


def main() -> None:
    """Write all files anew."""
    for path in PROGRAMS:
        for end, text in shown(path).items():
            path.with_suffix(end).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
