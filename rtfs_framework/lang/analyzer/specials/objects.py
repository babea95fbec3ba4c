"""Top-level objects: resource, capability, plan. They describe; their value is a map of their properties."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtfs_framework.lang.analyzer.specials.record import malformed, special
from rtfs_framework.lang.forms import Atom, Form, ListForm, Name, Reference
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.values import Keyword

if TYPE_CHECKING:
    from rtfs_framework.lang.analyzer.analyze import Analyzer
    from rtfs_framework.lang.analyzer.scope import Scope, Tail


def _properties(analyzer: Analyzer, form: ListForm, parts: tuple[Form, ...], scope: Scope, word: str) -> ir.Node:
    if len(parts) % 2:
        raise malformed(analyzer, form, word)
    pairs = []
    for key, value in zip(parts[::2], parts[1::2], strict=True):
        if not (isinstance(key, Atom) and isinstance(key.value, Keyword)):
            raise malformed(analyzer, form, word)
        pairs.append((key.value.name, analyzer.analyze(value, scope)))
    return ir.MapNode(tuple(pairs), form.span)


def _described(analyzer: Analyzer, form: ListForm, scope: Scope, tail: Tail | None, word: str) -> ir.Node:
    if form is not analyzer.outermost:
        return analyzer.call(form, scope, tail)
    parts = form.items[1:]
    if not parts or not isinstance(parts[0], Atom):
        raise malformed(analyzer, form, word)
    if isinstance(parts[0].value, str):
        return _properties(analyzer, form, parts[1:], scope, word)
    if word == "plan" and isinstance(parts[0].value, Keyword) and parts[0].value.name == "name":
        return _properties(analyzer, form, parts, scope, word)
    raise malformed(analyzer, form, word)


@special("plan", grammar='(plan "name" :key value ...)', doc="Describe a plan.", reserved=False)
def analyze_plan(analyzer: Analyzer, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    """(plan "name" :key value ...)"""
    return _described(analyzer, form, scope, tail, "plan")


@special("capability", grammar='(capability "name" :key value ...)', doc="Describe a capability.", reserved=False)
def analyze_capability(analyzer: Analyzer, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    """(capability "name" :key value ...)"""
    return _described(analyzer, form, scope, tail, "capability")


@special(
    "resource",
    grammar="(resource name@version (property :key value) ...)",
    doc='Describe a resource; (resource:ref "x") reads the host context.',
    reserved=False,
)
def analyze_resource(analyzer: Analyzer, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    """(resource name (property :key value) ...)"""
    parts = form.items[1:]
    if len(parts) == 2 and isinstance(parts[0], Atom) and parts[0].value is Keyword("ref"):
        target = parts[1]
        if isinstance(target, Atom) and isinstance(target.value, str):
            return analyzer.reference(Reference(target.value, plain=False, span=form.span), scope)
    if form is not analyzer.outermost:
        return analyzer.call(form, scope, tail)
    if not parts or not isinstance(parts[0], Name):
        raise malformed(analyzer, form, "resource")
    flat: list[Form] = []
    for part in parts[1:]:
        head = part.items[0] if isinstance(part, ListForm) and len(part.items) == 3 else None
        if not isinstance(part, ListForm) or not (isinstance(head, Name) and head.name == "property"):
            raise malformed(analyzer, form, "resource")
        flat += part.items[1:]
    return _properties(analyzer, form, tuple(flat), scope, "resource")
