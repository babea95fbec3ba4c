"""Functions: fn, λ, and the shorthand `#(...)`; `top_function` serves def and defn, `local_functions` let and letfn."""

from __future__ import annotations

import re

from rtfs_framework.lang import forms as fm
from rtfs_framework.lang import records
from rtfs_framework.lang.analyzer.arities import (
    Arity,
    declare,
    hidden_names,
    read_arities,
    shape_of,
    value_of,
    whole,
)
from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.bindings import annotated, is_colon, is_type_keyword
from rtfs_framework.lang.analyzer.form_digest import form_digest
from rtfs_framework.lang.analyzer.globals import defined_name
from rtfs_framework.lang.analyzer.patterns import Patterns
from rtfs_framework.lang.analyzer.refusals import Refusals
from rtfs_framework.lang.analyzer.scope import Scope, Tail
from rtfs_framework.lang.analyzer.specials.record import malformed, special
from rtfs_framework.lang.analyzer.type_names import type_of
from rtfs_framework.lang.annotations import Sequence
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.forms import Form, head_of, text_of
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.maps import EMPTY_MAP, Map
from rtfs_framework.lang.signature import (
    MEMO,
    CallSite,
    DelegationHint,
    FunctionSignature,
    HintKind,
    Parameter,
    SiteKind,
)
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.types.model import Type

_MISPLACED = "its parameters stand in [ ]"
_HINTS = {
    "local": HintKind.LOCAL,
    "local-model": HintKind.LOCAL_MODEL,
    "remote": HintKind.REMOTE,
    "target": HintKind.TARGET,
}


@records.define(eq=False)
class FunctionForm:
    """The parts of a `fn` or `defn` as written."""

    name: str
    doc: str
    arities: tuple[Arity, ...]
    returns: Type | None
    hint: DelegationHint | None
    metadata: Map
    form: Form
    """The whole form: what the function's digest is made of, so that comments and layout do not count."""
    span: Span

    @classmethod
    def read(cls, analyzer: AnalyzerBase, form: fm.ListForm, word: str, *, named: bool) -> FunctionForm:
        """Read the parts; `named` for defn.

        Raises:
            LanguageError: E0201 malformed, E0111 two hints.
        """
        reader = _Head(analyzer, form, word)
        for part in form.items[1:]:
            if reader.take(part):
                break
        if reader.last is None or (named and reader.name is None):
            raise malformed(analyzer, form, word)
        rest = form.items[1 + reader.taken :]
        if isinstance(reader.last, fm.VectorForm):
            returns, body = annotated(analyzer, rest, need=1)
            if not body:
                raise malformed(analyzer, form, word, f"{word} needs a body")
            arities: tuple[Arity, ...] = (Arity(reader.last, tuple(body), shape_of(reader.last), form.span),)
        else:
            returns, clauses = annotated(analyzer, (reader.last, *rest), need=1)
            arities = read_arities(analyzer, form, word, clauses)
        return cls(reader.name or "", reader.doc, arities, returns, reader.hint, reader.metadata, form, form.span)


class _Head:
    """Reads what stands before the body: name, doc string, hints and metadata, up to the parameters."""

    def __init__(self, analyzer: AnalyzerBase, form: fm.ListForm, word: str) -> None:
        self.analyzer = analyzer
        self.form = form
        self.word = word
        self.name: str | None = None
        self.doc = ""
        self.last: Form | None = None
        """The parameters; of several arities the first, or the type before it."""
        self.hint: DelegationHint | None = None
        self.metadata = EMPTY_MAP
        self.taken = 0

    def take(self, part: Form) -> bool:
        """Take one part; tell whether the head is complete."""
        self.taken += 1
        part = self._unwrap(part)
        if isinstance(part, fm.VectorForm | fm.ListForm) or is_colon(part) or is_type_keyword(part):
            self.last = part
            return True
        if isinstance(part, fm.Name) and self.name is None and part.name != "&":
            self.name = part.name
            return False
        if text_of(part) is not None and not self.doc:
            self.doc = text_of(part) or ""
            return False
        raise malformed(self.analyzer, self.form, self.word, f"malformed {self.word}: {_MISPLACED}", at=part)

    def _unwrap(self, part: Form) -> Form:
        while isinstance(part, fm.HintForm | fm.Meta):
            if isinstance(part, fm.HintForm):
                if self.hint is not None:
                    raise self.analyzer.refuse(part, "E0111", "a second delegation hint", "keep one")
                self.hint = DelegationHint(_HINTS[part.keyword], part.id or "")
            else:
                self.metadata = self.metadata.merged(metadata_of(part.meta))
            part = part.form
        return part


