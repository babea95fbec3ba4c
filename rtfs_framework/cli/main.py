"""The console entry: arguments in, exit code out. Imports as little as `rtfs --help` needs."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

from rtfs_framework.cli.faults import guarded
from rtfs_framework.cli.group import Commands


def main() -> None:
    """Run `rtfs` and leave the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A character that the terminal's encoding cannot show is no reason to fail.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(args: Sequence[str]) -> int:
    """Run a command line in this process; return the exit code."""
    return guarded(
        lambda: Commands().main(list(args), prog_name="rtfs", standalone_mode=False),
        as_json="--json" in args,
    )
