"""What people and programs say of answers reaches those that learn."""

from __future__ import annotations

import pytest

from rtfs_framework.api import DelegationPlan, LocalModel, PlanSource, ProgramError
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.feedback import checked_value
from rtfs_framework.orchestrator.recording.journal.query import entries_of
from rtfs_framework.orchestrator.recording.journal.redact import name_of

GRANTED = '[security]\nlevel = "controlled"\ngrant = ["host.feedback"]\n'
OFF = "[journal]\nenabled = false\n"
RATED = '(defn f [x] :own)\n(f 1)\n(call :host.feedback {:of "f" :value 0.8})'


class Listening:
    """Sends `f` to a model, and keeps what it hears."""

    def __init__(self):
        self.seen = []

    def claims(self):
        return ("f",)

    def decide(self, context):
        return DelegationPlan(target=LocalModel("m"), reasoning="r", source=PlanSource.ENGINE, note="mine")

    def initial(self):
        return {}

    def fold(self, state, outcome):
        self.seen.append(outcome)
        return state

    @property
    def ratings(self):
        return [each.feedback for each in self.seen if each.feedback is not None]


@pytest.fixture
def opened(kit):
    """Return a function that opens a session with a listening engine."""

    def make(config=GRANTED):
        return kit.open(kit.catalog(kit.provider("m", lambda _: "yes"), engine=Listening()), config)

    return make


@pytest.mark.parametrize("config", [GRANTED, GRANTED + OFF])
def test_a_program_rates_its_own_call(kit, opened, config):
    with opened(config) as session:
        session.run(RATED)
    assert kit.engine.ratings == [0.8]
    (said,) = [each for each in kit.engine.seen if each.feedback is not None]
    assert (said.symbol, said.target, said.note, said.success) == ("f", LocalModel("m"), "mine", True)


def test_a_program_may_rate_only_where_that_is_granted(kit, opened):
    with opened('[security]\nlevel = "controlled"') as session, pytest.raises(ProgramError, match="not granted"):
        session.run(RATED)
    assert kit.engine.ratings == []


@pytest.mark.parametrize(
    ("call", "wrong"),
    [
        ('{:of "g" :value 1}', "no call of 'g' was decided"),
        ('{:of "f" :value 2}', "no rating"),
        ('{:of "f" :value :great}', "no rating"),
        ('{:of "f"}', "no rating"),
        ("{:value 1}", "names a function"),
        ('{:of "f" :value 1 :more 2}', "names a function"),
        ('"f"', "is one map"),
    ],
)
def test_words_that_mean_nothing_are_refused(kit, opened, call, wrong):
    with opened() as session, pytest.raises(ProgramError, match=wrong):
        session.run(f"(defn f [x] :own)\n(f 1)\n(call :host.feedback {call})")
    assert kit.engine.ratings == []


def test_a_call_is_rated_once_by_its_program(opened):
    with opened() as session, pytest.raises(ProgramError, match="rated already"):
        session.run(f'{RATED}\n(call :host.feedback {{:of "f" :value 0.1}})')


def test_a_branch_speaks_of_its_own_calls(kit, opened):
    text = """
    (defn f [x] :own)
    (defn one [x] (let [found (f x)] (call :host.feedback {:of "f" :value (/ x 10.0)}) found))
    (pmap one [1 2 3])
    """
    with opened() as session:
        run = session.run(text).run_id
    said = {entry["path"]: [each["value"] for each in entry["feedback"]] for entry in entries_of(kit.journal, run)}
    assert sorted(value for values in said.values() for value in values) == [0.1, 0.2, 0.3]
    assert all(len(values) <= 1 for values in said.values())
    assert sorted(kit.engine.ratings) == [0.1, 0.2, 0.3]


@pytest.mark.parametrize("value", ["good", 1, 1.0, "1"])
def test_python_rates_a_call_by_its_id(kit, opened, value):
    with opened() as session:
        found = session.run("(defn f [x] :own)\n(f 1)")
        call = found.calls[0]
        session.rate(found.run_id, name_of(call.entry, call.record, call.path), value)
    assert kit.engine.ratings == [1.0]


def test_python_rates_a_record_also_without_a_journal(kit, opened):
    with opened(OFF) as session:
        found = session.run("(defn f [x] :own)\n(f 1)")
        session.rate(found.run_id, found.calls[0], "bad")
        with pytest.raises(ValueError, match="without a journal"):
            session.rate(found.run_id, "0:0", "bad")
    assert kit.engine.ratings == [0.0]


def test_what_cannot_be_rated_is_said(opened):
    with opened() as session:
        run = session.run("(defn f [x] :own)\n(f 1)").run_id
        for call, wrong in (("9:9", "has no call 9:9"), ("", "has no call")):
            with pytest.raises(JournalError, match=wrong):
                session.rate(run, call, 1.0)
        with pytest.raises(JournalError, match="no run is called"):
            session.rate("zz", "0:0", 1.0)


@pytest.mark.parametrize("value", ["great", -0.1, 1.1, float("nan"), True, None, "", [1]])
def test_only_ratings_are_ratings(value):
    with pytest.raises(ValueError, match="no rating"):
        checked_value(value)
