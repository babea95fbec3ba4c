"""Commands about programs that were met before, when the world is as it was: nothing else is imported.

In: the command line. Out: the exit code, or None where the ordinary way must be taken, which is always right; it is
also taken when anything unforeseen happens, for a closed program can be run twice. `rtfs eval EXPR`, `rtfs run FILE
ARGS...` and `rtfs check FILE`, without options, are looked for here, and `rtfs --help`.
"""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from rtfs_framework.lang.codegen.artifact import Artifact
    from rtfs_framework.orchestrator.remembering.artifacts.quick import Entry

_WORDS = {None: "nil", True: "true", False: "false"}
_BITS = 1024
"""Integers of more bits are left to the printer, which knows what Python refuses to print."""


class _Ordinary(Exception):
    """The ordinary way must be taken."""


def run(args: Sequence[str], mind_signals: Callable[[], None] = lambda: None) -> int | None:
    """Run a command line, if this is one of the simple ones; signals are minded before anything takes long."""
    if os.name != "posix" or not args:
        return None
    command, *words = args
    is_help = command in {"--help", "-h"} and not words
    one = command in {"eval", "check"} and len(words) == 1
    if not is_help and not ((one or (command == "run" and words)) and all(map(_is_simple, words))):
        return None
    try:
        return _help() if is_help else _Quick(mind_signals).run(command, words[0], words[1:])
    except _Ordinary:
        return None
    except OSError as error:
        return _failed(error)


def _is_simple(arg: str) -> bool:
    """Tell whether a word of the command line is no option, and the same text whatever the locale."""
    return arg[:1] != "-" and (arg.isascii() or (sys.getfilesystemencoding() == "utf-8" and _is_text(arg)))


def _is_text(arg: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in arg)


def _help() -> int:
    """Print the help, if it is known for what is installed."""
    from rtfs_framework.orchestrator.remembering.artifacts.quick import find, help_purpose

    entry = find(help_purpose(os.environ), os.environ)
    if entry is None or entry.told is None:
        raise _Ordinary
    return _tell(*entry.told)


class _Quick:
    """One command line."""

    def __init__(self, mind_signals: Callable[[], None]) -> None:
        self._mind_signals = mind_signals

    def run(self, command: str, first: str, more: Sequence[str]) -> int:
        """Return the exit code.

        Raises:
            _Ordinary: It cannot be found here.
            OSError: stdout cannot be written.
        """
        from rtfs_framework.orchestrator.remembering.artifacts.quick import find, keep_like, purpose, world

        if not first:
            raise _Ordinary
        name, text = ("", first) if command == "eval" else (first, _text(first))
        wanted = purpose(command, name, text)
        entry = find(wanted, os.environ)
        if entry is None:
            folder = os.path.dirname(name) if name else None  # noqa: PTH120 - no pathlib here
            around = find(world(folder), os.environ)
            if around is None:
                raise _Ordinary
            self._mind_signals()
            new = _check if command == "check" else _run
            return new(name or "<eval>", text, more, lambda entry: keep_like(around, wanted, os.environ, entry))
        if entry.told is not None:
            return _tell(*entry.told)
        if entry.code is not None and not more:
            return _put(self._bare(entry))
        return self._by_the_kernel(entry, more)

    def _bare(self, entry: Entry) -> str:
        from rtfs_framework.kernel.python import PYTHON

        names: dict[str, Any] = {"__builtins__": dict(PYTHON)}
        try:
            exec(entry.code, names)  # type: ignore[arg-type]  # noqa: S102 - our own code, under the user's seal
            return _written(names["rtfs_main"]())
        except Exception as error:
            raise _Ordinary from error  # which meets it again, and knows how to tell it

    def _by_the_kernel(self, entry: Entry, args: Sequence[str]) -> int:
        from rtfs_framework.lang.codegen.stored import load_artifact

        self._mind_signals()
        return _finished(load_artifact(entry.artifact), args, lambda: None)


def _run(name: str, text: bytes | str, args: Sequence[str], keep: Callable[[Entry], None]) -> int:
    """Compile and run a program that nobody has run before, where no host is needed for a closed one."""
    artifact = _compiled(name, text)
    from rtfs_framework.lang.codegen.stored import dump_artifact
    from rtfs_framework.orchestrator.remembering.artifacts.closed import bare_code, is_closed
    from rtfs_framework.orchestrator.remembering.artifacts.quick import Entry

    if not is_closed(artifact):
        raise _Ordinary
    entry = Entry(bare_code(artifact), dump_artifact(artifact))
    return _finished(artifact, args, lambda: keep(entry))


