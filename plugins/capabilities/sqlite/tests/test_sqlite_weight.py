"""A statement cannot hold up an old SQLite while it is prepared, nor fill the memory where no limit can be set."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing

import pytest

from rtfs_capability_sqlite import calls
from rtfs_capability_sqlite.plugin import SqliteGrant, rtfs_capabilities
from rtfs_capability_sqlite.weight import _WORDS, Weight
from rtfs_framework.api import CapabilityError, CapabilityGrant, CapabilityRequest

OFFERED = {entry.id: entry for entry in rtfs_capabilities()}


def nested(levels, columns, quote="{}"):
    """Return sub-selects within one another, each naming the column of the next several times."""
    sql, name = "SELECT word AS c FROM orders", quote.format("c")
    for _ in range(levels):
        sql = f"SELECT {'||'.join([name] * columns)} AS c FROM ({sql})"
    return sql


def named(name, levels=5, columns=4):
    """Return the same with a column of any name; `{t}` before it is its table's."""
    sql, plain = "SELECT 1 AS c", name.split(".")[-1]
    for level in range(levels):
        sql = f"SELECT {'+'.join([name] * columns)} AS {plain} FROM ({sql.replace('AS c', f'AS {plain}', not level)}) t"
    return sql


def with_all(levels):
    """Return sub-selects that give all columns of the next, and their sum."""
    sql = "SELECT 1 AS c0, 1 AS c1"
    for level in range(2, levels + 2):
        sql = f"SELECT *, {'+'.join(f'c{n}' for n in range(level))} AS c{level} FROM ({sql})"
    return sql


def chained(levels, body):
    """Return a WITH whose parts name the one before."""
    parts = ["a0 AS (SELECT id FROM orders)", *(f"a{n} AS ({body.format(n - 1)})" for n in range(1, levels))]
    return f"WITH {', '.join(parts)} SELECT * FROM a{levels - 1}"


@pytest.mark.parametrize(
    ("sql", "most"),
    [
        ("SELECT 1", 1),
        (nested(5, 4), 4**5),
        (nested(5, 4, '"{}"'), 4**5),
        (nested(5, 4, "[{}]"), 4**5),
        (nested(5, 4, "(/* ' */ {} )"), 4**5),
        (nested(5, 4).replace("AS c", "c"), 5**5),
        (chained(6, "SELECT id FROM a{0} UNION ALL SELECT id FROM a{0}"), 2**6),
        (chained(6, "SELECT x.id FROM a{0} x, a{0} y"), 2**6),
        ("SELECT (SELECT max(c) FROM t), c, c, (SELECT 1), c FROM t", 3),
        ("SELECT 'c c c c', c -- c c c\n FROM t WHERE o.c = ':c'", 2),
        ("SELECT ) c FROM t", 1),
        (with_all(6), 2**6),
        (with_all(6).replace("*", "/* x */ *"), 2**6),
        (with_all(6).replace("SELECT *, c0", "SELECT c0, --x\n*, c0"), 3**6),
        ("SELECT *, c IS DISTINCT FROM c FROM t", 3),
        ("SELECT * FROM (SELECT DISTINCT * FROM t JOIN u)", 1),
        ("SELECT count(*), sum(a * b), 2 * (c) * 3 FROM t", 1),
    ],
)
def test_how_large_a_statement_becomes_is_bounded_by_its_text(sql, most):
    assert Weight(sql).most == most


@pytest.mark.parametrize("word", sorted(_WORDS))
def test_what_counts_as_no_name_is_none_to_sqlite(word):
    """Else a column of that name could be named without end."""
    with closing(sqlite3.connect(":memory:")) as memory:
        for name in (word, f'"{word}"'):
            try:
                found = memory.execute(f"SELECT 1 + {word} FROM (SELECT 1 AS {name})").fetchall()
            except sqlite3.Error:
                continue
            assert (word, found) == ("null", [(None,)])


@pytest.mark.parametrize(
    "name",
    [
        *("row", "rows", "end", "by", "match", "range", "do", "current", "asc", "over", "window", "with", "replace"),
        *("materialized", "t.'c'", "t . 'c'", "t.[c]", "\u20ac", "\U0001f600", "a\u0301", "_", "a$"),
    ],
    ids=ascii,
)
def test_whatever_sqlite_takes_for_a_column_counts(name):
    sql = named(name, 2)
    with closing(sqlite3.connect(":memory:")) as memory:
        assert memory.execute(sql).fetchone() == (16,)
    assert Weight(named(name)).most >= 4**5


