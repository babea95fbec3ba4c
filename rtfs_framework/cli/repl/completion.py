"""Completion: names of the language and of the conversation, commands at the start of an input, files after `:load`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from rtfs_framework.cli.repl.commands import COMMANDS
from rtfs_framework.cli.repl.talk import Talk
from rtfs_framework.cli.repl.words import language_names

_WORD = re.compile(r"[^\s,()\[\]{}\";:`~^'@#]*$")
_REST = re.compile(r"[^\s,()\[\]{}\";:`~^'@#]*")
_COMMAND = re.compile(r"\s*:([a-z]*)$")
_LOAD = re.compile(r"\s*:load\s+(.*)$")


def word_before(text: str) -> str:
    """Return the word that a text ends with."""
    found = _WORD.search(text)
    return found.group() if found else ""


def word_after(text: str) -> str:
    """Return the word that a text begins with."""
    found = _REST.match(text)
    return found.group() if found else ""


def offered_names(talk: Talk) -> Iterator[tuple[str, str]]:
    """Yield every name that can be written, the conversation's own first, with its kind."""
    own = sorted(name for name in talk.talk.names if not name.startswith("*"))
    yield from ((name, "yours") for name in own)
    yield from sorted((name, kind) for name, kind in language_names() if name not in own)


class RtfsCompleter(Completer):
    """Completion for prompt_toolkit."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._paths = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Yield what may stand at the cursor."""
        text = document.text_before_cursor
        path, command = _LOAD.match(text), _COMMAND.match(text)
        if path is not None:
            yield from self._paths.get_completions(Document(path[1]), complete_event)
        elif command is not None:
            typed = command[1]
            for each in COMMANDS.values():
                if each.name.startswith(typed):
                    yield Completion(each.name, -len(typed), f":{each.name}", each.summary)
        else:
            typed = word_before(text)
            for name, kind in offered_names(self._talk):
                if typed and name.startswith(typed):
                    yield Completion(name, -len(typed), name, kind)
