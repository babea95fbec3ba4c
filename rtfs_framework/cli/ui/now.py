"""What the host holds now: caches, breakers, budgets, tickets, approvals.

In: `--config`. Out: plain data for templates, made by the functions of `rtfs cache stats`, `rtfs health list`, `rtfs
budget list`, `rtfs tickets list` and `rtfs approve list`. A host is opened for each look, as each command does, so a
changed configuration counts at once, and a faulty one is an error of the page that shows it.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import attrs

from rtfs_framework.cli.commands.approve import approvals, asker
from rtfs_framework.cli.commands.cache import stats_json
from rtfs_framework.cli.commands.health import health_json
from rtfs_framework.cli.ledgers import ledger_of
from rtfs_framework.cli.options import open_session
from rtfs_framework.cli.problems import problem
from rtfs_framework.cli.queues import NO_ITEM, queue_of
from rtfs_framework.cli.shown.budgets import held_json, row_json
from rtfs_framework.cli.shown.queued import item_json
from rtfs_framework.orchestrator.performing.approvals.store import approval_json

TICKETS = "tickets"
CHANGES = {"cancel": ("queued", "leased"), "retry": ("dead", "cancelled")}
"""What a person may do with a ticket, and in which states."""
_WEEK = 7 * 86_400.0
_MOST = 200
"""Tickets that are shown."""


def caches_page(config: str | None, journal: Path) -> dict[str, Any]:
    """Return what caches hold, their bounds, and how often they answered in the last seven days."""
    from rtfs_framework.orchestrator.recording.journal.spending import spending

    with open_session(None, config, journal=False) as session:
        found = stats_json(session)
    groups = spending(journal, ("target",), time.time() - _WEEK) if journal.exists() else {}
    rates = [{"target": target, **attrs.asdict(spent)} for (target,), spent in groups.items()]
    return {"caches": found, "rates": rates}


def state_page(config: str | None) -> dict[str, Any]:
    """Return breakers and budgets."""
    from rtfs_framework.orchestrator.performing.budgets.overview import rows_of
    from rtfs_framework.orchestrator.performing.health.overview import overview

    with open_session(None, config, journal=False) as session, ledger_of(session) as ledger:
        now = session.host.clock.now()
        targets = [health_json(each) for each in overview(session.host.health)]
        budgets = [row_json(each) for each in rows_of(session.host.config.budgets, ledger, now)]
        held = [] if ledger is None else [held_json(each, now) for each in ledger.open()]
    return {"targets": targets, "budgets": budgets, "reservations": held}


def tickets_page(config: str | None, changed: str = "") -> dict[str, Any]:
    """Return calls that are answered later, the oldest first; and what has become of the one that was changed."""
    from rtfs_framework.api.queue import ItemFilter

    with queue_of(config) as (queue, _, _):
        found = queue.items(ItemFilter(topic=TICKETS, most=_MOST + 1))
        counts = [attrs.asdict(each) for each in queue.counts(TICKETS)]
        done = queue.get(changed) if changed else None
    shown = [item_json(each) | {"change": _offered(each.state)} for each in found[:_MOST]]
    told = None if done is None or done.topic != TICKETS else item_json(done)
    return {"tickets": shown, "cut": len(found) > _MOST, "counts": counts, "done": told}


def change_ticket(config: str | None, id_: str, action: str) -> None:
    """Change a ticket, as `rtfs tickets cancel|retry` does; one whose state does not allow it stays as it is.

    Raises:
        InputError: E0926, there is none of this id.
    """
    with queue_of(config) as (queue, _, _):
        found = queue.get(id_) if id_ else None  # the whole id: the beginning of one might be another's by now
        if found is None or found.topic != TICKETS:
            raise problem(NO_ITEM, f"there is no ticket '{id_[:80]}'", "look at the tickets that are there now")
        (queue.cancel if action == "cancel" else queue.requeue)(found.id)


def _offered(state: str) -> str:
    """Return what a person may do with a ticket in a state, "" for nothing."""
    return next((action for action, states in CHANGES.items() if state in states), "")


def approvals_page() -> dict[str, Any]:
    """Return calls that wait for a person, and those that were answered."""
    store = approvals()
    now, found = store.clock.now(), store.listed(every=True)
    waiting = [each for each in found if each.state == "waiting" and each.until > now]
    past = [each for each in reversed(found) if each not in waiting][:_MOST]
    return {"waiting": list(map(approval_json, waiting)), "past": list(map(approval_json, past)), "now": now}


def waiting_count() -> int:
    """Return how many calls wait for a person."""
    return len(approvals().listed())


def answer(id_: str, *, yes: bool, reason: str) -> dict[str, Any]:
    """Answer a call that waits, as `rtfs approve yes|no` does.

    Raises:
        ApprovalError: It does not wait any more.
    """
    return dict(approval_json(approvals().answer(id_, yes=yes, by=asker(), reason=reason)))
