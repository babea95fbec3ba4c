"""The hook `rtfs_ledgers`: a record that it offers is in the catalog under its name; what is no record is refused."""

from __future__ import annotations

import pytest

from rtfs_framework.api import LedgerEntry, LedgerSettings
from rtfs_framework.orchestrator.performing.budgets.sqlite_ledger import SqliteLedger
from rtfs_framework.testing import FakeClock

FIELDS = {"name": "mine", "summary": "In memory.", "factory": lambda settings: SqliteLedger(None, settings.clock)}


def test_a_record_is_in_the_catalog(offering):
    catalog = offering("rtfs_ledgers", LedgerEntry(**FIELDS))
    assert not catalog.problems
    ledger = catalog.ledger("mine").factory(LedgerSettings(clock=FakeClock()))
    assert ledger.open() == []
    ledger.close()


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("mine", "`rtfs_ledgers` offers a str, which is no LedgerEntry"),
        (LedgerEntry(**{**FIELDS, "factory": 7}), "whose `factory` is a int and cannot be called"),
        (LedgerEntry(**FIELDS, settings=dict), "no attrs class"),
    ],
)
def test_what_is_no_record_is_refused(offering, refused, record, words):
    catalog = offering("rtfs_ledgers", record)
    refused(catalog, words)
    assert not catalog.ledgers
