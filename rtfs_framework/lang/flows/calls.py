"""Calls: of what the program shows, of function values, and of what nobody knows."""

from __future__ import annotations

from rtfs_framework.lang.annotations import TYPE_CHECKING, Sequence
from rtfs_framework.lang.check.effects import goes_elsewhere
from rtfs_framework.lang.flows import asking, patterns
from rtfs_framework.lang.flows.library import call_library
from rtfs_framework.lang.flows.values import ANY_DATA, BOTTOM, DATA, MAP, Value, bits, join, lump
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import everything
from rtfs_framework.lang.library import LibraryEntry
from rtfs_framework.lang.values import Keyword

if TYPE_CHECKING:
    from rtfs_framework.lang.flows.state import Called, Unit
    from rtfs_framework.lang.flows.walk import Walk
    from rtfs_framework.lang.source import Span

_DEEPEST = 4
"""Small functions inside each other that are looked at where they are called."""


def call(walk: Walk, node: ir.Call) -> Value:
    """Return what a call gives."""
    function = node.function
    if isinstance(function, ir.Builtin):
        return call_library(walk, function, walk.values(node.args), node.args, node.span)
    if isinstance(function, ir.Const) and isinstance(function.value, Keyword):
        args = walk.values(node.args)
        subject = node.args[0] if node.args else None
        return look_up(walk, function.value, args, node.span, subject.var if isinstance(subject, ir.Local) else None)
    called = walk.value(function)
    args = walk.values(node.args)
    return call_value(walk, called, args, node.span)


def answers_here(walk: Walk, node: ir.Call) -> bool:
    """Tell whether a call may be answered by a body of the program's that calls or asks anybody."""
    if isinstance(node.function, ir.Builtin | ir.HostName):
        return False
    found = walk.value(node.function).functions
    return bool(found & ANY_DATA) or not all(map(_silent, (walk.state.callable(each) for each in bits(found))))


def _silent(known: Called) -> bool:
    """Tell whether a function asks nobody, as far as its own text shows."""
    if known.kind != "function":
        return known.kind == "capability"
    for node in everything((known.what.body,)):
        match node:
            case ir.Call(function=ir.Const()) | ir.Call(function=ir.Builtin(entry=LibraryEntry(plain=True))):
                continue
            case ir.Call() | ir.HostName() | ir.Hinted():
                return False
    return True


def look_up(walk: Walk, key: Keyword, args: Sequence[Value], span: Span, var: ir.Var | None = None) -> Value:
    """`(:k subject default?)`: a part, and no more; it fails only for what is no map."""
    if not 1 <= len(args) <= 2:
        walk.may_fail(0, span)
        return BOTTOM
    subject = args[0]
    if not patterns.surely(subject, MAP) and (var is None or var not in walk.maps):
        walk.may_fail(walk.sources.shape(subject), span)
    if var is not None:
        walk.maps |= {var}
    found = walk.sources.read(subject, ("keyword", key.name))
    return join(found, args[1].tinted(found.top)) if len(args) == 2 else found


def call_value(walk: Walk, called: Value, args: Sequence[Value], span: Span, more: int = 0) -> Value:
    """Call what a value may be. `more` are sources that say whether it happens, beside those of the place."""
    walk.may_fail(called.top, span)
    found = BOTTOM
    if called.functions & ANY_DATA:  # maps, vectors and sets look themselves up
        found = lump(called, *args)
        walk.may_fail(found.mask, span)
    for number in bits(called.functions & ~ANY_DATA):
        found = join(found, call_function(walk, number, args, span, more))
    return found if found is BOTTOM else found.tinted(called.top)


def call_function(walk: Walk, number: int, args: Sequence[Value], span: Span, more: int = 0) -> Value:
    """Call one function."""
    known = walk.state.callable(number)
    what = known.what
    walk.may_fail(0, span)
    if known.kind == "keyword":
        return look_up(walk, what, args, span)
    if known.kind == "library":
        return call_library(walk, what, list(args), (), span)
    if known.kind == "capability":
        return asking.ask(walk, args, span)
    if known.kind == "struct":
        given = args[0] if args else BOTTOM
        walk.check(given, what, span)
        return given
    if known.kind == "wrapped":
        made_of = walk.state.read(what, walk.unit)
        return _wrapped(walk, number, lump(made_of, *args), span)
    return _call_own(walk, what, args, span, more)


