"""Rates: buckets on a clock that is told, and sessions that ask too fast."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.api import InferenceReply, Usage
from rtfs_framework.api.provider import InferenceRequest
from rtfs_framework.api.signals import Left
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.orchestrator.boundary.failures import code_of
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.config.budgets import RateSpec
from rtfs_framework.orchestrator.performing.budgets.estimate import FREE, bound_of
from rtfs_framework.orchestrator.performing.budgets.rates import RateCheck, _Taken, pair_of
from rtfs_framework.orchestrator.performing.gate import Permit
from rtfs_framework.orchestrator.performing.leaving import infer_there
from rtfs_framework.testing.clock import FakeClock

PROGRAM = '(defn ^:delegation :remote "cloud" f [x] x)\n'
CLOUD = "[delegation.remote_providers.cloud]\nprovider = 'cloud'\n"


def test_a_bucket_is_filled_at_its_pace_up_to_its_burst() -> None:
    pair = pair_of(RateSpec(name="r", per="minute", calls=60, burst=2), 0.0)
    assert [pair.take(1, 0, 0.0) for _ in range(3)] == [0.0, 0.0, 1.0]
    assert pair.take(1, 0, 1.0) == 0.0
    assert pair.take(1, 0, 1.5) == pytest.approx(0.5)
    assert [pair.take(1, 0, 1000.0) for _ in range(3)] == [0.0, 0.0, 1.0], "no more than the burst is kept"


def test_what_is_larger_than_the_bucket_passes_when_it_is_full_and_is_paid_off() -> None:
    pair = pair_of(RateSpec(name="r", per="second", tokens=100), 0.0)
    assert pair.take(1, 250, 0.0) == 0.0
    assert pair.take(1, 1, 0.0) == pytest.approx(1.51)
    assert pair.take(1, 250, 1.0) == pytest.approx(1.5), "when it is full again"
    pair.give(0, 250, 1.0)
    assert pair.take(1, 100, 1.0) == 0.0


def test_both_are_taken_or_none() -> None:
    pair = pair_of(RateSpec(name="r", per="second", calls=1, tokens=10), 0.0)
    assert pair.take(1, 6, 0.0) == 0.0
    assert pair.take(1, 6, 0.5) == pytest.approx(0.5)
    assert pair.take(1, 1, 1.0) == 0.0


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(1, 30)), max_size=60), st.integers(1, 20), st.integers(1, 20))
def test_no_more_passes_than_the_pace_and_one_burst(steps: list[tuple[float, int]], pace: int, burst: int) -> None:
    pair, now, passed = pair_of(RateSpec(name="r", per="second", calls=pace, burst=burst), 0.0), 0.0, 0
    for seconds, tries in steps:
        now += seconds
        for _ in range(tries):
            wait = pair.take(1, 0, now)
            passed += wait == 0.0
            assert 0 <= wait <= 1 / pace + 1e-6
        assert passed <= now * pace + burst + 1e-6


@pytest.fixture
def opened(kit, remote_settings):
    """Return a function that opens sessions on a remote provider, and the clock of all of them."""
    clock = FakeClock()
    entry = kit.provider(
        "cloud", lambda _: InferenceReply(text="yes", usage=Usage(10, 10)), remote=True, settings=remote_settings
    )

    def made(config, **options):
        environ = {**kit.environ, "ACME_API_KEY": "k"}
        return kit.open(kit.catalog(entry), config + CLOUD, environ=environ, **{"clock": clock, **options})

    made.clock, made.provider = clock, kit.providers["cloud"]
    return made


def test_what_comes_too_early_is_not_sent_and_told_how_long_to_wait(opened, source) -> None:
    with opened("[rates.r]\ncalls = 2\nper = 'minute'\nwait = 29\n") as session:
        session.run(source(PROGRAM + '[(f "a") (f "b")]'))
        assert session.host.counting.rate("r") is Left.NOTHING
        with pytest.raises(ProgramError, match=r"the rate 'r' lets the next one pass in 30 s") as error:
            session.run(source(PROGRAM + '(f "c")'))
        assert (error.value.kind, code_of(error.value)) == ("BudgetExhausted", "E0612")
        opened.clock.advance(30)
        assert session.run(source(PROGRAM + '(f "c")')).value == "yes"
        assert session.host.counting.rate("no such") is Left.PLENTY
    assert len(opened.provider.requests) == 3


def test_tokens_that_were_not_used_are_given_back(opened, source) -> None:
    with opened("[rates.r]\ntokens = 2000\n[ledger]\nmax_tokens = 900\n") as session:
        for _ in range(10):
            session.run(source(PROGRAM + '(f "a")'))
    assert len(opened.provider.requests) == 10


def test_who_comes_too_early_waits_for_its_turn(opened, source, monkeypatch) -> None:
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)
        opened.clock.advance(seconds)

    monkeypatch.setattr("rtfs_framework.orchestrator.performing.gate.pause", pause)
    with opened("[rates.r]\ncalls = 4\nper = 'second'\nburst = 2\n") as session:
        assert session.run(source(PROGRAM + '(map f ["a" "b" "c" "d" "e"])')).value == ("yes",) * 5
    assert pauses == [0.25] * 3


def test_branches_wait_for_their_turns(opened, source) -> None:
    config = "[delegation]\nparallel = 8\n[rates.r]\ncalls = 200\nper = 'second'\nburst = 2\n"
    with opened(config, clock=SystemClock()) as session:
        assert session.run(source(PROGRAM + "(pmap f (map str (range 12)))")).value == ("yes",) * 12
    assert len(opened.provider.requests) == 12


def test_patience_queues_up_in_order() -> None:
    pair = pair_of(RateSpec(name="r", per="second", calls=1), 0.0)
    assert [pair.take(1, 0, 0.0, 2.5) for _ in range(5)] == [0.0, 1.0, 2.0, 3.0, 3.0], "the last two are refused"
    assert pair.take(1, 0, 1.0, 2.5) == 2.0
    pair.give(1, 0, 1.0)
    assert pair.take(1, 0, 1.0, 2.5) == 2.0, "whoever gave up gave its place back"


def test_a_rate_of_another_target_concerns_nobody_here(opened, source) -> None:
    with opened("[rates.r]\ncalls = 1\ntarget = 'local-*'\n") as session:
        session.run(source(PROGRAM + '[(f "a") (f "b")]'))
        assert not session.host.counting.rates.concerns(next(iter(session.host.pool.instances.values())))


def test_sessions_of_one_process_share_their_buckets(opened, source) -> None:
    config = "[rates.shared-by-two]\ncalls = 1\nper = 'hour'\nwait = 0\n"
    with opened(config, clock=SystemClock()) as one, opened(config, clock=SystemClock()) as other:
        one.run(source(PROGRAM + '(f "a")'))
        with pytest.raises(ProgramError, match="shared-by-two"):
            other.run(source(PROGRAM + '(f "b")'))


def test_those_that_pile_up_behind_a_provider_leave_one_by_one(opened, monkeypatch) -> None:
    pauses, begun = [], []

    async def pause(seconds):
        pauses.append(seconds)

    async def answer(*_):
        return InferenceReply(text="yes")

    async def ready():
        pass

    monkeypatch.setattr("rtfs_framework.orchestrator.performing.leaving.pause", pause)
    with opened("[rates.r]\ncalls = 4\nper = 'second'\nburst = 1\n") as session:
        rates = session.host.counting.rates
        (real,) = session.host.pool.instances.values()
        request = InferenceRequest(function=FunctionSignature("f"), args=(), messages=(), timeout=real.spec.timeout)
        bound, specs = bound_of(request, FREE, 10), [each.spec for each in rates.specs]
        waits = [rates.take(specs, bound)[1] for _ in range(4)]
        held = [_Taken(rates, ["r"], bound, real, wait) for wait in waits]
        instance = SimpleNamespace(
            spec=real.spec, target=real.target, parallel=1, part=real.part, prepare=ready, room=nullcontext,
            outside=SimpleNamespace(call=answer), provider=lambda: SimpleNamespace(infer=answer),
        )  # fmt: skip
        opened.clock.advance(10)  # until it is ready

        async def leave():
            for each in held:
                permit = Permit([(RateCheck(rates), each)])
                await infer_there(instance, request, permit, lambda: begun.append(len(pauses)))

        asyncio.run(leave())
    assert waits == [0.0, 0.25, 0.5, 0.75], "as they were let pass"
    assert pauses == [0.25, 0.5, 0.75], "and as they leave"
    assert begun == [0, 1, 2, 3], "none is sent before its turn"
