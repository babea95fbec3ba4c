"""E0201 to E0299: forms that are not what their head promises, names, modules, and parts that never run."""

from __future__ import annotations

from rtfs_framework.lang.codes.record import enter

enter(
    "E0201",
    "a special form or macro call of the wrong shape",
    "The report shows the accepted form; `rtfs doc NAME` shows it with examples.",
    "(let [a] a)",
    "(let [a 1] a)",
)
enter(
    "E0203",
    "unknown symbol",
    "The program does not define the name, the library does not have it, and the host does not declare it. Often it is "
    "a misspelling: the report names the nearest known name.",
    "(lenght [1 2])",
    "(length [1 2])",
)
enter(
    "E0204",
    "a call with the wrong number of arguments",
    "The function is known, and it does not take that many arguments. Inside try the call is an error of the run.",
    "(inc 1 2)",
    "(inc 1)",
)
enter(
    "E0205",
    "a value that cannot be called",
    "The head of a list in parentheses is called, and only functions and keywords can be. Data is written in brackets "
    "or quoted.",
    "(1 2 3)",
    "[1 2 3]",
)
enter(
    "E0206",
    "this cannot be bound",
    "A pattern is a name, _, a vector or a map of patterns; match also takes literals, (:type name) and "
    "(:as name pattern).",
    "(fn [:a] 2)",
    "(fn [a] a)",
)
enter(
    "E0207",
    "& out of place",
    "& takes exactly one name, the last one: it is bound to a vector of what is left.",
    "(fn [a & b c] a)",
    "(fn [a b & c] a)",
)
enter(
    "E0208",
    "#(...) inside #(...)",
    "% would mean two things. Write the inner function with fn.",
    "(map #(map #(inc %) %) [[1]])",
    "(map #(map (fn [x] (inc x)) %) [[1]])",
)
enter(
    "E0209",
    "recur out of place, or with the wrong number of values",
    "recur starts the next round of the innermost loop or fn. It must be the last thing that happens there, outside "
    "try, and give one value for each name of the loop.",
    "(loop [i 0] (+ 1 (recur i)))",
    "(loop [i 0] (if (< i 3) (recur (inc i)) i))",
)
enter(
    "E0210",
    "a macro failed",
    "A macro's body ran, at expansion, and ended with an error; the report shows it.",
    "(defmacro m [x] (first 5)) (m 1)",
    "(defmacro m [x] (first [x])) (m 1)",
)
enter(
    "E0211",
    "too many macro calls",
    "A program expands at most 10,000 macro calls. A macro that always expands to a call of itself never ends.",
)
enter(
    "E0212",
    "a special form cannot be defined",
    "The words of the language itself (if, let, def, or, ...) keep their meaning everywhere; a definition of one could"
    " never be called. Choose another name.",
    "(defn or [n] n)",
    "(defn either [n] n)",
)
enter(
    "E0220",
    "modules import each other",
    "The report shows the cycle. Move what both need into a third module.",
    "(import ring)",
    "(import shapes :as s) (s/area 2)",
)
enter(
    "E0221",
    "module not found",
    "The module a.b is looked for in the file a/b.rtfs on the module path.",
    "(import shaps)",
    "(import shapes :as s) (s/area 2)",
)
enter(
    "E0222",
    "a file that is no module",
    "A module's file holds one (module name ...) form with the name by which it is imported.",
    "(import loose)",
    "(import shapes :as s) (s/area 2)",
)
enter(
    "E0223",
    "a name that a module does not export",
    "Only what a module lists in :exports can be used from outside. The report lists what it exports.",
    "(import shapes :only [volume])",
    "(import shapes :only [area]) (area 2)",
)
enter(
    "E0230",
    "a name that is bound and never used",
    "Remove it, or start it with _ to say that it is not meant to be used.",
    "(let [a 1] 2)",
    "(let [_a 1] 2)",
)
enter(
    "E0231",
    "a parameter that is never used",
    "Remove it, or start it with _ where callers give it anyway.",
    "(defn f [a b] a) (f 1 2)",
    "(defn f [a _b] a) (f 1 2)",
)
enter(
    "E0232",
    "a definition of a module that is never used",
    "The module neither exports nor uses it.",
    "; waste.rtfs: (module waste (:exports [f]) (defn f [] 1) (defn g [] 2))\n(import waste :as w) (w/f)",
    "; shapes.rtfs: (module shapes (:exports [area]) (defn area [r] (* r r)))\n(import shapes :as s) (s/area 2)",
)
enter(
    "E0233",
    "an import that is never used",
    "Remove it, or use what it brings.",
    "(import shapes :as s) 1",
    "(import shapes :as s) (s/area 2)",
)
enter(
    "E0234",
    "a definition hides a library function",
    "It is allowed, and code of this program that means the library's function now gets this one.",
    "(def count 3)",
    "(def counted 3)",
)
enter(
    "E0240",
    "a clause that is never chosen",
    "A clause before it fits everything that it fits. Put the special case first.",
    "(match 1 n n 1 :one)",
    "(match 1 1 :one n n)",
)
enter(
    "E0241",
    "a branch that never runs",
    "The test has the same truth each time. Only nil and false are false: 0 and what is empty are true.",
    "(if 0 :yes :no)",
    "(fn [n] (if (= n 0) :yes :no))",
)
enter(
    "E0242",
    "a handler that never runs",
    "An earlier catch takes every error. Put the handlers of single kinds first.",
    "(fn [x] (try (inc x) (catch e 1) (catch TypeError e 2)))",
    "(fn [x] (try (inc x) (catch TypeError _ 2) (catch _ 1)))",
)
enter(
    "E0243",
    "code after throw",
    "throw ends what it stands in: the forms after it never run.",
    '(fn [] (do (throw "no") 1))',
    '(fn [x] (if x 1 (throw "no")))',
)
enter(
    "E0244",
    "a key that stands twice in a map",
    "The last value of equal keys counts; the others are evaluated and lost.",
    "{:a 1 :b 2 :a 3}",
    "{:a 3 :b 2}",
)
enter(
    "E0245",
    "a kind that no error has",
    "`catch` takes errors by their kind, and neither the language nor its host has errors of this one; nor does the "
    "program throw one. `rtfs doc try` lists the kinds and families. (A capability may have kinds of its own.)",
    "(fn [x] (try (/ 1 x) (catch DivideByZero e 0)))",
    "(fn [x] (try (/ 1 x) (catch DivisionByZero e 0)))",
)
enter(
    "E0299",
    "more findings than are shown",
    "Only the first findings are told, errors before warnings and hints. Mend these, and check again.",
)
