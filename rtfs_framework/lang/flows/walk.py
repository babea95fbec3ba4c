"""One look at one unit: its nodes in the order in which they run, and what each value depends on.

`reached` are the sources that say whether what comes next happens at all. It grows by whatever may fail or not end, and
by the test of a branch in which something may; a branch in which nothing can leaves it as it was.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, Callable, Sequence
from rtfs_framework.lang.flows import patterns
from rtfs_framework.lang.flows.model import Context
from rtfs_framework.lang.flows.state import State, Unit
from rtfs_framework.lang.flows.values import BOTTOM, DATA, MAP, ROWS, Key, Value, bounded, join, lump
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.declassified import call_of
from rtfs_framework.lang.ir.ticketed import is_ticket
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.values import Keyword
from rtfs_framework.lang.vectors import is_vector

MOST_ROUNDS = 64
"""Rounds in which what a loop passes on must stop growing."""
_MOST_PLACES = 16
"""Items of a vector that are told apart."""


class GivenUpError(Exception):
    """The analysis would take too long: everything floats."""


class Walk:
    """See the module."""

    def __init__(self, state: State, unit: Unit, stack: tuple[ir.Fn, ...] = ()) -> None:
        self.state = state
        self.sources = state.sources
        self.unit = unit
        self.stack = stack
        """Functions whose bodies are being looked at where they are called."""
        self.env: dict[ir.Var, Value] = {}
        self.reached = 0
        self.around = 0
        """What the hints in force depend on."""
        self.fails = 0
        self.told = 0
        self.steady = True
        self.conditional = 0
        """How many branches are around what is being looked at."""
        self.maps: frozenset[ir.Var] = frozenset()
        """Variables that hold a map or nil, or an earlier read would have failed."""
        self.feeding: set[int] = set()
        """Functions that whoever got them is calling."""
        self._loops: list[tuple[ir.Var, ...]] = []

    # -- whether what follows happens ----------------------------------------------------------------------------

    def may_fail(self, mask: int, span: Span, told: int = 0) -> None:
        """Note that something may fail or not end because of sources; its error tells of them, and of `told`."""
        self.steady = False
        self.fails |= mask
        self.told |= mask | told
        self.reached |= mask
        self.note(mask, span)

    def note(self, mask: int, span: Span) -> None:
        """Keep where sources first mattered for what follows."""
        new = mask & ~self.unit.known
        if new:
            self.unit.known |= new
            self.unit.because[new] = span

    def branches(self, condition: int, span: Span, bodies: Sequence[Callable[[], Value]]) -> Value:
        """Return what one of some bodies gives; sources say which."""
        before, steady, maps = self.reached, self.steady, self.maps
        after, found, self.steady = before, BOTTOM, True
        self.conditional += 1
        for body in bodies:
            self.reached, self.maps = before | condition, maps
            found = join(found, body())
            after |= self.reached
        self.conditional -= 1
        self.maps = maps
        if self.steady:
            self.reached, self.steady = before, steady
        else:
            self.reached = after
            self.fails |= condition
            self.told |= condition
            self.note(condition, span)
        return found if found is BOTTOM else found.tinted(condition)

    # -- variables -----------------------------------------------------------------------------------------------

    def bind(self, var: ir.Var, value: Value) -> None:
        """Bind a variable; what it held before may still be read elsewhere."""
        if self.conditional:
            value = value.tinted(self.reached) if value is not BOTTOM else value
        made = self.env[var] = join(self.env.get(var, BOTTOM), value)
        self.maps -= {var}
        if var in self.state.captured:
            self.state.add(var, made)

    def look_up(self, var: ir.Var) -> Value:
        """Return what a variable holds."""
        found = self.env.get(var)
        return self.state.read(var, self.unit) if found is None else found

    # -- nodes ---------------------------------------------------------------------------------------------------

    def value(self, node: ir.Node) -> Value:
        """Return what a node may give."""
        handler = _HANDLERS.get(node.__class__)
        self.state.left -= 1
        if handler is None or self.state.left < 0:
            raise GivenUpError
        return handler(self, node)

    def values(self, nodes: Sequence[ir.Node]) -> list[Value]:
        """Return what nodes give, one after the other."""
        return [self.value(node) for node in nodes]

    def check(self, value: Value, declared: Type | None, span: Span) -> None:
        """Note that a value is checked against a type; the error shows the value."""
        if declared is not None:
            tested = patterns.tested(self, declared, value)
            self.may_fail(tested, span, value.flat()[0])

    def _const(self, node: ir.Const) -> Value:
        if isinstance(node.value, Keyword):
            return Value(0, self.state.function("keyword", node.value.name, node.value))
        kind = MAP if node.value.__class__ is Map else ROWS if node.value is None or is_vector(node.value) else DATA
        return Value(0, kind)

    def _local(self, node: ir.Local) -> Value:
        return self.look_up(node.var)

    def _global(self, node: ir.Global) -> Value:
        if self.state.defined_at.get(node.name, self.unit.root) >= self.unit.root:
            self.may_fail(0, node.span)
        return self.state.read(("global", node.name), self.unit)

    def _builtin(self, node: ir.Builtin) -> Value:
        return Value(0, self.state.function("library", node.name, node))

    def _host_name(self, node: ir.HostName) -> Value:
        from rtfs_framework.lang.flows.asking import context_value

        bit = self.sources.bit(Context(node.name))
        self.state.site(node.span, self.unit, self.around, self.reached | self.around)
        self.may_fail(bit, node.span)
        asked = Value(bit, self.state.function("capability", node.name, node.name))
        return join(context_value(self, node.name), asked)

    def _set_global(self, node: ir.SetGlobal) -> Value:
        value = self.value(node.value)
        if self.conditional:
            value = value.tinted(self.reached)
        self.state.add(("global", node.name), value)
        return value

    def _if(self, node: ir.If) -> Value:
        test = self.value(node.test)
        both = (lambda: self.value(node.then), lambda: self.value(node.otherwise))
        return self.branches(test.top, node.span, both)

    def _do(self, node: ir.Do) -> Value:
        found = Value(0, ROWS)
        for item in node.items:
            found = self.value(item)
        return found

    def _bind(self, node: ir.Bind) -> Value:
        value = self.value(node.value)
        self.check(value, node.type, node.span)
        patterns.bind(self, node.pattern, value, node.span)
        return value

    def _letrec(self, node: ir.Letrec) -> Value:
        for var, fn in node.bindings:
            self.bind(var, self._fn(fn))
        return Value(0, ROWS)

    def _junction(self, node: ir.And | ir.Or) -> Value:
        return self._rest_of(node.items, node.span)

    def _rest_of(self, items: tuple[ir.Node, ...], span: Span) -> Value:
        first = self.value(items[0])
        if len(items) == 1:
            return first
        return self.branches(first.top, span, (lambda: first, lambda: self._rest_of(items[1:], span)))

    def _fn(self, node: ir.Fn) -> Value:
        return Value(0, self.state.function("function", node, node))

    def _arities(self, node: ir.Arities) -> Value:
        found = BOTTOM
        for each in node.functions:
            found = join(found, self.value(each))
        return found

    def _call(self, node: ir.Call) -> Value:
        from rtfs_framework.lang.flows.calls import answers_here, call

        if is_ticket(node) and answers_here(self, call_of(node)):
            raise GivenUpError  # what its body asks for depends on all that happens until it is awaited
        return call(self, call_of(node))

    def _loop(self, node: ir.Loop) -> Value:
        for var, init in zip(node.vars, self.values(node.inits), strict=True):
            self.bind(var, init)
        self._loops.append(node.vars)
        for _ in range(MOST_ROUNDS):
            before = self.reached, [self.env[var] for var in node.vars]
            found = self.value(node.body)
            self.may_fail(0, node.span)
            after = self.reached, [self.env[var] for var in node.vars]
            if before[0] == after[0] and all(a is b for a, b in zip(before[1], after[1], strict=True)):
                self._loops.pop()
                return found
        raise GivenUpError

    def _recur(self, node: ir.Recur) -> Value:
        args = self.values(node.args)
        self.may_fail(0, node.span)
        if node.frame is None:
            for var, value in zip(self._loops[-1], args, strict=True):
                self.bind(var, value)
        else:
            from rtfs_framework.lang.flows.calls import enter

            assert self.unit.fn is not None  # noqa: S101 - only a function's body comes back to its beginning
            enter(self, self.unit.fn, args, node.span)
        return BOTTOM

    def _match(self, node: ir.Match) -> Value:
        return patterns.match(self, node)

    def _try(self, node: ir.Try) -> Value:
        fails, told, steady, self.fails, self.told = self.fails, self.told, self.steady, 0, 0
        self.steady, maps = True, self.maps
        self.conditional += 1
        found = self.value(node.body)
        failing, self.steady = not self.steady, steady and self.steady
        because, error = self.fails, Value(self.told, DATA | self.state.read("thrown", self.unit).flat()[1])
        self.conditional -= 1
        self.maps = maps
        if failing and node.catches:
            bodies = [self._handler(catch, error) for catch in node.catches]
            found = join(found, self.branches(because, node.span, bodies)).tinted(because)
        self.fails, self.told = self.fails | fails, self.told | told
        if node.final is not None:
            self.value(node.final)
        return found

    def _handler(self, catch: ir.Catch, error: Value) -> Callable[[], Value]:
        def handle() -> Value:
            for var in catch.vars:
                self.bind(var, error)
            return self.value(catch.body)

        return handle

    def _vector(self, node: ir.VectorNode) -> Value:
        items = self.values(node.items)
        if len(items) <= _MOST_PLACES:
            return bounded(Value(0, ROWS, 0, {("place", place): item for place, item in enumerate(items)}))
        return bounded(Value(0, ROWS, 0, None, self._any_of(items)))

    def _set(self, node: ir.SetNode) -> Value:
        """A set is no row of items: how many it has when one is added depends on what is in it."""
        items = self.values(node.items)
        return Value(lump(*items).flat()[0], DATA, 0, None, self._any_of(items))

    @staticmethod
    def _any_of(items: Sequence[Value]) -> Value:
        found = BOTTOM
        for item in items:
            found = join(found, item)
        return found

    def _map(self, node: ir.MapNode) -> Value:
        fields: dict[Key, Value] = {}
        for key, part in node.pairs:
            fields[key_of(key) or ("other", repr(key))] = self.value(part)
        return bounded(Value(0, MAP, 0, fields))

    def _hinted(self, node: ir.Hinted) -> Value:
        around = self.around
        for _, hint in node.hints:
            value = self.value(hint)
            self.around |= value.flat()[0]
            self.state.site(node.span, self.unit, self.around, self.reached | self.around)
            self.may_fail(0, node.span)
        found = self.value(node.body)
        self.state.site(node.span, self.unit, self.around, self.reached | self.around)
        self.around = around
        return found

    def _check(self, node: ir.Check) -> Value:
        value = self.value(node.value)
        self.check(value, node.type, node.span)
        return value

    def _fail(self, node: ir.Fail) -> Value:
        self.may_fail(0, node.span)
        return BOTTOM


def key_of(value: Any) -> Key | None:
    """Return the key that a constant is in a record, None for one that is looked up otherwise."""
    if isinstance(value, Keyword):
        return "keyword", value.name
    return ("text", value) if value.__class__ is str else None


_HANDLERS: dict[type, Callable[[Walk, Any], Value]] = {
    ir.Const: Walk._const, ir.Local: Walk._local, ir.Global: Walk._global, ir.Builtin: Walk._builtin,
    ir.HostName: Walk._host_name, ir.SetGlobal: Walk._set_global, ir.If: Walk._if, ir.Do: Walk._do,
    ir.Bind: Walk._bind, ir.Letrec: Walk._letrec, ir.And: Walk._junction, ir.Or: Walk._junction, ir.Fn: Walk._fn,
    ir.Arities: Walk._arities, ir.Call: Walk._call, ir.Loop: Walk._loop, ir.Recur: Walk._recur,
    ir.Match: Walk._match, ir.Try: Walk._try, ir.VectorNode: Walk._vector, ir.SetNode: Walk._set,
    ir.MapNode: Walk._map, ir.Hinted: Walk._hinted, ir.Check: Walk._check, ir.Fail: Walk._fail,
}  # fmt: skip
"""A node that is not here is none that the analyzer makes: it cannot be told what it does."""
