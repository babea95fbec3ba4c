"""What keeps budgets, by the names that this room knows: plug-ins may keep them, so the contract is `api/ledger.py`."""

from __future__ import annotations

from rtfs_framework.api.ledger import (
    Account,
    ExhaustedError,
    Ledger,
    LedgerError,
    Reservation,
    Standing,
    Typical,
    lacking,
)
from rtfs_framework.api.ledger import (
    BudgetClaim as Claim,
)

__all__ = [
    "Account",
    "Claim",
    "ExhaustedError",
    "Ledger",
    "LedgerError",
    "Reservation",
    "Standing",
    "Typical",
    "lacking",
]
