"""`rtfs eval EXPR` when the program was compiled before and the world is as it was: nothing else is imported.

In: the command line. Out: the exit code, or None where the ordinary way must be taken, which is always right; it is
also taken when anything unforeseen happens, for a closed program can be run twice.
"""

from __future__ import annotations

import os
import sys

from rtfs_framework.kernel.python import PYTHON

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rtfs_framework.orchestrator.artifacts.quick import Entry

_WORDS = {None: "nil", True: "true", False: "false"}
_BITS = 1024
"""Integers of more bits are left to the printer, which knows what Python refuses to print."""


def run(args: Sequence[str]) -> int | None:
    """Run a command line, if this is one of the simple ones."""
    if os.name != "posix" or len(args) != 2 or args[0] != "eval" or args[1][:1] in {"", "-"}:
        return None
    from rtfs_framework.orchestrator.artifacts.quick import find

    entry = find(args[1], os.environ)
    text = None if entry is None else _value(entry)
    if text is None or not text.isprintable():  # a terminal is shown escapes, which the ordinary way knows
        return None
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError as error:
        return _failed(error)
    return 0


def _value(entry: Entry) -> str | None:
    """Return the printed value of a program, None when it has none."""
    try:
        if entry.code is None:
            return _by_the_kernel(entry.artifact)
        names: dict[str, Any] = {"__builtins__": dict(PYTHON)}
        exec(entry.code, names)  # noqa: S102 - our own generated code, under the user's seal
        return _written(names["rtfs_main"]())
    except Exception:  # noqa: BLE001 - the ordinary way meets it again, and knows how to tell it
        return None


def _by_the_kernel(artifact: bytes) -> str | None:
    from rtfs_framework.kernel.instance import Instance
    from rtfs_framework.kernel.outcome import Complete
    from rtfs_framework.lang.codegen.stored import load_artifact

    outcome = Instance(load_artifact(artifact)).start().step()
    return _written(outcome.value) if isinstance(outcome, Complete) else None


def _written(value: Any) -> str:
    if value.__class__ is int and value.bit_length() <= _BITS:
        return str(value)
    if value is None or value.__class__ is bool:
        return _WORDS[value]
    from rtfs_framework.kernel.limits import Limits
    from rtfs_framework.lang.printer import write

    return write(value, Limits().output)


def _failed(error: OSError) -> int:
    from rtfs_framework.cli.faults import guarded
    from rtfs_framework.cli.terminal import lost

    def fail() -> None:
        raise lost(error)

    return guarded(fail)
