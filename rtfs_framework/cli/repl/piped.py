"""The loop without a terminal: forms come from a pipe or a file, values go to stdout, reports to stderr."""

from __future__ import annotations

from collections.abc import Iterable

from rtfs_framework.cli.faults import FAILED, FINE
from rtfs_framework.cli.repl.commands import Leave
from rtfs_framework.cli.repl.shell import Shell


def run_piped(shell: Shell, lines: Iterable[str]) -> int:
    """Run inputs line by line, each as soon as its brackets are closed; return the exit code."""
    waiting = ""
    try:
        for line in lines:
            waiting += line
            if not shell.wants_more(waiting):
                text, waiting = waiting, ""
                shell.handle(text)
        shell.handle(waiting)
    except Leave:
        pass
    return FAILED if shell.failures else FINE
