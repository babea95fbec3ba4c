"""Inputs as the world has them: any encoding, line end and delimiter is read, or refused with place and way out."""

from __future__ import annotations

import csv
import gzip
import json
from math import factorial

import pytest

from rtfs_framework.cli.records.encodings import encoding_of

OLD_MAC = b"text,id\rhello,1\rworld,2\r"
TABLE = "text,id\r\nhéllo,1\r\n"


@pytest.fixture
def read(rtfs, folder):
    """Return the records that a program gets of an input, or what was said."""
    (folder / "id.rtfs").write_text("(defn main [r] r)", encoding="utf-8")

    def run(raw: bytes, *args: str, name: str = "-", code: int = 0):
        if name != "-":
            (folder / name).write_bytes(raw)
        result = rtfs("run", "id.rtfs", "--input", name, "--json", "--no-journal", *args, stdin=raw)
        assert result.code == code, result
        assert "E0999" not in result.out + result.err
        if code:
            return result.records[-1]["errors"][0] if result.out else result.err
        return [record["value"] for record in result.records[:-1]]

    return run


@pytest.mark.parametrize("name", ["-", "in.log", "in.txt"])
@pytest.mark.parametrize(
    ("raw", "texts"),
    [
        (b"Downloading 10%\rDownloading 100%\ndone\n", ["Downloading 10%\rDownloading 100%", "done"]),
        (b"a\0b\nc\n", ["a\0b", "c"]),
        (b"one\rtwo\r", ["one", "two"]),
        (b"one\rtwo", ["one", "two"]),
        (b"one\r\ntwo\r\n", ["one", "two"]),
        (b"one\r", ["one"]),
        (b"\xef\xbb\xbfone\n", ["one"]),
        (b'say "hi\n', ['say "hi']),
        ("größe\n日本\n".encode("utf-16"), ["größe", "日本"]),
        ("größe\n日本\n".encode("utf-32"), ["größe", "日本"]),
        (b"\xfe\xff" + "größe\n".encode("utf-16-be"), ["größe"]),
        (b"\xff\xfe" + "one\rtwo\r".encode("utf-16-le"), ["one", "two"]),
    ],
)
def test_lines_of_text(read, name, raw, texts) -> None:
    assert [record["text"] for record in read(raw, name=name)] == texts


@pytest.mark.parametrize("name", ["-", "in.csv", "in.log"])
@pytest.mark.parametrize(
    "raw",
    [
        TABLE.encode(),
        TABLE.encode("utf-8-sig"),
        TABLE.encode("utf-16"),
        TABLE.encode("utf-32"),
        b"\xfe\xff" + TABLE.encode("utf-16-be"),
        TABLE.replace("\r\n", "\r").encode(),
        TABLE.replace("\r\n", "\r\r\n").encode(),
        b"\r\n\n  \n" + TABLE.encode(),
        b"sep=;\r\n" + TABLE.replace(",", ";").encode(),
        b'"sep=;"\n' + TABLE.replace(",", ";").encode(),
        b"sep=\t\n" + TABLE.replace(",", "\t").encode(),
    ],
)
def test_tables(read, name, raw) -> None:
    if b"\r\r\n" in raw and name != "in.csv":
        pytest.skip("such a first line is no header by itself")
    args = ["--format", "csv"] if raw.startswith(b"\r\n\n") and name != "in.csv" else []
    assert read(raw, *args, name=name) == [{"text": "héllo", "id": "1"}]


def test_an_explicit_encoding_and_its_mark(read) -> None:
    raw = b"\xff\xfe" + TABLE.encode("utf-16-le")
    assert read(raw, "--encoding", "utf-16-le", name="in.csv") == [{"text": "héllo", "id": "1"}]
    assert read(TABLE.encode("cp1252"), "--encoding", "cp1252", name="in.csv") == [{"text": "héllo", "id": "1"}]
    assert read(TABLE.encode("cp037"), "--encoding", "cp037", name="in.csv") == [{"text": "héllo", "id": "1"}]


def test_a_packed_table_of_an_old_mac(read) -> None:
    assert [each["id"] for each in read(gzip.compress(OLD_MAC), name="in.csv.gz")] == ["1", "2"]


def test_json_lines_of_an_old_mac(read) -> None:
    assert read(b'{"text": "a"}\r{"text": "b"}\r', name="in.jsonl") == [{"text": "a"}, {"text": "b"}]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["-", "in.csv", "in.jsonl", "in.txt"])
def test_wide_text_without_a_mark_is_told_its_name(read, encoding, name) -> None:
    error = read(TABLE.encode(encoding), name=name, code=1)
    assert (error["code"], error["help"]) == ("E0902", f"name its encoding: --encoding {encoding}")


