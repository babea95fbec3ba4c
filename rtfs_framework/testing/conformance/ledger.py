"""The contract of ledgers: never beyond a limit, whoever spends at once; bounds count until they are settled."""

from __future__ import annotations

from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor

from rtfs_framework.api import (
    Account,
    Amount,
    BudgetClaim,
    ExhaustedError,
    Ledger,
    LedgerSettings,
    Limit,
    Typical,
)
from rtfs_framework.testing.clock import FakeClock
from rtfs_framework.testing.conformance.base import Conformance, check

_LEASE = 60.0
_DAY = Account(budget="day", key="a b|c", window="2026-11-29", renews=1e10, limit=Limit(nano=100, calls=3))
_TOKENS = Account(budget="tokens", limit=Limit(tokens=50))
_MOST = 10**15


def _claim(nano: int = 10, tokens: int = 10, calls: int = 1) -> BudgetClaim:
    return BudgetClaim(
        bound=Amount(nano, tokens, calls), lease=_LEASE, tenant="acme corp", run="r1", symbol="f", target="remote:x"
    )


class LedgerConformance(Conformance):
    """Inherit, and give `make`."""

    @abstractmethod
    def make(self, settings: LedgerSettings) -> Ledger:
        """Return a ledger in which nothing was counted yet, or another one on the same counts if it was made before."""

    def ledger(self) -> tuple[Ledger, FakeClock]:
        """Return a ledger and its clock."""
        clock = FakeClock()
        return self.make(LedgerSettings(clock=clock)), clock

    def test_a_bound_counts_until_it_is_settled_at_what_was_taken(self) -> None:
        """Reserved it counts in full, settled as what it took, and only once."""
        ledger, _ = self.ledger()
        made = ledger.reserve(_claim(60), [_DAY])
        check(ledger.standings([_DAY])[0].held == Amount(60, 10, 1), "a reservation is not held")
        check(ledger.begin(made, 30), "a reservation could not begin within its lease")
        check(not ledger.begin(made, 30), "a reservation began twice")
        check(ledger.settle(made, Amount(25, 5, 1)), "what has begun could not be settled")
        standing = ledger.standings([_DAY])[0]
        check((standing.counted, standing.held) == (Amount(25, 5, 1), Amount()), f"settled at 25: {standing!r}")
        check(not ledger.settle(made, Amount(25, 5, 1)), "settled twice")
        ledger.close()

    def test_a_refusal_says_what_is_left_and_takes_nothing(self) -> None:
        """From all accounts or from none; what takes nothing of a kind is not refused for it."""
        ledger, _ = self.ledger()
        ledger.settle(ledger.reserve(_claim(95, 0, 1), [_DAY]), None)
        try:
            ledger.reserve(_claim(6, 1, 1), [_TOKENS, _DAY])
        except ExhaustedError as error:
            told = (error.account, error.kind, error.left, error.asked)
            check(told == (_DAY, "nano", 5, 6), f"the refusal says {told}")
        else:
            check(False, "6 were let pass where 5 are left")
        check(ledger.standings([_TOKENS])[0].counted == Amount(), "a refused request was counted")
        check(ledger.open() == [], "a refused request is reserved")
        ledger.reserve(_claim(5, 0, 0), [_DAY])  # all that is left
        ledger.reserve(_claim(0, 0, 1), [_DAY])
        ledger.close()

    def test_a_lease_that_is_over_gives_back_what_never_began(self) -> None:
        """And nothing else: what has begun may be billed, however long ago."""
        ledger, clock = self.ledger()
        waiting, sent = ledger.reserve(_claim(40), [_DAY]), ledger.reserve(_claim(50), [_DAY])
        check(ledger.begin(sent, 5), "a reservation could not begin")
        clock.advance(_LEASE)
        check(ledger.find(waiting) is not None, "it was given back at the end of its lease, not after it")
        clock.advance(1)
        check(ledger.standings([_DAY])[0].counted == Amount(50, 10, 1), "only what never began is given back")
        check([each.id for each in ledger.open()] == [sent], "it is still open")
        check(not ledger.begin(waiting, 5), "it began although its lease is over")
        check(not ledger.settle(waiting, None), "it was settled although it was given back")
        clock.advance(3650 * 86_400)
        check(ledger.standings([_DAY])[0].counted == Amount(50, 10, 1), "what has begun was given back")
        ledger.close()

    def test_windows_keys_and_budgets_are_counted_apart(self) -> None:
        """And an account is found by its budget."""
        ledger, _ = self.ledger()
        others = [
            Account(budget="day", key="a b|c", window="2026-11-30", limit=_DAY.limit),
            Account(budget="day", key="a b", window="2026-11-29", limit=_DAY.limit),
            Account(budget="day|a b", key="c", window="2026-11-29", limit=_DAY.limit),
        ]
        for account in (_DAY, *others):
            ledger.reserve(_claim(100), [account])
            check(ledger.standings([account])[0].counted.nano == 100, f"{account.id} counts another's")
        found = {each.account.id for each in ledger.accounts("day")}
        check(found == {_DAY.id, others[0].id, others[1].id}, f"the accounts of `day` are {found}")
        renews = {each.account.renews for each in ledger.accounts("day")}
        check(renews == {1e10, None}, f"they are renewed at {renews}")
        ledger.close()

    def test_a_person_may_say_less_and_the_process_knows_better(self) -> None:
        """What is said counts, at most the bound, until the process settles."""
        ledger, _ = self.ledger()
        made = ledger.reserve(_claim(60), [_DAY])
        ledger.begin(made, 30)
        try:
            ledger.say(made, Amount(61, 0, 1))
        except ValueError:
            pass
        else:
            check(False, "more was said than was reserved")
        said = ledger.say(made, Amount(20, 0, 1))
        check(said is not None and said.budgets == ("day",) and said.tenant == "acme corp", f"said: {said!r}")
        check(ledger.standings([_DAY])[0].counted == Amount(20, 0, 1), "what was said does not count")
        check(ledger.open() == [], "what was said is still open")
        check(ledger.settle(made, Amount(55, 9, 1)), "it lived, and could not settle")
        check(ledger.standings([_DAY])[0].counted == Amount(55, 9, 1), "what was said goes before what it took")
        check(ledger.say(made, Amount()) is None, "something was said of what is gone")
        ledger.close()

    def test_numbers_stay_whole_however_large(self) -> None:
        """A call counts at most `MOST` of each kind, and what took more than its bound counts as it is."""
        ledger, _ = self.ledger()
        free = Account(budget="free", limit=Limit(calls=10**9))
        for _ in range(3):
            ledger.settle(ledger.reserve(_claim(10**30, -5, 1), [free]), Amount(10**40, 10**40, 1))
        check(ledger.standings([free])[0].counted == Amount(3 * _MOST, 3 * _MOST, 3), "large numbers are not exact")
        odd = Account(budget="odd")
        ledger.settle(ledger.reserve(_claim(1), [odd]), Amount(_MOST - 1, 150, 1))
        check(ledger.standings([odd])[0].counted == Amount(_MOST - 1, 150, 1), "a large number is not exact")
        ledger.close()

    def test_what_a_function_took_becomes_known(self) -> None:
        """By tenant, symbol and target, where a server told both numbers."""
        ledger, _ = self.ledger()
        for told in ((100, 10), (50, 30), None):
            ledger.settle(ledger.reserve(_claim(1), [_TOKENS]), Amount(1, 1, 1), told)
        known = ledger.typical("acme corp", "f", "remote:x")
        right = Typical(requests=2, input_tokens=150, output_tokens=40, most_input=100, most_output=30)
        check(known == right, f"known is {known!r}")
        check(ledger.typical("", "f", "remote:x") == Typical(), "another tenant's is known")
        ledger.close()

    def test_whoever_spends_at_once_never_beyond_a_limit(self) -> None:
        """Two ledgers on the same counts, eight threads: what was let pass is exactly what the limit holds."""
        clock = FakeClock()
        ledgers = [self.make(LedgerSettings(clock=clock)) for _ in range(2)]
        account = Account(budget="race", window="w", limit=Limit(calls=25))

        def spend(number: int) -> int:
            passed = 0
            for _ in range(8):
                try:
                    made = ledgers[number % 2].reserve(_claim(0, 0, 1), [account])
                except ExhaustedError:
                    continue
                passed += 1
                if number % 3:
                    check(ledgers[(number + 1) % 2].begin(made, 9.0), "another node cannot begin what was reserved")
                    ledgers[number % 2].settle(made, None)
            return passed

        with ThreadPoolExecutor(8) as pool:
            passed = sum(pool.map(spend, range(8)))
        check(passed == 25, f"{passed} calls passed a limit of 25")
        check(ledgers[0].standings([account])[0].counted.calls == 25, "the count is not what passed")
        for each in ledgers:
            each.close()
