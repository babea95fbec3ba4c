"""The pipeline in one place: text → forms → IR (macros expand on the way) → Python ast → code object."""

from __future__ import annotations

import ast
from sys import intern

from rtfs_framework.lang import records
from rtfs_framework.lang.analyzer.analyze import Analyzer
from rtfs_framework.lang.analyzer.arities import laid_out
from rtfs_framework.lang.analyzer.globals import collect_definitions, collect_described, collect_types
from rtfs_framework.lang.analyzer.modules import Modules, import_into
from rtfs_framework.lang.analyzer.scope import Scope
from rtfs_framework.lang.annotations import TYPE_CHECKING, Literal, Sequence
from rtfs_framework.lang.check.effects import infer_effects
from rtfs_framework.lang.check.memo import memos_of
from rtfs_framework.lang.check.run import check_program
from rtfs_framework.lang.codegen.artifact import Artifact
from rtfs_framework.lang.codegen.program import emit_program
from rtfs_framework.lang.codegen.unit import Unit
from rtfs_framework.lang.diagnostics import Diagnostic, bounded
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.expander.macros import MacroCompiler, MacroTable
from rtfs_framework.lang.forms import Form
from rtfs_framework.lang.garbage import no_collection
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.library import Delegatable, FindModule, Library, no_modules, nothing_delegatable
from rtfs_framework.lang.meter import NESTING
from rtfs_framework.lang.passes.table import ALL, optimise
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.sha import sha256
from rtfs_framework.lang.signature import SiteKind
from rtfs_framework.lang.source import Source, Span
from rtfs_framework.lang.stack import room_for_recursion

if TYPE_CHECKING:
    from types import CodeType

    from rtfs_framework.lang.check.contracts import Contracts
    from rtfs_framework.lang.flows.model import Flows


@records.frozen(kw_only=True)
class Surroundings:
    """What a compilation is told of the world around the program."""

    library: Library
    """The names that it may use without defining them."""
    compile_macro: MacroCompiler
    delegatable: Delegatable = nothing_delegatable
    """Which of its functions a route or an engine may claim."""
    find_module: FindModule = no_modules
    preloaded: tuple[str, ...] = ()
    """Modules loaded before the program, under their full names."""
    nesting: int = NESTING
    """Levels of brackets that a text may have."""
    metered: bool = True
    """Whether the code takes steps (see `codegen.metering`)."""
    passes: frozenset[str] = ALL
    """Which passes run (`passes.table`)."""
    flows: Literal["", "sites", "ways"] = ""
    """Whether flows are found out too (`lang.flows`), and by which way sources come to places."""
    contracts: Contracts | None = None
    """What capabilities take and give, where calls of them are to be checked by it."""
    verified: bool = False
    """Whether the IR is verified after every pass: for tests, and for whoever writes a pass."""


@no_collection()
@room_for_recursion()
def compile_program(source: Source, around: Surroundings) -> Artifact:
    """Compile a program.

    Raises:
        LanguageError: the program is refused; carries one diagnostic per broken top-level form.
    """
    macros, modules = MacroTable(around.compile_macro), Modules(around.find_module, around.nesting)
    analyzer = Analyzer(source, around.library, around.delegatable, macros, modules)
    program = analyze(analyzer, read_program(source, nesting=around.nesting), around.preloaded)
    diagnostics, facts = check_program(program, analyzer, around.contracts)
    artifact = assemble(analyzer, program, Unit(metered=around.metered), source, digest(analyzer.sources), around)
    flows = _flows(program, analyzer, around) if around.flows else None
    effects, memos = infer_effects(facts), memos_of(facts)
    return records.evolve(artifact, diagnostics=tuple(diagnostics), effects=effects, memos=memos, flows=flows)


def _flows(program: ir.Program, analyzer: Analyzer, around: Surroundings) -> Flows:
    from rtfs_framework.lang.flows.analyse import analyse as analyse_flows

    return analyse_flows(program, around.library, analyzer.place, explained=around.flows == "ways")


