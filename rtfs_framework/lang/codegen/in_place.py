"""Collections that a loop's variable changes in place: a Python list for a vector, a dict for a map."""

from __future__ import annotations

import ast
from contextlib import contextmanager

from rtfs_framework.lang.annotations import TYPE_CHECKING, Iterable, Iterator, Mapping
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import steady, var_name
from rtfs_framework.lang.codegen.shortcuts import is_own_key, key_test
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import everything
from rtfs_framework.lang.library import Op
from rtfs_framework.lang.passes.kinds import Kind
from rtfs_framework.lang.passes.naturals import is_natural

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.emitter import EmitterBase
    from rtfs_framework.lang.codegen.expressions import Expressions

_OF_ITEMS = frozenset({Op.NTH, Op.PEEK, Op.LAST, Op.FIRST})


def fresh(emitter: Expressions, node: ir.Fresh) -> ast.expr:
    """Return a copy that may be changed."""
    value = emitter.value(node.value)
    if node.is_map:
        match value:
            case ast.Call(func=ast.Name(id="rt_wrap"), args=[ast.Dict() as made]):  # a literal makes a dict of its own
                return made
            case _:
                return ast.Dict([None], [py.attribute(value, "_items")])
    if isinstance(value, ast.Tuple):
        return ast.List(value.elts, py.LOAD)
    return ast.List([ast.Starred(value, py.LOAD)], py.LOAD)


@contextmanager
def asked(emitter: EmitterBase, names: Mapping[ir.Var, ir.Node], body: ir.Node) -> Iterator[None]:
    """Take the method `get` of the dicts that iterations ask before a loop is emitted: to find it takes as long as it.

    A dict that is changed in place stays the same one as long as its loop runs.
    """
    maps = {var for var, init in names.items() if isinstance(init, ir.Fresh) and init.is_map}
    looks = everything((body,)) if maps else ()
    line, gets = emitter.line(body.span), dict(emitter.around.gets)
    for var in dict.fromkeys(look.var for look in looks if isinstance(look, ir.Look) and look.op == Op.GET):
        if var in maps:
            gets[var] = emitter.name_it(py.attribute(py.load(var_name(var)), "get"), line, "g")
    with emitter.where(gets=gets):
        yield


def grow(emitter: Expressions, node: ir.Grow) -> ast.expr:
    """Emit a change; returns a read of the variable."""
    name, line = var_name(node.var), emitter.line(node.span)
    asked = _asked(emitter, node) if node.is_map else None
    if asked is not None:
        found, old = _find(emitter, asked, line)
        with emitter.where(found={**emitter.around.found, asked: old}):
            _enter(emitter, node, py.load(found), emitter.value(node.parts[1]))
        return py.load(name)
    given = emitter.values(node.parts)
    if node.is_map:
        if len(given) > 2 or not all(map(steady, given[:1])):  # Python makes the value before it looks at the key
            named = [part if steady(part) else py.load(emitter.name_it(part, line)) for part in given]
            given = [emitter.at(part, line) for part in named]
        for key_node, key, value in zip(node.parts[::2], given[::2], given[1::2], strict=True):
            _enter(emitter, node, _key(emitter, key_node, key), value)
    else:
        _change(emitter, node, given)
    return py.load(name)


def _enter(emitter: Expressions, node: ir.Grow, key: ast.expr, value: ast.expr) -> None:
    """Emit that a map's key is set, or let it wait; key and value are computed now."""
    line = emitter.line(node.span)
    if node.late:
        key, value = (_kept(emitter, each, line, late=True) for each in (key, value))
    change = _set(var_name(node.var), key, value)
    py.locate(change, line)
    (emitter.around.late if node.late else emitter.out).append(change)


