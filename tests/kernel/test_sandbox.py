"""Attempts to get out of the language: each ends in a value of the language, a diagnostic or a limit."""

from __future__ import annotations

import builtins
import keyword

import pytest

from rtfs_framework.kernel.helpers import HELPERS
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source, run_pure
from rtfs_framework.lang.errors import LanguageError, LimitError, ProgramError, RtfsError
from rtfs_framework.lang.printer import write
from rtfs_framework.stdlib.library import BUILTINS

DUNDERS = ("__import__", "__builtins__", "__class__", "__globals__", "__name__", "__file__", "__loader__", "__spec__")
GENERATED = (
    "G__x", "G__f", "B__call", "C__0", "K__0", "rt_fail", "rt_main", "rt_equal", "op_add", "f_1", "f-1", "t_1t", "x_1",
    "x-1", "a_1t", "fn_1f", "fn-1", "rtfs_main", "factory", "guard", "v", "_", "self", "state", "int", "tuple",
    "len", "Exception", "rt_function", "finally", "b_1t", "loop", "init", "%macro", "%step", "%for", "if-let#value",
)  # fmt: skip
LIBRARY = {"str", "map", "filter", "hash", "int", "float", "range", "set", "abs", "max", "min", "round", "pow", "zip"}


def outcome(text, **limits):
    """Return what a program ends in."""
    try:
        return write(run_pure(text, limits=Limits(**limits)), 1_000_000)
    except ProgramError as error:
        return error.kind
    except LanguageError as error:
        return f"refused {error.diagnostics[0].code}"
    except LimitError as error:
        return f"limit {error.dimension}"


@pytest.mark.parametrize("name", [*DUNDERS, *sorted(set(dir(builtins)) - LIBRARY - {"None", "True", "False"})])
def test_python_names_are_unknown(name):
    if name in BUILTINS:
        pytest.skip("a name of the library")
    assert outcome(name) == "UndefinedSymbol"
    assert outcome(f'({name} "1")') == "UndefinedSymbol"


@pytest.mark.parametrize("name", sorted(HELPERS))
def test_runtime_helpers_are_unknown(name):
    assert outcome(f"({name} 1 2)") == "UndefinedSymbol"


@pytest.mark.parametrize(
    "attribute", ["__class__", "__globals__", "__code__", "__closure__", "mro", "format", "name", "_buffer", "gi_frame"]
)
@pytest.mark.parametrize("target", ["1", '"s"', "[1]", "{:a 1}", "inc", "(fn [x] x)", ":k", "(Exception. 1)"])
def test_no_attribute_can_be_read(attribute, target):
    allowed = {"UndefinedSymbol", "refused E0104", "ArityMismatch", "TypeError", '"s"', '"k"'}
    assert outcome(f"(.{attribute} {target})") in allowed
    assert outcome(f"(get {target} :{attribute})") in {"nil", "TypeError"}
    assert outcome(f"(:{attribute} {target})") in {"nil", "TypeError"}
    assert outcome(f'(get {target} "{attribute}")') in {"nil", "TypeError"}


def names():
    generated = [name for name in GENERATED if not name.startswith("%") and "#" not in name and name != "_"]
    python = [word for word in keyword.kwlist if word not in {"None", "True", "False", "if", "try", "for", "finally"}]
    return [*generated, *python, "match", "case", "type", "print", "open", "eval", "exec"]


@pytest.mark.parametrize("name", sorted(set(names())))
def test_a_name_means_what_the_program_says(name):
    """As a local, a parameter, a global, a function, a loop variable and a pattern's name, beside made-up names."""
    programs = {
        f"(let [{name} 5 g (do (fn [] 1)) h (try 2 (catch e 3))] [{name} (g) h])": "[5 1 2]",
        f"((fn [{name}] (+ {name} (len-of [1 2])))  1)": "UndefinedSymbol",
        f"((fn [{name} & more] (str {name} (count more) {{:a 1}})) 1 2)": '"11{:a 1}"',
        f"(loop [{name} 3 acc []] (if (> {name} 0) (recur (- {name} 1) (conj acc (fn [] {name}))) ((first acc))))": "3",
        f"(match [1 2] [{name} b] when (let [c b] (< {name} c)) [{name} b])": "[1 2]",
        f"(let [{{:keys [{name}] :or {{{name} (do 7)}}}} {{}}] (+ 1.5 {name} (* {name} 2)))": "22.5",
    }
    if name not in {"loop", "match", "and", "or", "def"}:  # special forms: their heads cannot be redefined
        programs |= {
            f"(def {name} 4) (defn f [x] (+ x {name} (count [1]))) (f 2)": "7",
            f"(defn {name} [n] (if (= n 0) :end ({name} (- n 1)))) ({name} 3)": ":end",
            f"(letfn [({name} [n] (if (= n 0) [] (conj ({name} (- n 1)) n)))] ({name} 2))": "[1 2]",
            f'(try (throw "m") (catch {name} (getMessage {name})))': '"m"',
        }  # fmt: skip
    found = {text: outcome(text) for text in programs}
    assert found == programs


@pytest.mark.parametrize("base", ["x", "f", "t", "fn", "G", "a", "s", "r"])
def test_numbered_names_do_not_meet_generated_ones(base):
    many = [f"{base}-{i}" for i in range(1, 40)] + [f"{base}_{i}t" for i in range(1, 20)]
    many += [f"{base}_{i}f" for i in range(1, 20)]
    bindings = " ".join(f"{name} (do (fn [] {i}))" for i, name in enumerate(many))
    reads = " ".join(f"({name})" for name in many)
    assert run_pure(f"(let [{bindings}] [{reads}])") == tuple(range(len(many)))


