"""Attempts to leave a granted database or to do more in it than is granted: all are refused, and nothing is changed."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing

import pytest

from rtfs_capability_sqlite import calls
from rtfs_capability_sqlite.plugin import SqliteGrant, rtfs_capabilities
from rtfs_capability_sqlite.rules import Authorizer
from rtfs_framework.api import CapabilityError, CapabilityGrant, CapabilityRequest, Keyword

OFFERED = {entry.id: entry for entry in rtfs_capabilities()}
SECRET = "SECRET-7f3a"
SCHEMA = f"""
CREATE TABLE orders (id INTEGER PRIMARY KEY, word TEXT);
INSERT INTO orders VALUES (1, 'one'), (2, 'two');
CREATE TABLE secrets (word TEXT);
INSERT INTO secrets VALUES ('{SECRET}');
CREATE TABLE log (word TEXT);
CREATE TABLE parts (of_order INTEGER REFERENCES orders ON DELETE CASCADE);
INSERT INTO parts VALUES (1);
CREATE VIEW all_words AS SELECT word FROM orders UNION SELECT word FROM secrets;
CREATE TRIGGER logged AFTER INSERT ON orders BEGIN INSERT INTO log VALUES (new.word); END;
"""


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a database to grant and another beside it."""
    for name in ("shop", "other"):
        with closing(sqlite3.connect(tmp_path / f"{name}.sqlite")) as made:
            made.executescript(f"PRAGMA synchronous = OFF; {SCHEMA}")
    (tmp_path / "secret.txt").write_text(SECRET, encoding="utf-8")
    return tmp_path


def _call(folder, id_, sql, given=None, **more):
    grants = (CapabilityGrant(SqliteGrant(file="shop.sqlite", **more), str(folder)),)
    return OFFERED[id_].handler(CapabilityRequest(id_, ("shop", sql, given), grants=grants, deadline=5.0))


def _state(folder):
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in folder.iterdir()}


def _refused(folder, id_, sql, given=None, kinds=("SecurityViolation",), **more):
    before = _state(folder)
    with pytest.raises(CapabilityError) as caught:
        _call(folder, id_, sql, given, **more)
    assert caught.value.kind in kinds, caught.value
    assert SECRET not in str(caught.value)
    assert str(folder) not in str(caught.value).replace(sql, "")
    assert _state(folder) == before


