"""The contract of commands: a name and words that the help can show, and a click command that tells how it is used."""

from __future__ import annotations

import re
import shlex
from abc import abstractmethod

import click
from click.testing import CliRunner

from rtfs_framework.api import CommandEntry
from rtfs_framework.testing.conformance.base import Conformance, check

_WORD = re.compile(r"[a-z][a-z0-9-]*")
_LONGEST = 100
"""Characters of a summary that `rtfs --help` shows on one line."""


class CommandConformance(Conformance):
    """Inherit, and give `make`."""

    @abstractmethod
    def make(self) -> CommandEntry:
        """Return the record that the plugin offers."""

    def test_its_name_is_one_word_or_two(self) -> None:
        """Small letters, digits and dashes: two words are a group and its subcommand."""
        name = self.make().name
        words = name.split(" ")
        fine = len(words) <= 2 and all(_WORD.fullmatch(word) for word in words)
        check(fine, f"a name of {name!r}")

    def test_the_help_can_show_it(self) -> None:
        """A summary of one line, and an example that is a line of this command."""
        entry = self.make()
        check(bool(entry.summary.strip()) and entry.summary.isprintable(), f"a summary of {entry.summary!r}")
        check(len(entry.summary) <= _LONGEST, f"a summary of {len(entry.summary)} characters")
        if entry.example:
            words = ["rtfs", *entry.name.split(" ")]
            check(entry.example.isprintable(), f"an example of {entry.example!r}")
            check(shlex.split(entry.example)[: len(words)] == words, f"{entry.example!r} is no line of {entry.name!r}")

    def test_it_loads_a_click_command_as_often_as_asked(self) -> None:
        """The loader runs when the command is used, and once more where it is used again in the process."""
        entry = self.make()
        for _ in range(2):
            found = entry.load()
            check(isinstance(found, click.Command), f"its loader returned a {type(found).__name__}")

    def test_it_tells_how_it_is_used(self) -> None:
        """`--help` says what it does, and what each of its options is for."""
        command = self.make().load()
        check(bool((command.help or "").strip()), "it has no help")
        silent = [each.name for each in command.params if isinstance(each, click.Option) and not each.help]
        check(not silent, f"these options do not say what they are for: {', '.join(map(str, silent))}")
        shown = CliRunner().invoke(command, ["--help"])
        check(shown.exit_code == 0, f"--help ends with {shown.exit_code}: {shown.exception!r}")

    def test_what_it_does_not_know_is_refused_as_usage(self) -> None:
        """An unknown option ends with 2, as everywhere, and is no crash."""
        shown = CliRunner().invoke(self.make().load(), ["--no-such-option-of-any-command"])
        check(shown.exit_code == 2, f"an unknown option ends with {shown.exit_code}: {shown.exception!r}")
