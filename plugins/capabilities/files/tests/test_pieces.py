"""Data in pieces: every row once, in order, whatever the size of the pieces, and nothing kept between them."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace

import pytest

from rtfs_capability_files import wholes
from rtfs_capability_files.plugin import FilesGrant, rtfs_capabilities
from rtfs_framework.api import (
    CapabilityError,
    CapabilityGrant,
    CapabilityRequest,
    Keyword,
    Map,
    read_value,
    to_json,
    write,
)

OFFERED = {entry.id: entry for entry in rtfs_capabilities()}


def _of(options):
    return Map.wrap({Keyword(name): value for name, value in options.items()})


@pytest.fixture
def ask(tmp_path):
    """Return what asks for one piece: rows and the token."""

    def make(id_, path, grant=None, **options):
        grants = (CapabilityGrant(FilesGrant(roots=(".",), **(grant or {})), str(tmp_path)),)
        reply = OFFERED[id_].handler(CapabilityRequest(id_, (_of({"path": path, **options}),), grants=grants))
        return reply.get(Keyword("rows")), reply.get(Keyword("next"))

    return make


@pytest.fixture
def all_rows(ask):
    """Return what reads a file piece by piece; each token is printed and read back, as by another process."""

    def make(id_, path, **options):
        rows, pieces, token = [], 0, None
        while True:
            found, token = ask(id_, path, **options, next=token)
            rows += found
            pieces += 1
            if token is None:
                return to_json(tuple(rows)), pieces
            token = read_value(write(token))

    return make


def _refusal(ask, *args, **more):
    with pytest.raises(CapabilityError) as caught:
        ask(*args, **more)
    return caught.value.kind, str(caught.value)


CSV = 'sep=;\n\nname ; n\n"A; ""a"""; 1\n\n"two\nlines";2\né;3\n'


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
@pytest.mark.parametrize(("encoding", "end"), [("utf-8", "\n"), ("utf-8-sig", "\r\n"), ("latin-1", "\n")])
def test_every_row_of_a_csv_comes_once(all_rows, tmp_path, rows, encoding, end):
    """Cells over several lines, marks, blank lines, a delimiter that the file names."""
    (tmp_path / "a.csv").write_bytes(CSV.replace("\n", end).encode(encoding))
    more = {"encoding": "latin-1"} if encoding == "latin-1" else {}
    found, _ = all_rows("data.csv", "a.csv", rows=rows, **more)
    names = [row["name"].replace("\r", "") for row in found]
    assert names == ['A; "a"', "two\nlines", "é"]
    assert [row["n"].strip() for row in found] == ["1", "2", "3"]


@pytest.mark.parametrize("most", [20, 64, 10_000])
def test_pieces_are_bounded_in_bytes(all_rows, ask, tmp_path, most):
    """A piece ends behind the row that reaches the bound; a line beyond it is refused, with the way out."""
    (tmp_path / "a.jsonl").write_text("".join(f'{{"n": {n}}}\n' for n in range(100)), encoding="utf-8")
    rows, pieces = all_rows("data.jsonl", "a.jsonl", grant={"most_bytes": most})
    assert [row["n"] for row in rows] == list(range(100))
    assert pieces == {20: 48, 64: 15, 10_000: 1}[most]
    kind, words = _refusal(ask, "data.jsonl", "a.jsonl", grant={"most_bytes": 5})
    assert kind == "InvalidArgument"
    assert "at line 1 a row has more than the 5 bytes" in words


def test_a_quote_that_is_never_closed_ends_at_the_bound(ask, tmp_path):
    """A cell over many lines is one row, however short they are."""
    (tmp_path / "a.csv").write_text('a\n"' + "x\n" * 1000, encoding="utf-8")
    assert "a row has more than the 100 bytes" in _refusal(ask, "data.csv", "a.csv", grant={"most_bytes": 100})[1]


def test_cells_become_what_the_call_says(ask, tmp_path):
    """An empty cell is nil; what is no number is refused by line and column."""
    (tmp_path / "a.csv").write_text("n,x,ok,t\n1, 1.5,TRUE,1\n-2,+3,false,\n,,,\n", encoding="utf-8")
    kinds = {"n": Keyword("int"), "x": Keyword("float"), "ok": Keyword("bool"), "t": Keyword("string")}
    rows, _ = ask("data.csv", "a.csv", types=Map.wrap(kinds))
    assert to_json(rows) == [
        {"n": 1, "x": 1.5, "ok": True, "t": "1"},
        {"n": -2, "x": 3.0, "ok": False, "t": ""},
        {"n": None, "x": None, "ok": None, "t": ""},
    ]
    kind, words = _refusal(ask, "data.csv", "a.csv", types=Map.wrap({"x": Keyword("int")}))
    assert (kind, words) == ("InvalidArgument", "\"a.csv\": line 2, column 'x': no int")
    assert "no column 'y'" in _refusal(ask, "data.csv", "a.csv", types=Map.wrap({"y": Keyword("int")}))[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is empty"),
        ("a,a\n1,2\n", "several columns 'a'"),
        ("a,b\n1\n", "line 2: the row has 1 cells, the header 2"),
        ('a,b\n1,"2\n', "line 2: no valid CSV: a quote is never closed"),
        ("a,b\n1,\0\n", "line 2: a cell holds the character NUL"),
        ("a,b\r1,2\r", "end with CR alone"),
    ],
)
def test_what_is_no_csv_is_refused_by_line(ask, tmp_path, text, words):
    """In the same dialect as the records of `--input`."""
    (tmp_path / "a.csv").write_text(text, encoding="utf-8", newline="")
    kind, said = _refusal(ask, "data.csv", "a.csv")
    assert kind == "InvalidArgument"
    assert words in said


