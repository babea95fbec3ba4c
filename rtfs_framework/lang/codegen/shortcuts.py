"""Shortcuts: calls of common builtins inline where a class test settles what they do; all else goes to the library.

In: a call and what is known of its arguments. Out: the function's inline form, with the arguments put in.

An inline form (`LibraryEntry.inline`) is a Python expression that does the usual case. It reads the arguments as `a`,
`b`, `c`, each as often as it likes, and `slow` is the call of the function itself. Tests are left out where the answer
is known: `isint(x)`, `isfloat(x)`, `istext(x)` (that is short), `ismap(x)`, `isvector(x)` (a tuple where
any vector will do), `x.__class__ is str`, `iskey(x)` (its own key in a dict), `small(x)`, that an integer is a usual
divisor: positive and compact (a literal: not large), and `quick(a, b)` for the same where a division by a short integer
of any sign will do: dividing by a large one takes time that the meter must know of. What the library would charge for
goes to the library, so that the steps of a run do not depend on what is inline.
"""

from __future__ import annotations

import ast
from functools import lru_cache

from rtfs_framework.lang.annotations import TYPE_CHECKING, Any, Callable
from rtfs_framework.lang.codegen import fields, lengths
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.hashing import COMPACT, WORD
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.library import Op
from rtfs_framework.lang.maps import is_plain
from rtfs_framework.lang.meter import LARGE_INTEGER, SHORT, SMALL
from rtfs_framework.lang.passes.kinds import Kind
from rtfs_framework.lang.passes.naturals import is_natural
from rtfs_framework.lang.passes.widths import WORD_BITS, width
from rtfs_framework.lang.vectors import GROW_AT

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.emitter import EmitterBase
    from rtfs_framework.lang.codegen.expressions import Expressions
    from rtfs_framework.lang.passes.numbers import Numbers

_LONGEST = SHORT - 1
"""Characters of a string that the meter need not know of."""
_SHORT_INTEGER = 2048
"""Integers of at most so many bits are shown by Python itself, which refuses very long ones."""
_SHOWN = 1 << 60
"""Integers of which nothing is known are shown by Python itself below this."""

_BOUNDS = {"SHORT": SHORT, "SMALL": SMALL, "GROW_AT": GROW_AT, "WORD": _SHOWN}
"""Names for numbers in inline forms."""
_WRITTEN = {
    "ismap({0})": "{0}.__class__ is rt_map",
    "istext({0})": "{0}.__class__ is str and len({0}) < SHORT",
}
"""What tests in inline forms stand for."""
_ASKED = ("isint({0})", "isfloat({0})", "isvector({0})", "{0}.__class__", "{0} is ")
_CLASSES = {"isint": (int, Kind.INT), "isfloat": (float, Kind.FLOAT), "isvector": (tuple, Kind.VECTOR)}
_KINDS = {"int": Kind.INT, "float": Kind.FLOAT, "str": Kind.STRING, "rt_map": Kind.MAP}
"""Kinds that are one class."""
_HELPERS = frozenset({"rt_map", "rt_grown", "rt_reduced_value"})
_KEYWORD = "b._items.get(a) if ismap(b) else slow"
"""`(:key subject)`."""
_ENTRY = "a._items[b] if ismap(a) else slow"
"""`(get subject key)` where the subject surely has the key."""


def emit(emitter: Expressions, function: ir.Builtin, node: ir.Call) -> ast.expr | None:
    """Return the inline form of a call of a builtin, or None when it has none."""
    if function.op == Op.STR and len(node.args) > 1:
        return _text(emitter, node)
    if function.op == Op.ASSOC and fields.is_field(node):
        return fields.changed(emitter, function, node)
    form = None if function.entry is None else function.entry.inline.get(len(node.args))
    if form is None or isinstance(node.args[_subject(form)], ir.Const):
        return None  # of a constant it is known what happens: Python warns of expressions that cannot be
    form = _ENTRY if fields.is_there(node, emitter.numbers) else lengths.template(emitter, node) or form
    return fill(emitter, form, node.args, emitter.unit.builtin(function.name))


@lru_cache
def _subject(form: str) -> int:
    """Return which argument an inline form asks about first."""
    text = _expanded(form)
    begun = [min(len(text.partition(asked.format(letter))[0]) for asked in _ASKED) for letter in "abc"]
    return begun.index(min(begun))


@lru_cache
def _expanded(form: str) -> str:
    for test, written in _WRITTEN.items():
        for letter in "abc":
            form = form.replace(test.format(letter), written.format(letter))
    return form


