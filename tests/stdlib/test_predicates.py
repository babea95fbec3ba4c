"""Predicates: one value of every kind against every predicate."""

from __future__ import annotations

import pytest

from rtfs_framework.lang.maps import EMPTY_MAP, Set
from rtfs_framework.lang.values import ErrorValue, Keyword, Resource, Symbol, Timestamp, Uuid
from rtfs_framework.lang.vectors import GrownVector, List
from rtfs_framework.stdlib import predicates
from rtfs_framework.stdlib.table import BUILTINS

# value, type-name, type-of, the predicates that hold
KINDS = [
    (None, "nil", "nil", "nil?"),
    (True, "boolean", "bool", "bool? boolean? true?"),
    (False, "boolean", "bool", "bool? boolean? false?"),
    (1, "integer", "int", "int? integer? number?"),
    (1.0, "float", "float", "float? number?"),
    ("", "string", "string", "string? string-p"),
    (Keyword("a"), "keyword", "keyword", "keyword?"),
    (Symbol("a"), "symbol", "symbol", "symbol?"),
    ((), "vector", "vector", "vector? seq? sequential? coll?"),
    (GrownVector([1], 1), "vector", "vector", "vector? seq? sequential? coll?"),
    (List(), "list", "list", "list? seq? sequential? coll?"),
    (EMPTY_MAP, "map", "map", "map? coll?"),
    (Set(EMPTY_MAP), "set", "set", "set? coll?"),
    (predicates.is_nil, "function", "fn", "fn?"),
    (lambda x: x, "function", "fn", "fn?"),
    (ErrorValue("Generic", "m"), "error", "error", "error?"),
    (Timestamp("2026-01-01T00:00:00Z"), "timestamp", "timestamp", "timestamp?"),
    (Uuid("0"), "uuid", "uuid", "uuid?"),
    (Resource("resource://a"), "resource-handle", "resource", "resource?"),
]
NO_PREDICATES = {"boolean", "type-name", "type-of"}
NAMES = [n for n, r in BUILTINS.items() if r.function.__module__ == predicates.__name__ and n not in NO_PREDICATES]


@pytest.mark.parametrize(("value", "name", "keyword", "holding"), KINDS)
def test_kind(value, name, keyword, holding):
    assert BUILTINS["type-name"].function(value) == name
    assert BUILTINS["type-of"].function(value) is Keyword(keyword)
    assert {n for n in NAMES if BUILTINS[n].function(value)} == set(holding.split())
