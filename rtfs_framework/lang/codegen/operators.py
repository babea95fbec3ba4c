"""Operators: arithmetic and comparison inline for the common case, with exactly RTFS semantics.

Booleans are not numbers and strings do not add, so the classes are tested first, unless they are known; whatever is not
two integers (or a float where one is expected, or two plain values, for `=`) goes to the library's function.
"""

from __future__ import annotations

import ast

from rtfs_framework.lang.annotations import TYPE_CHECKING
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen import shortcuts
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.library import Op
from rtfs_framework.lang.passes.kinds import Kind
from rtfs_framework.lang.passes.widths import WORD_BITS, width
from rtfs_framework.lang.values import Keyword

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.expressions import Expressions

_FLOAT_BITS = 1024
"""Integers of fewer bits are floats, rounded."""
_ARITHMETIC: dict[str, type[ast.operator]] = {Op.ADD: ast.Add, Op.SUB: ast.Sub, Op.MUL: ast.Mult}
_ORDER: dict[str, type[ast.cmpop]] = {Op.LT: ast.Lt, Op.GT: ast.Gt, Op.LE: ast.LtE, Op.GE: ast.GtE}
_WORD = 1 << WORD_BITS
"""Products below this are not measured, as in the library's `mul`."""
_STEP = {Op.INC: Op.ADD, Op.DEC: Op.SUB}
_NUMERIC = (Kind.INT, Kind.FLOAT)
_Known = tuple[ast.expr, Kind | None, "int | None"]
"""An expression, its kind, and the most bits it has if it gives an integer."""


def emit(emitter: Expressions, function: ir.Builtin, node: ir.Call) -> ast.expr | None:
    """Return the inline form of a call of a builtin, or None when it has none."""
    op, count = function.op, len(node.args)
    if count == 2 and (op in _ARITHMETIC or op in _ORDER):
        return _binary(emitter, op, node)
    if count > 2 and op in _ARITHMETIC:
        return _several(emitter, op, node)
    if count > 2 and op in _ORDER:
        return _chain(emitter, function, node)
    if count == 2 and op == Op.EQ:
        return _equal(emitter, node)
    if (
        count == 2
        and op == Op.DIV
        and Kind.FLOAT in (kinds := emitter.numbers.given(node.args))
        and (kinds[0] is Kind.FLOAT or _fits_float(emitter, node.args[0]))
    ):
        left, right = emitter.values(node.args)
        return _combined(emitter, op, (left, kinds[0], None), (right, kinds[1], None))
    if count == 1 and op in _STEP:
        by_one = ir.Call(function, (node.args[0], ir.Const(1, node.span)), node.span)
        return _binary(emitter, _STEP[op], by_one, fallback=function.name)
    if count == 1 and op == Op.NOT:
        return ast.UnaryOp(ast.Not(), emitter.test(node.args[0]))
    return shortcuts.emit(emitter, function, node) if "shortcuts" in emitter.passes else None


def _fits_float(emitter: Expressions, node: ir.Node) -> bool:
    """Tell whether a float surely holds an integer: of one that none does Python tells before it sees the divisor."""
    bits = width(node, emitter.numbers)
    return emitter.numbers.kind(node) is Kind.INT and bits is not None and bits < _FLOAT_BITS


def _operand(emitter: Expressions, expression: ast.expr, kind: Kind | None = None) -> tuple[ast.expr, ast.expr | None]:
    """Return (a plain read, the test that it is an integer or None when that is known).

    An operand that is no name or literal is put into a temporary: by its test, or before when it needs none.
    """
    if isinstance(expression, ast.Constant):
        known = expression.value.__class__ is int
        return expression, None if known else py.const(value=False)
    if py.is_local(expression):
        return expression, None if kind is Kind.INT else py.is_class(py.again(expression), "int")
    temp = emitter.unit.temp("a")
    test = py.bound(temp, expression) if kind is Kind.INT else py.is_class(py.walrus(temp, expression), "int")
    return py.load(temp), test


def _binary(emitter: Expressions, op: str, node: ir.Call, fallback: str | None = None) -> ast.expr:
    numbers = emitter.numbers
    made = emitter.values(node.args)
    left, right = ((each, numbers.kind(arg), width(arg, numbers)) for each, arg in zip(made, node.args, strict=True))
    slow = None if fallback is None else emitter.unit.builtin(fallback)
    return _combined(emitter, op, left, right, slow)


