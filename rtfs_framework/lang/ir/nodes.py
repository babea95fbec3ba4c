"""IR nodes: frozen records with the span they came from. Dispatch over `Node` is total.

Invariants (the analyzer guarantees, `verify` checks): every `Local` refers to a `Var` bound around it; `Recur` stands
in tail position of its `Loop` or function and has as many arguments; patterns hold each Var once.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Mapping
from rtfs_framework.lang.arity import Shape
from rtfs_framework.lang.ir.loops import *  # noqa: F403 - those that passes make
from rtfs_framework.lang.ir.loops import Made
from rtfs_framework.lang.library import Library, LibraryEntry
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.types.model import Type


@records.define(eq=False)
class Var:
    """A local variable. Identity counts; `number` makes its Python name unique within the program."""

    name: str
    number: int
    owner: FunctionFrame
    looped: bool = False
    """Bound inside a loop of its function: a closure must capture its value, not its cell."""
    leaves_part: bool = False
    """Made by `def` in a part of a form, first set before the form, and read after it."""


@records.define(eq=False)
class FunctionFrame:
    """One Python function being compiled: what its variables belong to."""

    parent: FunctionFrame | None
    loops: bool = False
    """The whole body is a loop, because of a self call in tail position."""


@records.frozen(eq=False)
class Const:
    """A literal value, or quoted data."""

    value: Any
    span: Span


@records.frozen(eq=False)
class Local:
    """A read of a local variable."""

    var: Var
    span: Span


@records.frozen(eq=False)
class Global:
    """A read of a top-level name of the program."""

    name: str
    span: Span


@records.frozen(eq=False)
class Builtin:
    """A library function as a value; without an entry it is one of the compiler's own."""

    name: str
    """The name of its entry, whichever alias was written."""
    span: Span
    entry: LibraryEntry | None = None
    op: str = ""
    """The operation (`lang/library.py: Op`) that it is."""

    @classmethod
    def of(cls, library: Library, name: str, span: Span) -> Builtin:
        """Return the function that a name or an alias stands for."""
        entry = library.get(name)
        return cls(name, span) if entry is None else cls(entry.name, span, entry, entry.op)


@records.frozen(eq=False)
class HostName:
    """A free name: the host's context or capability of that name."""

    name: str
    span: Span


@records.frozen(eq=False)
class SetGlobal:
    """A top-level `def`; its value is the value."""

    name: str
    value: Node
    span: Span


@records.frozen(eq=False)
class If:
    """A branch on truth."""

    test: Node
    then: Node
    otherwise: Node
    span: Span


@records.frozen(eq=False)
class Do:
    """Nodes in order; the value of the last (nil when empty)."""

    items: tuple[Node, ...]
    span: Span


@records.frozen(eq=False)
class Bind:
    """Bind a pattern to a value, for the nodes after it in the same `Do`; its own value is the value."""

    pattern: Pattern
    value: Node
    type: Type | None
    span: Span


@records.frozen(eq=False)
class Letrec:
    """Bind functions that see each other's names, for the nodes after it in the same `Do`."""

    bindings: tuple[tuple[Var, Fn], ...]
    span: Span


@records.frozen(eq=False)
class And:
    """Short-circuit conjunction (at least two items)."""

    items: tuple[Node, ...]
    span: Span


@records.frozen(eq=False)
class Or:
    """Short-circuit disjunction (at least two items)."""

    items: tuple[Node, ...]
    span: Span


@records.frozen(eq=False)
class Param:
    """A parameter: a pattern and its declared type."""

    pattern: Pattern
    type: Type | None


@records.frozen(eq=False)
class Fn:
    """A function. `self_var` names it inside its own body; `captures` are the outer variables that it reads."""

    name: str
    params: tuple[Param, ...]
    rest: Param | None
    body: Node
    returns: Type | None
    signature: FunctionSignature
    frame: FunctionFrame
    captures: tuple[Var, ...]
    linked: bool
    """Whether a hint, route or engine may send its calls elsewhere: its value is linked before it is used."""
    span: Span

    @property
    def shape(self) -> Shape:
        """The least and the most arguments that it takes."""
        return len(self.params), len(self.params) if self.rest is None else None


@records.frozen(eq=False)
class Arities:
    """A function of several arities: the number of arguments says which of the functions is called."""

    functions: tuple[Node, ...]
    span: Span


@records.frozen(eq=False)
class Call:
    """A call: the function, then the arguments from left to right."""

    function: Node
    args: tuple[Node, ...]
    span: Span