@pytest.mark.parametrize(
    "name",
    [
        "rot13",
        "base64",
        "hex",
        "zip",
        "bz2",
        "uu",
        "quopri",
        "idna",
        "punycode",
        "undefined",
        "unicode_escape",
        "no",
        "é",
    ],
)
def test_what_is_no_text_encoding(rtfs, folder, name) -> None:
    (folder / "in.txt").write_text("a\n", encoding="utf-8")
    result = rtfs("run", "pure.rtfs", "--input", "in.txt", "--encoding", name)
    assert (result.code, result.err.splitlines()[0]) == (2, f"error[E0910]: no text encoding is called '{name}'")
    assert "help: " in result.err


def test_an_encoding_that_was_mistyped(rtfs, folder) -> None:
    (folder / "in.txt").write_text("a\n", encoding="utf-8")
    assert "did you mean 'utf-8'?" in rtfs("run", "pure.rtfs", "--input", "in.txt", "--encoding", "utf-9").err


@pytest.mark.parametrize("delimiter", ["\n", "\r", '"', "", ";;", "\0", "\x1b", "\x85", "\u2028", "\udce9"])
def test_impossible_delimiters(rtfs, folder, delimiter) -> None:
    (folder / "in.csv").write_text("text,id\na,1\n", encoding="utf-8")
    result = rtfs("run", "pure.rtfs", "--input", "in.csv", "--delimiter", delimiter)
    assert result.code == 2
    assert "--delimiter: must be one character that can stand in a line, such as ';', or 'tab'" in result.err


@pytest.mark.parametrize("delimiter", [";", "|", "\t", "tab", " ", ":", "§", "💥"])
def test_possible_delimiters(read, delimiter) -> None:
    raw = "text,id\na,1\n".replace(",", "\t" if delimiter == "tab" else delimiter).encode()
    assert read(raw, "--delimiter", delimiter, name="in.csv") == [{"text": "a", "id": "1"}]


@pytest.mark.parametrize(("delimiter", "said"), [(";", "';'"), ("\t", "tab"), ("|", "'|'")])
@pytest.mark.parametrize("name", ["-", "in.csv", "in.log"])
def test_another_delimiter_is_advised(read, name, delimiter, said) -> None:
    error = read(f"text{delimiter}id\na{delimiter}1\n".encode(), name=name, code=2)
    assert (error["code"], error["line"], error["column"]) == ("E0904", 1, 1)
    assert error["help"] == f"its columns are separated otherwise: say --delimiter {said}"
    assert error["file"] == ("<stdin>" if name == "-" else name)


def test_another_delimiter_is_advised_where_the_column_has_another_name(read) -> None:
    error = read(b"body;id\na;1\n", name="in.csv", code=2)
    assert error["help"] == "its columns are separated otherwise: say --delimiter ';'"


@pytest.mark.parametrize(
    ("raw", "records"),
    [
        (b"text,id,,\na,1,,\nb,2, ,\n", [{"text": "a", "id": "1"}, {"text": "b", "id": "2"}]),
        (b",,\ntext,id,\na,1,\n,,\n", [{"text": "a", "id": "1", "": ""}]),
        (b",text\n7,a\n", [{"": "7", "text": "a"}]),
        (b"text,id\na,1\n\n , \nb,2\n", [{"text": "a", "id": "1"}, {"text": " ", "id": " "}, {"text": "b", "id": "2"}]),
    ],
)
def test_columns_and_rows_that_spreadsheets_leave_empty(read, raw, records) -> None:
    found = [record for record in read(raw, name="in.csv") if any(record.values())]
    assert found == [record for record in records if any(record.values())]


@pytest.mark.parametrize(
    ("raw", "place", "message"),
    [
        (b"text,id,,\na,1,x,\n", (2, 1), "the row has a cell in a column without a name"),
        (b"text,id\na,1\nb,2,3\n", (3, 1), "the row has 3 cells, the header 2"),
        (b"\n\ntext,id\na\n", (4, 1), "the row has 1 cells, the header 2"),
        (b'text,id\n"a\nb",1\n"c\nd"\n', (4, 1), "the row has 1 cells, the header 2"),
        (b"text,id\na\0b,1\n", (2, 2), "a cell holds the character NUL"),
        (b"te\0xt,id\na,1\n", (1, 3), "a cell holds the character NUL"),
        (b"text,id\na\rb,1\n", (2, 2), "no valid CSV: a line end (CR) in a cell without quotes"),
        (b'text,id\n"a,1\nb,2\n', (2, 1), "no valid CSV: a quote is never closed (the row goes on to line 3)"),
        (b"text,id,id\na,1,2\n", (1, 1), "the CSV has several columns 'id'"),
        (b"text,id\nok,1\n\xe9,2\n", (3, 1), "byte 0xe9 at byte offset 13 is not UTF-8"),
        (b"\xff\xfe" + "text,id\nok,1\n".encode("utf-16-le") + b"\x00", (3, 1), "what follows line 2 is not utf-16"),
    ],
)
def test_a_bad_row_has_its_place_in_json_too(read, raw, place, message) -> None:
    error = read(raw, name="in.csv", code=1)
    assert (error["file"], (error["line"], error["column"])) == ("in.csv", place)
    assert error["message"].startswith(message)
    assert error["help"]