def metadata_of(meta: Form) -> Map:
    """Return what a `^` form says, as far as that is literal."""
    if isinstance(meta, fm.MapForm):
        pairs = [(k.value, v.value) for k, v in meta.pairs if isinstance(k, fm.Atom) and isinstance(v, fm.Atom)]
        return Map.of(pairs)
    return Map.of([(meta.value, True)]) if isinstance(meta, fm.Atom) else EMPTY_MAP


def is_function_form(analyzer: AnalyzerBase, form: Form, scope: Scope) -> bool:
    """Tell whether a form is a function literal."""
    head = head_of(form)
    return head in ("fn", "λ") and scope.find(head) is None and analyzer.top_level(head) is None


def top_function(analyzer: AnalyzerBase, parsed: FunctionForm, scope: Scope, name: str) -> ir.Node:
    """Return the value of a top-level function; several arities get top-level names of their own, which are hidden."""
    full = analyzer.namespace.mine(name)
    functions = _functions(analyzer, parsed, scope, name, self_global=full)
    if len(functions) == 1:
        return functions[0]
    names = hidden_names(analyzer, full, len(functions))
    sets = [ir.SetGlobal(each, fn, fn.span) for each, fn in zip(names, functions, strict=True)]
    return ir.Do((*sets, ir.Arities(tuple(ir.Global(each, parsed.span) for each in names), parsed.span)), parsed.span)


def local_functions(
    analyzer: AnalyzerBase, group: Sequence[tuple[ir.Var, str, FunctionForm]], scope: Scope, span: Span
) -> ir.Letrec:
    """Return functions that see each other's names, bound to variables; several arities have a variable each."""
    owned = [declare(analyzer, var, parsed.arities, scope) for var, _, parsed in group]
    bindings: list[tuple[ir.Var, ir.Fn]] = []
    for own, (var, name, parsed) in zip(owned, group, strict=True):
        bindings += zip(own, _functions(analyzer, parsed, scope, name, self_var=var, own=own), strict=True)
    return ir.Letrec(tuple(bindings), span)


def _functions(
    analyzer: AnalyzerBase,
    parsed: FunctionForm,
    scope: Scope,
    name: str,
    *,
    self_var: ir.Var | None = None,
    own: Sequence[ir.Var] = (),
    self_global: str | None = None,
    alias: tuple[str, str] | None = None,
) -> tuple[ir.Fn, ...]:
    """Return the IR of a function, one for each arity; `self_*` is what its own name means.

    `own` are the variables of the arities, for loops by self call. `alias` is a second name for a parameter (`%`).
    """
    hinted = parsed.hint is not None and parsed.hint.kind is not HintKind.LOCAL
    memo = parsed.metadata.get(MEMO) is True
    if memo:
        _may_be_memoised(analyzer, parsed, name, hinted=hinted, top=self_global is not None)
    claimed = self_global is not None and parsed.hint is None and not memo and analyzer.delegatable(self_global)
    known = self_global is not None and analyzer.defined.get(self_global, 0) <= 1
    linked = hinted or claimed
    made: list[ir.Fn] = []
    refused = Refusals()
    for i, arity in enumerate(parsed.arities):
        inner = scope.function(name)
        if self_var is not None and parsed.name:
            inner.names[parsed.name] = self_var
        loops = arity.shape[1] is not None and not linked
        tail = Tail(
            inner.frame,
            arity.shape[0] + (arity.shape[1] is None),
            self_var=own[i] if loops and own else None,
            self_global=self_global if loops and known else None,
        )
        try:
            fn = _function(analyzer, parsed, arity, inner, tail, self_global or name or "fn", alias)
            made.append(_linked(fn, parsed) if linked else records.evolve(fn, linked=True) if memo else fn)
        except LanguageError as error:
            refused.take(error)
    refused.settle()
    signature = whole([fn.signature for fn in made])
    if self_global or hinted:
        analyzer.signatures.append(signature)
    if hinted:
        place = analyzer.place(parsed.span)
        analyzer.sites.append(CallSite(SiteKind.FUNCTION, signature.name, place, scope.inside, signature))
    return tuple(made)


