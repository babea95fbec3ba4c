"""Programs out of a random generator: mostly well typed, sometimes not, and effects wherever an expression may stand.

`random.Random` and hypothesis' own random both drive it, so that a failure found by either can be made small.
"""

from __future__ import annotations

from random import Random
from typing import Any

from oracle.declared import Declared
from oracle.simple import KINDS, Simple

NAMES = ("x", "y", "z", "f-fn", "int", "len", "t", "G__x", "or2", "class", "s", "acc", "_q", "rt_fail", "x-1", "f")
FUNCTIONS = ("go", "help-1", "int?", "tuple", "go2")
TYPES = {"int": "int", "bool": "bool", "str": "string"}


class Generator(Declared, Simple):
    """Makes one program. `size` bounds the nesting."""

    def __init__(self, rng: Any, size: int = 5) -> None:
        self.rng = rng
        self.size = size
        self.scopes: list[dict[str, str]] = [{}]
        self.tails: list[tuple[int, list[str]] | None] = [None]
        self.in_shorthand = False
        self.calls = 0

    # -- choices -------------------------------------------------------------------------------------------------

    def chance(self, percent: int) -> bool:
        return self.rng.randrange(100) < percent

    def pick(self, options: Any) -> Any:
        return options[self.rng.randrange(len(options))]

    def visible(self, kind: str) -> list[str]:
        seen: dict[str, str] = {}
        for scope in self.scopes:
            seen.update(scope)
        return [name for name, its in seen.items() if its == kind]

    def fresh(self) -> str:
        return self.pick(NAMES)

    # -- programs ------------------------------------------------------------------------------------------------

    def program(self) -> str:
        typed = self.declared_functions() if self.chance(25) else []
        forms = [*typed, *(self.definition() for _ in range(self.rng.randrange(4)))]
        forms.append(self.expr(self.pick(KINDS), self.size))
        return "\n".join(forms)

    def definition(self) -> str:
        if self.chance(55):
            name, text = self.pick(FUNCTIONS), None
            text = self.function(self.size - 1, name, "int", returns=self.chance(15))
            self.scopes[0][name] = "fn"
            return f"(defn {name} {text[4:]}"
        kind = self.pick(KINDS)
        name = self.pick(("g1", "g2", "g-3"))
        value = self.expr(kind, self.size - 2)
        self.scopes[0][name] = kind
        if kind in TYPES and self.chance(30):
            return f"(def {name} : {TYPES[kind]} {value})"
        form = f"(def {name} {value})"
        return self.pick((form, form, f"(do {form})", f"(when true {form})", f"(if {self.expr('bool', 1)} {form})"))

    # -- expressions ---------------------------------------------------------------------------------------------

    def expr(self, kind: str, depth: int, tail: Any = None) -> str:
        """Return an expression of a kind; `tail` is what recur may go back to here."""
        if self.chance(3):
            kind = self.pick(KINDS)
        if depth <= 0 or self.chance(12):
            return self.leaf(kind)
        self.tails.append(tail)
        made = self.compound(kind, depth - 1)
        self.tails.pop()
        return made

    def function(self, depth: int, own: str, kind: str, *, returns: bool = False, named: bool = False) -> str:
        """A function of one integer; calls of itself count down, so that it ends."""
        name = self.fresh()
        param = name
        scope = {name: "int"}
        if self.chance(10):
            param = f"{name} : int"
        self.scopes.append(scope)
        body = self.expr(kind, depth, (1, [name]))
        if self.chance(20):
            body = f"(do {self.expr('int', depth - 1)}) {body}"
        if own and own != name and self.chance(60):
            again = f"({own} (- {name} 1))"
            again = self.pick((again, f"(+ 1 {again})", f"(let [r {again}] r)", f"(try {again} (finally {name}))"))
            body = f"(if (< {name} 1) {self.expr(kind, depth - 1)} {again})"
        self.scopes.pop()
        kind_text = ": int " if returns else ""
        head = f"(fn {own + ' ' if own and named else ''}"
        if self.chance(85):
            return f"{head}[{param}] {kind_text}{body})"
        more = self.pick(("&", "&", "")) and f" & {self.pick(('_', 'more'))}"
        self.scopes.append({"a": "int", "b": "int"})
        other = self.expr(kind, depth - 1, (2, ["a", "b"]) if not more else None)
        self.scopes.pop()
        if own and own not in {name, "a", "b"}:
            whole = f"(do {body})"
            body = self.pick(
                (body, f"(if (= {name} 2) ({own} {name} 5) {whole})", f"(if (= {name} 3) ({own}) {whole})")
            )
            other = self.pick((other, f"(if (< a 1) {other} ({own} (- a 1)))", f"(do {own} {other})"))
        clauses = [f"([{param}] {body})", f"([a b{more}] {other})", *self.pick(((), (f"([] {self.leaf(kind)})",)))]
        return f"{head}{kind_text}{' '.join(clauses)})"

    def recur(self, depth: int) -> str:
        tail = self.tails[-1]
        assert tail is not None
        count, names = tail
        first = f"(- {names[0]} 1)"
        rest = [self.expr("int", depth) for _ in range(count - 1)]
        body = self.expr("int", depth)
        return f"(if (> {names[0]} 0) (recur {' '.join([first, *rest])}) {body})"

    # -- forms of any kind ---------------------------------------------------------------------------------------

    def if_(self, kind: str, depth: int) -> str:
        tail = self.tails[-1]
        form = self.pick(("if", "if", "if", "when", "when-not", "if-"))
        test = self.expr(self.pick(("bool", "bool", *KINDS)), depth)
        if form == "if":
            return f"(if {test} {self.expr(kind, depth, tail)} {self.expr(kind, depth, tail)})"
        if form == "if-":
            return f"(if {test} {self.expr(kind, depth, tail)})"
        return f"({form} {test} {self.expr(kind, depth)} {self.expr(kind, depth, tail)})"

    def do(self, kind: str, depth: int) -> str:
        return f"(do {self.expr(self.pick(KINDS), depth)} {self.expr(kind, depth, self.tails[-1])})"

    def let(self, kind: str, depth: int) -> str:
        self.scopes.append({})
        parts = [self.binding(depth) for _ in range(self.pick((1, 1, 2, 3)))]
        body = self.expr(kind, depth, self.tails[-1])
        self.scopes.pop()
        return f"(let [{' '.join(parts)}] {body})"

    def binding(self, depth: int) -> str:
        roll = self.rng.randrange(10)
        a, b = self.fresh(), self.fresh()
        if roll < 5:
            kind = self.pick(("int", "int", *KINDS))
            value = self.expr(kind, depth)
            self.scopes[-1][a] = kind
            typed = f" : {TYPES[kind]}" if kind in TYPES and self.chance(15) else ""
            return f"{a}{typed} {value}"
        if roll < 7:
            self.scopes[-1][a] = "fn"
            return f"{a} {self.function(depth, a, 'int')}"
        if roll == 7:
            value = self.seq(depth)
            self.scopes[-1].update({a: "int", b: self.pick(("int", "vec"))})
            return f"{self.pick((f'[{a} {b}]', f'[{a} & {b}]', f'[{a} _ :as {b}]'))} {value}"
        if roll == 8 and a != "G__x":
            value = self.expr("map", depth)
            self.scopes[-1][a] = "int"
            default = self.leaf("int")
            if default == a:
                default = "5"
            return f"{{:keys [{a}] :or {{{a} {default}}}}} {value}"
        value = self.expr("map", depth)
        self.scopes[-1].update({a: "int", b: "map"})
        return f"{{:a {a} :as {b if b != a else 'w'}}} {value}"

    def match(self, kind: str, depth: int) -> str:
        tail = self.tails[-1]
        subject = self.pick(("int", "vec", "map"))
        clauses = []
        for _ in range(self.pick((1, 2, 3))):
            a, b = self.fresh(), self.fresh()
            patterns = {
                "int": (("1", {}), (f"(:int {a})", {a: "int"}), (a, {a: "int"})),
                "vec": (("[]", {}), (f"[{a}]", {a: "int"}), (f"[{a} & {b}]", {a: "int", b: "vec"}),
                        (f"(:as {b} [_ {a}])", {a: "int", b: "vec"})),
                "map": ((f"{{:a {a}}}", {a: "int"}), ("{:a 1}", {})),
            }  # fmt: skip
            pattern, scope = self.pick(patterns[subject])
            self.scopes.append(scope if a != b else {})
            guard = f" when {self.expr('bool', depth)}" if self.chance(30) else ""
            clauses.append(f"{pattern}{guard} {self.expr(kind, depth, tail)}")
            self.scopes.pop()
        if self.chance(70):
            clauses.append(f"_ {self.expr(kind, depth, tail)}")
        value = self.seq(depth) if subject == "vec" else self.expr(subject, depth)
        return f"(match {value} {' '.join(clauses)})"

    def try_(self, kind: str, depth: int) -> str:
        body = self.expr(kind, depth)
        if self.chance(25):
            body = f"{self.expr('int', depth)} {body}"
        if self.chance(25):
            body = self.pick(('(throw "bad")', "(/ 1 0)", "(inc nil)", '(throw {:message "m" :kind "Odd"})'))
        parts = []
        for _ in range(self.pick((0, 1, 1, 2))):
            name = self.fresh()
            kinds = self.pick(("", "TypeError ", "DivisionByZero ", "Exception ", "_ ", "ValidationError ",
                               "RuntimeError ", "HostError ", "Throwable "))  # fmt: skip
            self.scopes.append({name: "err"})
            handler = self.expr(kind, depth) if self.chance(80) else f"(:kind {name})"
            self.scopes.pop()
            parts.append(f"(catch {kinds}{name} {handler})")
        if not parts or self.chance(40):
            parts.append(f"(finally {self.expr(self.pick(KINDS), depth)})")
        return f"(try {body} {' '.join(parts)})"

    def cond(self, kind: str, depth: int) -> str:
        tail = self.tails[-1]
        clauses = [f"{self.expr('bool', depth)} {self.expr(kind, depth, tail)}" for _ in range(self.pick((1, 2)))]
        return f"(cond {' '.join(clauses)} :else {self.expr(kind, depth, tail)})"

    def case(self, kind: str, depth: int) -> str:
        tail = self.tails[-1]
        default = f" {self.expr(kind, depth, tail)}" if self.chance(80) else ""
        clauses = f"1 {self.expr(kind, depth, tail)} (2 :a) {self.expr(kind, depth, tail)}"
        return f"(case {self.expr(self.pick(('int', 'kw')), depth)} {clauses}{default})"

    def and_or(self, kind: str, depth: int) -> str:
        items = [self.expr(self.pick(("bool", kind)), depth) for _ in range(self.pick((1, 2, 2, 3)))]
        items.append(self.expr(kind, depth, self.tails[-1]))
        return f"({self.pick(('and', 'or'))} {' '.join(items)})"

    def local_def(self, kind: str, depth: int) -> str:
        """Definitions inside a body, most of which may not happen: the name falls back on what it meant before."""
        parts = []
        self.scopes.append({})
        for _ in range(self.pick((1, 1, 2))):
            name = self.fresh()
            one, two = self.expr("int", depth - 1), self.expr("int", depth - 1)
            test = self.expr("bool", depth - 1)
            parts.append(
                self.pick(
                    (
                        f"(def {name} {one})",
                        f"(if {test} (def {name} {one}))",
                        f"(if {test} (def {name} {one}) (def {name} {two}))",
                        f"(when {test} (if {one} (def {name} {two})))",
                        f"(and {test} (def {name} {one}))",
                        f"(or {test} (def {name} {one}))",
                        f"(try (do {one} (def {name} {two})) (catch e nil))",
                        f"(try {one} (finally (try (if {test} (def {name} {two})) (finally nil))))",
                    )
                )
            )
            self.scopes[-1][name] = "int"
        body = self.expr(kind, depth, self.tails[-1])
        self.scopes.pop()
        return f"(let [] {' '.join(parts)} {body})"

    def loop(self, kind: str, depth: int) -> str:
        a, b = self.fresh(), self.fresh()
        start = f"[{a} {self.pick((2, 3, 4))}]"
        scope, tail = {a: "int"}, (1, [a])
        if a != b and self.chance(60):
            start = f"[{a} {self.pick((2, 3))} {b} {self.expr('int', depth)}]"
            scope, tail = {a: "int", b: "int"}, (2, [a, b])
        self.scopes.append(scope)
        self.tails.append(tail)
        again = self.recur(depth)
        self.tails.pop()
        done = self.expr(kind, depth)
        self.scopes.pop()
        before = self.pick(("", f"{a} ", f"(call :loop {a}) "))
        return f"(loop {start} {before}(if (> {a} 0) {again} {done}))"

    def closures(self, kind: str, depth: int) -> str:
        """Closures made in a loop keep the round's own values."""
        self.scopes.append({"i": "int", "n": "int"})
        value = self.expr("int", max(0, depth - 1))
        made = self.pick(("(fn [] %s)", "(fn [] (let [n (+ i n)] %s))", "(let [n (* i 2)] (fn [] %s))")) % value
        self.scopes.pop()
        loop = f"(loop [i 0 n 5 fs []] (if (< i 3) (recur (inc i) (+ n i) (conj fs {made})) fs))"
        if kind == "vec":
            return f"(map (fn [g] (g)) {loop})"
        return f"(reduce (fn [a g] (+ a (g))) 0 {loop})"

    def immediate(self, kind: str, depth: int) -> str:
        a = self.fresh()
        self.scopes.append({a: "int"})
        params = self.pick((f"[{a}]", f"[{a} & _]", f"[[{a}]]"))
        body = self.expr(kind, depth)
        self.scopes.pop()
        argument = self.expr("vec" if params.startswith("[[") else "int", depth)
        return f"((fn {params} {body}) {argument})"

    def letfn(self, kind: str, depth: int) -> str:
        a, b = "ping", "pong"
        self.scopes.append({a: "fn", b: "fn"})
        self.scopes.append({"x": "int"})
        one, two = self.expr("int", depth - 1), self.expr("int", depth - 1)
        self.scopes.pop()
        body = self.expr(kind, depth, self.tails[-1])
        self.scopes.pop()
        first = f"({a} [x] (if (< x 1) {one} ({b} (- x 1))))"
        second = f"({b} [x] (if (< x 1) {two} (+ 1 ({a} (- x 1)))))"
        return f"(letfn [{first} {second}] {body})"

    def host(self, kind: str, depth: int) -> str:
        self.calls += 1
        name = self.pick((kind, kind, kind, kind, "fail")) if kind != "fn" else "int"
        if self.chance(30):
            return f"(do (call :tick {self.calls}) {self.expr(kind, depth)})"
        made = f"(call :{name} {self.expr(self.pick(('int', 'str', 'vec')), depth)})"
        functions = self.visible("fn")
        if kind == "int" and functions and self.chance(20):
            made = f"({self.pick(functions)} {self.expr('int', depth)})"
        return self.wrapped(made, depth) if self.chance(30) else made

    def if_let(self, kind: str, depth: int) -> str:
        name = self.fresh()
        value = self.expr("int", depth)
        self.scopes.append({name: "int"})
        then = self.expr(kind, depth, self.tails[-1])
        self.scopes.pop()
        if self.chance(50):
            return f"(when-let [{name} {value}] {then})"
        return f"(if-let [{name} {value}] {then} {self.expr(kind, depth)})"

    def hinted(self, kind: str, depth: int) -> str:
        return f"^{{:runtime.h {self.expr('int', depth - 1)}}} {self.expr(kind, depth)}"

    def as_thread(self, kind: str, depth: int) -> str:
        if kind == "int":
            return self.threaded(depth)
        name = self.fresh()
        start = self.expr("int", depth)
        self.scopes.append({name: "int"})
        made = f"(as-> {start} {name} (+ {name} 1) {self.expr(kind, depth)})"
        self.scopes.pop()
        return made

    def for_(self, depth: int) -> str:
        a, b = self.fresh(), self.fresh()
        first = self.seq(depth)
        self.scopes.append({a: "int"})
        clauses = f"{a} {first}"
        if self.chance(50):
            clauses += f" {self.pick((':when', ':while'))} {self.expr('bool', depth)}"
        if self.chance(30):
            clauses += f" :let [{b} {self.expr('int', depth)}]"
            self.scopes[-1][b] = "int"
        elif self.chance(40):
            clauses += f" {b} {self.seq(depth)}"
            self.scopes[-1][b] = "int"
        body = self.expr("int", depth)
        self.scopes.pop()
        return f"(for [{clauses}] {body})"

    def wrong(self, kind: str, depth: int) -> str:
        """Something that fails when it is reached, after its parts were evaluated."""
        if self.chance(60):
            return self.expr(kind, depth, self.tails[-1])
        a = self.expr("int", depth)
        return self.pick(
            (
                f"(1 {a})",
                f"([1] {a})",
                f"((fn [] 1) {a})",
                f"(nope {a})",
                f"(:a {a})",
                f"(nil? {a} {a})",
                f"(inc {a} 1)",
            )
        )


