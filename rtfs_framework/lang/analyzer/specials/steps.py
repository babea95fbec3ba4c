"""Steps: step, step-if, step-loop, step-parallel. Lowered to runtime helpers that notify the host around thunks."""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.globals import defined_name
from rtfs_framework.lang.analyzer.scope import Scope, Tail
from rtfs_framework.lang.analyzer.specials.definitions import define
from rtfs_framework.lang.analyzer.specials.functions import thunk
from rtfs_framework.lang.analyzer.specials.record import SPECIALS, special
from rtfs_framework.lang.forms import Atom, Form, ListForm, MapForm, Name, VectorForm, head_of, keyword_of, text_of
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.source import Span

_VALUE = Name("step value", Span(0, 0))
"""What a program cannot name: the value of a step that also defines."""
_POLICIES = ("keep-existing", "overwrite", "merge")


@records.define(eq=False)
class _Options:
    """The options in front of a step's body."""

    expose: bool | None = None
    keys: tuple[str, ...] = ()
    params: MapForm | None = None
    policy: str | None = None
    body: tuple[Form, ...] = ()


def _refuse(analyzer: AnalyzerBase, form: ListForm, expected: str) -> ir.Node:
    """A wrong shape is an InvalidArguments error when it is reached, and a finding now."""
    word = head_of(form) or "step"
    message = f"Invalid arguments: expected {expected}, got {len(form.items) - 1} arguments to {word}"
    way_out = f"as in {SPECIALS[word].grammar}" if word in SPECIALS else None
    return analyzer.fails(form.span, "E0201", "InvalidArguments", message, way_out)


def _options(parts: tuple[Form, ...], *, allowed: tuple[str, ...]) -> _Options | None:
    """Read leading options; None when one has a value of the wrong kind."""
    found = _Options()
    i = 0
    while i + 1 < len(parts):
        key = parts[i]
        name, value = keyword_of(key), parts[i + 1]
        if name not in allowed:
            break
        if name == "expose-context" and isinstance(value, Atom) and isinstance(value.value, bool):
            found.expose = value.value
        elif name == "context-keys":
            if not isinstance(value, VectorForm):
                return None
            keys = [named for each in value.items if (named := _named(each)) is not None]
            if len(keys) != len(value.items):
                return None
            found.keys = tuple(keys)
        elif name == "params":
            if not isinstance(value, MapForm):
                return None
            found.params = value
        elif name == "merge-policy":
            found.policy = keyword_of(value)
        i += 2
    found.body = parts[i:]
    return found


def _named(form: Form) -> str | None:
    """Return the name that a string or keyword gives."""
    name = keyword_of(form)
    return text_of(form) if name is None else name


def _exposure(options: _Options, form: ListForm) -> tuple[ir.Node, ir.Node]:
    return ir.Const(options.expose, form.span), ir.Const(options.keys, form.span)


