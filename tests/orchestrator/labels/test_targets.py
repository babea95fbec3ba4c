"""Every way to a target, with a label that it does not accept: nothing arrives there, and the record says why."""

from __future__ import annotations

import pytest

from rtfs_framework.api import (
    Ask,
    Capability,
    DelegationPlan,
    Hedge,
    InferenceReply,
    LocalModel,
    LocalPure,
    PlanSource,
    ProviderUnavailable,
    RemoteModel,
)
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.deciding.labels import LabelRule

FAR, NEAR, OTHER = RemoteModel("far"), LocalModel("near"), RemoteModel("other")
HINTED = '(defn ^:delegation :remote "far" f "Say." [x] : :string "own")\n(defn main [r] (f (:email r)))'
PLAIN = '(defn f "Say." [x] : :string "own")\n(defn main [r] (f (:email r)))'
ALICE = {Keyword("email"): "alice@example.com", Keyword("text"): "hello"}
BOB = {Keyword("text"): "x"}
ERROR, ASK = '[labels]\nforbidden = "error"\n', '[labels]\nforbidden = "ask"\n'
LABELS = '[labels.inputs]\nemail = ["pii"]\n[labels.capabilities]\n"crm.get" = ["pii"]\n'


class Engine:
    """Says what it is told to, in turn."""

    def __init__(self, *plans, ask=None):
        self.plans, self.ask, self.seen, self.heard = list(plans), ask, [], []

    def claims(self):
        return ("f",)

    def decide(self, context):
        self.seen.append((tuple(each.target for each in context.candidates), context.labels))
        if self.ask is not None:
            self.heard.append(context.consult(self.ask, f"where to with {context.args}?"))
        return self.plans.pop(0) if len(self.plans) > 1 else self.plans[0]


def plan(target, **more):
    return DelegationPlan(target=target, reasoning="because", source=PlanSource.ENGINE, engine="static", **more)


def steps(result):
    return dict(result.calls[-1].decision.steps)


def test_a_hint_is_brought_home(desk):
    result = desk.run(HINTED, ALICE)
    assert (result.value, desk.reached()) == ("own", [])
    assert result.calls[-1].labelled.label == {"pii"}
    assert "it carries :pii, which remote far does not accept" in steps(result)["security"]


def test_a_record_without_marks_goes_where_it_is_sent(desk):
    assert desk.run(HINTED, BOB).value == "far"
    assert desk.reached() == ["[nil]"]


def test_a_target_that_accepts_the_marks_is_asked(desk):
    accepts = '[labels.accepts]\n"remote-far" = ["pii"]\n'
    assert desk.run(HINTED, ALICE, config=accepts).value == "far"
    assert desk.reached() == ['["alice@example.com"]']


def test_a_model_s_own_table_says_what_it_accepts(desk, kit):
    with kit.open(desk.catalog(), '[labels.inputs]\nemail = ["pii"]\n[delegation.remote_providers.far]\n'
                  'provider = "far"\naccepts = ["pii"]\n') as session:  # fmt: skip
        assert session.run(Source("test.rtfs", HINTED), (ALICE,)).value == "far"


def test_an_on_device_model_accepts_every_mark_unless_it_is_said_otherwise(desk):
    hinted = HINTED.replace(':remote "far"', ':local-model "near"')
    assert desk.run(hinted, ALICE).value == "near"
    assert desk.run(hinted, ALICE, config='[labels.accepts]\n"local-near" = []\n').value == "own"
    assert desk.reached("near") == []


def test_the_error_names_the_marks_and_the_way_out(desk):
    with pytest.raises(ProgramError) as caught:
        desk.run(HINTED, ALICE, labels=ERROR + LABELS)
    assert caught.value.kind == "SecurityViolation"
    assert "it carries :pii, which remote far does not accept" in str(caught.value)
    assert 'add "pii" to  "remote-far" = [...]  under [labels.accepts]' in str(caught.value)
    assert desk.reached() == []


@pytest.mark.parametrize(("says", "value"), [(True, "far"), (False, None)])
def test_a_person_may_be_asked(desk, says, value):
    asked = []

    def approver(request):
        asked.append((request.target, request.args))
        return says

    with desk.open("", ASK + LABELS) as session:
        session.host.dispatcher.approvals.approver = approver
        program = session.load(Source("test.rtfs", HINTED))
        if says:
            assert program.call("main", (ALICE,)).value == value
        else:
            with pytest.raises(ProgramError, match="not approved"):
                program.call("main", (ALICE,))
    assert asked == [("remote far (carries :pii)", ("alice@example.com",))]
    assert len(desk.reached()) == says


def test_routes_without_an_engine_are_brought_home_or_go_to_the_next(desk):
    routes = '[delegation.static_routes]\nf = ["remote-far", "local-near"]\n'
    assert desk.run(PLAIN, ALICE, config=routes).value == "near"
    assert desk.run(PLAIN, ALICE, config='[delegation.static_routes]\nf = "remote-far"\n').value == "own"
    assert desk.reached() == []