def assemble(
    analyzer: Analyzer, program: ir.Program, unit: Unit, source: Source, digested: str, around: Surroundings
) -> Artifact:
    """Return the code and tables of an analyzed program; `source` names the code.

    Raises:
        LanguageError: E0107, the program nests deeper than Python can compile.
    """
    try:
        made = optimise(program, around.library, around.passes, verified=around.verified)
        module = emit_program(made, unit, around.passes)
    except RecursionError:
        raise LanguageError([too_deep(source)]) from None
    code = to_code(module, source)
    return Artifact(
        sources=tuple(analyzer.sources),
        digest=digested,
        code=code,
        constants=tuple(unit.constants),
        checked=tuple(unit.checked),
        types=dict(analyzer.types),
        builtins=tuple(unit.builtins.items()),
        helpers=tuple(unit.helpers),
        spans=tuple(unit.spans),
        globals=dict(unit.globals),
        functions=dict(unit.functions),
        links=tuple(unit.links),
        metered=unit.metered,
        signatures=program.signatures,
        sites=tuple(analyzer.sites),
        diagnostics=tuple(analyzer.findings),
    )


def digest(sources: Sequence[Source]) -> str:
    """Return the SHA-256 of texts in order."""
    texts = [source.text.encode("utf-8", "surrogatepass") for source in sources]
    return sha256(b"".join(b"%d:%b" % (len(text), text) for text in texts)).hexdigest()


def analyze(analyzer: Analyzer, forms: tuple[Form, ...], preloaded: tuple[str, ...] = ()) -> ir.Program:
    """Return the IR of a program's forms.

    Raises:
        LanguageError: with the diagnostics of every top-level form that was refused.
    """
    named = collect_definitions(forms)
    analyzer.defined.update(named)
    analyzer.namespace.own.update(named)
    analyzer.described.update(collect_described(forms))
    analyzer.namespace.types.update(collect_types(forms))
    top = Scope(None, ir.FunctionFrame(None), is_top=True)
    nodes: list[ir.Node] = []
    for name in preloaded:
        module, defining = analyzer.modules.load(analyzer, name, Span(0, 0))
        import_into(analyzer.namespace, module, None, None)
        nodes += defining
    refused: list[Diagnostic] = []
    for form in forms:
        node, found = _analyze_one(analyzer, form, top)
        nodes += laid_out(node)
        refused += found
    _forget_defined(analyzer)
    if refused:
        raise LanguageError(bounded(refused), analyzer.findings)
    defined = frozenset(analyzer.defined)
    functions = defined - analyzer.valued
    own, types = frozenset(analyzer.namespace.own) & defined, dict(analyzer.types)
    return ir.Program(tuple(nodes), own, functions, tuple(analyzer.signatures), types=types)


def _analyze_one(analyzer: Analyzer, form: Form, top: Scope) -> tuple[ir.Node, Sequence[Diagnostic]]:
    """Return the IR of one top-level form, and why it was refused if it was: one mistake does not hide the next."""
    analyzer.outermost = form
    try:
        return analyzer.analyze(form, top), ()
    except LanguageError as error:
        return ir.Const(None, form.span), error.diagnostics
    except RecursionError:
        return ir.Const(None, form.span), (too_deep(analyzer.source, form.span),)


def _forget_defined(analyzer: Analyzer) -> None:
    """A macro may define a name after its first use: such uses are neither unknown nor the host's.

    A name that the program itself sets in the host's context is the host's, and known.
    """
    late = analyzer.namespace.own & analyzer.defined.keys()
    analyzer.sites[:] = [s for s in analyzer.sites if not (s.kind is SiteKind.HOST_NAME and s.name in late)]
    known = late | analyzer.context_set
    analyzer.findings[:] = [f for f in analyzer.findings if f.code != "E0203" or _text(analyzer, f.span) not in known]


def _text(analyzer: Analyzer, span: Span | None) -> str:
    return "" if span is None else analyzer.sources[span.source].text[span.start : span.end]


def to_code(module: ast.Module, source: Source) -> CodeType:
    """Compile a Python module.

    Raises:
        LanguageError: E0107, the program nests deeper than Python can compile.
    """
    try:
        # Interned, for frames are told apart by the identity of this name, and a growing program has many codes.
        name = intern(f"<rtfs {source.name}>")
        return compile(module, name, "exec", dont_inherit=True, optimize=0)
    except (RecursionError, MemoryError, SyntaxError):
        raise LanguageError([too_deep(source)]) from None


def too_deep(source: Source, span: Span | None = None) -> Diagnostic:
    """Return the finding for a program, or a form of one, that is nested too deeply to compile."""
    message, span = "nested too deeply to compile", span or Span(0, min(1, len(source.text)))
    return Diagnostic(code="E0107", message=message, source=source, span=span, help="name the inner parts with defn")
