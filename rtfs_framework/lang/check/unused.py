"""What is bound, defined or imported and never used: hints, for all of it is legal.

Names that begin with `_` say themselves that they are not meant to be used. Parameters count only for functions with a
name (a callback takes what it is given), and not for functions whose calls may go elsewhere: there the parameters are
the question. A module's definitions and imports are left alone where a macro might use them out of sight.
"""

from __future__ import annotations

import re

from rtfs_framework.lang.annotations import Iterator
from rtfs_framework.lang.check.facts import Facts
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import variables

_WORD = re.compile(r"[^\s()\[\]{}\"]+")


def check_unused(facts: Facts) -> list[Diagnostic]:
    """Return a hint for everything that is never used."""
    used = {node.var for node in facts.of(ir.Local)}
    unused = facts.bound.keys() - used
    found: list[Diagnostic] = []
    if unused:
        # A loop binds a pattern twice: for later bindings, and for each iteration.
        places = {span for var in used if (span := facts.bound.get(var)) is not None and facts.text(span) == var.name}
        unused = {var for var in unused if facts.bound[var] not in places}
        for kind in (ir.Bind, ir.Letrec, ir.Loop, ir.Match, ir.Fn):
            for node in facts.of(kind):
                found += _of_node(node, unused, facts)
    return [*found, *_definitions(facts), *_imports(facts)]


def _of_node(node: ir.Node, unused: set[ir.Var], facts: Facts) -> Iterator[Diagnostic]:
    match node:
        case ir.Bind(pattern=pattern):
            yield from _bindings(variables(pattern), unused, facts, "is bound")
        case ir.Letrec(bindings=bindings):
            yield from _bindings((var for var, _ in bindings), unused, facts, "is bound")
        case ir.Loop(vars=bound):
            yield from _bindings(iter(bound), unused, facts, "is bound", named=False)
        case ir.Match(clauses=clauses):
            for clause in clauses:
                yield from _bindings(variables(clause.pattern), unused, facts, "is bound")
        case ir.Fn() if node.name != "fn" and not node.linked and node.signature.hint is None:
            for param in (*node.params, *([node.rest] if node.rest else [])):
                of_param = variables(param.pattern)
                yield from _bindings(of_param, unused, facts, f"is a parameter of {node.name}", "E0231")
        case _:
            return


def _bindings(
    bound: Iterator[ir.Var], unused: set[ir.Var], facts: Facts, what: str, code: str = "E0230", *, named: bool = True
) -> Iterator[Diagnostic]:
    """Judge variables; those of a loop are not `named` as the author calls them."""
    for var in bound:
        if var not in unused or (span := facts.bound[var]) in facts.written_by_macros:
            continue
        name = facts.text(span)
        if not name.startswith(("_", "%")) and (name == var.name or (not named and _WORD.fullmatch(name))):
            message = f"'{name}' {what} and never used"
            way_out = f"remove it, or call it _{name}"
            yield facts.finding(span, code, message, way_out)


def _definitions(facts: Facts) -> Iterator[Diagnostic]:
    """Functions that a module neither exports nor uses. (`defn` only: a `def` may be there for its effect.)"""
    closed = {namespace.name: namespace for namespace in facts.namespaces if not _has_macros(namespace.name, facts)}
    if not closed:
        return
    read = {node.name for node in facts.of(ir.Global)}
    for node in facts.of(ir.SetGlobal):
        if not isinstance(node.value, ir.Fn | ir.Arities) or node.name in read:
            continue
        name, own = node.name.rpartition("/")[::2]
        namespace = closed.get(name)
        if namespace is not None and own in namespace.own and own not in namespace.exports and not own.startswith("_"):
            message = f"'{own}' is neither exported by module {name} nor used in it"
            way_out = f"remove it, export it, or call it _{own}"
            yield facts.finding(node.span, "E0232", message, way_out)


def _imports(facts: Facts) -> Iterator[Diagnostic]:
    read = {(node.span.source, node.name) for node in facts.of(ir.Global)} if facts.imports else set()
    names = {namespace.name: namespace for namespace in facts.namespaces}
    for each in facts.imports:
        namespace = names.get(each.module)
        if namespace is None or _has_macros(each.module, facts) or _has_types(each.module, facts):
            continue
        if not any((each.span.source, namespace.mine(name)) in read for name in namespace.exports):
            message = f"module {each.module} is imported and never used"
            yield facts.finding(each.span, "E0233", message, "remove the import")


def _has_macros(module: str, facts: Facts) -> bool:
    """Tell whether a module defines names that no node shows: macros, which may use anything when they expand."""
    namespace = next(namespace for namespace in facts.namespaces if namespace.name == module)
    return any(namespace.mine(own) not in facts.set_names for own in namespace.own)


def _has_types(module: str, facts: Facts) -> bool:
    namespace = next(namespace for namespace in facts.namespaces if namespace.name == module)
    return any(namespace.mine(name) in facts.types for name in namespace.exports)