def test_a_tsv_has_tabs_and_a_call_names_another_delimiter(ask, tmp_path):
    """One character, and none that means something else."""
    (tmp_path / "a.tsv").write_text("a\tb\n1\t2\n", encoding="utf-8")
    (tmp_path / "a.csv").write_text("a|b\n1|2\n", encoding="utf-8")
    assert to_json(ask("data.csv", "a.tsv")[0]) == [{"a": "1", "b": "2"}]
    assert to_json(ask("data.csv", "a.csv", delimiter="|")[0]) == [{"a": "1", "b": "2"}]
    for wrong in ("", "||", '"', "\n"):
        assert "one character" in _refusal(ask, "data.csv", "a.csv", delimiter=wrong)[1]


def test_lines_of_json_may_hold_anything_but_mistakes(ask, tmp_path):
    """A bad line is told by its number."""
    (tmp_path / "a.jsonl").write_text('{"a": [1, null]}\n\n"b"\n{"c"\n', encoding="utf-8")
    assert to_json(ask("data.jsonl", "a.jsonl", rows=2)[0]) == [{"a": [1, None]}, "b"]
    kind, words = _refusal(ask, "data.jsonl", "a.jsonl")
    assert kind == "JsonError"
    assert "line 4" in words


@pytest.mark.parametrize(("id_", "name"), [("data.csv", "a.csv"), ("data.jsonl", "a.jsonl")])
def test_wide_encodings_are_not_read_in_pieces(ask, tmp_path, id_, name):
    """Their line ends are no bytes; the way out is said."""
    (tmp_path / name).write_bytes("a\n1\n".encode("utf-16"))
    assert "save it in UTF-8" in _refusal(ask, id_, name, encoding="utf-16")[1]
    assert "line 1 is not utf-8" in _refusal(ask, id_, name)[1]


@pytest.mark.parametrize("id_", ["data.csv", "data.jsonl", "data.json"])
def test_a_file_that_has_changed_is_begun_again(ask, tmp_path, id_):
    """The rows behind the token would be others."""
    (tmp_path / "a").write_text('["a",\n"b",\n"c"]\n' if id_ == "data.json" else '"a"\n"b"\n"c"\n', encoding="utf-8")
    _, token = ask(id_, "a", rows=1)
    assert len(ask(id_, "a", rows=1, next=token)[0]) == 1
    os.utime(tmp_path / "a", (1, 1))
    kind, words = _refusal(ask, id_, "a", rows=1, next=token)
    assert kind == "InvalidArgument"
    assert "begin again" in words


@pytest.mark.parametrize("rows", [0, -1, 11])
def test_a_call_asks_for_some_rows_and_no_more_than_are_granted(ask, tmp_path, rows):
    """Ten here."""
    (tmp_path / "a.jsonl").write_text("1\n" * 20, encoding="utf-8")
    grant = {"most_rows": 10}
    assert len(ask("data.jsonl", "a.jsonl", grant=grant)[0]) == 10
    assert "from 1 to 10" in _refusal(ask, "data.jsonl", "a.jsonl", grant=grant, rows=rows)[1]


@pytest.mark.parametrize("rows", [1, 3, 100])
def test_items_of_an_array_come_in_pieces_and_anything_else_is_one(all_rows, ask, tmp_path, rows):
    """The file is read whole, so its size is bounded."""
    (tmp_path / "a.json").write_text(json.dumps([1, {"n": [2]}, None, "x"]), encoding="utf-8")
    (tmp_path / "b.json").write_text('{"n": 1}', encoding="utf-8")
    (tmp_path / "c.json").write_text("[1,", encoding="utf-8")
    assert all_rows("data.json", "a.json", rows=rows)[0] == [1, {"n": [2]}, None, "x"]
    assert to_json(ask("data.json", "b.json")[0]) == [{"n": 1}]
    assert _refusal(ask, "data.json", "c.json")[0] == "JsonError"
    assert _refusal(ask, "data.json", "a.json", grant={"most_bytes": 5})[0] == "SecurityViolation"


