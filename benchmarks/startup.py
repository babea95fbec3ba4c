"""Start-up: what a user waits for before anything happens. Processes take turns, and the quickest of each counts.

Python's bytecode files are written first (`PYTHONDONTWRITEBYTECODE` is unset), as they are for every user; the journal
and the caches lie in a folder of the benchmark's own, so that the first run of a program is one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from benchmarks.table import Row
from benchmarks.timing import seconds

_ROUNDS = 21
_BARE = "python -c pass"
_IMPORT = "import rtfs_framework"
_HELP = "rtfs --help, whole process"
_AGAIN = "rtfs eval '(+ 1 2)', whole process"
_LIBRARY = "rtfs eval '(map inc [1 2 3])', again"
_FIRST = "rtfs eval of a new program"
_RUN = "rtfs run FILE, again"


def start_up() -> Iterable[Row]:
    """Yield the time of the commands that do next to nothing, and beyond starting Python that of importing us."""
    with TemporaryDirectory() as folder:
        program = Path(folder) / "p.rtfs"
        program.write_text("(defn main [] (str 1 2))", encoding="utf-8")
        commands: dict[str, Sequence[str]] = {
            _BARE: [sys.executable, "-c", "pass"],
            _IMPORT: [sys.executable, "-c", "import rtfs_framework"],
        }
        tool = which("rtfs")
        if tool is not None:
            commands |= {
                _HELP: [tool, "--help"],
                _AGAIN: [tool, "eval", "(+ 1 2)"],
                _LIBRARY: [tool, "eval", "(map inc [1 2 3])"],
                _FIRST: [tool, "eval"],
                _RUN: [tool, "run", str(program)],
            }
        best = _quickest(commands, folder)
    python = best[_BARE]
    note = f"{_BARE} takes {python:.1f} ms"
    yield Row(name=_IMPORT, value=max(0.0, best[_IMPORT] - python), unit="ms", target=80, note=note)
    for name in commands:
        if name not in {_BARE, _IMPORT}:
            target = {_HELP: 200.0, _AGAIN: 2.5 * python}.get(name)
            ratio = f"{best[name] / python:.2f} times {_BARE} ({python:.1f} ms)"
            yield Row(name=name, value=best[name], unit="ms", target=target, note=ratio)


def _quickest(commands: Mapping[str, Sequence[str]], home: str) -> dict[str, float]:
    """Return the least milliseconds of each command, over rounds in which all run."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ["RTFS_HOME"] = home
    best = dict.fromkeys(commands, float("inf"))
    for turn in range(_ROUNDS):
        for name, command in commands.items():
            fresh = [*command, f"(+ {turn} 1000)"] if name == _FIRST else command

            def run(fresh: Sequence[str] = fresh) -> None:
                subprocess.run(fresh, check=True, env=environ, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

            taken = seconds(run) * 1000
            if turn:  # the first round writes bytecode and fills the caches
                best[name] = min(best[name], taken)
    return best
