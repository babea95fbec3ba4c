"""Macro bodies: analyzed like functions, but a quasiquote builds forms (as data) instead of being refused."""

from __future__ import annotations

from rtfs_framework.lang import forms as fm
from rtfs_framework.lang.analyzer.analyze import Analyzer
from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.data import HINT, META, SHORTHAND, to_data
from rtfs_framework.lang.analyzer.modules import Modules
from rtfs_framework.lang.analyzer.namespaces import PRIVATE
from rtfs_framework.lang.analyzer.scope import Scope
from rtfs_framework.lang.forms import Form
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.library import no_modules, nothing_delegatable
from rtfs_framework.lang.never import forgotten
from rtfs_framework.lang.values import Symbol

_MAKERS: dict[type, str] = {fm.ListForm: "%list", fm.VectorForm: "%vector", fm.MapForm: "%map"}


class MacroAnalyzer(Analyzer):
    """An analyzer for one macro's function, sharing the macros and types of its program."""

    def __init__(self, outer: AnalyzerBase) -> None:
        super().__init__(outer.source, outer.library, nothing_delegatable, outer.macros, Modules(no_modules))
        self.types = outer.types
        self.sources = outer.sources
        self.namespace = outer.namespace
        self._outer = outer
        self._fresh: dict[str, str] = {}

    def function(self, form: fm.ListForm) -> ir.Node:
        """Return the IR of the macro's function."""
        return self.analyze(form, Scope(None, ir.FunctionFrame(None), is_top=True))

    def quoted(self, form: fm.Quoted, scope: Scope) -> ir.Node:
        """A quasiquote builds data; an unquote outside one is refused."""
        if form.kind == "quasiquote":
            self._fresh = {}
            return self._build(form.form, scope, 1)
        if form.kind == "quote":
            return ir.Const(to_data(form.form), form.span)
        raise self.refuse(form, "E0115", f"a {form.kind} stands only inside a quasiquote", "as in `(inc ~x)")

    def _build(self, form: Form, scope: Scope, level: int) -> ir.Node:
        """Return a node that makes the data of a template."""
        match form:
            case fm.Quoted(kind="unquote", form=inner) if level == 1:
                return self.analyze(inner, scope)
            case fm.Quoted(kind=kind, form=inner):
                deeper = level + (kind == "quasiquote") - (kind in ("unquote", "splice"))
                return self._marked(kind, (inner,), scope, deeper, form)
            case fm.Name(name=name) if name.endswith("#") and len(name) > 1:
                return ir.Const(Symbol(self._gensym(name[:-1])), form.span)
            case fm.Name(name=name):
                full = self.namespace.full(name) if self.namespace.name else None
                return ir.Const(Symbol(name if full is None else f"{PRIVATE}{full}"), form.span)
            case fm.Atom() | fm.Reference():
                return ir.Const(to_data(form), form.span)
            case fm.ListForm() | fm.VectorForm() | fm.MapForm():
                return self._sequence(_MAKERS[type(form)], form.items, scope, level, form)
            case fm.SetForm(items=items):
                made = self._sequence("%vector", items, scope, level, form)
                return ir.Call(ir.Builtin.of(self.library, "set", form.span), (made,), form.span)
            case fm.ShorthandFn(body=body):
                return self._marked(SHORTHAND, (body,), scope, level, form)
            case fm.Meta(meta=meta, form=inner):
                return self._marked(META, (meta, inner), scope, level, form)
            case fm.HintForm(keyword=keyword, id=named, form=inner):
                words = fm.Atom(keyword, form.span), fm.Atom(named, form.span)
                return self._marked(HINT, (*words, inner), scope, level, form)
            case _ as never:
                raise forgotten(never)

    def _marked(self, word: str, parts: tuple[Form, ...], scope: Scope, level: int, form: Form) -> ir.Node:
        """Return a node that makes the list which stands for a reader shorthand (see `data.py`)."""
        mark: ir.Node = ir.Const(Symbol(word), form.span)
        made = (mark, *(self._build(part, scope, level) for part in parts))
        segments = tuple(ir.VectorNode((part,), form.span) for part in made)
        return ir.Call(ir.Builtin("%list", form.span), segments, form.span)

    def _gensym(self, base: str) -> str:
        """Return the fresh name of `base#` in this quasiquote: no program can write it."""
        if base not in self._fresh:
            self._outer.gensyms += 1
            self._fresh[base] = f"{base}#{self._outer.gensyms}"
        return self._fresh[base]

    def _sequence(self, maker: str, items: tuple[Form, ...], scope: Scope, level: int, form: Form) -> ir.Node:
        segments: list[ir.Node] = []
        for item in items:
            if isinstance(item, fm.Quoted) and item.kind == "splice" and level == 1:
                segments.append(self.analyze(item.form, scope))
            else:
                segments.append(ir.VectorNode((self._build(item, scope, level),), item.span))
        return ir.Call(ir.Builtin(maker, form.span), tuple(segments), form.span)
