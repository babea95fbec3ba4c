"""Recording: which form every macro call became. Macros are expanded by the analyzer as it meets them; this only looks.

Calls are told apart by the identity of their form, for an expansion has the span of its call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtfs_framework.lang.expander.macros import MacroCompiler, MacroTable
from rtfs_framework.lang.forms import (
    Form,
    HintForm,
    ListForm,
    MapForm,
    Meta,
    Name,
    Quoted,
    SetForm,
    ShorthandFn,
    VectorForm,
)

if TYPE_CHECKING:
    from rtfs_framework.lang.analyzer.analyze import Analyzer
    from rtfs_framework.lang.analyzer.scope import Scope


class RecordingMacros(MacroTable):
    """A macro table that remembers every expansion."""

    def __init__(self, compile_macro: MacroCompiler) -> None:
        super().__init__(compile_macro)
        # The call is kept beside what it became, so that its identity stays its own.
        self._seen: dict[int, tuple[ListForm, Form]] = {}

    def expand(self, analyzer: Analyzer, form: ListForm, scope: Scope) -> Form:
        """Expand a call and remember it."""
        made = super().expand(analyzer, form, scope)
        self._seen.setdefault(id(form), (form, made))
        return made

    def expanded(self, form: Form) -> Form:
        """Return the form with every macro call in it replaced by what it became, all the way down."""
        while id(form) in self._seen:
            form = self._seen[id(form)][1]
        match form:
            case ListForm(items=items):
                return ListForm(self._all(items), form.span)
            case VectorForm(items=items):
                return VectorForm(self._all(items), form.span)
            case MapForm(items=items):
                return MapForm(self._all(items), form.span)
            case SetForm(items=items):
                return SetForm(self._all(items), form.span)
            case ShorthandFn(body=body):
                made = self.expanded(body)
                inside = made if isinstance(made, ListForm) else ListForm((Name("do", body.span), made), body.span)
                return ShorthandFn(inside, form.span)
            case Quoted(kind=kind, form=inner):
                return Quoted(kind, self.expanded(inner), form.span)
            case Meta(meta=meta, form=inner):
                return Meta(self.expanded(meta), self.expanded(inner), form.span)
            case HintForm(keyword=keyword, id=model, map=table, form=inner):
                return HintForm(keyword, model, table, self.expanded(inner), form.span)
        return form

    def _all(self, items: tuple[Form, ...]) -> tuple[Form, ...]:
        return tuple(self.expanded(item) for item in items)
