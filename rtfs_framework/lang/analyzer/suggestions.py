"""Ways out of an unknown name: what RTFS has in place of a name of Clojure, Scheme or Python, or the nearest name."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Callable, Iterable
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.lang.forms import ListForm, Name

MOST_SUGGESTIONS = 50
"""Unknown names of one program that a suggestion is looked for: a search costs a millisecond."""

_STATE = "nothing can be changed in RTFS: bind new values with let, loop/recur or reduce"
_OUTPUT = "RTFS has no output of its own: return the value, or a host grants a capability such as ccos.io.println"
_FILES = 'RTFS has no files: `main` gets the records of --input, or a host grants a capability: (call :name "file")'
_CLOCK = "RTFS has neither clock nor chance: take it as an argument, or a host grants a capability: (call :name)"
_LAZY = "nothing is lazy in RTFS: leave it out"
_PERSISTENT = "collections do not change: use conj, assoc, dissoc, disj or pop, which give new ones"
_AT_ONCE = "use pmap or (step-parallel branch ...), or (ticket (f x)) for a call that is awaited later: (await t)"
_PROTOCOL = "use a function that asks for the kind of its argument, with match or cond"
_MODULES = "use (import module.name :as alias), or begin a module with (module name ...)"
_FN = "write (fn [x] body)"
_TYPES = "use (defstruct Name :field type) or a map"
_REPEAT = "use (loop [i 0] (if test (recur (inc i)) result)), dotimes or doseq"
_RAISE = 'use (throw "message") or (throw {:kind "Name" :message "text"})'
_TRY = "it stands in a try, as in (try body (catch e handler) (finally form))"


def _by_name(ways: dict[str, str]) -> dict[str, str]:
    """Return the way out of each name, from those of several."""
    return {name: way for names, way in ways.items() for name in names.split()}


_FORMS = _by_name(
    {
        "set! dosync setq set!! global with-local-vars io! locking": _STATE,
        "binding with-redefs with-bindings": "use let, and pass the value as an argument",
        "defonce declare": "use (def name value); functions of a program see each other in any order",
        "ns require use in-ns refer from alias require-macros import-from": _MODULES,
        "var": "a function is a value, named as it is; for a variable use let",
        "lambda function def-fn": _FN,
        "define defun defn- defn* func": "use (defn name [params] body) or (def name value)",
        "let* letrec": "use let, whose bindings see those before; fn values see themselves",
        "begin progn": "use do",
        "while until do-while dolist foreach for-each loop-while while-let": _REPEAT,
        "defrecord deftype* defclass definterface gen-class proxy reify": _TYPES,
        "defprotocol extend-type extend-protocol extend": _PROTOCOL,
        "defmulti defmethod switch": "use match, case or cond",
        "when-some if-some when-first": "use when-let or if-let",
        "catch finally": _TRY,
        "raise try-catch": _RAISE,
        "new .": "RTFS has no classes: use functions and maps",
        "else elif elseif": "use (if test then else) or (cond test value :else value)",
        "return": "the last form of a body is its value",
    }
)
"""What is a special form elsewhere: nothing inside one is told apart from it."""

_NAMES = _by_name(
    {
        "atom swap! reset! deref ref ref-set volatile! vswap!": _STATE,
        "vreset! alter commute compare-and-set! add-watch send send-off var-set": _STATE,
        "transient persistent! conj! assoc! dissoc! disj! pop! aset": _PERSISTENT,
        "with-meta vary-meta meta alter-meta!": "values carry no metadata: use a map",
        "println print prn pr printf display console.log pprint newline": _OUTPUT,
        "slurp spit open with-open read-line input": _FILES,
        "rand rand-int rand-nth shuffle time now random": _CLOCK,
        "lazy-seq lazy-cat doall dorun delay force realized? trampoline": _LAZY,
        "future promise deliver async go thread": _AT_ONCE,
        "transduce eduction sequence completing": "use ->> with map, filter and reduce",
        "sorted-map sorted-set array-map": "use a map or set, and sort its keys where order matters",
        "make-array into-array to-array int-array array": "use a vector",
        "repeatedly": "equal calls give equal values: use (repeat n value) or (map f (range n))",
        "eval read-string load-string": "programs do not evaluate text; parse-json reads data",
        "error": _RAISE,
        "prn-str print-str str-join": "use str",
        "substr": "did you mean 'substring'?",
        "car head": "did you mean 'first'?",
        "cdr tail": "did you mean 'rest'?",
        "null? none? is-nil?": "did you mean 'nil?'?",
        "== eq? equal? eq identical?": "did you mean '='?",
        "size": "did you mean 'count'?",
        "append": "use conj for one more item, concat for collections",
        "type class": "did you mean 'type-of'?",
        "long bigint": "did you mean 'int'?",
        "double": "did you mean 'float'?",
        "char": "RTFS has no characters: a character is a string of one",
        "run!": "use doseq",
        "any? exists?": "did you mean 'some'?",
        "list*": "use cons or concat",
        "%": "% stands only in #(...); the remainder of a division is (mod a b)",
        "//": "did you mean 'quot'?",
        "**": "did you mean 'pow'?",
        "toUpperCase": "did you mean 'upper-case'?",
        "toLowerCase": "did you mean 'lower-case'?",
        "True": "did you mean 'true'?",
        "False": "did you mean 'false'?",
        "None null undefined": "did you mean 'nil'?",
    }
)

_INFIX = frozenset({"+", "-", "*", "/", "<", ">", "<=", ">=", "=", "!=", "and", "or", "mod"})


def is_form_elsewhere(name: str) -> bool:
    """Tell whether a name is a special form of another Lisp: what stands in it is not RTFS either."""
    return name in _FORMS


def way_out_of_call(form: ListForm, kind: str) -> str:
    """Return what was probably meant by a call of something that is no function."""
    second = form.items[1] if len(form.items) > 1 else None
    if isinstance(second, Name) and second.name in _INFIX:
        return f"operators stand first, as in ({second.name} a b)"
    if kind in ("vector", "map", "set"):
        return "only functions and keywords can be called; use (get coll key)"
    return "only functions and keywords can be called; data is quoted, as in '(1 2), or a vector"


def for_name(name: str, known_names: Callable[[], Iterable[str]], made: dict[str, str | None]) -> str | None:
    """Return a way out for an unknown name, if there is one; `made` are those of the program so far."""
    foreign = _FORMS.get(name) or _NAMES.get(name)
    if foreign is None and name not in made:
        made[name] = _nearest(name, set(known_names())) if len(made) < MOST_SUGGESTIONS else None
    return foreign or made[name]


def _nearest(name: str, known: set[str]) -> str | None:
    own = name.rpartition("/")[2] or name  # a namespace of Clojure's, a class of Java's
    if own in known and own != name:
        return f"did you mean '{own}'?"
    return did_you_mean(name, known)
