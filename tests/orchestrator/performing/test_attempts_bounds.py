"""What bounds attempts: a plan's life, one repair of a call, the floor, what is final, and the call's time."""

from __future__ import annotations

from time import sleep

import anyio
import pytest

from rtfs_framework.api import (
    DelegationPlan,
    Deny,
    FailureKind,
    Hedge,
    LocalModel,
    LocalPure,
    PlanSource,
    ProviderAuthError,
    ProviderUnavailable,
    RateLimited,
    RemoteModel,
)
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.orchestrator.deciding.facts import ContextClosedError

SAFE = ProviderUnavailable("a", "refused", failure=FailureKind.SAFE)
HERE = ProviderAuthError("a", "no key")
PROGRAM = '(defn label "Label." [x :string] :string "own") (defn main [x] (label x))'
TWO = "".join(
    f'[delegation.local_models.{name}]\nprovider = "{name}"\nidempotent = true\nquality = 0.9\n' for name in "ab"
)


def plan(target, **more):
    target = LocalModel(target) if isinstance(target, str) else target
    return DelegationPlan(target=target, reasoning="r", source=PlanSource.ENGINE, engine="e", **more)


class Desk:
    """A session whose engine is a function, with models that answer from scripts."""

    def __init__(self, kit, source, engine):
        self.kit, self.source, self.engine = kit, source, engine
        self.asked = {}

    def answering(self, name, script):
        self.asked[name] = 0

        def answer(_):
            said = script[min(self.asked[name], len(script) - 1)]
            self.asked[name] += 1
            return said() if callable(said) else said

        return answer

    def open(self, decide, config=TWO, *, l1=False, **scripts):
        self.engine.decide = decide
        scripts = {"a": ["a"], "b": ["b"], **scripts}
        models = [self.kit.provider(name, self.answering(name, script)) for name, script in scripts.items()]
        return self.kit.open(self.kit.catalog(*models, engine=self.engine, l1=l1), config)

    def run(self, decide, config=TWO, text=PROGRAM, **scripts):
        with self.open(decide, config, **scripts) as session:
            result = session.run(self.source(text), ("x",))
        return result.value, result.calls[0]


@pytest.fixture
def desk(kit, source, fake_engine):
    return Desk(kit, source, fake_engine(claimed=("label",)))


def slowly(answer, seconds=0.1):
    async def say():
        await anyio.sleep(seconds)
        return answer

    return say


class TestPlansInMemory:
    """A plan with two requests is provisional like any other: kept when it brought an answer, dropped when not."""

    HEDGED = plan("a", hedge=Hedge(target=LocalModel("b"), after=0.01))

    def calls(self, session, source, times):
        program = session.load(source(PROGRAM))
        return [program.call("main", ("x",)) for _ in range(times)]

    def test_one_that_brought_an_answer_is_kept(self, desk):
        with desk.open(lambda _: self.HEDGED, l1=True, a=[slowly("late")], b=["b says"]) as session:
            _, second = self.calls(session, desk.source, 2)
        steps = [text for _, text in second.calls[-1].decision.steps]
        assert any(text.startswith("hit") for text in steps), steps

    def test_one_that_failed_is_dropped(self, desk):
        asked = []

        def decide(context):
            asked.append(len(context.attempts))
            return plan(LocalPure()) if context.attempts else self.HEDGED

        with desk.open(decide, l1=True, a=[slowly(HERE, 0.05)], b=[HERE]) as session:
            self.calls(session, desk.source, 2)
        assert asked == [0, 2, 0, 2]

    def test_one_that_is_given_up_while_it_waits_is_dropped(self, desk):
        asked = []

        def decide(_):
            asked.append(1)
            return plan("a", delay=30.0) if len(asked) == 1 else plan("b")

        with desk.open(decide, l1=True, a=["a"], b=["b"]) as session:

            async def both():
                async with anyio.create_task_group() as group:
                    group.start_soon(session.run_async, desk.source(PROGRAM), ("x",))
                    while not asked:  # noqa: ASYNC110 - it is decided in another thread
                        await anyio.sleep(0.005)
                    await anyio.sleep(0.1)  # by now it waits
                    group.cancel_scope.cancel()
                with anyio.fail_after(25):
                    return await session.run_async(desk.source(PROGRAM), ("x",))

            assert anyio.run(both).value == "b"
        assert len(asked) == 2


class TestOneRepair:
    TYPED = PROGRAM.replace(':string "own"', ":int 0")

    def test_of_two_requests_at_once_one_is_repaired(self, desk):
        hedge = Hedge(target=LocalModel("b"), after=0.0)
        decide = lambda context: plan(LocalPure()) if context.attempts else plan("a", hedge=hedge)  # noqa: E731
        value, call = desk.run(decide, text=self.TYPED, a=[slowly("many")], b=[slowly("lots")])
        assert (value, sum(desk.asked.values())) == (0, 3)
        assert len(call.attempts) == 3

    def test_and_none_of_the_targets_after_them(self, desk):
        hedge = Hedge(target=LocalModel("b"), after=30.0)
        decide = lambda context: plan("b") if len(context.attempts) == 2 else plan("a", hedge=hedge)  # noqa: E731
        desk.run(decide, text=self.TYPED, a=["many"], b=["lots"])
        assert desk.asked == {"a": 2, "b": 1}

    def test_a_call_that_may_make_one_request_makes_none_for_a_repair(self, desk):
        value, call = desk.run(lambda _: plan("a"), "[delegation]\nattempts = 1\n" + TWO, self.TYPED, a=["many", "7"])
        assert (value, desk.asked, len(call.attempts)) == (0, {"a": 1, "b": 0}, 1)