def test_two_names_are_never_one():
    pairs = [("a-b", "a_b"), ("a_2d_b", "a-b"), ("x!", "x_21_"), ("a.b", "a/b"), ("A", "a"), ("a_", "a-"), ("_a", "-a")]
    for one, two in pairs:
        assert outcome(f"(def {one} 1) (def {two} 2) [{one} {two}]") == "[1 2]"
        assert outcome(f"(let [{one} 1 {two} 2] (fn [] 1) [{one} {two}])") == "[1 2]"


@pytest.mark.parametrize(
    "text",
    [
        '(format "{0.__class__}" 1)',
        '(format "%(a)s" 1)',
        '(format "{}" inc)',
        '(format "%s %s" 1)',
        '(format "%n" 1)',
        '(format "%1000000000d" 1)',
        '(format "%.1000000000f" 1.0)',
        '(str "{self.__globals__}")',
        '(replace "a" "a" "\\\\g<0>\\\\1{0}")',
        '(re-find "(?P<a>" "a")',
        '(timestamp-format 2026-01-01T00:00:00Z "%Y {0.__class__}")',
        "(symbol \"__import__('os')\")",
        '(keyword "a b) (call :x")',
        '(parse-json "{\\"__class__\\": 1}")',
    ],
)
def test_texts_are_only_texts(text):
    assert "<class" not in outcome(text)
    assert "module" not in outcome(text)


@pytest.mark.parametrize(
    "word", ["__import__('os')", "import os", "a b", "x;y", "G__x = 1", "1", "", ")", "lambda: 0", "é"]
)
def test_macros_cannot_build_python(word):
    """A macro may make any symbol: it is a name of the language, however odd, and nothing that Python reads."""
    quoted = word.replace('"', '\\"')
    made = f'(defmacro m [] (list (quote let) [(symbol "{quoted}") 5] (symbol "{quoted}"))) (m)'
    assert outcome(made) in {"5", "refused E0206", "refused E0210", "UndefinedSymbol", "refused E0201"}
    made = f'(defmacro m [] (list (quote def) (symbol "{quoted}") 5)) (m)'
    assert outcome(made) in {"5", "refused E0201", "refused E0210"}
    assert outcome(f'(defmacro m [] (list (symbol "{quoted}") 5)) (m)') in {
        "UndefinedSymbol",
        "refused E0210",
        "TypeError",
    }


def test_generated_code_has_no_builtins_of_python():
    instance = Instance(compile_source("(def x 1)"))
    builtins = instance._names["__builtins__"]
    assert set(builtins) <= {"bool", "int", "float", "str", "len", "tuple", "range", "Exception", "__import__"}
    with pytest.raises(ImportError):  # it is there for greenlet's own use, and gives nothing but `gc`
        builtins["__import__"]("os")


@pytest.mark.parametrize(
    "text",
    [
        "(loop [x 3] (recur (* x x)))",
        "(loop [x 1.5] (recur (* x x 10000000000000)))",
        "((fn f [x] (f (* x x x))) 7)",
        "(reduce (fn [a _] (* a a)) 3 (range 100))",
        "(bit-shift-left 1 100000000000)",
        "(factorial 10000000)",
        "(pow 2.5 1000000)",
        "(range 0 1000000000000)",
        '(loop [s "abc"] (recur (str s s)))',
        '(join "," (repeat 100000000 "x"))',
        "(loop [v [1]] (recur (into v v)))",
        "(repeat 1000000000 1)",
        '(pad-left "a" 1000000000 "x")',
        '(replace (repeat-string "a" 100000) "a" (repeat-string "b" 100000))',
        "(partition 2 1 (range 100000000))",
        "(interleave (range 6000000) (range 6000000))",
        '(parse-int (repeat-string "9" 1000000))',
        '(re-find "(a*)*$" (str (repeat-string "a" 50000) "b"))',
        '(re-matches "(x+x+)+y" (repeat-string "x" 50000))',
        '(re-find "a{1000}{1000}{1000}" "a")',
        pytest.param("(count (str (reduce (fn [a _] [a a]) 1 (range 60))))", marks=pytest.mark.slow),
        "(reduce (fn [a _] [a a]) 1 (range 60))",
        pytest.param("(count (flatten (reduce (fn [a _] [a a]) 1 (range 60))))", marks=pytest.mark.slow),
        "(serialize-json (reduce (fn [a _] [a a]) 1 (range 60)))",
    ],
)
def test_what_is_too_much_ends_in_a_limit(in_process, text):
    """Not in a dead process, nor in gigabytes."""
    code = f"""
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.lang.printer import write
try:
    value = Instance(compile_source({text!r}), limits=Limits(steps=300_000, depth=2_000)).start().step().value
    print(len(write(value, 1_000_000)))
except RtfsError as error:
    print(type(error).__name__)
"""
    assert in_process(code, timeout=30, memory=2 << 30)


def test_the_suite_notices_a_leak(monkeypatch):
    """A Python function among the builtins would be found by the first test above."""
    from rtfs_framework.stdlib import table

    facts = {"family": "leak", "low": 1, "high": 1, "signature": "x", "doc": "A leak."}
    monkeypatch.setitem(BUILTINS, "eval", table.Builtin(name="eval", function=eval, **facts))
    assert outcome('(eval "1")') == "1"
    assert issubclass(LimitError, RtfsError)