def test_a_name_in_several_spellings_is_one():
    spelled = ('"a[\'b"', "`a['b`", "'a[''b'")
    assert Weight(f"SELECT {'+'.join('t.' + each for each in spelled)} FROM t").most == 3
    assert Weight("SELECT 1 FROM 'a0' x, \"a0\" y, a0 z").most == 3


@pytest.mark.parametrize("text", ["[", '"', "`", "'", "(", "/*", "--", "a(", "a as (", "||", "with a as (", "))"])
def test_no_text_takes_it_long(text):
    """Each character is looked at once: what is not ended ends with the text."""
    assert Weight(text * (calls.MOST_SQL // len(text))).most >= 1


@pytest.mark.parametrize(
    ("sql", "repeats"),
    [
        ("WITH RECURSIVE t(x) AS (SELECT 'a' UNION ALL SELECT x||x FROM t) SELECT x FROM t", True),
        ("WITH t AS (SELECT 'a' AS x UNION SELECT x||x FROM t) SELECT x FROM t", True),
        ("WITH t AS MATERIALIZED (SELECT 'a' AS x UNION SELECT x||x FROM t) SELECT x FROM t", True),
        ("WITH t(x) AS (SELECT a||b FROM u UNION SELECT b FROM u) SELECT x FROM t", False),
        ("SELECT a||b AS x FROM t UNION SELECT x FROM t", False),
    ],
)
def test_a_part_that_names_itself_is_seen(sql, repeats):
    found = Weight(sql)
    assert (found.repeats, found.joins) == (repeats, True)


@pytest.fixture
def shop(tmp_path):
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as made:
        made.executescript(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, word TEXT); INSERT INTO orders VALUES (1, 'a')"
        )
    grants = (CapabilityGrant(SqliteGrant(file="shop.sqlite"), str(tmp_path)),)

    def query(sql):
        return OFFERED["sqlite.query"].handler(CapabilityRequest("sqlite.query", ("shop", sql, None), grants=grants))

    return query


@pytest.mark.parametrize(
    "sql",
    [nested(14, 4), nested(9, 40), chained(17, "SELECT id FROM a{0} UNION ALL SELECT id FROM a{0}"),
     chained(30, "SELECT x.id FROM a{0} x, a{0} y")],
    ids=["columns", "many columns", "united", "joined"],
)  # fmt: skip
def test_what_would_take_an_old_one_long_is_refused_at_once(shop, sql, monkeypatch):
    monkeypatch.setattr(calls, "_INTERRUPTED", (99,))
    with pytest.raises(CapabilityError, match="too large"):
        shop(sql)


def test_what_people_write_is_not(shop, monkeypatch):
    monkeypatch.setattr(calls, "_INTERRUPTED", (99,))
    # Python 3.10 cannot bound what `||` makes, so it is refused there where names are repeated as often as here.
    both = "o.word || ' ' || o.id" if sys.version_info >= (3, 11) else "upper(o.word)"
    sql = f"""
        WITH told AS (SELECT o.id, o.word, {both} AS both FROM orders o WHERE o.id > 0 AND o.id < 9),
             counted AS (SELECT t.word, count(*) AS n, sum(CASE WHEN t.id > 1 THEN t.id ELSE 0 END) AS many
                         FROM told t JOIN orders o ON o.id = t.id GROUP BY t.word),
             ranked AS (SELECT word, n, many, rank() OVER (ORDER BY n DESC, many DESC) AS place FROM counted)
        SELECT r.word, r.place, (SELECT max(t.both) FROM told t WHERE t.word = r.word) AS last FROM ranked r
        WHERE r.place < 4 ORDER BY r.place, r.word"""
    assert len(shop(sql)) == 1
    assert len(shop(nested(3, 4))) == 1


@pytest.mark.parametrize(
    ("sql", "refused"),
    [
        ("WITH t(x) AS (SELECT 'a' UNION ALL SELECT x||x FROM t LIMIT 40) SELECT length(x) AS n FROM t", True),
        (nested(4, 4), True),
        (nested(3, 4), False),
        ("WITH t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t LIMIT 4) SELECT x FROM t", False),
        ("SELECT word || ' ' || id || word AS w FROM orders", False),
    ],
    ids=["recursive", "nested", "less nested", "numbers", "usual"],
)
def test_where_no_limit_can_be_set_texts_do_not_grow_without_bound(shop, sql, refused, monkeypatch):
    """As on Python 3.10."""
    monkeypatch.setattr(calls, "_has_limits", lambda: False)
    if refused:
        with pytest.raises(CapabilityError, match="too large"):
            shop(sql)
    else:
        assert shop(sql)
