"""Each execution hint by itself: what it does to a call, and what the record says of it."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from rtfs_framework.api import CapabilityError, FailureKind, ProgramError
from rtfs_framework.orchestrator.running.narrowing import Narrowing, narrowed
from rtfs_framework.orchestrator.session import Session

SAFE = CapabilityError("busy", failure=FailureKind.SAFE)
UNSURE = CapabilityError("lost")
HERE = CapabilityError("no such key", failure=FailureKind.HERE)
AGAIN = {"kv": {"idempotent": True}}


def hinted(hints, body="(call :kv 1)"):
    return f"^{{{' '.join(f':runtime.learning.{name} {said}' for name, said in hints.items())}}} {body}"


class TestRetry:
    def test_what_surely_did_nothing_is_repeated_after_the_back_off_that_it_says(self, desk):
        text = hinted({"retry": "{:max-retries 3 :backoff-ms 100 :backoff-multiplier 3}"})
        value, call = desk.run(text, kv=[SAFE, SAFE, SAFE, "fourth"])
        assert (value, desk.waits, desk.asked) == ("fourth", [0.1, 0.3, 0.9], {"kv": 4})
        assert [each.attempt.kind for each in call.attempts] == [FailureKind.SAFE] * 3
        assert call.hints == (("retry", "repeated 3 of 3 times"),)

    def test_its_last_error_is_the_call_s(self, desk):
        value, call = desk.run(
            hinted({"retry": "{:max-retries 1}"}), kv=[SAFE, CapabilityError("at last", failure=SAFE.failure)]
        )
        assert "at last" in value
        assert (desk.asked["kv"], call.exhausted) == (2, "error")

    @pytest.mark.parametrize(
        ("failure", "more", "asked"),
        [
            (UNSURE, {}, 1),
            (UNSURE, AGAIN, 3),
            (HERE, AGAIN, 1),
            (ValueError("broke"), {}, 1),
            (ValueError("broke"), AGAIN, 3),
        ],
        ids=["unsure", "unsure, idempotent", "here", "broken", "broken, idempotent"],
    )
    def test_what_may_have_been_done_is_repeated_only_where_hint_and_record_say_so(self, desk, failure, more, asked):
        desk.run(hinted({"retry": "{:max-retries 2}"}), more=more, kv=[failure])
        assert desk.asked["kv"] == asked

    def test_without_it_nothing_is_repeated(self, desk):
        desk.run("(call :kv 1)", more=AGAIN, kv=[SAFE])
        assert desk.asked["kv"] == 1

    def test_the_call_s_own_time_ends_it(self, desk):
        hints = {"retry": "{:max-retries 3 :backoff-ms 400}", "timeout": "{:absolute-ms 1000}"}
        value, _ = desk.run(hinted(hints), kv=[SAFE])
        assert desk.waits == [0.4]
        assert "busy" in value


class TestTimeout:
    def test_each_attempt_has_its_time(self, desk):
        seen = []

        def slow(request):
            seen.append(round(request.deadline, 6))
            desk.clock.advance(request.deadline)
            raise UNSURE

        hints = {"retry": "{:max-retries 2 :backoff-ms 0}", "timeout": "{:timeout-ms 300}"}
        kv = desk.capability("kv", slow, idempotent=True)
        with desk.kit.open(
            desk.kit.catalog(capabilities=[kv]), '[security]\ngrant = ["*"]\n', clock=desk.clock
        ) as session:
            result = session.run(desk.source(f"(try {hinted(hints)} (catch _ e :failed))"))
        assert seen == [0.3, 0.3, 0.3]
        call = result.calls[-1] if result.calls[-1].kind == "capability" else result.calls[-2]
        assert [each.attempt.guard for each in call.attempts] == ["timeout"] * 3
        assert ("timeout", "an attempt took too long") in call.hints

    @pytest.mark.parametrize("asked", ["capability", "model"])
    def test_the_call_s_own_time_runs_while_it_waits_for_its_place(self, desk, asked):
        seen = []

        def answer(request):
            seen.append(round(request.deadline if asked == "capability" else request.timeout, 6))
            return "yes"

        hints = {"rate-limit": "{:requests-per-second 2}", "timeout": "{:absolute-ms 800}"}
        text = '(defn ^:delegation :local-model "m" f "F." [x :int] :string "") (mapv (fn [x] {}) [1 2])'.replace(
            "{}", hinted(hints, "(call :kv x)" if asked == "capability" else "(f x)")
        )
        catalog = desk.kit.catalog(desk.kit.provider("m", answer), capabilities=[desk.capability("kv", answer)])
        with desk.kit.open(catalog, '[security]\ngrant = ["*"]\n', clock=desk.clock) as session:
            assert session.run(desk.source(text)).value == ("yes", "yes")
        assert (seen, desk.waits) == ([0.8, 0.3], [0.5])

    def test_a_multiplier_shortens_and_lengthens_only_where_the_policy_says_so(self, desk):
        text = hinted({"timeout": "{:multiplier 2}"})
        value, _ = desk.run(text, kv=["yes"])
        assert "2 is more than max_multiplier = 1 allows" in value
        assert desk.asked["kv"] == 0
        assert desk.run(text, "[hints]\nmax_multiplier = 2\n", kv=["yes"])[0] == "yes"


class TestFallback:
    def test_it_answers_where_an_attempt_failed(self, desk):
        value, call = desk.run(hinted({"fallback": '{:capability "other"}'}), kv=[UNSURE], other=["instead"])
        assert value == "instead"
        assert desk.told == [("kv", (1,)), ("other", (1,))]
        assert (call.target, call.hints) == ("capability other", (("fallback", "answered"),))

    def test_it_may_be_told_nothing(self, desk):
        text = hinted({"fallback": "{:capability :other :pass-original-args false}"})
        assert desk.run(text, kv=[HERE], other=["instead"])[0] == "instead"
        assert desk.told[-1] == ("other", ())

    def test_it_is_a_part_of_each_attempt(self, desk):
        hints = {"retry": "{:max-retries 1 :backoff-ms 10}", "fallback": "{:capability :other}"}
        more = {**AGAIN, "other": {"idempotent": True}}
        value, _ = desk.run(hinted(hints), more=more, kv=[UNSURE], other=[UNSURE, "second"])
        assert value == "second"
        assert [name for name, _ in desk.told] == ["kv", "other", "kv", "other"]

    def test_one_that_may_have_done_something_is_not_asked_again(self, desk):
        hints = {"retry": "{:max-retries 2 :backoff-ms 10}", "fallback": "{:capability :other}"}
        value, call = desk.run(hinted(hints), more=AGAIN, kv=[UNSURE, UNSURE, "third"], other=[UNSURE])
        assert value == "third"
        assert [name for name, _ in desk.told] == ["kv", "other", "kv", "kv"]
        assert ("fallback", "failed") in call.hints

    def test_it_has_what_is_left_of_its_attempt_s_time(self, desk):
        hints = {"timeout": "{:timeout-ms 500}", "fallback": "{:capability :other}"}
        desk.run(hinted(hints), kv=[(0.6, UNSURE)], other=["late"])
        assert desk.asked["other"] == 0, "the time of the attempt was over"
        desk.run(hinted(hints), kv=[(0.4, UNSURE)], other=["in time"])
        assert desk.asked["other"] == 1

    def test_it_answers_for_a_model_and_must_be_of_the_declared_type(self, desk):
        text = '(defn ^:delegation :local-model "m" f "F." [x :int] :int) ' + hinted(
            {"fallback": "{:capability :other}"}, "(f 1)"
        )
        text = text.replace(":int) ", ":int 0) ")
        program = f"(do {text})"
        assert desk.run(program, models={"m": [ValueError("down")]}, other=[7])[0] == 7
        value, _ = desk.run(program, models={"m": [ValueError("down")]}, other=["seven"])
        assert "the answer of capability 'other'" in value


class TestValidation:
    @pytest.mark.parametrize(
        ("said", "good", "bad"),
        [
            ("{:required-fields [:id]}", "{:id 1}", "{:name 1}"),
            ('{:required-fields ["id" :n]}', '{"id" 1 :n 2}', "{:id 1}"),
            ("{:validate-schema [:map [:id :int]]}", "{:id 1}", '{:id "1"}'),
            ("{:required-fields [:id]}", "{:id nil}", "1"),
            ("{:validate-schema :int}", "1", "1.5"),
        ],
        ids=["field", "fields", "map", "no map", "type"],
    )
    def test_a_reply_that_does_not_fit_is_a_failed_attempt(self, desk, read, said, good, bad):
        text = hinted({"validation": said, "retry": "{:max-retries 1 :backoff-ms 0}"})
        value, call = desk.run(text, more=AGAIN, kv=[read(bad), read(good)])
        assert value == read(good)
        assert [each.attempt.kind for each in call.attempts] == [FailureKind.REPLY]
        assert ("validation", "a reply did not fit") in call.hints

    def test_what_a_fallback_answers_is_not_looked_at(self, desk):
        hints = {"validation": "{:required-fields [:id]}", "fallback": "{:capability :other}"}
        assert desk.run(hinted(hints), kv=["words"], other=["other words"])[0] == "other words"

    def test_a_model_is_told_and_asked_again(self, desk):
        text = hinted({"validation": '{:validate-schema [:enum "a" "b"]}'}, '(f "x")')
        text = f'(do (defn ^:delegation :local-model "m" f "F." [x :string] :string "") {text})'
        value, _ = desk.run(text, models={"m": ["neither", "b"]})
        assert value == "b"


class TestRateLimit:
    TEXT = "(vec (map (fn [x] (try {} (catch _ e (:kind e)))) [1 2 3 4]))"

    def test_calls_wait_for_their_places(self, desk):
        text = self.TEXT.format(hinted({"rate-limit": "{:requests-per-second 2 :burst 2}"}, "(call :kv x)"))
        value, call = desk.run(text, kv=["yes"])
        assert list(value) == ["yes"] * 4
        assert desk.waits == [0.5, 0.5]
        assert call.hints == (("rate-limit", "waited 0.5 s"),)

    def test_and_not_longer_than_the_policy_lets_them(self, desk):
        text = self.TEXT.format(hinted({"rate-limit": "{:requests-per-second 0.1}"}, "(call :kv x)"))
        value, call = desk.run(text, "[hints]\nmax_wait = 5\n", kv=["yes"])
        assert [str(each).lstrip(":") for each in value] == [
            "yes",
            "BudgetExhausted",
            "BudgetExhausted",
            "BudgetExhausted",
        ]
        assert (call.code, desk.asked["kv"]) == ("E0612", 1)

    def test_one_call_with_its_repeats_takes_one_place(self, desk):
        hints = {"rate-limit": "{:requests-per-second 0.1}", "retry": "{:max-retries 2 :backoff-ms 10}"}
        assert desk.run(hinted(hints), kv=[SAFE, SAFE, "third"])[0] == "third"


class TestCircuitBreaker:
    HINT = MappingProxyType({"circuit-breaker": "{:failure-threshold 2 :cooldown-ms 10000}"})

    def test_it_opens_fails_at_once_and_lets_one_try_after_a_while(self, desk):
        with desk.open(kv=[UNSURE, UNSURE, UNSURE, "well", "well"]) as session:
            program = session.load(desk.source(f"(defn f [] (try {hinted(self.HINT)} (catch _ e (getMessage e))))"))
            said = []
            for seconds in (0, 0, 0, 10, 1, 10, 0):
                desk.clock.advance(seconds)
                said.append((program.call("f").value, desk.asked["kv"]))
        assert ["open for" in text for text, _ in said] == [False, False, True, False, True, False, False]
        assert [asked for _, asked in said] == [1, 2, 2, 3, 3, 4, 5]

    def test_one_call_with_its_repeats_counts_as_one(self, desk):
        hints = {**self.HINT, "retry": "{:max-retries 2 :backoff-ms 0}"}
        with desk.open(kv=[SAFE] * 3 + ["well"]) as session:
            program = session.load(desk.source(f"(defn f [] (try {hinted(hints)} (catch _ e :no)))"))
            assert [program.call("f").value for _ in range(2)][1] == "well"

    def test_what_it_turns_away_is_in_the_record(self, desk):
        text = (
            f"(do (try {hinted(self.HINT)} (catch _ e 1)) (try {hinted(self.HINT)} (catch _ e 1)) {hinted(self.HINT)})"
        )
        _, call = desk.run(text, kv=[UNSURE])
        assert (call.code, call.attempts[0].attempt.guard) == ("E0624", "circuit-breaker")
        assert call.hints == (("circuit-breaker", "open"),)


class TestCache:
    HINT = MappingProxyType({"cache": "{:ttl-ms 1000 :max-entries 2}"})

    def calls(self, desk, args, config="", more=None, hints=None):
        with desk.open(config, more=more, kv=list(range(10, 30))) as session:
            body = hinted(hints or self.HINT, "(call :kv x)")
            program = session.load(desk.source(f"(defn f [x] {body})"))
            found = []
            for each in args:
                if isinstance(each, float):
                    desk.clock.advance(each)
                else:
                    found.append(program.call("f", (each,)))
        return [each.value for each in found], found

    def test_a_reply_is_kept_for_its_time_where_equal_calls_are_answered_alike(self, desk):
        values, found = self.calls(desk, [1, 1, 0.9, 1, 0.2, 1], more={"kv": {"deterministic": True}})
        assert values == [10, 10, 10, 11]
        kept = [next(each for each in result.calls if each.kind == "capability") for result in found]
        assert [each.cache for each in kept] == ["", "hint hit", "hint hit", ""]
        assert kept[0].hints == (("cache", "kept for 1 s"),)
        assert found[1].summary.cache_hits == {"hint": 1}

    def test_it_keeps_so_many_and_those_that_were_used_last(self, desk):
        values, _ = self.calls(desk, [1, 2, 1, 3, 1, 2], more={"kv": {"deterministic": True}})
        assert values == [10, 11, 10, 12, 10, 13]

    def test_what_may_be_answered_otherwise_is_kept_only_where_the_policy_says_any(self, desk):
        assert self.calls(desk, [1, 1])[0] == [10, 11]
        assert self.calls(desk, [1, 1], '[hints]\ncache = "any"\n')[0] == [10, 10]

    def test_a_failure_is_not_kept(self, desk):
        with desk.open(more={"kv": {"deterministic": True}}, kv=[HERE, "well"]) as session:
            program = session.load(desk.source(f"(defn f [] (try {hinted(self.HINT)} (catch _ e :no)))"))
            assert [str(program.call("f").value) for _ in range(2)] == [":no", "well"]

    def test_what_tenants_asked_is_apart(self, desk):
        policy = '[hints]\ncache = "any"\n[tenants.a]\n[tenants.b]\n'
        with desk.open(policy, kv=list(range(9))) as session:
            hinting = session.host.dispatcher.hinting
            session.run(desk.source(hinted(self.HINT)))
            assert [place[0] for place in hinting._kept] == [session.host.config.tenant]

    def test_other_hints_of_the_call_are_a_part_of_its_key(self, desk):
        text = "(do {} {})".format(hinted(self.HINT), hinted({**self.HINT, "validation": "{:validate-schema :string}"}))
        value, _ = desk.run(text, more={"kv": {"deterministic": True}}, kv=[5])
        assert "validation" in value

    def test_whoever_may_not_call_is_answered_nothing_that_is_kept(self, desk):
        policy = '[hints]\ncache = "any"\n'
        refused = Narrowing(grant=("other",))
        rate = hinted({**self.HINT, "rate-limit": "{:requests-per-second 0.1 :burst 2}"})
        with desk.open(policy, kv=[10, 11], other=[1]) as session:
            theirs = Session(narrowed(session.host, refused), session.portal, session.limits)
            assert session.run(desk.source(rate)).value == 10
            with pytest.raises(ProgramError, match=r"call operation on capability 'kv' not allowed"):
                theirs.run(desk.source(rate))
            other = hinted({**self.HINT, "fallback": "{:capability :kv}"}, "(call :other 1)")
            assert session.run(desk.source(other)).value == 1
            with pytest.raises(ProgramError, match="kv: not granted"):
                theirs.run(desk.source(other))
            assert theirs.run(desk.source(hinted(self.HINT, "(call :other 1)"))).value == 1
        assert desk.asked == {"kv": 1, "other": 2}

    def test_what_a_reply_had_to_be_is_a_part_of_its_key(self, desk):
        text = hinted({**self.HINT, "validation": "{:validate-schema T}"})
        types = ["(deftype T :int)", "(deftype T :string)"]
        with desk.open(more={"kv": {"deterministic": True}}, kv=[5, "five"]) as session:
            found = [session.run(desk.source(f"{each} {text}")).value for each in (*types, *types)]
        assert found == [5, "five", 5, "five"]


class TestMetrics:
    def test_calls_are_counted_by_name(self, desk):
        text = "(do {} (try {} (catch _ e 1)) {})".format(
            hinted({"metrics": "{:name :looks}", "retry": "{:max-retries 1 :backoff-ms 0}"}),
            hinted({"metrics": '{:name "looks"}'}, "(call :kv 2)"),
            hinted({"metrics": "true"}),
        )
        with desk.open(kv=[SAFE, (0.5, "a"), UNSURE, "b"]) as session:
            summary = session.run(desk.source(text)).summary
        assert summary.metrics == {
            "looks": {"calls": 2, "failed": 1, "attempts": 2, "kept": 0, "seconds": 0.5},
            "kv": {"calls": 1, "failed": 0, "attempts": 0, "kept": 0, "seconds": 0.0},
        }
        assert summary.to_json()["metrics"]["looks"]["calls"] == 2

    def test_observers_hear_what_hints_did(self, desk, observer):
        heard = []
        with desk.open(observers=[observer("o", heard.append)], kv=["a"]) as session:
            session.run(desk.source(hinted({"metrics": "true", "retry": "{:max-retries 1}"})))
        (answered,) = [each for each in heard if each.name == "call.answered" and each.fields["symbol"] == "kv"]
        assert answered.fields["hints"] == [["metrics", "kv"], ["retry", "repeated 0 of 1 times"]]


class TestRepairs:
    """A model that is told what is wrong with its reply."""

    TEXT = '(do (defn ^:delegation :local-model "m" f "F." [x :string] :int 0) {} (f "x"))'

    @pytest.mark.parametrize(
        ("hints", "asked", "value"),
        [
            ("", 2, 7),
            ("^{:runtime.learning.retry {:max-retries 1}}", 2, 7),
            ("^{:runtime.learning.retry {:max-retries 0}}", 1, None),
            ("^{:runtime.learning.fallback {:capability :other}}", 1, 9),
        ],
        ids=["no hint", "one repeat", "no repeat", "fallback"],
    )
    def test_that_is_a_repeat_and_a_fallback_answers_instead(self, desk, hints, asked, value):
        text = self.TEXT.format(hints)
        found, _ = desk.run(text, models={"m": ["words", "7"]}, other=[9])
        assert (desk.asked["m"], found if value is not None else None) == (asked, value)


@pytest.mark.parametrize("name", [":instead", '"instead"'])
def test_a_fallback_may_be_named_by_any_id_of_a_capability(desk, name):
    """As grants do; an alias of the call itself is the call itself."""
    more = {"other": {"aliases": ("instead",)}}
    value, call = desk.run(hinted({"fallback": f"{{:capability {name}}}"}), kv=[UNSURE], other=["instead"], more=more)
    assert value == "instead"
    assert (call.target, call.hints) == ("capability other", (("fallback", "answered"),))
    error, _ = desk.run(hinted({"fallback": "{:capability :again}"}), kv=[UNSURE], more={"kv": {"aliases": ("again",)}})
    assert "kv is the call itself" in error