@lru_cache(maxsize=512)
def _template(form: str) -> ast.expr:
    """Return an inline form as Python reads it. It is kept, and never changed."""
    return ast.parse(_expanded(form), mode="eval").body


def is_own_key(node: ir.Node, numbers: Numbers) -> bool:
    """Tell whether a value is surely its own dict key."""
    if isinstance(node, ir.Const):
        return is_plain(node.value)
    bits = width(node, numbers) if numbers.kind(node) is Kind.INT else None
    return bits is not None and bits < WORD.bit_length()


def key_test(emitter: EmitterBase, node: ir.Node, name: str) -> ast.expr:
    """Return the test that a named value is its own dict key."""
    if is_own_key(node, emitter.numbers):
        return py.const(value=True)
    # Python runs a chain slower than two comparisons.
    bounds: list[tuple[ast.cmpop, int]] = [(ast.Lt(), COMPACT), (ast.Gt(), -COMPACT)]
    small = [py.compare(py.load(name), operator, py.const(bound)) for operator, bound in bounds]
    if emitter.numbers.kind(node) is Kind.INT:
        return py.both(small)
    plain = py.compare(py.klass(py.load(name)), ast.In(), py.load(emitter.unit.helper("rt_plain")))
    return ast.BoolOp(ast.Or(), [py.both([py.is_class(py.load(name), "int"), *small]), plain])


def keyword(emitter: Expressions, node: ir.Call) -> ast.expr | None:
    """Return the inline form of `(:key subject)`."""
    if len(node.args) != 1 or isinstance(node.args[0], ir.Const):
        return None
    return fill(emitter, _KEYWORD, (node.function, *node.args), emitter.unit.helper("rt_keyword"))


def fill(emitter: Expressions, form: str, args: tuple[ir.Node, ...], slow: str) -> ast.expr:
    """Return a shortcut with its arguments; what is no name or literal is put into a temporary first."""
    names: dict[str, ast.expr] = {}
    first: dict[str, ast.expr] = {}
    for letter, expression, arg in zip("abc", emitter.values(args), args, strict=False):
        # A literal that only a form around it shows stays apart too: Python warns of what cannot be, as None[0].
        literal = isinstance(expression, ast.Constant) and isinstance(arg, ir.Const)
        if literal or (isinstance(expression, ast.Name) and not expression.id.startswith("G__")):
            names[letter] = expression
        else:
            temp = emitter.unit.temp("a")
            first[temp] = expression
            names[letter] = py.load(temp)
    nodes = dict(zip("abc", args, strict=False))
    made = _Filler(emitter, names, nodes, slow).filled(_template(form))
    return _begun(made, first)


def _begun(made: ast.expr, first: dict[str, ast.expr]) -> ast.expr:
    """Return an expression that puts its arguments into their temporaries before anything else."""
    if not first:
        return made
    *others, (last, value) = first.items()
    reads = [part for part in ast.walk(made) if isinstance(part, ast.Name) and part.id in first]
    begun = None if others else _with_first(made, last, value if len(reads) == 1 else py.walrus(last, value))
    if begun is not None:
        return begun
    bound = [py.bound(name, value) for name, value in first.items()]
    if isinstance(made, ast.IfExp):
        made.test = py.both([*bound, made.test])
        return made
    return py.both([*bound, made])


_FIRST = {
    ast.IfExp: "test",
    ast.Attribute: "value",
    ast.Subscript: "value",
    ast.UnaryOp: "operand",
    ast.NamedExpr: "value",
    ast.BinOp: "left",
    ast.Compare: "left",
}
"""The part of an expression that Python computes first."""


def _with_first(made: ast.expr, name: str, value: ast.expr) -> ast.expr | None:
    """Return an expression with a value in place of a name, if that name is the first thing that it reads."""
    begun: ast.expr | None = None
    match made:
        case ast.Name(found):
            return value if found == name else None
        case ast.Compare(ast.Name(found), [ast.Is() | ast.IsNot(), *_]) if found == name:
            # Python warns beside `is` of what it folds to a literal.
            begun = made.left = value if isinstance(value, ast.NamedExpr) else py.walrus(name, value)
        case ast.BoolOp(values=parts) | ast.Call(ast.Name(), parts) if parts:
            begun = _with_first(parts[0], name, value)
            parts[0] = parts[0] if begun is None else begun
        case ast.BinOp(ast.Constant(), _, right):
            begun = _with_first(right, name, value)
            made.right = right if begun is None else begun
        case ast.Compare(ast.Constant(), _, [right, *_]):
            begun = _with_first(right, name, value)
            made.comparators[0] = right if begun is None else begun
        case _ if made.__class__ in _FIRST:
            place = _FIRST[made.__class__]
            begun = _with_first(getattr(made, place), name, value)
            if begun is not None:
                setattr(made, place, begun)
        case _:
            pass
    return None if begun is None else made


