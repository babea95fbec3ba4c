"""Every input that cannot be used: refused with a code, a place and a way out, and never with a traceback."""

from __future__ import annotations

import gzip

import pytest

from rtfs_framework.cli.records import lines


@pytest.fixture
def refused(rtfs):
    """Run a program over an input that is refused; return what was said."""

    def run(*args: object, code: int, stdin: bytes | str = b"") -> str:
        result = rtfs("run", "pure.rtfs", "--input", *args, stdin=stdin)
        assert result.code == code, result
        assert "Traceback" not in result.out + result.err
        assert "help: " in result.err
        return result.err

    return run


def test_a_missing_input(refused, folder) -> None:
    (folder / "messages.csv").touch()
    said = refused("mesages.csv", code=2)
    assert "error[E0901]: no such input file: mesages.csv" in said
    assert "did you mean 'messages.csv'?" in said


def test_a_missing_input_like_no_other(refused) -> None:
    assert "the current folder is" in refused("xyzzy", code=2)
    assert "there is no folder nowhere either" in refused("nowhere/x.csv", code=2)


def test_a_missing_program(rtfs) -> None:
    result = rtfs("run", "pur.rtfs")
    assert result.code == 2
    assert "error[E0901]: no such program: pur.rtfs\n  help: did you mean 'pure.rtfs'?" in result.err


def test_a_folder(refused) -> None:
    said = refused(".", code=2)
    assert "error[E0903]: . is a folder, not a input file" in said or "error[E0903]" in said
    assert "such as" in said


def test_a_csv_without_the_column(refused, folder) -> None:
    (folder / "in.csv").write_text("id,txt,date\n1,a,b\n")
    said = refused("in.csv", code=2)
    assert "in.csv:1:1: error[E0904]: the CSV has no column 'text'; its columns: id, txt, date" in said
    assert "did you mean 'txt'? as in --column txt" in said


def test_a_csv_without_any_such_column(refused, folder) -> None:
    (folder / "in.csv").write_text("id,message\n1,a\n")
    assert "help: say which one holds the text: --column NAME" in refused("in.csv", code=2)
    assert "the CSV has no column 'mesage'" in (said := refused("in.csv", "--column", "mesage", code=2))
    assert "did you mean 'message'?" in said


def test_a_csv_with_two_columns_of_one_name(refused, folder) -> None:
    (folder / "in.csv").write_text("text,id,id\na,1,2\n")
    assert "error[E0904]: the CSV has several columns 'id'" in refused("in.csv", code=1)


@pytest.mark.parametrize(
    ("row", "message"),
    [("1,a,b", "the row has 3 cells, the header 2"), ("1", "the row has 1 cells"), ('1,"never closed', "no valid CSV")],
)
def test_a_malformed_row(refused, folder, row: str, message: str) -> None:
    (folder / "in.csv").write_text(f"id,text\n0,fine\n{row}\n")
    said = refused("in.csv", code=1)
    assert "in.csv:3" in said
    assert "error[E0905]" in said
    assert message in said


def test_records_before_a_bad_one_are_shown(rtfs, folder) -> None:
    (folder / "in.csv").write_text("id,text\n0,fine\n1\n2,never seen\n")
    result = rtfs("run", "pure.rtfs", "--input", "in.csv")
    assert result.code == 1
    assert "fine" in result.out
    assert "1 records, 0 errors" in result.out
    assert "never seen" not in result.out


def test_bad_records_can_be_left_out(rtfs, folder) -> None:
    rows = b"id,text\n0,fine\n1\n2,gr\xfcn\n3,last\n"
    (folder / "in.csv").write_bytes(rows)
    result = rtfs("run", "pure.rtfs", "--input", "in.csv", "--skip-bad")
    assert result.code == 0
    assert "2 records, 0 errors, 2 bad ones left out" in result.out
    assert result.err.count("warning: left out: ") == 2
    assert "last" in result.out


def test_many_bad_records_are_only_counted(rtfs) -> None:
    result = rtfs("run", "pure.rtfs", "--input", "-", "--format", "jsonl", "--skip-bad", stdin="{\n" * 50)
    assert result.err.count("left out: ") == 10
    assert "more bad records are left out and only counted" in result.err
    assert "50 bad ones left out" in result.out


def test_invalid_utf8(refused, folder) -> None:
    (folder / "in.txt").write_bytes(b"eins\nzwei " + b"gr\xfcn\n")
    said = refused("in.txt", code=1)
    assert "in.txt:2:8: error[E0902]: byte 0xfc at byte offset 12 is not UTF-8" in said
    assert "--encoding latin-1" in said
    assert "^" in said


