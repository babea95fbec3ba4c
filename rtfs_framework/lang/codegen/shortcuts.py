"""Shortcuts: calls of common builtins inline where a class test settles what they do; all else goes to the library.

A shortcut is an expression over the arguments `a`, `b`, `c`, each read as often as it likes. `slow` stands for the call
of the builtin itself, `isint(x)` for the test that x is an integer, which is left out where that is known, `small(x)`
for the test that an integer is not zero and not large: dividing by a large one takes time that the meter must know of.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.maps import is_plain
from rtfs_framework.lang.meter import LARGE_INTEGER, SHORT, SMALL
from rtfs_framework.lang.passes.numbers import Kind
from rtfs_framework.lang.passes.widths import width
from rtfs_framework.lang.values import GROW_AT

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.expressions import Expressions

_LONGEST = SHORT - 1
"""Characters of a string that the meter need not know of."""
_SHORT_INTEGER = 2048
"""Integers of at most so many bits are shown by Python itself, which refuses very long ones."""

_SHORTCUTS: dict[tuple[str, int], str] = {
    ("get", 2): "a.get(b) if a.__class__ is rt_map else slow",
    ("get", 3): "a.get(b, c) if a.__class__ is rt_map else slow",
    ("nth", 2): "a[b] if a.__class__ is tuple and isint(b) and -1 < b < len(a) else slow",
    ("first", 1): "a[0] if a.__class__ is tuple and a else slow",
    ("rest", 1): f"a[1:] if a.__class__ is tuple and len(a) < {GROW_AT} else slow",
    ("empty?", 1): "not a if a.__class__ is tuple else slow",
    ("count", 1): "len(a) if a.__class__ is tuple or a.__class__ is str else slow",
    ("conj", 2): f"(*a, b) if a.__class__ is tuple and len(a) < {GROW_AT} else "
    "a.conj(b) if a.__class__ is rt_grown else slow",
    ("cons", 2): f"(a, *b) if b.__class__ is tuple and len(b) < {SMALL} else slow",
    ("assoc", 3): "a.assoc(b, c) if a.__class__ is rt_map else slow",
    ("contains?", 2): "b in a if a.__class__ is rt_map else slow",
    ("mod", 2): "a % b if isint(a) and isint(b) and small(b) else slow",
    ("quot", 2): "a // b if isint(a) and isint(b) and a >= 0 and small(b) and b > 0 else slow",
    ("rem", 2): "a % b if isint(a) and isint(b) and a >= 0 and small(b) and b > 0 else slow",
    ("/", 2): "(a // b if not a % b else a / b) if isint(a) and isint(b) and small(b) else slow",
    ("max", 2): "(b if b > a else a) if isint(a) and isint(b) else slow",
    ("min", 2): "(b if b < a else a) if isint(a) and isint(b) else slow",
    ("even?", 1): "a % 2 == 0 if isint(a) else slow",
    ("odd?", 1): "a % 2 == 1 if isint(a) else slow",
    ("zero?", 1): "a == 0 if isint(a) else slow",
    ("pos?", 1): "a > 0 if isint(a) else slow",
    ("neg?", 1): "a < 0 if isint(a) else slow",
    ("abs", 1): "(a if a >= 0 else -a) if isint(a) else slow",
    ("string?", 1): "a.__class__ is str",
}
_PLAIN_KEY = {
    ("get", 2): "a._items.get(b) if a.__class__ is rt_map and a._items is not None else slow",
    ("get", 3): "a._items.get(b, c) if a.__class__ is rt_map and a._items is not None else slow",
}
"""The same where the key is a constant that is its own dict key."""
_KEYWORD = "b._items.get(a) if b.__class__ is rt_map and b._items is not None else slow"

_HELPERS = frozenset({"rt_map", "rt_grown"})


def emit(emitter: Expressions, name: str, node: ir.Call) -> ast.expr | None:
    """Return the inline form of a call of a builtin, or None when it has none."""
    if name == "str":
        return _text(emitter, node)
    shape = (name, len(node.args))
    template = _SHORTCUTS.get(shape)
    if shape in _PLAIN_KEY and isinstance(node.args[1], ir.Const) and is_plain(node.args[1].value):
        template = _PLAIN_KEY[shape]
    if template is None or isinstance(node.args[name == "cons"], ir.Const):
        return None  # of a constant it is known what happens: Python warns of expressions that cannot be
    return fill(emitter, template, node.args, emitter.unit.builtin(name))


def keyword(emitter: Expressions, node: ir.Call) -> ast.expr | None:
    """Return the inline form of `(:key subject)`."""
    if len(node.args) != 1 or isinstance(node.args[0], ir.Const):
        return None
    return fill(emitter, _KEYWORD, (node.function, *node.args), emitter.unit.helper("rt_keyword"))


def fill(emitter: Expressions, template: str, args: tuple[ir.Node, ...], slow: str) -> ast.expr:
    """Return a shortcut with its arguments; what is no name or literal is put into a temporary first."""
    kinds = [emitter.numbers.kind(arg) for arg in args]
    names: dict[str, ast.expr] = {}
    first: list[ast.expr] = []
    for letter, expression, arg in zip("abc", emitter.values(args), args, strict=False):
        # A literal that only a form around it shows stays apart too: Python warns of what cannot be, as None[0].
        literal = isinstance(expression, ast.Constant) and isinstance(arg, ir.Const)
        if literal or (isinstance(expression, ast.Name) and not expression.id.startswith("G__")):
            names[letter] = expression
        else:
            temp = emitter.unit.temp("a")
            first.append(py.bound(temp, expression))
            names[letter] = py.load(temp)
    known = {letter for letter, kind in zip("abc", kinds, strict=False) if kind is Kind.INT}
    made = _Filler(emitter, names, known, slow).visit(ast.parse(template, mode="eval").body)
    if not first:
        return made  # type: ignore[no-any-return]
    if isinstance(made, ast.IfExp):
        made.test = py.both([*first, made.test])
        return made
    return py.both([*first, made])


class _Filler(ast.NodeTransformer):
    """Puts arguments in place of the letters, and drops the tests that are known to hold."""

    def __init__(self, emitter: Expressions, names: dict[str, ast.expr], known: set[str], slow: str) -> None:
        self.emitter = emitter
        self.names = names
        self.known = known
        self.slow = slow

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Visit the parts; the places of the template's text mean nothing."""
        made = super().generic_visit(node)
        for place in ("lineno", "col_offset", "end_lineno", "end_col_offset"):
            made.__dict__.pop(place, None)
        return made

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id == "slow":
            return py.call(self.slow, *[self._again(letter) for letter in self.names])
        if node.id in self.names:
            return self._again(node.id)
        return py.load(self.emitter.unit.helper(node.id) if node.id in _HELPERS else node.id)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id == "isint":
            letter = node.args[0].id  # type: ignore[attr-defined]
            value = self.names[letter]
            if isinstance(value, ast.Constant):
                return py.const(value=value.value.__class__ is int)
            return py.const(value=True) if letter in self.known else py.is_class(self._again(letter), "int")
        if isinstance(node.func, ast.Name) and node.func.id == "small":
            return self._small(node.args[0].id)  # type: ignore[attr-defined]
        return self.generic_visit(node)

    def _small(self, letter: str) -> ast.expr:
        value = self.names[letter]
        if isinstance(value, ast.Constant):
            return py.const(value=value.value.__class__ is int and 0 < abs(value.value) < LARGE_INTEGER)
        low, high = py.const(-LARGE_INTEGER), py.const(LARGE_INTEGER)
        bounds = ast.Compare(low, [ast.Lt(), ast.Lt()], [self._again(letter), high])
        return py.both([bounds, self._again(letter)])

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        made: Any = self.generic_visit(node)
        if isinstance(made.op, ast.And):
            return py.both([v for v in made.values if not (isinstance(v, ast.Constant) and v.value is True)])
        return made  # type: ignore[no-any-return]

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        made: Any = self.generic_visit(node)
        if isinstance(made.test, ast.Constant) and made.test.value is True:
            return made.body  # type: ignore[no-any-return]
        return made  # type: ignore[no-any-return]

    def _again(self, letter: str) -> ast.expr:
        value = self.names[letter]
        return py.load(value.id) if isinstance(value, ast.Name) else py.const(value.value)  # type: ignore[attr-defined]