NEVER = {
    "attach": "ATTACH DATABASE 'FOLDER/other.sqlite' AS other",
    "attach-memory": "ATTACH ':memory:' AS m",
    "attach-uri": "ATTACH 'file:FOLDER/new.sqlite?mode=rwc' AS m",
    "attach-commented": "/* select */ ATTACH 'FOLDER/new.sqlite' AS m",
    "attach-by-parameter": "ATTACH ? AS m",
    "detach": "DETACH main",
    "vacuum": "VACUUM",
    "vacuum-into": "VACUUM INTO 'FOLDER/copy.sqlite'",
    "vacuum-into-commented": "-- select\nVACUUM main INTO 'FOLDER/copy.sqlite'",
    "vacuum-behind-semicolon": "; VACUUM INTO 'FOLDER/copy.sqlite'",
    "reindex": "REINDEX",
    "analyze": "ANALYZE",
    "pragma-writable-schema": "PRAGMA writable_schema = ON",
    "pragma-query-only": "PRAGMA query_only = OFF",
    "pragma-journal": "PRAGMA journal_mode = DELETE",
    "pragma-temp-store": "PRAGMA temp_store_directory = 'FOLDER'",
    "pragma-reading": "PRAGMA table_info(secrets)",
    "explain": "EXPLAIN SELECT * FROM orders",
    "begin": "BEGIN",
    "commit": "COMMIT",
    "end": "END",
    "rollback": "ROLLBACK",
    "savepoint": "SAVEPOINT a",
    "release": "RELEASE a",
    "create-table": "CREATE TABLE made (a)",
    "create-temporary": "CREATE TEMP TABLE orders AS SELECT * FROM secrets",
    "create-view": "CREATE VIEW made AS SELECT * FROM secrets",
    "create-trigger": "CREATE TEMP TRIGGER t AFTER INSERT ON orders BEGIN DELETE FROM secrets; END",
    "create-virtual": "CREATE VIRTUAL TABLE made USING fts5(a)",
    "create-virtual-csv": "CREATE VIRTUAL TABLE temp.made USING csv(filename='FOLDER/secret.txt')",
    "create-index": "CREATE INDEX made ON orders (word)",
    "drop": "DROP TABLE orders",
    "alter": "ALTER TABLE orders RENAME TO made",
    "stacked": "SELECT 1; DELETE FROM orders",
    "stacked-commented": "SELECT 1; /* */ DELETE FROM orders -- ",
    "stacked-change": "DELETE FROM log; DELETE FROM orders",
    "stacked-attach": "SELECT 1; ATTACH 'FOLDER/other.sqlite' AS o",
    "stacked-reading": "SELECT 1; SELECT 2",
    "load-extension": "SELECT load_extension('FOLDER/evil.so')",
    "load-extension-upper": "SELECT \"LOAD_EXTENSION\"('FOLDER/evil.so', 'init')",
    "fts3-tokenizer": "SELECT fts3_tokenizer('simple', x'4141414141414141')",
    "table-of-pragma": "SELECT * FROM pragma_table_info('secrets')",
    "table-of-pragma-list": "SELECT file FROM pragma_database_list",
    "dbpage": "SELECT * FROM sqlite_dbpage",
    "dbpage-write": "UPDATE sqlite_dbpage SET data = zeroblob(4096) WHERE pgno = 1",
    "dbstat": "SELECT * FROM dbstat",
    "schema-update": "UPDATE sqlite_master SET sql = ''",
    "schema-insert": "INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 0, '')",
    "schema-delete": "DELETE FROM main.sqlite_master",
    "temp-schema": "INSERT INTO sqlite_temp_master VALUES ('table', 'x', 'x', 0, '')",
    "nothing": "",
    "blank": " \n -- only a comment",
    "parenthesis": "(SELECT 1)",
    "byte-order-mark": "\ufeffVACUUM",
}
READING = {
    "insert": "INSERT INTO orders VALUES (3, 'x')",
    "update": "UPDATE orders SET word = 'x'",
    "delete": "DELETE FROM orders",
    "replace": "REPLACE INTO orders VALUES (1, 'x')",
    "insert-behind-with": "WITH x AS (SELECT 1) INSERT INTO orders SELECT 3, 'x' FROM x",
    "delete-behind-with": "WITH x AS (SELECT 1) DELETE FROM orders RETURNING word",
    "update-commented": "/**/ -- select\n UPDATE orders SET word = 'x'",
    "returning": "INSERT INTO orders VALUES (3, 'x') RETURNING word",
    "upsert": "INSERT INTO orders VALUES (1, 'x') ON CONFLICT DO UPDATE SET word = 'y'",
}
OTHER_TABLES = {
    "plainly": "SELECT * FROM secrets",
    "counted": "SELECT count(*) FROM secrets",
    "joined": "SELECT o.word FROM orders o, secrets s",
    "in-a-subquery": "SELECT (SELECT word FROM secrets) AS w",
    "in-a-condition": "SELECT 1 FROM orders WHERE EXISTS (SELECT 1 FROM secrets)",
    "united": "SELECT word FROM orders UNION ALL SELECT word FROM secrets",
    "behind-with-of-its-name": "WITH orders AS (SELECT * FROM secrets) SELECT * FROM orders",
    "behind-with-recursive": "WITH RECURSIVE o(w) AS (SELECT word FROM secrets UNION SELECT w FROM o) SELECT w FROM o",
    "behind-a-view": "SELECT * FROM all_words",
    "quoted": 'SELECT * FROM "secrets"',
    "bracketed": "SELECT * FROM [SECRETS]",
    "of-main": "SELECT * FROM main.secrets",
    "by-alias": "SELECT orders.word FROM secrets AS orders",
    "by-row-id": "SELECT rowid FROM secrets",
    "schema": "SELECT sql FROM sqlite_master",
    "schema-by-new-name": "SELECT sql FROM sqlite_schema",
    "temp-schema": "SELECT * FROM sqlite_temp_master",
}
OTHER_CHANGES = {
    "insert": "INSERT INTO secrets VALUES ('x')",
    "delete": "DELETE FROM secrets",
    "copied": "UPDATE orders SET word = (SELECT word FROM secrets)",
    "inserted-from": "INSERT INTO orders (word) SELECT word FROM secrets",
    "update-from": "UPDATE orders SET word = secrets.word FROM secrets",
    "by-a-trigger": "INSERT INTO orders (word) VALUES ('x')",
    "by-a-foreign-key": "DELETE FROM orders WHERE id = 1",
    "returned": "DELETE FROM orders RETURNING (SELECT word FROM secrets)",
    "behind-with": "WITH orders AS (SELECT * FROM secrets) DELETE FROM main.orders WHERE word IN orders",
}


