"""What is known of places and of integers that are not negative changes no program's meaning."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.passes.table import ALL
from rtfs_framework.lang.source import Source
from rtfs_framework.testing.effort import effort

FIRST = ("0", "2", "-1", "(count v)", "(- 2 3)", "(mod -7 3)", "(nth v 0)", "1.0")
NEXT = (
    "(inc i)", "(+ i j)", "(- i 1)", "(* i j)", "(mod i 3)", "(mod i -2)", "(quot i 2)", "(max i j)", "(min j -1)", "j",
    "(rem i 2)", "(abs i)", "(nth v j)", "(+ i 0.5)", "(let [k (+ j 1)] k)",
)  # fmt: skip
SEEN = (
    "(nth v i)", "(nth v j :none)", "[(quot j 3) (rem i 3)]", "(abs i)", "(subvec v i)", '(substring "abc" j)',
    "(let [x (nth v i)] [x (inc i) (- i 5)])", "(match (nth v j) 1 (+ j 1) x [(dec j) (= j x)])",
    "(for [k (range j 2)] (nth v k))", "(map (fn [k] (nth v (+ k i))) (range 2))", "(float i)",
    "(do (nth v i) (nth v (- i 1)))", "(let [x (nth v i) f (fn [] (* i 2))] (f))",
)  # fmt: skip


@st.composite
def programs(draw):
    first, following, seen = ([draw(st.sampled_from(texts)) for _ in range(2)] for texts in (FIRST, NEXT, SEEN))
    recur = f"(recur {following[0]} {following[1]} (conj out {seen[0]} {seen[1]}) (inc n))"
    return f"(defn f [v] (loop [i {first[0]} j {first[1]} out [] n 0] (if (< n 3) {recur} out)))"


def told(text, argument):
    """Return what a program gives with all passes and with none that knows anything."""
    found = []
    for passes in (ALL, frozenset({"mutual"})):
        instance, host = Instance(compile_source(Source("p", text), passes=passes)), PureHost()
        host.finish(instance.start())
        try:
            found.append(canonical_print(host.finish(instance.call("f", (argument,)))))
        except ProgramError as error:
            found.append(f"{error.kind} {error.message} {error.value.span}")
    return found


@settings(max_examples=effort(200), deadline=None)
@given(programs(), st.sampled_from([(1, 2, 3, 0), (0, -1), (1, 1.0, True, 2), (), None]))
@example("(defn f [v] (let [x (nth [5 6] v)] [x (inc v) (- v 1)]))", True)
@example("(defn f [v] (let [x (nth [5 6] v)] [x (inc v) (nth [7 8] (- v 1))]))", 0)
def test_a_program_means_the_same(text, argument):
    known, unknown = told(text, argument)
    assert known == unknown
