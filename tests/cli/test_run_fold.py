"""`rtfs run --input` with a program that folds: one state over all records, then one value."""

from __future__ import annotations

import json

import pytest

WORDS = """
(defn fold [state record]
  (let [text (get record "text") found (or state {:records 0 :words 0})]
    (if (= text "bad")
      (throw "no such word")
      {:records (inc (:records found)) :words (+ (:words found) (count (split text " ")))})))
"""
FINISH = "(defn finish [state] (if (nil? state) :nothing (assoc state :mean (/ (:words state) (:records state)))))"
LINES = "one\ntwo words\nthree words here\n"


@pytest.fixture
def words(folder):
    (folder / "words.rtfs").write_text(WORDS + FINISH)
    (folder / "states.rtfs").write_text(WORDS)
    (folder / "in.txt").write_text(LINES)
    return folder


def test_the_value_of_finish_is_printed_and_no_rows(rtfs, words):
    result = rtfs("run", "words.rtfs", "--input", "in.txt")
    assert (result.code, result.err) == (0, "")
    assert result.lines[0] == "{:records 3 :words 6 :mean 2}"
    assert result.lines[2].startswith("3 records, 0 errors, ")


def test_without_finish_the_last_state(rtfs, words):
    (data,) = rtfs("run", "states.rtfs", "--input", "in.txt", "--json").records
    assert (data["value"], data["summary"]["records"]) == ({"records": 3, "words": 6}, 3)


def test_a_record_that_fails_leaves_the_state_and_is_told(rtfs, words):
    result = rtfs("run", "words.rtfs", "--input", "-", "--json", "--output", "out.jsonl", stdin="a\nbad\nb c\n")
    bad, data = result.records
    assert result.code == 1
    assert (bad["record"], bad["text"], bad["value"]) == (1, "bad", None)
    assert "no such word" in bad["error"]["message"]
    assert (data["value"]["words"], data["summary"]["record_errors"]) == (3, 1)
    assert [json.loads(line) for line in (words / "out.jsonl").read_text().splitlines()] == result.records
    shown = rtfs("run", "words.rtfs", "--input", "-", stdin="a\nbad\nb c\n")
    assert [line for line in shown.lines if line.startswith("bad")]


def test_records_that_cannot_be_read_give_the_state_so_far(rtfs, words):
    lines = '{"text": "a b"}\n{"text": c}\n'
    result = rtfs("run", "words.rtfs", "--input", "-", "--format", "jsonl", "--json", stdin=lines)
    assert result.code != 0
    assert result.records[0]["state"] == {"records": 1, "words": 2}
    shown = rtfs("run", "words.rtfs", "--input", "-", "--format", "jsonl", stdin=lines)
    assert shown.lines[0] == "stopped early, with this state: {:records 1 :words 2}"


def test_a_finish_that_fails_keeps_the_state_and_the_summary(rtfs, words):
    (words / "ends.rtfs").write_text(WORDS + '(defn finish [state] (throw "not today"))')
    result = rtfs("run", "ends.rtfs", "--input", "in.txt", "--json")
    assert result.code == 1
    data = result.records[0]
    assert (data["value"], data["state"], data["summary"]["records"]) == (None, {"records": 3, "words": 6}, 3)
    assert "not today" in result.out + result.err


def test_main_goes_before_a_function_that_happens_to_be_named_fold(rtfs, words):
    (words / "both.rtfs").write_text('(defn fold [a] a) (defn main [record] (fold (get record "text")))')
    first, *_ = rtfs("run", "both.rtfs", "--input", "in.txt", "--json").records
    assert first["value"] == "one"


@pytest.mark.parametrize(
    ("text", "said", "place"),
    [
        (
            "(defn fold [record] record)",
            "fold takes 1 argument (record), but it is given the state and a record",
            "1:7",
        ),
        ("(defn fold [s r] s) (defn finish [] 1)", "finish takes 0 arguments, but it is given the last state", "1:27"),
    ],
)
def test_arities_are_seen_before_anything_runs(rtfs, words, text, said, place):
    (words / "bad.rtfs").write_text(f'{text}\n(call :acme.pay "dear")')
    result = rtfs("run", "bad.rtfs", "--input", "in.txt")
    assert result.code == 2
    assert "E0908" in result.err
    assert said in result.err
    assert f"bad.rtfs:{place}" in result.err
    assert "acme.pay" not in result.err, "nothing has run"


@pytest.mark.parametrize("arguments", [("--input", "in.txt"), ("an argument",)])
def test_a_main_of_another_arity_is_seen_before_anything_runs(rtfs, words, arguments):
    (words / "bad.rtfs").write_text('(defn main [a b] a)\n(call :acme.pay "dear")')
    result = rtfs("run", "bad.rtfs", *arguments)
    assert (result.code, "main takes 2 arguments (a b)" in result.err) == (2, True)
    assert "acme.pay" not in result.err


def test_an_estimate_of_a_fold_is_refused_with_a_way_out(rtfs, words):
    result = rtfs("run", "words.rtfs", "--input", "in.txt", "--estimate")
    assert (result.code, "E0908" in result.err, "--limit 100" in result.err) == (2, True, True)


def test_records_of_a_fold_cannot_overlap(rtfs, words):
    result = rtfs("run", "words.rtfs", "--input", "in.txt", "--concurrency", 4)
    assert (result.code, "leave --concurrency out" in result.err) == (2, True)
    assert rtfs("run", "words.rtfs", "--input", "in.txt", "--concurrency", 1).code == 0
