"""Cold start: a whole process that prints or computes (+ 1 2), in every language that is installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from shutil import which
from tempfile import TemporaryDirectory

from benchmarks.table import Row
from benchmarks.targets import ON
from benchmarks.timing import commands

_MONTY = "import pydantic_monty as m\nwith m.Monty() as p, p.checkout() as s: print(s.feed_run('1 + 2'))"
_STARLARK = (
    "import starlark as s; print(s.eval(s.Module(), s.parse('a', '1 + 2'), s.Globals.standard()))"  # the library's way
)


def _commands() -> dict[str, Callable[[int], Sequence[str]]]:
    """Return the command of each column; a tool that is not installed has none."""
    found = {"python": [sys.executable, "-c", "print(1 + 2)"]}
    tools = {ON: ["rtfs", "eval"], "hy": ["hy", "-c"], "basilisp": ["basilisp", "run", "-c"]}
    for name, (tool, *options) in tools.items():
        if (path := which(tool)) is not None:
            found[name] = [path, *options, "(+ 1 2)" if name in {ON, "basilisp"} else "(print (+ 1 2))"]
    for name, module, code in (("monty", "pydantic_monty", _MONTY), ("starlark", "starlark", _STARLARK)):
        if find_spec(module) is not None:
            found[name] = [sys.executable, "-c", code]
    return {name: (lambda _, words=words: words) for name, words in found.items()}


def cold_start() -> Iterable[Row]:
    """Yield the processor time of `rtfs eval` beside the peers', all in turn; caches are warm."""
    words = _commands()
    if ON not in words:
        return
    with TemporaryDirectory() as home:
        # As on a user's machine: everybody may keep what was compiled, and RTFS its programs.
        environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"RTFS_HOME": home}
        measured = commands(words, environ, rounds=7)
    own = measured.pop(ON)
    yield Row(name="cold start, whole process", ratio=own, yardstick="python -c 'print(1 + 2)'", others=measured)
