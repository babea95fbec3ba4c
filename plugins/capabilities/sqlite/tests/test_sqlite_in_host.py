"""In a host: granted by its configuration, called by programs, told with its place when wrong."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from rtfs_capability_sqlite.plugin import rtfs_capabilities
from rtfs_framework.api import ConfigError, RtfsError, to_json
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance

WHO = Provenance("rtfs-capability-sqlite", "0.1", "rtfs_capability_sqlite")
CATALOG = Catalog(capabilities={entry.id: (entry, WHO) for entry in rtfs_capabilities()})
QUERY = '{ id = "sqlite.query", file = "./shop.sqlite", tables = ["orders"] }'


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Return a function that opens a session with what `grant` holds; the database lies beside its configuration."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as made:
        made.executescript("CREATE TABLE orders (id INTEGER PRIMARY KEY, word TEXT); CREATE TABLE secrets (word TEXT);")

    def load(grant):
        path = tmp_path / "delegation.toml"
        path.write_text(f"[security]\ngrant = [{grant}]\n", encoding="utf-8")
        return Session.open(catalog=CATALOG, config_path=path, environ={"RTFS_HOME": str(tmp_path / "home")})

    return load


def _refused(session, program):
    with pytest.raises(RtfsError) as caught:
        session.run(program)
    return caught.value


def test_each_capability_is_granted_by_itself(opened):
    change = '(call "sqlite.execute" "shop" "INSERT INTO orders (word) VALUES (:word)" {:word "one"})'
    with opened(QUERY) as session:
        assert session.run('(call "sqlite.query" "shop" "SELECT * FROM orders" nil)').value == ()
        assert _refused(session, change).kind == "SecurityViolation"
    with opened('{ id = "sqlite.execute", file = "./shop.sqlite" }') as session:
        assert to_json(session.run(change).value) == {"changed": 1, "last-id": 1}
    with opened(QUERY) as session:
        rows = session.run('(call "sqlite.query" "shop" "SELECT word FROM orders WHERE id = ?" [1])').value
        assert to_json(rows) == [{"word": "one"}]


def test_what_is_not_granted_is_an_error_that_programs_catch(opened):
    with opened(QUERY) as session:
        for sql in ("SELECT * FROM secrets", "DELETE FROM orders", "ATTACH 'x' AS y", "SELECT 1; SELECT 2"):
            assert _refused(session, f'(call "sqlite.query" "shop" "{sql}" nil)').kind == "SecurityViolation"
        kept = '(try (call "sqlite.query" "other" "SELECT 1" nil) (catch SecurityViolation e :kept-in))'
        assert session.run(kept).value.name == "kept-in"


@pytest.mark.parametrize(
    ("grant", "code", "words"),
    [
        ('"sqlite.query"', "E0704", "file"),
        ('{ id = "sqlite.query" }', "E0704", "file"),
        ('{ id = "sqlite.query", file = "" }', "E0705", "file"),
        ('{ id = "sqlite.query", file = "a.sqlite", most_rows = 0 }', "E0705", "most_rows"),
        ('{ id = "sqlite.query", file = "a.sqlite", table = "x" }', "E0702", "table"),
    ],
)
def test_mistakes_in_a_grant_are_told_with_their_place(opened, grant, code, words):
    with pytest.raises(ConfigError) as caught:
        opened(grant).close()
    found = caught.value.diagnostics
    assert code in [each.code for each in found]
    assert words in f"{found[0].message} {found[0].help}"
    assert found[0].source.place(found[0].span.start)[0] == 2
