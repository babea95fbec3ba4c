"""Growing programs: one text after the other, each compiled with all that was defined before. For conversations.

In: texts, then forms of one text at a time. Out: artifacts. All share one set of tables (constants, spans, names of
functions), so that the last artifact explains an error in the code of any; every analysis works on a copy of the
names known so far, and only what was compiled is kept.

A growing program binds late where a whole one need not: a top-level function may become anything, so that calls of one
are not direct, and functions that call each other are not made one loop.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.analyzer.analyze import Analyzer
from rtfs_framework.lang.analyzer.modules import Modules
from rtfs_framework.lang.analyzer.namespaces import Namespace
from rtfs_framework.lang.annotations import Callable
from rtfs_framework.lang.check.facts import collect
from rtfs_framework.lang.check.inference import Inference
from rtfs_framework.lang.check.kinds import ANY, of_type, words
from rtfs_framework.lang.check.run import check_program
from rtfs_framework.lang.codegen.artifact import Artifact
from rtfs_framework.lang.codegen.unit import Unit
from rtfs_framework.lang.expander.macros import MacroTable
from rtfs_framework.lang.expander.recording import RecordingMacros
from rtfs_framework.lang.forms import Form, ListForm, Name, head_of
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.pipeline import Surroundings, analyze, assemble, digest
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.stack import room_for_recursion
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.views import Views


@records.frozen(eq=False)
class Addition:
    """What was analyzed and compiled, but is not yet part of the program."""

    analyzer: Analyzer
    program: ir.Program
    artifact: Artifact


class IncrementalProgram:
    """A program that is written text by text."""

    def __init__(self, around: Surroundings, name: str) -> None:
        first = Source(name, "")
        self._around = around
        self._first = first
        self._sources = [first]
        self._unit = Unit(metered=around.metered)
        macros, modules = MacroTable(around.compile_macro), Modules(around.find_module, around.nesting)
        self._known = Analyzer(first, around.library, around.delegatable, macros, modules)
        self.artifact = self.keep(self.compile((), first))

    def read(self, source: Source) -> tuple[Form, ...]:
        """Read a text; return its forms, which know where they stand.

        Raises:
            LanguageError: The text cannot be read.
        """
        forms = read_program(source, len(self._sources), self._around.nesting)
        self._sources.append(source)
        return forms

    @room_for_recursion()
    def compile(self, forms: tuple[Form, ...], source: Source) -> Addition:
        """Compile forms of a text that was read; `keep` makes them part of the program.

        Raises:
            LanguageError: They are refused; the program is as it was.
        """
        analyzer = self.analyzer(forms)
        program = records.evolve(analyze(analyzer, forms), functions=frozenset(), types=None)
        found, _ = check_program(program, analyzer)
        artifact = assemble(analyzer, program, self._unit, self._first, digest([source]), self._around)
        return Addition(analyzer, program, records.evolve(artifact, diagnostics=tuple(found)))

    def keep(self, added: Addition) -> Artifact:
        """Make what was compiled part of the program; return its artifact."""
        self._known = added.analyzer
        self.artifact = added.artifact
        return added.artifact

    @room_for_recursion()
    def view(self, forms: tuple[Form, ...]) -> Views:
        """Analyze forms to look at them; nothing is kept.

        Raises:
            LanguageError: They are refused.
        """
        macros = RecordingMacros(self._around.compile_macro)
        analyzer = self.analyzer(forms, macros)
        program = records.evolve(analyze(analyzer, forms), functions=frozenset(), types=None)
        return Views(tuple(map(macros.expanded, forms)), program, tuple(analyzer.findings), self._around)

    @room_for_recursion()
    def foresee(self, forms: tuple[Form, ...], returns: Callable[[str], Type | None]) -> str:
        """Return in words what the last form may give; `returns` knows the declared results of earlier functions.

        Raises:
            LanguageError: They are refused.
        """
        analyzer = self.analyzer(forms)
        program = analyze(analyzer, forms)
        inference = Inference(collect(program, analyzer))
        kinds = ANY
        for node in program.body:
            kinds = inference.kinds(node)
        last = program.body[-1] if program.body else None
        if isinstance(last, ir.Call) and isinstance(last.function, ir.Global):
            declared = returns(last.function.name)
            kinds &= ANY if declared is None else of_type(declared, analyzer.types.get)
        return words(kinds)

    def analyzer(self, forms: tuple[Form, ...], macros: MacroTable | None = None) -> Analyzer:
        """Return an analyzer that knows the program so far, about to see some forms."""
        last, around = self._known, self._around
        tables = last.macros.copy(macros), last.modules.copy()
        made = Analyzer(self._first, around.library, around.delegatable, *tables)
        made.sources = self._sources  # only ever appended to, so that a number means one text for good
        number = forms[0].span.source if forms else 0
        made.namespace = Namespace(
            "", number, set(last.namespace.own), dict(last.namespace.visible), (), set(last.namespace.types)
        )
        made.defined.update(dict.fromkeys(last.defined, 1))
        made.described.update(last.described)
        made.types.update(last.types)
        made.gensyms = last.gensyms
        for name in filter(None, map(_macro_name, forms)):
            made.defined.pop(name, None)
        return made

    @property
    def names(self) -> frozenset[str]:
        """Names that the program may use: its own, and those it imports."""
        return frozenset(self._known.namespace.own) | self._known.namespace.visible.keys()

    def is_macro(self, name: str) -> bool:
        """Tell whether a name is a macro, and no function of the program."""
        return name not in self._known.defined and self._known.macros.knows(name)

    def define(self, name: str) -> None:
        """Make a name known whose value comes from elsewhere."""
        self._known.namespace.own.add(name)
        self._known.defined[name] = 1

    def forget(self, is_bound: Callable[[str], bool]) -> None:
        """Forget top-level names that got no value, and modules that were not loaded to their end."""
        namespace = self._known.namespace
        lost = {name for name in self._known.defined if not is_bound(name)}
        for name in lost:
            del self._known.defined[name]
        namespace.own -= {name for name in lost if not self._known.macros.knows(name)}
        for name in [name for name, full in namespace.visible.items() if full in lost]:
            del namespace.visible[name]
        self._known.modules.forget(lost)


def _macro_name(form: Form) -> str | None:
    """Return the name of a macro's definition: what was a function of that name is one no more."""
    named = form.items[1] if isinstance(form, ListForm) and head_of(form) == "defmacro" and form.items[2:] else None
    return named.name if isinstance(named, Name) else None
