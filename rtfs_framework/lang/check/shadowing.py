"""Top-level definitions that hide a function of the library: legal, and easy to do without noticing."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Iterator
from rtfs_framework.lang.check.facts import Facts
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.ir import nodes as ir


def check_shadowing(facts: Facts) -> Iterator[Diagnostic]:
    """Yield a hint for every such definition."""
    for node in facts.of(ir.SetGlobal):
        if node.span in facts.written_by_macros:
            continue
        name = node.name.rpartition("/")[2] or node.name
        if name in facts.library:
            message = f"'{name}' hides the library's function of that name in this program"
            way_out = "choose another name if other code means the library's"
            yield facts.finding(node.span, "E0234", message, way_out)
