"""`rtfs run --input`: CSV, JSON Lines and text, from files and the standard input; the table, the summary, JSON."""

from __future__ import annotations

import gzip
import json

import pytest

CSV = 'id,text\n1,"Where is it, please?"\n2,"two\nlines"\n'
JSONL = '{"id": 1, "text": "Where?"}\n\n{"id": 2, "text": "So so", "tags": ["a", null]}\n'


def test_a_table_and_a_summary(rtfs, folder) -> None:
    (folder / "in.csv").write_text(CSV)
    result = rtfs("run", "pure.rtfs", "--input", "in.csv")
    assert (result.code, result.err) == (0, "")
    head, rule, first, second = result.lines[:4]
    assert head.split("  ")[0] == "message"
    assert [word for word in head.split() if word in {"length", "question?", "cost"}] == ["length", "question?", "cost"]
    assert set(rule) == {"-", " "}
    assert first.split("  ")[0] == "Where is it, please?"
    assert "kernel" in first
    assert second.startswith("two lines ")
    assert result.lines[5].startswith("2 records, 0 errors, ")
    assert result.lines[-1] == "refused  0"


def test_jsonl_and_json_output(rtfs, folder) -> None:
    (folder / "in.jsonl").write_text(JSONL)
    (folder / "echo.rtfs").write_text("(defn main [record] record)")
    first, second, closing = rtfs("run", "echo.rtfs", "--input", "in.jsonl", "--json").records
    assert first["value"] == {"id": 1, "text": "Where?"}
    assert (second["record"], second["text"]) == (1, "So so")
    assert second["value"]["tags"] == ["a", None]
    assert closing["summary"]["records"] == 2


def test_lines_of_text(rtfs, folder) -> None:
    (folder / "in.txt").write_bytes("\ufeffone\r\n\r\n  zwei ü\r\nlast".encode())
    records = rtfs("run", "pure.rtfs", "--input", "in.txt", "--json").records
    assert [record["text"] for record in records[:-1]] == ["one", "  zwei ü", "last"]


@pytest.mark.parametrize(
    ("stdin", "texts"),
    [
        ("plain\nlines, two\n", ["plain", "lines, two"]),
        ('{"text": "a"}\n{"text": "b"}\n', ["a", "b"]),
        ("id,text\n1,a\n", ["a"]),
        ("a text, with commas\n", ["a text, with commas"]),
    ],
)
def test_the_standard_input_is_recognised(rtfs, stdin: str, texts: list[str]) -> None:
    records = rtfs("run", "pure.rtfs", "--input", "-", "--json", stdin=stdin).records
    assert [record["text"] for record in records[:-1]] == texts


def test_the_format_can_be_said(rtfs) -> None:
    result = rtfs("run", "pure.rtfs", "--input", "-", "--format", "text", "--json", stdin='{"text": "a"}\n')
    assert result.records[0]["text"] == '{"text": "a"}'


def test_another_column(rtfs, folder) -> None:
    (folder / "in.csv").write_text("Body,text\nhello,x\n")
    (folder / "echo.rtfs").write_text("(defn main [record] record)")
    first, _ = rtfs("run", "echo.rtfs", "--input", "in.csv", "--column", "Body", "--json").records
    assert first["text"] == "hello"
    assert first["value"] == {"text": "hello", "text (column)": "x"}


def test_another_key(rtfs, folder) -> None:
    (folder / "in.jsonl").write_text('{"body": "hello"}\n')
    first, _ = rtfs("run", "pure.rtfs", "--input", "in.jsonl", "--column", "body", "--json").records
    assert first["text"] == "hello"


def test_tabs_and_other_delimiters(rtfs, folder) -> None:
    (folder / "in.tsv").write_text("id\ttext\n1\ta,b\n")
    (folder / "in.csv").write_text("id;text\n1;a,b\n")
    assert rtfs("run", "pure.rtfs", "--input", "in.tsv", "--json").records[0]["text"] == "a,b"
    assert rtfs("run", "pure.rtfs", "--input", "in.csv", "--delimiter", ";", "--json").records[0]["text"] == "a,b"


