"""Purity: for every function whether it is pure, may be delegated, or reaches its host; and what makes it so.

The answer is the least fixpoint over what a function mentions: a function that mentions an effectful one may call it,
so it is effectful too. (To mention is less than to call, but a function that is passed on is mostly called.) A
parameter that is called makes nothing impure, for that is the caller's affair; it is told all the same.
"""

from __future__ import annotations

from functools import lru_cache

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Iterator
from rtfs_framework.lang.check.facts import Facts
from rtfs_framework.lang.check.kinds import ANY, FUNCTION, INT, NIL, STRING
from rtfs_framework.lang.check.signatures import ways
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.declassified import DECLASSIFY, call_of
from rtfs_framework.lang.ir.summary import summary
from rtfs_framework.lang.ir.ticketed import TICKET
from rtfs_framework.lang.ir.walk import everything, variables
from rtfs_framework.lang.library import LibraryEntry
from rtfs_framework.lang.signature import FunctionEffect, Purity, Reason, memoised
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.values import Keyword

_EVENTS = {
    "%step": "tells the host of a step",
    "%step-loop": "tells the host of a step",
    "%step-parallel": "tells the host of its steps",
    "%llm-execute": "asks the capability ccos.ai.llm-execute",
    TICKET: "starts a call that answers later",
}
_EFFECTS = {
    "capability": "asks the host for a capability",
    "context": "reads or writes the host's context",
    "ticket": "waits for the answer of a ticket",
}
_TELLING = frozenset({ir.Global, ir.Local, ir.HostName, ir.Hinted, ir.Builtin, ir.Call, ir.Fn})
"""Nodes that may tell something of the function that they are in."""
_HIGHER = NIL | INT | STRING
"""What a parameter that wants a function does not take."""

Key = str | ir.Var


@records.define(eq=False)
class _Function:
    """What one function does itself, and whom it mentions."""

    fn: ir.Fn
    purity: Purity = Purity.PURE
    because: list[Reason] = records.field(factory=list)
    given: list[Reason] = records.field(factory=list)
    mentions: dict[Key, Span] = records.field(factory=dict)


def infer_effects(facts: Facts) -> tuple[FunctionEffect, ...]:
    """Return the purity of every named function, in the order of the program."""
    leaders = _leaders(facts)
    functions: dict[Key, _Function] = {}
    telling = _TELLING if facts.locals else _TELLING - {ir.Local}
    for key, fn, nodes in _named(facts):
        made = _look(fn, [node for node in nodes if node.__class__ in telling], facts)
        made.mentions = {leaders.get(mentioned, mentioned): span for mentioned, span in made.mentions.items()}
        leader = leaders.get(key)
        functions[leader or key] = made if leader is None else _joined(functions.get(leader), made)
    callers: dict[Key, list[Key]] = {}
    for key, each in functions.items():
        for mentioned in each.mentions:
            callers.setdefault(mentioned, []).append(key)
    _spread(functions, callers, facts)
    return tuple(
        FunctionEffect(
            each.fn.name,
            each.purity,
            facts.place(each.fn.span),
            (*each.because, *each.given),
            memoised(each.fn.signature),
        )
        for each in functions.values()
    )


def _named(facts: Facts) -> Iterator[tuple[Key, ir.Fn, list[ir.Node]]]:
    """Yield functions and what is in them, the top-level ones of a form first; of equal names, the last one counts."""
    for root in facts.program.body:
        seen = summary(facts.program, root)
        for node in seen.by_kind.get(ir.SetGlobal, ()):
            if isinstance(node.value, ir.Fn):
                yield node.name, node.value, seen.nodes[2:] if node is root else everything((node.value,))[1:]
        for each in seen.by_kind.get(ir.Letrec, ()):
            yield from ((var, fn, everything((fn,))[1:]) for var, fn in each.bindings)


def _leaders(facts: Facts) -> dict[Key, Key]:
    """Return what stands for the arities of functions that have several: their name, or the first one's variable."""
    found: dict[Key, Key] = {}
    for node in facts.of(ir.SetGlobal):
        if isinstance(node.value, ir.Arities):
            found.update((each.name, node.name) for each in node.value.functions if isinstance(each, ir.Global))
    for several in facts.of(ir.Arities):
        local = [each.var for each in several.functions if isinstance(each, ir.Local)]
        found.update((var, local[0]) for var in local)
    return found


def _joined(one: _Function | None, other: _Function) -> _Function:
    """Return what two arities of a function do."""
    if one is None:
        return other
    one.purity = max(one.purity, other.purity, key=_rank)
    one.because += [reason for reason in other.because if reason not in one.because]
    one.given += [reason for reason in other.given if reason not in one.given]
    one.mentions = {**other.mentions, **one.mentions}
    return one


def _look(fn: ir.Fn, nodes: list[ir.Node], facts: Facts) -> _Function:
    made = _Function(fn)
    if goes_elsewhere(fn):
        made.purity = Purity.DELEGATABLE
        made.because.append(Reason("its calls may go elsewhere", facts.place(fn.span)))
    taken = {var for param in (*fn.params, *([fn.rest] if fn.rest else [])) for var in variables(param.pattern)}
    told: set[ir.Node] = set()
    for node in nodes:
        if node not in told:
            _note(made, node, taken, told, facts)
    return made


