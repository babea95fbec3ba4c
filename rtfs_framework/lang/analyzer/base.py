"""What a part of the analyzer asks of the whole: to analyze a form in a scope, to name things, and to report.

Special forms, patterns and modules depend on this and on nothing else of the analyzer; `analyze.Analyzer` knows them.
"""

from __future__ import annotations

from rtfs_framework.lang.analyzer.namespaces import Imported, Namespace
from rtfs_framework.lang.analyzer.refusals import Refusals
from rtfs_framework.lang.analyzer.scope import Doubt, Scope, Tail
from rtfs_framework.lang.annotations import TYPE_CHECKING, Any, Callable
from rtfs_framework.lang.arity import Shape
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.forms import Form, ListForm, Reference
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.library import DESCRIBED, Delegatable, Library
from rtfs_framework.lang.signature import CallSite, FunctionSignature, SiteKind
from rtfs_framework.lang.source import Place, Source, Span
from rtfs_framework.lang.types.model import Type

if TYPE_CHECKING:
    from rtfs_framework.lang.analyzer.modules import Modules
    from rtfs_framework.lang.expander.macros import MacroTable


class AnalyzerBase:
    """The state of an analysis: signatures, call sites and findings are collected on the way."""

    def __init__(
        self,
        source: Source,
        library: Library,
        delegatable: Delegatable,
        macros: MacroTable,
        modules: Modules,
    ) -> None:
        self.sources = [source]
        self.namespace = Namespace("")
        self.library = library
        self._claimed = delegatable
        self.described: set[str] = set()
        """The functions that say what they are for and declare all their types, in full."""
        self.macros = macros
        self.modules = modules
        self.defined: dict[str, int] = {}
        """Every top-level name of the program and its modules, in full, and how often it is defined."""
        self.valued: set[str] = set()
        self.types: dict[str, Type] = {}
        self.type_mentions: list[tuple[str, Span]] = []
        """Where the program names a type that is not primitive, by its full name."""
        self.signatures: list[FunctionSignature] = []
        self.sites: list[CallSite] = []
        self.findings: list[Diagnostic] = []
        self.imports: list[Imported] = []
        self.written_by_macros: set[Span] = set()
        """Calls of the program's own macros: what stands there is not what the author wrote."""
        self.captured: dict[ir.FunctionFrame, dict[ir.Var, None]] = {}
        self.several: dict[ir.Var, tuple[tuple[Shape, ir.Var], ...]] = {}
        """Names of local functions of several arities: the arguments that each arity takes, and its variable."""
        self.captured_of: dict[ir.FunctionFrame, dict[ir.Var, None]] = {}
        self.context_set: set[str] = set()
        """Names that the program gives a value in the host's context."""
        self.bound: dict[ir.Var, Span] = {}
        """Where the program binds its variables, for tools."""
        self.doubts: dict[ir.Var, Doubt] = {}
        """Variables whose `def` may not have happened where they are read."""
        self.tickets: set[ir.Var] = set()
        """Variables that surely hold a ticket."""
        self.gensyms = 0
        self.macro_steps = 0
        """Steps that macros have taken so far."""
        self.outermost: Form | None = None
        """The top-level form being analyzed: some forms are special only there."""
        self.suggested: dict[str, str | None] = {}
        """What was suggested for unknown names."""
        self.expanding = 0
        """How many macro calls are being analyzed inside each other's expansions."""
        self._numbers = 0

    @property
    def source(self) -> Source:
        """The text being analyzed: the program's, or a module's."""
        return self.sources[self.namespace.source]

    def delegatable(self, name: str) -> bool:
        """Tell whether calls of a top-level function may go elsewhere without a hint."""
        return self._claimed(name) or (name in self.described and self._claimed(DESCRIBED))

    # -- names ---------------------------------------------------------------------------------------------------

    def new_var(self, name: str, scope: Scope, span: Span | None = None) -> ir.Var:
        """Bind a name in a scope to a new variable; `span` is where the program says so."""
        var = self.hidden_var(name, scope)
        return self.name_var(var, name, scope, span)

    def name_var(self, var: ir.Var, name: str, scope: Scope, span: Span | None) -> ir.Var:
        """Bind a name in a scope to a variable."""
        scope.names[name] = var
        if span is not None:
            self.bound[var] = span
        return var

    def hidden_var(self, name: str, scope: Scope) -> ir.Var:
        """Return a new variable of a scope's function that no name reaches."""
        self._numbers += 1
        return ir.Var(name, self._numbers, scope.frame, looped=scope.in_loop)

    def read_var(self, var: ir.Var, scope: Scope, span: Span) -> ir.Local:
        """Return a read of a variable, noting every function between as capturing it."""
        frame: ir.FunctionFrame | None = scope.frame
        while frame is not None and frame is not var.owner:
            self.captured.setdefault(frame, {})[var] = None
            self.captured_of.setdefault(var.owner, {})[var] = None
            frame = frame.parent
        return ir.Local(var, span)

    def top_level(self, name: str) -> str | None:
        """Return the full name of the top-level definition that a name means in this namespace, or None."""
        full = self.namespace.full(name)
        return full if full is not None and full in self.defined else None

    def place(self, span: Span) -> Place:
        """Return a span's start as file, line and column."""
        source = self.sources[span.source]
        return Place(source.name, *source.place(span.start))

    # -- findings ------------------------------------------------------------------------------------------------

    def refuse(self, form: Form, code: str, message: str, way_out: str | None = None, **more: Any) -> LanguageError:
        """Return the error for a refused form."""
        return LanguageError([self.finding(form.span, code, message, way_out, **more)])

    def finding(self, span: Span, code: str, message: str, way_out: str | None = None, **more: Any) -> Diagnostic:
        """Return a finding about this program."""
        return Diagnostic(code=code, message=message, source=self.sources[span.source], span=span, help=way_out, **more)

    def report(self, span: Span, code: str, message: str, way_out: str | None = None, **more: Any) -> None:
        """Note a finding."""
        self.findings.append(self.finding(span, code, message, way_out, **more))

    def fails(self, span: Span, code: str, kind: str, message: str, way_out: str | None = None) -> ir.Node:
        """Note what cannot succeed; return the node that fails when it is reached."""
        self.report(span, code, message, way_out, kind=kind)
        return ir.Fail(kind, message, span)

    def asks(self, kind: SiteKind, name: str | None, span: Span, scope: Scope) -> None:
        """Note a place where the program asks its host, or where a call may go elsewhere."""
        self.sites.append(CallSite(kind, name, self.place(span), scope.inside))

    # -- forms ---------------------------------------------------------------------------------------------------

    def analyze(self, form: Form, scope: Scope, tail: Tail | None = None) -> ir.Node:
        """Return the IR of one form. `tail` is set in tail position."""
        raise NotImplementedError

    def call(self, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
        """Return the call that a list is, if its head is no special form and no macro."""
        raise NotImplementedError

    def reference(self, form: Reference, scope: Scope) -> ir.Node:
        """Return what `@name` reads: a local of that name, else the host's context."""
        raise NotImplementedError

    def body(self, forms: tuple[Form, ...], scope: Scope, tail: Tail | None, span: Span) -> ir.Node:
        """Return forms in order as one node; the last one is in tail position."""
        if not forms:
            return ir.Const(None, span)
        items = self.each(forms, scope, tail)
        return items[0] if len(items) == 1 else ir.Do(items, span)

    def each(self, forms: tuple[Form, ...], scope: Scope, tail: Tail | None = None) -> tuple[ir.Node, ...]:
        """Return the IR of forms that stand side by side; the last one is in tail position.

        Raises:
            LanguageError: with what was refused in any of them.
        """
        made: list[ir.Node] = []
        refused: Refusals | None = None
        last = len(forms) - 1
        for i, form in enumerate(forms):
            try:
                made.append(self.analyze(form, scope, tail if i == last else None))
            except LanguageError as error:  # noqa: PERF203 - a helper would be a frame more at every level
                refused = refused or Refusals()
                refused.take(error)
        if refused is not None:
            refused.settle()
        return tuple(made)


Special = Callable[[AnalyzerBase, ListForm, Scope, "Tail | None"], ir.Node]
"""The handler of a special form."""
