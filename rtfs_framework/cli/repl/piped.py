"""The loop without a terminal: forms come from a pipe or a file, values go to stdout, reports to stderr."""

from __future__ import annotations

from typing import TextIO

from rtfs_framework.cli.faults import FAILED, FINE, text_of
from rtfs_framework.cli.problems import InputError
from rtfs_framework.cli.repl.commands import Leave
from rtfs_framework.cli.repl.shell import Shell
from rtfs_framework.cli.sources import decode
from rtfs_framework.cli.terminal import complain


def run_piped(shell: Shell, stream: TextIO) -> int:
    """Run inputs line by line, each as soon as its brackets are closed; return the exit code.

    A line that is not UTF-8 is refused, and the next ones are read.
    """
    waiting = ""
    try:
        for raw in stream.buffer:
            try:
                waiting += decode(raw, "<stdin>")
            except InputError as error:
                complain(text_of(error))
                shell.failures += 1
            if not shell.wants_more(waiting):
                text, waiting = waiting, ""
                shell.handle(text)
        shell.handle(waiting)
    except Leave:
        pass
    return FAILED if shell.failures else FINE
