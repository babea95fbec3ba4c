"""The console entry: arguments in, exit code out. What it needs is imported inside, where Ctrl-C is already minded."""

from __future__ import annotations

import codecs
import gc
import io
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing `typing` takes longer than a small program runs
    from collections.abc import Sequence
    from types import FrameType

_INTERRUPTED = 130
_ESCAPED = "rtfs.escaped"


def main() -> None:
    """Run `rtfs` and leave the process with its exit code."""
    told: list[int] = []
    gc.disable()  # what is made while it starts stays; programs are run with collection
    try:
        _mend_streams()
        from rtfs_framework.cli.quick import run as run_quick

        code = run_quick(sys.argv[1:], lambda: _mind_signals(told))
        if code is None:
            from rtfs_framework.cli.terminal import mend_stderr

            _mind_signals(told)
            mend_stderr()
            code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while it was starting or ending
        code = _INTERRUPTED
    gc.freeze()  # or Python would go through everything again before it ends
    sys.exit(128 + told[0] if told and code == _INTERRUPTED else code)


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


def _mend_streams() -> None:
    """Give the process the three streams that it may have been started without, and escapes for what they cannot hold.

    A closed one leaves its number to the next file that is opened, which could be the journal. Now it is an empty
    input, an output that fails, a place where reports are lost.
    """
    codecs.register_error(_ESCAPED, _escape)
    for name, mode, how in (("stdin", "r", os.O_RDONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_WRONLY)):
        stream = getattr(sys, name)
        if stream is None:
            stream = open(os.open(os.devnull, how), mode, encoding="utf-8")  # noqa: PTH123, SIM115 - for good
            setattr(sys, name, stream)
        if mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ESCAPED)


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Return the escapes of what a stream's encoding cannot hold, as RTFS strings write them."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    codes = map(ord, error.object[error.start : error.end])
    return "".join(f"\\u{code:04x}" if code < 1 << 16 else f"\\u{{{code:x}}}" for code in codes), error.end


def _mind_signals(told: list[int]) -> None:
    """End in order, as with Ctrl-C, when the process is asked to end or its terminal goes; note which it was."""
    import _signal as signal  # type: ignore[import-not-found]  # what `signal` has, without its enums

    def end(number: int, _frame: FrameType | None) -> None:
        told.append(number)
        signal.raise_signal(signal.SIGINT)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)