@special(
    "step",
    grammar='(step "name" :expose-context b? :context-keys [...]? :params {...}? body...)',
    doc="Run a body as a named step; the host is told when it starts, ends and fails.",
    reserved=False,
)
def _step(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    span = form.span
    name_form = form.items[1] if len(form.items) > 1 else None
    known = isinstance(name_form, Name) and (scope.find(name_form.name) or analyzer.top_level(name_form.name))
    if name_form is None or not (known or isinstance(name_form, ListForm) or text_of(name_form) is not None):
        return _refuse(analyzer, form, "a step name")
    options = _options(form.items[2:], allowed=("expose-context", "context-keys", "params"))
    if options is None:
        return _refuse(analyzer, form, "step options of the right kind")
    name = analyzer.analyze(name_form, scope)
    expose, keys = _exposure(options, form)
    if options.params is None:
        defined = () if scope.is_top else _surely_defined(options.body)
        if defined:
            return _defining_step(analyzer, form, scope, (name, expose, keys), options.body, defined)
        body = thunk(analyzer, options.body, scope, span)
        return ir.Call(ir.Builtin("%step", span), (name, expose, keys, body), span)
    entries: list[Form] = []
    for key, value in options.params.pairs:
        name_of = _named(key)
        if name_of is None:
            return _refuse(analyzer, form, "string or keyword parameter names")
        entries += [Atom(name_of, key.span), value]
    given = thunk(analyzer, (MapForm(tuple(entries), span),), scope, span)
    body = thunk(analyzer, options.body, scope, span, Name("%params", span))
    return ir.Call(ir.Builtin("%step", span), (name, expose, keys, body, given), span)


def _surely_defined(body: tuple[Form, ...]) -> tuple[str, ...]:
    """Return the names that the forms of a body themselves define."""
    made = [defined_name(form) for form in body if isinstance(form, ListForm) and head_of(form) in ("def", "defn")]
    return tuple(dict.fromkeys(name.name for name in made if name is not None))


def _defining_step(
    analyzer: AnalyzerBase,
    form: ListForm,
    scope: Scope,
    told: tuple[ir.Node, ...],
    body: tuple[Form, ...],
    defined: tuple[str, ...],
) -> ir.Node:
    """A step inside a function whose definitions outlive it: its body hands them out beside its value."""
    span = form.span
    names = tuple(Name(name, span) for name in defined)
    keep = ListForm((Name("def", span), _VALUE, body[-1]), span)
    run = thunk(analyzer, (*body[:-1], keep, VectorForm((_VALUE, *names), span)), scope, span)
    made = analyzer.hidden_var("step", scope)
    call = ir.Call(ir.Builtin("%step", span), (*told, run, ir.Const(None, span), ir.Const(True, span)), span)
    nodes: list[ir.Node] = [ir.Bind(ir.PVar(made), call, None, span)]

    def part(place: int) -> ir.Node:
        return ir.Call(
            ir.Builtin.of(analyzer.library, "nth", span), (ir.Local(made, span), ir.Const(place, span)), span
        )

    nodes += [define(analyzer, name, part(place), scope, form) for place, name in enumerate(defined, 1)]
    return ir.Do((*nodes, part(0)), span)


@special("step-if", grammar="(step-if test then else?)", doc="A branch as a step.", reserved=False)
def _step_if(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    options = _options(form.items[1:], allowed=("expose-context", "context-keys"))
    if options is None or not 2 <= len(options.body) <= 3:
        return _refuse(analyzer, form, "(step-if test then else?)")
    branch = ListForm((Name("if", form.span), *options.body), form.span)
    body = thunk(analyzer, (branch,), scope, form.span)
    name = ir.Const("step-if", form.span)
    return ir.Call(ir.Builtin("%step", form.span), (name, *_exposure(options, form), body), form.span)


@special("step-loop", grammar="(step-loop test body)", doc="Repeat a body while a test holds.", reserved=False)
def _step_loop(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    options = _options(form.items[1:], allowed=("expose-context", "context-keys"))
    if options is None or len(options.body) != 2:
        return _refuse(analyzer, form, "(step-loop test body)")
    test = thunk(analyzer, options.body[:1], scope, form.span)
    body = thunk(analyzer, options.body[1:], scope, form.span)
    args = (*_exposure(options, form), test, body)
    return ir.Call(ir.Builtin("%step-loop", form.span), args, form.span)


@special(
    "step-parallel",
    grammar="(step-parallel :merge-policy p? branch...)",
    doc="Branches that may run at once; the vector of their values, in order.",
    reserved=False,
)
def _step_parallel(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    options = _options(form.items[1:], allowed=("expose-context", "context-keys", "merge-policy"))
    if options is None or not options.body:
        return _refuse(analyzer, form, "(step-parallel branch...)")
    first = options.body[0]
    bad = None
    if keyword_of(first) is not None and len(options.body) > 1:
        bad = f"unknown option :{keyword_of(first)}"
    elif options.policy is not None and options.policy not in _POLICIES:
        bad = f"unknown merge policy :{options.policy}"
    branches = tuple(thunk(analyzer, (branch,), scope, form.span) for branch in options.body)
    args = (*_exposure(options, form), ir.Const(bad, form.span), ir.Const(options.policy, form.span), *branches)
    return ir.Call(ir.Builtin("%step-parallel", form.span), args, form.span)
