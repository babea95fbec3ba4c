"""Both capabilities of this distribution keep the contract of capabilities."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial

import attrs
import pytest

from rtfs_capability_sqlite.plugin import SqliteGrant, rtfs_capabilities
from rtfs_framework.api import CapabilityGrant, Keyword, Map
from rtfs_framework.testing.conformance import CapabilityConformance


def _granted(handler, grants, request):
    return handler(attrs.evolve(request, grants=grants))


class _Sqlite(CapabilityConformance):
    id = ""

    @pytest.fixture(autouse=True)
    def _database(self, tmp_path):
        with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as made:
            made.executescript(
                "CREATE TABLE orders (id INTEGER PRIMARY KEY, word TEXT); INSERT INTO orders VALUES (1, 'a')"
            )
        self.grants = (CapabilityGrant(SqliteGrant(file="shop.sqlite"), str(tmp_path)),)

    def make(self):
        """Return the entry, whose calls are granted the database."""
        [entry] = [each for each in rtfs_capabilities() if each.id == self.id]
        return attrs.evolve(entry, handler=partial(_granted, entry.handler, self.grants))

    def refused(self):
        return [("other", "SELECT 1", None), ("shop", "DROP TABLE orders", None), ("shop", "", ())]


class TestQuery(_Sqlite):
    id = "sqlite.query"

    def accepted(self):
        named = Map.wrap({Keyword("id"): 1})
        return [
            ("shop", "SELECT * FROM orders WHERE id = ?", (1,)),
            ("shop", "SELECT word, :id AS n FROM orders", named),
        ]


class TestExecute(_Sqlite):
    id = "sqlite.execute"

    def accepted(self):
        return [
            ("shop", "UPDATE orders SET word = ?", ("b",)),
            ("shop", "INSERT INTO orders (word) VALUES ('c')", None),
        ]
