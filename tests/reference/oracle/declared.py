"""Declared types: the oracle's own reading of them, and the generator's programs that declare them."""

from __future__ import annotations

from typing import Any

from rtfs_framework.lang.forms import Atom, Form, Name, VectorForm
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.vectors import is_vector

TEXT = """(deftype Rec [:map [:a :int] [:b [:optional :int]]])
(deftype Op [:or [:tuple [:enum :add :sub] :int] [:tuple [:enum :stop]]])
(deftype Ops [:vector Op])"""
"""The types that programs with declared types begin with."""

_CLASSES: dict[str, Any] = {
    "int": lambda v: v.__class__ is int,
    "float": lambda v: v.__class__ in (int, float),
    "string": lambda v: v.__class__ is str,
    "bool": lambda v: v.__class__ is bool,
    "any": lambda _: True,
}
_NAMED: dict[str, Form] = {form.items[1].name: form.items[2] for form in read_program(Source("types", TEXT))}  # type: ignore[union-attr]


def fits(form: Form, value: Any) -> bool:
    """Tell whether a value fits a type."""
    if isinstance(form, VectorForm):
        head, *parts = form.items
        return _made(head.value.name, parts, value)  # type: ignore[union-attr]
    name = form.name if isinstance(form, Name) else form.value.name  # type: ignore[union-attr]
    if name in _NAMED:
        return fits(_NAMED[name], value)
    return (value is None and name.endswith("?")) or _CLASSES[name.removesuffix("?")](value)


def _made(head: str, parts: list[Form], value: Any) -> bool:
    from oracle.evaluator import same

    match head:
        case "vector":
            return is_vector(value) and all(fits(parts[0], item) for item in value)
        case "tuple":
            return is_vector(value) and len(value) == len(parts) and all(map(fits, parts, value))
        case "enum":
            return any(same(part.value, value) for part in parts)  # type: ignore[union-attr]
        case "or":
            return any(fits(part, value) for part in parts)
        case "optional":
            return value is None or fits(parts[0], value)
        case _:
            return value.__class__ is Map and all(_has(part, value) for part in parts)


def _has(entry: Form, value: Map) -> bool:
    assert isinstance(entry, VectorForm)
    key, type_ = entry.items
    assert isinstance(key, Atom)
    for each in (key.value, key.value.name):  # a string of its name stands in for a keyword
        if each in value:
            return fits(type_, value.get(each))
    return False


class Declared:
    """Functions of declared types and calls of them; what they are made of comes from the class below it."""

    typed = False
    """Whether the program has them."""
    rng: Any
    scopes: list[dict[str, str]]

    def declared_functions(self) -> list[str]:
        self.typed = True
        made = [TEXT]
        for name, params, scope, returns, bodies in (
            ("rec-1", "r : Rec n : :int", {"r": "map", "n": "int"}, "Rec", _RECORD),
            ("val-1", "r : Rec", {"r": "map"}, ":int", _VALUE),
            ("op-1", "s : :int o : Op", {"s": "int"}, ":int", _OPERATION),
            ("vec-1", "v : [:vector :int]", {"v": "vec"}, "[:vector :int]", _VECTOR),
            ("ops-1", "s : int? os : Ops", {"s": "int"}, ":int?", _OPERATIONS),
        ):
            self.scopes.append(scope)
            body = self.filled(self.pick(bodies))
            self.scopes.pop()
            result = "" if self.chance(15) else f": {returns} "
            made.append(f"(defn {name} [{params}] {result}{body})")
        return made

    def filled(self, text: str, depth: int = 1) -> str:
        """Fill the places of a text that stand for expressions."""
        kinds = {"INT": "int", "BOOL": "bool", "VEC": "vec", "KW": "kw", "MAP": "map"}
        words = text.split(" ")
        for place, word in enumerate(words):
            bare = word.strip("()[]{}")
            if bare in kinds:
                words[place] = word.replace(bare, self.expr(kinds[bare], depth))
            elif bare in _PARTS:
                words[place] = word.replace(bare, self.filled(self.pick(_PARTS[bare]), depth))
        return " ".join(words)

    def declared(self, kind: str, depth: int) -> str:
        """Return an expression that calls functions of declared types, if the program has them."""
        if not self.typed or kind not in _CALLS or self.in_shorthand:
            return self.expr(kind, depth)
        return self.filled(self.pick(_CALLS[kind]), min(depth, 2))


