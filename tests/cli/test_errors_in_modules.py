"""An error in an imported module shows the module's file, line and caret, whatever way the program is run."""

from __future__ import annotations

import json

import pytest

MODULE = """(module lib.m (:exports [boom forever])
  (defn inner [x]
    (inc x))
  (defn forever [] (loop [i 0]
    (recur (+ i 1))))
  (defn boom [x] (inner x)))
"""
PROGRAM = '(import lib.m)\n(defn main ([] (lib.m/boom "a")) ([record] (lib.m/boom record)))\n'
PLACE = "lib/m.rtfs:3:5: error[E0502]: TypeError"
CARETS = "  3 |     (inc x))\n    |     ^^^^^^^"


@pytest.fixture(autouse=True)
def files(folder):
    (folder / "lib").mkdir()
    (folder / "lib" / "m.rtfs").write_text(MODULE, encoding="utf-8")
    (folder / "p.rtfs").write_text(PROGRAM, encoding="utf-8")
    (folder / "in.csv").write_text("text\na\nb\n", encoding="utf-8")


@pytest.mark.parametrize("words", [("run", "p.rtfs"), ("run", "p.rtfs", "text")])
def test_run_new_and_again(rtfs, words):
    for _ in range(3):
        result = rtfs(*words)
        assert result.code == 1
        assert PLACE in result.err
        assert CARETS in result.err
        assert "in lib.m/boom at lib/m.rtfs:6:18" in result.err


def test_eval(rtfs):
    for _ in range(2):
        result = rtfs("eval", '(import lib.m) (lib.m/boom "a")')
        assert PLACE in result.err
        assert CARETS in result.err


def test_the_repl(rtfs):
    result = rtfs("repl", stdin='(import lib.m)\n(lib.m/boom "a")\n')
    assert PLACE in result.err
    assert CARETS in result.err


def test_json(rtfs):
    for _ in range(2):
        (found,) = rtfs("run", "p.rtfs", "--json").data["errors"]
        assert (found["file"], found["line"], found["column"]) == ("lib/m.rtfs", 3, 5)


@pytest.mark.parametrize("workers", ["1", "4"])
def test_records(rtfs, workers):
    result = rtfs("run", "p.rtfs", "--input", "in.csv", "--concurrency", workers, "--json")
    rows = [json.loads(line) for line in result.lines]
    places = [(row["error"]["file"], row["error"]["line"], row["error"]["column"]) for row in rows if "record" in row]
    assert places == [("lib/m.rtfs", 3, 5)] * 2


def test_a_limit(rtfs):
    result = rtfs("eval", "--max-steps", "100000", "(import lib.m) (lib.m/forever)")
    assert "lib/m.rtfs:4" in result.err or "lib/m.rtfs:5" in result.err
    assert "E0520" in result.err
    assert "^" in result.err
