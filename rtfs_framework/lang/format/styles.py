"""Styles: where each part of a broken group belongs. A part's place is one of these words.

first   right after the opening bracket
head    on the form's first line while it fits, else indented by four
body    on a line of its own, indented by two
arg     a call's first argument: on its line while it fits
align   a call's further arguments: on lines of their own, under the first
key     on a line of its own, under the bracket's content (or as body in a form)
value   on its key's line while it fits
fill    on the line while it fits; a line end of the author's stays
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Sequence
from rtfs_framework.lang.format.tokens import Piece
from rtfs_framework.lang.format.tree import Group, Leaf, Node, Prefixed

BREAKING = frozenset({"body", "align", "key", "fill"})
"""Places where an author's line end counts."""

_OBJECTS = ("plan", "capability", "resource", "intent", "action", "task", "agent")
_BODY = {
    **dict.fromkeys(("do", "comment", "try", "finally", "step-parallel", "begin"), 0),
    **dict.fromkeys(("if", "if-not", "when", "when-not", "step-if", "step-loop", "letfn", "step", "module"), 1),
    **dict.fromkeys(("let", "loop", "for", "doseq", "dotimes", "if-let", "when-let"), 1),
    **dict.fromkeys(("def", "deftype", *_OBJECTS), 1),
    **dict.fromkeys(("as->", "declassify"), 2),
}
_BINDING = frozenset({"let", "loop", "for", "doseq", "dotimes", "if-let", "when-let"})
_OPTIONS = frozenset({"step", "step-parallel", "module", *_OBJECTS})
_PAIRED = {"cond": 0, "case": 1, "match": 1, "defstruct": 1}
_TYPE = ((), ("type",), ("colon", "type"))
"""The places of a type annotation by the number of its parts."""
_FUNCTIONS = frozenset({"fn", "λ", "defn", "defmacro", "defn-"})


def places(group: Group, role: str | None = None) -> tuple[str, ...]:
    """Return the place of every entry; a comment has that of the node after it. See `role_in` for the role."""
    nodes = group.nodes
    found = iter(_of_nodes(group, nodes, role))
    after = "body" if group.opener == "(" else "fill"
    out: list[str] = []
    waiting = 0
    for entry in group.entries:
        if isinstance(entry.node, Piece):
            waiting += 1
            continue
        place = next(found)
        out += [place] * (waiting + 1)
        waiting = 0
    return (*out, *([out[-1] if out and out[-1] in BREAKING else after] * waiting))


def role_in(group: Group, node: Node) -> str | None:
    """Return "binding" for the binding vector of a form, "arity" for one of a function that has several, else None."""
    nodes = group.nodes
    word = _word(nodes[0]) if len(nodes) > 1 else None
    if word in _BINDING and nodes[1] is node and is_vector(node):
        return "binding"
    return "arity" if word in _FUNCTIONS and _is_arity(node) and not any(map(is_vector, nodes)) else None


def _is_arity(node: Node) -> bool:
    return isinstance(node, Group) and node.opener == "(" and bool(node.nodes) and is_vector(node.nodes[0])


def is_vector(node: Node) -> bool:
    """Tell whether a node is a vector."""
    return isinstance(node, Group) and node.opener == "["


def is_call(group: Group) -> bool:
    """Tell whether a group is a list that starts with a word: a form or a call."""
    nodes = group.nodes
    return group.opener in ("(", "#(") and bool(nodes) and _word(nodes[0]) is not None


def _word(node: Node) -> str | None:
    """Return the text of a node that may head a call."""
    if not isinstance(node, Leaf) or not node.text or node.text[0] in '"0123456789#':
        return None
    return node.text


def _keyword(node: Node) -> bool:
    return isinstance(node, Leaf) and len(node.text) > 1 and node.text[0] == ":"


def _of_nodes(group: Group, nodes: Sequence[Node], role: str | None) -> list[str]:
    if role == "binding":
        return _bindings(nodes)
    if role == "arity":
        return ["first", *["key"] * (len(nodes) - 1)]
    if group.opener == "{":
        return ["first", *(("value", "key")[i % 2] for i in range(len(nodes) - 1))][: len(nodes)]
    if not is_call(group):
        return ["first", *_annotations(nodes[1:])][: len(nodes)]
    word = _word(nodes[0]) or ""
    rest = nodes[1:]
    if word in _FUNCTIONS:
        return ["first", *_function(rest)]
    if word == "match":
        return ["first", *_clauses(rest)]
    if word in _PAIRED:
        return ["first", *_pairs(rest, _PAIRED[word])]
    heads = _heads(word, rest)
    if heads is None:
        return ["first", *["arg"][: len(rest)], *_options("align", rest, 1)[1:]]
    if word in _OPTIONS:
        return ["first", *_options("body", rest, heads)]
    return ["first", *["head"] * min(heads, len(rest)), *["body"] * (len(rest) - heads)]


