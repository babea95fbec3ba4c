"""The loop at a terminal: history, completion, colours, inputs of several lines. Ctrl-C abandons, Ctrl-D leaves."""

from __future__ import annotations

import os
import sys
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.output import ColorDepth

from rtfs_framework import __version__
from rtfs_framework.api.private import private_file, private_folder
from rtfs_framework.cli.faults import FINE
from rtfs_framework.cli.repl.colours import STYLE, RtfsLexer
from rtfs_framework.cli.repl.commands import Leave, known_word
from rtfs_framework.cli.repl.completion import RtfsCompleter, word_after, word_before
from rtfs_framework.cli.repl.shell import Shell
from rtfs_framework.cli.repl.talk import open_bracket
from rtfs_framework.cli.terminal import put, say
from rtfs_framework.orchestrator.config.colour import colour_for
from rtfs_framework.orchestrator.config.folders import data_dir

PROMPT = "rtfs> "
_CONTINUED = "....> "
HISTORY = "repl_history"


def run_terminal(shell: Shell) -> int:
    """Read inputs and run them until the user leaves; return the exit code."""
    say(f"rtfs {__version__}; :help shows the commands, Ctrl-D leaves")
    session = prompt_session(shell)
    while True:
        try:
            text = session.prompt([("class:prompt", PROMPT)])
        except KeyboardInterrupt:
            continue
        except EOFError:
            return FINE
        try:
            shell.handle(text)
        except Leave:
            return FINE


def prompt_session(shell: Shell, **more: Any) -> PromptSession[str]:
    """Return a line editor for a shell; `more` are further settings of prompt_toolkit's."""
    return PromptSession(
        history=_history(),
        completer=RtfsCompleter(shell.talk),
        complete_while_typing=False,
        lexer=RtfsLexer(),
        style=STYLE,
        multiline=True,
        prompt_continuation=_CONTINUED,
        key_bindings=_keys(shell),
        color_depth=None if colour_for(sys.stdout) else ColorDepth.DEPTH_1_BIT,
        enable_open_in_editor=True,
        **more,
    )


def _history() -> History:
    """Return the history of earlier conversations; without a place to keep it, only that of this one."""
    path = data_dir(os.environ) / HISTORY
    try:
        private_folder(path.parent)
        private_file(path)
        with path.open("a", encoding="utf-8"):
            return FileHistory(str(path))
    except OSError:
        return InMemoryHistory()


def _keys(shell: Shell) -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _enter(event: Any) -> None:
        """Run the input, or go on in the next line while something is open."""
        buffer = event.current_buffer
        if shell.wants_more(buffer.text):
            buffer.insert_text("\n" + " " * indentation(buffer.document.text_before_cursor))
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _newline(event: Any) -> None:
        """Go on in the next line."""
        event.current_buffer.insert_text("\n")

    @keys.add("f1")
    def _doc(event: Any) -> None:
        """Show what is known of the word at the cursor."""
        document = event.current_buffer.document
        name = word_before(document.text_before_cursor) + word_after(document.text_after_cursor)
        word = known_word(shell.talk, name)
        run_in_terminal(lambda: put(word.text() if word else f"nothing is known of '{name}'"))

    return keys


def indentation(text: str) -> int:
    """Return how far the next line is indented: under what the innermost open bracket holds."""
    start = open_bracket(text)
    if start is None:
        return 0
    column = start - (text.rfind("\n", 0, start) + 1)
    return column + (2 if text[start] == "(" else 1)