def _combined(emitter: Expressions, op: str, first: _Known, second: _Known, slow: str | None = None) -> ast.expr:
    """Return an operation on two expressions of which something may be known."""
    (left, a_kind, a_bits), (right, b_kind, b_bits) = first, second
    small = op != Op.MUL or (a_bits is not None and b_bits is not None and a_bits + b_bits < WORD_BITS)
    if Kind.FLOAT in (a_kind, b_kind):
        if a_kind in _NUMERIC and b_kind in _NUMERIC:
            return _python(op, left, right)
        return _beside_float(emitter, op, first, second)
    if (a_kind, b_kind) == (Kind.INT, Kind.INT) and small:
        return _python(op, left, right)
    a, a_test = _operand(emitter, left, a_kind)
    b, b_test = _operand(emitter, right, b_kind)
    same = isinstance(a, ast.Name) and isinstance(b, ast.Name) and a.id == b.id
    tests = [test for test in (a_test, None if same else b_test) if test is not None]
    if not small:
        return _product(emitter, a, b, tests)
    if not tests:
        return _python(op, a, b)
    again = (py.again(a), py.again(b))
    made = py.call(emitter.unit.helper(f"op_{op}"), *again) if slow is None else py.call(slow, again[0])
    # `&` evaluates both tests, so that both operands are in their temporaries whatever the first test says.
    test = _all(tests)
    return py.either(test, _python(op, py.again(a), py.again(b)), made)


def _beside_float(emitter: Expressions, op: str, first: _Known, second: _Known) -> ast.expr:
    """One operand is surely a float, of the other nothing is known: it will mostly be one too."""
    names: list[ast.expr] = []
    tests: list[ast.expr] = []
    for expression, kind, _ in (first, second):
        if isinstance(expression, ast.Constant) or py.is_local(expression):
            read = expression
        else:
            temp = emitter.unit.temp("a")
            tests.append(py.bound(temp, expression))
            read = py.load(temp)
        names.append(read)
        if kind is not Kind.FLOAT:
            tests.append(py.is_class(py.again(read), "float"))
    order = sorted(tests, key=lambda test: isinstance(test.left, ast.Attribute))  # type: ignore[attr-defined]
    slow = py.call(emitter.unit.helper(f"op_{op}"), py.again(names[0]), py.again(names[1]))
    return py.either(py.both(order), _python(op, py.again(names[0]), py.again(names[1])), slow)


def _several(emitter: Expressions, op: str, node: ir.Call) -> ast.expr | None:
    """Several operands: one operation after the other, when the further ones can be read after the first were combined.

    Of more than three all kinds must be known: there would be too many tests.
    """
    args, kinds = node.args, [emitter.numbers.kind(arg) for arg in node.args]
    if all(kind in _NUMERIC for kind in kinds):
        safe = len({*kinds}) == 1 and (op != Op.MUL or Kind.FLOAT in kinds)  # the first two surely can be combined
        late = not safe and any(map(emitter.costs.costly, args[2:]))
    else:
        late = len(args) > 3 or not isinstance(args[2], ir.Const | ir.Local)
    if late:
        return None
    made, *others = emitter.values(args)
    kind, bits = kinds[0], width(args[0], emitter.numbers)
    for arg, other, expression in zip(args[1:], kinds[1:], others, strict=True):
        more = width(arg, emitter.numbers)
        made = _combined(emitter, op, (made, kind, bits), (expression, other, more))
        bits = None if bits is None or more is None else bits + more
        kind = Kind.FLOAT if Kind.FLOAT in (kind, other) else Kind.INT if kind is other is Kind.INT else None
    return made


def _chain(emitter: Expressions, function: ir.Builtin, node: ir.Call) -> ast.expr | None:
    """An order of several numbers: Python's chain, which may leave the last ones unread."""
    kinds = [emitter.numbers.kind(arg) for arg in node.args]
    known = all(kind in _NUMERIC for kind in kinds)
    odd = any(
        kind not in (Kind.INT, None) or (kind is None and isinstance(arg, ir.Const))
        for kind, arg in zip(kinds, node.args, strict=True)
    )
    late = not all(isinstance(arg, ir.Const | ir.Local) for arg in node.args[2:])
    if late or (odd and not known):
        return None
    parts = emitter.values(node.args)
    operands = [
        (part, None) if known else _operand(emitter, part, kind) for part, kind in zip(parts, kinds, strict=True)
    ]
    tests = [test for _, test in operands if test is not None]
    first, *others = [read for read, _ in operands]
    chain = ast.Compare(first, [_ORDER[function.op]() for _ in others], others)
    if known:
        return chain
    slow = py.call(emitter.unit.builtin(function.name), *[py.again(read) for read, _ in operands])
    return py.either(_all(tests), chain, slow)