def _heads(word: str, rest: Sequence[Node]) -> int | None:
    """Return how many arguments stand on the first line of a form with a body; None for a call."""
    if word == "catch":
        return 2 if len(rest) >= 3 and isinstance(rest[0], Leaf) and isinstance(rest[1], Leaf) else 1
    if word.startswith(("def", "with-")) and word != "default":
        return _BODY.get(word, 1)
    return _BODY.get(word)


def _pairs(rest: Sequence[Node], heads: int) -> list[str]:
    count = len(rest) - heads
    return ["head"] * min(heads, len(rest)) + [("body", "value")[i % 2] for i in range(count)]


def _options(place: str, rest: Sequence[Node], heads: int) -> list[str]:
    """A keyword and what follows it share a line."""
    found = ["head"] * min(heads, len(rest))
    after_key = heads == 1 and bool(rest) and _keyword(rest[0]) and place == "body"
    for node in rest[heads:]:
        is_value = after_key and not _keyword(node)
        found.append("value" if is_value else place)
        after_key = _keyword(node) and not is_value
    return found


def _clauses(rest: Sequence[Node]) -> list[str]:
    """match: the value, then pattern, optional `when test`, body."""
    found = ["head"][: len(rest)]
    i = 1
    while i < len(rest):
        guarded = len(rest) > i + 3 and isinstance(rest[i + 1], Leaf) and _word(rest[i + 1]) == "when"
        size = 4 if guarded else 2
        found += ["body", *["value"] * (size - 1)]
        i += size
    return found[: len(rest)]


def _function(rest: Sequence[Node]) -> list[str]:
    """Fn and its kin: name, documentation on its own line, parameters and result type, then the body, or arities."""
    found: list[str] = []
    documented = False
    for i, node in enumerate(rest):
        types = _type_parts(rest[i:])
        if _is_arity(node) or (types and i + types < len(rest) and _is_arity(rest[i + types])):
            found += () if _is_arity(node) else ("body",) if documented else ("head",)
            found += ("type",) * (types == 2)
            break
        if isinstance(node, Leaf) and node.text.startswith('"') and i + 1 < len(rest):
            found.append("body")
            documented = True
            continue
        found.append("body" if documented else "head")
        documented = False
        if _is_parameters(node):
            found += _TYPE[_type_parts(rest[i + 1 :])]
            break
    return (found + ["body"] * len(rest))[: len(rest)]


def _is_parameters(node: Node) -> bool:
    if isinstance(node, Prefixed):
        last = node.entries[-1].node if node.entries else None
        return isinstance(last, Group | Prefixed) and _is_parameters(last)
    return is_vector(node)


def _type_parts(after: Sequence[Node]) -> int:
    """Return how many nodes after the parameters (or a bound name) are a type."""
    if len(after) >= 3 and isinstance(after[0], Leaf) and after[0].text == ":":
        return 2
    return 1 if len(after) >= 2 and _keyword(after[0]) else 0


def _annotations(nodes: Sequence[Node]) -> list[str]:
    """Parameters, or data: a colon keeps to its name and its type."""
    found: list[str] = []
    for node in nodes:
        if isinstance(node, Leaf) and node.text == ":":
            found.append("colon")
        else:
            found.append("type" if found and found[-1] == "colon" else "fill")
    return found


def _bindings(nodes: Sequence[Node]) -> list[str]:
    """Name, optional type, value. A keyword after a name is its value if that reading uses up all nodes."""
    found: list[str] = []
    for keywords_are_types in (False, True):
        found = []
        i = 0
        while i < len(nodes):
            parts = _type_parts(nodes[i + 1 :])
            parts = parts if parts == 2 or keywords_are_types else 0
            found += ["key", *_TYPE[parts], "value"]
            i += parts + 2
        if len(found) == len(nodes):
            break
    return ["first", *found[1 : len(nodes)]][: len(nodes)]
