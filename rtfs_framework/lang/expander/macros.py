"""The macro table of one program: core macros and those it defines. The compiler of macro bodies is passed in."""

from __future__ import annotations

from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.annotations import Callable, Protocol
from rtfs_framework.lang.expander.core import CORE, OWN_WORD
from rtfs_framework.lang.forms import Form, ListForm, Name

MAX_EXPANSIONS = 10_000
"""Macro calls expanded in one program; a macro that expands to itself stops here."""


class MacroCompiler(Protocol):
    """Makes an expanding function from a macro's function, `(fn [params] body...)`."""

    def __call__(
        self, analyzer: AnalyzerBase, name: str, function: ListForm
    ) -> Callable[[AnalyzerBase, ListForm], Form]:
        """Return a function from the macro call to the form that it stands for."""
        ...


class MacroTable:
    """What macros are known, and how to expand a call of one."""

    def __init__(self, compile_macro: MacroCompiler) -> None:
        self._compile = compile_macro
        self._own: dict[str, Callable[[AnalyzerBase, ListForm], Form]] = {}
        self._count = 0

    def copy(self, into: MacroTable | None = None) -> MacroTable:
        """Return a table with the same macros, for a text that follows."""
        made = into or MacroTable(self._compile)
        made._own = dict(self._own)
        return made

    def knows(self, name: str) -> bool:
        """Tell whether a name is a macro here."""
        return name in self._own or name in CORE

    def define(self, analyzer: AnalyzerBase, name: str, function: ListForm) -> None:
        """Compile and enter a macro of the program."""
        analyzer.namespace.own.add(name)
        self._own[analyzer.namespace.mine(name)] = self._compile(analyzer, name, function)

    def expand(self, analyzer: AnalyzerBase, form: ListForm) -> Form:
        """Return what a macro call stands for (one step).

        Raises:
            LanguageError: a malformed call, a failing macro, or too many expansions.
        """
        self._count += 1
        if self._count > MAX_EXPANSIONS:
            message = f"more than {MAX_EXPANSIONS} macro calls"
            raise analyzer.refuse(form, "E0211", message, "does a macro expand to itself?")
        head = form.items[0]
        assert isinstance(head, Name)  # noqa: S101 - only called for a named head
        own = self._own.get(analyzer.namespace.full(head.name) or head.name)
        return own(analyzer, form) if own is not None else CORE[head.name.removeprefix(OWN_WORD)].expand(analyzer, form)