def _python(op: str, left: ast.expr, right: ast.expr) -> ast.expr:
    """Return Python's own operation."""
    if op == Op.DIV:
        return ast.BinOp(left, ast.Div(), right)
    if op in _ARITHMETIC:
        return ast.BinOp(left, _ARITHMETIC[op](), right)
    return py.compare(left, _ORDER[op](), right)


def _product(emitter: Expressions, a: ast.expr, b: ast.expr, tests: list[ast.expr]) -> ast.expr:
    """Products alone grow fast: a large one is made (again) by the library, which measures it."""
    product = emitter.unit.temp("a")
    made = ast.BinOp(py.again(a), ast.Mult(), py.again(b))
    small = py.between(-_WORD, py.walrus(product, made), py.load(product), py.const(_WORD))
    slow = py.call(emitter.unit.helper(f"op_{Op.MUL}"), py.again(a), py.again(b))
    return py.either(py.both([*([_all(tests)] if tests else []), small]), py.load(product), slow)


def _all(tests: list[ast.expr]) -> ast.expr:
    """Return whether tests hold; the first two are made in any case if the second one binds a name."""
    if len(tests) > 1 and _binds(tests[1]):
        return py.both([ast.BinOp(tests[0], ast.BitAnd(), tests[1]), *tests[2:]])
    return py.both(tests)


def _binds(test: ast.expr) -> bool:
    """Tell whether the test of an operand (`_operand`) puts it into a temporary."""
    first = test.left if isinstance(test, ast.Compare) else test
    return isinstance(first.value if isinstance(first, ast.Attribute) else first, ast.NamedExpr)


def _named(emitter: Expressions, expression: ast.expr) -> ast.expr:
    """Return an expression that Python cannot fold to a literal: it warns of `is` with one."""
    return expression if isinstance(expression, ast.Name) else py.walrus(emitter.unit.temp("a"), expression)


_CLASSES = {Kind.INT: "int", Kind.FLOAT: "float"}


def _equal(emitter: Expressions, node: ir.Call) -> ast.expr:
    kinds = [emitter.numbers.kind(arg) for arg in node.args]
    left, right = emitter.values(node.args)
    if kinds[0] is kinds[1] and kinds[0] in (Kind.INT, Kind.FLOAT, Kind.BOOL):
        return py.compare(left, ast.Eq(), right)
    for constant, other in ((node.args[0], right), (node.args[1], left)):
        if isinstance(constant, ir.Const) and not isinstance(other, ast.Constant):
            value = constant.value
            if value is None or isinstance(value, bool | Keyword):
                return py.compare(_named(emitter, other), ast.Is(), emitter.constant(value))
            if value.__class__ is str:
                return py.compare(other, ast.Eq(), py.const(value))
            if value.__class__ is int:
                name, test = _operand(emitter, other)
                assert test is not None  # noqa: S101 - `other` is no constant
                return py.both([test, py.compare(py.again(name), ast.Eq(), py.const(value))])
    return _equal_plain(emitter, (left, kinds[0]), (right, kinds[1]))


def _equal_plain(
    emitter: Expressions, first: tuple[ast.expr, Kind | None], second: tuple[ast.expr, Kind | None]
) -> ast.expr:
    """Two values of which one may be known to be a number: nothing but a number of its class equals it."""
    names: list[ast.expr] = []
    tests: list[ast.expr] = []
    for expression, _ in (first, second):
        if isinstance(expression, ast.Constant) or py.is_local(expression):
            names.append(expression)
        else:
            temp = emitter.unit.temp("a")
            tests.append(py.bound(temp, expression))
            names.append(py.load(temp))
    a, b = names
    for kind, other in ((first[1], b), (second[1], a)):
        if kind in (Kind.INT, Kind.FLOAT):
            tests.append(py.is_class(py.again(other), _CLASSES[kind]))
            return py.both([*tests, py.compare(py.again(a), ast.Eq(), py.again(b))])
    same = isinstance(a, ast.Name) and isinstance(b, ast.Name) and a.id == b.id
    integers = [py.is_class(py.again(each), "int") for each in ((a,) if same else (a, b))]
    slow = py.call(emitter.unit.helper("rt_equal"), py.again(a), py.again(b))
    return py.either(py.both([*tests, *integers]), py.compare(py.again(a), ast.Eq(), py.again(b)), slow)
