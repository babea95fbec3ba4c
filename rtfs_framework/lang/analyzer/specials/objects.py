"""Top-level objects: plan, capability, resource, intent, action, task, agent. Their value is a map of properties."""

from __future__ import annotations

from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.scope import Scope, Tail
from rtfs_framework.lang.analyzer.specials.record import malformed, special
from rtfs_framework.lang.forms import Atom, Form, ListForm, Name, Reference
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.values import Keyword


def _key(form: Form) -> str | None:
    return form.value.name if isinstance(form, Atom) and isinstance(form.value, Keyword) else None


def _pairs(parts: tuple[Form, ...]) -> list[tuple[str, Form]] | None:
    """Return properties: `:key value`, or `(property :key value)`; None if it is something else."""
    pairs: list[tuple[str, Form]] = []
    left = list(parts)
    while left:
        part = left.pop(0)
        key = _key(part)
        if key is not None and left:
            pairs.append((key, left.pop(0)))
            continue
        match part:
            case ListForm(items=[Name(name="property"), named, value]) if (key := _key(named)) is not None:
                pairs.append((key, value))
            case _:
                return None
    return pairs


def _described(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    if form is not analyzer.outermost:
        return analyzer.call(form, scope, tail)
    head, *rest = form.items
    word = head.name if isinstance(head, Name) else ""
    parts = tuple(rest)
    pairs = _pairs(parts) if parts else None
    named = bool(parts) and (isinstance(parts[0], Name) or (isinstance(parts[0], Atom) and _is_name(parts[0].value)))
    if pairs is None and named:
        pairs = _pairs(parts[1:])
    if pairs is None:
        raise malformed(analyzer, form, word)
    return ir.MapNode(tuple((key, analyzer.analyze(value, scope)) for key, value in pairs), form.span)


def _is_name(value: object) -> bool:
    return isinstance(value, str | Keyword)


def _object(word: str) -> None:
    grammar = f'({word} "name" :key value ...)'
    doc = f"Describe {'an' if word[0] in 'aeiou' else 'a'} {word}: its value is the map of its properties."
    special(word, grammar=grammar, doc=doc, reserved=False)(_described)


for _word in ("plan", "capability", "intent", "action", "task", "agent"):
    _object(_word)


@special(
    "resource",
    grammar="(resource name@version (property :key value) ...)",
    doc='Describe a resource; (resource:ref "x") reads the host context.',
    reserved=False,
)
def _resource(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    match form.items[1:]:
        case (Atom(value=Keyword(name="ref")), Atom(value=str(target))):
            return analyzer.reference(Reference(target, plain=False, span=form.span), scope)
        case _:
            return _described(analyzer, form, scope, tail)
