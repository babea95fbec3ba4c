"""The ledger suite fails what breaks the contract: each defect lets something be spent twice, or counts it wrongly."""

from __future__ import annotations

from collections import defaultdict
from threading import RLock
from typing import ClassVar

import attrs
import pytest

from rtfs_framework.api import Amount, ExhaustedError, Reservation, Standing, Typical
from rtfs_framework.api.ledger import lacking
from rtfs_framework.testing.conformance import LedgerConformance

NONE = Amount()


class Counts:
    """What the ledgers of one test share."""

    def __init__(self):
        self.lock = RLock()
        self.counted, self.known, self.held, self.on = defaultdict(Amount), {}, {}, {}
        self.typical, self.last = {}, 0


class MemoryLedger:
    """A right ledger of a few lines; the wrong ones below change one thing."""

    def __init__(self, settings, counts):
        self.clock, self.counts = settings.clock, counts

    # what the wrong ones change
    def id_of(self, account):
        return account.id

    def bound_of(self, amount):
        return amount.bounded()

    def is_over(self, made):
        return not made.begun and made.until < self.clock.now()

    def refusal(self, account, bound):
        return lacking(account, self.counts.counted[self.id_of(account)], bound)

    def whose(self, made):
        return made.tenant, made.symbol, made.target

    def goes_first(self, made, took):
        return took

    # the ledger
    def add(self, made, amount):
        for account in self.counts.on[made.id]:
            self.counts.counted[account] += amount

    def tidy(self):
        for made in [each for each in self.counts.held.values() if self.is_over(each)]:
            self.finish(made, NONE)

    def finish(self, made, amount):
        self.add(made, amount - (made.said or made.bound))
        del self.counts.held[made.id]

    def reserve(self, claim, accounts):
        with self.counts.lock:
            self.tidy()
            bound = self.bound_of(claim.bound)
            for account in accounts:
                refused = self.refusal(account, bound)
                if refused is not None:
                    raise refused
            return self.take(claim, bound, accounts)

    def take(self, claim, bound, accounts):
        self.counts.last += 1
        now = self.clock.now()
        made = Reservation(
            id=self.counts.last, bound=bound, made=now, until=now + claim.lease, begun=False, said=None,
            tenant=claim.tenant, run=claim.run, path=claim.path, symbol=claim.symbol, target=claim.target,
            process="", budgets=tuple(each.budget for each in accounts),
        )  # fmt: skip
        self.counts.held[made.id] = made
        self.counts.on[made.id] = [self.id_of(each) for each in accounts]
        self.counts.known.update({self.id_of(each): each for each in accounts})
        self.add(made, bound)
        return made.id

    def begin(self, reservation, seconds):
        with self.counts.lock:
            self.tidy()
            made = self.counts.held.get(reservation)
            if made is None or made.begun:
                return False
            self.counts.held[reservation] = attrs.evolve(made, begun=True, until=self.clock.now() + seconds)
            return True

    def settle(self, reservation, took, told=None):
        with self.counts.lock:
            self.tidy()
            made = self.counts.held.get(reservation)
            if made is None:
                return False
            self.finish(made, self.goes_first(made, made.bound if took is None else self.bound_of(took)))
            self.learn(made, told)
            return True

    def learn(self, made, told):
        if told is not None:
            old = self.counts.typical.get(self.whose(made), Typical())
            self.counts.typical[self.whose(made)] = Typical(
                requests=old.requests + 1, input_tokens=old.input_tokens + told[0],
                output_tokens=old.output_tokens + told[1], most_input=max(old.most_input, told[0]),
                most_output=max(old.most_output, told[1]),
            )  # fmt: skip

    def release(self, reservation):
        with self.counts.lock:
            made = self.counts.held.get(reservation)
            if made is not None:
                self.finish(made, NONE)
            return made is not None

    def say(self, reservation, took):
        with self.counts.lock:
            made = self.counts.held.get(reservation)
            if made is None:
                return None
            if any(getattr(took, kind) > getattr(made.bound, kind) for kind in ("nano", "tokens", "calls")):
                raise ValueError("more than the bound")
            self.add(made, took - (made.said or made.bound))
            self.counts.held[reservation] = attrs.evolve(made, said=took)
            return self.counts.held[reservation]

    def standings(self, accounts):
        with self.counts.lock:
            self.tidy()
            return [
                Standing(account=each, counted=self.counts.counted[self.id_of(each)], held=self.still(each))
                for each in accounts
            ]

    def still(self, account):
        held = NONE
        for made in self.counts.held.values():
            if self.id_of(account) in self.counts.on[made.id] and made.said is None:
                held += made.bound
        return held

    def accounts(self, budget):
        return self.standings([each for each in self.counts.known.values() if each.budget == budget])

    def open(self):
        with self.counts.lock:
            self.tidy()
            return [each for each in self.counts.held.values() if each.said is None]

    def find(self, reservation):
        self.tidy()
        return self.counts.held.get(reservation)

    def typical(self, tenant, symbol, target):
        made = attrs.evolve(BLANK, tenant=tenant, symbol=symbol, target=target)
        return self.counts.typical.get(self.whose(made), Typical())

    def close(self):
        pass


