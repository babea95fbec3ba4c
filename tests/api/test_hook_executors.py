"""The hook `rtfs_executors`: a record is in the catalog under its name; what is no record is refused."""

from __future__ import annotations

import pytest

from rtfs_framework.api import ExecutorEntry, ExecutorSettings
from rtfs_framework.testing.inline_executor import InlineExecutor

FIELDS = {"name": "mine", "summary": "Here.", "factory": lambda settings: InlineExecutor(settings.work)}


def test_a_record_is_in_the_catalog(offering):
    catalog = offering("rtfs_executors", ExecutorEntry(**FIELDS))
    assert not catalog.problems
    executor = catalog.executor("mine").factory(ExecutorSettings(address="here", work=bytes.upper))
    executor.submit(3, b"a")
    assert executor.next(0.0).result == b"A"


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("mine", "`rtfs_executors` offers a str, which is no ExecutorEntry"),
        (ExecutorEntry(**{**FIELDS, "factory": 7}), "whose `factory` is a int and cannot be called"),
    ],
    ids=["text", "factory"],
)
def test_what_is_no_record_is_refused(offering, refused, record, words):
    catalog = offering("rtfs_executors", record)
    refused(catalog, words)
    assert not catalog.executors