@pytest.mark.parametrize("attempt", NEVER)
@pytest.mark.parametrize("id_", ["sqlite.query", "sqlite.execute"])
def test_no_statement_does_more_than_rows(folder, id_, attempt):
    """No other file, no schema, no setting, no second statement, no code."""
    given = (str(folder / "new.sqlite"),) if attempt == "attach-by-parameter" else None
    own = ("dbpage", "dbstat", "schema", "fts3")  # SQLite refuses some of these before it asks, or has none of them
    kinds = ("SecurityViolation", "StorageError") if any(map(attempt.__contains__, own)) else ("SecurityViolation",)
    _refused(folder, id_, NEVER[attempt].replace("FOLDER", str(folder)), given, kinds=kinds)


@pytest.mark.parametrize("attempt", READING)
def test_a_query_changes_nothing(folder, attempt):
    """However a change is dressed."""
    _refused(folder, "sqlite.query", READING[attempt])


@pytest.mark.parametrize("attempt", OTHER_TABLES)
def test_only_granted_tables_are_read(folder, attempt):
    """Whatever name a statement gives them."""
    _refused(folder, "sqlite.query", OTHER_TABLES[attempt], tables=("orders", "all_words"))


@pytest.mark.parametrize("attempt", OTHER_CHANGES)
def test_only_granted_tables_are_changed_or_read_for_a_change(folder, attempt):
    """What a trigger does, too."""
    _refused(folder, "sqlite.execute", OTHER_CHANGES[attempt], tables=("orders",))


def test_what_is_granted_is_had(folder):
    """The same grant does allow what it is for, in the forms that the attempts take."""
    assert (
        len(_call(folder, "sqlite.query", "WITH x AS (SELECT * FROM orders) SELECT * FROM x", tables=("ORDERS",))) == 2
    )
    assert len(_call(folder, "sqlite.query", "SELECT * FROM all_words", tables=("all_words", "orders", "secrets"))) == 3
    assert len(_call(folder, "sqlite.query", "SELECT value FROM json_each('[1, 2]')", tables=("orders",))) == 2
    assert len(_call(folder, "sqlite.query", "/* ; */ SELECT ';' AS s -- ; DELETE")) == 1
    reply = _call(folder, "sqlite.execute", "INSERT INTO orders (word) VALUES ('x')", tables=("orders", "log", "parts"))
    assert [*reply.values()] == [1, 3]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT length(zeroblob(1000000000)) AS n",
        "SELECT length(randomblob(1000000000)) AS n",
        "SELECT length(hex(zeroblob(60000000))) AS n",
        "SELECT length(replace(hex(zeroblob(20000)), '0', hex(zeroblob(20000)))) AS n",
    ],
)
@pytest.mark.skipif(not hasattr(sqlite3.Connection, "setlimit"), reason="Python 3.10 cannot set SQLite's limits")
def test_values_within_sqlite_are_bounded(folder, sql):
    """A small statement does not take the host's memory."""
    _refused(folder, "sqlite.query", sql, kinds=("StorageError",))
    [row] = _call(folder, "sqlite.query", "SELECT printf('%1000000000d', 1) AS n")
    assert row.get("n") is None


def test_where_limits_cannot_be_set_functions_that_make_large_values_are_denied():
    """As on Python 3.10."""
    rules = Authorizer((), changes=False, limits=False)
    assert rules(sqlite3.SQLITE_FUNCTION, None, "ZeroBlob", None, None) == sqlite3.SQLITE_DENY
    assert rules(sqlite3.SQLITE_FUNCTION, None, "length", None, None) == sqlite3.SQLITE_OK
    assert rules.denied == "the function ZeroBlob"