def _text(emitter: Expressions, node: ir.Call) -> ast.expr | None:
    """`str` as one format string; a result that may be too long is made by the library, which refuses it."""
    if len(node.args) < 2:
        return None
    short = [_is_short(emitter, arg) for arg in node.args]
    parts: list[ast.expr] = []
    for arg, is_short, expression in zip(node.args, short, emitter.values(node.args), strict=True):
        if isinstance(arg, ir.Const) and arg.value.__class__ is str:
            parts.append(py.const(arg.value))
            continue
        if not is_short:
            expression = _shown(emitter, expression)  # noqa: PLW2901 - the part as text
        parts.append(ast.FormattedValue(expression, -1, None))
    made = ast.JoinedStr(parts)
    if all(short):
        return made
    temp = emitter.unit.temp("a")
    fits = py.compare(py.call("len", py.walrus(temp, made)), ast.LtE(), py.const(_LONGEST))
    return py.either(fits, py.load(temp), py.call(emitter.unit.helper("rt_bounded"), py.load(temp)))


def _is_short(emitter: Expressions, node: ir.Node) -> bool:
    if isinstance(node, ir.Const) and node.value.__class__ is str:
        return len(node.value) < 100
    bits = width(node, emitter.numbers)
    return emitter.numbers.kind(node) is Kind.INT and bits is not None and bits < _SHORT_INTEGER


def _shown(emitter: Expressions, expression: ast.expr) -> ast.expr:
    if isinstance(expression, ast.Name) and "__" not in expression.id:
        test, read = py.is_class(py.load(expression.id), "str"), expression.id
    else:
        read = emitter.unit.temp("a")
        test = py.is_class(py.walrus(read, expression), "str")
    return py.either(test, py.load(read), py.call(emitter.unit.helper("rt_text"), py.load(read)))