def test_the_default_target_is_brought_home(desk, kit):
    with kit.open(desk.catalog(), '[delegation]\ndefault_target = "remote-far"\n[delegation.remote_providers.far]\n'
                  f'provider = "far"\n{LABELS}') as session:  # fmt: skip
        assert session.run(Source("test.rtfs", PLAIN), (ALICE,)).value == "own"
        assert session.run(Source("test.rtfs", PLAIN), (BOB,)).value == "far"
    assert desk.reached() == ['[{:text "x"}]']


def test_an_engine_chooses_among_those_that_accept_and_is_narrowed_where_it_does_not(desk):
    desk.engine = Engine(plan(FAR))
    result = desk.run(PLAIN, ALICE)
    assert (result.value, desk.reached()) == ("own", [])
    assert desk.engine.seen == [((NEAR,), {"pii"})]
    grounds = result.calls[-1].decision.grounds
    assert ("remote far", "it carries :pii, which remote far does not accept") in grounds.excluded


def test_candidates_say_what_they_accept(desk):
    class Looks(Engine):
        def decide(self, context):
            self.heard.append({each.target: each.accepts for each in context.candidates})
            return plan(LocalPure())

    desk.engine = Looks(plan(LocalPure()))
    desk.run(PLAIN, BOB, config='[labels.accepts]\n"remote-other" = ["pii"]\n')
    assert desk.engine.heard == [{FAR: frozenset(), OTHER: {"pii"}, NEAR: None}]


def test_a_plan_from_memory_is_of_its_label_alone(desk):
    desk.engine = Engine(plan(FAR))
    with desk.open(l1=True) as session:
        program = session.load(Source("test.rtfs", PLAIN))
        assert [program.call("main", (r,)).value for r in (BOB, ALICE, BOB, ALICE)] == [
            "far", "own", "far", "own",
        ]  # fmt: skip
    assert len(desk.engine.seen) == 2
    assert desk.reached() == ["[nil]", "[nil]"]


@pytest.mark.usefixtures("floats")
def test_a_reply_from_memory_is_of_its_label_alone(desk):
    desk.kept = {"deterministic": True}
    near = '(defn ^:delegation :local-model "near" f "Say." [x] : :string "own")\n(defn main [r] (f "same"))'
    with desk.open(l2=True) as session:
        program = session.load(Source("test.rtfs", near))
        results = [program.call("main", (r,)) for r in (BOB, ALICE, BOB, ALICE)]
    assert [each.calls[-1].cache for each in results] == ["l2 miss", "l2 miss", "l2 hit", "l2 hit"]


@pytest.mark.usefixtures("floats")
def test_a_reply_is_not_kept_where_the_cache_does_not_accept_it(desk):
    desk.kept = {"deterministic": True}
    near = '(defn ^:delegation :local-model "near" f "Say." [x] : :string "own")\n(defn main [r] (f "same"))'
    with desk.open('[labels.accepts]\n"cache l2" = []\n', l2=True) as session:
        program = session.load(Source("test.rtfs", near))
        for _ in range(2):
            program.call("main", (ALICE,))
    assert len(desk.reached("near")) == 2
    assert desk.kit.layers["l2"].records == {}


def test_a_hedge_is_left_out(desk):
    desk.engine = Engine(plan(NEAR, hedge=Hedge(target=FAR, after=0.0)))
    idempotent = (
        "[delegation.local_models.near]\nprovider = 'near'\nidempotent = true\n"
        "[delegation.remote_providers.far]\nprovider = 'far'\nidempotent = true\n"
    )
    with desk.kit.open(desk.catalog(), idempotent + LABELS) as session:
        result = session.run(Source("test.rtfs", PLAIN), (ALICE,))
    assert (result.value, desk.reached()) == ("near", [])
    assert "no second request to remote far: it carries :pii" in steps(result)["security"]


def test_a_consultation_is_not_asked(desk):
    desk.engine = Engine(plan(NEAR), ask=FAR)
    result = desk.run(PLAIN, ALICE)
    assert (result.value, desk.reached(), desk.engine.heard[-1]) == ("near", [], None)
    asked = next(each for each in result.calls if each.kind == "consultation")
    assert (asked.error_kind, asked.labelled.label) == ("SecurityViolation", {"pii"})


def test_a_consultation_that_may_be_asked_marks_the_run_with_what_it_answers(desk):
    desk.engine = Engine(plan(LocalPure()), ask=NEAR)
    text = PLAIN.replace("(f (:email r))", "(do (f (:text r)) (call :clock.now))")
    with pytest.raises(ProgramError, match=r"it carries :internal, which capability clock\.now"):
        desk.run(text, BOB, config='[labels.providers]\n"local-near" = ["internal"]\n')


