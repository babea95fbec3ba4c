"""Budgets at work: sessions that ask models, what is sent, what is refused, and what is counted."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from rtfs_framework.api import (
    FailureKind,
    InferenceReply,
    ProviderDeclined,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    Usage,
)
from rtfs_framework.api.errors import ProviderAuthError
from rtfs_framework.api.provider import InferenceRequest
from rtfs_framework.api.signals import Left
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.orchestrator.boundary.failures import RefusedError, code_of
from rtfs_framework.orchestrator.performing.budgets.amounts import Amount, Limit
from rtfs_framework.orchestrator.performing.budgets.budgets import Reserved
from rtfs_framework.orchestrator.performing.budgets.build import open_ledger
from rtfs_framework.orchestrator.performing.budgets.estimate import FREE, bound_of
from rtfs_framework.orchestrator.performing.budgets.ledger import Account, Claim
from rtfs_framework.orchestrator.performing.gate import Outcome
from rtfs_framework.testing.clock import FakeClock

PROGRAM = '(defn ^:delegation :remote "cloud" f [x] x)\n(defn ^:delegation :remote "cloud" g [x] x)\n'
PRICED = "[delegation.remote_providers.cloud]\nprovider = 'cloud'\ninput_cost = 1\noutput_cost = 2\n"
ERROR = "[delegation]\non_exhausted = 'error'\n"


@pytest.fixture
def world(kit, remote_settings):
    """Return a class that opens sessions on one remote provider, and remembers what they spent."""

    class World:
        clock = FakeClock()
        answer = staticmethod(lambda _: InferenceReply(text="yes", usage=Usage(100, 50)))
        home = kit.home

        def __init__(self):
            self.entry = kit.provider("cloud", self.answered, remote=True, settings=remote_settings)

        def answered(self, request):
            return self.answer(request)

        def open(self, config, priced=PRICED, **options):
            environ = {**kit.environ, "ACME_API_KEY": "k"}
            return kit.open(kit.catalog(self.entry), config + priced, clock=self.clock, environ=environ, **options)

        @property
        def requests(self):
            return kit.providers["cloud"].requests

        def counted(self, session, budget):
            """Return what all accounts of a budget have counted, by the key and window of each."""
            ledger = session.host.counting.budgets.ledger
            return {(each.account.key, each.account.window): each.counted for each in ledger.accounts(budget)}

        def total(self, session, budget="b"):
            (found,) = self.counted(session, budget).values()
            return found.nano, found.tokens, found.calls

    return World()


def test_what_an_answer_took_is_counted_in_the_place_of_its_bound(world, source) -> None:
    with world.open("[budgets.b]\nusd = 1\ntokens = 10_000\ncalls = 10\n[ledger]\nmax_tokens = 700\n") as session:
        result = session.run(source(PROGRAM + '[(f "a") (f "b")]'))
        assert world.total(session) == (2 * (100 * 1000 + 50 * 2000), 300, 2)
        assert session.host.counting.budgets.ledger.open() == []
    assert [each.max_tokens for each in world.requests] == [700, 700], "the request carries what was reserved"
    assert result.summary.cost == pytest.approx(0.0004)


def test_a_request_without_budgets_carries_no_bound(world, source) -> None:
    with world.open("[budgets.b]\nusd = 1\ntarget = 'local-*'\n") as session:
        session.run(source(PROGRAM + '(f "a")'))
    assert [each.max_tokens for each in world.requests] == [None]


def test_a_refusal_says_which_budget_what_is_left_and_what_to_do(world, source) -> None:
    with world.open("[budgets.b]\ncalls = 1\nper = 'hour'\n") as session, pytest.raises(ProgramError) as error:
        session.run(source(PROGRAM + '[(f "a") (f "b")]'))
    assert len(world.requests) == 1, "nothing was sent"
    assert (error.value.kind, code_of(error.value)) == ("BudgetExhausted", "E0610")
    text = str(error.value)
    for part in ("'b' has 0 calls left of 1 call", "may take 1 call", "renewed at 2023-11-14 23:00 UTC", "[budgets.b]"):
        assert part in text
    world.clock.advance(3600)
    with world.open("[budgets.b]\ncalls = 1\nper = 'hour'\n") as session:
        assert session.run(source(PROGRAM + '(f "c")')).value == "yes", "the next hour"


def test_money_is_refused_by_its_bound_before_anything_is_sent(world, source) -> None:
    config = "[budgets.b]\nusd = 0.0019\n[ledger]\nmax_tokens = 1000\n"
    with world.open(config) as session, pytest.raises(ProgramError, match=r"may take \$0\.00"):
        session.run(source(PROGRAM + '(f "a")'))
    assert world.requests == []


@pytest.mark.parametrize(
    "failure",
    [
        ProviderDeclined("cloud", "not mine"),
        ProviderAuthError("cloud", "who are you?", status=401),
        ProviderError("cloud", "never sent", usage=Usage(0, 0)),
        ProviderUnavailable("cloud", "full", failure=FailureKind.SAFE, usage=Usage(0, 0)),
        RateLimited("cloud", "slow down"),
    ],
    ids=["declined", "no key", "told", "told safe", "429"],
)
def test_what_surely_did_nothing_gives_its_call_back(world, source, failure) -> None:
    world.answer = lambda _: failure
    with world.open("[budgets.b]\ncalls = 1\nusd = 1.0\n") as session:
        session.run(source(PROGRAM + '(for [x ["a" "b" "c"]] (try (f x) (catch _ e nil)))'))
        assert world.total(session) == (0, 0, 0)
    assert len(world.requests) >= 3  # one that is safe may be tried again


@pytest.mark.parametrize(
    ("failure", "counted"),
    [
        (ProviderTimeout("cloud", "late"), "bound"),
        (ProviderError("cloud", "broken"), "something"),
        (InferenceReply(text="yes"), "bound"),
        (InferenceReply(text="yes", usage=Usage(-5, 10**30)), "bound"),
        (RuntimeError("a bug"), "something"),
    ],
)
def test_what_nobody_counted_counts_as_reserved(world, source, failure, counted) -> None:
    world.answer = lambda _: failure
    with world.open("[budgets.b]\ntokens = 100_000\n[ledger]\nmax_tokens = 700\n") as session:
        session.run(source(PROGRAM + '(try (f "a") (catch _ e nil))'))
        _, tokens, calls = world.total(session)
        assert calls == 1
        assert tokens > (700 if counted == "bound" else 0)
        assert session.host.counting.budgets.ledger.open() == []


def test_an_unknown_price_is_refused_or_counts_as_the_dearest(world, source) -> None:
    own = "[delegation.remote_providers.cloud]\nprovider = 'cloud'\n"
    with world.open("[budgets.b]\nusd = 1\n", own) as session, pytest.raises(ProgramError, match="nobody knows what"):
        session.run(source(PROGRAM + '(f "a")'))
    assert world.requests == []
    other = own + PRICED.replace("cloud]", "other]")
    with world.open("[ledger]\nunknown_price = 'dearest'\n[budgets.b]\nusd = 1\n", other) as session:
        session.run(source(PROGRAM + '(f "a")'))
        assert world.total(session) == (100 * 1000 + 50 * 2000, 150, 1)
    with world.open("[budgets.b2]\ntokens = 10_000\n", own) as session:
        session.run(source(PROGRAM + '(f "a")'))
        assert world.total(session, "b2") == (0, 150, 1), "tokens need no price"
    config = "[ledger]\nunknown_price = 'dearest'\n[budgets.b3]\nusd = 1\n"
    with world.open(config, own) as session, pytest.raises(ProgramError, match="nobody knows what"):
        session.run(source(PROGRAM + '(f "a")'))


def test_scopes_choose_requests_and_for_each_counts_apart(world, source) -> None:
    config = "[budgets.b]\nsymbol = 'f'\ncalls = 1\n[budgets.each]\nfor_each = ['symbol', 'target']\ncalls = 2\n"
    with world.open(config) as session:
        session.run(source(PROGRAM + '[(f "a") (g "a") (g "b")]'))
        assert world.total(session)[2] == 1
        found = {
            json.loads(key.partition(" ")[2])["symbol"]: each.calls
            for (key, _), each in world.counted(session, "each").items()
        }
        assert found == {"f": 1, "g": 2}
        with pytest.raises(ProgramError, match=r"'each' \(symbol g, target remote-cloud\)"):
            session.run(source(PROGRAM + '(g "c")'))


def test_a_budget_per_run_is_each_runs_own(world, source) -> None:
    with world.open("[budgets.b]\ncalls = 2\nper = 'run'\n") as session:
        for _ in range(2):
            session.run(source(PROGRAM + '(pmap f ["a" "b"])'))
        with pytest.raises(ProgramError, match="renewed with each run"):
            session.run(source(PROGRAM + '[(f "a") (f "b") (f "c")]'))
    assert len(world.requests) == 6


def test_budgets_outlive_the_session_and_count_for_the_file_that_says_them(world, source, kit) -> None:
    config = "[budgets.b]\ncalls = 1\nper = 'ever'\n"
    with world.open(config) as session:
        session.run(source(PROGRAM + '(f "a")'))
    with world.open(config) as session, pytest.raises(ProgramError, match="never renewed"):
        session.run(source(PROGRAM + '(f "b")'))
    with world.open(config.replace("1", "2")) as session:
        session.run(source(PROGRAM + '(f "b")'))
    (kit.home / "other").mkdir()
    other = kit.home / "other" / "x.toml"
    other.write_text(config + PRICED)
    environ = {"RTFS_HOME": str(kit.home / "no-such-file"), "ACME_API_KEY": "k"}
    ledger = f"[ledger]\npath = '{(kit.home / 'ledger.sqlite').as_posix()}'\n"
    other.write_text(config + ledger + PRICED)
    with kit.open(kit.catalog(world.entry), other, clock=world.clock, environ=environ) as session:
        assert session.run(source(PROGRAM + '(f "a")')).value == "yes", "another file's budget of this name"


def test_a_ledger_that_cannot_be_used_refuses(world, source, kit) -> None:
    (kit.home / "ledger.sqlite").write_text("no database" * 1000)
    with (
        world.open("[budgets.b]\ncalls = 5\n") as session,
        pytest.raises(ProgramError, match="ledger of budgets cannot"),
    ):
        session.run(source(PROGRAM + '(f "a")'))
    assert world.requests == []


def test_a_ledger_that_breaks_meanwhile_is_told_and_stays_reserved(world, source, kit) -> None:
    def answer(_):
        session.host.counting.budgets.ledger.close()
        (kit.home / "ledger.sqlite").rename(kit.home / "saved")
        (kit.home / "ledger.sqlite").mkdir()
        return "yes"

    world.answer = answer
    with world.open("[budgets.b]\ncalls = 5\n") as session:
        result = session.run(source(PROGRAM + '(f "a")'))
    assert result.value == "yes"
    assert [each.code for each in result.summary.problems] == ["E0613"]
    (kit.home / "ledger.sqlite").rmdir()
    (kit.home / "saved").rename(kit.home / "ledger.sqlite")
    with world.open("[budgets.b]\ncalls = 5\n") as session:
        with closing(open_ledger(session.host.config, kit.environ, world.clock)) as ledger:
            (left,) = ledger.open()
        assert (left.begun, left.budgets, left.symbol, left.target) == (True, ("b",), "f", "remote-cloud")


def test_engines_see_what_is_left_in_bands(world, source) -> None:
    with world.open("[budgets.b]\ncalls = 10\n") as session:
        counting, seen = session.host.counting, []
        for _ in range(10):
            seen.append(counting.budget("b"))
            session.run(source(PROGRAM + '(f "a")'))
            world.clock.advance(2)
        seen.append(counting.budget("b"))
        assert counting.budget("no such") is Left.PLENTY
    assert seen == [Left.PLENTY] * 9 + [Left.SOME, Left.NOTHING]


def test_what_is_known_of_a_function_is_kept_per_tenant(world, source) -> None:
    with world.open("[budgets.b]\ncalls = 10\n", tenant="acme") as session:
        session.run(source(PROGRAM + '(f "a")'))
        ledger = session.host.counting.budgets.ledger
        assert ledger.typical("acme", "f", "remote-cloud").input_tokens == 100
        assert ledger.typical("", "f", "remote-cloud").requests == 0


def test_a_request_has_begun_before_it_is_sent(world, source) -> None:
    seen = []

    def answer(_):
        seen.extend((each.begun, each.symbol) for each in session.host.counting.budgets.ledger.open())
        return "yes"

    world.answer = answer
    with world.open("[budgets.b]\ncalls = 5\n") as session:
        session.run(source(PROGRAM + '(f "a")'))
    assert seen == [(True, "f")]


def test_who_waits_longer_than_the_lease_reserves_anew_or_is_refused(world, source) -> None:
    """One room, several branches: those that wait have reserved, and not begun."""

    def answer(_):
        world.clock.advance(11)
        return InferenceReply(text="yes", usage=Usage(1, 1))

    world.answer = answer
    room = PRICED + "parallel = 1\n"
    with world.open("[budgets.b]\ncalls = 5\n[ledger]\nlease = 10\n", room) as session:
        assert session.run(source(PROGRAM + '(pmap f ["a" "b" "c"])')).value == ("yes",) * 3
        assert world.total(session)[2] == 3
        assert session.host.counting.budgets.ledger.open() == []


def test_what_is_given_up_while_it_begins_holds_nothing(world, source) -> None:
    """A thread may still be beginning a request whose run was stopped: it comes too late to begin anything."""
    with world.open("[budgets.b]\ncalls = 5\n") as session:
        budgets = session.host.counting.budgets
        budgets.ledger.open()
        (instance,) = session.host.pool.instances.values()
        bound = bound_of(InferenceRequest(function=FunctionSignature("f"), args=(), messages=()), FREE, 10)
        account = Account(budget="b", limit=Limit(calls=5))
        claim = Claim(bound=bound.amount, lease=10)
        held = Reserved(budgets, instance, claim, bound, [each.spec for each in budgets.specs], [account])
        held.take()
        held.settle(Outcome(sent=False))
        with pytest.raises(RefusedError, match="gone"):
            held.begin(5)
        assert budgets.ledger.open() == []
        assert budgets.ledger.standings([account])[0].counted == Amount()