LONG = "(SELECT instr(zeroblob(130000 + length(word)), zeroblob(65000) || x'01') AS a FROM orders)"
"""A column whose every look takes some 0.2 s, and is one step of SQLite's machine."""
ROWS = "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT "


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT {' + '.join('a' * 90)} AS n FROM {LONG}",
        f"SELECT {', '.join(f'a + {i} AS c{i}' for i in range(100))} FROM {LONG}",
        f"{ROWS} sum(instr(zeroblob(130000 + i % 2), zeroblob(65000) || x'01')) AS n FROM c",
    ],
    ids=["in-one-expression", "in-many-columns", "in-many-rows"],
)
@pytest.mark.skipif(not hasattr(sqlite3.Connection, "setlimit"), reason="Python 3.10 denies zeroblob")
def test_a_statement_of_slow_functions_ends_at_its_deadline(folder, sql, monkeypatch):
    """However often they are called between two steps: none is begun after the deadline."""
    looks = iter(range(10_000))
    monkeypatch.setattr(calls.time, "monotonic", lambda: next(looks) / 100)  # the first look is too late
    grants = (CapabilityGrant(SqliteGrant(file="shop.sqlite"), str(folder)),)
    with pytest.raises(CapabilityError, match="took too long"):
        OFFERED["sqlite.query"].handler(
            CapabilityRequest("sqlite.query", ("shop", sql, None), grants=grants, deadline=0.005)
        )


LETTERS = "a" * 100_000


@pytest.mark.parametrize(
    ("sql", "given"),
    [
        ("SELECT trim(?, ?) AS n", (LETTERS, "b" * 9000)),
        ("SELECT ltrim(?, ?) AS n", (LETTERS, "b" * 9000)),
        ("SELECT rtrim(?, ?) AS n", (LETTERS, "b" * 9000)),
        ("SELECT ? LIKE ? AS n", (LETTERS, f"%{LETTERS[:800]}b")),
        ("SELECT ? LIKE ? ESCAPE '!' AS n", (LETTERS, f"%{LETTERS[:800]}b")),
        ("SELECT ? GLOB ? AS n", (LETTERS, f"*{'[^b]' * 200}c")),
        ("SELECT instr(?, ?) AS n", (LETTERS * 10, LETTERS)),
        ("SELECT replace(?, ?, 'c') AS n", (LETTERS * 10, LETTERS)),
        ("SELECT replace(?, 'a', ?) AS n", (LETTERS, LETTERS)),
        ("SELECT json_patch(?, ?) AS n", (f'"{LETTERS * 10}"', f'"{LETTERS}"')),
    ],
    ids=lambda each: each[7:].split(" AS")[0] if isinstance(each, str) else "long",
)
def test_no_call_of_a_function_takes_long(folder, sql, given):
    """Work that is the product of two lengths is refused before it is begun, on each Python."""
    _refused(folder, "sqlite.query", sql, given, kinds=("StorageError", "InvalidArgument"))


def test_functions_that_were_replaced_do_what_they_did(folder):
    """In statements, views, constraints, and columns and indexes that are made of others."""
    with closing(sqlite3.connect(folder / "shop.sqlite")) as made:
        made.executescript(
            "CREATE TABLE t (a TEXT CHECK (a LIKE '%a%'), b TEXT AS (replace(a, 'a', 'b')));"
            "CREATE INDEX i ON t (instr(a, 'a')); CREATE VIEW v AS SELECT trim(a, 'a') AS x FROM t"
        )
    assert _call(folder, "sqlite.execute", "INSERT INTO t (a) VALUES ('xay')").get(Keyword("changed")) == 1
    _refused(folder, "sqlite.execute", "INSERT INTO t (a) VALUES ('x')", kinds=("StorageError",))
    [row] = _call(folder, "sqlite.query", "SELECT x, b, a LIKE 'X!%' ESCAPE '!' AS c FROM v, t WHERE instr(a, 'a') = 2")
    assert [*row.values()] == ["xay", "xby", 0]
    sql = (
        "SELECT replace('aXb', 'X', 3.5) AS a, instr(NULL, 1) AS b, trim(5.50, '5') AS c, 'é' LIKE 'É' AS d,"
        " 'x' GLOB '[x]' AS e, 'A' LIKE 'a' AS f, ltrim('xa', 'x') AS g, rtrim('ax', 'x') AS h,"
        " instr(x'0102', x'02') AS i"
    )
    with closing(sqlite3.connect(":memory:")) as plain:
        expected = plain.execute(sql).fetchone()
    [row] = _call(folder, "sqlite.query", sql)
    assert tuple(row.values()) == expected
    with pytest.raises(CapabilityError, match="ESCAPE expression must be a single character"):
        _call(folder, "sqlite.query", "SELECT 'a' LIKE 'b' ESCAPE 'zz' AS n")