def _function(
    analyzer: AnalyzerBase,
    parsed: FunctionForm,
    arity: Arity,
    inner: Scope,
    tail: Tail,
    name: str,
    alias: tuple[str, str] | None,
) -> ir.Fn:
    """Return the IR of one arity."""
    params, rest = _parameters(analyzer, arity.params, Patterns(analyzer, inner))
    if alias is not None and alias[1] in inner.names:
        inner.names[alias[0]] = inner.names[alias[1]]
    signature = _signature(parsed, name, params, rest)
    body = analyzer.body(arity.body, inner.child(), tail, arity.span)
    captures = tuple(analyzer.captured.get(inner.frame, {}))
    if inner.frame.loops:
        _mark_looped(analyzer, inner.frame)
    return ir.Fn(
        name, params, rest, body, parsed.returns, signature, inner.frame, captures, linked=False, span=arity.span
    )


def _may_be_memoised(analyzer: AnalyzerBase, parsed: FunctionForm, name: str, *, hinted: bool, top: bool) -> None:
    """Refuse `^:memo` where it says nothing, or where a function's calls may go elsewhere.

    Raises:
        LanguageError: E0247.
    """
    name = name or "a function without a name"
    if not top:
        why = f"{name} cannot be memoised: only functions of the top level are"
        raise analyzer.refuse(parsed.form, "E0247", why, "define it by defn at top level, and give it what it captures")
    if hinted:
        why = f"{name} cannot be memoised: its calls may go elsewhere"
        raise analyzer.refuse(parsed.form, "E0247", why, "keep one of ^:memo and ^:delegation; replies are kept anyway")


def _linked(fn: ir.Fn, parsed: FunctionForm) -> ir.Fn:
    """Return a function whose calls may go elsewhere: there its text counts."""
    signature = records.evolve(fn.signature, body_digest=form_digest(parsed.form))
    return records.evolve(fn, linked=True, signature=signature)


def _mark_looped(analyzer: AnalyzerBase, frame: ir.FunctionFrame) -> None:
    """Closures inside a function that loops must capture values: mark what they captured of it."""
    for var in analyzer.captured_of.get(frame, ()):
        var.looped = True


def _parameters(
    analyzer: AnalyzerBase, form: fm.VectorForm, patterns: Patterns
) -> tuple[tuple[ir.Param, ...], ir.Param | None]:
    params: list[ir.Param] = []
    rest: ir.Param | None = None
    left = list(form.items)
    while left:
        item = left.pop(0)
        is_rest = isinstance(item, fm.Name) and item.name == "&"
        if rest is not None or (is_rest and not left):
            raise analyzer.refuse(item, "E0207", "& takes exactly one name, at the end", "as in [first & rest]")
        if is_rest:
            item = left.pop(0)
        pattern = patterns.read(item)
        declared: Type | None = None
        if left and is_colon(left[0]):
            if len(left) < 2:
                raise analyzer.refuse(left[0], "E0201", "a type is missing after the colon", "as in [x : int]")
            declared = type_of(analyzer, left[1])
            del left[:2]
        elif left and is_type_keyword(left[0]):
            declared = type_of(analyzer, left.pop(0))
        made = ir.Param(pattern, declared)
        if is_rest:
            rest = made
        else:
            params.append(made)
    return tuple(params), rest


def _signature(
    parsed: FunctionForm, name: str, params: tuple[ir.Param, ...], rest: ir.Param | None
) -> FunctionSignature:
    def parameter(param: ir.Param, i: int, *, is_rest: bool = False) -> Parameter:
        pattern = param.pattern
        return Parameter(pattern.var.name if isinstance(pattern, ir.PVar) else f"arg{i}", param.type, is_rest)

    listed = [parameter(p, i) for i, p in enumerate(params)]
    if rest is not None:
        listed.append(parameter(rest, len(params), is_rest=True))
    return FunctionSignature(name, parsed.doc, tuple(listed), parsed.returns, parsed.hint, parsed.metadata)