def test_a_program_that_is_not_utf8(rtfs, folder) -> None:
    (folder / "bad.rtfs").write_bytes(b'(str "gr\xfcn")')
    result = rtfs("run", "bad.rtfs")
    assert result.code == 1
    assert "bad.rtfs:1:9: error[E0902]: byte 0xfc at offset 8 is not UTF-8" in result.err


def test_text_of_another_wide_encoding(refused, folder) -> None:
    (folder / "in.txt").write_bytes("eins\n".encode("utf-16") + b"\x00")
    assert "error[E0902]" in refused("in.txt", "--encoding", "utf-16", code=1)


@pytest.mark.parametrize("args", [["--encoding", "utf-9"], ["--column", "x", "--format", "text"]])
def test_choices_that_there_are_not(refused, folder, args: list[str]) -> None:
    (folder / "in.txt").write_text("a\n")
    assert "error[E0910]" in refused("in.txt", *args, code=2)


@pytest.mark.parametrize(
    ("line", "place", "message"),
    [
        ('{"text": }', "2:10", "no valid JSON"),
        ('{"text": NaN}', "2:1", "NaN is not JSON"),
        ("[1]", "2:1", "a record must be a JSON object, this is an array"),
        ('{"txt": "a"}', "2:1", "the record has no key 'text'; its keys: txt"),
        ("{}", "2:1", "its keys: none"),
    ],
)
def test_malformed_json(refused, folder, line: str, place: str, message: str) -> None:
    (folder / "in.jsonl").write_text('{"text": "fine"}\n' + line + "\n")
    said = refused("in.jsonl", code=1)
    assert f"in.jsonl:{place}: error[E090" in said
    assert message.lower() in said.lower()


@pytest.mark.parametrize(("name", "text"), [("in.txt", "\n \n"), ("in.csv", "id,text\n"), ("in.jsonl", "")])
def test_an_input_without_records(refused, folder, name: str, text: str) -> None:
    (folder / name).write_text(text)
    assert f"error[E0907]: {name} holds no records" in refused(name, code=1)


def test_an_empty_csv(refused, folder) -> None:
    (folder / "in.csv").touch()
    assert "error[E0907]: in.csv is empty" in refused("in.csv", code=1)


def test_an_empty_standard_input(refused) -> None:
    assert "error[E0907]: <stdin> holds no records" in refused("-", code=1)


def test_an_endless_line(refused, folder, monkeypatch) -> None:
    monkeypatch.setattr(lines, "MOST", 1000)
    (folder / "in.txt").write_text("short\n" + "x" * 5000 + "\nshort\n")
    assert "in.txt:2:1: error[E0911]: the line is longer than" in refused("in.txt", code=1)


def test_a_damaged_gzip_file(refused, folder) -> None:
    (folder / "in.txt.gz").write_bytes(gzip.compress(b"hello\n" * 1000)[:-20])
    assert "error[E0903]: in.txt.gz: no whole gzip file" in refused("in.txt.gz", code=1)


def test_a_program_without_main_reads_nothing(rtfs, folder) -> None:
    (folder / "sum.rtfs").write_text("(+ 1 2)")
    result = rtfs("run", "sum.rtfs", "--input", "-", stdin="a\n")
    assert result.code == 2
    assert "error[E0908]: sum.rtfs defines no main function" in result.err


def test_a_main_that_takes_no_record(rtfs, folder) -> None:
    (folder / "two.rtfs").write_text("(defn main [a b] a)")
    result = rtfs("run", "two.rtfs", "--input", "-", stdin="a\n")
    assert result.code == 2
    assert "main takes 2 arguments (a b), but a record is one argument" in result.err


def test_an_output_that_cannot_be_written(refused, folder) -> None:
    (folder / "in.txt").write_text("a\n")
    assert "error[E0912]: nowhere/out.jsonl cannot be written" in refused(
        "in.txt", "--output", "nowhere/out.jsonl", code=2
    )
    assert "error[E0912]: in.txt is the input itself" in refused("in.txt", "--output", "in.txt", code=2)
    assert (folder / "in.txt").read_text() == "a\n"


def test_a_missing_configuration(refused, folder) -> None:
    (folder / "in.txt").write_text("a\n")
    (folder / "delegation.toml").touch()
    said = refused("in.txt", "--config", "delegaton.toml", code=2)
    assert "error[E0901]: no such configuration" in said
    assert "did you mean 'delegation.toml'?" in said


def test_bad_input_as_json(rtfs) -> None:
    result = rtfs("run", "pure.rtfs", "--input", "nope.csv", "--json")
    assert (result.code, result.err) == (2, "")
    assert [error["code"] for error in result.data["errors"]] == ["E0901"]