class _Filler:
    """Makes the inline form of one call: arguments in place of the letters, no test of which the answer is known."""

    def __init__(self, emitter: Expressions, names: dict[str, ast.expr], nodes: dict[str, ir.Node], slow: str) -> None:
        self.emitter = emitter
        self.names = names
        self.nodes = nodes
        self.kinds = {letter: emitter.numbers.kind(node) for letter, node in nodes.items()}
        self.slow = slow

    def filled(self, node: ast.expr) -> Any:
        """Return what an expression of a template becomes."""
        make = _MAKE.get(node.__class__)
        return self._like(node) if make is None else make(self, node)

    def _like(self, node: ast.expr) -> Any:
        """Return an expression of the same kind; the places of the template's text mean nothing."""
        return node.__class__(*[self._part(getattr(node, field)) for field in node._fields])

    def _part(self, part: Any) -> Any:
        if isinstance(part, list):
            return [self._part(each) for each in part]
        return self.filled(part) if isinstance(part, ast.expr) else part

    def name(self, node: ast.Name) -> ast.expr:
        if node.id == "slow":
            return py.call(self.slow, *[py.again(self.names[letter]) for letter in self.names])
        if node.id in self.names:
            return py.again(self.names[node.id])
        if node.id in _BOUNDS:
            return py.const(_BOUNDS[node.id])
        return py.load(self.emitter.unit.helper(node.id) if node.id in _HELPERS else node.id)

    def call(self, node: ast.Call) -> ast.expr:
        match node:
            case ast.Call(ast.Name(test), [ast.Name(letter)]) if test in _CLASSES:
                return self._is(letter, *_CLASSES[test])
            case ast.Call(ast.Name("small"), [ast.Name(letter)]):
                return self._small(letter)
            case ast.Call(ast.Name("quick"), [_, ast.Name(letter)]):
                return py.const(value=True) if self._is_quick() else self._small(letter)
            case ast.Call(ast.Name("iskey"), [ast.Name(letter)]):
                return self._is_key(letter)
            case _:
                made: ast.expr = self._like(node)
        match made:
            case ast.Call(ast.Name("len"), [ast.Constant(str() as text)]):
                return py.const(len(text))
            case _:
                return made

    def _is(self, letter: str, wanted: type, kind: Kind) -> ast.expr:
        """Return the test that an argument is of a class, or its answer."""
        value = self.names[letter]
        if isinstance(value, ast.Constant):
            return py.const(value=value.value.__class__ is wanted)
        known = self.kinds[letter]
        if known is not None:
            return py.const(value=known is kind)
        return py.is_class(py.again(self.names[letter]), wanted.__name__)

    def _is_quick(self) -> bool:
        """Tell whether a division of integers need not be measured: one of the two is short."""
        bits = [width(node, self.emitter.numbers) for node in self.nodes.values()]
        divisor = list(self.nodes.values())[-1]
        zero = isinstance(divisor, ir.Const) and divisor.value == 0
        return not zero and any(each is not None and each <= WORD_BITS for each in bits)

    def _is_natural(self, part: ast.expr) -> bool:
        """Tell whether an argument surely is an integer that is not negative."""
        return (
            isinstance(part, ast.Name)
            and part.id in self.nodes
            and is_natural(self.nodes[part.id], self.emitter.numbers)
        )

    def _is_key(self, letter: str) -> ast.expr:
        value = self.names[letter]
        if isinstance(value, ast.Constant):
            return py.const(value=is_plain(value.value))
        return key_test(self.emitter, self.nodes[letter], value.id)  # type: ignore[attr-defined]

    def _small(self, letter: str) -> ast.expr:
        value = self.names[letter]
        if isinstance(value, ast.Constant):
            return py.const(value=value.value.__class__ is int and 0 < value.value < LARGE_INTEGER)
        bounds: list[tuple[ast.cmpop, int]] = [(ast.Gt(), 0), (ast.Lt(), COMPACT)]
        return py.both(py.compare(py.again(value), operator, py.const(bound)) for operator, bound in bounds)

    def compare(self, node: ast.Compare) -> ast.expr:
        match node:
            case ast.Compare(ast.Attribute(ast.Name(letter), "__class__"), [ast.Is()], [ast.Name(name)]):
                known = self.kinds[letter]
                vector = known is Kind.VECTOR and name in ("tuple", "rt_grown")
                if known is not None and not vector and not isinstance(self.names[letter], ast.Constant):
                    return py.const(value=known is _KINDS.get(name))
            case ast.Compare(number, [ast.GtE()], [ast.Constant(0)]) | ast.Compare(
                number, [ast.Gt()], [ast.UnaryOp()]
            ) if self._is_natural(number):
                return py.const(value=True)
            case _:
                pass
        made: Any = self._like(node)
        match made:
            case ast.Compare(ast.Constant(int() as left), [ast.Lt()], [ast.Constant(int() as right)]):
                return py.const(value=left < right)
            case ast.Compare(ast.Attribute(ast.Constant(value), "__class__"), [ast.Is()], [ast.Name(name)]):
                return py.const(value=value.__class__.__name__ == name)
            case _:
                return made  # type: ignore[no-any-return]

    def junction(self, node: ast.BoolOp) -> ast.expr:
        made: Any = self._like(node)
        neutral = isinstance(made.op, ast.And)
        values = [v for v in made.values if not (isinstance(v, ast.Constant) and v.value is neutral)]
        if any(isinstance(v, ast.Constant) and v.value is (not neutral) for v in values):
            return py.const(value=not neutral)
        if len(values) > 1:
            return ast.BoolOp(made.op, values)
        return values[0] if values else py.const(value=neutral)

    def choice(self, node: ast.IfExp) -> ast.expr:
        made: Any = self._like(node)
        if isinstance(made.test, ast.Constant) and made.test.value.__class__ is bool:
            return made.body if made.test.value else made.orelse  # type: ignore[no-any-return]
        return made  # type: ignore[no-any-return]


