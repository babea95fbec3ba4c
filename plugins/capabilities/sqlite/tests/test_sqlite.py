"""Queries and changes of a granted database: values, bounds, errors."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from rtfs_capability_sqlite import calls
from rtfs_capability_sqlite.plugin import SqliteGrant, rtfs_capabilities
from rtfs_framework.api import CapabilityError, CapabilityGrant, CapabilityRequest, FailureKind, Keyword, Map, to_json

OFFERED = {entry.id: entry for entry in rtfs_capabilities()}
SCHEMA = """
CREATE TABLE orders (id INTEGER PRIMARY KEY, word TEXT, price REAL, data BLOB, customer INTEGER REFERENCES customers);
CREATE TABLE customers (id INTEGER PRIMARY KEY);
CREATE TABLE log (word TEXT);
CREATE TRIGGER logged AFTER UPDATE ON orders BEGIN INSERT INTO log VALUES (new.word); END;
INSERT INTO orders VALUES (1, 'one', 1.5, x'00', NULL), (2, 'two', NULL, NULL, NULL), (3, 'é', 3, NULL, NULL);
"""


@pytest.fixture
def file(tmp_path):
    """Return a database with three orders."""
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as made:
        made.executescript(f"PRAGMA synchronous = OFF; {SCHEMA}")
    return tmp_path / "shop.sqlite"


@pytest.fixture
def ask(file):
    """Return what makes a call under grants, each a dict of a grant's keys."""

    def make(sql, given=None, id_="sqlite.query", name="shop", grants=({},), deadline=None):
        made = tuple(
            CapabilityGrant(SqliteGrant(**{"file": "shop.sqlite", **each}), str(file.parent)) for each in grants
        )
        return OFFERED[id_].handler(CapabilityRequest(id_, (name, sql, given), deadline=deadline, grants=made))

    return make


def _refusal(ask, *args, **more):
    with pytest.raises(CapabilityError) as caught:
        ask(*args, **more)
    return caught.value.kind, str(caught.value)


def _look(file, sql):
    with closing(sqlite3.connect(file)) as opened:
        return opened.execute(sql).fetchall()


def _named(**given):
    return Map.wrap({Keyword(name): value for name, value in given.items()})


def test_rows_are_maps_of_columns(ask):
    """Numbers, texts and nil."""
    rows = ask("SELECT id, word, price FROM orders ORDER BY id")
    assert to_json(rows[:2]) == [{"id": 1, "word": "one", "price": 1.5}, {"id": 2, "word": "two", "price": None}]
    assert ask("VALUES (1)")[0].get("column1") == 1
    assert ask("SELECT 1 WHERE 0") == ()


@pytest.mark.parametrize(
    ("sql", "given"),
    [
        ("SELECT ? AS x", ("'; DROP TABLE orders; --",)),
        ("SELECT :x AS x", _named(x="a")),
        ("SELECT $x AS x", Map.wrap({"x": -1})),
        ("SELECT @x AS x", _named(x=None)),
        ("SELECT ? AS x", (True,)),
        ("SELECT ? AS x", (2**63 - 1,)),
    ],
)
def test_parameters_are_bound_and_never_part_of_the_text(ask, sql, given):
    """By place or by name."""
    value = given[0] if isinstance(given, tuple) else next(iter(given.values()))
    assert ask(sql, given)[0].get("x") == value


@pytest.mark.parametrize(
    ("sql", "given", "words"),
    [
        ("SELECT ?", (), "binding"),
        ("SELECT ?", (1, 2), "binding"),
        ("SELECT :x", _named(y=1), "binding"),
        ("SELECT ?", (2**63,), "too large"),
        ("SELECT ?", ((1,),), "a parameter is"),
        ("SELECT ?", (Keyword("x"),), "a parameter is"),
        ("SELECT ?", ("\ud800",), "surrogates"),
        ("SELECT 1\0", None, "NUL"),
        ("SELECT " + "1," * 60_000 + "1", None, "100,000 characters"),
        ("SELECT 1 AS a, 2 AS a", None, "two columns are called 'a'"),
        ("SELECT data FROM orders", None, "hex"),
    ],
    ids=["none", "many", "other", "large", "vector", "keyword", "surrogate", "nul", "long", "twice", "blob"],
)
def test_wrong_statements_and_parameters_are_told(ask, sql, given, words):
    """Nothing is run with half of them."""
    kind, said = _refusal(ask, sql, given)
    assert kind == "InvalidArgument"
    assert words in said


