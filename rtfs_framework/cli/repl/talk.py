"""One conversation: an input goes in, what is to be shown comes out. Knows neither terminal nor standard streams.

Every top-level form of an input is compiled and run on its own, so that each value is shown; names that a later form of
the same input defines are no mistakes. `*1 *2 *3` are the last values, `*e` is the last error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs

from rtfs_framework.cli.repl.hosts import UNKNOWN_NAME, ReplHost
from rtfs_framework.cli.sources import read_program, remember
from rtfs_framework.kernel.interactive import Conversation
from rtfs_framework.lang.analyzer.globals import collect_definitions
from rtfs_framework.lang.diagnostics import Diagnostic, foreseen, refusals
from rtfs_framework.lang.errors import LanguageError, ProgramError
from rtfs_framework.lang.forms import Form, ListForm, Name
from rtfs_framework.lang.incremental import Addition
from rtfs_framework.lang.meter import MOST_NESTING
from rtfs_framework.lang.reader.brackets import explain_brackets
from rtfs_framework.lang.reader.comments import blank_comments
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.types.model import Type
from rtfs_framework.orchestrator.running.module_path import find_module

_OPEN_ENDED = frozenset({"E0101", "E0102", "E0103"})
"""A bracket, a string or a comment that is not closed: more may come."""
_LATER = frozenset({"def", "defn", "defmacro"})
"""Forms whose insides run later: a name that they use may be defined by then."""


def is_incomplete(text: str) -> bool:
    """Tell whether an input goes on: something that it opens is not closed yet."""
    found = _bracket_finding(text)
    return found is not None and found.code in _OPEN_ENDED


def open_bracket(text: str) -> int | None:
    """Return where the innermost bracket stands that is not closed yet."""
    found = _bracket_finding(text)
    return found.span.start if found is not None and found.code == "E0101" and found.span else None


def _bracket_finding(text: str) -> Diagnostic | None:
    source = Source("<input>", text)
    try:
        explain_brackets(source, blank_comments(source), MOST_NESTING)
    except LanguageError as error:
        return error.diagnostics[0]
    return None


@attrs.define(slots=True, eq=False)
class Talk:
    """A conversation in progress."""

    open_host: Callable[[Callable[[str], Source | None]], ReplHost]
    warn: Callable[[Diagnostic], None]
    folders: list[Path] = attrs.field(factory=lambda: [Path()])
    """Where modules are looked for."""
    inputs: list[str] = attrs.field(factory=list)
    host: ReplHost = attrs.field(init=False)
    _values: list[Any] = attrs.field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self.host = self.open_host(self.find_module)

    @property
    def talk(self) -> Conversation:
        """The program so far."""
        return self.host.talk

    def say(self, text: str) -> Iterator[Any]:
        """Run an input; yield the value of each of its forms.

        Raises:
            LanguageError: It is refused.
            ProgramError: It failed.
        """
        self.inputs.append(text)
        yield from self.run(remember(Source(f"<input {len(self.inputs)}>", text)))

    def run(self, source: Source) -> Iterator[Any]:
        """Run a text form by form; yield the values."""
        forms = self.talk.read(source)
        later = collect_definitions(forms)
        for form in forms:
            added = self.talk.compile((form,), source)
            self._mind(added, form, later)
            self.host.check(added, source)
            value = self._run(added)
            self._note(value)
            yield value

    def load(self, path: str) -> Any:
        """Run a file as one program; return the value of its last form.

        Raises:
            InputError: It cannot be read.
            LanguageError: It is refused.
            ProgramError: It failed.
        """
        source = read_program(path)
        if Path(path).parent not in self.folders:
            self.folders.insert(0, Path(path).parent)
        added = self.talk.compile(self.talk.read(source), source)
        self._mind(added, None, {})
        self.host.check(added, source)
        return self._run(added)

    def try_out(self, text: str) -> Any:
        """Return the value of an expression; nothing that it defines stays, and the host is not asked.

        Raises:
            RtfsError: It is refused or fails.
            Unasked: It asks its host for something.
        """
        source = remember(Source("<expression>", text))
        talk, before = self.talk, self.talk.bound()
        added = talk.compile(talk.read(source), source)
        self._mind(added, None, {})
        try:
            return self.host.finish_purely(talk.try_out(added))
        finally:
            talk.undo(before)

    def foresee(self, text: str) -> str:
        """Return in words what an expression may give, as far as it is known without running it.

        Raises:
            LanguageError: It is refused.
        """
        source = remember(Source("<expression>", text))
        return self.talk.program.foresee(self.talk.read(source), self._returns)

    def _returns(self, name: str) -> Type | None:
        found = self.talk.instance.function(name)
        return None if found is None else found.returns

    def reset(self) -> None:
        """Forget every definition."""
        self.host.close()
        self._values.clear()
        self.host = self.open_host(self.find_module)

    def close(self) -> None:
        """End the conversation."""
        self.host.close()

    def find_module(self, name: str) -> Source | None:
        """Return the text of a module: beside a file that was loaded, in the current folder, or on the host's path."""
        found = find_module(name, [*self.folders, *map(Path, self.host.module_path)])
        return None if found is None else remember(found)

    def _run(self, added: Addition) -> Any:
        try:
            return self.host.finish(self.talk.start(added))
        except BaseException as error:
            self.talk.settle()
            if isinstance(error, ProgramError):
                self.talk.define("*e", error.value)
            raise

    def _note(self, value: Any) -> None:
        self._values = [value, *self._values[:2]]
        for number, kept in enumerate(self._values, 1):
            self.talk.define(f"*{number}", kept)

    def _mind(self, added: Addition, form: Form | None, later: dict[str, int]) -> None:
        """Tell the warnings, and refuse a name that nobody knows; inside a definition it is only worth a warning.

        Raises:
            LanguageError: E0203.
        """
        told = added.artifact.diagnostics
        for each in (*told, *foreseen(told)):
            if each.severity == "warning" and each.code != UNKNOWN_NAME:
                self.warn(each)
        found = [f for n, f in self.talk.unresolved(added) if n not in later and not self.host.knows(n)]
        refused = [] if form is not None and _runs_later(form) else refusals(found)
        if refused:
            raise LanguageError(refused)
        for each in found:
            way_out = f"{each.help}; it must be defined before it is reached"
            self.warn(attrs.evolve(each, severity="warning", help=way_out))


def _runs_later(form: Form) -> bool:
    head = form.items[0] if isinstance(form, ListForm) and form.items else None
    return isinstance(head, Name) and head.name in _LATER
