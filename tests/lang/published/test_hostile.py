"""Bytes of anybody's: they are refused by the one error, or are some program that stays in bounds."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.publishing import NotPublishableError, compile_published, publish
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.errors import LanguageError, LimitError, ProgramError
from rtfs_framework.lang.published.face import face_digest
from rtfs_framework.lang.published.rows import MOST_DEPTH, PublishedError, read_rows, write_rows
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.remembering.published import compiling
from rtfs_framework.testing.effort import effort

PROGRAMS = (
    "(defn f [x : int & more] : int (let [{:keys [a] :as m} {:a x} [p & q] [1 2]] (+ x a (count q)))) (f 1 2)",
    "(defn g ([] 1) ([x] (loop [i 0 acc []] (if (< i x) (recur (inc i) (conj acc (fn [] i))) (map #(%) acc))))) (g 5)",
    "(match [1 {:k 2}] [n {:k (:int m)}] when (> m 1) (str n m) _ (try (/ 1 0) (catch e (str e)) (finally nil)))",
    "(defn e? [n] (if (= n 0) true (o? (dec n)))) (defn o? [n] (if (= n 0) false (e? (dec n)))) (e? 9)",
    "(letfn [(h [x] (if (> x 0) (h (dec x)) :done))] (for [i [1 2] :when (h i)] {:a i (str i) #{i}}))",
    '(defstruct P :x int :y string) (def p (P {:x 1 :y "a"})) (and (:x p) (or nil (if (def z 3) z) [1.5 \'q 2]))',
)
BLOBS = tuple(publish(Source("<test>", text), None, "0").blob for text in PROGRAMS)
LIMITS = Limits(steps=20_000, memory=4 << 20, depth=200)
_WORDS = [
    "fn",
    "local",
    "global",
    "builtin",
    "call",
    "do",
    "host",
    "recur",
    "def",
    "loop",
    "var",
    "map",
    "-",
    "%times",
    "",
]
leaves = st.one_of(st.none(), st.booleans(), st.integers(-3, 60), st.sampled_from(_WORDS), st.text(max_size=4))


def compiled(blob):
    """The artifact of bytes, None of those that are refused; nothing else may happen."""
    try:
        return compile_published(blob)
    except PublishedError:
        return None


def places(row, path=()):
    yield path
    if isinstance(row, list):
        for i, each in enumerate(row):
            yield from places(each, (*path, i))


def at(row, path):
    for i in path:
        row = row[i]
    return row


@st.composite
def mutated(draw):
    """An encoded program, of which some parts were taken out, changed, or stand where others stood."""
    rows = json.loads(draw(st.sampled_from(BLOBS)))
    for _ in range(draw(st.integers(1, 3))):
        every = [path for path in places(rows) if path]
        path = draw(st.sampled_from(every))
        where = at(rows, path[:-1])
        match draw(st.sampled_from(["leaf", "other", "drop", "double", "wrap"])):
            case "leaf":
                where[path[-1]] = draw(leaves)
            case "other":
                where[path[-1]] = json.loads(json.dumps(at(rows, draw(st.sampled_from(every)))))
            case "drop":
                del where[path[-1]]
            case "double":
                where.insert(path[-1], json.loads(json.dumps(where[path[-1]])))
            case "wrap":
                where[path[-1]] = ["do", [where[path[-1]]]]
    return json.dumps(rows, separators=(",", ":")).encode()


@settings(
    max_examples=effort(150), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(mutated())
def test_a_mutated_program_is_refused_or_is_a_program(blob):
    artifact = compiled(blob)
    if artifact is None:
        return
    assert not artifact.links
    assert not artifact.sites
    try:
        PureHost().finish(Instance(artifact, limits=LIMITS).start())
    except (ProgramError, LimitError):
        return


@settings(max_examples=effort(60), deadline=None)
@given(st.sampled_from(BLOBS), st.integers(0, 10_000), st.integers(0, 255))
def test_a_byte_that_was_changed_never_crashes(blob, place, byte):
    changed = bytearray(blob)
    changed[place % len(blob)] = byte
    artifact = compiled(bytes(changed))
    assert artifact is None or artifact.digest


@settings(max_examples=effort(60), deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused(blob):
    with pytest.raises(PublishedError):
        compile_published(blob)


def rows(body, types=()):
    return write_rows(["rtfs-ir", 1, "0", [*types], body])


X = ["bind", ["const", 1], ["var", ["x", 0]], None]
DEF = ["def", "kept", ["const", 1]]
ASKS = ["call", ["builtin", "call"], [["const", 1]]]
ASKING_DEFAULT = ["map", [[["k", "a"], ["_"], ASKS]], None, None]
FN = ["fn", "f", [], [], None, None, ["f", "", [], None, ["m"], ""], False, ["const", 1]]


@pytest.mark.parametrize(
    ("blob", "why"),
    [
        (b"[" * 100_000, "nests deeper"),
        (b"[" * (MOST_DEPTH + 1) + b"]" * (MOST_DEPTH + 1), "nests deeper"),
        (b"[1" + b" " * 5_000_000 + b"]", "bytes are more than"),
        (b'["rtfs-ir", 1]', "canonical way"),
        (b'["rtfs-ir",1,1e5]', "no integer"),
        (b'["rtfs-ir",1,NaN]', "no integer"),
        (b"[" + b"9" * 100_000 + b"]", "beyond 2"),
        (b'{"a":1}', "canonical way"),
        (b"\xff\xfe", "no canonical JSON"),
        (write_rows(["rtfs-ir", 2, "0", [], []]), "format is another"),
        (write_rows(["other", 1, "0", [], []]), "no published program"),
        (write_rows(["rtfs-ir", 1, "0", []]), "row of another length"),
        (rows([["each", 1]]), "unknown kind of node"),
        (rows([["const"]]), "row of another length"),
        (rows([["const", 1, 2]]), "row of another length"),
        (rows([["global", "call"]]), "call is set nowhere"),
        (rows([["def", "call", ["const", 1]]]), "call asks the host"),
        (rows([["builtin", "%for"]]), "is no value"),
        (rows([["builtin", "%times"]]), "no function of this library"),
        (rows([["call", ["builtin", "%for"], [["const", None], ["const", 1]]]]), "is not called so"),
        (rows([["call", ["builtin", "%struct"], [["const", "P"]]]]), "is not called so"),
        (rows([["arities", []]]), "no functions of the program"),
        (rows([["def", "map", FN], ["arities", [["global", "map"]]]]), "no functions of the program"),
        (rows([["local", 0]]), "not bound before"),
        (rows([["local", -1]]), "not bound before"),
        (rows([["local", True]]), "not bound before"),
        (rows([["builtin", "__import__"]]), "no function of this library"),
        (rows([["call", ["builtin", "%step"], []]]), "asks the host"),
        (rows([["builtin", "call"]]), "asks the host"),
        (rows([["call", ["builtin", "%declassify"], []]]), "asks the host"),
        (rows([["call", ["builtin", "%ticket"], []]]), "asks the host"),
        (rows([["host", "db"]]), "only a host could know"),
        (rows([["map", [[["node", ASKS], ["const", 1]]]]]), "a key that is no value"),
        (rows([["match", ["const", 1], [[ASKING_DEFAULT, None, ["const", 1]]]]]), "a default in a clause"),
        (rows([["match", ["const", 1], [[["as", ["a", 0], ASKING_DEFAULT], None, ["const", 1]]]]]), "a default in a"),
        (rows([["bind", ["const", 1], ["vector", [], ASKING_DEFAULT, None], None]]), "call asks the host"),
        (rows([DEF, ["def", "f", [*FN[:8], DEF]]]), "a function that sets a top-level name"),
        (rows([["call", [*FN[:8], ["do", [["const", 1], DEF]]], []]]), "a function that sets a top-level name"),
        (rows([["hinted", [["runtime.timeout", ["const", 1]]], ["const", 1]]]), "hints are for the host"),
        (rows([["def", "f", [*FN[:7], True, FN[8]]]]), "may go to a model"),
        (rows([["recur", [], False]]), "outside the tail of a loop"),
        (
            rows([["def", "f", [*FN[:8], ["do", [["recur", [], True], ["const", 1]]]]]]),
            "outside the tail of its function",
        ),
        (rows([["global", "a\x1b[2J"]]), "a name that no program has"),
        (rows([["global", "x" * 600]]), "a name that no program has"),
        (rows([["const", ["k", "two words"]]]), "no keyword"),
        (rows([["const", ["d", "0x1p0"]]]), "written in another way"),
        (rows([["const", ["i", "5"]]]), "written in another way"),
        (rows([["const", ["i", "f" * 60_000]]]), "too large"),
        (rows([["const", ["m", 1]]]), "half an entry"),
        (rows([["const", ["x", 1]]]), "unknown kind of value"),
        (rows([["check", ["const", 1], None, False]]), "malformed check"),
        (rows([["check", ["const", 1], ["nope"], False]]), "unknown kind of type"),
        (rows([["check", ["const", 1], "nope", False]]), "unknown primitive"),
        (rows([["fail", "Nonsense", "m"]]), "malformed fail"),
        (rows([["and", [["const", 1]]]]), "malformed and"),
        (rows([["loop", [], [["x", 0]], ["const", 1]]]), "malformed loop"),
        (
            rows([["bind", ["const", 1], ["var", ["x", 0]], None], ["bind", ["const", 1], ["var", 0], None]]),
            "bound twice",
        ),
        (rows([["bind", ["const", 1], ["var", ["x", 9]], None]]), "unknown marks"),
        (rows([], [["B", "int"], ["A", "int"]]), "another order"),
        (rows([], [["A", "int"], ["A", "int"]]), "another order"),
        (rows([["def", "f", [*FN[:6], ["f", "", ["x"], None, ["m"], ""], *FN[7:]]]]), "other parameters"),
        (rows([["def", "f", [*FN[:6], ["f", "", [], ["moon", ""], ["m"], ""], *FN[7:]]]]), "unknown kind of hint"),
    ],
)
def test_what_is_refused_says_why(blob, why):
    with pytest.raises(PublishedError, match=why):
        compile_published(blob)


def test_a_function_that_says_it_gives_what_it_does_not_is_found_out():
    """The IR says `: int` for a text: the check of the result is made here, not believed."""
    blob = rows([["def", "f", [*FN[:5], "int", FN[6], False, ["const", "text"]]], ["call", ["global", "f"], []]])
    with pytest.raises(PublishedError, match=r"expected|Type"):
        compile_published(blob)
    chosen = ["if", ["call", ["builtin", "str"], []], ["const", "text"], ["const", 1]]
    hidden = rows([["def", "f", [*FN[:5], "int", FN[6], False, chosen]], ["call", ["global", "f"], []]])
    with pytest.raises((ProgramError, PublishedError)):
        PureHost().finish(Instance(compile_published(hidden)).start())


def test_the_face_of_types_that_nest_deeply_is_taken_or_refused():
    declared = "int"
    for _ in range(700):
        declared = ["vector", declared]
    artifact = compile_published(rows([["def", "f", [*FN[:3], [[["var", ["x", 0]], declared]], *FN[4:]]]]))
    assert len(face_digest(artifact.signatures[0], artifact.types.get)) == 64


def test_a_program_that_takes_too_long_to_compile_is_given_up(monkeypatch):
    monkeypatch.setattr(compiling, "MOST_SECONDS", -1.0)
    with pytest.raises(LimitError, match="to compile"):
        compiling.compiled(rows([["def", "f", [*FN[:8], ["do", [["const", 1]] * 5_000]]]]))


def test_what_nests_too_deeply_for_a_reader_is_not_written():
    deep = [1]
    for _ in range(MOST_DEPTH + 5):
        deep = [deep]
    with pytest.raises(PublishedError, match="nests deeper"):
        write_rows(deep)


def test_rows_are_bounded_by_whoever_reads():
    with pytest.raises(PublishedError, match="bytes are more than 10"):
        read_rows(b"[1,2,3,4,5,6,7]", 10)


@pytest.mark.parametrize(
    ("text", "function", "why"),
    [
        ("(defn f [x] (call :db x))", "f", "call asks the host"),
        ("(defn g [x] (call :db x)) (defn f [x] (g x))", "f", "call asks the host"),
        ('(defn ^:delegation :remote "m" g [x] x) (defn f [x] (g x))', "f", "calls of g may go to a model"),
        ("(defn f [x] ^{:runtime.timeout 5} x)", "f", "hints"),
        ("(defn f [x] x)", "h", "no top-level function h"),
        ("(def f 1)", "f", "not defined once"),
        ("(defn f [x] x) (defn f [x y] x)", "f", "not defined once"),
        ("(call :db 1)", None, "call asks the host"),
    ],
)
def test_what_cannot_be_published_says_why(text, function, why):
    with pytest.raises(NotPublishableError, match=why):
        publish(Source("<test>", text), function, "0")


def test_what_is_proved_to_fail_is_not_published():
    with pytest.raises(LanguageError, match="E03"):
        publish(Source("<test>", '(defn f [x] : int "text")'), "f", "0")
    with pytest.raises(LanguageError, match="E0203"):
        publish(Source("<test>", "(defn f [x] y)"), "f", "0")


def test_only_what_a_function_needs_is_published():
    text = '(def unused "secret") (def base 2) (defn help [x] (+ x base)) (defn f [x] (help x)) (call :db 1)'
    made = publish(Source("<test>", text), "f", "0")
    assert b"secret" not in made.blob
    instance = Instance(compile_published(made.blob))
    PureHost().finish(instance.start())
    assert PureHost().finish(instance.call("f", (5,))) == 7


def test_a_function_with_a_hint_of_its_own_is_published_as_its_body():
    made = publish(Source("<test>", '(defn ^:delegation :remote "m" f [x] (* x 2))'), "f", "0")
    instance = Instance(compile_published(made.blob))
    PureHost().finish(instance.start())
    assert PureHost().finish(instance.call("f", (21,))) == 42