@pytest.fixture
def parquet(tmp_path):
    """Write a Parquet file of 10 rows in groups of 4."""
    pyarrow, files = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = [{"n": n, "t": f"é{n}", "more": {"xs": [n]}} for n in range(10)]
    files.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet", row_group_size=4)
    files.write_table(pyarrow.table({"b": [b"bytes"]}), tmp_path / "b.parquet")
    return rows


@pytest.mark.parametrize("rows", [1, 3, 4, 7, 100])
def test_rows_of_parquet_come_in_pieces(all_rows, ask, parquet, rows):
    """Over row groups; what has no value of programs is refused."""
    assert all_rows("data.parquet", "a.parquet", rows=rows)[0] == parquet
    assert "bytes" in _refusal(ask, "data.parquet", "b.parquet")[1]
    assert _refusal(ask, "data.parquet", "a.parquet", grant={"most_bytes": 8})[0] == "SecurityViolation"


@pytest.mark.parametrize("rows", [1, 3, 4, 5, 100])
def test_batches_of_row_groups_become_pieces(all_rows, tmp_path, monkeypatch, rows):
    """Batches that end where a row group does, as pyarrow's may, lose no row and double none."""
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    groups = [[0, 1, 2, 3], [], [4], [5, 6, 7, 8, 9]]
    monkeypatch.setattr(wholes, "import_module", lambda _: SimpleNamespace(ParquetFile=lambda _: FakeParquet(groups)))
    assert all_rows("data.parquet", "a.parquet", rows=rows)[0] == [{"n": n} for n in range(10)]


class FakeParquet:
    """As much of `pyarrow.parquet.ParquetFile` as is used; its batches never cross row groups."""

    def __init__(self, groups):
        self.groups, self.num_row_groups = groups, len(groups)
        self.metadata = SimpleNamespace(row_group=lambda each: SimpleNamespace(num_rows=len(groups[each])))

    def iter_batches(self, *, batch_size, row_groups):
        for group in row_groups:
            for begin in range(0, len(self.groups[group]), batch_size):
                yield FakeBatch(self.groups[group][begin : begin + batch_size])


class FakeBatch:
    """A record batch of one column."""

    def __init__(self, numbers):
        self.numbers, self.num_rows, self.nbytes = numbers, len(numbers), 8 * len(numbers)

    def slice(self, offset, length):
        return FakeBatch(self.numbers[offset : offset + length])

    def to_pylist(self):
        return [{"n": number} for number in self.numbers]


def test_what_is_no_parquet_is_refused(ask, tmp_path):
    """Without a trace of pyarrow's own errors."""
    pytest.importorskip("pyarrow")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    kind, words = _refusal(ask, "data.parquet", "a.parquet")
    assert kind == "InvalidArgument"
    assert "no Parquet file" in words


class OddArrowError(Exception):
    """An error of pyarrow's own, as of a capacity, which is none of Python's."""


@pytest.mark.parametrize(
    "error", [OverflowError, ZeroDivisionError, KeyError, IndexError, TypeError, NotImplementedError, RecursionError,
              UnicodeError, OSError, OddArrowError]
)  # fmt: skip
def test_whatever_a_parquet_file_breaks_is_said_of_the_file(ask, tmp_path, monkeypatch, error):
    """Such as a time that Python has none of, or a type that pyarrow does not read: it is no fault of the plug-in."""
    (tmp_path / "a.parquet").write_bytes(b"PAR1")

    def broken(_):
        raise error("such as it is")

    made = SimpleNamespace(ParquetFile=broken, ArrowException=OddArrowError)
    monkeypatch.setattr(wholes, "import_module", lambda _: made)
    kind, words = _refusal(ask, "data.parquet", "a.parquet")
    assert kind == "InvalidArgument"
    assert "no Parquet file that can be read" in words


def test_times_that_python_has_none_of_are_refused(ask, tmp_path):
    """As pyarrow itself writes and fails to read them."""
    pyarrow, files = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    far = pyarrow.array([1 << 62], pyarrow.timestamp("ms"))
    files.write_table(pyarrow.table({"t": far}), tmp_path / "a.parquet")
    assert _refusal(ask, "data.parquet", "a.parquet")[0] == "InvalidArgument"


def test_without_pyarrow_the_way_out_is_said(ask, tmp_path, monkeypatch):
    """It is an extra of the distribution."""
    (tmp_path / "a.parquet").write_bytes(b"PAR1")

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr("rtfs_capability_files.wholes.import_module", missing)
    kind, words = _refusal(ask, "data.parquet", "a.parquet")
    assert kind == "ResourceError"
    assert "rtfs-capability-files[parquet]" in words
