"""Programs made from a seed, with some 40 host calls of all kinds: a call of `main`, a stream of records, or a fold.

All arguments of a program differ, so an effect tells by its argument which call made it.
"""

from __future__ import annotations

import random

import attrs

SHAPES = ("once", "once", "fold", "stream")
"""How programs are called, by their seed."""
RECORDS = 5
HEAD = """
(defn paid ^:delegation :remote "paid" [x : :string] : :string "-")
(defn dear ^:delegation :remote "dear" [x : :string] : :string "-")
(defn near ^:delegation :local-model "near" [x : :string] : :string "-")
(defn own [x] (str "own " x (call :put (str x "-own"))))
(defn tell [x] (str "told " (call :put x)))
(defn both [x] [(call :send (str x "-s")) (paid (str x "-p"))])
"""
TWICE = {"put": True, "send": False, "paid": True, "dear": False, "near": True}
"""What has an effect, and whether that may be had twice."""
HINTS = (
    "metrics {:name :counted}",
    "cache {:ttl-ms 60000}",
    "circuit-breaker {:failure-threshold 9 :cooldown-ms 1000}",
    "rate-limit {:requests-per-second 1000 :burst 100}",
    "retry {:max-retries 2 :backoff-ms 0}",
    "timeout {:timeout-ms 60000 :absolute-ms 90000}",
    "fallback {:capability :put}",
    "fallback {:capability :send}",
    "validation {:validate-schema :string}",
)


def shape(seed):
    """Return how a program is called."""
    return SHAPES[seed % len(SHAPES)]


def records(seed):
    """Return the records of a stream or a fold."""
    return [f"r{seed}-{number}" for number in range(RECORDS)]


def program(seed, size):
    """Return the text of a program of at least so many calls."""
    return _Maker(random.Random(f"program {seed}"), size, shape(seed)).text()


@attrs.define
class _Maker:
    """Writes one program: every step is bound to a name, and later ones use what earlier ones gave."""

    draw: random.Random
    left: int
    shape: str
    steps: list = attrs.field(factory=list)
    made: int = 0
    x: str = ""
    """What tells the calls of one record from those of another."""

    def text(self):
        tops = [f"(def top{n} {self.step()})" for n in range(self.draw.randrange(3))]
        tops += [f"(def hooked (fn [x] (str x {self.step()})))"] if self.draw.random() < 0.3 else []
        known = "".join(f"top{n} " for n in range(sum(each.startswith("(def top") for each in tops)))
        known += '(hooked "h") ' if self.shape == "once" and len(tops) > known.count("top") else ""
        if self.shape == "once":
            return "\n".join([HEAD, *tops, self.function("main [x]", f"[{known}", "]", self.left)])
        each = max(1, self.left // RECORDS)
        if self.shape == "stream":
            return "\n".join([HEAD, *tops, self.function("main [x]", "[", "]", each)])
        fold = self.function("fold [state x]", "(conj (or state []) (str ", "))", each)
        return "\n".join([HEAD, *tops, fold, self.function("finish [state]", "[state ", "]", 3)])

    def function(self, head, before, after, size):
        """Return a function of at least so many calls, its value between two texts."""
        self.steps, self.left, self.x = [], size, " x" if head.endswith("x]") else ""
        while self.left > 0:
            self.steps.append(self.step())
        binds = "\n        ".join(f"v{n} {step}" for n, step in enumerate(self.steps))
        names = " ".join(f"v{n}" for n in range(len(self.steps)))
        return f"(defn {head}\n  (let [{binds}]\n    {before}{names}{after}))"

    def arg(self):
        """Return a text that no other call has; it often holds what an earlier step gave."""
        self.made += 1
        self.left -= 1
        if self.steps and self.draw.random() < 0.4:
            return f'(str "{self.made}-" (count (str v{self.draw.randrange(len(self.steps))})){self.x})'
        return f'(str "{self.made}-"{self.x})'

    def args(self, least=2, most=4):
        return " ".join(self.arg() for _ in range(self.draw.randint(least, most)))

    def step(self):
        return getattr(self, "_" + self.draw.choice(KINDS))()

    def one(self):
        """Return a call of any kind that has an effect."""
        name = self.draw.choice(list(TWICE))
        return f"(call :{name} {self.arg()})" if name in ("put", "send") else f"({name} {self.arg()})"

    def _one(self):
        return self.one()

    def _own(self):
        return f"(own {self.arg()})"

    def _pmap(self):
        return f"(pmap {self.draw.choice(['paid', 'dear', 'tell', 'own', 'both', 'near'])} [{self.args()}])"

    def _mapv(self):
        return f"(mapv {self.draw.choice(['paid', 'dear', 'tell', 'own', 'both', 'near'])} [{self.args()}])"

    def _parallel(self):
        return f"(step-parallel {self.one()} {self.one()})"

    def _failing(self):
        name = self.draw.choice(("flop", "flip"))
        return (
            f"(try (do {self.one()} (call :{name} {self.arg()})) (catch e (str {self.one()} (:kind e) (:message e))))"
        )

    def _context(self):
        key = self.draw.choice("abc")
        return f"(do (context/set :{key} {self.one()}) (context/get :{key}))"

    def _checkpoint(self):
        self.left -= 1
        return f"(checkpoint :p{self.made})"

    def _sleep(self):
        self.left -= 1
        return "(host/sleep 0)"

    def _ticket(self):
        call = self.draw.choice((self.one, lambda: f"(both {self.arg()})", lambda: f"(own {self.arg()})"))()
        return f"(let [t (ticket {call}) u (ticket {self.one()}) w {self.one()}] [(await u) w (await t)])"

    def _choice(self):
        return f"(if (> (count (str {self.one()})) {self.draw.randrange(12)}) {self.one()} {self.one()})"

    def _loop(self):
        self.left -= 2
        return f"(loop [n 0 seen {self.one()}] (if (< n 3) (recur (inc n) (call :put (str seen n))) seen))"

    def _step(self):
        return f'(step "s{self.made}" {self.one()})'

    def _hinted(self):
        hints = " ".join(f":runtime.learning.{hint}" for hint in self.hints())
        failing = f"(call :{self.draw.choice(('flop', 'flip', 'lost'))} {self.arg()})"
        inner = self.draw.choice((self.one(), failing, f"(mapv tell [{self.args()}])", failing))
        return f"(try ^{{{hints}}} {inner} (catch e (str {self.one()} (:kind e))))"

    def hints(self):
        """Return some, each of another kind."""
        found = self.draw.sample(HINTS, self.draw.randint(1, 4))
        return {each.split()[0]: each for each in found}.values()


KINDS = [name[1:] for name in vars(_Maker) if name[0] == "_" and name[1] != "_"]
MANY = ("one", "one", "pmap", "ticket", "failing", "hinted", "hinted")
KINDS += MANY