def test_a_gzipped_file(rtfs, folder) -> None:
    (folder / "in.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    assert rtfs("run", "pure.rtfs", "--input", "in.csv.gz", "--json").records[-1]["summary"]["records"] == 2


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "cp1252"])
def test_another_encoding(rtfs, folder, encoding: str) -> None:
    (folder / "in.txt").write_bytes("grün\nblau\n".encode(encoding))
    records = rtfs("run", "pure.rtfs", "--input", "in.txt", "--encoding", encoding, "--json").records
    assert [record["text"] for record in records[:-1]] == ["grün", "blau"]


def test_a_limit(rtfs) -> None:
    result = rtfs("run", "pure.rtfs", "--input", "-", "--limit", 2, "--json", stdin="a\nb\nc\n")
    assert result.records[-1]["summary"]["records"] == 2


def test_results_go_to_a_file_too(rtfs, folder) -> None:
    result = rtfs("run", "pure.rtfs", "--input", "-", "--output", "out.jsonl", stdin="a\nb?\n")
    assert result.lines[0].startswith("message")
    first, second, closing = map(json.loads, (folder / "out.jsonl").read_text().splitlines())
    assert [first["value"], second["value"]] == [{"length": 1, "question?": False}, {"length": 2, "question?": True}]
    assert closing["summary"]["records"] == 2


def test_a_failing_record_does_not_stop_the_others(rtfs, folder) -> None:
    (folder / "picky.rtfs").write_text('(defn main [r] (if (= (get r "text") "bad") (/ 1 0) (count (get r "text"))))')
    result = rtfs("run", "picky.rtfs", "--input", "-", stdin="one\nbad\nthree\n")
    assert result.code == 1
    assert "    error[E0504]: DivisionByZero: Division by zero" in result.out
    assert "3 records, 1 errors" in result.out
    assert "1 x E0504 DivisionByZero: Division by zero (first at record 2)" in result.out
    assert result.lines[0].split()[:2] == ["message", "value"]


def test_a_failing_record_in_json(rtfs, folder) -> None:
    (folder / "bad.rtfs").write_text('(defn main [r] (+ 1 (get r "text")))')
    first, closing = rtfs("run", "bad.rtfs", "--input", "-", "--json", stdin="x\n").records
    assert (first["value"], first["error"]["code"]) == (None, "E0502")
    assert closing["summary"]["record_errors"] == 1


def test_control_characters_cannot_reach_the_terminal(rtfs) -> None:
    result = rtfs("run", "pure.rtfs", "--input", "-", stdin="a\x1b[2Jb\x07\n")
    assert "\x1b" not in result.out
    assert r"a\u001b[2Jb\u0007" in result.out


def test_keys_that_come_later_are_shown(rtfs, folder) -> None:
    (folder / "late.rtfs").write_text('(defn main [r] (if (= (get r "text") "z") {:z 1} {:a 1}))')
    result = rtfs("run", "late.rtfs", "--input", "-", stdin="a\n" * 20 + "z\n")
    assert "    z=1" in result.out


def test_long_cells_are_wrapped_at_first_and_cut_later(rtfs) -> None:
    text = "word " * 60
    result = rtfs("run", "pure.rtfs", "--input", "-", stdin=f"{text}\n" * 60)
    assert "…" not in "\n".join(result.lines[:100])
    assert sum("…" in line for line in result.lines) == 10
    assert max(map(len, result.lines[:-8])) <= 120


@pytest.mark.needs("rtfs-provider-rules", "rtfs-cache-l2")
def test_a_second_run_is_served_from_memory_and_says_so(rtfs, folder) -> None:
    (folder / "in.txt").write_text("I love it\nI hate it so much\nI love it\n")
    first = rtfs("run", "feeling.rtfs", "--input", "in.txt")
    assert "feel: local sentiment (hint)" in first.out
    assert "3 x feel -> local-model sentiment: the author's hint" in first.out
    assert "served from cache: 1 of 3 model calls" in first.out
    second = rtfs("run", "feeling.rtfs", "--input", "in.txt")
    assert "served from cache: 3 of 3 model calls (L2, sound: deterministic providers)" in second.out
    assert "feel: local sentiment (hint, L2)" in second.out
    assert [line.split()[:2] for line in first.lines[:4]] == [line.split()[:2] for line in second.lines[:4]]
