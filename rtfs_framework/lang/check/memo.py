"""Memoised functions (`^:memo`): whether each may be one, and the digest of all that its values rest on.

A value that is kept is right only if calling again would give the same: so all that a memoised function reaches by its
text is looked at, names that values stand for included. Nothing of that may ask the host, be set twice, or tell one
call from another (`gensym`; where an error happened). What is proved here is a property of the text alone, so a program
in which it does not hold is refused before it runs.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Iterator
from rtfs_framework.lang.check.effects import asking_reason
from rtfs_framework.lang.check.facts import Facts
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.digested import definitions_digest
from rtfs_framework.lang.ir.walk import everything
from rtfs_framework.lang.signature import Memo, memoised
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.values import Keyword

CODE = "E0247"

_TELLING = {
    "gensym": "makes a symbol that no other call makes",
    "pmap-settled": "gives errors, which know where they happened",
}
_OF_ERRORS = frozenset({Keyword("kind"), Keyword("message"), Keyword("data")})
"""What of an error is the same wherever it is raised."""

_PASS_IT = "give f what it needs as an argument"
_TAKE_OFF = "take ^:memo off, or move what asks out of f and give f the answer as an argument"


def check_memo(facts: Facts) -> Iterator[Diagnostic]:
    """Yield why functions that are marked `^:memo` cannot be memoised."""
    for fn in _marked(facts):
        for span, text, way_out in _wrong(fn, facts):
            message = f"{fn.name} cannot be memoised: {text}"
            yield facts.finding(span, CODE, message, way_out.replace(" f ", f" {fn.name} "))


def memos_of(facts: Facts) -> dict[str, Memo]:
    """Return what the values of each memoised function rest on, by its name; of a program that was not refused."""
    made: dict[str, Memo] = {}
    for fn in _marked(facts):
        reached = _reached(fn, facts)
        if any(True for _ in _wrong(fn, facts)):  # it is refused before it runs
            continue
        try:
            digest = definitions_digest(reached.items(), facts.types)
        except (TypeError, RecursionError):  # what nobody can put in a key is computed each time
            continue
        made[fn.name] = Memo(digest, tuple(reached))
    return made


def _marked(facts: Facts) -> list[ir.Fn]:
    if facts.program.types is None:  # a conversation: whatever a function mentions may become something else
        return []
    return [fn for fn in facts.of(ir.Fn) if memoised(fn.signature)]


def _definitions(facts: Facts) -> dict[str, list[ir.Node]]:
    found: dict[str, list[ir.Node]] = {}
    for node in facts.of(ir.SetGlobal):
        found.setdefault(node.name, []).append(node.value)
    return found


def _reached(fn: ir.Fn, facts: Facts) -> dict[str, ir.Node]:
    """Return all top-level names that a function reaches, itself included, in the order of the program."""
    known = _definitions(facts)
    todo, found = [fn.name], {fn.name}
    while todo:
        nodes = everything(tuple(known.get(todo.pop(), ())))
        new = {node.name for node in nodes if node.__class__ is ir.Global} - found
        found |= new
        todo += sorted(new)
    return {name: values[0] for name, values in known.items() if name in found}


def _wrong(fn: ir.Fn, facts: Facts) -> Iterator[tuple[Span, str, str]]:
    """Yield (place, why, way out)."""
    direct = {id(node.value) for node in facts.program.body if node.__class__ is ir.SetGlobal}
    for name, value in _reached(fn, facts).items():
        shown = value.name if isinstance(value, ir.Fn) else name
        known = f"it uses {shown}, which " if shown != fn.name else "it "
        if name not in facts.constants:
            yield fn.span, f"{known}is set more than once", "give each a name of its own"
            continue
        if value.captures if isinstance(value, ir.Fn) else id(value) not in direct:
            yield fn.span, f"{known}is defined inside another form", "define it at top level"
        for span, text in _tells(everything((value,)), facts):
            yield span, f"{known}{text}", _TAKE_OFF


def _tells(nodes: list[ir.Node], facts: Facts) -> Iterator[tuple[Span, str]]:
    """Yield what asks the host, or gives another value at another call."""
    for node in nodes:
        match node:
            case ir.Builtin(name=name) if name in _TELLING:
                yield node.span, _TELLING[name]
            case ir.Try(catches=catches):
                for catch in catches:
                    yield from _looks_whole(catch)
            case _:
                reason = asking_reason(node, facts)
                if reason is not None:
                    yield node.span, reason


def _looks_whole(catch: ir.Catch) -> Iterator[tuple[Span, str]]:
    """Yield uses of a caught error that may see where it happened."""
    nodes = everything((catch.body,))
    harmless = {id(node.args[0]) for node in nodes if node.__class__ is ir.Call and _reads_part(node)}
    for node in nodes:
        if node.__class__ is ir.Local and node.var in catch.vars and id(node) not in harmless:
            yield node.span, "looks at a caught error beyond its :kind, :message and :data, so at where it happened"


def _reads_part(node: ir.Call) -> bool:
    """Tell whether a call reads what an error has wherever it is raised, or raises it again."""
    function = node.function
    if not node.args:
        return False
    if isinstance(function, ir.Builtin):
        return function.name == "throw" and len(node.args) == 1
    return isinstance(function, ir.Const) and function.value in _OF_ERRORS
