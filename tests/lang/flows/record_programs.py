"""Programs over records, at random: columns are read, mixed, branched on, captured, passed on, and sent somewhere."""

from __future__ import annotations

import random

KEYS = "abcd"
LEAVES = {
    "rec": ("r", "r", "(first rs)", "{:a 1 :b 2}"),
    "recs": ("rs", "rs", "[r]", "(rest rs)"),
    "fn": (":a", ":b", "(fn [x] (:c x))", "str", "(fn [x] x)"),
    "v": ('"k"', "1", "nil", "(:a r)", "(:b r)", "(get r :c)", "(:d r)", "(:a (:n r))", "(:t (first rs))"),
}
"""What an expression of each kind ends in: a scalar, a record, several records, a function of a record."""
FORMS = {
    "v": (
        "(:K REC)", "(:K REC)", "(:K REC)", "(str V V)", "(= V V)", "(call :x V)", "(call :x REC)", "(call :x RECS)",
        "(count RECS)", "(FN REC)", "(nth [V V V] 1)", "(some FN RECS)", "(reduce (fn [NEWv NEWrec] V) V RECS)",
        "(context/get :k)", "(do (context/set :k V) V)", "(get-in REC [:n :K])", "(+ 1 V)", "(inc V)", "HELP",
        '(declassify [:m] "why" (call :y V))', "(or V V)", "(and V V)", '(step "s" V)', "(every? FN RECS)",
        "(apply str [V V])", "(:a (update REC :a str))", "(gensym)", "(first (map (fn [NEWrec] V) RECS))",
        "(try V (finally V))", "^{:runtime.h V} V", '(llm-execute "m" (str V))',
        "(first (vals (group-by FN RECS)))", "((fn [NEWv & NEWv] V) V V)", "(when V (throw V))",
    ),
    "rec": (
        "{:a V :b V}", "{:K V :c V}", "(assoc REC :K V)", "(first RECS)", "(:n REC)", "(merge REC REC)",
        "(select-keys REC [:a :K])", "(dissoc REC :K)", "(last RECS)", "(into {} [[:a V]])", "(conj REC [:b V])",
        "{:n REC}", "(zipmap [:a :b] [V V])",
    ),
    "recs": (
        "(map (fn [NEWrec] REC) RECS)", "(filter (fn [NEWrec] V) RECS)", "(for [NEWrec RECS :when V] REC)", "[REC REC]",
        "(conj RECS REC)", "(sort-by (fn [NEWrec] (str V)) RECS)", "(rest RECS)", "(reverse RECS)",
        "(concat RECS RECS)",
        "(into [] RECS)", "(take 1 RECS)", "(mapcat (fn [NEWrec] RECS) RECS)", "(keep (fn [NEWrec] V) RECS)",
        "(pmap (fn [NEWrec] REC) RECS)", "(step-parallel REC REC)", "(distinct-by (fn [NEWrec] V) RECS)",
    ),
    "fn": (
        "(fn [NEWrec] V)", "(fn [NEWrec] V)", "(comp str (fn [NEWrec] V))", "(partial (fn [w NEWrec] V) 1)",
        "(:f {:f (fn [NEWrec] V)})", "(constantly V)", "(memoize (fn [NEWrec] V))",
    ),
}  # fmt: skip
ANY = (
    "(if V SELF SELF)", "(if V SELF SELF)", "(let [NEWv V] SELF)", "(let [NEWrec REC] SELF)",
    "(let [NEWrecs RECS] SELF)",
    "(let [NEWfn FN] SELF)", "(let [{NEWv :a NEWv :K} REC] SELF)", "(try SELF (catch e SELF))", "(do V SELF)",
    "(match V 1 SELF _ SELF)", "(match REC {:a NEWv} SELF _ SELF)", "(let [[p q] [SELF V]] p)",
    "(try (do (when V (throw V)) SELF) (catch e SELF))", "(do (if V (def late SELF) nil) SELF)",
)  # fmt: skip
LOOPS = {"v": "(loop [i 0 acc V] (if (and (< i 2) V) (recur (inc i) V) acc))"}
WORDS = {"V": "v", "REC": "rec", "RECS": "recs", "FN": "fn"}


class Programs:
    """One program."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.scope: list[tuple[str, str]] = []
        self.helpers: list[str] = []
        self.names = 0

    def text(self, depth: int) -> str:
        """Return its text: some functions, and `main` of a record and of several."""
        made = [self._helper(f"h{i}") for i in range(self.rng.randrange(4))]
        return "\n".join([*made, f"(defn main [r rs] [{self.expression('v', depth)} {self.expression('v', depth)}])"])

    def _helper(self, name: str) -> str:
        self.scope = []
        hint = '^:delegation :remote "m" ' if self.rng.randrange(5) == 0 else ""
        made = f"(defn {hint}{name} [r y] (let [rs [r]] {self.expression('v', 2)}))"
        self.helpers.append(name)
        return made

    def expression(self, kind: str, depth: int) -> str:
        """Return an expression of a kind."""
        known = [name for name, its in self.scope if its == kind]
        if depth <= 0 or self.rng.randrange(12) == 0:
            return self.rng.choice(known) if known and self.rng.randrange(5) < 3 else self.rng.choice(LEAVES[kind])
        if kind in LOOPS and self.rng.randrange(25) == 0:
            return self._filled(LOOPS[kind], kind, depth - 1)
        form = self.rng.choice(ANY if self.rng.randrange(10) < 3 else FORMS[kind])
        if form == "HELP":
            form = f"({self.rng.choice(self.helpers)} REC V)" if self.helpers else "V"
        return self._filled(form, kind, depth - 1)

    def _filled(self, form: str, kind: str, depth: int) -> str:
        """Fill in a form from left to right; a new name is known from there to its end."""
        before = len(self.scope)
        made = []
        for word in form.replace("(", "( ").replace(")", " )").replace("[", "[ ").replace("]", " ]").split(" "):
            bare = word.strip("{}")
            made.append(word.replace(bare, self._word(bare, kind, depth)) if bare else word)
        del self.scope[before:]
        return " ".join(made)

    def _word(self, word: str, kind: str, depth: int) -> str:
        if word == "SELF":
            return self.expression(kind, depth)
        if word in WORDS:
            return self.expression(WORDS[word], depth)
        if word.startswith("NEW"):
            self.names += 1
            self.scope.append((f"v{self.names}", word[3:]))
            return f"v{self.names}"
        return word.replace(":K", f":{self.rng.choice(KEYS)}")
