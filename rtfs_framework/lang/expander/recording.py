"""Recording: which form every macro call became. Macros are expanded by the analyzer as it meets them; this only looks.

Calls are told apart by the identity of their form, for an expansion has the span of its call.
"""

from __future__ import annotations

from rtfs_framework.lang import forms as fm
from rtfs_framework.lang import records
from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.expander.macros import MacroCompiler, MacroTable
from rtfs_framework.lang.forms import Form


class RecordingMacros(MacroTable):
    """A macro table that remembers every expansion."""

    def __init__(self, compile_macro: MacroCompiler) -> None:
        super().__init__(compile_macro)
        # The call is kept beside what it became, so that its identity stays its own.
        self._seen: dict[int, tuple[fm.ListForm, Form]] = {}

    def expand(self, analyzer: AnalyzerBase, form: fm.ListForm) -> Form:
        """Expand a call and remember it."""
        made = super().expand(analyzer, form)
        self._seen.setdefault(id(form), (form, made))
        return made

    def expanded(self, form: Form) -> Form:
        """Return the form with every macro call in it replaced by what it became, all the way down."""
        while id(form) in self._seen:
            form = self._seen[id(form)][1]
        match form:
            case fm.ListForm() | fm.VectorForm() | fm.MapForm() | fm.SetForm():
                return form.__class__(tuple(map(self.expanded, form.items)), form.span)
            case fm.ShorthandFn(body=body):
                made = self.expanded(body)
                inside = (
                    made if isinstance(made, fm.ListForm) else fm.ListForm((fm.Name("do", body.span), made), body.span)
                )
                return fm.ShorthandFn(inside, form.span)
            case fm.Meta(meta=meta):
                return records.evolve(form, meta=self.expanded(meta), form=self.expanded(form.form))
            case fm.Quoted() | fm.HintForm():
                return records.evolve(form, form=self.expanded(form.form))
        return form
