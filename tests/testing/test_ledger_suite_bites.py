"""The ledger suite fails what breaks the contract: each defect lets something be spent twice, or counts it wrongly."""

from __future__ import annotations

from typing import ClassVar

import attrs
import pytest

from rtfs_framework.api import Amount, ExhaustedError, lacking
from rtfs_framework.testing.conformance import LedgerConformance
from rtfs_framework.testing.memory_ledger import Book, MemoryLedger


class SettlesTwice(MemoryLedger):
    def finish(self, made, amount):
        self.add(made, amount - (made.said or made.bound))


class IgnoresWhatItTook(MemoryLedger):
    def goes_first(self, made, took):
        return made.bound


class BeginsTwice(MemoryLedger):
    def begin(self, reservation, seconds):
        return reservation in self.book.held


class TakesOneByOne(MemoryLedger):
    def reserve(self, claim, accounts):
        for account in accounts:
            made = super().reserve(claim, [account])
        return made


class RefusesWhatTakesNothing(MemoryLedger):
    def refusal(self, account, bound):
        least = attrs.evolve(bound, nano=max(bound.nano, 1))
        return lacking(account, self.book.counted[self.id_of(account)], least)


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
        made = self.book.held.get(reservation)
        if made is not None:
            self.book.held[reservation] = made = attrs.evolve(made, said=took)
        return made


class CountsLikeLua(MemoryLedger):
    def goes_first(self, made, took):
        return Amount(int(float(f"{took.nano:.14g}")), took.tokens, took.calls)


class Unbounded(MemoryLedger):
    def bound_of(self, amount):
        return amount


class MixesTenants(MemoryLedger):
    def whose(self, tenant, symbol, target):
        return symbol, target


class LooksThenTakes(MemoryLedger):
    """Looks under one lock and takes under another: between the two others may have looked, too."""

    room: ClassVar[dict] = {}

    def refusal(self, account, bound):
        seen = self.room.setdefault(id(self.book), self.book.counted[self.id_of(account)])
        return lacking(account, seen, bound)


def suite(kind):
    class Suite(LedgerConformance):
        def __init__(self):
            self.book = None

        def ledger(self):
            self.book = Book()
            return super().ledger()

        def make(self, settings):
            self.book = self.book or Book()
            return kind(settings, self.book)

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
