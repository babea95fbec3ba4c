"""Engines learn from the rows of the journal; whoever folds them again has the same, bit for bit."""

from __future__ import annotations

from contextlib import closing, contextmanager

import pytest

from rtfs_framework.api import (
    CapabilityEntry,
    DelegationPlan,
    LocalModel,
    PlanSource,
    ProviderUnavailable,
)
from rtfs_framework.orchestrator.explaining.replaying.replay import Repeated, replay
from rtfs_framework.orchestrator.learning.build import learned_path, learners_of
from rtfs_framework.orchestrator.learning.past import folded
from rtfs_framework.orchestrator.learning.reading import LAST, rows_of
from rtfs_framework.orchestrator.learning.store import LearnedStore, cells_of, everything
from rtfs_framework.orchestrator.recording.journal.feedback import Forgotten
from rtfs_framework.orchestrator.recording.journal.history import history_of
from rtfs_framework.orchestrator.recording.journal.rating import rate
from rtfs_framework.orchestrator.recording.journal.redact import name_of

M, OTHER = LocalModel("m"), LocalModel("other")
MANY = "(defn f [x] :own)\n(mapv f (range {0}))"


class Explorer:
    """Draws between two models, and learns how often each did well, what was drawn, and what was said."""

    def __init__(self, decide=None):
        self.seen = []
        self._decide = decide

    def claims(self):
        return ("f",)

    def decide(self, context):
        known = context.state("m") or {"good": 0}
        first = context.draw("explore") < (0.5 if known["good"] % 2 else 0.25)
        tried = {each.target for each in context.attempts}
        target = next((each for each in ((M, OTHER) if first else (OTHER, M)) if each not in tried), None)
        if target is None:
            return None
        share = 0.5 if known["good"] % 2 else 0.25
        return DelegationPlan(
            target=target,
            reasoning=f"knows {known['good']}",
            source=PlanSource.ENGINE,
            propensity=share if first else 1 - share,
            note=f"n{known['good']}",
        )

    def initial(self):
        return {}

    def fold(self, state, outcome):
        self.seen.append(outcome)
        if outcome.note == "bad":
            raise ValueError("not this one")
        name = outcome.target.id
        before = state.get(name, {"good": 0, "all": 0, "rated": 0.0, "log": 0.1})
        return {
            **state,
            name: {
                "good": before["good"] + outcome.success,
                "all": before["all"] + 1,
                "rated": before["rated"] + (outcome.feedback or 0.0),
                "log": before["log"] * 1.0000001 + (outcome.propensity or 0.0) / 3 + outcome.seconds,
            },
        }


@pytest.fixture
def desk(kit, source):
    """Return what runs programs with an engine that learns."""

    class Desk:
        engine = None
        answers = {"m": lambda _: "yes", "other": lambda _: "yes"}  # noqa: RUF012 - a test's own

        @contextmanager
        def open(self, config=None, engine=None, **options):
            models = [kit.provider(name, answer) for name, answer in self.answers.items()]
            self.engine = engine or Explorer()
            rater = CapabilityEntry(id="acme.now", summary="A fake.", handler=lambda _: 1)
            catalog = kit.catalog(*models, engine=self.engine, l1=True, capabilities=(rater,))
            with kit.open(catalog, config, **options) as session:
                yield session

        def run(self, count, **options):
            with self.open(**options) as session:
                return session.run(source(MANY.format(count))).run_id

        def kept(self):
            """Return the cells of every state, as they are kept."""
            store = LearnedStore(learned_path(kit.environ))
            with closing(store):
                return store.read(lambda db: {each.place.learner: cells_of(db, each.id) for each in everything(db)})

        def rebuilt(self, **options):
            """Return the cells that the journal makes."""
            with self.open(journal=False, **options) as session, rows_of(kit.journal, kit.home) as rows:
                engine = session.host.dispatcher.delegator.engine
                (learner,) = learners_of(session.host.config, engine)
                return folded(rows, learner, session.host.config.tenant, None, to=LAST).cells

    return Desk()


def test_what_is_kept_is_what_the_journal_makes(desk):
    desk.run(200)
    kept = desk.kept()["static"]
    assert kept["m"].value["all"] + kept["other"].value["all"] == 200
    assert kept == desk.rebuilt()
    assert list(kept) == list(desk.rebuilt())


def test_a_later_session_decides_by_what_an_earlier_one_learned(desk):
    desk.run(200)  # each goes to `m` first with 0.25: fewer, and there may be nothing to learn of it
    with desk.open() as session:
        version, value = session.host.learning.state("static", "m")
    assert value == desk.kept()["static"]["m"].value
    assert version == desk.kept()["static"]["m"].version


def test_answers_from_memory_and_own_bodies_teach_nothing(desk, kit, source):
    models = [kit.provider(name, lambda _: "yes", deterministic=True) for name in ("m", "other")]
    engine = Explorer()
    with kit.open(kit.catalog(*models, engine=engine, l2=True)) as session:
        session.run(source("(defn f [x] :own)\n(mapv f [1 1 1 1 1 1 1 1])"))
    assert 1 <= len(engine.seen) <= 2, "one request to each model at most"


def test_what_an_engine_noted_comes_back(desk):
    desk.run(5)
    assert {each.symbol for each in desk.engine.seen} == {"f"}
    assert all(each.note.startswith("n") and each.propensity in (0.25, 0.5, 0.75) for each in desk.engine.seen)
    assert all(each.success and each.kind is None and each.at > 0 for each in desk.engine.seen)


