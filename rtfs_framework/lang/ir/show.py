"""The IR as text: s-expressions that the formatter lays out. Locals have numbers; other names say what they are."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, Iterable
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import parts
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.never import forgotten
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.types.show import show_type
from rtfs_framework.lang.values import Symbol
from rtfs_framework.lang.vectors import List, is_vector

_HEADS: dict[type, str] = {
    ir.Global: "global", ir.Builtin: "builtin", ir.HostName: "host", ir.SetGlobal: "def", ir.Inlined: "inlined",
    ir.If: "if", ir.Do: "do", ir.And: "and", ir.Or: "or", ir.Call: "call", ir.Arities: "arities", ir.Fresh: "fresh",
    ir.Push: "push", ir.Stop: "stop",
}  # fmt: skip


def show_program(program: ir.Program) -> str:
    """Return the text of a program, one top-level node a line."""
    return "\n".join(show(node) for node in program.body)


def show(node: ir.Node) -> str:  # noqa: C901, PLR0912 - one line per kind of node
    """Return the text of one node, on one line."""
    match node:
        case ir.Const(value=value):
            return _constant(value)
        case ir.Local(var=var):
            return _var(var)
        case ir.Global() | ir.Builtin() | ir.HostName() | ir.SetGlobal() | ir.Inlined():
            return _form(_HEADS[type(node)], _name(node.name), *map(show, parts(node)))
        case ir.If() | ir.Do() | ir.And() | ir.Or() | ir.Call() | ir.Arities() | ir.Fresh() | ir.Push() | ir.Stop():
            return _form(_HEADS[type(node)], *map(show, parts(node)))
        case ir.Bind():
            return _form("bind", _pattern(node.pattern), *_type(node.type), show(node.value))
        case ir.Letrec(bindings=bindings):
            return _form("letrec", _vector(f"{_var(var)} {show(function)}" for var, function in bindings))
        case ir.Fn():
            return _function(node)
        case ir.Loop():
            pairs = zip(node.vars, node.inits, strict=True)
            return _form("loop", _vector(f"{_var(var)} {show(init)}" for var, init in pairs), show(node.body))
        case ir.Recur(args=args, frame=frame):
            return _form("recur" if frame is None else "recur-function", *map(show, args))
        case ir.Match(value=value, clauses=clauses):
            return _form("match", show(value), *map(_clause, clauses))
        case ir.Try():
            return _try(node)
        case ir.VectorNode(items=items):
            return _vector(map(show, items))
        case ir.MapNode(pairs=pairs):
            return "{" + " ".join(f"{_constant(key)} {show(value)}" for key, value in pairs) + "}"
        case ir.SetNode(items=items):
            return "#" + "{" + " ".join(map(show, items)) + "}"
        case ir.Hinted(hints=hints, body=body):
            return _form("hinted", "{" + " ".join(f":{k} {show(v)}" for k, v in hints) + "}", show(body))
        case ir.Check(value=value, type=declared):
            return _form("check", show_type(declared), show(value))
        case ir.Each():
            return _each(node)
        case ir.Grow():
            words = ("late",) if node.late else ()
            head = "put" if node.put else "grow"
            dropping = (f":drop {node.drops}",) if node.drops else ()
            return _form(*words, head, _var(node.var), *dropping, *map(show, node.parts))
        case ir.Look():
            return _form("look", node.op, _var(node.var), *map(show, node.args))
        case ir.Freeze(var=var):
            return _form("freeze", _var(var))
        case ir.Fail(kind=kind, message=message):
            return _form("fail", kind, write(message))
        case _ as never:
            raise forgotten(never)


def _form(head: str, *parts: str) -> str:
    return f"({' '.join((head, *parts))})"


def _vector(parts: Iterable[str]) -> str:
    return f"[{' '.join(parts)}]"


def _name(name: str) -> str:
    return name.replace("#", "__").replace(" ", ".")


def _var(var: ir.Var) -> str:
    return f"{_name(var.name)}.{var.number}"


def _type(declared: Type | None) -> list[str]:
    return [] if declared is None else [":", show_type(declared)]


def _constant(value: Any) -> str:
    if isinstance(value, Type):
        return _form("type", show_type(value))
    if is_vector(value) or isinstance(value, List | Map | Set | Symbol):
        return f"'{write(value)}"
    text = write(value)
    return write(repr(value)) if text == "#<function>" else text


def _function(node: ir.Fn) -> str:
    params = [" ".join([_pattern(param.pattern), *_type(param.type)]) for param in node.params]
    if node.rest is not None:
        params += ["&", " ".join([_pattern(node.rest.pattern), *_type(node.rest.type)])]
    captures = [":captures", _vector(map(_var, node.captures))] if node.captures else []
    linked = [":linked", "true"] if node.linked else []
    loops = [":loops", "true"] if node.frame.loops else []
    head = [_name(node.name), _vector(params), *_type(node.returns), *captures, *linked, *loops]
    return _form("fn", *head, show(node.body))


def _clause(clause: ir.Clause) -> str:
    guard = [] if clause.guard is None else ["when", show(clause.guard)]
    return " ".join([_pattern(clause.pattern), *guard, show(clause.body)])


def _each(node: ir.Each) -> str:
    start = [] if node.init is None else [show(node.init)]
    acc = [] if node.acc is None else [":acc", _vector([_var(node.acc), *start])]
    alike = [":alike", "true"] if node.alike else []
    plain = [] if node.plain is None or node.again is None else [":else", _var(node.again), show(node.plain)]
    return _form("each", node.op, _vector([_var(node.item), show(node.source)]), *acc, *alike, show(node.body), *plain)


def _try(node: ir.Try) -> str:
    catches = [_form("catch", catch.kinds or "_", *map(_var, catch.vars), show(catch.body)) for catch in node.catches]
    final = [] if node.final is None else [_form("finally", show(node.final))]
    return _form("try", show(node.body), *catches, *final)


def _pattern(pattern: ir.Pattern) -> str:
    match pattern:
        case ir.PVar(var=var):
            return _var(var)
        case ir.PIgnore():
            return "_"
        case ir.PLiteral(value=value):
            return _constant(value)
        case ir.PVector(items=items, rest=rest, whole=whole):
            return _vector([*map(_pattern, items), *_rest("&", rest), *_whole(whole)])
        case ir.PMap(entries=entries, rest=rest, whole=whole):
            shown = [f"{_constant(entry.key)} {_entry(entry)}" for entry in entries]
            return "{" + " ".join([*shown, *_rest("&", rest), *_whole(whole)]) + "}"
        case ir.PType(type=declared, pattern=inner):
            return _form(show_type(declared), _pattern(inner))
        case ir.PAs(var=var, pattern=inner):
            return _form(":as", _var(var), _pattern(inner))
        case _ as never:
            raise forgotten(never)


def _entry(entry: ir.PMapEntry) -> str:
    if entry.default is None:
        return _pattern(entry.pattern)
    return _form("default", _pattern(entry.pattern), show(entry.default))


def _rest(word: str, rest: ir.Pattern | None) -> list[str]:
    return [] if rest is None else [word, _pattern(rest)]


def _whole(whole: ir.Var | None) -> list[str]:
    return [] if whole is None else [":as", _var(whole)]