@records.frozen(eq=False)
class Loop:
    """`loop`: variables with first values, and a body that may `Recur`."""

    vars: tuple[Var, ...]
    inits: tuple[Node, ...]
    body: Node
    span: Span


@records.frozen(eq=False)
class Recur:
    """The next iteration of the innermost `Loop`, or of the function when `frame` is set."""

    args: tuple[Node, ...]
    frame: FunctionFrame | None
    span: Span


@records.frozen(eq=False)
class Clause:
    """One clause of `match`."""

    pattern: Pattern
    guard: Node | None
    body: Node


@records.frozen(eq=False)
class Match:
    """`match`: the first clause that fits; none is a MatchError."""

    value: Node
    clauses: tuple[Clause, ...]
    span: Span


@records.frozen(eq=False)
class Catch:
    """One catch clause: the kinds it takes (None: all) and the variables bound to the error value."""

    kinds: str | None
    vars: tuple[Var, ...]
    body: Node


@records.frozen(eq=False)
class Try:
    """`try`."""

    body: Node
    catches: tuple[Catch, ...]
    final: Node | None
    span: Span


@records.frozen(eq=False)
class VectorNode:
    """A vector literal."""

    items: tuple[Node, ...]
    span: Span


@records.frozen(eq=False)
class MapNode:
    """A map literal; keys are values known to the compiler, or nodes (symbols in macros)."""

    pairs: tuple[tuple[Any, Node], ...]
    span: Span


@records.frozen(eq=False)
class SetNode:
    """A set literal."""

    items: tuple[Node, ...]
    span: Span


@records.frozen(eq=False)
class Hinted:
    """`^{:runtime.x v} body`: hints in force while the body runs."""

    hints: tuple[tuple[str, Node], ...]
    body: Node
    span: Span


@records.frozen(eq=False)
class Check:
    """A checked cast: the value, or TypeValidationError."""

    value: Node
    type: Type
    span: Span
    result: bool = False
    """Of a function's result: what does not fit is told where it is computed."""


@records.frozen(eq=False)
class Fail:
    """Raises an error that is known before the program runs (a wrong arity, say), when reached."""

    kind: str
    message: str
    span: Span


Node = (
    Const | Local | Global | Builtin | HostName | SetGlobal | If | Do | Bind | Letrec | And | Or | Fn | Arities | Call
    | Loop | Recur | Match | Try | VectorNode | MapNode | SetNode | Hinted | Check | Fail | Made
)  # fmt: skip


@records.frozen(eq=False)
class PVar:
    """Binds anything."""

    var: Var


@records.frozen(eq=False)
class PIgnore:
    """Fits anything and binds nothing."""


@records.frozen(eq=False)
class PLiteral:
    """Fits an equal value (`match` only)."""

    value: Any


@records.frozen(eq=False)
class PVector:
    """Items by position; `rest` takes what is left, `whole` the vector itself."""

    items: tuple[Pattern, ...]
    rest: Pattern | None
    whole: Var | None
    span: Span


@records.frozen(eq=False)
class PMapEntry:
    """A pattern for the value under a key; `default` stands in for a missing key."""

    key: Any
    pattern: Pattern
    default: Node | None = None


@records.frozen(eq=False)
class PMap:
    """Entries by key; `rest` takes the map without the keys used."""

    entries: tuple[PMapEntry, ...]
    rest: Pattern | None
    whole: Var | None
    span: Span


@records.frozen(eq=False)
class PType:
    """`(:int n)`: fits a value of the type (`match` only)."""

    type: Type
    pattern: Pattern


@records.frozen(eq=False)
class PAs:
    """`(:as n pattern)` (`match` only)."""

    var: Var
    pattern: Pattern


Pattern = PVar | PIgnore | PLiteral | PVector | PMap | PType | PAs


@records.frozen(eq=False)
class Program:
    """A whole program: its top-level nodes, what it defines, and what can leave the kernel."""

    body: tuple[Node, ...]
    defined: frozenset[str]
    """The program's own top-level names, those that macros define after their first use included."""
    functions: frozenset[str]
    """Top-level names that only ever hold functions."""
    signatures: tuple[FunctionSignature, ...]
    groups: tuple[tuple[Fn, ...], ...] = ()
    """Functions that jump to each other in tail position (`passes.mutual`): emitted as one loop."""
    types: Mapping[str, Type] | None = None
    """What the names of types stand for; None where that may change (a conversation): there names prove nothing."""
    summaries: dict[Node, Any] = records.field(factory=dict, repr=False)
    """What was seen in a walk of each top-level node (`ir.summary`); passes share it, for most change few nodes."""