def _wrapped(walk: Walk, number: int, fed: Value, span: Span) -> Value:
    """A function that the library made of others: it calls them with parts of all that it and they were given."""
    found = fed
    inner = fed.functions & ~ANY_DATA & ~(1 << number)
    for each in bits(inner):
        found = join(found, call_anyhow(walk, each, fed, span))
    return lump(found)


def call_anyhow(walk: Walk, number: int, fed: Value, span: Span) -> Value:
    """Call a function as often as one likes, with parts of a value and of what it gives; return what it may give."""
    known = walk.state.callable(number)
    if number in walk.feeding:
        return Value(fed.mask, 0)
    walk.feeding.add(number)
    try:
        if known.kind == "function":
            fn = known.what
            back = lump(fed, walk.state.read(("result", fn), walk.unit))
            given = [back] * (len(fn.params) + (fn.rest is not None))
            found = _call_own(walk, fn, given, span, back.mask, once=False)
        elif known.kind == "library" and known.what.entry is not None:
            entry = known.what.entry
            most = entry.low + 1 if entry.high is None else entry.high
            found = BOTTOM
            for count in {entry.low, most}:
                found = join(found, call_function(walk, number, [fed] * count, span))
        else:
            found = call_function(walk, number, [fed], span)
    finally:
        walk.feeding.discard(number)
    mask, functions = found.flat()
    walk.may_fail(mask | fed.mask, span)
    return Value(mask | fed.mask, functions)


def _call_own(walk: Walk, fn: ir.Fn, args: Sequence[Value], span: Span, more: int = 0, *, once: bool = True) -> Value:
    """Call a function of the program: at its host's, if that may be, and here."""
    low, high = fn.shape
    if len(args) < low or (high is not None and len(args) > high):
        return BOTTOM
    asked = BOTTOM
    if goes_elsewhere(fn):
        asked = asking.ask(walk, args, span)
    if once and fn in walk.state.small and fn not in walk.stack and len(walk.stack) < _DEEPEST:
        return join(asked, _look_at_body(walk, fn, args, more))
    unit = enter(walk, fn, args, span, more)
    result = walk.state.read(("result", fn), walk.unit)
    walk.state.read(("fails", fn), walk.unit)
    walk.may_fail(unit.fails, span, unit.told)
    return join(asked, result)


def enter(walk: Walk, fn: ir.Fn, args: Sequence[Value], span: Span, more: int = 0) -> Unit:
    """Note that a function is called with arguments, because of what has been reached."""
    state = walk.state
    unit = state.unit_of(fn)
    for place, value in enumerate(args[: len(fn.params)]):
        state.add(("param", fn, place), value)
    if fn.rest is not None:
        given = args[len(fn.params) :]
        items = BOTTOM
        for value in given:
            items = join(items, value)
        state.add(("rest", fn), Value(0, DATA, 0, None, items))
    mask = walk.reached | walk.around | more
    before = unit.callers.get(walk.unit)
    if before is None or mask & ~before[0]:
        unit.callers[walk.unit] = mask | (0 if before is None else before[0]), span if before is None else before[1]
    return unit


def _look_at_body(walk: Walk, fn: ir.Fn, args: Sequence[Value], more: int) -> Value:
    """Look at a small function's body where it is called, so that calls with different columns are told apart."""
    inner = walk.__class__(walk.state, walk.unit, (*walk.stack, fn))
    inner.reached, inner.around, inner.conditional = walk.reached | more, walk.around, walk.conditional
    inner.feeding = walk.feeding
    found = run_body(inner, fn, list(args[: len(fn.params)]), None)
    walk.reached |= inner.fails
    walk.fails |= inner.fails
    walk.told |= inner.told
    walk.steady = walk.steady and inner.steady
    return found


def run_body(walk: Walk, fn: ir.Fn, args: Sequence[Value], rest: Value | None) -> Value:
    """Bind a function's parameters and return what its body gives."""
    for param, value in zip(fn.params, args, strict=True):
        walk.check(value, param.type, fn.span)
    for param, value in zip(fn.params, args, strict=True):
        patterns.bind(walk, param.pattern, value, fn.span)
    if fn.rest is not None and rest is not None:
        if fn.rest.type is not None:
            walk.check(walk.sources.item_of(rest), fn.rest.type, fn.span)
        patterns.bind(walk, fn.rest.pattern, rest, fn.span)
    found = walk.value(fn.body)
    walk.check(found, fn.returns, fn.span)
    return found
