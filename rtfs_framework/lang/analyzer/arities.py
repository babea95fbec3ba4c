"""Functions of several arities: each is a function of its own, and `ir.Arities` chooses by the number of arguments.

A local name of such a function is never bound: its arities have variables, a call with a known number of arguments
reads that of the arity it means, and any other use of the name makes the function that chooses. At top level the
arities have hidden names, which no program can write (`passes.arities` makes calls go straight to them).
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.bindings import annotated, is_colon, is_type_keyword
from rtfs_framework.lang.analyzer.scope import Scope
from rtfs_framework.lang.annotations import Iterable, Sequence
from rtfs_framework.lang.arity import Shape, chosen
from rtfs_framework.lang.forms import Form, ListForm, Name, VectorForm
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.source import Span


@records.frozen(eq=False)
class Arity:
    """One list of parameters with its body, and how many arguments it takes."""

    params: VectorForm
    body: tuple[Form, ...]
    shape: Shape
    span: Span


def shape_of(params: VectorForm) -> Shape:
    """Return the least and the most arguments that parameters take."""
    low, skip = 0, False
    for item in params.items:
        if skip or is_type_keyword(item):
            skip = False
        elif is_colon(item):
            skip = True
        elif isinstance(item, Name) and item.name == "&":
            return low, None
        else:
            low += 1
    return low, low


def read_arities(analyzer: AnalyzerBase, form: ListForm, word: str, clauses: Sequence[Form]) -> tuple[Arity, ...]:
    """Return the arities of a function: `([params] body...)` each.

    Raises:
        LanguageError: E0201, one is malformed, or a number of arguments would fit two.
    """
    from rtfs_framework.lang.analyzer.specials.record import malformed

    made: list[Arity] = []
    for clause in clauses:
        if not (isinstance(clause, ListForm) and clause.items and isinstance(clause.items[0], VectorForm)):
            typed = isinstance(clause, VectorForm)
            what = "the type of its result stands after its parameters" if typed else "its parameters stand in [ ]"
            raise malformed(analyzer, form, word, f"malformed {word}: {what}", at=clause)
        params, body = clause.items[0], clause.items[1:]
        if not body:
            raise malformed(analyzer, form, word, f"malformed {word}: this arity needs a body", at=clause)
        if annotated(analyzer, body, need=1)[0] is not None:
            message = f"malformed {word}: the type of the result stands once, before the arities"
            raise malformed(analyzer, form, word, message, at=body[0])
        arity = Arity(params, body, shape_of(params), clause.span)
        clash = next(filter(None, (_clash(each.shape, arity.shape) for each in made)), None)
        if clash is not None:
            raise malformed(analyzer, form, word, f"malformed {word}: {clash}", at=params)
        made.append(arity)
    return tuple(made)


def _clash(one: Shape, other: Shape) -> str | None:
    """Return what is wrong with two arities; where both take as many arguments, the one with & takes the others."""
    if one[1] is not None and other[1] is not None:
        return f"two arities take {one[0]} argument{'' if one[0] == 1 else 's'}" if one == other else None
    if one[1] is None and other[1] is None:
        return "only one arity takes any number of arguments"
    fixed, open_ = (other, one) if one[1] is None else (one, other)
    return "no arity may have more parameters than the one with &" if fixed[0] > open_[0] else None


def declare(analyzer: AnalyzerBase, var: ir.Var, arities: Sequence[Arity], scope: Scope) -> tuple[ir.Var, ...]:
    """Return the variables that hold a local function's arities: its own, when there is one."""
    if len(arities) == 1:
        return (var,)
    made = tuple(analyzer.hidden_var(var.name, scope) for _ in arities)
    if var in analyzer.bound:
        analyzer.bound.update(dict.fromkeys(made, analyzer.bound[var]))
    analyzer.several[var] = tuple((each.shape, own) for each, own in zip(arities, made, strict=True))
    return made


def value_of(analyzer: AnalyzerBase, var: ir.Var, scope: Scope, span: Span) -> ir.Node:
    """Return a read of a name as a value."""
    several = analyzer.several.get(var)
    if several is None:
        return analyzer.read_var(var, scope, span)
    return ir.Arities(tuple(analyzer.read_var(each, scope, span) for _, each in several), span)


def meant(analyzer: AnalyzerBase, head: Form, scope: Scope, count: int) -> ir.Var | None:
    """Return the variable of the arity that a call with so many arguments means, if its head names a function."""
    var = scope.find(head.name) if analyzer.several and isinstance(head, Name) else None
    several = analyzer.several.get(var, ()) if var is not None else ()
    place = chosen((shape for shape, _ in several), count)
    return None if place is None else several[place][1]


def hidden_names(analyzer: AnalyzerBase, full: str, count: int) -> list[str]:
    """Return new top-level names for the arities of a function, and make them known."""
    made = []
    for _ in range(count):
        made.append(f"{full} {len(analyzer.defined)}")
        analyzer.defined[made[-1]] = 1
    return made


def whole(signatures: Sequence[FunctionSignature]) -> FunctionSignature:
    """Return the signature of a function from those of its arities."""
    if len(signatures) == 1:
        return signatures[0]
    longest = max(signatures, key=lambda each: len(each.parameters))
    return records.evolve(longest, arities=tuple(signatures))


def laid_out(node: ir.Node) -> Iterable[ir.Node]:
    """Return the top-level nodes that a form stands for: the arities of a function are defined before it."""
    match node:
        case ir.SetGlobal(value=ir.Do(items=(*sets, ir.Arities() as value))):
            return (*sets, records.evolve(node, value=value))
        case _:
            return (node,)


def is_function(node: ir.Node) -> bool:
    """Tell whether a value that is defined is a function as written."""
    match node:
        case ir.Fn() | ir.Do(items=(*_, ir.Arities())):
            return True
        case _:
            return False