def _check(name: str, text: bytes | str, _: Sequence[str], keep: Callable[[Entry], None]) -> int:
    """Check a program that nobody has checked before, where its host has no part in what is found in a closed one."""
    artifact = _compiled(name, text)
    from rtfs_framework.cli.shown.findings import findings_text, in_order
    from rtfs_framework.lang.diagnostics import bounded
    from rtfs_framework.orchestrator.explaining.checked import Checked
    from rtfs_framework.orchestrator.remembering.artifacts.quick import Entry

    found = in_order(bounded(artifact.diagnostics))
    checked = Checked(sources=artifact.sources, diagnostics=found, effects=artifact.effects)
    if artifact.sites or artifact.links or not checked.pure:
        raise _Ordinary
    plain, coloured = (findings_text([(name, checked)], colour=colour) for colour in (False, True))
    told = (0, plain, coloured)
    keep(Entry(None, b"", told))
    return _tell(*told)


def _text(file: str) -> bytes:
    """Return what is in a plain file."""
    import stat

    try:
        if not stat.S_ISREG(os.stat(file).st_mode):  # noqa: PTH116 - reading a pipe would leave the ordinary way nothing
            raise _Ordinary
        with open(file, "rb") as opened:  # noqa: PTH123 - no pathlib here
            return opened.read()
    except (OSError, ValueError) as error:
        raise _Ordinary from error


def _compiled(name: str, text: bytes | str) -> Artifact:
    """Return a program without modules or errors."""
    from rtfs_framework.kernel.loader import compile_source
    from rtfs_framework.lang.errors import LanguageError
    from rtfs_framework.lang.source import Source

    if isinstance(text, bytes) and text.startswith(b"\xef\xbb\xbf"):
        raise _Ordinary
    try:
        read = text if isinstance(text, str) else text.decode()
        # Where a host has the host prelude, its names ask: a program that has one of them is not for here.
        artifact = compile_source(Source(name, read), find_module=_elsewhere, prelude=True)
    except (LanguageError, UnicodeDecodeError) as error:
        raise _Ordinary from error
    if any(each.severity == "error" for each in artifact.diagnostics):
        raise _Ordinary
    return artifact


def _elsewhere(_name: str) -> None:
    """Leave programs with modules to the ordinary way."""
    raise _Ordinary


def _finished(artifact: Artifact, args: Sequence[str], keep: Callable[[], None]) -> int:
    """Run a program, keep it when it has succeeded, and print its value."""
    from rtfs_framework.lang.errors import LimitError, ProgramError

    try:
        text = _written(_value(artifact, args))
    except (ProgramError, LimitError, KeyboardInterrupt) as error:
        return _reported(error, artifact)
    except Exception as error:
        raise _Ordinary from error
    if text.isprintable():
        keep()
    return _put(text)


def _value(artifact: Artifact, args: Sequence[str]) -> Any:
    """Return a program's value: that of `main`, if it has one, else that of its last form."""
    from rtfs_framework.kernel.instance import Instance
    from rtfs_framework.kernel.outcome import Complete

    gc.enable()
    instance = Instance(artifact)
    outcome = instance.start().step()
    main = instance.function("main")
    if main is not None and artifact.source.name == "<eval>":
        main = None
    if main is not None and main.taking(len(args)) and isinstance(outcome, Complete):
        outcome = instance.call("main", tuple(args)).step()
    elif main is not None or args:
        raise _Ordinary
    if not isinstance(outcome, Complete):
        raise _Ordinary
    return outcome.value


def _written(value: Any) -> str:
    if value.__class__ is int and value.bit_length() <= _BITS:
        return str(value)
    if value is None or value.__class__ is bool:
        return _WORDS[value]
    from rtfs_framework.kernel.limits import Limits
    from rtfs_framework.lang.printer import write

    return write(value, Limits().output)


def _tell(code: int, plain: str, coloured: str) -> int:
    from rtfs_framework.orchestrator.config.colour import colour_for

    _write(coloured if colour_for(sys.stdout) else plain)
    return code


def _put(text: str) -> int:
    if not text.isprintable():  # a terminal is shown escapes, which the ordinary way knows
        raise _Ordinary
    _write(text + "\n")
    return 0


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _reported(error: BaseException, artifact: Artifact) -> int:
    """Tell an error of the program, or Ctrl-C, as the ordinary way would, which would have to run it again."""
    from rtfs_framework.cli.faults import guarded
    from rtfs_framework.cli.sources import remember
    from rtfs_framework.cli.terminal import mend_stderr

    for source in artifact.sources:
        remember(source)
    mend_stderr()

    def fail() -> None:
        raise error

    return guarded(fail)


def _failed(error: OSError) -> int:
    from rtfs_framework.cli.faults import guarded
    from rtfs_framework.cli.terminal import lost

    def fail() -> None:
        raise lost(error)

    return guarded(fail)
