"""Contradictions of types that can be proved: a value that surely is not what its place needs.

Judged are literals, results of library functions with known types, annotated parameters, results and bindings, and
structs: against annotations, the library's parameters, keyword look-ups, calls, and the literals of `match`. The proof
is `inference`'s; this file only starts it.
"""

from __future__ import annotations

from rtfs_framework.lang.check.facts import Facts
from rtfs_framework.lang.check.inference import Inference
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.ir import nodes as ir


def check_contradictions(program: ir.Program, facts: Facts) -> list[Diagnostic]:
    """Return a finding for every contradiction."""
    inference = Inference(facts)
    try:
        for node in program.body:
            inference.kinds(node)
    except RecursionError:  # very deep: what was found until here is true all the same
        pass
    return inference.done()