_PARTS = {
    "REC": ("{:a INT :b INT }", "{:a INT :b nil}", "{:a 1 :b 2 :c INT }", '{"a" INT :b nil}', "{:a INT }", "MAP",
            "(rec-1 {:a INT :b nil} INT )"),
    "OP": ("[:add INT ]", "[:sub INT ]", "[:stop]", "[ KW INT ]", "[:stop INT ]", "VEC"),
    "OPS": ("[ OP OP ]", "[[:add 1] [:stop] OP ]", "[]", "(map (fn [x] [:add x]) VEC )"),
}  # fmt: skip
_RECORD = (
    "(assoc r :a INT )", "(assoc r :b INT :z 1)", "{:a INT :b (:a r)}", "r", "(if BOOL r (assoc r :a INT ))",
    "(assoc r KW INT )", "(dissoc r :b)", "(if (> n 0) (rec-1 (assoc r :a INT ) (- n 1)) r)", "(do INT (assoc r :a n))",
    "(let [q : Rec (assoc r :b n)] (if (> n 1) (assoc q :a (:b q)) q))", "(try (assoc r :a INT ) (catch e r))",
)  # fmt: skip
_VALUE = (
    "(:a r)", "(+ (:a r) INT )", "(or (:b r) 0)", "(match r {:a x :b y} (if y (+ x y) x) _ 0)", "(get r :a 1)",
    "(let [{:keys [a b]} r] (if b (+ a b) a))", "(if BOOL (:a r) (:b r))", "(inc (:b r))",
)  # fmt: skip
_OPERATION = (
    "(match o [:add n] (+ s n) [:sub n] (- s n) [:stop] INT )", "(match o [:add n] (+ s n) _ INT )",
    "(match o [x n] (if (= x :add) (+ s n) n) [x] s)", "(if (= (first o) :stop) s (+ s (nth o 1)))",
    "(match o (:as w [:sub n]) (- n (count w)) [& more] (count more))",
)  # fmt: skip
_VECTOR = (
    "(map (fn [x : :int] : :int INT ) v)", "(filter (fn [x : :int] BOOL ) v)", "(conj v INT )", "(rest v)",
    "(for [x v] (+ x INT ))", "(if (> (count v) 2) (vec-1 (rest v)) v)", "(map inc (filter (fn [x] (> x 0)) v))",
    "(loop [i 0 w v] (if (< i 3) (recur (inc i) (conj w i)) w))", "[(count v) INT ]",
    "(map (fn [x] (val-1 {:a x :b nil})) v)",
)  # fmt: skip
_OPERATIONS = (
    "(reduce op-1 (or s 0) os)", "(if (nil? s) nil (reduce (fn [a o] (inc (op-1 a o))) s os))",
    "(if (> (count os) 1) (ops-1 s (rest os)) s)", "(if s (+ s (count os)) s)",
)  # fmt: skip
_CALLS = {
    "int": ("(val-1 REC )", "(op-1 INT OP )", "(reduce op-1 INT OPS )", "(reduce + 0 (map val-1 [ REC REC ]))",
            "(reduce (fn [s o] (inc (op-1 s o))) INT OPS )", "(reduce + INT (vec-1 VEC ))", "(count (vec-1 VEC ))",
            "(->> [ REC {:a 1 :b 2}] (map (fn [r : Rec] (rec-1 (rec-1 r INT ) 2))) (map val-1) (reduce + 0))",
            "(let [f (fn [x : :int] : :int INT )] (f INT ))", "(ops-1 INT OPS )", "(ops-1 nil OPS )",
            "(match OP (:int n) n [:stop] INT [_ (:int n)] n _ INT )"),
    "vec": ("(vec-1 VEC )", "(map val-1 [ REC ])", "(vec-1 (vec-1 VEC ))",
            "(map (fn [r : Rec] : :int? (:b r)) [ REC REC ])"),
    "map": ("(rec-1 REC INT )", "(rec-1 (rec-1 REC INT ) INT )"),
}  # fmt: skip
