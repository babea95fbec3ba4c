"""Whatever the text, what comes out is a value or an error of the language: no other exception, no hang, no crash.

A text that once broke something is kept in `corpus/` (one program a file) and replayed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fuzzing import texts, worker

from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.testing.cases.model import read_cases

HERE = Path(__file__).parent
CORPUS = sorted((HERE / "corpus").glob("*.rtfs"))


@pytest.fixture(scope="session")
def known():
    """Return programs to start from: the conformance cases and the corpus."""
    conformance = HERE.parent / "conformance"
    paths = sorted(conformance.glob("*.toml"))
    return [case.source for case in read_cases(paths)] + [path.read_text(encoding="utf-8") for path in CORPUS]


def judged(programs, seconds):
    """Return the programs that break something, with what; a hang or a crash names the program it happened in."""
    lines = "".join(json.dumps(program) + "\n" for program in programs)
    path = [str(HERE), str(HERE.parent.parent)]
    code = f"import sys; sys.path[:0] = {path!r}; from fuzzing import worker; worker.main()"
    done = subprocess.run(
        [sys.executable, "-c", code], input=lines, capture_output=True, text=True, timeout=seconds, check=False
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    wrong = [f"{answer}\n    {program!r}" for program, answer in zip(programs, answers, strict=False) if answer != "ok"]
    if done.returncode or len(answers) < len(programs):
        wrong.append(
            f"hang or crash (exit {done.returncode}) in\n    {programs[len(answers)]!r}\n{done.stderr[-1500:]}"
        )
    return wrong


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_the_corpus(path):
    assert judged([path.read_text(encoding="utf-8")], 50) == []


def test_a_thousand_texts(known):
    assert judged([texts.text_of(seed, known) for seed in range(1_000)], 50) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", range(10))
def test_many_texts(known, part):
    start = 1_000_000 + part * 10_000
    assert judged([texts.text_of(seed, known) for seed in range(start, start + 10_000)], 900) == []


def test_the_texts_reach_the_later_stages(known):
    """Enough of them compile, or fuzzing would only test the reader."""

    def compiles(text):
        try:
            compile_source(text)
        except LanguageError:
            return False
        return True

    assert sum(compiles(texts.text_of(seed, known)) for seed in range(1, 400, 2)) > 20


def test_a_bug_is_found(monkeypatch):
    def broken(*_args, **_more):
        raise KeyError("bug")

    monkeypatch.setattr(worker, "compile_source", broken)
    assert worker.verdict("1") == "KeyError: 'bug'"


def test_a_hang_is_found():
    code = "import faulthandler; faulthandler.dump_traceback_later(1, exit=True)\nwhile True: pass"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode != 0
    assert "Timeout" in done.stderr
