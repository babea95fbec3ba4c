"""What a `declassify` frees: only what the policy grants it, at the target of the grant; and what is written down."""

from __future__ import annotations

import pytest

from rtfs_framework.api.errors import ConfigError
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.recording.journal import query

TEXT = """(defn ^:delegation :remote "far" f "Say." [x] : :string "own")
(defn main [r] (declassify [:pii] "she agreed" (f (:email r))))"""
ALICE = {Keyword("email"): "alice@example.com"}


@pytest.fixture
def digest(desk):
    with desk.open() as session:
        return session.link(Source("test.rtfs", TEXT)).digest


def grant(digest, function="f", target="remote-far", marks='["pii"]'):
    return (
        f'[[labels.declassify]]\nprogram = "{digest}"\nfunction = "{function}"\ntarget = "{target}"\nmarks = {marks}\n'
    )


def test_what_is_granted_is_freed_and_written_down(desk, digest):
    result = desk.run(TEXT, ALICE, config=grant(digest[:16]))
    assert (result.value, desk.reached()) == ("far", ['["alice@example.com"]'])
    labelled = result.calls[-1].labelled
    assert (labelled.label, labelled.freed, labelled.reason) == ({"pii"}, {"pii"}, "she agreed")
    run = query.find_run(desk.kit.journal, "last")
    entry = next(each for each in query.entries_of(desk.kit.journal, run) if each["kind"] == "delegated")
    grants = [f"pii in calls of f to remote-far, program {digest[:12]}"]
    assert entry["labels"] == ["pii"]
    assert entry["freed"] == {"marks": ["pii"], "reason": "she agreed", "grants": grants}


@pytest.mark.parametrize("which", ["none", "program", "function", "mark"])
def test_without_a_grant_it_is_refused_and_the_error_says_what_to_add(desk, digest, which):
    config = {
        "none": "",
        "program": grant("0" * 16),
        "function": grant(digest, function="g"),
        "mark": grant(digest, marks='["internal"]'),
    }[which]
    with pytest.raises(ProgramError) as caught:
        desk.run(TEXT, ALICE, config=config)
    said = str(caught.value)
    assert "nobody has granted that it frees :pii" in said
    assert f'[[labels.declassify]] program = "{digest}", function = "f"' in said
    assert desk.reached() == []


def test_a_grant_is_for_its_target_alone(desk, digest):
    assert desk.run(TEXT, ALICE, config=grant(digest, target="remote-other")).value == "own"
    assert desk.reached() == []


def test_what_is_not_freed_still_counts(desk, digest):
    marked = '[labels.inputs]\nemail = ["pii", "secret"]\n'
    assert desk.run(TEXT, ALICE, labels=marked, config=grant(digest)).value == "own"


def test_what_carries_no_mark_needs_no_grant(desk):
    assert desk.run(TEXT, {Keyword("text"): "x"}).value == "far"
    assert desk.run(TEXT, ALICE, labels="").value == "far"


def test_a_plan_for_what_is_freed_is_for_nothing_else(desk, digest):
    text = TEXT + "\n(defn plain [r] (f (:email r)))"
    with desk.open() as session:
        own = session.link(Source("test.rtfs", text)).digest
    with desk.open(grant(own), l1=True, l2=True) as session:
        program = session.load(Source("test.rtfs", text))
        assert [program.call(name, (ALICE,)).value for name in ("main", "plain", "main")] == ["far", "own", "far"]
    assert len(desk.reached()) == 2


def test_a_grant_that_names_no_target_is_a_mistake(desk):
    with pytest.raises(ConfigError, match="no remote provider 'fra'"):
        desk.run(TEXT, ALICE, config=grant("0" * 16, target="remote-fra"))
