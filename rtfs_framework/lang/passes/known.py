"""Library functions of which passes know more than that they are pure: they call nothing, and they end soon."""

from __future__ import annotations

from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import everything
from rtfs_framework.lang.library import Library
from rtfs_framework.lang.values import Keyword

NUMERIC = frozenset(
    "+ - * / mod quot rem inc dec abs max min < > <= >= even? odd? zero? pos? neg? sqrt floor ceil round".split()
)
PLAIN = NUMERIC | frozenset(
    """
    = != not= not nil? some? string? int? integer? float? number? boolean? keyword? symbol? map? vector? list? seq? fn? set? coll?
    str string-length length count empty? first second last rest next butlast nth get assoc dissoc contains? conj cons
    keys vals keyword name type-name vector hash-map list substring subs upper-case lower-case string-upper string-lower
    trim string-trim starts-with? ends-with? string-contains? string-contains split join identity take drop concat
    get-in merge select-keys reverse
    """.split()
) - {"some?"}  # fmt: skip
"""Functions of data alone: no function among their arguments is ever called."""
FOLDED = NUMERIC | frozenset(
    """
    = != not= not nil? string? int? integer? float? number? boolean? keyword? map? vector? list? str string-length
    length count empty? first second last nth get contains? name keyword type-name upper-case lower-case string-upper
    string-lower trim string-trim starts-with? ends-with? string-contains? string-contains identity
    """.split()
)
"""Functions whose calls on constants are computed by the compiler."""


def is_plain(node: ir.Node, library: Library) -> bool:
    """Tell whether a node surely ends, asks nobody, and calls nothing but plain functions: it may only fail."""
    return all(_plain_part(part, library) for part in everything((node,)))


def _plain_part(node: ir.Node, library: Library) -> bool:
    match node:
        case ir.Call(function=ir.Builtin(name=name)):
            return is_plain_function(name, library)
        case ir.Call(function=ir.Const(value=value)):
            return isinstance(value, Keyword)
        case ir.Call() | ir.HostName() | ir.SetGlobal() | ir.Global() | ir.Letrec() | ir.Fn() | ir.Loop() | ir.Recur():
            return False
        case ir.Try() | ir.Hinted() | ir.Each() | ir.Stop() | ir.Push() | ir.Check() | ir.Fail():
            return False
        case _:
            return True


def is_plain_function(name: str, library: Library) -> bool:
    """Tell whether a library function is plain."""
    return name in PLAIN and name in library and library[name].effect is None