def goes_elsewhere(fn: ir.Fn) -> bool:
    """Tell whether the calls of a function may be answered by somebody else; those of a memoised one are not."""
    return fn.linked and not memoised(fn.signature)


def asking_reason(node: ir.Node, facts: Facts) -> str | None:
    """Return why running a node may reach the host, whatever it is a part of; None where it cannot."""
    match node:
        case ir.HostName(name=name):
            return f"asks the host for {name}"
        case ir.Hinted():
            return "tells the host hints"
        case ir.Builtin(name=name):
            return "frees a call of the host" if name == DECLASSIFY else _of_builtin(name, facts)
        case ir.Fn():
            return f"calls {node.name}, whose calls may go elsewhere" if goes_elsewhere(node) else None
        case _:
            return None


def _note(made: _Function, node: ir.Node, taken: set[ir.Var], told: set[ir.Node], facts: Facts) -> None:
    """Note what a node tells of its function; to `told` goes what then says nothing more."""
    text: str | None = None
    match node:
        case ir.Global(name=name):
            made.mentions.setdefault(name, node.span)
        case ir.Local(var=var) if var in facts.locals and facts.locals[var] is not made.fn:
            made.mentions.setdefault(var, node.span)
        case ir.HostName(name=name):
            text = f"asks the host for {name}"
        case ir.Hinted():
            text = "tells the host hints"
        case ir.Builtin(name=name):
            text = _of_builtin(name, facts)
        case ir.Call():
            _given(made, node, taken, facts)
            text = _of_capability(node, facts)
            told.update(() if text is None else (call_of(node).function,))
        case ir.Fn() if node.name == "fn" and goes_elsewhere(node):
            made.purity = max(made.purity, Purity.DELEGATABLE, key=_rank)
            made.because.append(Reason("makes a function whose calls may go elsewhere", facts.place(node.span)))
        case _:
            return
    if text is not None:
        made.purity = Purity.EFFECTFUL
        reason = Reason(text, facts.place(node.span))
        if reason not in made.because:
            made.because.append(reason)


def _of_builtin(name: str, facts: Facts) -> str | None:
    entry = facts.library.get(name)
    if entry is not None and entry.effect is not None:
        return _EFFECTS.get(entry.effect, f"asks the host ({name})")
    return _EVENTS.get(name)


def _of_capability(node: ir.Call, facts: Facts) -> str | None:
    """Return what a call asks for by name."""
    node = call_of(node)
    entry = facts.library.get(node.function.name) if isinstance(node.function, ir.Builtin) else None
    if entry is None or entry.effect != "capability" or not node.args or not isinstance(node.args[0], ir.Const):
        return None
    name = node.args[0].value
    return f"calls the capability {name.name if isinstance(name, Keyword) else name}"


def _given(made: _Function, node: ir.Call, taken: set[ir.Var], facts: Facts) -> None:
    """Note parameters that are called, by the function itself or by a library function that wants one."""
    called = [node.function]
    if isinstance(node.function, ir.Builtin):
        entry = facts.library.get(node.function.name)
        called = [] if entry is None else [node.args[i] for i in _functions_at(entry, len(node.args))]
    for each in called:
        if isinstance(each, ir.Local) and each.var in taken:
            reason = Reason(f"calls what it is given: {each.var.name}", facts.place(each.span))
            if all(reason.text != known_reason.text for known_reason in made.given):
                made.given.append(reason)


@lru_cache(maxsize=1024)
def _functions_at(entry: LibraryEntry, count: int) -> tuple[int, ...]:
    """Return the places of the arguments that a library function wants to be functions."""
    known = ways(entry.name, entry, count)
    return tuple(i for i in range(count) if known and all(_wants_function(way.takes(i)) for way in known))


def _wants_function(kinds: int) -> bool:
    return kinds != ANY and bool(kinds & FUNCTION) and not kinds & _HIGHER


def _rank(purity: Purity) -> int:
    return (Purity.PURE, Purity.DELEGATABLE, Purity.EFFECTFUL).index(purity)


def _spread(functions: dict[Key, _Function], callers: dict[Key, list[Key]], facts: Facts) -> None:
    """Carry impurity to those that mention a function, until nothing changes: each function rises at most twice."""
    todo = [key for key, each in functions.items() if each.purity is not Purity.PURE]
    while todo:
        key = todo.pop()
        purity = functions[key].purity
        for caller in callers.get(key, ()):
            user = functions[caller]
            if _rank(user.purity) < _rank(purity):
                user.purity = purity
                todo.append(caller)
    for each in functions.values():
        for key, span in each.mentions.items():
            used = functions.get(key)
            if used is not None and used is not each and used.purity is not Purity.PURE:
                each.because.append(Reason(f"uses {used.fn.name}, which is {used.purity.value}", facts.place(span)))