def _change(emitter: Expressions, node: ir.Grow, given: list[ast.expr]) -> None:
    """Emit a change of a vector, or let it wait; what is given is computed now."""
    name, line = var_name(node.var), emitter.line(node.span)
    if node.late or node.put or (node.drops and len(given) + node.drops > 2):
        given = [_kept(emitter, each, line, late=node.late) for each in given]
    if node.put:
        fits = _is_index(emitter, node.parts[0], given[0], name)
        refuse = ast.Expr(py.call(emitter.unit.builtin("assoc"), _as_vector(name), *given))
        emitter.emit(ast.If(ast.UnaryOp(ast.Not(), fits), [refuse], []), line)
        changes: list[ast.stmt] = [_set(name, py.again(given[0]), given[1])]
    else:
        changes = [*_replace(name, node.drops, given)]
    for change in changes:
        py.locate(change, line)
    (emitter.around.late if node.late else emitter.out).extend(changes)


def _kept(emitter: Expressions, value: ast.expr, line: int, *, late: bool) -> ast.expr:
    """Return a value that is computed now: at a late change the loop's variables are the next iteration's."""
    if isinstance(value, ast.Constant):
        return value
    if not isinstance(value, ast.Name):
        return py.load(emitter.name_it(value, line))
    if not late or value.id not in emitter.around.loops[-1]:
        return value
    temp = emitter.unit.temp("t")
    emitter.emit(py.assign(temp, value), line)
    return py.load(temp)


def _replace(name: str, drops: int, given: list[ast.expr]) -> Iterable[ast.stmt]:
    """Yield what takes so many items from the end of a list and adds others, in their places as far as they go."""
    kept = min(drops, len(given))
    gone = drops - kept
    if gone == 1:
        yield ast.Expr(py.call(py.attribute(py.load(name), "pop")))
    elif gone:
        last = ast.Slice(ast.UnaryOp(ast.USub(), py.const(gone)), None, None)
        yield ast.Delete([ast.Subscript(py.load(name), last, ast.Del())])
    for place, each in enumerate(given[:kept]):
        yield _set(name, ast.UnaryOp(ast.USub(), py.const(kept - place)), each)
    more = given[kept:]
    if len(more) == 1:
        yield ast.Expr(py.call(py.attribute(py.load(name), "append"), more[0]))
    elif more:
        yield ast.Expr(py.call(py.attribute(py.load(name), "extend"), py.tuple_of(more)))


def _set(name: str, place: ast.expr, value: ast.expr) -> ast.Assign:
    return ast.Assign([ast.Subscript(py.load(name), place, ast.Store())], value)


def _as_vector(name: str) -> ast.expr:
    return py.tuple_of([ast.Starred(py.load(name), py.LOAD)])


def _is_index(emitter: Expressions, node: ir.Node, index: ast.expr, name: str) -> ast.expr:
    """Return the test that a value is an index of a list."""
    size = py.call("len", py.load(name))
    if is_natural(node, emitter.numbers):
        return py.compare(py.again(index), ast.Lt(), size)
    inside = py.between(-1, py.again(index), py.again(index), size)
    if emitter.numbers.kind(node) is Kind.INT:
        return inside
    return py.both([py.is_class(py.again(index), "int"), inside])


def _asked(emitter: Expressions, node: ir.Grow) -> ir.Look | None:
    """Return the question what stands under a variable key, if the new value there depends on that."""
    match node.parts:
        case [ir.Local(var=var) as key, value] if not is_own_key(key, emitter.numbers):
            looks = (part for part in everything((value,)) if isinstance(part, ir.Look) and part.var is node.var)
            return next((each for each in looks if each.op == Op.GET and _is_of(each, var)), None)
        case _:
            return None


def _find(emitter: Expressions, asked: ir.Look, line: int) -> tuple[str, str]:
    """Emit the question; return the names of what holds the key and what was found: there goes the time of counting.

    An integer or text is looked for as it is: where something is found, it is its own dict key. Else its key is made,
    and looked for again.
    """
    key, old = emitter.unit.temp("k"), emitter.unit.temp("v")
    node, *default = asked.args
    emitter.emit(py.assign(key, emitter.value(node)), line)
    get = _got(emitter, asked.var, py.load(key))
    if emitter.numbers.kind(node) not in (Kind.INT, Kind.STRING):
        usual = ast.BoolOp(ast.Or(), [py.is_class(py.load(key), each) for each in ("int", "str")])
        get = py.either(usual, get, py.const(None))
    emitter.emit(py.assign(old, get), line)
    with emitter.block() as again:
        emitter.emit(py.assign(key, _key(emitter, node, py.load(key))), line)
        emitter.emit(py.assign(old, _got(emitter, asked.var, py.load(key), *emitter.values(default))), line)
    emitter.emit(ast.If(py.compare(py.load(old), ast.Is(), py.const(None)), again, []), line)
    return key, old


