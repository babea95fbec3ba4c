"""Decisions are made again from what the journal tells of them, and nobody is asked."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from rtfs_framework.api import Ask, DelegationPlan, Health, Hedge, Left, LocalModel, LocalPure, PlanSource
from rtfs_framework.orchestrator.deciding.readings import READS
from rtfs_framework.orchestrator.explaining.replaying.reads import ANSWERED
from rtfs_framework.orchestrator.explaining.replaying.replay import Repeated, replay
from rtfs_framework.orchestrator.recording.journal.history import history_of
from rtfs_framework.orchestrator.recording.journal.redact import redact

ONE = "(defn f [x] :own)\n(f {0})"
MANY = "(defn f [x] :own)\n(mapv f {0})"
M, OTHER = LocalModel("m"), LocalModel("other")
KEEP = '[journal]\nkeep = "replies"'


def plan(target=M, **more):
    return DelegationPlan(target=target, reasoning="r", source=PlanSource.ENGINE, **more)


class Engine:
    """Claims `f` and decides by a function."""

    def __init__(self, decide):
        self._decide = decide

    def claims(self):
        return ("f",)

    def decide(self, context):
        return self._decide(context)


@pytest.fixture
def desk(kit, source):
    """Return what records a program under a policy, and decides it again under another."""

    @contextmanager
    def opened(decide, config=None, judge=lambda _: "yes", **options):
        models = [kit.provider(name, lambda _, name=name: name, deterministic=True) for name in ("m", "other")]
        catalog = kit.catalog(*models, kit.provider("judge", judge), engine=Engine(decide), l1=True)
        with kit.open(catalog, config, **options) as session:
            yield session

    class Desk:
        def record(self, decide, program, **options):
            with opened(decide, **options) as session:
                return session.run(source(program)).run_id

        def again(self, decide, run, **options):
            with opened(decide, **options) as session, history_of(kit.journal, kit.home) as history:
                found = list(replay(session.host, history, run))
                assert all(not provider.requests for provider in kit.providers.values()), "somebody was asked"
            return found

        journal, home = kit.journal, kit.home

    return Desk()


def results(found):
    return [each.result for each in found]


def by_size(small=LocalPure(), large=M):  # noqa: B008 - frozen
    return lambda context: plan(small if context.size <= 64 else large)


def test_the_same_policy_decides_the_same(desk):
    run = desk.record(by_size(), MANY.format('["a" (join "" (repeat 999 "long")) "b"]'))
    found = desk.again(by_size(), run)
    assert results(found) == [Repeated.SAME] * 3
    assert {each.then for each in found} == {"local-pure", "local-model m"}


def test_another_policy_differs_exactly_where_it_does(desk):
    run = desk.record(by_size(), MANY.format('["a" (join "" (repeat 999 "long")) "b"]'))
    found = desk.again(by_size(large=OTHER), run)
    (differs,) = [each for each in found if each.result is Repeated.DIFFERS]
    assert (differs.then, differs.now, differs.because) == ("local-model m", "local-model other", "r")
    assert results(found).count(Repeated.SAME) == 2


def test_arguments_are_needed_only_where_the_other_policy_looks_at_what_the_first_did_not(desk):
    run = desk.record(by_size(), ONE.format('"a"'))
    (found,) = desk.again(lambda c: plan(OTHER if c.args == ("a",) else M), run)
    assert (found.result, found.then) == (Repeated.UNKNOWN, "local-pure")
    assert "args: the arguments were not kept" in found.because


def test_kept_arguments_answer_every_read_of_them(desk):
    value = '[{:a #{1 2}} (list 1 "x") 1.5 nil (quote s)]'
    run = desk.record(by_size(), ONE.format(value), config=KEEP)
    seen = []

    def decide(context):
        seen.append((context.args, context.types, context.size, context.arg_type_fingerprint))
        return plan(OTHER if context.text else M)

    (found,) = desk.again(decide, run, config=KEEP)
    assert (found.result, found.now) == (Repeated.DIFFERS, "local-model other")
    ((args, types, size, _),) = seen
    assert (types, size, len(args)) == (("[:vector :any]",), 64, 1)


def test_removed_arguments_are_told_as_such(desk):
    run = desk.record(by_size(), ONE.format('"a"'), config=KEEP)
    from rtfs_framework.orchestrator.concurrency.clock import SystemClock
    from rtfs_framework.orchestrator.recording.journal.writer import Journal

    writer = Journal(desk.journal, desk.home, SystemClock())
    redact(writer, run)
    writer.close()
    (found,) = desk.again(lambda c: plan(M) if c.args else None, run)
    assert (found.result, found.because) == (Repeated.UNKNOWN, "args: the arguments were removed from the journal")


def test_a_struck_out_secret_is_not_decided_about(desk):
    environ = {"RTFS_HOME": str(desk.home), "ACME_API_KEY": "s3cret-s3cret"}
    run = desk.record(by_size(), ONE.format('"s3cret-s3cret"'), config=KEEP, environ=environ)
    (found,) = desk.again(lambda c: plan(M) if c.args else None, run)
    assert (found.result, "a secret was struck out" in found.because) == (Repeated.UNKNOWN, True)


@pytest.mark.parametrize(("config", "result"), [(KEEP, Repeated.SAME), (None, Repeated.UNKNOWN)])
def test_words_of_a_model_are_heard_again_where_they_were_kept(desk, config, result):
    def decide(context):
        return plan(M if context.consult(LocalModel("judge"), "where?") == "yes" else OTHER)

    run = desk.record(decide, MANY.format("[1 2]"), config=config)
    found = desk.again(decide, run, config=config)
    assert results(found) == [result] * 2, "also of the second, which stands on the first"
    assert result is Repeated.SAME or "the words that were heard were not kept" in found[0].because


def test_a_question_that_nobody_asked_is_told(desk):
    run = desk.record(by_size(), ONE.format('"a"'))
    (found,) = desk.again(lambda c: plan(M) if c.consult(LocalModel("judge"), "?") else None, run)
    assert found.because == "it would ask local-model judge, and nobody did then"


def test_that_a_model_gave_no_answer_is_repeated(desk):
    def decide(context):
        return plan(M if context.consult(LocalModel("judge"), "?") is None else OTHER)

    run = desk.record(decide, ONE.format('"a"'), judge=lambda _: "")
    assert results(desk.again(decide, run)) == [Repeated.SAME]


def test_signals_are_those_of_the_time_of_the_call(kit, desk, source):
    models = [kit.provider(name, lambda _, name=name: name) for name in ("m", "other")]
    engine = Engine(by_size())
    with kit.open(kit.catalog(*models, kit.provider("judge", str), engine=engine, l1=True)) as session:
        program = session.load(source("(defn f [x] :own)"))
        program.call("f", (1,))
        session.host.journal.signal("health", "local-model m", Health.OPEN)
        program.call("f", (2,))
        session.host.journal.signal("health", "local-model m", Health.CLOSED)
        session.host.journal.signal("latency", "local-model m", None)
        program.call("f", (3,))
        run = program.run_id
    found = desk.again(lambda c: plan(M if c.health(M) is Health.CLOSED and c.latency(M) is None else OTHER), run)
    assert [each.now for each in found] == ["local-model m", "local-model other", "local-model m"]


def test_hints_that_were_not_read_are_known_only_where_there_were_none(desk):
    bare = desk.record(by_size(), ONE.format("1"))
    hinted = desk.record(by_size(), "(defn f [x] :own)\n^{:runtime.learning.timeout {:timeout-ms 5000}} (f 1)")
    decide = lambda c: plan(OTHER if len(c.hints) else M)  # noqa: E731
    (first,), (second,) = desk.again(decide, bare), desk.again(decide, hinted)
    assert (first.now, second.result) == ("local-model m", Repeated.UNKNOWN)
    assert "was not kept" in second.because


def test_a_broken_engine_is_repeated_as_what_it_was(desk):
    def broken(context):
        raise RuntimeError(context.symbol)

    run = desk.record(broken, ONE.format("1"))
    assert results(desk.again(broken, run)) == [Repeated.SAME]
    assert desk.again(lambda _: plan(M), run)[0].now == "local-model m"


def test_what_an_author_says_of_a_function_is_known_again(desk):
    program = '(defn ^{:intent "triage" :confidence 0.8} f [x] :own)\n(f 1)'
    run = desk.record(by_size(), program)
    (found,) = desk.again(lambda c: plan(OTHER if c.metadata.context.get("intent") == "triage" else M), run)
    assert found.now == "local-model other"


@pytest.mark.parametrize(("config", "result"), [(KEEP, Repeated.SAME), (None, Repeated.UNKNOWN)])
def test_what_a_caller_says_is_known_again_where_words_are_kept(desk, config, result):
    decide = lambda c: plan(OTHER if c.metadata.reasoning else M)  # noqa: E731
    program = '(defn f [x] :own)\n^{:runtime.delegation {:reasoning "of Mr. Smith"}} (f 1)'
    run = desk.record(decide, program, config=config)
    (found,) = desk.again(decide, run, config=config)
    assert found.result is result
    assert (b"Smith" in desk.journal.read_bytes()) is (config == KEEP)


@pytest.mark.parametrize(
    "read",
    [lambda c: c.budget("daily") is Left.PLENTY, lambda c: c.rate("calls") is Left.PLENTY, lambda c: not c.load(M)],
)
def test_what_is_measured_only_when_somebody_looks_is_not_known_otherwise(desk, read):
    run = desk.record(by_size(), ONE.format("1"))
    (found,) = desk.again(lambda c: plan(M if read(c) else OTHER), run)
    assert (found.result, "nobody looked at it then" in found.because) == (Repeated.UNKNOWN, True)
    seen = desk.record(lambda c: plan(M if read(c) else OTHER), ONE.format("1"))
    assert results(desk.again(lambda c: plan(M if read(c) else OTHER), seen)) == [Repeated.SAME]


@pytest.mark.parametrize("over", ["mapv", "pmap"])
def test_draws_of_branches_are_those_of_their_calls(desk, over):
    decide = lambda c: plan(M if c.draw("which") < 0.5 else LocalPure())  # noqa: E731
    run = desk.record(decide, f"(defn f [x] :own)\n({over} f (range 40))")
    found = desk.again(decide, run)
    assert set(results(found)) == {Repeated.SAME}
    assert len({each.then for each in found}) == 2, "they draw one by one"


def test_it_is_settled_for_every_read_what_answers_it():
    assert set(READS) <= ANSWERED


def test_a_delay_or_a_hedge_is_a_part_of_a_decision(desk):
    hedge = Hedge(target=OTHER, after=2.0)
    run = desk.record(lambda _: plan(delay=0.001, hedge=hedge), ONE.format("1"))
    assert results(desk.again(lambda _: plan(delay=0.001, hedge=hedge), run)) == [Repeated.SAME]
    (found,) = desk.again(lambda _: plan(delay=0.001), run)
    assert (found.then, found.now) == (
        "local-model m after 0.001 s, hedged at local-model other after 2 s", "local-model m after 0.001 s",
    )  # fmt: skip


@pytest.mark.parametrize("yes", [True, False])
def test_what_a_person_said_is_no_decision(desk, yes):
    decide = lambda _: plan(Ask("boss", M))  # noqa: E731
    run = desk.record(decide, "(defn f [x] :own)\n(try (f 1) (catch e :no))", approver=lambda _: yes)
    (same,), (differs,) = desk.again(decide, run), desk.again(lambda _: plan(Ask("boss", OTHER)), run)
    assert (same.result, differs.result) == (Repeated.SAME, Repeated.DIFFERS)
    direct = desk.record(lambda _: plan(M), ONE.format("1"))
    assert results(desk.again(decide, direct)) == [Repeated.DIFFERS], "nobody was asked then"
