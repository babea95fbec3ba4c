"""`declassify`: the call in it, and nothing else, is freed of marks, with every pass; other shapes are refused."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source, surroundings
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.lang.codegen.stored import dump_artifact, load_artifact
from rtfs_framework.lang.errors import LanguageError, ProgramError
from rtfs_framework.lang.format.check import format_source
from rtfs_framework.lang.passes.table import ALL
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.views import view

FREED = (frozenset({"pii", "home"}), "why")
D = '(declassify [:pii :home] "why" '
HINTED = '(defn ^:delegation :remote "m" f [x] (call :inside x))'
SETS = {"none": frozenset(), "all": ALL, **{name: frozenset({name}) for name in sorted(ALL)}}


def asked(text, *, locally=False, passes=ALL, stored=False):
    """Return (capability, whether it is freed) of every call, what is told of steps left out."""
    artifact = compile_source(text, passes=passes, verified=True)
    run = Instance(load_artifact(dump_artifact(artifact)) if stored else artifact).start()
    outcome, found = run.step(), []
    while not isinstance(outcome, Complete):
        call = outcome.call
        assert call.freed in (None, FREED)
        if call.kind is not CallKind.EVENT:
            found.append((call.capability, call.freed is not None))
        elif call.freed is not None:
            raise AssertionError(call)
        here = locally and call.kind is CallKind.DELEGATED
        outcome = run.resume_locally() if here else run.resume(1)
    return found


CALLS = [
    # the call itself, however it is written
    (f"{D}(call :a 1))", [("a", True)]),
    (f"{D}(->> 1 (call :a)))", [("a", True)]),
    (f"(defmacro ask [x] `(call :a ~x)) {D}(ask 1))", [("a", True)]),
    (f'{D}(llm-execute "m" "p"))', [("ccos.ai.llm-execute", True)]),
    (f"{D}(stream-next 1))", [("marketplace.stream.next", True)]),
    (f"{D}(context/set :k 1))", [("k", True)]),
    (f"{HINTED} {D}(f 1))", [("model-call:m", True)]),
    (f"{HINTED} (let [g f] {D}(g 1)))", [("model-call:m", True)]),
    (f'(defn ^:delegation :remote "m" f ([x] x) ([x y] y)) {D}(f 1 2))', [("model-call:m", True)]),
    # its arguments are evaluated outside of it
    (f"{D}(call :a (call :b) (call :c)))", [("b", False), ("c", False), ("a", True)]),
    (f"(defn g [x] x) {D}((do (call :b) g) 1))", [("b", False)]),
    # what the callee calls in turn is not freed
    (f"(defn g [x] (call :a x)) {D}(g 1))", [("a", False)]),
    (f"(let [g #(call :a %)] {D}(g 1)))", [("a", False)]),
    (f"(let [g (partial call :a)] {D}(g 1)))", [("a", False)]),
    # nor what comes after, or beside it
    (f"(do {D}(call :a)) (call :b))", [("a", True), ("b", False)]),
    (f"(do (try {D}(call 1)) (catch e 0)) (call :b))", [("b", False)]),
    (f"{HINTED} (do (try {D}(f 1 2)) (catch e 0)) (call :b))", [("b", False)]),
    # in loops, fused or not, in functions that are small enough to be put elsewhere, in branches
    (f"(map (fn [x] {D}(call :a x))) (map inc [1 2]))", [("a", True)] * 2),
    (f"(reduce + 0 (map (fn [x] {D}(call :a x))) (filter odd? [1 2 3])))", [("a", True)] * 2),
    (f"(for [x [1 2]] {D}(call :a x)))", [("a", True)] * 2),
    (f"(defn g [x] {D}(call :a x))) (defn h [] (loop [i 0] (if (< i 2) (do (g i) (recur (inc i))) i))) (h)",
     [("a", True)] * 2),
    (f"(loop [i 0 v []] (if (< i 2) (recur (inc i) (conj v {D}(call :a i)))) v))", [("a", True)] * 2),
    (f"(pmap (fn [x] {D}(call :a x))) [1 2])", [("a", True)] * 2),
    (f"(match {D}(call :a)) 1 (call :b))", [("a", True), ("b", False)]),
    (f"(defn e [n] {D}(o n))) (defn o [n] (if (> n 0) (do (call :a) (e (dec n))) n)) (e 3)", [("a", False)] * 3),
]  # fmt: skip


@pytest.mark.parametrize("passes", SETS)
@pytest.mark.parametrize(("text", "wanted"), CALLS)
def test_the_call_itself_is_freed_with_any_pass(text, wanted, passes):
    assert asked(text, passes=SETS[passes]) == wanted
    assert asked(text, passes=SETS[passes], stored=True) == wanted


def test_a_body_that_runs_here_is_not_freed():
    wanted = [("model-call:m", True), ("inside", False), ("model-call:m", False), ("inside", False)]
    assert asked(f"{HINTED} {D}(f 1)) (f 2)", locally=True) == wanted


def test_the_call_has_its_own_place():
    run = Instance(compile_source(f"(do\n  {D}\n    (call :a 1)))")).start()
    assert str(run.step().call.place) == "<string>:3:5"


@pytest.mark.parametrize("call", ["(call :a)", "(g 1 2)", "(nothing 1)", "(call 1)"])
def test_an_error_is_that_of_the_call(call):
    def kind(text):
        run = Instance(compile_source(text)).start()
        outcome = run.step()
        while not isinstance(outcome, Complete):
            outcome = run.throw(ProgramError("HostFailed", "no"))
        return outcome.value

    told = [kind(f"(defn g [x] x) (try {text} (catch e (:kind e)))") for text in (call, f"{D}{call})")]
    assert told[0] == told[1] != 1


@pytest.mark.parametrize(
    ("text", "code", "told", "column"),
    [
        ("(declassify)", "E0201", "got 0 forms", 1),
        ('(declassify [:a] "why")', "E0201", "got 2 forms", 1),
        ('(declassify [:a] "why" (call :b) (call :c))', "E0201", "got 4 forms", 1),
        ('(declassify :a "why" (call :b))', "E0201", "a vector of keywords", 13),
        ('(declassify [] "why" (call :b))', "E0201", "names no mark", 13),
        ('(let [m :a] (declassify [m] "why" (call :b)))', "E0201", "a mark is a keyword", 26),
        ('(declassify ["a"] "why" (call :b))', "E0201", "a mark is a keyword", 14),
        ('(let [w "why"] (declassify [:a] w (call :b)))', "E0201", "a string written here", 33),
        ('(declassify [:a] "  " (call :b))', "E0201", "reason of declassify is empty", 18),
        ('(declassify [:a] "why" 5)', "E0201", "around one call", 24),
        ('(declassify [:a] "why" ())', "E0201", "around one call", 24),
        ('(declassify [:a] "why" [(call :b)])', "E0201", "around one call", 24),
        ('(declassify [:a] "why" (if true (call :b) (call :c)))', "E0201", "not around other forms", 24),
        ('(declassify [:a] "why" (let [x 1] (call :b x)))', "E0201", "not around other forms", 24),
        ('(declassify [:a] "why" (fn [x] (call :b x)))', "E0201", "not around other forms", 24),
        ('(declassify [:a] "why" (str "x"))', "E0246", "str sends nothing itself", 24),
        ('(declassify [:a] "why" (map f [1]))', "E0246", "map sends nothing itself", 24),
        ('(declassify [:a] "why" (pmap f [1]))', "E0246", "pmap sends nothing itself", 24),
        ('(declassify [:a] "why" (:k {:k 1}))', "E0246", ":k sends nothing itself", 24),
        ('(declassify [:a] "why" (step "s" (call :b)))', "E0246", "step sends nothing itself", 24),
        ('(declassify [:a] "why" (declassify [:b] "too" (call :c)))', "E0246", "inside another", 24),
        ("(def declassify 1)", "E0212", "special form", 1),
    ],
)
def test_other_shapes_are_refused_with_place_and_way_out(text, code, told, column):
    with pytest.raises(LanguageError) as caught:
        compile_source(Source("p", text))
    finding = caught.value.diagnostics[0]
    assert (finding.code, finding.span.start + 1) == (code, column)
    assert told in finding.message
    assert finding.help


@pytest.mark.parametrize("call", ["(g 1 2)", "(call)", "(g :no)"])
def test_a_call_that_cannot_succeed_is_told_of_as_ever(call):
    def codes(text):
        program = compile_source(f"(defn g [x : :int] x) {text}")
        return [found.code for found in program.diagnostics]

    assert codes(call) == codes(f"{D}{call})") != []


def test_purity_names_the_capability():
    effect = next(e for e in compile_source(f"(defn g [x] {D}(call :a x)))").effects if e.name == "g")
    assert [reason.text for reason in effect.because] == ["calls the capability a"]


def test_tools_show_it():
    shown = view(Source("p", f"(defn g [x] {D}(call :a x)))"), surroundings())
    assert "%declassify" in shown.ir
    assert '(declassify [:pii :home] "why" (call :a x))' in " ".join(shown.expanded.split())


def test_the_formatter_gives_the_call_a_line_of_its_own():
    reason = "a reason that is long enough to leave no room for the call"
    made = format_source(Source("p", f'(declassify [:pii]\n"{reason}" (call :directory.find 1))'))
    assert made == f'(declassify [:pii] "{reason}"\n  (call :directory.find 1))\n'
