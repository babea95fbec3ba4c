"""Checks of declared types: class tests in place where classes decide, else a call of the type's checker.

In: a type and the Python name of a value. Out: a test, or statements that fail as the type's checker does. What surely
fits (`passes.proofs`) is not tested.
"""

from __future__ import annotations

import ast

from rtfs_framework.lang.annotations import Sequence
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import EmitterBase
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.passes.proofs import plain
from rtfs_framework.lang.types.model import OptionalType, Primitive, Type

_CLASSES = {
    Primitive.INT: ("int",),
    Primitive.FLOAT: ("float", "int"),
    Primitive.STRING: ("str",),
    Primitive.BOOL: ("bool",),
    Primitive.NIL: ("None",),
}


def class_test(emitter: EmitterBase, declared: Type, name: str, value: ast.expr | None = None) -> ast.expr | None:
    """Return a test in place whether a value fits a type; None when only a checker can tell.

    The value is under a name; `value` is what the test itself puts there first.
    """
    if "casts" not in emitter.passes:
        return None
    known, classes = plain(declared, emitter.numbers.lookup), list[str]()
    if isinstance(known, OptionalType):
        classes, known = ["None"], plain(known.type, emitter.numbers.lookup)
    found = _CLASSES.get(known) if isinstance(known, Primitive) else None
    if found is None:
        return None
    classes += [each for each in found if each not in classes]
    first = py.load(name) if value is None else py.walrus(name, value)
    parts = [first, *(py.load(name) for _ in classes[1:])]
    tests = [_is_of(part, each) for part, each in zip(parts, classes, strict=True)]
    return tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), tests)


def _is_of(value: ast.expr, name: str) -> ast.expr:
    return py.compare(value, ast.Is(), py.const(None)) if name == "None" else py.is_class(value, name)


def surely(emitter: EmitterBase, node: ir.Node | None, declared: Type) -> bool:
    """Tell whether a value is not to be checked, because it surely fits."""
    if plain(declared, emitter.numbers.lookup) is Primitive.ANY:
        return True
    return node is not None and "casts" in emitter.passes and emitter.numbers.fits(node, declared)


def checked(emitter: EmitterBase, value: ast.expr, declared: Type, node: ir.Node | None = None) -> ast.expr:
    """Return what gives a value if it fits a type, and fails if not; `node` is what the value was made of."""
    if surely(emitter, node, declared):
        return value
    named = isinstance(value, ast.Name)
    name = value.id if isinstance(value, ast.Name) else emitter.unit.temp("k")
    passed = class_test(emitter, declared, name, None if named else value)
    if passed is None:
        return py.call(emitter.unit.checker(declared), value)
    return py.either(passed, py.load(name), py.call(emitter.unit.checker(declared), py.load(name)))


def fits(emitter: EmitterBase, declared: Type, name: str) -> ast.expr:
    """Return a test whether a named value fits a type."""
    found = class_test(emitter, declared, name)
    if found is None:
        found = py.call(emitter.unit.helper("rt_fits"), py.load(emitter.unit.checker(declared)), py.load(name))
    return found


def receive(emitter: EmitterBase, fn: ir.Fn, raw: Sequence[str], line: int, args: Sequence[ir.Node] = ()) -> None:
    """Check named parameters; `args` are the nodes that they were given, if they are known."""
    for place, (param, name) in enumerate(zip(fn.params, raw, strict=True)):
        if param.type is None or surely(emitter, args[place] if args else None, param.type):
            continue
        passed = class_test(emitter, param.type, name)
        call = ast.Expr(py.call(emitter.unit.checker(param.type), py.load(name)))
        emitter.emit(call if passed is None else ast.If(ast.UnaryOp(ast.Not(), passed), [call], []), line)
