"""Top-level objects: plan, capability, resource, intent, action, task, agent. Their value is a map of properties."""

from __future__ import annotations

from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.scope import Scope, Tail
from rtfs_framework.lang.analyzer.specials.record import malformed, special
from rtfs_framework.lang.forms import Atom, Form, ListForm, Name, Reference, head_of, keyword_of, text_of
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.values import Keyword


def _pairs(parts: tuple[Form, ...]) -> list[tuple[str, Form]] | None:
    """Return properties: `:key value`, or `(property :key value)`; None if it is something else."""
    pairs: list[tuple[str, Form]] = []
    left = list(parts)
    while left:
        part = left.pop(0)
        key = keyword_of(part)
        if key is not None and left:
            pairs.append((key, left.pop(0)))
            continue
        match part:
            case ListForm(items=[Name(name="property"), named, value]) if (key := keyword_of(named)) is not None:
                pairs.append((key, value))
            case _:
                return None
    return pairs


def _described(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    if form is not analyzer.outermost:
        return analyzer.call(form, scope, tail)
    parts = form.items[1:]
    pairs = _pairs(parts) if parts else None
    if (
        pairs is None
        and parts
        and (isinstance(parts[0], Name) or keyword_of(parts[0]) or text_of(parts[0]) is not None)
    ):
        pairs = _pairs(parts[1:])
    if pairs is None:
        raise malformed(analyzer, form, head_of(form) or "")
    return ir.MapNode(tuple((key, analyzer.analyze(value, scope)) for key, value in pairs), form.span)


for _word in ("plan", "capability", "intent", "action", "task", "agent"):
    _doc = f"Describe {'an' if _word[0] in 'aeiou' else 'a'} {_word}: its value is the map of its properties."
    special(_word, grammar=f'({_word} "name" :key value ...)', doc=_doc, reserved=False)(_described)


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
