"""Who is told what of marked data: observers, the log, the journal; and what explanations and records say of labels."""

from __future__ import annotations

import re

import pytest

from rtfs_framework.api import DelegationPlan, PlanSource, ProviderUnavailable, RemoteModel
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.explaining.replaying.replay import Repeated, replay
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.history import history_of
from rtfs_framework.orchestrator.recording.journal.verify import verify
from rtfs_framework.orchestrator.recording.journal.why import why

ALICE = {Keyword("email"): "alice@example.com", Keyword("text"): "hello"}
BOB = {Keyword("text"): "bob@example.com"}
TEXT = """(defn ^:delegation :remote "far" f "Say." [x] : :string "own")
(defn ^:delegation :local-model "near" n "Say." [x] : :string "own")
(defn main [r] (do (step (str "s" (:email r)) 1) (n (:email r)) (f (:email r))))"""
KEEP = '[journal]\nkeep = "replies"\n'


def fields(desk, name):
    return [event.fields for event in desk.told if event.name == name]


def test_observers_hear_of_marked_calls_without_words(desk):
    desk.run(TEXT, ALICE)
    assert "alice" not in str(desk.told)
    answered = fields(desk, "call.answered")
    for name in ("symbol", "target", "model", "reasoning"):
        assert {each[name] for each in answered if each["kind"] == "delegated"} == {"(withheld)"}
    assert all(each["seconds"] >= 0 for each in answered)
    assert {each["args"] for each in fields(desk, "program.event")} == {"(withheld)"}


def test_observers_hear_words_that_they_accept_and_those_of_public_calls(desk):
    desk.run(TEXT, ALICE, config='[labels.accepts]\n"observer watch" = ["pii"]\n')
    assert "alice@example.com" in str(desk.told)
    desk.told.clear()
    desk.run(TEXT, BOB)
    assert "(withheld)" not in str(fields(desk, "call.answered"))


def test_totals_of_a_run_do_not_say_where_marked_calls_went(desk):
    desk.says["near"] = lambda _: ProviderUnavailable("near", "it is down")
    text = TEXT.replace("(n (:email r))", "(try (n (:email r)) (catch _ 0))")
    desk.run(text, ALICE)
    (totals,) = [each["summary"] for each in fields(desk, "run.ended")]
    assert totals["calls"] == sum(totals["by_target"].values()) > 0
    assert set(totals["by_target"]) == set(totals["failed_attempts"]) == {"(withheld)"}
    desk.told.clear()
    desk.run(text, ALICE, config='[labels.accepts]\n"observer watch" = ["internal", "pii", "secret"]\n')
    assert "local-model near" in fields(desk, "run.ended")[0]["summary"]["failed_attempts"]


def test_errors_of_marked_sources_are_withheld(desk):
    def fails(_request):
        raise ValueError("no such person: alice")

    desk.crm = fails
    with pytest.raises(ProgramError):
        desk.run("(defn main [_] (call :crm.get 1))", BOB)
    assert fields(desk, "call.failed")[0]["error"] == "(withheld)"
    assert "alice" not in str(desk.told)


def test_the_log_is_told_no_more(desk, capsys):
    desk.kit.environ["RTFS_LOG"] = "debug"
    desk.run(TEXT, ALICE)
    said = capsys.readouterr().err
    assert "call.answered" in said
    assert "alice" not in said
    desk.run(TEXT, ALICE, config='[labels.accepts]\nlog = ["pii"]\n')
    assert "alice" in capsys.readouterr().err


@pytest.mark.parametrize(("accepts", "kept"), [("[]", False), ('["pii"]', True)])
def test_the_journal_keeps_words_that_it_accepts(desk, accepts, kept):
    desk.run(TEXT, ALICE, config=f"{KEEP}[labels.accepts]\njournal = {accepts}\n")
    raw = b"".join(path.read_bytes() for path in desk.kit.home.glob("journal.sqlite*"))
    assert (b"alice" in raw) == kept
    assert verify(desk.kit.journal, query.find_run(desk.kit.journal, "last"), desk.kit.home).ok


def test_the_journal_keeps_words_of_public_calls_and_not_of_marked_answers(desk):
    desk.crm = lambda _: (_ for _ in ()).throw(ValueError("alice"))
    with pytest.raises(ProgramError, match="alice"):
        desk.run('(defn main [r] (call :crm.get "asked"))', BOB, config=KEEP)
    raw = b"".join(path.read_bytes() for path in desk.kit.home.glob("journal.sqlite*"))
    assert b"asked" in raw
    assert b"alice" not in raw


class Looks:
    """Sends what is public to the remote model, and reads the label."""

    def claims(self):
        return ("f",)

    def decide(self, context):
        target = RemoteModel("other") if context.labels else RemoteModel("far")
        return DelegationPlan(target=target, reasoning="because", source=PlanSource.ENGINE, engine="static")


PLAIN = '(defn f "Say." [x] : :string "own")\n(defn main [r] (f (:email r)))'
OTHER = '[labels.accepts]\n"remote-other" = ["pii"]\n'


def test_a_marked_call_is_decided_again_from_its_record(desk):
    desk.engine = Looks()
    with desk.open(OTHER) as session:
        program = session.load(Source("test.rtfs", PLAIN))
        assert [program.call("main", (each,)).value for each in (ALICE, BOB)] == ["other", "far"]
        program.close()
        session.host.journal.flush()
        run = query.find_run(desk.kit.journal, "last")
        with history_of(desk.kit.journal, desk.kit.home) as history:
            found = list(replay(session.host, history, run))
            told = why(history, run, "1:0")
    assert [(each.result, each.now) for each in found] == [
        (Repeated.SAME, "remote other"), (Repeated.SAME, "remote far"),
    ]  # fmt: skip
    assert told["labels"] == ["pii"]
    assert ["remote far", "it carries :pii, which remote far does not accept"] in [list(e) for e in told["excluded"]]


def test_explain_says_what_becomes_of_each_mark(desk):
    text = TEXT + "\n(defn other [] (call :out.send 1))"
    with desk.open() as session:
        sites = {each.name: dict(each.labels) for each in session.explain(Source("test.rtfs", text))}
    assert sites["f"] == {":pii": "local-pure"}
    assert sites["n"] == {":pii": "local-model near"}
    assert sites["out.send"] == {":pii": "refused: it carries :pii, which capability out.send does not accept"}


def test_explain_of_a_call_goes_by_the_marks_of_its_arguments(desk):
    desk.engine = Looks()
    text = '(defn f "Say." [email] : :string "own")\n(defn g [] (f 1))'
    with desk.open(OTHER) as session:
        found = session.explain_call(Source("test.rtfs", text), Source("call", '(f "x")'))
        other = session.explain_call(Source("test.rtfs", text.replace("email", "x")), Source("call", '(f "x")'))
    assert (found.target, other.target) == ("remote other", "remote far")
    assert ("labels", "pii") in found.way.reads
    assert ("remote far", "it carries :pii, which remote far does not accept") in found.way.excluded


def test_records_are_shown_with_their_labels(desk):
    result = desk.run("(defn main [_] (call :crm.get))", BOB)
    assert result.calls[-1].labelled.to_json() == {"labels": [], "brought": ["pii"]}
    entry = next(iter(query.entries_of(desk.kit.journal, query.find_run(desk.kit.journal, "last"))))
    assert (entry["labels"], entry["brought"], entry["freed"]) == ([], ["pii"], None)
    assert re.fullmatch("[0-9a-f]+", entry["args_digest"])
