"""The ledger of budgets, as commands look at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rtfs_framework.cli.options import environment
from rtfs_framework.cli.problems import problem

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.budgets.ledger import Ledger
    from rtfs_framework.orchestrator.session import Session

_FREE_SOME = "free some space, make the file writable, or choose another place with path under [ledger]"

_REACH_IT = "see that its server works and that [ledgers.{name}] is right"


@contextmanager
def ledger_of(session: Session) -> Iterator[Ledger | None]:
    """Open the ledger; None when there is no file yet, and looking makes none (a plug-in's is always asked)."""
    from rtfs_framework.orchestrator.performing.budgets.build import ledger_path, open_ledger
    from rtfs_framework.orchestrator.performing.budgets.ledger import LedgerError

    config, environ = session.host.config, environment()
    try:
        if config.ledger.store is None and not ledger_path(config, environ).exists():
            yield None
            return
        ledger = open_ledger(config, environ, session.host.clock, session.host.catalog)
        try:
            yield ledger
        finally:
            ledger.close()
    except (LedgerError, OSError) as error:
        way_out = _FREE_SOME if config.ledger.store is None else _REACH_IT.format(name=config.ledger.store)
        raise problem("E0613", f"the ledger of budgets cannot be used: {error}", way_out) from error
