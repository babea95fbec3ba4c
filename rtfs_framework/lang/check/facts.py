"""What the checks know of a program: collected once, in one walk, and shared by all of them."""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import TYPE_CHECKING, Any, Mapping, Sequence, TypeVar
from rtfs_framework.lang.arity import chosen
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.declassified import DECLASSIFY, call_of
from rtfs_framework.lang.ir.summary import all_by_kind, settings
from rtfs_framework.lang.ir.ticketed import TICKET
from rtfs_framework.lang.library import Library
from rtfs_framework.lang.source import Place, Source, Span
from rtfs_framework.lang.types.model import MapType, Type

if TYPE_CHECKING:
    from rtfs_framework.lang.analyzer.base import AnalyzerBase
    from rtfs_framework.lang.analyzer.namespaces import Imported, Namespace
    from rtfs_framework.lang.check.contracts import Contracts


N = TypeVar("N", bound=ir.Node)

KINDS = {
    "E0204": ("ArityMismatch", "error"),
    **dict.fromkeys(("E0205", "E0321", "E0322"), ("TypeError", "error")),
    **dict.fromkeys(("E0230", "E0231", "E0232", "E0233"), ("Unused", "hint")),
    "E0234": ("Shadowing", "hint"),
    **dict.fromkeys(("E0240", "E0241", "E0242", "E0243"), ("Unreachable", "warning")),
    "E0247": ("InvalidArgument", "error"),
    "E0320": ("TypeValidationError", "error"),
    "E0323": ("MatchError", "warning"),
    "E0324": ("TypeValidationError", "warning"),
}
"""The codes of the checks: what kind of error each amounts to when the program runs, and how severe it is."""


@records.frozen(eq=False)
class Facts:
    """What is known of a program besides its IR."""

    sources: Sequence[Source]
    library: Library
    types: Mapping[str, Type]
    """Types that the program names."""
    type_mentions: tuple[tuple[str, Span], ...]
    """Where it names them, by their full names; unknown ones too."""
    written_by_macros: frozenset[Span]
    """Calls of the program's own macros: what they expand to is not what the author wrote."""
    imports: tuple[Imported, ...]
    bound: Mapping[ir.Var, Span]
    """Where the author wrote the names of variables."""
    namespaces: tuple[Namespace, ...]
    """The modules that were loaded."""
    program: ir.Program
    by_kind: Mapping[type, list[Any]]
    """Every node of the program by its class, in order."""
    functions: Mapping[str, tuple[ir.Fn, ...]]
    """Top-level functions that are defined once, arity by arity."""
    locals: Mapping[ir.Var, ir.Fn]
    """Local functions."""
    structs: Mapping[str, MapType]
    """Constructors of structs."""
    constants: frozenset[str]
    """Top-level names that are set at one place only."""
    set_names: frozenset[str]
    """All top-level names that are set."""
    contracts: Contracts
    """What capabilities that it may call take and give."""

    def of(self, kind: type[N]) -> list[N]:
        """Return the nodes of a class, in order."""
        return self.by_kind.get(kind, [])

    def finding(
        self, span: Span, code: str, message: str, way_out: str | None = None, severity: str | None = None
    ) -> Diagnostic:
        """Return a finding about a place of the program; its code says of what kind it is, and how severe."""
        kind, usual = KINDS[code]
        source = self.sources[span.source]
        return Diagnostic(
            code=code, message=message, source=source, span=span, help=way_out, kind=kind, severity=severity or usual
        )

    def place(self, span: Span) -> Place:
        """Return a span's start as file, line and column."""
        source = self.sources[span.source]
        return Place(source.name, *source.place(span.start))

    def text(self, span: Span) -> str:
        """Return what is written at a span."""
        return self.sources[span.source].text[span.start : span.end]

    def function_of(self, node: ir.Node) -> tuple[ir.Fn, ...]:
        """Return the function of the program that a node surely means, arity by arity; else nothing."""
        match node:
            case ir.Fn():
                return (node,)
            case ir.Global(name=name):
                return self.functions.get(name, ())
            case ir.Local(var=var):
                return (self.locals[var],) if var in self.locals else ()
            case ir.Arities(functions=functions):
                return tuple(fn for each in functions for fn in self.function_of(each))
            case ir.Do(items=(ir.Letrec(), (ir.Local() | ir.Arities()) as value)):
                return self.function_of(value)
            case _:
                return ()

    def called(self, node: ir.Call) -> ir.Fn | None:
        """Return what a call surely calls, if it is one of the program's functions."""
        found = self.function_of(node.function)
        place = chosen((fn.shape for fn in found), len(node.args)) if len(found) > 1 else 0
        return found[place] if found and place is not None else None


def collect(program: ir.Program, analyzer: AnalyzerBase, contracts: Contracts | None = None) -> Facts:
    """Return the facts about a program that an analyzer has just made."""
    count, found = settings(program), all_by_kind(program)
    if not {DECLASSIFY, TICKET}.isdisjoint(node.name for node in found.get(ir.Builtin, ())):
        found[ir.Call] = [call_of(node) for node in found[ir.Call]]
    once = [node for node in found.get(ir.SetGlobal, ()) if count[node.name] == 1]
    return Facts(
        sources=analyzer.sources,
        library=analyzer.library,
        types=analyzer.types,
        type_mentions=tuple(analyzer.type_mentions),
        written_by_macros=frozenset(analyzer.written_by_macros),
        imports=tuple(analyzer.imports),
        bound=analyzer.bound,
        namespaces=tuple(analyzer.modules.namespaces.values()),
        program=program,
        by_kind=found,
        functions=_functions(once),
        locals={var: fn for node in found.get(ir.Letrec, ()) for var, fn in node.bindings},
        structs={node.name: made for node in once if (made := _struct(node.value)) is not None},
        constants=frozenset(node.name for node in once),
        set_names=frozenset(count),
        contracts={name: each for name, each in (contracts or {}).items() if name not in count},
    )


def _functions(once: list[ir.SetGlobal]) -> dict[str, tuple[ir.Fn, ...]]:
    found: dict[str, tuple[ir.Fn, ...]] = {n.name: (n.value,) for n in once if isinstance(n.value, ir.Fn)}
    for node in once:
        if isinstance(node.value, ir.Arities):
            names = [each.name for each in node.value.functions if isinstance(each, ir.Global)]
            found[node.name] = tuple(fn for name in names for fn in found[name])
    return found


def _struct(node: ir.Node) -> MapType | None:
    """Return the type of the struct whose constructor a node makes."""
    if isinstance(node, ir.Call) and isinstance(node.function, ir.Builtin) and node.function.name == "%struct":
        declared = node.args[1]
        if isinstance(declared, ir.Const) and isinstance(declared.value, MapType):
            return declared.value
    return None