def _is_of(look: ir.Look, key: ir.Var) -> bool:
    """Tell whether a question is about what stands under a variable, and costs nothing besides."""
    asked, *default = look.args
    return isinstance(asked, ir.Local) and asked.var is key and all(isinstance(part, ir.Const) for part in default)


def _got(emitter: Expressions, var: ir.Var, key: ast.expr, *default: ast.expr) -> ast.expr:
    return py.call(emitter.around.gets[var], key, *default)


def look(emitter: Expressions, node: ir.Look) -> ast.expr:
    """Return the answer to a question."""
    if node.op in _OF_ITEMS:
        return _item(emitter, node)
    if node in emitter.around.found:
        return py.load(emitter.around.found[node])
    name = py.load(var_name(node.var))
    if node.op == Op.COUNT:
        return py.call("len", name)
    if node.op == Op.EMPTY:
        return ast.UnaryOp(ast.Not(), name)
    if node.op == Op.BEGUN:
        return py.compare(name, ast.IsNot(), py.load(emitter.unit.helper("rt_nothing")))
    line = emitter.line(node.span)
    if node.op == Op.POP:
        (most,) = (part.value for part in node.args if isinstance(part, ir.Const))
        few = py.compare(py.call("len", name), ast.Lt(), py.const(most))
        short = ast.UnaryOp(ast.Not(), name) if most == 1 else few
        refuse = ast.Expr(py.call(emitter.unit.builtin("pop"), py.tuple_of([])))
        emitter.emit(ast.If(short, [refuse], []), line)
        return py.const(None)
    key, *default = emitter.values(node.args)
    if not steady(key):
        key = py.load(emitter.name_it(key, line))
        default = [py.load(emitter.name_it(part, line)) if not steady(part) else part for part in default]
    key = _key(emitter, node.args[0], key)
    if node.op == Op.HAS:
        return py.compare(key, ast.In(), name)
    return _got(emitter, node.var, key, *default)


def _item(emitter: Expressions, node: ir.Look) -> ast.expr:
    """Return an item of a list."""
    name, line = var_name(node.var), emitter.line(node.span)
    if node.op == Op.NTH:
        (index,) = emitter.values(node.args)
        if not isinstance(index, ast.Name | ast.Constant):
            index = py.load(emitter.name_it(index, line))
        fast = ast.Subscript(py.load(name), py.again(index), py.LOAD)
        slow = py.call(emitter.unit.builtin("nth"), _as_vector(name), py.again(index))
        return py.either(_is_index(emitter, node.args[0], index, name), fast, slow)
    if node.op == Op.FIRST:
        return py.either(py.load(name), py.index(py.load(name), 0), py.const(None))
    drops, there = (part.value for part in node.args if isinstance(part, ir.Const)) if node.args else (0, False)
    item = ast.Subscript(py.load(name), ast.UnaryOp(ast.USub(), py.const(drops + 1)), py.LOAD)
    if there:
        return item
    some = py.compare(py.call("len", py.load(name)), ast.Gt(), py.const(drops)) if drops else py.load(name)
    return py.either(some, item, py.const(None))


def freeze(emitter: Expressions, var: ir.Var, *, is_map: bool, line: int) -> None:
    """Emit what makes a variable's collection a value."""
    name = var_name(var)
    made = emitter.unit.helper("rt_frozen_map" if is_map else "rt_frozen")
    emitter.emit(py.assign(name, py.call(made, py.load(name))), line)


def _key(emitter: Expressions, node: ir.Node, key: ast.expr) -> ast.expr:
    """Return the dict key that stands for a value, which is a name or a literal."""
    if is_own_key(node, emitter.numbers):
        return key
    slow = py.call(emitter.unit.helper("rt_key"), py.again(key))
    return py.either(key_test(emitter, node, key.id), key, slow) if isinstance(key, ast.Name) else slow
