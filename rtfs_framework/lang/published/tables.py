"""The format: which kinds of nodes and patterns there are, and how each field of theirs stands in a row.

A row is the kind's word and its fields in this order. The tables are read in both directions, so what is written is
what is read; a test compares them with `ir.Node` and `ir.Pattern`. Nodes that only passes make have no place here.
Whoever changes a line changes the format: then `FORMAT` (`version`) takes another number.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.ir import nodes as ir

NODES: dict[str, tuple[type[Any], tuple[tuple[str, str], ...]]] = {
    "const": (ir.Const, (("value", "value"),)),
    "local": (ir.Local, (("var", "read"),)),
    "global": (ir.Global, (("name", "name"),)),
    "builtin": (ir.Builtin, (("name", "builtin"),)),
    "host": (ir.HostName, (("name", "name"),)),
    "def": (ir.SetGlobal, (("name", "name"), ("value", "node"))),
    "if": (ir.If, (("test", "node"), ("then", "node"), ("otherwise", "node"))),
    "do": (ir.Do, (("items", "nodes"),)),
    "bind": (ir.Bind, (("value", "node"), ("pattern", "pattern"), ("type", "type"))),
    "letrec": (ir.Letrec, (("bindings", "bindings"),)),
    "and": (ir.And, (("items", "nodes"),)),
    "or": (ir.Or, (("items", "nodes"),)),
    "fn": (ir.Fn, ()),
    "arities": (ir.Arities, (("functions", "nodes"),)),
    "call": (ir.Call, (("function", "node"), ("args", "nodes"))),
    "loop": (ir.Loop, (("inits", "nodes"), ("vars", "vars"), ("body", "node"))),
    "recur": (ir.Recur, (("args", "nodes"), ("frame", "frame"))),
    "match": (ir.Match, (("value", "node"), ("clauses", "clauses"))),
    "try": (ir.Try, (("body", "node"), ("catches", "catches"), ("final", "maybe-node"))),
    "vector": (ir.VectorNode, (("items", "nodes"),)),
    "map": (ir.MapNode, (("pairs", "pairs"),)),
    "set": (ir.SetNode, (("items", "nodes"),)),
    "hinted": (ir.Hinted, (("hints", "hints"), ("body", "node"))),
    "check": (ir.Check, (("value", "node"), ("type", "type"), ("result", "flag"))),
    "fail": (ir.Fail, (("kind", "name"), ("message", "text"))),
}
NODE_TAGS = {cls: tag for tag, (cls, _) in NODES.items()}

PATTERNS: dict[str, tuple[type[Any], tuple[tuple[str, str], ...]]] = {
    "var": (ir.PVar, (("var", "var"),)),
    "_": (ir.PIgnore, ()),
    "literal": (ir.PLiteral, (("value", "value"),)),
    "vector": (ir.PVector, (("items", "patterns"), ("rest", "maybe-pattern"), ("whole", "maybe-var"))),
    "map": (ir.PMap, (("entries", "entries"), ("rest", "maybe-pattern"), ("whole", "maybe-var"))),
    "type": (ir.PType, (("type", "type"), ("pattern", "pattern"))),
    "as": (ir.PAs, (("var", "var"), ("pattern", "pattern"))),
}
PATTERN_TAGS = {cls: tag for tag, (cls, _) in PATTERNS.items()}

WITH_SPAN = frozenset({*NODE_TAGS, ir.PVector, ir.PMap})
"""Records that have a span. None is written: what a program means does not depend on where it stood."""

LOOPED, LEAVES_PART = 1, 2
"""Bits of a variable's marks."""
