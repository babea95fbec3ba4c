"""The worst bug of a check is a false alarm: whatever ends with a value must not be called an error."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from rtfs_framework.kernel.host_table import HOST
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source, run_pure
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.errors import LanguageError, RtfsError
from rtfs_framework.lang.source import Source
from rtfs_framework.stdlib.library import BUILTINS
from rtfs_framework.testing.cases.judge import judge
from rtfs_framework.testing.cases.model import read_cases

LIBRARY = {**BUILTINS, **HOST}

ROOT = Path(__file__).parents[3]
FOLDERS = [ROOT / "tests" / "conformance"]
CASES = [
    case
    for folder in FOLDERS
    for path in sorted(folder.glob("*.toml"))
    for case in read_cases([path])
    if case.expect is not None and case.entry != "type-expression" and case.lowers_to is None
]
CONDITIONAL: dict[str, str] = {}
"""Case to the reason why it holds an error that is never reached."""


def errors_of(source, **around):
    """Return the errors found; unknown names are the host's affair."""
    try:
        found = compile_source(source, **around).diagnostics
    except LanguageError:
        return []
    return [each for each in found if each.severity == "error" and each.code != "E0203"]


def test_no_case_that_ends_with_a_value_holds_an_error():
    alarms = []
    for case in CASES:
        files = {name.removesuffix(".rtfs").replace("/", "."): Source(name, text) for name, text in case.files.items()}
        prelude = case.layer == "ccos-prelude"
        found = errors_of(Source(case.id, case.source), find_module=files.get, preloaded=case.load, prelude=prelude)
        if found and case.id not in CONDITIONAL and judge(case) is None:
            alarms.append(f"{case.id}: {case.source}\n{found[0].render()}")
    assert alarms == []
    assert len(CASES) > 1000


@pytest.mark.parametrize("path", sorted((ROOT / "examples").rglob("*.rtfs")), ids=lambda path: path.stem)
def test_an_example_holds_no_error_and_no_warning(path):
    found = compile_source(Source(str(path), path.read_text(encoding="utf-8"))).diagnostics
    assert [each.render() for each in found if each.severity != "hint"] == []


@pytest.mark.parametrize("record", {id(r): r for r in LIBRARY.values()}.values(), ids=lambda record: record.name)
def test_an_example_of_the_library_that_ends_with_a_value_holds_no_error(record):
    for text, expected in record.examples:
        assert expected.startswith("!") or errors_of(text) == []


APART = {"repeat", "bit-shift-left", "cycle", "throw", "read-file"}
NAMES = sorted({record.name for record in LIBRARY.values()} - APART)
LITERALS = [
    "nil",
    "true",
    "0",
    "1",
    "-2",
    "1.5",
    '""',
    '"a"',
    '"12"',
    ":a",
    "'s",
    "[]",
    "[1 2]",
    "{}",
    "{:a 1}",
    "'(1)",
]


class Straight:
    """Programs without branches: whatever stands there is reached, so what is called an error must fail."""

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def expression(self, names, depth):
        rng = self.rng
        kind = rng.random()
        if depth == 0 or kind < 0.2:
            return rng.choice([*LITERALS, *names, "inc", "(fn [x] x)"])
        if kind < 0.3:
            return f"[{self.expression(names, depth - 1)} {self.expression(names, depth - 1)}]"
        if kind < 0.35:
            return f"(:a {self.expression(names, depth - 1)})"
        if kind < 0.4:
            return f"((fn [x : [:union :int :string]] : :int {self.expression(['x'], depth - 1)}) {names and names[0]})"
        if kind < 0.45:
            return f"(S {{:a {self.expression(names, depth - 1)}}})"
        record = LIBRARY[rng.choice(NAMES)]
        count = rng.randint(record.low, max(record.low, min(record.high if record.high is not None else 3, 3)))
        return f"({' '.join([record.name, *(self.expression(names, depth - 1) for _ in range(count))])})"

    def program(self):
        one, two = self.expression(["g"], 2), self.expression(["g", "a"], 2)
        body = self.expression(["a", "b", "g", "(f 1)"], 3)
        return (
            f"(defstruct S :a [:union :int [:vector :int]]) (def g {self.expression(['1'], 1)})"
            f" (defn f [p : :float] {self.expression(['p'], 1)}) (let [a {one} b : :any {two}] {body})"
        )


@pytest.mark.parametrize("part", range(4))
def test_in_a_program_without_branches_every_error_is_true(part):
    judged = 0
    for seed in range(part * 500, part * 500 + 500):
        text = Straight(seed).program()
        artifact = compile_source(text)
        found = [each for each in artifact.diagnostics if each.severity == "error"]
        try:
            value = PureHost().finish(Instance(artifact, limits=Limits(depth=200)).start())
        except RtfsError:
            judged += bool(found)
            continue
        inside = [each for each in found if "(defn f" not in text or not _in_function(text, each)]
        assert inside == [], f"{text}\ngives {value!r}\n{inside[0].render()}"
    assert judged > 100


def _in_function(text, finding):
    """Tell whether a finding stands in `f`, which may never be called."""
    return text.index("(defn f") <= finding.span.start < text.index(" (let [a ")


def test_a_program_that_runs_is_not_refused_for_what_it_never_calls():
    """An error in a function that nobody calls is one all the same: it fails whenever it is reached."""
    text = '(defn f [] (+ 1 "a")) 1'
    assert [each.code for each in errors_of(text)] == ["E0321"]
    assert run_pure(text) == 1


CHUNKS = [
    (path.stem, number, chunk)
    for path in sorted((ROOT / "tests" / "filetests").rglob("*.rtfs"))
    for number, chunk in enumerate(re.split(r"^---.*$", path.read_text(encoding="utf-8"), flags=re.MULTILINE))
]


def test_no_chunk_of_the_file_tests_that_ends_well_holds_an_error():
    fine = [chunk for *_, chunk in CHUNKS if not re.search(r"; (error|raises)", chunk)]
    assert len(fine) > 50
    assert [(chunk, found[0].render()) for chunk in fine if (found := errors_of(chunk))] == []


@pytest.mark.parametrize(
    "text",
    [
        f'(do {"1 " * 3000} (+ 1 "a"))',
        f'(and {"1 " * 300} (+ 1 "a"))',
        f'(defn f [x] (cond {" ".join(f"(= x {i}) {i}" for i in range(100))} :else (+ 1 "a")))',
        f'{"[" * 150} (+ 1 "a") {"]" * 150}',
        f"(defn f [x] {'(let [a (str x)] ' * 150} (+ 1 a) {')' * 150})",
        f'{"".join(f"(defn f{i} [x] (f{i + 1} x)) " for i in range(500))} (defn f500 [x] (+ x "a")) (inc (f0 1))',
    ],
    ids=["do", "and", "cond", "vectors", "lets", "calls"],
)
def test_large_and_deep_programs_are_checked(text):
    assert [each.code for each in errors_of(text)] == ["E0321"]


def test_many_findings_take_linear_time():
    text = "".join(f'(try (inc "{i}") (catch e {i})) ' for i in range(1500))
    found = compile_source(text).diagnostics
    assert len(found) == 1500
    assert {each.severity for each in found} == {"warning"}
