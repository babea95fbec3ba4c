"""Rows that are told from others without being read say what they say when they are read."""

from __future__ import annotations

import json

import pytest

from rtfs_framework.api.labels import PUBLIC
from rtfs_framework.api.secrets import blotter
from rtfs_framework.orchestrator.recording.attempts import AttemptRecord
from rtfs_framework.orchestrator.recording.floating import CallLabel
from rtfs_framework.orchestrator.recording.journal.chain import Keys
from rtfs_framework.orchestrator.recording.journal.kept import Answered
from rtfs_framework.orchestrator.recording.journal.rows import Maker
from rtfs_framework.orchestrator.recording.journal.texts import Texts
from rtfs_framework.orchestrator.recording.journal.usual import end_of, is_usual_begin, usual_end
from rtfs_framework.orchestrator.recording.purse import Spending

USUAL = {"kind", "symbol", "place", "target", "outcome", "args", "reply", "micros", "texts"}
NAMES = ("put", 'a","args":"b', '","reply":"' + "0" * 32, ',"micros":7', "\\", 'é"}}')
OTHERS = {
    "a decision": {},
    "a cost": {"decision": None, "cost": 0.5},
    "an unknown cost": {"decision": None, "cost": None},
    "tokens": {"decision": None, "output_tokens": 3},
    "a model": {"decision": None, "model": "m"},
    "memory": {"decision": None, "cache": "l2 hit"},
    "an error": {"decision": None, "error_kind": "NetworkError"},
    "a stop": {"decision": None, "stopped": True},
    "a charge": {"decision": None, "charged": Spending(1, 2, 3)},
    "marks": {"decision": None, "labelled": CallLabel(PUBLIC)},
    "hints": {"decision": None, "hints": (("retry", "twice"),)},
    "kept arguments": {"decision": None, "cost": 0.0, "args_text": "[1]"},
}


@pytest.fixture
def maker():
    return Maker(Texts(blotter(()), Keys.of(b"secret", "0" * 32)), now=lambda: 1.0)


@pytest.fixture
def usual(desk):
    """Return a record of a call of a capability."""

    def made(**fields):
        plain = {"decision": None, "cost": 0.0, "kind": "capability", "symbol": "put", "target": "capability put"}
        return desk.record(3, **{**plain, **fields})

    return made


@pytest.mark.parametrize("seconds", [0.0, 0.000001, 86_400.0 * 366])
@pytest.mark.parametrize("name", NAMES)
def test_calls_that_were_answered_and_used_nothing_are_usual(maker, usual, name, seconds):
    record = usual(symbol=name, target=f"capability {name}", seconds=seconds)
    assert is_usual_begin(maker.begun(record).body)
    row = maker.ended(Answered(record, "words", None))
    said, short = json.loads(row.body), json.loads(end_of(usual_end(row.body)))
    assert set(said) == USUAL
    assert set(said["texts"]) == {"reply"}
    assert short == {each: said[each] for each in USUAL - {"reply", "micros", "texts"}}


@pytest.mark.parametrize("fields", OTHERS.values(), ids=OTHERS)
def test_rows_that_say_more_are_not(desk, maker, fields):
    record = desk.record(3, **fields)
    row = maker.ended(Answered(record, "words", None)).body
    assert set(json.loads(row)) > USUAL or set(json.loads(row)["texts"]) != {"reply"}
    assert usual_end(row) is None


def test_an_end_without_a_reply_is_not(maker, usual):
    assert usual_end(maker.ended(usual()).body) is None


@pytest.mark.parametrize(
    "more",
    [{"held": Spending(1, 2, 3)}, {"reply_key": "k"}, {"labelled": CallLabel(frozenset({"pii"}))}],
    ids=["held", "key", "marks"],
)
def test_requests_that_hold_something_are_not(maker, usual, more):
    assert not is_usual_begin(maker.begun(usual(**more)).body)


def test_requests_behind_the_first_and_those_that_were_decided_are_not(desk, maker, usual):
    first = AttemptRecord(attempt=None)
    assert '"attempt":1' in (row := maker.begun(usual(attempts=(first,))).body)
    assert not is_usual_begin(row)
    assert not is_usual_begin(maker.begun(desk.record(3)).body)


def test_a_row_that_was_cut_off_is_not(maker, usual):
    row = maker.ended(Answered(usual(), "words", None)).body
    assert usual_end(row) is not None
    assert all(usual_end(row[:cut]) is None for cut in range(len(row)))
