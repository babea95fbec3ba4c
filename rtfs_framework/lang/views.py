"""Views of a program between text and code: its forms with all macros expanded, its IR, the Python made of it."""

from __future__ import annotations

import ast

from rtfs_framework.lang import records
from rtfs_framework.lang.analyzer.analyze import Analyzer
from rtfs_framework.lang.analyzer.modules import Modules
from rtfs_framework.lang.codegen.program import emit_program
from rtfs_framework.lang.codegen.unit import Unit
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.expander.recording import RecordingMacros
from rtfs_framework.lang.format.check import format_source
from rtfs_framework.lang.format.unparse import unparse
from rtfs_framework.lang.forms import Form
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.show import show_program
from rtfs_framework.lang.passes.table import optimise
from rtfs_framework.lang.pipeline import Surroundings, analyze
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.stack import room_for_recursion


@records.frozen(eq=False)
class Views:
    """An analyzed program, to be looked at."""

    forms: tuple[Form, ...]
    """The forms as read, every macro call replaced by what it stands for."""
    program: ir.Program
    findings: tuple[Diagnostic, ...]
    around: Surroundings

    @property
    @room_for_recursion()
    def expanded(self) -> str:
        """The program without macro calls; it reads back."""
        return laid_out("\n".join(map(unparse, self.forms)))

    @property
    @room_for_recursion()
    def ir(self) -> str:
        """The IR as s-expressions."""
        return laid_out(show_program(self.program))

    @property
    @room_for_recursion()
    def python(self) -> str:
        """The module that is compiled; constants, builtins and helpers are names that the kernel fills in."""
        made = optimise(self.program, self.around.library, self.around.passes)
        return ast.unparse(emit_program(made, Unit(), self.around.passes)) + "\n"


@room_for_recursion()
def view(source: Source, around: Surroundings) -> Views:
    """Analyze a program to look at it; nothing is run but its macros.

    Raises:
        LanguageError: the program is refused.
    """
    macros = RecordingMacros(around.compile_macro)
    analyzer = Analyzer(source, around.library, around.delegatable, macros, Modules(around.find_module, around.nesting))
    forms = read_program(source, nesting=around.nesting)
    program = analyze(analyzer, forms, around.preloaded)
    return Views(tuple(map(macros.expanded, forms)), program, tuple(analyzer.findings), around)


def laid_out(text: str) -> str:
    """Lay out a text; as it is when it nests too deeply to be read that way, as an IR may."""
    try:
        return format_source(Source("<view>", text))
    except LanguageError:
        return f"{text}\n"
