"""The state machine of a breaker: when it opens, what it lets through on the way back, and what does not count."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rtfs_framework.api.signals import Health
from rtfs_framework.orchestrator.config.health import BreakerSpec
from rtfs_framework.orchestrator.performing.health.breaker import Breaker, Seen, Standing, Verdict

GOOD, BAD, SILENT = Seen(Verdict.GOOD), Seen(Verdict.BAD), Seen(Verdict.SILENT)


def breaker(**spec):
    return Breaker(BreakerSpec(**spec))


def pass_through(made, seen, now, times=1):
    for _ in range(times):
        made.settle(made.admit(now), seen, now)


def opened(now=0.0, **spec):
    made = breaker(**spec)
    pass_through(made, BAD, now, made.spec.minimum_calls)
    assert made.health(now) is Health.OPEN
    return made


def test_too_few_failures_say_nothing():
    made = breaker(minimum_calls=5)
    pass_through(made, BAD, 0.0, 4)
    assert made.health(0.0) is Health.CLOSED
    pass_through(made, BAD, 0.0)
    assert made.health(0.0) is Health.OPEN
    assert made.admit(29.9) is None


def test_a_share_of_failures_opens_it_and_a_smaller_one_does_not():
    made = breaker(minimum_calls=4, failure_rate=0.5)
    for seen in (GOOD, BAD, GOOD, GOOD, BAD, GOOD):
        pass_through(made, seen, 0.0)
    assert made.health(0.0) is Health.CLOSED
    pass_through(made, BAD, 0.0, 2)
    assert made.health(0.0) is Health.OPEN


def test_old_failures_are_forgotten_by_time_and_by_number():
    made = breaker(minimum_calls=5, window=60.0)
    pass_through(made, BAD, 0.0, 4)
    pass_through(made, BAD, 60.0, 4)
    assert made.health(60.0) is Health.CLOSED
    made = breaker(minimum_calls=5, window_calls=10)
    pass_through(made, BAD, 0.0, 4)
    pass_through(made, GOOD, 0.0, 10)
    pass_through(made, BAD, 0.0, 4)
    assert made.health(0.0) is Health.CLOSED
    pass_through(made, BAD, 0.0)
    assert made.health(0.0) is Health.OPEN


def test_slow_answers_open_it_too():
    made = breaker(minimum_calls=5, slow=1.0, slow_rate=0.8)
    pass_through(made, Seen(Verdict.GOOD, slow=True), 0.0, 5)
    assert made.health(0.0) is Health.OPEN


def test_requests_given_up_say_nothing_but_that_they_were_slow():
    made = breaker(minimum_calls=2)
    pass_through(made, SILENT, 0.0, 50)
    assert made.health(0.0) is Health.CLOSED
    pass_through(made, Seen(Verdict.SILENT, slow=True), 0.0, 2)
    assert made.health(0.0) is Health.OPEN


def test_it_comes_back_in_steps():
    made = opened(probes=1, recovery_steps=2)
    assert made.health(30.0) is Health.HALF_OPEN
    assert [made.admit(30.0) is None for _ in range(3)] == [False, True, True]
    assert made.health(30.0) is Health.OPEN  # nothing more is let through
    made.settle(made.epoch, GOOD, 31.0)
    rooms = []
    while made.health(31.0) is Health.RECOVERING:
        permits = [made.admit(31.0) for _ in range(20)]
        rooms.append(sum(permit is not None for permit in permits))
        for permit in filter(None, permits):
            made.settle(permit, GOOD, 31.0)
    assert rooms == [2, 4]
    assert made.health(31.0) is Health.CLOSED
    assert made.standing.opened == 0


def test_each_probe_that_fails_doubles_the_pause_up_to_its_bound():
    made, now, pauses = opened(open_for=30.0, open_for_most=200.0), 0.0, []
    for _ in range(5):
        pauses.append(made.standing.until - now)
        now = made.standing.until
        pass_through(made, BAD, now)
    assert pauses == [30.0, 60.0, 120.0, 200.0, 200.0]


def test_retry_after_is_obeyed_in_any_state_and_late_answers_do_not_shorten_it():
    made = breaker()
    late = made.admit(0.0)
    pass_through(made, Seen(Verdict.BAD, retry_after=90.0), 0.0)
    assert made.admit(89.9) is None
    made.settle(late, Seen(Verdict.BAD, retry_after=5.0), 1.0)
    assert made.standing.until == 90.0
    assert made.health(90.0) is Health.HALF_OPEN


def test_a_server_that_always_asks_for_a_second_is_not_asked_each_second():
    made, now, probes = breaker(), 0.0, 0
    while now < 7200.0:
        permit = made.admit(now)
        if permit is not None:
            probes += 1
            made.settle(permit, Seen(Verdict.BAD, retry_after=1.0), now)
        now += 0.5
    assert probes < 20


def test_a_wish_to_be_left_alone_for_years_is_not_believed():
    made = breaker(retry_after_most=3600.0)
    pass_through(made, Seen(Verdict.BAD, retry_after=1e9), 0.0)
    assert made.standing.until == 3600.0


def test_what_was_sent_before_a_state_says_nothing_in_it():
    made = breaker(minimum_calls=2)
    early = [made.admit(0.0) for _ in range(10)]
    pass_through(made, BAD, 0.0, 2)
    for permit in early[:5]:
        made.settle(permit, GOOD, 1.0)
    assert made.health(1.0) is Health.OPEN
    probe = made.admit(30.0)
    for permit in early[5:]:
        made.settle(permit, GOOD, 31.0)
    assert made.standing.state is Health.HALF_OPEN
    made.settle(probe, BAD, 31.0)
    assert made.health(31.0) is Health.OPEN


def test_where_opening_would_leave_nobody_it_is_asked_little_instead():
    made = breaker(minimum_calls=1)
    made.settle(made.admit(0.0), BAD, 0.0, may_open=False)
    for _ in range(5):
        permit = made.admit(0.0)
        assert (permit is not None, made.admit(0.0)) == (True, None)
        made.settle(permit, BAD, 0.0, may_open=False)


@pytest.mark.parametrize(
    ("state", "health", "passes"),
    [
        ("disabled", Health.DISABLED, True),
        ("metrics-only", Health.METRICS_ONLY, True),
        ("forced-open", Health.FORCED_OPEN, False),
    ],
)
def test_what_somebody_set_stands_whatever_happens(state, health, passes):
    made = breaker(state=state, minimum_calls=1)
    for _ in range(5):
        permit = made.admit(0.0)
        assert (permit is not None) is passes
        if permit is not None:
            made.settle(permit, Seen(Verdict.BAD, retry_after=10.0), 0.0)
    assert made.health(0.0) is health
    assert len(made.window) == (5 if state == "metrics-only" else 0)


class AnyHistory(RuleBasedStateMachine):
    """Whatever happens in whatever order: what is promised of every state holds."""

    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.permits = []

    @initialize(
        probes=st.integers(1, 3),
        steps=st.integers(0, 3),
        minimum=st.integers(1, 4),
        rate=st.sampled_from((0.3, 0.5, 1.0)),
    )
    def make(self, probes, steps, minimum, rate):
        self.made = breaker(probes=probes, recovery_steps=steps, minimum_calls=minimum, failure_rate=rate, slow=1.0)

    @rule()
    def ask(self):
        made = self.made
        before, room = made.health(self.now), made.room
        under_way = made.under_way
        permit = made.admit(self.now)
        if permit is not None:
            self.permits.append(permit)
            assert before is not Health.OPEN, "a request went through an open breaker"
            assert before is Health.CLOSED or made.under_way <= made.room
        else:
            assert before is Health.OPEN or (before is Health.RECOVERING and under_way >= room)

    @precondition(lambda self: self.permits)
    @rule(data=st.data(), seen=st.sampled_from([*Verdict]), slow=st.booleans(), may_open=st.booleans())
    def end(self, data, seen, slow, may_open):
        permit = self.permits.pop(data.draw(st.integers(0, len(self.permits) - 1)))
        before, until = self.made.standing.state, self.made.standing.until
        self.made.settle(permit, Seen(seen, slow=slow), self.now, may_open=may_open)
        after = self.made.standing.state
        if after is Health.OPEN and before is not Health.OPEN:
            assert may_open, "it opened though nobody would be left"
            assert seen is not Verdict.GOOD or slow, "a good answer opened it"
        if before is Health.OPEN:
            assert (after, self.made.standing.until) == (Health.OPEN, until), "a late answer changed an open breaker"
        if after is Health.CLOSED and before is not Health.CLOSED:
            assert seen is Verdict.GOOD or self.made.spec.failure_rate == 1.0 or self.made.room > 1

    @precondition(lambda self: self.permits)
    @rule(data=st.data(), seconds=st.floats(0.1, 1e5))
    def asked_to_wait(self, data, seconds):
        permit = self.permits.pop(data.draw(st.integers(0, len(self.permits) - 1)))
        self.made.settle(permit, Seen(Verdict.BAD, retry_after=seconds), self.now)
        least = min(seconds, self.made.spec.retry_after_most)
        assert self.made.health(self.now) is Health.OPEN
        assert self.made.standing.until >= self.now + least

    @rule(seconds=st.sampled_from((0.0, 0.5, 29.0, 31.0, 700.0, 4000.0)))
    def wait(self, seconds):
        self.now += seconds

    @rule()
    def restart(self):
        """Another process goes on from where this one stands; what was under way belongs to nobody."""
        self.permits.clear()
        found = self.made.standing
        self.made = Breaker(self.made.spec, found)
        assert self.made.health(self.now) is not Health.CLOSED or found.state is Health.CLOSED

    @invariant()
    def no_promise_is_broken(self):
        made = getattr(self, "made", None)
        if made is None:
            return
        longest = max(made.spec.open_for_most, made.spec.retry_after_most)
        assert made.standing.until <= self.now + longest, "nobody is left alone for ever"
        assert made.under_way >= 0
        assert 0 <= made.standing.stage <= made.spec.recovery_steps
        assert made.standing.opened == 0 or made.standing.state is not Health.CLOSED
        assert (made.standing == Standing()) is (made.standing.state is Health.CLOSED)


TestAnyHistory = AnyHistory.TestCase
