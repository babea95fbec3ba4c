"""Both forms of an entry's row: the same hash as the whole row's, the same row in the file."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.api import DelegationPlan, LocalPure, PlanSource
from rtfs_framework.lang.source import Place
from rtfs_framework.orchestrator.journal.chain import row_hash
from rtfs_framework.orchestrator.journal.rows import CONSTANTS, USUAL, WHOLE, is_usual, usual_values, whole_values
from rtfs_framework.orchestrator.journal.schema import CHAINED, ENTRY_FIELDS, TABLES
from rtfs_framework.orchestrator.journal.texts import Texts
from rtfs_framework.orchestrator.records import CallRecord, Decision

PLAN = DelegationPlan(target=LocalPure(), reasoning="é", source=PlanSource.HINT, context=(), created_at=0.1)
TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
DIGEST = st.text("0123456789abcdef", min_size=64, max_size=64)
NUMBER = st.integers(0, 2**40)
USUAL_FIELDS = {
    "index": NUMBER,
    "kind": TEXT,
    "symbol": TEXT,
    "place": st.none() | st.builds(Place, TEXT, NUMBER, NUMBER),
    "target": TEXT,
    "args_digest": DIGEST,
    "reply_digest": st.just("") | DIGEST,
    "seconds": st.floats(0, 1e6),
    "branch": st.lists(NUMBER, max_size=4).map(tuple),
}
OTHER_FIELDS = {
    "record": st.none() | NUMBER,
    "decision": st.none() | st.just(Decision(PLAN, ())),
    "args_text": st.none() | TEXT,
    "input_tokens": NUMBER,
    "output_tokens": NUMBER,
    "cost": st.floats(0, 1e9),
    **dict.fromkeys(("cache", "model", "explanation", "error_kind", "error"), TEXT),
}
TEXTS = Texts(lambda text: text)


def whole(record):
    return whole_values(record, "run", 3, TEXTS, keep_args=True)


@given(st.builds(CallRecord, **USUAL_FIELDS, **OTHER_FIELDS), DIGEST)
def test_the_whole_form_is_hashed_as_its_row(record, parent):
    assert WHOLE.columns == ENTRY_FIELDS
    assert WHOLE.hash(whole(record), parent) == row_hash("entries", ENTRY_FIELDS, whole(record), parent)


@given(st.builds(CallRecord, **USUAL_FIELDS), DIGEST)
def test_the_usual_form_says_what_the_whole_one_does(record, parent):
    assert is_usual(record)
    usual = dict(zip(USUAL.columns, usual_values(record, "run", 3, TEXTS), strict=True))
    assert {**CONSTANTS, **usual} == dict(zip(ENTRY_FIELDS, whole(record), strict=True))
    assert USUAL.hash(tuple(usual.values()), parent) == row_hash("entries", ENTRY_FIELDS, whole(record), parent)


@pytest.mark.parametrize("field", OTHER_FIELDS)
def test_whatever_the_usual_form_cannot_say_needs_the_whole_one(field):
    values = {"decision": Decision(PLAN, ()), "record": 0, "input_tokens": 1, "output_tokens": 1}
    record = CallRecord(0, "capability", "f")
    assert is_usual(record)
    assert not is_usual(attrs.evolve(record, **{field: values.get(field, "x" if field != "cost" else 0.5)}))


def test_both_forms_are_the_same_rows_in_the_file():
    record = CallRecord(0, "capability", "f", target="t", args_digest="a", reply_digest="b", seconds=1.5)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(TABLES)
        for run, form, values in (("a", WHOLE, whole(record)), ("b", USUAL, usual_values(record, "", 3, TEXTS))):
            connection.execute(form.insert, (run, *values[1:], "parent", "hash"))
        rows = connection.execute(f"SELECT {', '.join((ENTRY_FIELDS + CHAINED)[1:])} FROM entries").fetchall()
    assert rows[0] == rows[1]
    assert [type(value) for value in rows[0]] == [type(value) for value in rows[1]]
