"""The shell: one input or `:command` at a time, its results printed, its errors reported. Both loops stand on it."""

from __future__ import annotations

import re

import attrs

from rtfs_framework.cli.faults import FINE, guarded
from rtfs_framework.cli.repl.commands import COMMANDS, Leave, run_command
from rtfs_framework.cli.repl.talk import Talk, is_incomplete
from rtfs_framework.cli.terminal import PipeClosed, StdoutLost, complain, put
from rtfs_framework.lang.diagnostics import Diagnostic, did_you_mean
from rtfs_framework.lang.printer import write

_COMMAND = re.compile(r"\s*:([a-z]+)(?:\s+(.*))?\s*\Z", re.DOTALL)
_KEYWORD = re.compile(r"\s*:([a-z]+)\s*\Z")
_MOST_SHOWN = 1_000_000
"""Characters of a value that are printed."""


@attrs.define(slots=True, eq=False)
class Shell:
    """What stands between a loop that reads and a conversation."""

    talk: Talk
    failures: int = 0
    """Inputs that were refused or failed."""

    def wants_more(self, text: str) -> bool:
        """Tell whether an input is to go on in the next line."""
        return self.command(text) is None and is_incomplete(text)

    def command(self, text: str) -> tuple[str, str] | None:
        """Return the command that an input is, with its argument; None for a program."""
        found = _COMMAND.match(text)
        if found is None or found[1] not in COMMANDS:
            return None
        return found[1], (found[2] or "").strip()

    def handle(self, text: str) -> None:
        """Run an input and print what comes of it; errors are reported, and nothing but `:quit` ends the shell.

        Raises:
            Leave: The input is `:quit`.
            PipeClosed: Nobody reads what is printed.
            StdoutLost: It cannot be written.
        """
        if not text.strip():
            return
        leaving: list[Exception] = []
        if guarded(lambda: self._run(text, leaving)) != FINE:
            self.failures += 1
        if leaving:
            raise leaving[0]

    def _run(self, text: str, leaving: list[Exception]) -> None:
        try:
            self._say(text)
        except (Leave, PipeClosed, StdoutLost) as ending:
            leaving.append(ending)

    def _say(self, text: str) -> None:
        command = self.command(text)
        if command is None:
            for value in self.talk.say(text):
                put(_shown(value))
            self._hint(text)
            return
        shown = run_command(self.talk, *command)
        if shown:
            put(shown)

    @staticmethod
    def warn(found: Diagnostic) -> None:
        """Print a warning."""
        complain(found.render())

    def _hint(self, text: str) -> None:
        """A lone keyword may be a mistyped command."""
        found = _KEYWORD.match(text)
        near = did_you_mean(f":{found[1]}", [f":{name}" for name in COMMANDS]) if found else None
        if near:
            complain(f"hint: {near}")


def _shown(value: object) -> str:
    text = write(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]} ... ({len(text):,} characters)"