BLANK = Reservation(
    id=0, bound=NONE, made=0.0, until=0.0, begun=False, said=None, tenant="", run="", path="", symbol="", target="",
    process="", budgets=(),
)  # fmt: skip


class SettlesTwice(MemoryLedger):
    def finish(self, made, amount):
        self.add(made, amount - (made.said or made.bound))


class IgnoresWhatItTook(MemoryLedger):
    def goes_first(self, made, took):
        return made.bound


class BeginsTwice(MemoryLedger):
    def begin(self, reservation, seconds):
        return reservation in self.counts.held


class TakesOneByOne(MemoryLedger):
    def reserve(self, claim, accounts):
        for account in accounts:
            made = super().reserve(claim, [account])
        return made


class RefusesWhatTakesNothing(MemoryLedger):
    def refusal(self, account, bound):
        least = attrs.evolve(bound, nano=max(bound.nano, 1))
        return lacking(account, self.counts.counted[self.id_of(account)], least)


class ForgetsLeases(MemoryLedger):
    def is_over(self, made):
        return False


class EndsLeasesTooSoon(MemoryLedger):
    def is_over(self, made):
        return not made.begun and made.until <= self.clock.now()


class GivesBackWhatBegan(MemoryLedger):
    def is_over(self, made):
        return made.until < self.clock.now()


class MixesWindows(MemoryLedger):
    def id_of(self, account):
        return account.budget, account.key


class GluesNames(MemoryLedger):
    def id_of(self, account):
        return f"{account.budget}|{account.key}".replace("|", " "), account.window


class BelievesPeople(MemoryLedger):
    def goes_first(self, made, took):
        return made.said or took


class BelievesAnything(MemoryLedger):
    def say(self, reservation, took):
        made = self.counts.held.get(reservation)
        if made is not None:
            self.counts.held[reservation] = made = attrs.evolve(made, said=took)
        return made


class CountsLikeLua(MemoryLedger):
    def goes_first(self, made, took):
        return Amount(int(float(f"{took.nano:.14g}")), took.tokens, took.calls)


class Unbounded(MemoryLedger):
    def bound_of(self, amount):
        return amount


class MixesTenants(MemoryLedger):
    def whose(self, made):
        return made.symbol, made.target


class LooksThenTakes(MemoryLedger):
    """Looks under one lock and takes under another: between the two others may have looked, too."""

    room: ClassVar[dict] = {}

    def refusal(self, account, bound):
        seen = self.room.setdefault(id(self.counts), self.counts.counted[self.id_of(account)])
        return lacking(account, seen, bound)


def suite(kind):
    class Suite(LedgerConformance):
        def __init__(self):
            self.counts = None

        def ledger(self):
            self.counts = Counts()
            return super().ledger()

        def make(self, settings):
            self.counts = self.counts or Counts()
            return kind(settings, self.counts)

    return Suite()


def test_a_right_one_passes(failing):
    assert failing(suite(MemoryLedger)) == set()


@pytest.mark.parametrize(
    ("kind", "test"),
    [
        (SettlesTwice, "test_a_bound_counts_until_it_is_settled_at_what_was_taken"),
        (IgnoresWhatItTook, "test_a_bound_counts_until_it_is_settled_at_what_was_taken"),
        (BeginsTwice, "test_a_bound_counts_until_it_is_settled_at_what_was_taken"),
        (TakesOneByOne, "test_a_refusal_says_what_is_left_and_takes_nothing"),
        (RefusesWhatTakesNothing, "test_a_refusal_says_what_is_left_and_takes_nothing"),
        (ForgetsLeases, "test_a_lease_that_is_over_gives_back_what_never_began"),
        (EndsLeasesTooSoon, "test_a_lease_that_is_over_gives_back_what_never_began"),
        (GivesBackWhatBegan, "test_a_lease_that_is_over_gives_back_what_never_began"),
        (MixesWindows, "test_windows_keys_and_budgets_are_counted_apart"),
        (GluesNames, "test_windows_keys_and_budgets_are_counted_apart"),
        (BelievesPeople, "test_a_person_may_say_less_and_the_process_knows_better"),
        (BelievesAnything, "test_a_person_may_say_less_and_the_process_knows_better"),
        (CountsLikeLua, "test_numbers_stay_whole_however_large"),
        (Unbounded, "test_numbers_stay_whole_however_large"),
        (MixesTenants, "test_what_a_function_took_becomes_known"),
        (LooksThenTakes, "test_whoever_spends_at_once_never_beyond_a_limit"),
    ],
)
def test_a_wrong_one_fails(failing, kind, test):
    assert test in failing(suite(kind), (ExhaustedError,))
