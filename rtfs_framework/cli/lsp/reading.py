"""A reading: one text, analyzed as far as it can be. A refused form does not hide what the others mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs

from rtfs_framework.cli.lsp.tracing import Tracer
from rtfs_framework.kernel.loader import surroundings
from rtfs_framework.lang.analyzer.globals import defined_name
from rtfs_framework.lang.analyzer.modules import Modules, module_parts
from rtfs_framework.lang.check.run import check_program
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.expander.macros import MacroTable
from rtfs_framework.lang.forms import Form, ListForm, Name
from rtfs_framework.lang.library import FindModule
from rtfs_framework.lang.pipeline import analyze
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.source import Source, Span

KINDS = {
    "def": "value",
    "defn": "function",
    "defstruct": "struct",
    "deftype": "type",
    "defmacro": "macro",
    "module": "module",
}
_NESTING = frozenset({"do", "when", "if", "try", "step"})
_WORD = re.compile(r"[^\s,()\[\]{}\";:`~^'@#]+#?")


@attrs.frozen(slots=True, eq=False)
class Definition:
    """Where a top-level name is defined."""

    name: str
    """As it is written."""
    full: str
    kind: str
    source: Source
    span: Span
    """Of the name."""
    whole: Span
    """Of the defining form."""


@attrs.frozen(slots=True, eq=False)
class Reading:
    """What is known of a text."""

    source: Source
    readable: bool
    diagnostics: tuple[Diagnostic, ...]
    """What the language itself finds wrong."""
    tracer: Tracer
    definitions: dict[str, Definition]
    """By full name; those of imported modules too."""

    @property
    def own(self) -> Iterator[Definition]:
        """The text's own definitions, in order."""
        return (each for each in self.definitions.values() if each.source is self.source)

    def signature(self, full: str) -> FunctionSignature | None:
        """Return the signature of a top-level function."""
        return next((each for each in reversed(self.tracer.signatures) if each.name == full), None)


def read_text(source: Source, find_module: FindModule, around: dict[str, Any] | None = None) -> Reading:
    """Analyze a text; never fails. `around` is what the host adds: see `kernel.loader.surroundings`."""
    known = surroundings(find_module=find_module, **(around or {}))
    macros, modules = MacroTable(known.compile_macro), Modules(known.find_module, known.nesting)
    tracer = Tracer(source, known.library, known.delegatable, macros, modules)
    try:
        forms = read_program(source, nesting=known.nesting)
    except LanguageError as error:
        return Reading(source, False, error.diagnostics, tracer, {})
    found: Sequence[Diagnostic]
    try:
        found, _ = check_program(analyze(tracer, forms), tracer)
    except LanguageError as error:
        found = _distinct((*error.diagnostics, *tracer.findings))
    return Reading(source, True, tuple(found), tracer, _definitions(source, forms, tracer))


def _distinct(found: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    return tuple({(each.code, each.span, each.message): each for each in found}.values())


def _definitions(source: Source, forms: tuple[Form, ...], tracer: Tracer) -> dict[str, Definition]:
    found = {each.full: each for form in forms for each in _defined(form, source, lambda name: name)}
    for name, namespace in tracer.modules.namespaces.items():
        text = tracer.sources[namespace.source]
        for form in read_program(text, namespace.source, tracer.modules.nesting):
            parts = module_parts(form)
            for inner in parts[2] if parts else ():
                found |= {each.full: each for each in _defined(inner, text, namespace.mine)}
            if parts and isinstance(form, ListForm):
                found[name] = Definition(name, name, "module", text, form.items[1].span, form.span)
    return found


def _defined(form: Form, source: Source, full: Callable[[str], str]) -> Iterator[Definition]:
    """Yield what a top-level form defines."""
    if not (isinstance(form, ListForm) and form.items and isinstance(form.items[0], Name)):
        return
    head = form.items[0].name
    if head in KINDS:
        name = defined_name(form)
        if name is not None:
            yield Definition(name.name, full(name.name), KINDS[head], source, name.span, form.span)
    if head in _NESTING:
        for inner in form.items[1:]:
            yield from _defined(inner, source, full)
    if head == "module":
        for inner in form.items[2:]:
            yield from _defined(inner, source, full)


def word_at(text: str, offset: int) -> tuple[str, Span]:
    """Return the word at an offset (or that ends there) and its span; "" where there is none."""
    start = text.rfind("\n", 0, offset) + 1
    for match in _WORD.finditer(text, start):
        if match.start() > offset:
            break
        if offset <= match.end():
            return match.group(), Span(match.start(), match.end())
    return "", Span(offset, offset)
