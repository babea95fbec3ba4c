"""Top-level definitions that hide a function of the library: legal, and easy to do without noticing."""

from __future__ import annotations

from rtfs_framework.lang.check.facts import Facts
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.ir import nodes as ir

CODE = "E0234"


def check_shadowing(program: ir.Program, facts: Facts) -> list[Diagnostic]:  # noqa: ARG001 - the shape of a check
    """Return a hint for every such definition."""
    found = []
    for node in facts.of(ir.SetGlobal):
        if node.span in facts.written_by_macros:
            continue
        name = node.name.rpartition("/")[2] or node.name
        if name in facts.library:
            message = f"'{name}' hides the library's function of that name in this program"
            way_out = "choose another name if other code means the library's"
            found.append(facts.finding(node.span, CODE, message, way_out, kind="Shadowing", severity="hint"))
    return found
