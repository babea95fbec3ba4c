"""The ledger in a file keeps the contract of ledgers."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtfs_framework.api import Ledger, LedgerSettings
from rtfs_framework.orchestrator.performing.budgets.sqlite_ledger import SqliteLedger
from rtfs_framework.testing.conformance import LedgerConformance


class TestSqliteLedger(LedgerConformance):
    @pytest.fixture(autouse=True)
    def _at(self, tmp_path: Path) -> None:
        self.path = tmp_path / "ledger.sqlite"

    def make(self, settings: LedgerSettings) -> Ledger:
        return SqliteLedger(self.path, settings.clock)