def thunk(analyzer: AnalyzerBase, forms: tuple[Form, ...], scope: Scope, span: Span, *names: fm.Name) -> ir.Fn:
    """Return a function of the given parameter names around forms: a part that a runtime helper runs."""
    inner = scope.thunk()
    if names:
        inner.is_top = False
    params = tuple(ir.PVar(analyzer.new_var(name.name, inner, name.span)) for name in names)
    body = analyzer.body(forms, inner if inner.is_top else inner.child(), None, span)
    return closure(analyzer, params, body, inner, span)


def closure(analyzer: AnalyzerBase, params: Sequence[ir.Pattern], body: ir.Node, inner: Scope, span: Span) -> ir.Fn:
    """Return a function without a name around a body that was analyzed in a scope of its own."""
    taken = tuple(ir.Param(each, None) for each in params)
    captures = tuple(analyzer.captured.get(inner.frame, {}))
    signature = FunctionSignature("fn")
    return ir.Fn("fn", taken, None, body, None, signature, inner.frame, captures, linked=False, span=span)


@special(
    "fn",
    "λ",
    grammar="(fn [params] : type? body...) or (fn : type? ([params] body...) ...), "
    "with ^:delegation before the parameters",
    doc="An anonymous function over the variables around it.",
)
def _fn(analyzer: AnalyzerBase, form: fm.ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    parsed = FunctionForm.read(analyzer, form, "fn", named=False)
    if not parsed.name and len(parsed.arities) == 1:
        return _functions(analyzer, parsed, scope, "")[0]
    inner = scope.child()
    if parsed.name:
        own = defined_name(form)
        var = analyzer.new_var(parsed.name, inner, None if own is None else own.span)
    else:
        var = analyzer.hidden_var("fn", inner)
    bound = local_functions(analyzer, [(var, parsed.name, parsed)], inner, form.span)
    return ir.Do((bound, value_of(analyzer, var, inner, form.span)), form.span)


@special("#()", grammar="#(f % %2 & %&)", doc="A short function: % or %1 is the first argument, %& the rest.")
def _shorthand(analyzer: AnalyzerBase, form: fm.ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    highest, has_rest = 0, False
    for name in _names_in(analyzer, form):
        if name == "%":
            highest = max(highest, 1)
        elif name == "%&":
            has_rest = True
        elif re.fullmatch(r"%[1-9]\d?", name):
            highest = max(highest, int(name[1:]))
    span = form.span
    params: list[Form] = [fm.Name(f"%{i}", span) for i in range(1, highest + 1)]
    if has_rest:
        params += [fm.Name("&", span), fm.Name("%&", span)]
    vector = fm.VectorForm(tuple(params), span)
    body: Form = form if form.items else fm.Atom(None, span)
    arity = Arity(vector, (body,), shape_of(vector), span)
    parsed = FunctionForm("", "", (arity,), None, None, EMPTY_MAP, form, span)
    return _functions(analyzer, parsed, scope, "", alias=("%", "%1"))[0]


def _names_in(analyzer: AnalyzerBase, form: Form) -> list[str]:
    """Return the names that occur in a shorthand's body; a nested shorthand is refused."""
    found: list[str] = []
    todo: list[Form] = [form]
    while todo:
        item = todo.pop()
        if isinstance(item, fm.Name):
            found.append(item.name)
        elif isinstance(item, fm.ShorthandFn):
            raise analyzer.refuse(item, "E0208", "#(...) inside #(...)", "write the inner one as (fn [x] ...)")
        elif isinstance(item, fm.ListForm | fm.VectorForm | fm.MapForm | fm.SetForm):
            todo += item.items
        elif isinstance(item, fm.Meta):  # the values of hints are expressions, too
            todo += (item.meta, item.form)
        elif hasattr(item, "form"):
            todo.append(item.form)
    return found
