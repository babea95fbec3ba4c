"""The floating label: a run carries the marks of all that it was given, whatever way that came."""

from __future__ import annotations

import pytest

from rtfs_framework.api import CapabilityError, ProviderUnavailable
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword

pytestmark = pytest.mark.usefixtures("floats")

F = '(defn ^:delegation :remote "far" f "Say." [x] : :string "own")\n'
N = '(defn ^:delegation :local-model "near" n "Say." [x] : :string "own")\n'
ALICE = {Keyword("email"): "alice@example.com", Keyword("text"): "hello"}
BOB = {Keyword("text"): "hi"}


@pytest.mark.parametrize(
    "before",
    [
        "(call :crm.get)",
        "(try (call :crm.get 1) (catch _ 0))",
        "(if (= (call :crm.get) 1) 1 2)",
        "(pmap (fn [_] (call :crm.get)) [1 2])",
        "(map (fn [_] (call :crm.get)) [1 2])",
        "(pmap-settled (fn [i] (if (= i 1) (call :crm.get) i)) [1 2])",
        '(try (pmap (fn [i] (do (call :crm.get) (throw "no"))) [1 2]) (catch _ 0))',
        "(step-parallel (call :clock.now) (call :crm.get))",
        "(pmap (fn [_] (pmap (fn [_] (call :crm.get)) [1])) [1 2])",
        "(context/get :user)",
        "@user",
    ],
)
def test_what_was_given_counts_for_all_that_comes_later(desk, before):
    config = '[security.context]\nuser = "bob"\n[labels.context]\nuser = ["pii"]\n'
    text = F + f"(defn main [_] [(f 1) (do {before} (f 2))])"
    assert desk.run(text, BOB, config=config).value == ("far", "own")
    assert desk.reached() == ["[1]"]


def test_an_error_of_a_marked_source_counts(desk):
    def fails(_request):
        raise CapabilityError("no such person: alice")

    desk.crm = fails
    result = desk.run(F + "(defn main [_] (f (try (call :crm.get) (catch e (str e)))))", BOB)
    assert (result.value, desk.reached()) == ("own", [])
    assert [sorted(each.labelled.brought) for each in result.calls if each.kind == "capability"] == [["pii"]]


def test_an_attempt_that_failed_counts(desk):
    desk.says["near"] = lambda _: ProviderUnavailable("near", "it is down")
    marked = '[labels.providers]\n"local-near" = ["pii"]\n'
    result = desk.run(F + N + "(defn main [_] (do (try (n 1) (catch _ 0)) (f 2)))", BOB, config=marked)
    assert (result.value, desk.reached()) == ("own", [])


@pytest.mark.parametrize(
    ("said", "value"), [("", "own"), ('"clock.now" = []', "far"), ('"clock.now" = ["pii"]', "own")]
)
def test_a_capability_that_accepts_marks_may_keep_them_and_give_them_back(desk, said, value):
    labels = f'[labels.accepts]\n"capability clock.now" = ["pii"]\n[labels.capabilities]\n{said}\n'
    assert desk.run(F + "(defn main [_] (f (call :clock.now)))", BOB, labels=labels).value == value


def test_an_event_and_a_denied_call_bring_nothing(desk):
    text = F + '(defn main [_] (do (step "s" 1) (try (call :no.such 1) (catch _ 0)) (f 2)))'
    assert desk.run(text, BOB).value == "far"


def test_a_branch_starts_with_its_parents_label_and_its_own_marks_are_its_own(desk):
    text = F + "(defn main [_] (pmap (fn [i] (if (= i 0) (do (call :crm.get) (f i)) (f i))) [0 1 2]))"
    assert desk.run(text, BOB).value == ("own", "far", "far")
    text = F + "(defn main [r] (pmap (fn [i] (f i)) [0 1]))"
    assert desk.run(text, ALICE).value == ("own", "own")


def test_a_context_value_keeps_the_label_under_which_it_was_set(desk):
    text = F + "(context/set :user (call :crm.get))\n(defn main [r] (do (when (:read r) (context/get :user)) (f 1)))"
    with desk.open() as session:
        program = session.load(Source("test.rtfs", text))
        assert program.call("main", (BOB,)).value == "own"
    text = "(context/set :open 1)\n(context/set :user 2)\n" + F + "(defn main [k] (do (context/get k) (f 1)))"
    with desk.open('[labels.context]\nuser = ["pii"]\n') as session:
        program = session.load(Source("test.rtfs", text))
        assert [program.call("main", (Keyword(k),)).value for k in ("open", "user")] == ["far", "far"]


def test_top_level_forms_count_for_every_later_call(desk):
    with desk.open() as session:
        program = session.load(Source("test.rtfs", F + "(def person (call :crm.get))\n(defn main [_] (f 1))"))
        assert program.call("main", (BOB,)).value == "own"
        assert [each.value for each in session.stream(program, "main", [BOB, BOB])] == ["own", "own"]