def test_two_keys_that_become_one_are_refused(read) -> None:
    error = read(b"body,text,text (column)\na,b,c\n", "--column", "body", name="in.csv", code=1)
    assert error["code"] == "E0904"
    line = json.dumps({"body": "a", "text": "b", "text (column)": "c"}).encode()
    assert read(line, "--column", "body", name="in.jsonl", code=1)["code"] == "E0906"


@pytest.mark.parametrize("name", ["in.csv.gz", "in.jsonl.gz", "in.txt.gz"])
def test_a_damaged_input_ends_even_where_bad_records_are_left_out(rtfs, folder, name) -> None:
    raw = b'{"text": "a"}\n' * 2000 if "json" in name else b"text,id\n" + b"a,1\n" * 5000
    (folder / name).write_bytes(gzip.compress(raw)[:-20])
    result = rtfs("run", "pure.rtfs", "--input", name, "--skip-bad", "--no-journal", "--json")
    assert "no whole gzip file" in result.out + result.err
    assert "E0999" not in result.out + result.err


def test_the_limit_of_a_field_is_told_in_our_words(read, monkeypatch) -> None:
    monkeypatch.setattr("rtfs_framework.api.csv_rows.MOST_LINE", 100)
    before = csv.field_size_limit()
    try:
        error = read(b'text,id\n"' + b"a" * 200 + b'",1\n', name="in.csv", code=1)
    finally:
        csv.field_size_limit(before)
    assert "is its quote never closed?" in error["message"]


@pytest.mark.parametrize("head", [b"", b"a", b"ab", b"text", "日本".encode(), b"\0\0", b"a\0\0b"])
def test_what_does_not_look_wide(head) -> None:
    assert encoding_of(None, head, "f") == "utf-8"


@pytest.mark.parametrize(
    "args", [("eval", '"caf\udce9"'), ("run", "hello.rtfs", "caf\udce9"), ("expand", "-e", '"caf\udce9"')]
)
def test_bytes_of_a_command_line_that_are_no_text(rtfs, args) -> None:
    result = rtfs(*args)
    assert result.code == 2
    assert "is not UTF-8: byte 0xe9 at offset" in result.err
    assert "help: " in result.err


def test_a_program_file_may_have_any_name(rtfs, folder) -> None:
    name = "caf\udce9.rtfs"
    (folder / name).write_text('(defn main [x] (call :nobody.has.this x)) "fine"', encoding="utf-8")
    result = rtfs("run", name, "a")
    assert result.code == 1
    assert result.err.startswith("caf\\udce9.rtfs:1:16: error[E0711]")
    assert rtfs("runs", "show", "last").code == 0


def test_a_conversation_goes_on_after_a_line_that_is_no_text(rtfs) -> None:
    result = rtfs("repl", stdin=b"(+ 1 1)\n\xff\xfe\n(+ 2 2)\n")
    assert (result.code, result.out) == (1, "2\n4\n")
    assert "error[E0902]" in result.err


def test_integers_of_any_size_are_decimal_in_json(rtfs) -> None:
    digits = rtfs("eval", "--json", "(reduce * 1 (range 1 2001))").out.partition('"value": ')[2].partition(",")[0]
    assert digits.isdigit()
    assert len(digits) == 5736
    assert digits.startswith(str(factorial(2000) // 10**5700))


def test_integers_and_numbers_that_are_none_keep_the_rest_of_a_record(rtfs, folder) -> None:
    program = '(defn main [r] {:id (get r "id") :n (reduce * 1 (range 1 2001)) :bad [##NaN 1 ##-Inf] :f inc})'
    (folder / "big.rtfs").write_text(program, encoding="utf-8")
    reading = ("--input", "-", "--json", "--output", "o.jsonl", "--no-journal")
    result = rtfs("run", "big.rtfs", *reading, stdin='{"id": 7, "text": "a"}')
    first = (folder / "o.jsonl").read_text(encoding="utf-8").splitlines()[0]
    assert result.code == 0
    assert first == result.lines[0]
    assert '"id": 7' in first
    assert '"bad": [null, 1, null]' in first
    assert '"f": null' in first
    assert "##NaN" in first.partition('"print": ')[2]
