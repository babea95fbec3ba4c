"""Files of outcomes: every form that is read, and every mistake with its line and a way out."""

from __future__ import annotations

import gzip
import json

import pytest

from rtfs_engine_router.outcomes import read_outcomes
from rtfs_framework.api.fitting import FileError

CSV = (
    'topic,prompt,weak_model_correct,strong_model_correct\na,"one, two",1,0\nb,"two\nlines",false,TRUE\nc,x,0.25,1.0\n'
)
READ = (("one, two", "two\nlines", "x"), (1.0, 0.0, 0.25), (0.0, 1.0, 1.0))


def lines(*rows):
    return "\n".join(
        json.dumps(dict(zip(("prompt", "weak_model_correct", "strong_model_correct"), row, strict=True)))
        for row in rows
    )


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize(
    ("name", "text"),
    [("o.csv", CSV), ("o.csv", "\ufeff" + CSV.replace("\n", "\r\n").replace("two\r\n", "two\n")),
     ("o.jsonl", lines(("one, two", 1, 0), ("two\nlines", False, True), ("x", 0.25, 1.0)) + "\n\n")],
    ids=["csv", "csv of a spreadsheet", "jsonl"],
)  # fmt: skip
def test_what_is_read(tmp_path, name, text, packed):
    path = tmp_path / (f"{name}.gz" if packed else name)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if packed else data)
    found = read_outcomes(path)
    assert (found.prompts, found.weak, found.strong) == READ
    assert found.gains == [-1.0, 1.0, 0.75]


HEAD = "prompt,weak_model_correct,strong_model_correct\n"


@pytest.mark.parametrize(
    ("name", "data", "code", "told"),
    [
        ("o.csv", b"prompt,weak_model_correct\nx,1\n", "E0904", "o.csv:1: the CSV has no column 'strong_"),
        ("o.csv", (HEAD + "x,1,0\ny,maybe,0\n").encode(), "E0905", "o.csv:3: 'weak_model_correct' is 'maybe'"),
        ("o.csv", (HEAD + '"a\nb",1,0\ny,1,2\n').encode(), "E0905", "o.csv:4: 'strong_model_correct' is '2'"),
        ("o.csv", (HEAD + "x,1\n").encode(), "E0905", "o.csv:2: 'strong_model_correct' is None"),
        ("o.csv", (HEAD + " ,1,0\n").encode(), "E0905", "o.csv:2: 'prompt' is no text"),
        ("o.csv", (HEAD + "x,nan,0\n").encode(), "E0905", "is 'nan', and no grade"),
        ("o.csv", (HEAD + 'x,"1"2,0\n').encode(), "E0905", "no valid CSV"),
        ("o.csv", b"", "E0904", "its columns: none"),
        ("o.csv", (HEAD + "x,1,0\n\xff").encode("latin-1"), "E0903", "o.csv:3: byte 53 is no UTF-8"),
        ("o.csv", HEAD.encode(), "E0907", "0 questions"),
        ("o.jsonl", b'{"prompt": "x"', "E0905", "o.jsonl:1: no valid JSON"),
        ("o.jsonl", b"\n[1]\n", "E0905", "o.jsonl:2: no JSON object"),
        ("o.jsonl", b'{"prompt": "x"}', "E0904", "the object has no column 'weak_model_correct'; its columns: prompt"),
        ("o.jsonl", (lines(("x", 1, 10**400))).encode(), "E0905", "'strong_model_correct' is"),
        ("o.jsonl", (lines((7, 1, 1))).encode(), "E0905", "'prompt' is no text"),
        ("o.csv.gz", gzip.compress((HEAD + "x,1,0\n" * 99).encode(), mtime=0)[:-20], "E0903", "cannot be read"),
        ("o.csv.gz", b"\x1f\x8bnonsense", "E0903", "cannot be read"),
    ],
)  # fmt: skip
def test_mistakes_have_a_place_and_a_way_out(tmp_path, name, data, code, told):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(FileError) as raised:
        read_outcomes(path)
    assert raised.value.code == code
    assert told in raised.value.problem
    assert raised.value.way_out


def test_a_file_that_is_not_there_or_is_a_folder(tmp_path):
    with pytest.raises(FileError, match="no such input file"):
        read_outcomes(tmp_path / "none.csv")
    with pytest.raises(FileError, match="cannot be read"):
        read_outcomes(tmp_path)
