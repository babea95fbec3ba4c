"""Every chunk of every `.rtfs` file here does what its comments say; `--bless` makes the comments say what happens.

A chunk may end only in a value, or in an error of the language with a place: anything else is a bug and fails.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from chunks import files, judge

HERE = Path(__file__).parent
FILES = sorted(HERE.rglob("*.rtfs"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HERE)))
def test_chunks_do_what_they_say(path, request):
    chunks = list(files.read(path))
    if request.config.getoption("--bless", default=False):
        text = "\n---\n".join(files.blessed(chunk, judge.run(chunk)).strip("\n") for chunk in chunks)
        path.write_text(f"{text}\n", encoding="utf-8")
        chunks = list(files.read(path))
    wrong = [line for chunk in chunks for line in judge.differences(chunk)]
    assert not wrong, "\n".join(wrong)
    assert all(chunk.expectations for chunk in chunks), "a chunk that expects nothing"


@pytest.mark.parametrize(
    "text",
    [
        "(+ 1 2) ; => 4",
        '(if) ; error E0202 "malformed"',
        '(if) ; error E0201 "well formed"',
        '\n(if)\n; error E0201 "malformed"',
        '(inc nil) ; raises TypeError "got string"',
        "(inc nil) ; => nil",
        "(call :a 1) ; yields (:a 2) <- 1",
        "(call :a) (call :b) ; yields (:a) <- 1",
        "1 ; yields (:a) <- 1 ; => 1",
    ],
)
def test_a_wrong_expectation_is_noticed(text):
    assert judge.differences(files.Chunk(Path("planted.rtfs"), 0, text))


def test_an_exception_that_is_no_error_of_the_language_comes_through(monkeypatch):
    def broken(*_args, **_more):
        raise KeyError("bug")

    monkeypatch.setattr(judge, "compile_source", broken)
    with pytest.raises(KeyError):
        judge.differences(files.Chunk(Path("planted.rtfs"), 0, "1 ; => 1"))


def test_blessing_writes_what_happens_and_keeps_the_program():
    chunk = files.Chunk(Path("planted.rtfs"), 0, '; a remark\n(str "a; => b" (+ 1 2)) ; => 4')
    made = files.blessed(chunk, judge.run(chunk))
    assert made.split("\n")[0] == "; a remark"
    assert made.split("\n")[1].startswith('(str "a; => b" (+ 1 2))')
    assert made.endswith('; => "a; => b3"')
