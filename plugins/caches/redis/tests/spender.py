"""A node as a process: spends from one budget as fast as it can. Arguments: URL, prefix. It writes how much passed."""

from __future__ import annotations

import sys
import time

from rtfs_cache_redis.ledger import RedisLedger
from rtfs_cache_redis.link import address_of
from rtfs_framework.api import Account, Amount, BudgetClaim, ExhaustedError, Limit

ACCOUNT = Account(budget="race", window="w", limit=Limit(nano=1_000))
CLAIM = BudgetClaim(bound=Amount(10, 1, 1), lease=60.0)


class Wall:
    """The machine's clock."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


def main() -> None:
    ledger = RedisLedger(address_of(sys.argv[1], None, 10.0), sys.argv[2], Wall())
    print("ready", flush=True)
    sys.stdin.readline()
    spent, number = 0, 0
    while True:
        number += 1
        try:
            made = ledger.reserve(CLAIM, [ACCOUNT])
        except ExhaustedError:
            break
        if number % 5 == 0:
            ledger.release(made)
            continue
        ledger.begin(made, 60.0)
        took = 10 if number % 3 else 7
        ledger.settle(made, Amount(took, 1, 1))
        spent += took
    ledger.close()
    print(spent, flush=True)


if __name__ == "__main__":
    main()