class TestRulesAfterAFailure:
    FLOOR = "[delegation]\nquality_floor = 0.5\n"

    def test_a_target_that_may_not_be_is_no_way_to_a_weaker_own_body(self, desk):
        decide = lambda context: plan(RemoteModel("far")) if context.attempts else plan("a")  # noqa: E731
        far = '[delegation.remote_providers.far]\nprovider = "b"\nquality = 1.0\n'
        config = f'{TWO}{self.FLOOR}[security]\nreach = "local"\n{far}'
        with pytest.raises(ProgramError, match="no key"):
            desk.run(decide, config, a=[HERE], b=["never"])
        assert desk.asked["b"] == 0

    @pytest.mark.parametrize("ends", ["", 'on_exhausted = "body"\n'])
    def test_an_engine_s_denial_stands_whatever_the_floor(self, desk, ends):
        decide = lambda context: plan(Deny("enough; ask me")) if context.attempts else plan("a")  # noqa: E731
        with pytest.raises(ProgramError, match="enough"):
            desk.run(decide, self.FLOOR + ends + TWO, a=[HERE])

    def test_what_was_final_for_one_of_two_requests_is_final_for_the_call(self, desk):
        final = ProviderUnavailable("b", "over", failure=FailureKind.FINAL)
        hedge = Hedge(target=LocalModel("b"), after=0.0)
        decide = lambda context: plan("a", hedge=None if context.attempts else hedge)  # noqa: E731
        value, call = desk.run(decide, a=[slowly(SAFE), "again"], b=[final])
        assert (value, desk.asked["a"], call.exhausted) == ("own", 1, "body")


class TestLeftAlone:
    """A target that asks to be left alone is, whatever an engine says, and also where no breaker looks."""

    OFF = "[health]\nstate = 'disabled'\n" + TWO

    def test_an_engine_that_insists_waits(self, desk):
        wait = RateLimited("a", "slow down", retry_after=0.3)
        value, call = desk.run(lambda _: plan("a"), self.OFF, a=[wait, "second"])
        assert (value, call.decision.plan.delay) == ("second", 0.3)

    def test_and_not_for_ever(self, desk):
        wait = RateLimited("a", "slow down", retry_after=600.0)
        value, call = desk.run(lambda _: plan("a"), self.OFF, a=[wait, "never"])
        assert (value, call.exhausted, desk.asked["a"]) == ("own", "body", 1)


def test_a_default_target_that_no_engine_speaks_for_is_repeated_as_without_an_engine(desk):
    desk.engine.claimed = ("other",)
    config = f'{TWO}[delegation]\ndefault_target = "local-a"\n'
    value, call = desk.run(lambda _: None, config, text='(defn main [x] "own")', a=[SAFE, "second"])
    assert (value, [each.attempt.kind for each in call.attempts]) == ("second", [FailureKind.SAFE])


def test_an_attempt_takes_the_time_that_it_takes_and_not_that_of_the_wait_before_it(desk):
    value, call = desk.run(
        lambda context: plan("b") if len(context.attempts) > 1 else plan("a", delay=0.3 * len(context.attempts)),
        a=[SAFE],
        b=["b says"],
    )
    assert value == "b says"
    assert [each.seconds < 0.25 for each in call.attempts] == [True, True]


class TestTime:
    """A hint bounds all requests of a call together."""

    HINTED = PROGRAM.replace("(label x)", "^{:runtime.learning.timeout {:absolute-ms 400}} (label x)")

    def test_a_repair_has_what_is_left(self, desk):
        text = self.HINTED.replace(':string "own"', ":int 0")
        config = "[delegation]\non_exhausted = 'error'\n" + TWO
        with pytest.raises(ProgramError):
            desk.run(lambda _: plan("a"), config, text, a=[slowly("many", 0.25), slowly("7", 30.0)])
        first, second = desk.kit.providers["a"].requests
        assert first.timeout <= 0.4
        assert second.timeout <= 0.16

    def test_a_consultation_has_no_more_and_what_follows_it_has_the_rest(self, desk):
        decide = lambda context: plan(context.consult(LocalModel("b"), "where?"))  # noqa: E731
        desk.run(decide, text=self.HINTED, a=["a says"], b=[slowly("a", 0.1)])
        (asked,), (consulted,) = (desk.kit.providers[name].requests for name in "ab")
        assert 0 < consulted.timeout <= 0.4
        assert 0 < asked.timeout <= 0.3

    def test_what_waits_for_room_has_no_more(self, desk):
        text = self.HINTED.replace("(defn main [x]", "(defn one [x]") + ' (defn main [x] (pmap one ["x" "y"]))'
        config = TWO.replace('provider = "a"', 'provider = "a"\nparallel = 1')
        value, _ = desk.run(lambda _: plan("a"), config, text, a=[slowly("first", 0.2), slowly("second", 30.0)])
        assert sorted(value) == ["first", "own"]
        assert desk.kit.providers["a"].requests[1].timeout <= 0.25

    def test_that_it_is_over_says_less_than_what_went_wrong_before(self, desk):
        config = "[delegation]\non_exhausted = 'error'\n" + TWO

        def decide(context):
            if context.attempts:
                sleep(0.41)
            return plan("b" if context.attempts else "a")

        with pytest.raises(ProgramError, match="no key"):
            desk.run(decide, config, self.HINTED, a=[HERE])
        assert desk.asked["b"] == 0


def test_what_was_tried_is_read_while_a_decision_runs_and_not_after_it(desk):
    kept = []

    def decide(context):
        kept.append(context)
        return plan("a")

    assert desk.run(decide)[0] == "a"
    with pytest.raises(ContextClosedError):
        _ = kept[0].attempts
