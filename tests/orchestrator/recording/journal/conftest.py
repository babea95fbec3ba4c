"""A journal of its own per test, and ways of writing and spoiling it."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import attrs
import pytest

from rtfs_framework.api import DelegationPlan, LocalModel, PlanSource
from rtfs_framework.lang.source import Place
from rtfs_framework.orchestrator.recording.journal.verify import verify, verify_all
from rtfs_framework.orchestrator.recording.journal.writer import Journal
from rtfs_framework.orchestrator.recording.records import CallRecord, Decision
from rtfs_framework.testing import FakeClock

PLAN = DelegationPlan(
    target=LocalModel("m"), reasoning="because", source=PlanSource.HINT, context=(("excluded", "x"),), created_at=3.5
)
DECISION = Decision(PLAN, (("deny", "no rule"), ("hint", "m")), "l1 miss")


@attrs.define
class Desk:
    """Writes runs into the journal of a test."""

    home: object
    path: object

    def journal(self, **options):
        options.setdefault("clock", FakeClock())
        return Journal(self.path, self.home, **options)

    def record(self, n, **fields):
        return CallRecord(
            **{
                "index": n,
                "kind": "delegated",
                "symbol": "f",
                "target": "local-model m",
                "place": Place("a.rtfs", 1, n + 1),
                "decision": DECISION,
                "args_digest": f"{n:064x}",
                "reply_digest": f"{n + 1:064x}",
                "seconds": 0.25,
                "cost": 0.1 * n,
                **fields,
            }
        )

    def run(self, name="run-1", calls=5, status="complete", *, paid=False, **options):
        """Write a run of some calls; return its id."""
        with closing(self.journal(**options)) as journal:
            chain = journal.begin(name, "digest", "a.rtfs", "policy", "0.1")
            for n in range(calls):
                record = self.record(n, args_text=f"[{n}]" if options.get("keep_args") else None)
                if paid:
                    chain.begin(record)
                chain.add(record)
            if status:
                chain.end(status)
        return name

    def verify(self, run="run-1"):
        return verify(self.path, run, self.home)

    def verify_all(self, against=None):
        return verify_all(self.path, self.home, against)

    def sql(self, *statements):
        """Change the file behind the triggers' back, as an attacker with the file would."""
        with closing(sqlite3.connect(self.path)) as connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.execute(*statement) if isinstance(statement, tuple) else connection.execute(statement)
            connection.commit()

    def rows(self, select, *args):
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(select, args).fetchall()


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "home", tmp_path / "deep" / "journal.sqlite")
