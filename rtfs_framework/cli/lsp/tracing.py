"""Tracing: an analyzer that notes what every name of a text means. So no tool knows binding forms a second time."""

from __future__ import annotations

from typing import Any

from rtfs_framework.lang.analyzer.analyze import Analyzer
from rtfs_framework.lang.analyzer.scope import Scope
from rtfs_framework.lang.forms import Form, ListForm, Name
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.source import Span


class Tracer(Analyzer):
    """An analyzer that remembers the reads of variables and top-level names."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.reads: dict[Span, ir.Var] = {}
        self.globals: dict[Span, str] = {}
        """Where a top-level name is read: its full name."""

    def read_var(self, var: ir.Var, scope: Scope, span: Span) -> ir.Local:
        """Note the read of a variable."""
        self.reads.setdefault(span, var)
        return super().read_var(var, scope, span)

    def name(self, form: Name, scope: Scope) -> ir.Node:
        """Note the read of a top-level name."""
        node = super().name(form, scope)
        if isinstance(node, ir.Global):
            self.globals.setdefault(form.span, node.name)
        return node

    def list(self, form: ListForm, scope: Scope, tail: Any) -> ir.Node:
        """Note the call of a macro of the program."""
        head: Form | None = form.items[0] if form.items else None
        if isinstance(head, Name) and scope.find(head.name) is None:
            full = self.namespace.full(head.name)
            if full is not None and full not in self.defined and self.macros.knows(full):
                self.globals.setdefault(head.span, full)
        return super().list(form, scope, tail)