def test_a_call_counts_for_itself_alone(desk):
    with desk.open() as session:
        program = session.load(Source("test.rtfs", F + "(defn main [r] (f (:text r)))"))
        assert [program.call("main", (r,)).value for r in (BOB, ALICE, BOB)] == ["far", "own", "far"]


def test_a_record_of_a_stream_starts_with_the_marks_of_its_columns(desk):
    with desk.open() as session:
        program = session.load(Source("test.rtfs", F + "(defn main [r] (f (:text r)))"))
        found = [each.value for each in session.stream(program, "main", [BOB, ALICE, BOB], concurrency=3)]
    assert found == ["far", "own", "far"]


def test_a_state_carries_the_marks_of_all_that_it_was_made_of(desk):
    text = F + "(defn fold [s r] (let [v (f (:text r))] [(if (:email r) 1 2) v])) (defn finish [s] (f 1))"
    with desk.open() as session:
        fold = session.load(Source("test.rtfs", text)).fold([BOB, ALICE, BOB])
        assert [each.value[1] for each in fold] == ["far", "own", "own"]
        assert fold.finish().value == "own"
        assert sorted(fold.finish().marks) == ["pii"]
        fails = F + '(defn fold [s r] (if (:email r) (throw "no") (inc (or s 0)))) (defn finish [s] (f s))'
        fold = session.load(Source("test.rtfs", fails)).fold([BOB, ALICE])
        assert [each.ok for each in fold] == [True, False]
        assert (fold.state, fold.finish().value) == (1, "own"), "that it stayed tells of the one that failed"
        fold = session.load(Source("test.rtfs", text)).fold([BOB, BOB])
        assert [[each.value[1] for each in fold], fold.finish().value] == [["far", "far"], "far"]


@pytest.mark.parametrize(
    ("inputs", "args", "value"),
    [
        ('email = ["pii"]', ({Keyword("a"): {Keyword("email"): 1}},), "own"),
        ('email = ["pii"]', ([{Keyword("email"): 1}],), "own"),
        ('email = ["pii"]', ({"email": 1},), "own"),
        ('email = ["pii"]', (Map.of([(Map.of([(Keyword("email"), 1)]), 2)]),), "own"),
        ('"customer.phone" = ["pii"]', ({Keyword("customer"): {Keyword("phone"): 1}},), "own"),
        ('"customer.phone" = ["pii"]', ({Keyword("shop"): {Keyword("phone"): 1}},), "far"),
        ('r = ["pii"]', (5,), "own"),
        ('x = ["pii"]', (5,), "far"),
        ('"*" = ["pii"]', (5,), "own"),
    ],
)
def test_inputs_are_marked_by_key_path_and_parameter(desk, inputs, args, value):
    assert desk.run(F + "(defn main [r] (f 1))", *args, labels=f"[labels.inputs]\n{inputs}\n").value == value


def test_an_uncaught_error_of_a_branch_counts_for_who_catches_it(desk):
    branches = '(step-parallel (call :clock.now) (do (call :crm.get) (throw "x")))'
    text = F + f"(defn main [_] (do (try {branches} (catch _ 0)) (f 1)))"
    assert desk.run(text, BOB).value == "own"


def test_names_that_a_program_makes_up_are_withheld(desk):
    text = "(defn main [r] (try (call (keyword (:email r)) 1) (catch _ (context/set (keyword (:email r)) 1))))"
    result = desk.run(text, ALICE)
    assert [each.symbol for each in result.calls] == ["(withheld)", "(withheld)"]
    assert "alice" not in str([each.target for each in result.calls])
    assert "alice" not in str(desk.told)
    raw = desk.kit.journal.read_bytes()
    assert b"alice" not in raw


def test_conversations_go_on_with_the_label_of_what_was_said_before(desk):
    from rtfs_framework.orchestrator.talking import HostedConversation

    with desk.open() as session:
        talk = HostedConversation.open(session)
        values = [_say(talk, text) for text in (F, "(f 1)", "(def p (call :crm.get))", "(f 2)")]
        talk.close()
    assert values[1] == "far"
    assert values[3] == "own"


def _say(talk, text):
    source = Source("talk", text)
    found = talk.finish(talk.talk.start(talk.talk.compile(talk.talk.read(source), source)))
    talk.talk.settle()
    return found


def test_errors_say_nothing_more_than_the_rules(desk):
    with pytest.raises(ProgramError) as caught:
        desk.run("(defn main [r] (call :out.send (:email r)))", ALICE)
    assert "alice" not in str(caught.value)


def test_the_marks_that_an_error_of_a_capability_brings_along_count(desk):
    def fails(_request):
        raise CapabilityError("m is more than 4000", marks=frozenset({"pii"}))

    desk.crm = fails
    text = F + "(defn main [_] (f (try (call :crm.get) (catch e (str e)))))"
    result = desk.run(text, BOB, labels="[labels.inputs]\nemail = ['pii']\n")
    assert (result.value, desk.reached()) == ("own", [])
    assert [sorted(each.labelled.brought) for each in result.calls if each.kind == "capability"] == [["pii"]]
