"""Definitions: def, defn, defstruct, deftype, defmacro."""

from __future__ import annotations

from rtfs_framework.lang.analyzer.arities import is_function, read_arities, value_of
from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.bindings import annotated
from rtfs_framework.lang.analyzer.branching import happened, new_definition
from rtfs_framework.lang.analyzer.globals import defined_name
from rtfs_framework.lang.analyzer.scope import Scope, Tail
from rtfs_framework.lang.analyzer.specials.functions import (
    FunctionForm,
    is_function_form,
    local_functions,
    metadata_of,
    top_function,
)
from rtfs_framework.lang.analyzer.specials.record import SPECIALS, malformed, special
from rtfs_framework.lang.analyzer.type_names import enter_type, type_of
from rtfs_framework.lang.forms import Atom, Form, ListForm, Meta, Name, VectorForm, keyword_of, text_of
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.maps import EMPTY_MAP, Map
from rtfs_framework.lang.signature import MEMO
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.types.model import MapEntry, MapType, NamedType, OptionalType


def define(analyzer: AnalyzerBase, name: str, value: ir.Node, scope: Scope, form: Form) -> ir.Node:
    """Bind a name: a top-level name at top level, else a variable of the innermost scope."""
    if scope.is_top:
        record = SPECIALS.get(name)
        if record is not None and record.reserved:
            message = f"{name} is a special form and cannot be defined"
            raise analyzer.refuse(form, "E0212", message, "choose another name")
        full = analyzer.namespace.mine(name)
        if not is_function(value):
            analyzer.valued.add(full)
        analyzer.namespace.own.add(name)
        analyzer.defined.setdefault(full, 1)
        return ir.SetGlobal(full, value, form.span)
    var, flag = new_definition(analyzer, name, scope, _name_span(form))
    bound = ir.Bind(ir.PVar(var), value, None, form.span)
    if flag is None:
        return bound
    return ir.Do((bound, *happened(flag, form.span), analyzer.read_var(var, scope, form.span)), form.span)


def _name_span(form: Form) -> Span | None:
    name = defined_name(form) if isinstance(form, ListForm) else None
    return None if name is None else name.span


@special("def", grammar='(def name "doc"? value) or (def name : type value)', doc="Bind a name; the value is returned.")
def _def(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    parts = list(form.items[1:])
    said = EMPTY_MAP
    if parts and isinstance(parts[0], Meta):
        said = metadata_of(parts[0].meta)
        parts[0] = parts[0].form
    if not parts or not isinstance(parts[0], Name) or parts[0].name in ("&", ":"):
        raise malformed(analyzer, form, "def")
    name = parts[0].name
    if len(parts) == 3 and text_of(parts[1]) is not None:
        del parts[1]
    declared, rest = annotated(analyzer, parts[1:], need=1)
    if len(rest) != 1:
        raise malformed(analyzer, form, "def")
    function = _named_function(analyzer, name, rest[0], scope, said)
    if function is None and said.get(MEMO) is True:
        why = f"{name} cannot be memoised: it is no function of the top level"
        raise analyzer.refuse(form, "E0247", why, f"write it as (defn ^:memo {name} [...] ...)")
    value = function or analyzer.analyze(rest[0], scope)
    if declared is not None:
        value = ir.Check(value, declared, form.span)
    return define(analyzer, name, value, scope, form)


def _named_function(analyzer: AnalyzerBase, name: str, form: Form, scope: Scope, said: Map) -> ir.Node | None:
    """A function literal given to `def` takes its name, so that it can be delegated and call itself in a loop."""
    if not scope.is_top or not isinstance(form, ListForm) or not is_function_form(analyzer, form, scope):
        return None
    parsed = FunctionForm.read(analyzer, form, "fn", named=False)
    if parsed.name:  # its own name is a local one
        return None
    if said:
        parsed.metadata = parsed.metadata.merged(said)
    return top_function(analyzer, parsed, scope, name)


@special(
    "defn",
    grammar='(defn name "doc"? [params] : type? body...) or (defn name "doc"? : type? ([params] body...) ...), '
    "with ^:delegation or ^:memo before or after the name",
    doc="Define a function that can call itself; of one marked ^:memo, values are kept across runs.",
)
def _defn(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    parsed = FunctionForm.read(analyzer, form, "defn", named=True)
    name = parsed.name
    if scope.is_top:
        return define(analyzer, name, top_function(analyzer, parsed, scope, name), scope, form)
    var, flag = new_definition(analyzer, name, scope, _name_span(form))
    if len(parsed.arities) == 1 or flag is None:
        nodes: list[ir.Node] = [local_functions(analyzer, [(var, name, parsed)], scope, form.span)]
    else:  # it may not happen: the name itself is bound, and only inside stands for the arities
        own = analyzer.hidden_var(name, scope)
        nodes = [local_functions(analyzer, [(own, name, parsed)], scope, form.span)]
        nodes.append(ir.Bind(ir.PVar(var), value_of(analyzer, own, scope, form.span), None, form.span))
    return ir.Do((*nodes, *happened(flag, form.span), value_of(analyzer, var, scope, form.span)), form.span)


@special(
    "defstruct",
    grammar="(defstruct Name :field type ...)",
    doc="Define a type and its constructor, which takes one map and checks its fields.",
)
def _defstruct(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    parts = form.items[1:]
    if len(parts) < 3 or len(parts) % 2 == 0 or not isinstance(parts[0], Name):
        raise malformed(analyzer, form, "defstruct")
    entries = []
    for key, kind in zip(parts[1::2], parts[2::2], strict=True):
        if not isinstance(key, Atom) or keyword_of(key) is None:
            raise malformed(analyzer, form, "defstruct", "a field is a keyword followed by its type")
        declared = type_of(analyzer, kind)
        optional = isinstance(declared, OptionalType) or (
            isinstance(declared, NamedType) and declared.name.endswith("?")
        )
        entries.append(MapEntry(key.value, declared, optional))
    name, struct = parts[0].name, MapType(tuple(entries))
    enter_type(analyzer, name, struct)
    given = (ir.Const(analyzer.namespace.mine(name), form.span), ir.Const(struct, form.span))
    maker = ir.Call(ir.Builtin("%struct", form.span), given, form.span)
    return define(analyzer, name, maker, scope, form)


@special(
    "deftype",
    grammar="(deftype Name T)",
    doc="Name a type for annotations, and for validate, conform and their kin.",
)
def _deftype(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    if len(form.items) != 3 or not isinstance(form.items[1], Name):
        raise malformed(analyzer, form, "deftype")
    enter_type(analyzer, form.items[1].name, type_of(analyzer, form.items[2]))
    return ir.Const(None, form.span)


@special(
    "defmacro",
    grammar="(defmacro name [params] body...) or (defmacro name ([params] body...) ...)",
    doc="Define a macro: forms in, a form out.",
)
def _defmacro(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    parts = form.items[1:]
    if len(parts) >= 3 and text_of(parts[1]) is not None:
        parts = (parts[0], *parts[2:])
    if len(parts) >= 2 and isinstance(parts[1], ListForm):
        read_arities(analyzer, form, "defmacro", parts[1:])
    elif len(parts) < 3 or not isinstance(parts[1], VectorForm):
        raise malformed(analyzer, form, "defmacro")
    if not isinstance(parts[0], Name):
        raise malformed(analyzer, form, "defmacro")
    function = ListForm((Name("fn", parts[1].span), *parts[1:]), parts[1].span)
    analyzer.macros.define(analyzer, parts[0].name, function)
    return ir.Const(None, form.span)
