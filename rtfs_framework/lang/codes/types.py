"""E0301 to E0323: type expressions, and values that contradict them."""

from __future__ import annotations

from rtfs_framework.lang.codes.record import enter

enter(
    "E0301",
    "not a type",
    "A type is a word (:int, string), the name of a type, or a vector that starts with a constructor.",
    "(def x : {:a :int} 1)",
    "(def x : [:map [:a :int]] {:a 1})",
)
enter(
    "E0302",
    "unknown type constructor",
    "The constructors are :vector :list :set :tuple :map :record :map-of :dict :fn :union :or :optional :and :enum "
    ":val :array and :resource.",
    "(def x : [:vektor :int] [1])",
    "(def x : [:vector :int] [1])",
)
enter(
    "E0303",
    "a type with the wrong parts",
    "The report shows the accepted form of the constructor.",
    "(def x : [:vector] [1])",
    "(def x : [:vector :int] [1])",
)
enter(
    "E0304",
    "a malformed entry of a map type",
    "An entry is [:key T], [:key T ?] when the key may be missing, or [:* T] for all other keys; each key once.",
    "(def x : [:map [:a]] {:a 1})",
    "(def x : [:map [:a :int]] {:a 1})",
)
enter(
    "E0305",
    "unknown predicate",
    "In [:and T [:predicate ...]] the report lists the predicates that there are.",
    "(def x : [:and :int [:positiv]] 1)",
    "(def x : [:and :int [:> 0]] 1)",
)
enter(
    "E0306",
    "a predicate with the wrong argument",
    "The report shows what the predicate takes.",
    "(def x : [:and :int [:in-range 1]] 1)",
    "(def x : [:and :int [:in-range 1 9]] 1)",
)
enter(
    "E0307",
    "not a literal",
    "Enumerations, [:val ...] and the arguments of predicates hold literals, not names or calls.",
    "(def x : [:enum low high] :low)",
    "(def x : [:enum :low :high] :low)",
)
enter(
    "E0308",
    "a malformed array shape",
    "A shape is a vector of lengths; ? stands for any length.",
    "(def x : [:array :int [-1]] [1])",
    "(def x : [:array :int [1]] [1])",
)
enter(
    "E0309",
    "a type nested too deeply",
    "Types nest at most 60 levels. Name the inner parts with deftype.",
)
enter(
    "E0320",
    "a value that its declared type forbids",
    "What the program gives can never be what it declares: an argument, a result, a definition or a field.",
    '(def x : :int "one")',
    "(def x : :int 1)",
)
enter(
    "E0321",
    "an argument of a kind that the function does not take",
    "Whatever its value, the call would fail with a TypeError.",
    "(inc :a)",
    "(inc 1)",
)
enter(
    "E0322",
    "a keyword looked up in something that is no map",
    "A keyword in head position looks itself up in a map.",
    "(:name 5)",
    '(:name {:name "Ada"})',
)
enter(
    "E0323",
    "a clause for a value that cannot occur",
    "The value is declared to be something else.",
    "(fn [x : [:enum :a :b]] (match x :a 1 :c 2 _ 3))",
    "(fn [x : [:enum :a :b]] (match x :a 1 :b 2))",
)
enter(
    "E0324",
    "a name that is no type",
    "Nothing fits an unknown type, so every value would be refused. Name one of the types, or define it.",
    "(defn f [x : number] x)",
    "(defn f [x : float] x)",
)
