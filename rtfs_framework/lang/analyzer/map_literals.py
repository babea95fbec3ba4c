"""Map literals. In: a map form; out: a node of constant keys, or a call of `hash-map` where a key must be computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtfs_framework.lang.forms import Atom, MapForm
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.maps import to_key
from rtfs_framework.lang.printer import write

if TYPE_CHECKING:
    from rtfs_framework.lang.analyzer.analyze import Analyzer
    from rtfs_framework.lang.analyzer.scope import Scope


def analyze_map(analyzer: Analyzer, form: MapForm, scope: Scope) -> ir.Node:
    """Return the node of a map literal. Keys are evaluated in turn with their values; the last of equal keys counts."""
    _note_repeated(analyzer, form)
    parts = analyzer.each(form.items, scope)
    if all(isinstance(key, Atom) for key in form.items[::2]):
        constants = [key.value for key in parts[::2] if isinstance(key, ir.Const)]
        return ir.MapNode(tuple(zip(constants, parts[1::2], strict=True)), form.span)
    return ir.Call(ir.Builtin.of(analyzer.library, "hash-map", form.span), parts, form.span)


def _note_repeated(analyzer: Analyzer, form: MapForm) -> None:
    """Warn of a constant key that stands twice."""
    seen = set()
    for key, _ in form.pairs:
        if not isinstance(key, Atom):
            continue
        marked = to_key(key.value)
        if marked in seen:
            message = f"the key {write(key.value)} stands twice in this map: its last value counts"
            found = analyzer.finding(key.span, "E0244", message, "remove one of the two", severity="warning")
            analyzer.findings.append(found)
        seen.add(marked)