_MAKE: dict[type, Callable[[_Filler, Any], ast.expr]] = {
    ast.Name: _Filler.name,
    ast.Call: _Filler.call,
    ast.Compare: _Filler.compare,
    ast.BoolOp: _Filler.junction,
    ast.IfExp: _Filler.choice,
}


def _text(emitter: Expressions, node: ir.Call) -> ast.expr:
    """`str` as one format string; a result that may be too long is made by the library, which refuses it."""
    parts: list[ast.expr] = []
    for arg, expression in zip(node.args, emitter.values(node.args), strict=True):
        if isinstance(arg, ir.Const) and arg.value.__class__ is str:
            parts.append(py.const(arg.value))
        else:
            parts.append(ast.FormattedValue(_shown(emitter, arg, expression), -1, None))
    made = ast.JoinedStr(parts)
    if all(_is_short(emitter, arg) for arg in node.args):
        return made
    temp = emitter.unit.temp("a")
    fits = py.compare(py.call("len", py.walrus(temp, made)), ast.LtE(), py.const(_LONGEST))
    return py.either(fits, py.load(temp), py.call(emitter.unit.helper("rt_bounded"), py.load(temp)))


def _is_short(emitter: Expressions, node: ir.Node) -> bool:
    match node:
        case ir.Const(value=str() as text):
            return len(text) < 100
        case ir.If(then=then, otherwise=otherwise):
            return _is_short(emitter, then) and _is_short(emitter, otherwise)
        case _:
            bits = width(node, emitter.numbers)
            return emitter.numbers.kind(node) is Kind.INT and bits is not None and bits < _SHORT_INTEGER


def _shown(emitter: Expressions, node: ir.Node, expression: ast.expr) -> ast.expr:
    """Return what Python shows as `str` does: text, integers that are not long, and else what the library makes."""
    kind = emitter.numbers.kind(node)
    if kind is Kind.STRING or (kind is Kind.INT and _is_short(emitter, node)):
        return expression
    if isinstance(expression, ast.Name) and py.is_local(expression):
        first: ast.expr = py.load(expression.id)
        read = expression.id
    else:
        read = emitter.unit.temp("a")
        first = py.walrus(read, expression)
    if kind is Kind.INT:
        test = py.between(-_SHOWN, first, py.load(read), py.const(_SHOWN))
    else:
        test = py.is_class(first, "str")
    return py.either(test, py.load(read), py.call(emitter.unit.helper("rt_text"), py.load(read)))
