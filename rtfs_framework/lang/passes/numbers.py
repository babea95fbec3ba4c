"""Numbers: which nodes surely give an integer, a float, text or a vector, so that codegen can leave the class test out.

In: a node, the kinds of some variables, and what is known of the functions that are called (`versions`). Out: the kind
of every variable that has one. Every fact holds on every path: a variable is bound once, and a loop's variables keep a
kind only if the first value and every `recur` have it (a greatest fixpoint, reached by giving up what is refuted).
"""

from __future__ import annotations

from itertools import chain

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Iterable, Mapping, Protocol, Sequence
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import LEAVES, everything, jumps, parts
from rtfs_framework.lang.library import Op
from rtfs_framework.lang.passes import kinds, proofs
from rtfs_framework.lang.passes.kinds import Kind
from rtfs_framework.lang.types import model as ty
from rtfs_framework.lang.types.model import OptionalType, Primitive, Type
from rtfs_framework.lang.types.names import Lookup


@records.define(eq=False)
class Version:
    """A function compiled again for arguments of known kinds (None: of any) in its parameters' order."""

    fn: ir.Fn
    kinds: tuple[Kind | None, ...]
    returns: Kind | None
    vars: dict[ir.Var, Kind]
    types: dict[ir.Var, Type] = records.field(factory=dict)
    gives: Type | None = None
    """The type that its result surely fits."""
    name: str = ""
    """Its Python name, once it is known."""

    def takes(self, given: Sequence[Kind | None]) -> bool:
        """Tell whether arguments of these kinds are what it is made for; that those of declared types fit is proved."""
        wanted = zip(self.fn.params, self.kinds, given, strict=True)
        return all(kind is None or kind is other or param.type is not None for param, kind, other in wanted)


class Callees(Protocol):
    """What is known of a program's top-level functions."""

    def find(self, name: str, args: Sequence[ir.Node], numbers: Numbers) -> tuple[Version | None, Kind | None]:
        """Return the version that a call goes to, and what the call surely gives."""
        ...

    def declared(self, name: str) -> Type | None:
        """Return the type that what a function gives surely fits, if it declares one."""
        ...