@pytest.mark.parametrize("count", [150, 2000])
def test_a_row_is_bounded_before_it_is_made(folder, count):
    """Many large columns are not made first and looked at then."""
    sql = f"SELECT {', '.join(f'randomblob(16000000) AS c{each}' for each in range(count))}"
    _refused(folder, "sqlite.query", sql, kinds=("SecurityViolation", "StorageError"))


@pytest.mark.skipif(not hasattr(sqlite3.Connection, "setlimit"), reason="Python 3.10 cannot set SQLite's limits")
def test_a_statement_that_is_written_out_too_long_is_refused(folder):
    """What stands between two looks at the clock is bounded; the owner's tables may be wider than a reply."""
    many = f"max({', '.join('a' * 100)})"
    columns = ", ".join(f"length({many}) + {each} AS c{each}" for each in range(190))
    with pytest.raises(CapabilityError, match="too large"):
        _call(folder, "sqlite.query", f"SELECT {columns} FROM (SELECT word || 'x' AS a FROM orders)")
    wide = ", ".join(f"c{each}" for each in range(201))
    with closing(sqlite3.connect(folder / "shop.sqlite")) as made:
        made.execute(f"CREATE TABLE wide ({wide})")
    _refused(folder, "sqlite.query", "SELECT * FROM wide", kinds=("StorageError",))
    assert _call(folder, "sqlite.query", "SELECT c7, c200 FROM wide") == ()


@pytest.mark.parametrize("name", ["json_each", "JSON_TREE"])
def test_a_table_that_is_called_like_a_function_of_json_is_a_table(folder, name):
    """It is read only where it is granted, and the function of the other name stays one."""
    with closing(sqlite3.connect(folder / "shop.sqlite")) as made:
        made.executescript(f"CREATE TABLE {name} AS SELECT * FROM secrets")
    _refused(folder, "sqlite.query", f"SELECT * FROM {name}", tables=("orders",))
    other = "json_tree" if name == "json_each" else "json_each"
    assert _call(folder, "sqlite.query", f"SELECT value FROM {other}('[]') LIMIT 1", tables=("orders",)) is not None
    assert len(_call(folder, "sqlite.query", f"SELECT word FROM {name}", tables=(name.lower(),))) == 1


def test_names_are_the_same_only_where_sqlite_says_so(folder):
    """The Kelvin sign is no K: a table called so is another."""
    with closing(sqlite3.connect(folder / "shop.sqlite")) as made:
        made.executescript("CREATE TABLE \u212a AS SELECT * FROM secrets; CREATE TABLE k AS SELECT * FROM orders")
    _refused(folder, "sqlite.query", "SELECT * FROM \u212a", tables=("k",))
    _refused(folder, "sqlite.query", "SELECT * FROM K", tables=("\u212a",))
    assert len(_call(folder, "sqlite.query", "SELECT * FROM K", tables=("k",))) == 2


@pytest.mark.parametrize("file", ["~nosuchuser-7f3a/x.sqlite", "a\0b.sqlite", ""])
def test_a_grant_of_no_path_is_refused_when_it_is_read(file):
    """Not in the middle of a program."""
    with pytest.raises(ValueError, match="'file'"):
        SqliteGrant(file=file)


@pytest.mark.parametrize("name", ["other", "../other", "other.sqlite", "file:other.sqlite?mode=rwc", ":memory:", ""])
def test_no_name_is_a_path(folder, name):
    """A program names what is granted; nothing else is opened or made."""
    before = _state(folder)
    grants = (CapabilityGrant(SqliteGrant(file="shop.sqlite"), str(folder)),)
    with pytest.raises(CapabilityError) as caught:
        OFFERED["sqlite.query"].handler(CapabilityRequest("sqlite.query", (name, "SELECT 1", None), grants=grants))
    assert caught.value.kind == "SecurityViolation"
    assert _state(folder) == before


def test_a_file_whose_name_looks_like_a_setting_is_opened_as_it_is(folder):
    """The grant's path is quoted in the address: `?mode=rwc` in it is a part of the name."""
    name = "a?mode=memory&x=%2e#y.sqlite"
    (folder / "shop.sqlite").rename(folder / name)
    grants = (CapabilityGrant(SqliteGrant(file=name, name="odd"), str(folder)),)
    request = CapabilityRequest("sqlite.query", ("odd", "SELECT count(*) AS n FROM orders", None), grants=grants)
    assert OFFERED["sqlite.query"].handler(request)[0].get("n") == 2