def test_escalation_leads_nowhere_that_does_not_accept(desk):
    desk.engine = Engine(plan(NEAR), plan(FAR))
    desk.says["near"] = lambda _: ProviderUnavailable("near", "it is down")
    result = desk.run(PLAIN, ALICE)
    assert (result.value, desk.reached()) == ("own", [])


def test_a_repeat_is_looked_at_again(desk):
    """What the program learns from an on-device model between two requests of one call counts at the next call."""
    desk.says["near"] = lambda _: InferenceReply(text="secret words")
    text = '(defn ^:delegation :local-model "near" g "Say." [x] : :string "own")\n' + PLAIN.replace(
        "(f (:email r))", "(f (g (:text r)))"
    ).replace("(defn f", '(defn ^:delegation :remote "far" f')
    marked = '[labels.providers]\n"local-near" = ["secret"]\n'
    assert desk.run(text, BOB, config=marked).value == "own"
    assert desk.run(text, BOB).value == "far"
    assert desk.reached() == ['["secret words"]']


def test_a_capability_of_the_program_s_own_accepts_no_marks(desk):
    with pytest.raises(ProgramError, match=r"it carries :pii, which capability out\.send does not accept"):
        desk.run("(defn main [r] (call :out.send (:email r)))", ALICE)
    assert desk.heard == []
    desk.run("(defn main [r] (call :out.send (:text r)))", BOB)
    assert len(desk.heard) == 1


@pytest.mark.parametrize("says", [True, False])
def test_a_person_may_say_yes_to_a_capability(desk, says):
    with desk.open("", ASK + LABELS) as session:
        session.host.dispatcher.approvals.approver = lambda _: says
        program = session.load(Source("test.rtfs", "(defn main [r] (call :out.send (:email r)))"))
        if says:
            program.call("main", (ALICE,))
        else:
            with pytest.raises(ProgramError, match="not approved"):
                program.call("main", (ALICE,))
    assert len(desk.heard) == says


def test_an_engine_s_capability_is_no_way_out(desk):
    desk.engine = Engine(plan(Capability("out.send")))
    assert desk.run(PLAIN, ALICE).value == "own"
    assert desk.heard == []


def test_a_yes_to_an_engine_s_question_frees_nothing(desk):
    desk.engine = Engine(plan(Ask("boss", FAR)))
    with desk.open() as session:
        session.host.dispatcher.approvals.approver = lambda _: True
        assert session.run(Source("test.rtfs", PLAIN), (ALICE,)).value == "own"
    assert desk.reached() == []


def test_a_redaction_frees_the_marks_that_its_rule_names(desk):
    desk.engine = Engine(plan(FAR, transform=("mails",)))
    rule = "[redaction.mails]\npattern = '[a-z]+@[a-z.]+'\nwith = 'MAIL'\nmarks = ['pii']\n"
    with desk.open(rule) as session:
        marks = session.host.dispatcher.labelling.marks
    pii = frozenset({"pii"})
    assert LabelRule(marks, pii, whole=pii).why_not(FAR, ("mails",)) is None
    assert LabelRule(marks, pii, whole=pii).why_not(FAR, ("other",)) is not None
    assert LabelRule(marks, pii | {"secret"}, whole=pii | {"secret"}).why_not(FAR, ("mails",)) is not None
    assert LabelRule(marks, pii).why_not(FAR, ("mails",)) is not None
    assert LabelRule(marks, pii, whole=pii).key != LabelRule(marks, pii).key


def test_a_redaction_that_is_trusted_frees_whatever_the_program_did(desk):
    desk.engine = Engine(plan(FAR, transform=("mails",)))
    rule = "[redaction.mails]\npattern = '[a-z]+@[a-z.]+'\nwith = 'MAIL'\nmarks = ['pii']\n"
    trusted = "[labels]\ntrust_redaction = true\n" + LABELS
    assert desk.run(PLAIN, ALICE, labels=trusted, config=rule).value == "far"
    assert desk.reached() == ['["MAIL"]']
    assert desk.engine.seen == [((FAR, OTHER, NEAR), {"pii"})]
    other = rule.replace("'pii'", "'internal'")
    assert desk.run(PLAIN, ALICE, labels=trusted, config=other).value == "own"


def test_a_redaction_frees_nothing_that_may_have_been_changed(desk):
    desk.engine = Engine(plan(FAR, transform=("mails",)))
    rule = "[redaction.mails]\npattern = '[a-z]+@[a-z.]+'\nwith = 'MAIL'\nmarks = ['pii']\n"
    turned = PLAIN.replace("(f (:email r))", "(f (reverse-string (:email r)))")
    assert turned != PLAIN
    assert desk.run(turned, ALICE, config=rule).value == "own"
    assert desk.reached() == []


def test_without_the_table_nothing_is_looked_at(desk):
    result = desk.run(HINTED, ALICE, labels="")
    assert (result.value, result.calls[-1].labelled) == ("far", None)
