"""What the journal says of a decision: all that it rests on, nobody's words, each text once."""

from __future__ import annotations

import json
from contextlib import closing

import attrs
import pytest

from rtfs_framework.api import Candidate, DelegationPlan, LocalModel, PlanSource, RemoteModel
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.signature import DelegationHint, FunctionSignature, HintKind, Parameter
from rtfs_framework.lang.types.model import Primitive, VectorType
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.decisions import decision_text, function_json
from rtfs_framework.orchestrator.recording.journal.history import history_of
from rtfs_framework.orchestrator.recording.journal.recorded import function_of
from rtfs_framework.orchestrator.recording.journal.redact import redact
from rtfs_framework.orchestrator.recording.records import Decision, Grounds

FUNCTION = FunctionSignature(
    "f", "What it does.", (Parameter("x", VectorType(Primitive.INT)), Parameter("more", None, rest=True)),
    Primitive.STRING, DelegationHint(HintKind.REMOTE, "big"), Map.wrap({Keyword("quick"): True}), "d1e5",
)  # fmt: skip
GROUNDS = Grounds(
    FUNCTION,
    "policy",
    (Candidate(RemoteModel("big"), "openai", "gpt", 2.5, 10.0),),
    (("remote:other", "reach is 'local'"),),
)
FOOTPRINT = (
    (("size",), 64, 64),
    (("types",), 17, (":string",)),
    (("args",), "a" * 64, None),
    (("consult", "local", "judge", "is it private?"), "very private", None),
    (("health", "remote:big"), "open", "open"),
)
PLAN = DelegationPlan(target=RemoteModel("big"), reasoning="it fits", source=PlanSource.ENGINE, engine="static")
MADE = Decision(
    PLAN, (("engine", "static"),), "l1 miss", footprint=FOOTPRINT, path=("careful", "static"), grounds=GROUNDS
)


@pytest.mark.parametrize("keep", [False, True])
def test_words_are_named_by_keyed_digests_and_small_values_are_told(keep):
    text = decision_text(MADE, lambda digest: f"<{digest[:4]}>", {"grounds": "g"}, keep=keep)
    found = json.loads(text)
    assert found["reads"] == [
        {"read": ["size"], "value": 64},
        {"read": ["types"], "value": [":string"]},
        {"read": ["args"], "digest": "<aaaa>"},
        {"read": ["consult", "local", "judge", "<is i>"], "digest": "<very>"},
        {"read": ["health", "remote:big"], "value": "open"},
    ]
    assert (found["path"], found["parts"]) == (["careful", "static"], {"grounds": "g"})
    assert "private" not in text
    assert found["reasoning"] == ("it fits" if keep else "after a consultation")


def test_hints_with_words_are_told_only_where_texts_are_kept():
    def told(hints, *, keep):
        made = attrs.evolve(MADE, footprint=((("hints",), "k", hints),))
        (found,) = json.loads(decision_text(made, str, keep=keep))["reads"]
        return found.get("value")

    bound, wordy = Map.wrap({Keyword("timeout"): 5}), Map.wrap({Keyword("prompt"): "of Mr. Smith"})
    assert told(bound, keep=False) == "{:timeout 5}"
    assert (told(wordy, keep=False), told(wordy, keep=True)) == (None, '{:prompt "of Mr. Smith"}')


def test_a_signature_comes_back_from_the_journal():
    back = function_of(json.loads(json.dumps(function_json(FUNCTION))))
    assert back == FUNCTION
    with pytest.raises(ValueError, match="no signature"):
        function_of({"name": "f", "parameters": [["x", "[:vector", False]]})


def test_each_text_is_stored_once_and_a_hit_names_what_it_stands_on(desk):
    hit = Decision(PLAN, (("l1", "hit"),), "l1 hit", grounds=GROUNDS, stands_on=MADE)
    with closing(desk.journal()) as journal:
        chain = journal.begin("run-1", "d", "s", "p", "v")
        for n, decision in enumerate([MADE, hit, attrs.evolve(hit), attrs.evolve(MADE)]):
            chain.add(desk.record(n, decision=decision))
        chain.end("complete")
    stored = {digest: json.loads(body) for digest, body in desk.rows("SELECT digest, body FROM plans")}
    assert len(stored) == 3, "grounds, the decision, the hit"
    entries = list(query.entries_of(desk.path, "run-1"))
    parts = entries[1]["decision"]["parts"]
    assert stored[parts["stands_on"]] == entries[0]["decision"]
    grounds = stored[parts["grounds"]]
    assert grounds["candidates"][0]["input_cost"] == 2.5
    assert grounds["excluded"] == [["remote:other", "reach is 'local'"]]
    assert desk.verify().ok


@pytest.mark.parametrize("what", ["candidates", "private", "l1 hit"])
def test_a_changed_part_is_found_by_every_call_that_rests_on_it(desk, what):
    hit = Decision(PLAN, (("l1", "hit"),), "l1 hit", grounds=GROUNDS, stands_on=MADE)
    with closing(desk.journal()) as journal:
        chain = journal.begin("run-1", "d", "s", "p", "v")
        chain.add(desk.record(0, decision=hit))
        chain.end("complete")
    mark = {"candidates": '%"candidates"%', "private": '%"l1 miss"%', "l1 hit": '%"l1 hit"%'}[what]
    desk.sql(("UPDATE plans SET body = replace(body, 'big', 'bug') WHERE body LIKE ?", (mark,)))
    assert "the decision of row" in desk.verify().reason


def test_rows_without_any_of_it_are_read_as_before(desk):
    plain = DelegationPlan(target=LocalModel("m"), reasoning="r", source=PlanSource.HINT)
    with closing(desk.journal()) as journal:
        chain = journal.begin("run-1", "d", "s", "p", "v")
        chain.add(desk.record(0, decision=Decision(plain, ())))
        chain.end("complete")
    (entry,) = query.entries_of(desk.path, "run-1")
    assert set(entry["decision"]) == {"target", "source", "engine", "confidence", "reasoning", "context", "steps"}
    assert desk.verify().ok


@pytest.mark.parametrize("keep", [False, True])
def test_words_that_were_heard_are_kept_beside_the_row_and_can_be_removed(desk, keep):
    with closing(desk.journal(keep_args=keep)) as journal:
        chain = journal.begin("run-1", "d", "s", "p", "v")
        chain.add(desk.record(0, decision=MADE))
        chain.end("complete")
    kept = desk.rows("SELECT body FROM texts WHERE name = 'heard'")
    assert kept == ([('[["local","judge","is it private?","very private"]]',)] if keep else [])
    with closing(desk.journal()) as journal:
        assert redact(journal, "run-1") == len(kept)
    assert b"very private" not in desk.path.read_bytes()
    assert desk.verify_all().ok


def test_old_rows_tell_that_they_do_not_tell(desk):
    plain = DelegationPlan(target=LocalModel("m"), reasoning="r", source=PlanSource.HINT)
    with closing(desk.journal()) as journal:
        chain = journal.begin("run-1", "d", "s", "p", "v")
        chain.add(desk.record(0, decision=Decision(plain, ())))
        chain.end("complete")
    with history_of(desk.path, desk.home) as history:
        (told,) = history.decisions("run-1")
        assert (told.function, told.reads, told.args, told.said["target"]) == (None, (), None, "local-model m")
        assert history.count("run-1") == 1