MALFORMED = (
    "(if)", "(if 1 2 3 4)", "(let [x] x)", "(let [x 1])", "(fn [x])", "(fn)", "(def)", "(def x)", "(def 5 6)",
    "(loop [i 0])", "(+ 1 (recur 1))", "(match)", "(match 1 x)", "(try 1)", "(try 1 (finally 2) (catch e 3))",
    "(defn f)", "(let [& 1] 2)", "(fn [&] 1)", "(fn [a & b c] 1)", "(case)", "(cond 1)", "(if-let [x] 1)",
    "#(#(1))", "(quote)", "(let [1 2] 3)", "{:a}", "(inc (recur))", "(letfn [f] 1)", "(-> )", "(try 1 (catch))",
    "{[1]}",
)  # fmt: skip


def program(rng: Any, size: int = 0) -> str:
    """Return a program that compiles; its nesting is small or middling unless said."""
    return Generator(rng, size or 2 + rng.randrange(3)).program()


def refused(rng: Any, size: int = 3) -> str:
    """Return a program that is well formed but for one form, which may stand anywhere."""
    made = Generator(rng, size)
    broken = made.pick(MALFORMED)
    places = ("%s", "(do 1 %s)", "(fn [x] %s)", "(let [q %s] 1)", "(if false %s 2)", "(+ 1 %s)", "(when nil %s)")
    outer = made.pick(places)
    return f"{made.program()}\n{outer % broken}"


def seeded(seed: int) -> Random:
    """Return the generator of a seed."""
    return Random(seed)