@pytest.mark.parametrize("sql", ["SELECT nothing FROM orders", "SELECT * FROM none", "SELECT FROM", "SELECT 'x"])
def test_what_sqlite_refuses_is_told(ask, sql):
    """In its own words."""
    kind, words = _refusal(ask, sql)
    assert kind in ("StorageError", "InvalidArgument")
    assert words.startswith("SQLite: ")


def test_replies_are_bounded_in_rows_and_bytes(ask):
    """Nothing is cut off in silence; another grant of the same database may have room."""
    kind, words = _refusal(ask, "SELECT id FROM orders", grants=({"most_rows": 2},))
    assert kind == "SecurityViolation"
    assert "LIMIT" in words
    assert len(ask("SELECT id FROM orders LIMIT 2", grants=({"most_rows": 2},))) == 2
    assert _refusal(ask, "SELECT word FROM orders", grants=({"most_bytes": 5},))[0] == "SecurityViolation"
    assert len(ask("SELECT id FROM orders", grants=({"most_rows": 2}, {"most_rows": 3}))) == 3


def test_a_statement_ends_at_the_deadline(ask, monkeypatch):
    """A clock that goes on by a second at each look; no time passes here."""
    now = iter(range(1000))
    monkeypatch.setattr(calls.time, "monotonic", lambda: next(now))
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS m FROM n"
    assert _refusal(ask, endless, deadline=5) == ("StorageError", "the statement took too long")
    assert next(now) < 20


def test_changes_are_counted(ask, file):
    """The id of the row that was inserted, how many were changed or removed."""
    put = ask("INSERT INTO orders (word) VALUES (?) RETURNING id", ("four",), "sqlite.execute")
    assert to_json(put) == {"changed": 1, "last-id": 4}
    assert to_json(ask("DELETE FROM orders WHERE id > 2", None, "sqlite.execute")) == {"changed": 2, "last-id": None}
    assert _look(file, "SELECT word FROM orders") == [("one",), ("two",)]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE orders SET word = 'x'", "more than 5 rows"),
        ("INSERT INTO orders (customer) VALUES (99)", "FOREIGN KEY"),
        ("INSERT INTO orders (id) VALUES (9), (1)", "UNIQUE"),
    ],
)
def test_a_change_is_made_whole_or_not_at_all(ask, file, sql, words):
    """What a trigger does counts, too."""
    before = _look(file, "SELECT * FROM orders")
    assert words in _refusal(ask, sql, id_="sqlite.execute", grants=({"most_rows": 5},))[1]
    assert _look(file, "SELECT * FROM orders") == before
    assert _look(file, "SELECT * FROM log") == []


def test_a_database_is_called_by_its_name(ask, file):
    """That of the grant, else the file's without its ending; a path is no name."""
    assert len(ask("SELECT 1", name="other", grants=({"name": "other"},))) == 1
    for name in ("shop.sqlite", str(file), "./shop", "SHOP", "", "file:shop", "other"):
        assert _refusal(ask, "SELECT 1", name=name)[0] == "SecurityViolation"


def test_a_database_must_be_there(ask, file):
    """None is made; a folder or another file is none."""
    file.unlink()
    for id_, sql in (("sqlite.query", "SELECT 1"), ("sqlite.execute", "DELETE FROM orders")):
        assert _refusal(ask, sql, id_=id_) == ("StorageError", "the database is not there")
    assert not file.exists()
    file.write_text("no database at all" * 100, encoding="utf-8")
    kind, words = _refusal(ask, "SELECT * FROM orders")
    assert (kind, words) == ("StorageError", "SQLite: file is not a database")


def test_a_database_that_another_writes_is_waited_for_and_left(ask, file):
    """It may be asked again: nothing was done."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CapabilityError) as caught:
            ask("DELETE FROM orders", None, "sqlite.execute", deadline=0.01)
    assert caught.value.failure is FailureKind.SAFE


def test_a_database_in_wal_mode_is_read_beside_its_writer(ask, file):
    """A query sees what was committed; the writer is not kept waiting."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM orders")
        assert ask("SELECT count(*) AS n FROM orders")[0].get("n") == 3
        other.execute("COMMIT")
        assert ask("SELECT count(*) AS n FROM orders")[0].get("n") == 0


def test_a_grant_without_a_file_cannot_be_made():
    """So a bare name in `grant` grants nothing."""
    with pytest.raises(TypeError):
        SqliteGrant()
    with pytest.raises(ValueError, match="file"):
        SqliteGrant(file="")
