"""The analyzer's heart: one method per kind of form; special forms live in `specials`, patterns in `patterns`."""

from __future__ import annotations

from operator import itemgetter

from rtfs_framework.lang import forms as fm
from rtfs_framework.lang.analyzer.arities import meant, value_of
from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.data import to_data
from rtfs_framework.lang.analyzer.scope import Scope, Tail
from rtfs_framework.lang.analyzer.specials.table import SPECIALS
from rtfs_framework.lang.analyzer.strictness import looked_at
from rtfs_framework.lang.analyzer.suggestions import for_name, is_form_elsewhere, way_out_of_call
from rtfs_framework.lang.analyzer.type_names import full_type_name
from rtfs_framework.lang.annotations import Iterator
from rtfs_framework.lang.arity import arity_text
from rtfs_framework.lang.expander.core import CORE, OWN_WORD
from rtfs_framework.lang.forms import Form
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.maps import to_key
from rtfs_framework.lang.meter import visited
from rtfs_framework.lang.never import forgotten
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.signature import SiteKind
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.values import Keyword, type_name

MOST_NESTED_EXPANSIONS = 200
"""Macro calls inside each other's expansions: as deep as source may nest."""


class Analyzer(AnalyzerBase):
    """Turns the forms of one program into IR."""

    def analyze(self, form: Form, scope: Scope, tail: Tail | None = None) -> ir.Node:
        """Return the IR of one form. `tail` is set in tail position."""
        visited()
        match form:
            case fm.Atom(value=value):
                return ir.Const(value, form.span)
            case fm.Name():
                return self.name(form, scope)
            case fm.ListForm():
                return self.list(form, scope, tail)
            case fm.VectorForm(items=items):
                return ir.VectorNode(self.each(items, scope), form.span)
            case fm.MapForm():
                return self.map(form, scope)
            case fm.SetForm(items=items):
                return ir.SetNode(self.each(items, scope), form.span)
            case fm.ShorthandFn():
                return SPECIALS["#()"].handler(self, form.body, scope, tail)
            case fm.Quoted():
                return self.quoted(form, scope)
            case fm.Reference():
                return self.reference(form, scope)
            case fm.Meta():
                return self.hinted(form, scope)
            case fm.HintForm():
                message = "a delegation hint stands only in fn or defn, before or after the name"
                raise self.refuse(form, "E0113", message, "as in (defn ^:delegation :local f [x] x)")
            case _ as never:
                raise forgotten(never)

    def name(self, form: fm.Name, scope: Scope) -> ir.Node:
        """Resolve a symbol: locals, the program's names, the library, then the host."""
        name = form.name
        if name.startswith(OWN_WORD):
            return ir.Builtin.of(self.library, name.removeprefix(OWN_WORD), form.span)
        var = scope.find(name)
        return self._free(form, scope) if var is None else self._read(var, form, scope)

    def _read(self, var: ir.Var, form: fm.Name, scope: Scope) -> ir.Node:
        """Return a read of a local name; one that may be unbound falls back on what the name meant before."""
        value, doubt = value_of(self, var, scope, form.span), self.doubts.get(var)
        if doubt is None:
            return value
        before = doubt.before
        other = self._free(form, scope, doubted=True) if before is None else self._read(before, form, scope)
        return ir.If(self.read_var(doubt.flag, scope, form.span), value, other, form.span)

    def _free(self, form: fm.Name, scope: Scope, *, doubted: bool = False) -> ir.Node:
        """Resolve a symbol that is no local. Where it is `doubted` that it is read, being unknown is no mistake."""
        name = form.name
        full = self.top_level(name)
        if full is not None:
            if self.delegatable(full):  # whoever gets it may call it
                self.asks(SiteKind.FUNCTION, full, form.span, scope)
            return ir.Global(full, form.span)
        if name in self.library:
            self._asks_by(name, None, form.span, scope)  # whoever gets it may call it
            return ir.Builtin.of(self.library, name, form.span)
        type_name = full_type_name(self, name)
        if type_name in self.types or name in self.namespace.types:  # as a value it is a keyword, for `validate`
            return ir.Const(Keyword(type_name), form.span)
        if name in (":", "&"):
            message = "a type annotation stands after a name in bindings" if name == ":" else "& is not a symbol"
            doubled = self.sources[form.span.source].text.startswith("::", form.span.start)
            way_out = "a keyword has one colon, as in :name" if doubled else "as in [x : int] or [first & rest]"
            raise self.refuse(form, "E0104", message, way_out)
        if name in SPECIALS:
            self.unknown(form.span, name, f"{name} is a special form: {SPECIALS[name].grammar}")
        elif not self.macros.knows(self.namespace.full(name) or name):
            self.asks(SiteKind.HOST_NAME, name, form.span, scope)
            if not doubted:
                self.unknown(form.span, name)
        return ir.HostName(name, form.span)

    def unknown(self, span: Span, name: str, way_out: str | None = None) -> None:
        """Note a name that neither the program nor the library knows."""
        near = way_out or for_name(name, self.known_names, self.suggested) or "define it, or let the host declare it"
        self.report(span, "E0203", f"unknown symbol '{name}'", near, kind="UndefinedSymbol")

    def known_names(self) -> Iterator[str]:
        """Yield every name that a suggestion may offer."""
        yield from self.namespace.own
        yield from self.namespace.visible
        yield from self.library
        yield from (name for name in SPECIALS if name[0].isalpha())

    def map(self, form: fm.MapForm, scope: Scope) -> ir.Node:
        """A map: keys are evaluated in turn with their values; the last of equal keys counts."""
        seen = set()
        for key in form.items[::2]:
            marked = to_key(key.value) if isinstance(key, fm.Atom) else None
            if isinstance(key, fm.Atom) and marked in seen:
                message = f"the key {write(key.value)} stands twice in this map: its last value counts"
                self.report(key.span, "E0244", message, "remove one of the two", severity="warning")
            seen.add(marked)
        parts = self.each(form.items, scope)
        if all(isinstance(key, fm.Atom) for key in form.items[::2]):
            constants = [key.value for key in parts[::2] if isinstance(key, ir.Const)]
            return ir.MapNode(tuple(zip(constants, parts[1::2], strict=True)), form.span)
        return ir.Call(ir.Builtin.of(self.library, "hash-map", form.span), parts, form.span)

    def hinted(self, form: fm.Meta, scope: Scope) -> ir.Node:
        """`^{...} expr`: entries whose keys begin with `runtime.` are execution hints."""
        if not isinstance(form.meta, fm.MapForm):
            return self.analyze(form.form, scope)
        hints = []
        for key, value in form.meta.pairs:
            name = key.value if isinstance(key, fm.Atom) else None
            text = name.name if isinstance(name, Keyword) else name
            if isinstance(text, str) and text.startswith("runtime."):
                hints.append((text, self.analyze(value, scope)))
        hints.sort(key=itemgetter(0))
        return ir.Hinted(tuple(hints), self.analyze(form.form, scope.child()), form.span)

    def list(self, form: fm.ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
        """A call, a special form or a macro call."""
        if not form.items:
            return ir.Const(to_data(form), form.span)
        head = form.items[0]
        if isinstance(head, fm.Name) and head.name.startswith(".") and len(head.name) > 1:
            head = fm.Name(head.name[1:], head.span)
            form = fm.ListForm((head, *form.items[1:]), form.span)
        if isinstance(head, fm.Name) and head.name.startswith(OWN_WORD):
            own = self._own_word(head.name.removeprefix(OWN_WORD), form, scope, tail)
            if own is not None:
                return own
        elif isinstance(head, fm.Name) and scope.find(head.name) is None:
            record = SPECIALS.get(head.name)
            shadowed = self.top_level(head.name) is not None
            if record is not None and (record.reserved or not shadowed):
                return record.handler(self, form, scope, tail)
            if not shadowed and self.macros.knows(self.namespace.full(head.name) or head.name):
                if head.name not in CORE:
                    self.written_by_macros.add(form.span)
                return self._expanded(form, scope, tail)
        return self.call(form, scope, tail)

    def _own_word(self, word: str, form: fm.ListForm, scope: Scope, tail: Tail | None) -> ir.Node | None:
        """A form that a core macro wrote: a special form or a core macro; None for a call of the library."""
        record = SPECIALS.get(word)
        if record is not None:
            return record.handler(self, form, scope, tail)
        if word in CORE:
            return self._expanded(form, scope, tail)
        return None

    def _expanded(self, form: fm.ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
        """Analyze what a macro call stands for; expansions inside expansions are bounded."""
        self.expanding += 1
        try:
            if self.expanding > MOST_NESTED_EXPANSIONS:
                message = f"more than {MOST_NESTED_EXPANSIONS} macro calls inside each other's expansions"
                raise self.refuse(form, "E0211", message, "does a macro expand to itself?")
            return self.analyze(self.macros.expand(self, form), scope, tail)
        finally:
            self.expanding -= 1

    def call(self, form: fm.ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
        """Evaluate the head, then the arguments, then call."""
        head, rest = form.items[0], form.items[1:]
        if isinstance(head, fm.VectorForm | fm.MapForm | fm.SetForm) or (
            isinstance(head, fm.Atom) and not isinstance(head.value, Keyword)
        ):
            return self._not_callable(form, scope)
        mark, asked = len(self.findings), len(self.sites)
        arity = meant(self, head, scope, len(rest))
        function = self.analyze(head, scope) if arity is None else self.read_var(arity, scope, head.span)
        if isinstance(function, ir.Global | ir.Builtin):
            del self.sites[asked:]  # it is called here: the call is the site, and not the name
        told = len(self.findings)
        args = self.each(rest, scope)
        if told > mark and isinstance(head, fm.Name) and is_form_elsewhere(head.name):
            del self.findings[told:]  # a form of another Lisp: what stands in it is no call of RTFS's
        if tail is not None and tail.frame is not None and self._is_self(function, tail) and len(args) == tail.count:
            tail.frame.loops = True
            return ir.Recur(args, tail.frame, form.span)
        if isinstance(function, ir.Builtin):
            return self._library_call(function, args, form, scope)
        if isinstance(function, ir.Global) and self.delegatable(function.name):
            self.asks(SiteKind.FUNCTION, function.name, form.span, scope)
        if isinstance(function, ir.Const):
            args = looked_at(self, function, args)
        return ir.Call(function, args, form.span)

    @staticmethod
    def _is_self(function: ir.Node, tail: Tail) -> bool:
        if isinstance(function, ir.Local):
            return function.var is tail.self_var
        return isinstance(function, ir.Global) and function.name == tail.self_global

    def _not_callable(self, form: fm.ListForm, scope: Scope) -> ir.Node:
        head = self.analyze(form.items[0], scope)
        kinds = {ir.VectorNode: "vector", ir.MapNode: "map", ir.SetNode: "set"}
        kind = type_name(head.value) if isinstance(head, ir.Const) else kinds.get(type(head), "value")
        args = tuple(self.analyze(arg, scope) for arg in form.items)
        message = f"Type error in call: expected function, got {kind}"
        self.report(form.items[0].span, "E0205", message, way_out_of_call(form, kind), kind="TypeError")
        return ir.Do((*args, ir.Fail("TypeError", message, form.span)), form.span)

    def _library_call(
        self, function: ir.Builtin, args: tuple[ir.Node, ...], form: fm.ListForm, scope: Scope
    ) -> ir.Node:
        head, entry = form.items[0], self.library[function.name]
        if len(args) < entry.low or (entry.high is not None and len(args) > entry.high):
            written = head.name.removeprefix(OWN_WORD) if isinstance(head, fm.Name) else function.name
            return self.wrong_arity(written, entry.low, entry.high, args, form)
        args = looked_at(self, function, args)
        first = args[0] if args else None
        value = first.value if isinstance(first, ir.Const) else None
        name = value.name if isinstance(value, Keyword) else value if isinstance(value, str) else None
        if name is not None and function.name.endswith("context/set"):
            self.context_set.add(name)
        self._asks_by(function.name, name, form.span, scope)
        return ir.Call(function, args, form.span)

    def _asks_by(self, function: str, name: str | None, span: Span, scope: Scope) -> None:
        """Note that a function of the library may ask the host here; `name` is what it asks for, None if computed."""
        entry = self.library[function]
        if entry.effect is None or entry.effect == "ticket":
            return
        kind = SiteKind.CAPABILITY if entry.effect == "capability" or entry.asks else SiteKind.CONTEXT
        for each in entry.asks or (name,):
            self.asks(kind, each, span, scope)

    def wrong_arity(
        self, name: str, low: int, high: int | None, args: tuple[ir.Node, ...], form: fm.ListForm
    ) -> ir.Node:
        """Report a call that cannot succeed; it fails when it is reached, after its arguments."""
        message = f"Arity mismatch in {name}: expected {arity_text((low, high))}, got {len(args)}"
        entry = self.library.get(name)
        way_out = None if entry is None or name.startswith("%") else f"it is called as ({name} {entry.signature})"
        self.report(form.span, "E0204", message, way_out, kind="ArityMismatch")
        return ir.Do((*args, ir.Fail("ArityMismatch", message, form.span)), form.span)

    def quoted(self, form: fm.Quoted, scope: Scope) -> ir.Node:  # noqa: ARG002 - macro bodies need it
        """Quoted data; a quasiquote outside a macro is refused."""
        if form.kind == "quote":
            return ir.Const(to_data(form.form), form.span)
        message = f"a {form.kind} stands only in a macro's body"
        if form is self.outermost:
            raise self.refuse(form, "E0115", message, "use ' to quote data")
        self.report(form.span, "E0115", message, "use ' to quote data", kind="InternalError")
        return ir.Fail("InternalError", f"Internal error: {message}", form.span)

    def reference(self, form: fm.Reference, scope: Scope) -> ir.Node:
        """`@name`: a local of that name, else the host's context."""
        if form.plain:
            return self.name(fm.Name(form.name, form.span), scope)
        var = scope.find(form.name)
        if var is not None:
            return self._read(var, fm.Name(form.name, form.span), scope)
        self.asks(SiteKind.CONTEXT, form.name, form.span, scope)
        return ir.HostName(form.name, form.span)
