"""Cold start: a whole process that prints or computes (+ 1 2), in every language that is installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from shutil import which
from statistics import median
from subprocess import DEVNULL, run
from tempfile import TemporaryDirectory

from benchmarks.table import Row
from benchmarks.targets import ON
from benchmarks.timing import seconds

_ROUNDS = 7
_MONTY = "import pydantic_monty as m\nwith m.Monty() as p, p.checkout() as s: print(s.feed_run('1 + 2'))"
_STARLARK = (
    "import starlark as s; print(s.eval(s.Module(), s.parse('a', '1 + 2'), s.Globals.standard()))"  # the library's way
)


def _commands() -> dict[str, list[str]]:
    """Return the command of each column; a tool that is not installed has none."""
    commands = {"python": [sys.executable, "-c", "print(1 + 2)"]}
    tools = {ON: ["rtfs", "eval"], "hy": ["hy", "-c"], "basilisp": ["basilisp", "run", "-c"]}
    for name, (tool, *options) in tools.items():
        if (path := which(tool)) is not None:
            commands[name] = [path, *options, "(+ 1 2)" if name in {ON, "basilisp"} else "(print (+ 1 2))"]
    for name, module, code in (("monty", "pydantic_monty", _MONTY), ("starlark", "starlark", _STARLARK)):
        if find_spec(module) is not None:
            commands[name] = [sys.executable, "-c", code]
    return commands


def _process(command: list[str], environ: Mapping[str, str]) -> float:
    return seconds(lambda: run(command, check=True, stdin=DEVNULL, stdout=DEVNULL, env=environ))


def cold_start() -> Iterable[Row]:
    """Yield the time of `rtfs eval` beside the peers', all in turn; caches are warm."""
    commands = _commands()
    if ON not in commands:
        return
    times: dict[str, list[float]] = {name: [] for name in commands}
    with TemporaryDirectory() as home:
        # As on a user's machine: everybody may keep what was compiled, and RTFS its programs.
        environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"RTFS_HOME": home}
        for number in range(_ROUNDS + 1):
            for name, command in commands.items():
                took = _process(command, environ)
                if number:  # the first time fills the caches
                    times[name].append(took)
    typical = {name: median(found) * 1000 for name, found in times.items()}
    yield Row(name="cold start, whole process", value=typical.pop(ON), unit="ms", others=typical)
