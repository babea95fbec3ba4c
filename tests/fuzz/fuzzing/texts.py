"""Texts to feed: from a grammar that is looser than the language, and mutations of texts that are known."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from rtfs_framework.kernel.host_table import HOST
from rtfs_framework.stdlib.library import BUILTINS

LIBRARY = {**BUILTINS, **HOST}

SPECIALS = (
    "let", "if", "do", "fn", "def", "defn", "defmacro", "defstruct", "deftype", "try", "catch", "finally", "match",
    "for", "loop", "recur", "dotimes", "doseq", "cond", "case", "when", "when-not", "if-let", "when-let", "and",
    "or", "->", "->>", "as->", "some->", "letfn", "quote", "step", "step-if", "step-loop", "step-parallel", "call",
    "get", "plan", "capability", "resource", "mcp-stream", "module", "import", "throw", "comment",
)  # fmt: skip
WORDS = (
    "x",
    "y",
    "_",
    "&",
    "%",
    "%1",
    "%&",
    ":",
    ":k",
    ":as",
    ":or",
    ":keys",
    ":int",
    ":else",
    "when",
    "x#",
    "a/b",
    "@x",
)
ATOMS = (
    "0", "1", "-7", "1.5", "1e3", "##Inf", "##NaN", "99999999999999999999", '"s"', '"\\n"', '""', "nil", "true", ":a",
    "2026-01-01T00:00:00Z", "resource://a", "123e4567-e89b-12d3-a456-426614174000", '"(a+)+$"', "1e999", "\\u00e9",
)  # fmt: skip
PREFIXES = ("'", "`", "~", "~@", "#", "@", "^:a ", "^{:runtime.a 1} ", '^:delegation :remote "m" ', "^:delegation ")
BRACKETS = (("(", ")"), ("(", ")"), ("(", ")"), ("[", "]"), ("{", "}"), ("#{", "}"), ("#(", ")"))
_EFFECTS = {"dotimes", "range", "repeat", "repeat-string", "iterate", "cycle", "pow", "factorial", "bit-shift-left"}
NAMES = tuple(sorted(name for name in LIBRARY if name not in _EFFECTS))
BYTES = "()[]{}\"\\;#|@^`~'%&:,. \n\t\r\0aZ09_-+*/=<>!?$\u00e9\u0663\U0001f600\ufeff\u2028"


class Grammar:
    """Random forms: heads are mostly known names, shapes are mostly plausible."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng

    def program(self) -> str:
        return " ".join(self.form(5) for _ in range(self.rng.randrange(1, 4)))

    def form(self, depth: int) -> str:
        rng, roll = self.rng, self.rng.randrange(100)
        if depth <= 0 or roll < 22:
            return rng.choice(ATOMS if rng.randrange(3) else WORDS)
        if roll < 27:
            return rng.choice(PREFIXES) + self.form(depth - 1)
        if roll < 60:
            return self.call(depth)
        if roll < 70:
            return self.shaped(depth)
        opening, closing = rng.choice(BRACKETS)
        return opening + " ".join(self.form(depth - 1) for _ in range(rng.randrange(4))) + closing

    def call(self, depth: int) -> str:
        head = self.rng.choice(SPECIALS if self.rng.randrange(2) else NAMES)
        return f"({' '.join([head, *(self.form(depth - 1) for _ in range(self.rng.randrange(5)))])})"

    def shaped(self, depth: int) -> str:
        """Forms that are nearly right, so that later stages see them."""
        a, b, c = (self.form(depth - 1) for _ in range(3))
        shape = self.rng.choice(
            (
                "(let [x {} y {}] {})", "(fn [x & y] {} {} {})", "(defn f [x] {} {} {})",
                "(try {} (catch e {}) (finally {}))",
                "(match {} {} {} _ 1)", "(loop [x {} y 3] (if (> y 0) (recur {} (- y 1)) {}))",
                "(map (fn [x] {}) [{} {}])",
                "(defmacro m [x & y] {}) (m {} {})", "(for [x [1 2] :when {} y {}] {})", "(if (and {} {}) {})",
                '(step "a" {} (call :c {} {}))', "(reduce (fn [x y] {}) {} {})", "(cond {} {} :else {})",
                "(let [[x & y] {} {{:keys [a] :or {{a {}}}}} {{}}] {})", "(def x {}) (def f {}) (f {})",
                "(defn f [x : {}] {}) (f {})", "(case {} 1 {} {})", "(-> {} {} {})", "(defstruct S :a {}) (S {}) {}",
            )
        )  # fmt: skip
        return shape.format(a, b, c)


def mutated(rng: Random, texts: Sequence[str]) -> str:
    """Return a text with a few characters changed, parts dropped, doubled or taken from another."""
    text = rng.choice(texts)
    for _ in range(rng.randrange(1, 5)):
        place = rng.randrange(len(text) + 1)
        end = min(len(text), place + rng.randrange(1, 9))
        match rng.randrange(4):
            case 0:
                text = text[:place] + rng.choice(BYTES) + text[place:]
            case 1:
                text = text[:place] + text[end:]
            case 2:
                text = text[:end] + text[place:]
            case _:
                other = rng.choice(texts)
                start = rng.randrange(len(other) + 1)
                text = text[:place] + other[start : start + 20] + text[end:]
    return text


def text_of(seed: int, known: Sequence[str]) -> str:
    """Return the text of a seed: half from the grammar, half mutations of known texts and of the grammar's."""
    rng = Random(seed)
    if seed % 2:
        return Grammar(rng).program()
    return mutated(rng, [*known, Grammar(rng).program()])
