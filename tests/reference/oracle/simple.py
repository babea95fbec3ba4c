"""The generator's simple expressions: literals, names, and calls of the library, kind by kind."""

from __future__ import annotations

import re
from typing import Any

KINDS = ("int", "bool", "str", "kw", "vec", "map", "fn", "nil")

_THREADS = (
    "(-> I inc (+ I) (- 1))",
    "(->> I inc (+ I) (- 1))",
    "(some-> I inc (+ I) (- 1))",
    "(some->> I inc (+ I) (- 1))",
    "(cond-> I B inc B (+ I) true (- 1))",
    "(cond->> I B inc B (- I))",
    "(condp = I I I I :>> (fn [x] (if x 1 2)) I)",
    "(condp (fn [x y] (< x y)) I I I I I)",
    "(doto I (+ I) (call :int))",
    "(do (assert B (str I)) I)",
)


class Simple:
    """Expressions of one kind; what they are made of comes from the class below it."""

    rng: Any
    scopes: list[dict[str, str]]
    typed: bool

    def leaf(self, kind: str) -> str:
        names = self.visible(kind)
        if names and self.chance(65):
            return self.pick(names)
        if self.chance(2):
            return self.pick(("zz", "nope/x"))
        match kind:
            case "int":
                return str(self.pick((0, 1, 2, 3, 7, -1, 10, 10**20)))
            case "bool":
                return self.pick(("true", "false", "nil"))
            case "str":
                return self.pick(('""', '"a"', '"bc"'))
            case "kw":
                return self.pick((":a", ":b"))
            case "vec":
                return self.pick(("[]", "[1]", "[1 2]", "[3 1 2]"))
            case "map":
                return self.pick(("{}", "{:a 1}", "{:a 1 :b 2}"))
            case "fn":
                return self.pick(("inc", "dec", "(fn [x] x)", "(fn [x] x)" if self.in_shorthand else "#(+ % 1)"))
            case _:
                return "nil"

    def compound(self, kind: str, depth: int) -> str:
        if self.tails[-1] is not None and self.chance(25):
            return self.recur(depth)
        general = (
            self.if_, self.let, self.do, self.match, self.try_, self.cond, self.and_or, self.loop, self.immediate,
            self.host, self.if_let, self.case, self.hinted, self.letfn, self.as_thread, self.wrong, self.closures,
            self.local_def, *[self.declared] * (4 if self.typed else 0),
        )  # fmt: skip
        if self.chance(55):
            return self.pick(general)(kind, depth)
        return getattr(self, f"{kind}_")(depth)

    def int_(self, depth: int) -> str:
        roll = self.rng.randrange(9)
        if roll < 4:
            op = self.pick(("+", "-", "*", "+", "-", "/"))
            args = [self.expr("int", depth) for _ in range(self.pick((2, 2, 2, 1, 3)))]
            return f"({op} {' '.join(args)})"
        if roll == 4:
            return f"({self.pick(('inc', 'dec'))} {self.expr('int', depth)})"
        if roll == 5:
            return f"(count {self.seq(depth)})"
        if roll == 6:
            return f"(reduce {self.pick(('+', '-', self.fn2(depth)))} {self.start(depth)}{self.seq(depth)})"
        if roll == 7:
            return f"(:{self.pick('ab')} {self.expr('map', depth)} {self.expr('int', depth)})"
        return f"({self.expr('fn', depth)} {self.expr('int', depth)})"

    def bool_(self, depth: int) -> str:
        op = self.rng.randrange(4)
        if op == 0:
            return f"({self.pick(('<', '>', '<=', '>='))} {self.expr('int', depth)} {self.expr('int', depth)})"
        if op == 1:
            kind = self.pick(KINDS)
            return f"(= {self.expr(kind, depth)} {self.expr(kind, depth)})"
        if op == 2:
            return f"(not {self.expr(self.pick(KINDS), depth)})"
        return f"(nil? {self.expr(self.pick(KINDS), depth)})"

    def str_(self, depth: int) -> str:
        return f"(str {self.expr(self.pick(('int', 'str', 'kw')), depth)} {self.expr('str', depth)})"

    def kw_(self, depth: int) -> str:
        return f"(if {self.expr('bool', depth)} :a :b)"

    def vec_(self, depth: int) -> str:
        roll = self.rng.randrange(6)
        if roll == 0:
            return f"[{' '.join(self.expr('int', depth) for _ in range(self.rng.randrange(4)))}]"
        if roll == 1:
            return f"(map {self.expr('fn', depth)} {self.seq(depth)})"
        if roll == 2:
            return f"(filter {self.fn1('bool', depth)} {self.seq(depth)})"
        if roll == 3:
            return f"(conj {self.expr('vec', depth)} {self.expr('int', depth)})"
        if roll == 4:
            return self.for_(depth)
        return f"(rest {self.seq(depth)})"

    def seq(self, depth: int) -> str:
        """Mostly a vector, else any other collection."""
        if self.chance(88):
            return self.expr("vec", depth)
        return self.pick(
            (
                self.expr("map", depth),
                self.host("vec", depth),
                self.expr("str", depth),
                "nil",
                "#{1 2}",
                "'(1 2)",
                "(list)",
            )
        )

    def start(self, depth: int) -> str:
        return "" if self.chance(20) else f"{self.expr('int', depth)} "

    def map_(self, depth: int) -> str:
        if self.chance(50):
            return f"{{:a {self.expr('int', depth)} :b {self.expr(self.pick(KINDS), depth)}}}"
        if self.chance(30):
            return f"{{{self.expr('kw', depth)} {self.expr('int', depth)} :b {self.expr('int', depth)}}}"
        return f"(assoc {self.expr('map', depth)} {self.expr('kw', depth)} {self.expr('int', depth)})"

    def threaded(self, depth: int) -> str:
        kinds = {"I": "int", "B": "bool"}
        return re.sub(r"\b[IB]\b", lambda found: self.expr(kinds[found.group()], depth), self.pick(_THREADS))

    def fn_(self, depth: int) -> str:
        return self.fn1("int", depth)

    def nil_(self, depth: int) -> str:
        self.scopes.append({(name := self.fresh()): "int"})
        body = self.expr("int", depth)
        self.scopes.pop()
        return self.pick((f"(doseq [{name} {self.seq(depth)}] {body})", f"(dotimes [{name} 3] {body})"))

    # -- functions -----------------------------------------------------------------------------------------------

    def fn1(self, kind: str, depth: int) -> str:
        if not self.in_shorthand and self.chance(20):
            self.in_shorthand = True
            self.scopes.append({"%": "int"})
            body = self.expr(kind, depth)
            self.scopes.pop()
            self.in_shorthand = False
            if body.startswith("(") and "%" in body:
                return "#" + body
        return self.function(depth, self.fresh() if self.chance(15) else "", kind, named=True)

    def fn2(self, depth: int) -> str:
        a, b = self.fresh(), self.fresh()
        self.scopes.append({a: "int", b: "int"})
        body = self.expr("int", depth)
        if self.chance(25):
            ended = f"(reduced {self.expr(self.pick(KINDS), depth)})"
            body = f"(if {self.expr('bool', depth)} {ended} {body})"
        self.scopes.pop()
        return f"(fn [{a} {b}] {body})"

    def wrapped(self, call: str, depth: int) -> str:
        """Return a call that is freed of marks, or answers later: what comes between happens first."""
        if self.chance(50):
            return f'(declassify [:b :a] "why" {call})'
        name = self.fresh()
        return f"(let [{name} (ticket {call})] (do {self.expr('int', depth)} (await {name})))"