def test_failed_attempts_are_outcomes_of_their_own(desk):
    desk.answers = {"m": lambda _: ProviderUnavailable("m", "down"), "other": lambda _: "yes"}
    desk.run(200)  # each goes to `m` first with 0.25
    of_m = [each for each in desk.engine.seen if each.target == M]
    of_other = [each for each in desk.engine.seen if each.target == OTHER]
    assert of_m
    assert not any(each.success for each in of_m)
    assert len(of_other) == 200
    assert {each.attempt for each in of_other} == {0, 1}, "after a failure it is the second"
    assert desk.kept()["static"] == desk.rebuilt()


def test_replay_of_a_run_with_exploration_has_no_difference(desk, kit):
    runs = [desk.run(50), desk.run(50)]
    with desk.open(journal=False) as session, history_of(kit.journal, kit.home) as history:
        found = [each for run in runs for each in replay(session.host, history, run)]
    assert len(found) == 100
    assert {each.then for each in found} == {"local-model m", "local-model other"}
    assert [each for each in found if each.result is not Repeated.SAME] == []


def test_feedback_reaches_those_that_learn(desk, kit, source):
    with desk.open() as session:
        found = session.run(source(MANY.format(2)))
        name = name_of(found.calls[0].entry, None, found.calls[0].path)
        rate(session.host.journal, found.run_id, name, 0.7, "person")
    (said,) = [each for each in desk.engine.seen if each.feedback is not None]
    assert (said.feedback, said.symbol, said.note[:1]) == (0.7, "f", "n")
    assert desk.kept()["static"] == desk.rebuilt()


def test_a_reset_begins_anew_and_the_journal_knows(desk):
    desk.run(10)
    with desk.open() as session:
        session.host.journal.queue("forgotten", None, Forgotten(engine="static", tenant="", at=1.0))
        session.host.journal.commit()
        session.host.learning.catch_up()
        assert session.host.learning.state("static", "m") == (0, None)
    desk.run(3)
    kept = desk.kept()["static"]
    assert sum(each.value["all"] for each in kept.values()) == 3
    assert kept == desk.rebuilt()


def test_a_fold_that_raises_skips_its_outcome_and_says_so(desk):
    class Picky(Explorer):
        def fold(self, state, outcome):
            if outcome.target == OTHER:
                raise RuntimeError("not this one")
            return super().fold(state, outcome)

    with desk.open(engine=Picky()) as session:
        session.run(MANY.format(60))
        session.host.learning.catch_up()
        (problem,) = [each for each in session.problems if "`fold`" in each.message]
    assert "the outcome was skipped" in problem.message
    assert set(desk.kept()["static"]) == {"m"}
    assert desk.kept()["static"] == desk.rebuilt(engine=Picky())


def test_without_a_journal_learning_lasts_for_the_session(desk, source):
    with desk.open("[journal]\nenabled = false") as session:
        session.run(source(MANY.format(40)))
        assert session.host.learning.state("static", "other")[1]["all"] > 0
    assert desk.kept() is None


def test_a_session_that_writes_no_journal_begins_with_what_is_kept_and_changes_nothing(desk, source):
    desk.run(10)
    before = desk.kept()
    with desk.open(journal=False) as session:
        session.run(source(MANY.format(40)))
        assert session.host.learning.state("static", "other")[1]["all"] > before["static"]["other"].value["all"]
    assert desk.kept() == before


def test_a_new_journal_goes_on_from_what_was_learned(desk, kit):
    desk.run(10)
    before = sum(each.value["all"] for each in desk.kept()["static"].values())
    for path in kit.home.glob("journal*.sqlite*"):
        path.unlink()
    run = desk.run(10)
    with closing(LearnedStore(learned_path(kit.environ))) as store:
        states = store.read(
            lambda db: [
                (each.number, sum(cell.value["all"] for cell in cells_of(db, each.id).values()))
                for each in everything(db)
            ]
        )
    assert sorted(states) == [(1, before), (2, before + 10)]
    with desk.open(journal=False) as session, history_of(kit.journal, kit.home) as history:
        assert {each.result for each in replay(session.host, history, run)} == {Repeated.SAME}


def test_other_settings_fold_the_journal_again(desk):
    desk.run(10)

    class Other(Explorer):
        def fingerprint(self):
            return "2"

    with desk.open(engine=Other()) as session:
        session.run(MANY.format(1))
        session.host.learning.catch_up()
        cells = [session.host.learning.state("static", name)[1] for name in ("m", "other")]
        total = sum(each["all"] for each in cells if each is not None)  # by chance one of both may never be tried
    assert total == 11


def test_tenants_learn_apart(desk):
    desk.run(3, tenant="acme")
    desk.run(5)
    with desk.open(tenant="acme", journal=False) as session:
        known = [session.host.learning.state("static", name)[1] for name in ("m", "other")]
    assert sum(each["all"] for each in known if each) == 3


def test_counting_begins_when_somebody_asks(desk, source):
    with desk.open() as session:
        session.run(source(MANY.format(60)))
        assert "host.stats" not in (desk.kept() or {})
        session.host.learning.stats("f", M)
        session.host.learning.catch_up()
        _, found = session.host.learning.stats("f", M)
        assert found.count == session.host.learning.state("static", "m")[1]["all"]