class Numbers:
    """Kinds of variables and, for functions with a special version, of their results."""

    def __init__(
        self, known: Mapping[ir.Var, Kind] | None = None, callees: Callees | None = None, lookup: Lookup | None = None
    ) -> None:
        self.vars: dict[ir.Var, Kind] = dict(known or {})
        self.types: dict[ir.Var, Type] = {}
        """Types that variables surely fit, where they say more than a kind."""
        self.lookup = lookup
        """What types' names stand for, for good; None where nobody knows that."""
        self.widths: dict[ir.Var, int] = {}
        """Most bits of integer variables (`widths`), noted while code is made."""
        self.naturals: set[ir.Var] = set()
        """Integer variables that are never negative (`naturals`), noted while code is made."""
        self.callees = callees
        self.place = 0
        """Which of the program's top-level forms is looked at: functions that stand after it may not exist yet."""
        self.supposed = 0
        """How many kinds are only supposed, behind tests."""
        self._by_var: dict[ir.Var, Version] = {}
        self._declared: dict[ir.Var, Type] = {}
        """What local functions declare of their results."""
        self._fitting: dict[tuple[ir.Node, int], tuple[Type, bool]] = {}
        """Whether nodes fit types, with the types, whose ids are the keys: Python's equality of types is not RTFS's."""
        self._found: dict[ir.Node, Kind | None] = {}
        """Kinds of nodes, as long as nothing more is learned: what nests is looked at once."""

    def enter(self, var: ir.Var, special: Version) -> None:
        """Let calls of a local function go to its special version from now on."""
        self._by_var[var] = special
        self._forget()

    def assume(self, known: dict[ir.Var, Kind]) -> None:
        """Forget what was learned of variables, and begin with something else."""
        self.vars, self.types = known, {}
        self._forget()

    def _forget(self) -> None:
        """Forget what rests on what is known of variables and functions."""
        self._found.clear()
        self._fitting.clear()

    def within(self, special: Version) -> Numbers:
        """Return what is known inside a special version."""
        inner = self.beside({})
        inner.vars, inner.types = special.vars, special.types
        return inner

    def beside(self, known: Mapping[ir.Var, Kind]) -> Numbers:
        """Return a copy that knows more."""
        made = Numbers({**self.vars, **known}, self.callees, self.lookup)
        made.types, made._declared = dict(self.types), dict(self._declared)
        made.place, made._by_var = self.place, dict(self._by_var)
        return made

    def supposing(self, var: ir.Var, kind: Kind) -> Numbers:
        """Return what is known where a variable is of a kind: more is to be learned there."""
        made = self.beside({var: kind})
        made.widths, made.naturals, made.supposed = dict(self.widths), set(self.naturals), self.supposed
        return made

    def special(self, node: ir.Call) -> Version | None:
        """Return the special version that a call may go to: its arguments are of the kinds that it takes."""
        return self._callee(node)[0]

    def fits(self, node: ir.Node, declared: Type) -> bool:
        """Tell whether what a node gives surely fits a type."""
        key = (node, id(declared))
        if key not in self._fitting:
            self._fitting[key] = declared, proofs.fits(node, declared, self)
        return self._fitting[key][1]

    def all_fit(self, args: Sequence[ir.Node], fn: ir.Fn) -> bool:
        """Tell whether arguments surely fit what a function declares of its parameters."""
        pairs = zip(args, fn.params, strict=True)
        return all(param.type is None or self.fits(arg, param.type) for arg, param in pairs)

    def declared(self, function: ir.Node) -> Type | None:
        """Return the type that what a function gives surely fits, if it is known and declares one."""
        match function:
            case ir.Local(var=var):
                return self._declared.get(var)
            case ir.Global(name=name) if self.callees is not None:
                return self.callees.declared(name)
            case _:
                return None

    def gives(self, node: ir.Call) -> Type | None:
        """Return the type that what a function gives for these arguments surely fits."""
        special = self.special(node)
        known = None if special is None else special.gives
        return self.declared(node.function) if known is None else known

    def _callee(self, node: ir.Call) -> tuple[Version | None, Kind | None]:
        target = node.function
        if isinstance(target, ir.Local):
            found = self._by_var.get(target.var)
            if found is not None and len(node.args) == len(found.kinds) and found.takes(self.given(node.args)):
                return (found, found.returns) if self.all_fit(node.args, found.fn) else (None, None)
        elif isinstance(target, ir.Global) and self.callees is not None:
            return self.callees.find(target.name, node.args, self)
        return None, None

    def given(self, args: Sequence[ir.Node]) -> list[Kind | None]:
        """Return the kinds of arguments."""
        return [self.kind(arg) for arg in args]

    def kind(self, node: ir.Node) -> Kind | None:
        """Return what a node surely gives, or None."""
        if node not in self._found:
            self._found[node] = self._kind(node)
        return self._found[node]

    def _kind(self, node: ir.Node) -> Kind | None:  # noqa: C901, PLR0912 - one case per kind of node
        match node:
            case ir.Const(value=value):
                return kinds.of_value(value)
            case ir.Local(var=var):
                return self.vars.get(var)
            case ir.Call(function=ir.Builtin() as function) if kinds.fails_for_nil(function):
                return kinds.result(function, [self.kind(arg) or self._if_any(arg) for arg in node.args])
            case ir.Call(function=ir.Builtin() as function):
                return kinds.result(function, self.given(node.args)) or self._of_entry(node)
            case ir.Call(function=ir.Const()):
                return self._of_entry(node)
            case ir.Call():
                return self._callee(node)[1]
            case ir.If():
                return self._join((node.then, node.otherwise))
            case ir.Do(items=items):
                return self.kind(items[-1]) if items else None
            case ir.And(items=items) | ir.Or(items=items):
                return Kind.BOOL if all(self.kind(item) is Kind.BOOL for item in items) else None
            case ir.Loop(inits=inits):
                return Kind.NEVER if any(self.kind(init) is Kind.NEVER for init in inits) else self.kind(node.body)
            case ir.Inlined():
                return self.kind(node.body)
            case ir.Look(op=op):
                known = Kind.INT if op == Op.COUNT else Kind.BOOL if op in (Op.EMPTY, Op.HAS, Op.BEGUN) else None
                return known or self._held(node)
            case ir.Each(acc=None):
                return None if node.alike and self.kind(node.source) is not Kind.VECTOR else Kind.VECTOR
            case ir.Each(acc=acc):
                kind = None if acc is None else self.vars.get(acc)
                return kind if node.none is None or self.kind(node.none) is kind else None
            case ir.Match():
                return self._join(clause.body for clause in node.clauses)
            case ir.Try():
                return self._join((node.body, *(catch.body for catch in node.catches)))
            case ir.Bind() | ir.Check():
                return kinds.of_type(node.type, self.lookup) or self.kind(node.value)
            case ir.VectorNode() | ir.Fresh(is_map=False) | ir.Grow(is_map=False):
                return Kind.VECTOR
            case ir.MapNode() | ir.Fresh() | ir.Grow():
                return Kind.MAP
            case ir.Recur() | ir.Fail() | ir.Stop():
                return Kind.NEVER
            case _:
                return None

    def _of_entry(self, node: ir.Call) -> Kind | None:
        """Return the kind of what a look-up gives, if the collection is of a known type."""
        return kinds.of_type(proofs.type_of(node, self), self.lookup)

    def _held(self, node: ir.Look) -> Kind | None:
        """Return the kind of what a look into a collection that is changed in place gives."""
        match node, self.types.get(node.var):
            case ir.Look(op=Op.GET, args=[_, default]), ty.MapOfType(_, item):
                others = [self.kind(default)]
            case ((ir.Look(op=Op.NTH) | ir.Look(op=Op.PEEK, args=[_, ir.Const(value=True)])), ty.VectorType(item)):
                others = []
            case _:
                return None
        return _one([Kind.NEVER if item is Primitive.NEVER else kinds.of_type(item, self.lookup), *others])

    def _if_any(self, node: ir.Node) -> Kind | None:
        """Return the kind of what a node gives, if that is not nil."""
        known = proofs.type_of(node, self)
        return kinds.of_type(known.type, self.lookup) if isinstance(known, OptionalType) else None

    def _join(self, nodes: Iterable[ir.Node]) -> Kind | None:
        return _one(self.kind(node) for node in nodes)

    # -- learning ------------------------------------------------------------------------------------------------

    def learn(self, node: ir.Node) -> None:
        """Note the kinds of all variables bound in a node."""
        if isinstance(node, ir.Loop):
            self._learn_loop(node)
            return
        if isinstance(node, ir.Each):
            self._learn_each(node)
            return
        if isinstance(node, ir.Fn):
            self.note_params(node)
        elif isinstance(node, ir.Letrec):
            declared = ((var, fn.signature.returns) for var, fn in node.bindings if not fn.linked)
            self._declared.update((var, returns) for var, returns in declared if returns is not None)
            self._forget()
        elif isinstance(node, ir.Match):
            subject = proofs.type_of(node.value, self)
            for clause in node.clauses:
                self._note_pattern(clause.pattern, subject)
        for part in parts(node):
            if part.__class__ not in LEAVES:
                self.learn(part)
        if isinstance(node, ir.Bind) and isinstance(node.pattern, ir.PVar):
            self._note(node.pattern.var, self.kind(node))
            self._note_type(node.pattern.var, proofs.type_of(node, self))

    def note_params(self, fn: ir.Fn) -> None:
        """Note what a function's declared types say of its parameters, once they were checked."""
        for param in fn.params:
            if isinstance(param.pattern, ir.PVar) and param.type is not None:
                self._note_of_type(param.pattern.var, param.type)

    def _note_type(self, var: ir.Var, known: Type | None) -> None:
        if known is None or var.leaves_part:
            known = self.types.pop(var, None)
        elif self.types.get(var) is not known:
            self.types[var] = known
        else:
            return
        if known is not None:
            self._forget()

    def _note(self, var: ir.Var, kind: Kind | None) -> None:
        if kind is None or var.leaves_part:  # which is bound before its form too
            kind = self.vars.pop(var, None)
        elif self.vars.get(var) is not kind:
            self.vars[var] = kind
        else:
            return
        if kind is not None:
            self._forget()

    def _note_pattern(self, pattern: ir.Pattern, known: Type | None) -> None:
        """Note what is known where a pattern fits a value, of a type that is known or not."""
        match pattern:
            case ir.PVar(var=var):
                self._note_of_type(var, known)
            case ir.PType(type=asked, pattern=inner):
                self._note_pattern(inner, asked)
            case ir.PAs(var=var, pattern=inner):
                self._note_of_type(var, inner.type if isinstance(inner, ir.PType) else known)
                self._note_pattern(inner, known)
            case ir.PVector(items=items):
                for item, part in zip(items, proofs.parts_of(pattern, known, self.lookup), strict=True):
                    self._note_pattern(item, part)
            case ir.PMap(entries=entries):
                for entry in entries:
                    found = proofs.under(entry.key, known, self.lookup)
                    self._note_pattern(entry.pattern, None if found is None else found.type)
            case _:
                return

    def _note_of_type(self, var: ir.Var, known: Type | None) -> None:
        self._note(var, kinds.of_type(known, self.lookup))
        self._note_type(var, known)

    def _learn_loop(self, node: ir.Loop) -> None:
        for init in node.inits:
            self.learn(init)
        firsts = [self.kind(init) for init in node.inits]
        while True:
            for var, kind in zip(node.vars, firsts, strict=True):
                self._note(var, kind)
            self._learn_body(node.body, dict(zip(node.vars, node.inits, strict=True)))
            refuted = self.refuted(node.body, firsts, None)
            if not refuted:
                return
            firsts = [None if i in refuted else kind for i, kind in enumerate(firsts)]

    def _learn_each(self, node: ir.Each) -> None:
        for part in (node.init, node.source, node.none):
            if part is not None:
                self.learn(part)
        self._note_of_type(node.item, proofs.item_of(node.source, self))
        if node.acc is not None:
            self._note(node.acc, None if node.init is None else self.kind(node.init))
        self._learn_body(node.body, {} if node.acc is None or node.init is None else {node.acc: node.init})
        stops = any(isinstance(part, ir.Stop) for part in everything((node.body,)))
        if node.acc in self.vars and (stops or self.kind(node.body) not in (self.vars[node.acc], Kind.NEVER)):
            self._note(node.acc, None)
            self.learn(node.body)
        if node.plain is not None:
            self.learn(node.plain)

    def _learn_body(self, body: ir.Node, inits: Mapping[ir.Var, ir.Node]) -> None:
        """Learn what is in a loop's body, and what collections hold that it changes in place.

        At first such a collection holds nothing. Then it holds what was put into it, if that stays so.
        """
        fresh = {var: init for var, init in inits.items() if isinstance(init, ir.Fresh)}
        inside = everything((body,)) if fresh else ()
        if any(isinstance(part, ir.Loop | ir.Each) for part in inside):
            fresh.clear()  # inner loops would be looked at again and again
        held: dict[ir.Var, Kind | None] = dict.fromkeys(fresh, Kind.NEVER)
        while True:
            for var, kind in held.items():
                item = None if kind is None else proofs.OF_KIND.get(kind)
                whole = (
                    ty.MapOfType(Primitive.ANY, item or Primitive.ANY)
                    if fresh[var].is_map
                    else ty.VectorType(item or Primitive.ANY)
                )
                self._note_type(var, whole)
            self.learn(body)
            found = {var: self._put(var, init, inside) for var, init in fresh.items()}
            found = {var: kind if held[var] in (kind, Kind.NEVER) else None for var, kind in found.items()}
            if found == held:
                return
            held = found

    def _put(self, var: ir.Var, init: ir.Fresh, inside: Iterable[ir.Node]) -> Kind | None:
        """Return the kind of all that a collection holds at first and that is put into it."""
        match init.value:
            case ir.VectorNode(items=items):
                first = items
            case ir.MapNode(pairs=pairs):
                first = tuple(value for _, value in pairs)
            case ir.Const(value=tuple() as values):
                first = tuple(ir.Const(value, init.span) for value in values)
            case _:
                return None
        grown = (part for part in inside if isinstance(part, ir.Grow) and part.var is var)
        more = (part.parts[1::2] if part.is_map or part.put else part.parts for part in grown)
        return self._join((*first, *chain.from_iterable(more)))

    def refuted(self, body: ir.Node, assumed: Sequence[Kind | None], frame: ir.FunctionFrame | None) -> set[int]:
        """Return the places where some `recur` of this loop passes another kind; what is never passed refutes none."""
        return {
            i
            for jump in jumps(body, frame)
            for i, (kind, arg) in enumerate(zip(assumed, jump.args, strict=False))
            if kind is not None and self.kind(arg) not in (kind, Kind.NEVER)
        }


def _one(found: Iterable[Kind | None]) -> Kind | None:
    """Return the kind of what gives values of one of several kinds."""
    known = {*found} - {Kind.NEVER}
    return known.pop() if len(known) == 1 else None if known else Kind.NEVER
