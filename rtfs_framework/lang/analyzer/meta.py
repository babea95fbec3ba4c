"""Metadata before an expression. In: `^{...} form`; out: the form's node, within the hints that the map gives."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from rtfs_framework.lang.forms import Atom, MapForm, Meta
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.values import Keyword

if TYPE_CHECKING:
    from rtfs_framework.lang.analyzer.analyze import Analyzer
    from rtfs_framework.lang.analyzer.scope import Scope


def analyze_meta(analyzer: Analyzer, form: Meta, scope: Scope) -> ir.Node:
    """`^{...} expr`: entries whose keys begin with `runtime.` are execution hints."""
    if not isinstance(form.meta, MapForm):
        return analyzer.analyze(form.form, scope)
    hints = []
    for key, value in form.meta.pairs:
        name = key.value if isinstance(key, Atom) else None
        text = name.name if isinstance(name, Keyword) else name
        if isinstance(text, str) and text.startswith("runtime."):
            hints.append((text, analyzer.analyze(value, scope)))
    hints.sort(key=itemgetter(0))
    return ir.Hinted(tuple(hints), analyzer.analyze(form.form, scope.child()), form.span)
