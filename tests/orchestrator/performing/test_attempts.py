"""Failure is another decision: what follows a failed attempt, by what it is evidence of."""

import asyncio

import attrs
import pytest

from rtfs_framework.api import (
    BadReply,
    DelegationPlan,
    FailureKind,
    Health,
    InferenceReply,
    LocalModel,
    LocalPure,
    PlanSource,
    ProviderAuthError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    Usage,
)
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.testing import FakeClock

PROGRAM = '(defn label "Label." [x :string] :string (str "own " x)) (label "hi")'
HINTED = '(defn ^:delegation :local-model "a" label "Label." [x :string] :string (str "own " x)) (label "hi")'
ROUTE = '[delegation.static_routes]\nlabel = ["local-a", "local-b"]\n'
ONE = '[delegation.static_routes]\nlabel = "local-a"\n'
REFUSED = ProviderUnavailable("a", "refused", failure=FailureKind.SAFE)
LATE = ProviderTimeout("a", "late")
HERE = ProviderAuthError("a", "no key")


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def waits(monkeypatch, clock):
    """Return the delays that attempts wait, without waiting: the clock goes on."""
    found = []

    async def pause(seconds):
        found.append(seconds)
        clock.advance(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr("rtfs_framework.orchestrator.performing.dispatch.pause", pause)
    return found


@pytest.fixture
def run(kit, source, waits, clock):
    def ran(config, text=PROGRAM, **scripts):
        """Return the value (or the error), the call's record, and how often each model was asked."""
        asked = dict.fromkeys(scripts, 0)

        def answering(name, script):
            def answer(_):
                said = script[min(asked[name], len(script) - 1)]
                asked[name] += 1
                if isinstance(said, Exception):
                    raise said
                return InferenceReply(text=said, usage=Usage(1, 1)) if isinstance(said, str) else said

            return answer

        catalog = kit.catalog(*(kit.provider(name, answering(name, script)) for name, script in scripts.items()))
        with kit.open(catalog, config, clock=clock) as session:
            try:
                result = session.run(source(text))
            except ProgramError as error:
                return error, session, asked
            (call,) = [each for each in result.calls if each.kind == "delegated"]
            return result.value, call, asked

    return ran


def kinds(call):
    return [(each.attempt.target, each.attempt.kind.value) for each in call.attempts]


@pytest.mark.parametrize("failure", [REFUSED, LATE, HERE, BadReply("a", "no"), RateLimited("a", "slow down")])
def test_the_next_of_a_list_answers_whatever_the_kind(run, waits, failure):
    value, call, asked = run(ROUTE, a=[failure], b=["b says"])
    assert (value, asked) == ("b says", {"a": 1, "b": 1})
    assert kinds(call) == [(LocalModel("a"), failure.failure.value)]
    assert call.target == "local-model b"
    assert waits == [], "a fallback waits for nobody"


def test_what_surely_did_nothing_is_repeated_after_a_back_off(run, waits):
    value, call, asked = run(ONE, a=[REFUSED, REFUSED, "third"])
    assert (value, asked) == ("third", {"a": 3})
    assert [kind for _, kind in kinds(call)] == ["safe", "safe"]
    first, second = waits
    assert 0.125 <= first < 0.25 <= second < 0.5


def test_retry_after_is_obeyed_and_beyond_the_bound_nothing_is_kept_open(run, waits):
    value, _, _ = run(ONE, a=[RateLimited("a", "slow", retry_after=7.0), "then"])
    assert (value, waits) == ("then", [7.0])
    waits.clear()
    value, call, asked = run(ONE, a=[RateLimited("a", "slow", retry_after=600.0), "never"])
    assert (value, waits, asked) == ("own hi", [], {"a": 1})
    assert call.attempts[0].attempt.retry_after == 600.0
    assert ("excluded", "local-model a again: it would be 600 s until it may be asked again") in call.decision.steps


def test_what_may_have_been_carried_out_is_repeated_only_where_that_is_harmless(run):
    assert run(ONE, a=[LATE, "twice"])[2] == {"a": 1}
    harmless = f"{ONE}[delegation.local_models.a]\nprovider = 'a'\nidempotent = true\n"
    value, _, asked = run(harmless, a=[LATE, "twice"])
    assert (value, asked) == ("twice", {"a": 2})


def test_a_target_that_will_not_answer_this_request_is_not_asked_again(run):
    value, _, asked = run(ONE, a=[HERE, "never"])
    assert (value, asked) == ("own hi", {"a": 1})


def test_what_is_final_ends_it(run):
    value, call, asked = run(ROUTE, a=[ProviderTimeout("a", "over", failure=FailureKind.FINAL)], b=["never"])
    assert (value, asked["b"], call.exhausted) == ("own hi", 0, "body")


def test_the_own_body_at_the_end_is_marked(run):
    value, call, _ = run(ROUTE, a=[HERE], b=[HERE])
    assert value == "own hi"
    assert (call.target, call.exhausted, call.decision.plan.source) == ("local-pure", "body", PlanSource.EXHAUSTED)
    assert len(call.attempts) == 2
    assert "nothing is left after local-model a, local-model b" in call.decision.plan.reasoning


def test_an_author_s_hint_ends_in_the_error_and_goes_nowhere_else(run):
    error, _, asked = run(ROUTE, text=HINTED, a=[HERE], b=["never"])
    assert isinstance(error, ProgramError)
    assert (error.kind, asked) == ("NetworkError", {"a": 1, "b": 0})


@pytest.mark.parametrize(("word", "text", "value"), [("error", PROGRAM, None), ("body", HINTED, "own hi")])
def test_the_configuration_says_how_it_ends(run, word, text, value):
    config = f"[delegation]\non_exhausted = '{word}'\n{ROUTE}"
    found, _, _ = run(config, text=text, a=[HERE], b=[HERE])
    assert found == value if value else isinstance(found, ProgramError)


def test_all_requests_are_bounded_together(run):
    config = f"[delegation]\nattempts = 2\n{ROUTE}"
    value, call, asked = run(config, a=[REFUSED], b=[REFUSED])
    assert (value, asked, call.exhausted) == ("own hi", {"a": 1, "b": 1}, "body")


LONG = "[delegation.static_routes]\nlabel = [" + ", ".join(f'"local-{name}"' for name in "abcde") + "]\n"


def test_where_nobody_says_how_many_every_target_of_a_list_is_tried_once(run):
    value, call, asked = run(LONG, **{name: [REFUSED] for name in "abcd"}, e=["at last"])
    assert (value, list(asked.values()), len(call.attempts)) == ("at last", [1, 1, 1, 1, 1], 4)
    value, _, asked = run(LONG, **{name: [REFUSED] for name in "abcde"})
    assert (value, list(asked.values())) == ("own hi", [1, 1, 1, 1, 1])


def test_where_nobody_says_how_many_repeats_end_with_the_third_request(run):
    value, call, asked = run(ONE, a=[REFUSED])
    assert (value, asked, call.exhausted) == ("own hi", {"a": 3}, "body")


def test_what_a_list_reads_of_the_present_is_in_the_record_of_its_decision(run):
    _, call, _ = run(ROUTE, a=[REFUSED], b=["b says"])
    assert call.decision.footprint == ((("health", "local", "b"), "closed", Health.CLOSED),)
    _, call, _ = run(ONE, a=[REFUSED, "again"])
    assert [read for read, _, _ in call.decision.footprint] == [("draw", "back-off"), ("health", "local", "a")]


class TestQuality:
    FLOOR = "[delegation]\nquality_floor = 0.5\n"
    TARGETS = "[delegation.local_models.a]\nprovider = 'a'\n[delegation.local_models.b]\nprovider = 'b'\nquality = {}\n"

    def test_nothing_weaker_answers_instead(self, run):
        config = self.FLOOR + ROUTE + self.TARGETS
        error, _, asked = run(config.format(0.4), a=[HERE], b=["weak"])
        assert isinstance(error, ProgramError)
        assert asked["b"] == 0
        assert run(config.format(0.5), a=[HERE], b=["good"])[0] == "good"

    def test_the_first_choice_is_its_owner_s_and_so_is_the_own_body_by_its_word(self, run):
        config = self.FLOOR + ROUTE + self.TARGETS.format(0.1)
        assert run(config, a=["mine"], b=["weak"])[0] == "mine"
        allowed = config.replace("quality_floor", 'on_exhausted = "body"\nquality_floor')
        assert run(allowed, a=[HERE], b=["weak"])[0] == "own hi"

    def test_a_model_that_is_not_sure_enough_is_not_believed(self, run):
        unsure = InferenceReply(text="perhaps", confidence=0.4)
        config = f"[delegation]\nmin_confidence = 0.5\n{ROUTE}"
        value, call, _ = run(config, a=[unsure], b=["sure"])
        assert value == "sure"
        assert kinds(call) == [(LocalModel("a"), "low-confidence")]
        assert run(config, a=[attrs.evolve(unsure, confidence=0.5)], b=["sure"])[0] == "perhaps"


class TestRepair:
    TYPED = '(defn grade "Grade." [x :string] :int 0) (grade "hi")'
    ROUTE = ROUTE.replace("label", "grade")

    def test_a_model_is_told_once_what_is_wrong_with_its_answer(self, run):
        value, call, asked = run(self.ROUTE, text=self.TYPED, a=["many", "7"], b=["9"])
        assert (value, asked) == (7, {"a": 2, "b": 0})
        assert kinds(call) == [(LocalModel("a"), "bad-reply")]
        assert (call.input_tokens, call.output_tokens) == (2, 2), "both are paid"

    def test_then_another_target_is_asked(self, run):
        value, call, asked = run(self.ROUTE, text=self.TYPED, a=["many", "lots"], b=["9"])
        assert (value, asked) == (9, {"a": 2, "b": 1})
        assert [kind for _, kind in kinds(call)] == ["bad-reply", "bad-reply"]


class TestEngines:
    @pytest.fixture
    def decides(self, fake_engine):
        def made(decide):
            engine = fake_engine()
            engine.decide = decide
            return engine

        return made

    def run(self, kit, source, engine, config="", **answers):
        asked = dict.fromkeys(answers, 0)

        def answering(name, said):
            def answer(_):
                asked[name] += 1
                if isinstance(said, Exception):
                    raise said
                return InferenceReply(text=said)

            return answer

        providers = (kit.provider(name, answering(name, said)) for name, said in answers.items())
        with kit.open(kit.catalog(*providers, engine=engine, l1=True), config) as session:
            result = session.run(source(PROGRAM))
        return result.value, result.calls[0], asked

    def test_an_engine_is_asked_again_and_sees_what_was_tried(self, kit, source, decides):
        seen = []

        def decide(context):
            seen.append([(each.target, each.kind) for each in context.attempts])
            return plan("b" if context.attempts else "a")

        value, call, _ = self.run(kit, source, decides(decide), a=HERE, b="b says")
        assert value == "b says"
        assert seen == [[], [(LocalModel("a"), FailureKind.HERE)]]
        assert call.target == "local-model b"

    def test_one_that_insists_ends_it(self, kit, source, decides):
        value, call, asked = self.run(kit, source, decides(lambda _: plan("a")), a=HERE)
        assert (value, asked, call.exhausted) == ("own hi", {"a": 1}, "body")
        assert any("once more" in text for _, text in call.decision.steps)

    def test_one_that_chooses_the_own_body_is_no_exhaustion(self, kit, source, decides):
        def decide(context):
            return plan("a") if not context.attempts else attrs.evolve(plan("a"), target=LocalPure())

        value, call, _ = self.run(kit, source, decides(decide), a=HERE)
        assert (value, call.exhausted, len(call.attempts)) == ("own hi", "", 1)

    def test_a_failure_drops_the_plan_and_what_follows_is_not_kept(self, kit, source, decides):
        asked = []

        def decide(context):
            asked.append(len(context.attempts))
            return plan("b" if context.attempts else "a")

        engine = decides(decide)
        providers = [
            kit.provider("a", lambda _: (_ for _ in ()).throw(HERE)),
            kit.provider("b", lambda _: InferenceReply(text="b")),
        ]
        with kit.open(kit.catalog(*providers, engine=engine, l1=True)) as session:
            program = session.load(source(PROGRAM.replace('(label "hi")', '(defn main [] (label "hi"))')))
            assert [program.call("main").value for _ in range(2)] == ["b", "b"]
        assert asked == [0, 1, 0, 1]


def plan(name):
    return DelegationPlan(target=LocalModel(name), reasoning="r", source=PlanSource.ENGINE)
