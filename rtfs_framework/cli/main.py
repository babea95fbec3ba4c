"""The console entry: arguments in, exit code out. What it needs is imported inside, where Ctrl-C is already minded."""

from __future__ import annotations

import io
import sys

from rtfs_framework.cli.quick import run as run_quick

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing `typing` takes longer than a small program runs
    from collections.abc import Sequence

_INTERRUPTED = 130


def main() -> None:
    """Run `rtfs` and leave the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A character that the terminal's encoding cannot show is no reason to fail.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        quick = run_quick(sys.argv[1:])
        code = run(sys.argv[1:]) if quick is None else quick
    except KeyboardInterrupt:  # while it was starting or ending
        code = _INTERRUPTED
    sys.exit(code)


def run(args: Sequence[str]) -> int:
    """Run a command line in this process; return the exit code."""
    from rtfs_framework.cli.faults import guarded
    from rtfs_framework.cli.group import Commands
    from rtfs_framework.cli.notices import Notices

    before_dashes = args[: args.index("--")] if "--" in args else args
    told = Notices()
    code = guarded(
        lambda: Commands().main(list(args), prog_name="rtfs", standalone_mode=False, obj=told),
        as_json="--json" in before_dashes,
        beside=lambda: {"problems": [problem.to_json() for problem in told.problems]},
    )
    told.finish()
    return code
