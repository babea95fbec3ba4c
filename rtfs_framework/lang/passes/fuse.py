"""Fusion: `map`, `filter`, `reduce` and their kin over functions that stand there become one loop over the source.

In: a program. Out: the same, with calls of known shape as `Each`. One step alone keeps its order of calls and errors,
so its function may do anything, but for a `map` that may ask the host: the kernel makes such calls at once. Several
steps become one loop only if all are plain (`known`): their calls then happen in another order, which nobody can see
unless one fails. Then the loop is given up and the steps run one by one, so that the error is the one that comes first
step by step.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Callable, Sequence
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.summary import settings, summary
from rtfs_framework.lang.ir.walk import everything, rebuild
from rtfs_framework.lang.library import Gives, Library, Op
from rtfs_framework.lang.passes import loop_bodies
from rtfs_framework.lang.passes.copying import Copy, Fresh
from rtfs_framework.lang.passes.inline import MOST_REPEATED, is_small, is_whole, settled
from rtfs_framework.lang.passes.known import asking, is_plain, may_ask
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.values import Keyword

_STEPS = frozenset({Op.MAP, Op.FILTER, Op.REMOVE, Op.KEEP})
_NONE_FOUND = {Op.EVERY: True, Op.NOT_EVERY: False, Op.ANY: False, Op.NOT_ANY: True, Op.SOME: None}
"""What an end gives when no item settles it."""
_ENDS = frozenset({*_NONE_FOUND, Op.REDUCE})
_FUSED = frozenset({*_STEPS, *_ENDS, "%for", "%dotimes"})
_WITH_START = 3
"""Arguments of a `reduce` that has a value to start from."""


@records.frozen(eq=False)
class _Step:
    """One call of a pipeline: what it does with an item, by a function that is known."""

    called: ir.Builtin
    function: ir.Node
    span: Span

    @property
    def op(self) -> str:
        """The operation."""
        return self.called.op


def fuse(program: ir.Program, library: Library) -> ir.Program:
    """Return the program with pipelines as loops."""
    if not any(_may_fuse(program, node) for node in program.body):
        return program
    around = _Around(library, Fresh(program), asking(program, library), {}, _is_reducing(program))
    top = ir.FunctionFrame(None)
    body: list[ir.Node] = []
    for node, name, fn in settled(program):
        if fn is not None:
            around.defined[name] = fn  # its own body runs when it is defined
        body.append(_Fusing(around, top).go(node) if _may_fuse(program, node) else node)
    return records.evolve(program, body=tuple(body))


def _may_fuse(program: ir.Program, node: ir.Node) -> bool:
    """Tell whether a top-level node names what a pipeline or an iteration is made of."""
    return not summary(program, node).functions.isdisjoint(_FUSED)


@records.frozen(eq=False)
class _Around:
    """What is the same in every function of a program."""

    library: Library
    fresh: Fresh
    asking: frozenset[str]
    """Functions that may ask the host: the kernel makes the calls of a `map` of one at once."""
    defined: dict[str, ir.Fn]
    """The top-level functions that are defined before the form at hand, or by it."""
    reducing: bool
    """Whether functions may give `reduced` values, which end a `reduce`."""


class _Fusing:
    """Fuses inside one function."""

    def __init__(self, around: _Around, owner: ir.FunctionFrame) -> None:
        self._around = around
        self._library = around.library
        self._fresh = around.fresh
        self._owner = owner

    def go(self, node: ir.Node) -> ir.Node:
        """Return a node with the pipelines in it as loops."""
        if isinstance(node, ir.Fn):
            return rebuild(node, _Fusing(self._around, node.frame).go)
        if isinstance(node, ir.Call):
            made = self._pipeline(node) or self._rounds(node)
            if made is not None:
                return made
        return rebuild(node, self.go)

    def _pipeline(self, call: ir.Call) -> ir.Node | None:
        steps, source = self._steps(call)
        if not steps:
            return None
        start = call.args[1] if len(call.args) == _WITH_START else None
        plain_start = start is None or is_plain(start)
        # Where the end may come early, a step before it must not be left out for the items that follow: it may fail.
        ends_early = steps[-1].op in _NONE_FOUND or self._may_stop(steps[-1])
        if len(steps) > 1 and (ends_early or not (plain_start and all(map(self._plain, steps)))):
            steps, source = steps[-1:], call.args[-1]
        return self._loop(call, steps, None if start is None else self.go(start), self._source(steps, source))

    def _rounds(self, call: ir.Call) -> ir.Node | None:
        """Return a `for` or `dotimes` as a loop."""
        match call:
            case ir.Call(function=ir.Builtin(name="%for"), args=[source, ir.Fn() as fn]) if self._known(fn, 1):
                if loop_bodies.collected(fn.body) is None:
                    return None
                item = self._fresh.var("item", self._owner, looped=True)
                round_ = self._apply(fn, call.span, ir.Local(item, call.span))
                body = loop_bodies.collected(round_)
                assert body is not None  # noqa: S101 - what is inside of an iteration does not change its shape
                given = self._source((), source)
                return ir.Each("for", item, given, None, None, None, body, False, None, None, call.span)
            case ir.Call(function=ir.Builtin(name="%dotimes"), args=[count, ir.Fn() as fn]) if self._known(fn, 1):
                names = [self._fresh.var(name, self._owner, looped=name != "count") for name in ("count", "i", "last")]
                round_ = self._apply(fn, call.span, ir.Local(names[1], call.span))
                return loop_bodies.times(self._library, names, self.go(count), round_, call.span)
            case _:
                return None

    def _source(self, steps: Sequence[_Step], source: ir.Node) -> ir.Node:
        """Return what a loop walks: of a range nobody sees the vector."""
        made = self.go(source)
        match made:
            case ir.Call(function=ir.Builtin(op=Op.RANGE), args=[_] | [_, _] | [_, _, _]) if not _alike(steps):
                return records.evolve(made, function=ir.Builtin("%range", made.function.span, op=Op.RANGE))
            case _:
                return made

    def _steps(self, call: ir.Call) -> tuple[list[_Step], ir.Node]:
        """Return the steps of a pipeline, the first first, and what it starts from."""
        steps: list[_Step] = []
        node: ir.Node = call
        while isinstance(node, ir.Call) and isinstance(node.function, ir.Builtin):
            op, reduces = node.function.op, node.function.op == Op.REDUCE
            if not (op in _STEPS or (not steps and op in _ENDS)) or len(node.args) not in (2, 2 + reduces):
                break
            function = node.args[0]
            if not self._known(function, 1 + reduces) or (op == Op.MAP and self._may_ask(function)):
                break
            steps.insert(0, _Step(node.function, function, node.span))
            node = node.args[-1]
        return steps, node

    def _may_ask(self, function: ir.Node) -> bool:
        if isinstance(function, ir.Global):
            if function.name in self._around.asking:
                return True
            function = self._around.defined[function.name]
        return isinstance(function, ir.Fn) and may_ask(function.body, self._around.asking, self._library)

    def _known(self, function: ir.Node, count: int) -> bool:
        """Tell whether a function of so many arguments can become part of a loop."""
        match function:
            case ir.Fn():
                return is_whole(function) and len(function.params) == count
            case ir.Global(name=name):
                fn = self._around.defined.get(name)
                return fn is not None and fn.rest is None and len(fn.params) == count
            case ir.Builtin(entry=entry):
                if entry is None or not entry.plain:
                    return False
                return entry.low <= count and (entry.high is None or count <= entry.high)
            case ir.Const(value=value):
                return isinstance(value, Keyword) and count == 1
            case _:
                return False

    def _plain(self, step: _Step) -> bool:
        function = self._moved(step.function)
        if isinstance(function, ir.Global):
            return False
        return not isinstance(function, ir.Fn) or is_plain(function.body)

    def _moved(self, function: ir.Node) -> ir.Node:
        """Return the function whose body is put into a loop: a small one in place of its name."""
        if isinstance(function, ir.Global):
            fn = self._around.defined[function.name]
            closed = not any(isinstance(part, ir.Global) for part in everything((fn.body,)))  # copies make no copies
            return fn if closed and is_whole(fn) and is_small(fn.body, MOST_REPEATED) else function
        return function

    def _loop(self, call: ir.Call, steps: Sequence[_Step], init: ir.Node | None, source: ir.Node) -> ir.Node:
        span, last = call.span, steps[-1]
        item = self._fresh.var("item", self._owner, looped=True)
        alike = _alike(steps)
        plain, again = None, None
        if len(steps) > 1:
            again = self._fresh.var("source", self._owner)
            plain = self._again(steps, init, ir.Local(again, span))
        acc: ir.Var | None = None
        if last.op in _ENDS:
            acc = self._fresh.var("acc", self._owner, looped=True)
            steps = steps[:-1]
            init = ir.Const(_NONE_FOUND[last.op], span) if last.op in _NONE_FOUND else init
        started = init is not None
        none = None if acc is None or started else self._of_nothing(last)

        def end(value: ir.Node) -> ir.Node:
            return self._end(last, acc, value, started=started)

        body = self._through(list(steps), ir.Local(item, span), end, acc)
        return ir.Each((*steps, last)[0].called.name, item, source, acc, init, none, body, alike, plain, again, span)

    def _of_nothing(self, last: _Step) -> ir.Node | None:
        """Return what a `reduce` without a first value gives of no items: what its function gives of no arguments."""
        function = last.function
        takes_none = isinstance(function, ir.Builtin) and function.entry is not None and function.entry.low == 0
        return ir.Call(function, (), last.span) if takes_none else None

    def _through(
        self, steps: list[_Step], value: ir.Node, end: Callable[[ir.Node], ir.Node], acc: ir.Var | None
    ) -> ir.Node:
        """Return what happens to an item that stands before some steps."""
        if not steps:
            return end(value)
        step, rest = steps[0], steps[1:]
        made = self._apply(step.function, step.span, value)
        if step.op == Op.MAP:
            if not rest:
                return end(made)
            bind, read = self._named(made, step.span)
            return ir.Do((bind, self._through(rest, read, end, acc)), step.span)
        if step.op == Op.KEEP:
            bind, read = self._named(made, step.span)
            nothing = ir.Call(ir.Builtin.of(self._library, "nil?", step.span), (read,), step.span)
            some = self._through(rest, read, end, acc)
            return ir.Do((bind, ir.If(nothing, _left(acc, step.span), some, step.span)), step.span)
        kept = self._through(rest, value, end, acc)
        left = _left(acc, step.span)
        then, other = (kept, left) if step.op == Op.FILTER else (left, kept)
        return ir.If(made, then, other, step.span)

    def _named(self, value: ir.Node, span: Span) -> tuple[ir.Node, ir.Node]:
        """Return what names an item for the steps that follow, and a read of it."""
        result = self._fresh.var("item", self._owner, looped=True)
        return ir.Bind(ir.PVar(result), value, None, span), ir.Local(result, span)

    def _first(self, last: _Step, acc: ir.Var, value: ir.Node) -> ir.Node:
        """Return what becomes of an item where the first one is the start."""
        binds: tuple[ir.Node, ...] = ()
        if not isinstance(value, ir.Local):
            bind, value = self._named(value, last.span)
            binds = (bind,)
        combined = self._combined(last, acc, value)
        begun = ir.Look("begun?", acc, (), False, last.span)
        return ir.Do((*binds, ir.If(begun, combined, value, last.span)), last.span)

    def _combined(self, last: _Step, acc: ir.Var, value: ir.Node) -> ir.Node:
        """Return what `reduce` makes of an item."""
        made = self._apply(last.function, last.span, ir.Local(acc, last.span), value)
        return self._stopping(made, last.span) if self._may_stop(last) else made

    def _may_stop(self, step: _Step) -> bool:
        sure = isinstance(step.function, ir.Builtin) and not _may_give_any(step.function)
        return self._around.reducing and step.op == Op.REDUCE and not sure

    def _stopping(self, node: ir.Node, span: Span) -> ir.Node:
        """Return what a function gives, where a `reduced` value ends the loop."""
        match node:
            case ir.If(then=then, otherwise=other):
                return records.evolve(node, then=self._stopping(then, span), otherwise=self._stopping(other, span))
            case ir.Do(items=[*before, last]):
                return records.evolve(node, items=(*before, self._stopping(last, span)))
            case ir.Inlined(body=body):
                return records.evolve(node, body=self._stopping(body, span))
            case ir.Call(function=ir.Builtin(op=Op.REDUCED), args=[value]):
                return ir.Stop(value, node.span)
            case ir.Call(function=ir.Builtin() as function) if not _may_give_any(function):
                return node
            case ir.Const() | ir.VectorNode() | ir.MapNode() | ir.SetNode() | ir.Fn():
                return node
            case _:
                bind, read = self._named(node, span)
                ends = ir.Call(ir.Builtin.of(self._library, "reduced?", span), (read,), span)
                value = ir.Call(ir.Builtin.of(self._library, "unreduced", span), (read,), span)
                return ir.Do((bind, ir.If(ends, ir.Stop(value, span), read, span)), span)

    def _end(self, last: _Step, acc: ir.Var | None, value: ir.Node, *, started: bool) -> ir.Node:
        """Return what becomes of an item at the end of a pipeline."""
        if acc is None:
            return ir.Push(value, last.span)
        kept = ir.Local(acc, last.span)
        if last.op == Op.REDUCE:
            return self._combined(last, acc, value) if started else self._first(last, acc, value)
        verdict = self._apply(last.function, last.span, value)
        if last.op == Op.SOME:
            found = self._fresh.var("found", self._owner, looped=True)
            bind = ir.Bind(ir.PVar(found), verdict, None, last.span)
            read = ir.Local(found, last.span)
            return ir.Do((bind, ir.If(read, ir.Stop(read, last.span), kept, last.span)), last.span)
        stop = ir.Stop(ir.Const(not _NONE_FOUND[last.op], last.span), last.span)
        then, other = (kept, stop) if last.op in (Op.EVERY, Op.NOT_EVERY) else (stop, kept)
        return ir.If(verdict, then, other, last.span)

    def _apply(self, function: ir.Node, span: Span, *args: ir.Node) -> ir.Node:
        """Return a call of a step's function: the body of a lambda, with its parameters bound."""
        function = self._moved(function)
        if not isinstance(function, ir.Fn):
            return ir.Call(function, args, span)
        copy = Copy(self._fresh, self._owner, looped=True)
        binds, inner = copy.parameters(function, args, span)
        body = ir.Do((*binds, *inner, self.go(copy.body(function))), span)
        return ir.Inlined(function.name, body, span)

    def _again(self, steps: Sequence[_Step], init: ir.Node | None, source: ir.Node) -> ir.Node:
        """Return the steps as the calls that they were."""
        copy = Copy(self._fresh, self._owner, looped=False)
        for step in steps:
            between = (copy.node(init),) if init is not None and step.op == Op.REDUCE else ()
            source = ir.Call(step.called, (copy.node(step.function), *between, source), step.span)
        return source


def _left(acc: ir.Var | None, span: Span) -> ir.Node:
    """Return what a loop does with an item that is left out."""
    return ir.Const(None, span) if acc is None else ir.Local(acc, span)


def _is_reducing(program: ir.Program) -> bool:
    """Tell whether a program may make a `reduced` value, or calls what earlier texts have defined, which may."""
    own, found = settings(program).keys(), [summary(program, node) for node in program.body]
    return any(Op.REDUCED in seen.functions or not seen.globals <= own for seen in found)


def _may_give_any(function: ir.Builtin) -> bool:
    """Tell whether a library function may give a value of any kind, as far as its type says."""
    return function.entry is None or "] :any]" in function.entry.types


def _alike(steps: Sequence[_Step]) -> bool:
    entries = [step.called.entry for step in steps]
    return bool(steps) and all(entry is not None and entry.gives == Gives.PART for entry in entries)
