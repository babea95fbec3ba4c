"""Start-up: what the processor does for a command before and after the work itself, in times of `python -c pass`.

Python's bytecode files are written first (`PYTHONDONTWRITEBYTECODE` is unset), as they are for every user; the journal
and the caches lie in a folder of the benchmark's own. What is new is a program that nobody has run before.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from benchmarks.table import Row
from benchmarks.timing import commands

_BARE = "python -c pass"
_THREE = "; {number}\n(defn square [x] (* x x))\n(defn total [xs] (reduce + (map square xs)))\n(total [1 2 3])\n"
_TARGETS = {
    "rtfs --help": 5,
    "rtfs eval '(+ 1 2)', again": 2.5,
    "rtfs eval '(map inc [1 2 3])', again": 2.5,
    "rtfs run, again": 4,
    "rtfs run, new": 9,
    "rtfs check, again": 9,
    "rtfs check, new": 9,
}


def start_up() -> Iterable[Row]:
    """Yield what the commands that do next to nothing take; `run` and `check` get three lines."""
    tool = which("rtfs")
    if tool is None:
        return
    with TemporaryDirectory() as home:
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        measured = commands(_commands(tool, Path(home)), {**environ, "RTFS_HOME": home})
    for name, ratio in measured.items():
        yield Row(name=name, ratio=ratio, yardstick=_BARE, target=_TARGETS.get(name))


def _commands(tool: str, folder: Path) -> dict[str, Callable[[int], Sequence[str]]]:
    """Return the commands by their names; each takes the number of its round."""

    def fixed(*words: str) -> Callable[[int], Sequence[str]]:
        return lambda _: words

    def program(name: str, number: int) -> str:
        path = folder / f"{name}-{number}.rtfs"
        path.write_text(_THREE.format(number=f"{name} {number}"), encoding="utf-8")
        return str(path)

    known = program("known", 0)
    return {
        _BARE: fixed(sys.executable, "-c", "pass"),
        "import rtfs_framework": fixed(sys.executable, "-c", "import rtfs_framework"),
        "rtfs --help": fixed(tool, "--help"),
        "rtfs eval '(+ 1 2)', again": fixed(tool, "eval", "(+ 1 2)"),
        "rtfs eval '(map inc [1 2 3])', again": fixed(tool, "eval", "(map inc [1 2 3])"),
        "rtfs eval, new": lambda number: [tool, "eval", f"(+ {number} 1000)"],
        "rtfs run, again": fixed(tool, "run", known),
        "rtfs run, new": lambda number: [tool, "run", program("run", number)],
        "rtfs check, again": fixed(tool, "check", known),
        "rtfs check, new": lambda number: [tool, "check", program("check", number)],
    }
