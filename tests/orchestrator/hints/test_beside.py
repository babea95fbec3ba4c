"""Hints beside all else that has a say: engines, several targets, marks, redaction, order and hedges."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import (
    Capability,
    CapabilityError,
    DelegationPlan,
    FailureKind,
    Hedge,
    InferenceReply,
    LocalModel,
    LocalPure,
    PlanSource,
    ProviderTimeout,
    ProviderUnavailable,
)
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.values import Keyword

SAFE = CapabilityError("busy", failure=FailureKind.SAFE)
DOWN = ProviderUnavailable("m", "refused", failure=FailureKind.SAFE)
LOST = ProviderTimeout("m", "lost")
MODELS = "".join(f'[delegation.local_models.{name}]\nprovider = "{name}"\nidempotent = true\n' for name in ("a", "b"))
FUNCTION = '(defn f "F." [x] :string "own")'
RETRY = "^{:runtime.learning.retry {:max-retries 2 :backoff-ms 100 :backoff-multiplier 1}}"


def plan(target, **more):
    target = LocalModel(target) if isinstance(target, str) else target
    return DelegationPlan(target=target, reasoning="r", source=PlanSource.ENGINE, engine="e", **more)


class Engine:
    """Decides by a function of the context."""

    def __init__(self, decide):
        self.decide = decide

    def claims(self):
        return ("f",)


@pytest.fixture
def asked(desk):
    """Return a function that runs a call of `f` under hints, decided by an engine or a route."""

    def run(hints, decide=None, config="", other=("instead",), **models):
        models = {"a": ["a says"], "b": ["b says"], **models}
        providers = [desk.kit.provider(name, desk.says(name, script)) for name, script in models.items()]
        made = [desk.capability("other", desk.says("other", list(other)))]
        engine = None if decide is None else Engine(decide)
        catalog = desk.kit.catalog(*providers, capabilities=made, engine=engine)
        config = '[security]\ngrant = ["other"]\n' + MODELS + config
        with desk.kit.open(catalog, config, clock=desk.clock) as session:
            result = session.run(desk.source(f"{FUNCTION} {hints} (f 1)"))
        return result.value, next(each for each in result.calls if each.kind == "delegated")

    return run


class TestEngines:
    def test_an_engine_that_has_nothing_more_is_followed_by_a_repeat(self, desk, asked):
        value, call = asked(RETRY, lambda c: None if c.attempts else plan("a"), a=[LOST, LOST, "third"])
        assert (value, desk.waits) == ("third", [0.1, 0.1])
        assert call.decision.plan.source is PlanSource.HINT

    def test_what_it_names_goes_before_a_repeat(self, desk, asked):
        value, _ = asked(RETRY, lambda c: plan("b" if c.attempts else "a"), a=[LOST])
        assert (value, desk.waits, desk.asked["a"]) == ("b says", [], 1)

    def test_a_hint_bounds_it(self, desk, asked):
        none = "^{:runtime.learning.retry {:max-retries 0}}"
        value, call = asked(none, lambda c: plan("b" if c.attempts else "a"), a=[DOWN])
        assert (value, desk.asked["b"], call.exhausted) == ("own", 0, "body")

    def test_it_reads_the_hints_in_force(self, asked):
        seen = []
        asked(RETRY, lambda c: seen.append(list(c.hints)) or plan("a"))
        assert seen == [["runtime.learning.retry"]]

    def test_a_fallback_answers_before_the_engine_is_asked_again(self, desk, asked):
        seen = []
        decide = lambda c: seen.append(c.attempts) or plan("a")  # noqa: E731
        value, call = asked("^{:runtime.learning.fallback {:capability :other}}", decide, a=[DOWN])
        assert (value, len(seen), call.target) == ("instead", 1, "capability other")

    def test_a_hedged_attempt_is_one(self, desk, asked):
        hedged = lambda c: plan("a", hedge=Hedge(target=LocalModel("b"), after=0.0))  # noqa: E731
        fallback = "^{:runtime.learning.fallback {:capability :other}}"
        value, call = asked(fallback, hedged, a=[DOWN], b=[DOWN])
        assert value == "instead"
        assert [each.attempt.target for each in call.attempts][-1:] != [LocalPure()]
        assert desk.asked["other"] == 1

    @pytest.mark.parametrize("attempts", ["", "[delegation]\nattempts = 2\n"], ids=["hint", "policy"])
    def test_a_capability_that_it_chose_is_no_fallback_of_its_own(self, desk, asked, attempts):
        most = 3 if attempts else 1
        retry = f"^{{:runtime.learning.retry {{:max-retries {most} :backoff-ms 0}}}}"
        fallback = "^{:runtime.learning.fallback {:capability :other :pass-original-args false}}"
        value, call = asked(f"{retry} {fallback}", lambda _: plan(Capability("other")), attempts, other=[SAFE])
        assert (value, desk.told) == ("own", [("other", (1,))] * 2)
        assert call.hints == (("retry", f"repeated 1 of {most} times"), ("fallback", "not asked"))

    def test_what_it_answers_then_is_looked_at(self, asked):
        hints = '^{:runtime.learning.validation {:validate-schema [:enum "yes"]}}' + TestRedaction.FALLBACK
        value, call = asked(hints, lambda c: None if c.attempts else plan(Capability("other")), other=["no"])
        assert (value, ("validation", "a reply did not fit") in call.hints) == ("own", True)


class TestRedaction:
    """What the host asks by itself after a failure is told no more than what the engine chose."""

    RULES = "[redaction.email]\npattern = '[a-z]+@[a-z]+'\n"
    FALLBACK = "^{:runtime.learning.fallback {:capability :other}}"

    def sent(self, desk, hints, decide, config="", **models):
        """Return what each was told, in order."""
        told = []

        def telling(name, script):
            answer = desk.says(name, script)

            def heard(request):
                told.append((name, request.args[0]))
                return answer(request)

            return heard

        models = {"a": ["a says"], "b": ["b says"], **models}
        other = models.pop("other", [SAFE])
        providers = [desk.kit.provider(name, telling(name, script)) for name, script in models.items()]
        made = [desk.capability("other", telling("other", other), idempotent=True)]
        catalog = desk.kit.catalog(*providers, capabilities=made, engine=Engine(decide))
        config = '[security]\ngrant = ["other"]\n' + MODELS + self.RULES + config
        program = f'(defn f "F." [x] :string "own") (defn main [r] {hints} (f (:email r)))'
        with desk.kit.open(catalog, config, clock=desk.clock) as session:
            session.run(desk.source(program), ({Keyword("email"): "to ann@acme"},))
        return told

    def test_a_repeat_and_its_fallback_are_told_what_the_first_request_was(self, desk):
        decide = lambda c: None if c.attempts else plan("a", transform=("email",))  # noqa: E731
        told = self.sent(desk, f"{self.FALLBACK} {RETRY}", decide, a=[DOWN, DOWN, "third"])
        assert told == [(name, "to [email]") for name in ("a", "other", "a", "other", "a")]

    def test_each_target_is_told_again_what_it_was_told(self, desk):
        plans = [plan("a", transform=("email",)), plan("b"), None, None]
        told = self.sent(desk, RETRY, lambda c: plans[len(c.attempts)], a=[DOWN, "again"], b=[DOWN])
        assert told == [("a", "to [email]"), ("b", "to ann@acme"), ("a", "to [email]")]

    def test_an_engine_s_capability_is_told_no_more_and_its_own_rules_count(self, desk):
        rules = "[redaction.to]\npattern = 'to'\n"
        plans = [plan("a", transform=("email",)), plan(Capability("other"), transform=("to",))]
        retry = "^{:runtime.learning.retry {:max-retries 1}}"
        told = self.sent(desk, retry, lambda c: plans[len(c.attempts)], rules, a=[DOWN], other=["yes"])
        assert told == [("a", "to [email]"), ("other", "[to] [email]")]

    def test_marks_that_a_redaction_frees_do_not_end_the_repeats(self, desk):
        labels = 'marks = ["pii"]\n[labels]\n[labels.inputs]\nemail = ["pii"]\n[labels.accepts]\n"local-a" = []\n'
        decide = lambda c: None if c.attempts else plan("a", transform=("email",))  # noqa: E731
        assert self.sent(desk, RETRY, decide, labels, a=[DOWN, "again"]) == [("a", "to [email]")] * 2


class TestCache:
    CACHE = "^{:runtime.learning.cache {:ttl-ms 9000}}"
    CONFIG = '[security]\ngrant = ["other"]\n' + MODELS + TestRedaction.RULES + '[hints]\ncache = "any"\n'

    def values(self, desk, decide, *programs, other=(5, "five"), **models):
        models = {"a": ["a says"], "b": ["b says"], **models}
        providers = [desk.kit.provider(name, desk.says(name, script)) for name, script in models.items()]
        made = [desk.capability("other", desk.says("other", list(other)), deterministic=True)]
        catalog = desk.kit.catalog(*providers, capabilities=made, engine=Engine(decide))
        with desk.kit.open(catalog, self.CONFIG, clock=desk.clock) as session:
            return [session.run(desk.source(each)).value for each in programs]

    def test_a_function_is_answered_with_a_value_of_its_own_type(self, desk):
        programs = [
            f'(defn f "F." [x :string] {typed}) {self.CACHE} (f "to ann@acme")' for typed in (":int 0", ':string ""')
        ] * 2
        assert self.values(desk, lambda _: plan(Capability("other")), *programs) == [5, "five", 5, "five"]

    @pytest.mark.parametrize("target", [Capability("other"), LocalModel("a")], ids=["capability", "model"])
    def test_what_was_taken_out_of_a_request_is_a_part_of_its_key(self, desk, target):
        rules = [(), ("email",), (), ("email",)]
        program = f'(defn f "F." [x :string] :string "") {self.CACHE} (f "to ann@acme")'
        words = ["whole", "redacted", "third", "fourth"]
        decide = lambda c: c.draw("x") and plan(target, transform=rules.pop(0))  # noqa: E731 - so it is not kept
        assert self.values(desk, decide, *[program] * 4, other=words, a=words) == ["whole", "redacted"] * 2


class TestRoutes:
    ROUTE = '[delegation]\non_exhausted = "error"\nstatic_routes = {{ f = [{}] }}\n'

    def test_the_others_of_a_list_go_before_a_repeat_and_all_are_counted(self, desk, asked):
        value, call = asked(RETRY, config=self.ROUTE.format('"local-a", "local-b"'), a=[DOWN, "again"], b=[LOST])
        assert (value, desk.waits) == ("again", [0.1])
        assert [each.attempt.target.id for each in call.attempts] == ["a", "b"]

    def test_attempts_of_the_policy_hold(self, desk, asked):
        config = self.ROUTE.format('"local-a"').replace("[delegation]", "[delegation]\nattempts = 2")
        fallback = "^{:runtime.learning.fallback {:capability :other}}"
        with pytest.raises(ProgramError, match="busy"):
            asked(f"{fallback} {RETRY}", config=config, a=[DOWN], other=[SAFE])
        assert (desk.asked["a"], desk.asked["other"]) == (2, 2)

    def test_a_floor_of_quality_keeps_a_capability_out(self, desk, asked):
        config = self.ROUTE.format('"local-a"').replace("[delegation]", "[delegation]\nquality_floor = 0.5")
        fallback = "^{:runtime.learning.fallback {:capability :other}}"
        with pytest.raises(ProgramError, match="refused"):
            asked(fallback, config=config, a=[DOWN])
        assert desk.asked["other"] == 0


@attrs.frozen(slots=True, kw_only=True)
class Peer:
    endpoint: str = "https://north.example"


@pytest.mark.parametrize(("waits", "sent"), [(0.5, [0.8, 0.3]), (0.9, [0.8])], ids=["in time", "too late"])
def test_a_step_at_another_host_has_what_is_left_of_the_call_s_time(desk, monkeypatch, waits, sent):
    seen = []

    async def pause(_):
        desk.clock.advance(waits)

    monkeypatch.setattr("rtfs_framework.orchestrator.performing.hinting.pause", pause)

    def answer(request):
        seen.append(round(request.timeout, 6))
        return InferenceReply(data=1, structured=True)

    peer = desk.kit.provider("peer", answer, remote=True, settings=Peer, defaults={}, travels=True)
    config = (
        '[security]\ngrant = ["*"]\n[delegation.remote_providers.north]\nprovider = "peer"\n'
        'endpoint = "https://north.example"\n'
    )
    hints = "^{:runtime.learning.rate-limit {:requests-per-second 2} :runtime.learning.timeout {:absolute-ms 800}}"
    step = f'{hints} (call :remote-rtfs.execute {{:plan-step (plan-step :go [x]) :target "north"}})'
    text = f'(defn go "G." [x :int] :int x) (mapv (fn [x] (try {step} (catch _ e (:kind e)))) [1 2])'
    with desk.kit.open(desk.kit.catalog(peer), config, clock=desk.clock) as session:
        first, second = session.run(desk.source(text)).value
    assert (seen, first) == (sent, 1)
    assert str(second).lstrip(":") == ("1" if len(sent) > 1 else "NetworkError")


class TestMarks:
    LABELS = '[labels.inputs]\nemail = ["pii"]\n[labels.accepts]\n"capability kv" = ["pii"]\n'

    def call(self, desk, hints, config=LABELS, **more):
        text = f"(defn main [r] (try {hints} (catch _ e (getMessage e))))"
        with desk.open(config, kv=[SAFE], other=["instead"], **more) as session:
            result = session.run(desk.source(text), ({Keyword("email"): "alice@example.com"},))
        return result.value, [each for each in result.calls if each.kind == "capability"][-1]

    def test_a_fallback_that_does_not_accept_them_is_not_asked(self, desk):
        fallback = "^{:runtime.learning.fallback {:capability :other}} (call :kv (:email r))"
        value, call = self.call(desk, fallback)
        assert "busy" in value
        assert desk.asked["other"] == 0
        assert any("other" in text or "pii" in text for _, text in call.decision.steps)

    def test_one_that_accepts_them_answers(self, desk):
        fallback = "^{:runtime.learning.fallback {:capability :other}} (call :kv (:email r))"
        config = self.LABELS + '"capability other" = ["pii"]\n'
        value, call = self.call(desk, fallback, config)
        assert (value, call.labelled.label) == ("instead", {"pii"})

    def test_marks_that_a_person_let_pass_once_are_not_sent_again(self, desk):
        config = '[labels]\nforbidden = "ask"\n[labels.inputs]\nemail = ["pii"]\n'
        retry = "^{:runtime.learning.retry {:max-retries 2 :backoff-ms 0}} (call :kv (:email r))"
        _, call = self.call(desk, retry, config, options={"approver": lambda _: True})
        assert (desk.asked["kv"], call.hints) == (1, (("retry", "repeated 0 of 2 times"),))

    def test_a_name_that_the_program_made_of_them_is_not_told(self, desk):
        config = self.LABELS.replace("[labels.accepts]", "[labels.accepts]\njournal = []")
        metrics = "^{:runtime.learning.metrics {:name (:email r)}} (call :kv (:email r))"
        _, call = self.call(desk, metrics, config)
        assert call.hints == (("metrics", "kv"),)

    def test_observers_that_do_not_accept_them_are_told_no_names(self, desk, observer):
        heard = []
        metrics = "^{:runtime.learning.metrics {:name :mine}} (call :kv (:email r))"
        self.call(desk, metrics, observers=[observer("o", heard.append)])
        (failed,) = [each for each in heard if each.name == "call.failed"]
        assert failed.fields["hints"] == "(withheld)"
        (ended,) = [each for each in heard if each.name == "run.ended"]
        assert list(ended.fields["summary"]["metrics"]) == ["(withheld)"]
        assert ended.fields["summary"]["metrics"]["(withheld)"]["calls"] == 1


class TestOrder:
    def test_calls_that_overlap_wait_for_their_places_in_turn(self, desk):
        text = "(pmap (fn [x] ^{:runtime.learning.rate-limit {:requests-per-second 10}} (call :kv x)) [1 2 3])"
        with desk.open(kv=["yes"]) as session:
            assert list(session.run(desk.source(text)).value) == ["yes"] * 3
        assert len(desk.waits) == 2

    def test_where_order_counts_the_state_of_hints_has_it_too(self, desk):
        breaker = "^{:runtime.learning.circuit-breaker {:failure-threshold 1 :cooldown-ms 1000}}"
        text = f"(mapv (fn [x] (try {breaker} (call :kv x) (catch _ e (:kind e)))) [1 2 3])"
        with desk.open(kv=["yes", SAFE, "never"]) as session:
            value = session.run(desk.source(text)).value
        assert [str(each).lstrip(":") for each in value] == ["yes", "Generic", "NetworkError"]
        assert desk.asked["kv"] == 2
