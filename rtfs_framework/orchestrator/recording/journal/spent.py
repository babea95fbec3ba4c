"""What a run has spent of what it may, read from its rows: for whoever goes on with it under the same bounds.

In: the rows of its calls, as JSON. Out: a `Spending`. A request of which nobody knows how it ended counts at what was
reserved for it, as in a ledger of budgets: whoever was asked may send a bill.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from rtfs_framework.orchestrator.recording.journal.parsing import parsed
from rtfs_framework.orchestrator.recording.purse import NANO, NOTHING_SPENT, Spending

HELD = '"held":'
"""What the row of a request has in it that a purse was asked for."""
_NOTHING_DONE = ("refused", "safe")


def has_used(row: str) -> bool:
    """Tell whether the row of a call's end says that it used anything."""
    # Looked at for every call of a run: a loop over the names takes four times as long.
    return '"charged":' in row or '"cost":' in row or 'put_tokens":' in row or '"model":' in row or '"attempts":' in row


def spent(rows: Iterable[str]) -> Spending:
    """Return what some calls took, by the rows of their ends."""
    return sum((_taken(row) for row in rows if has_used(row)), NOTHING_SPENT)


def _taken(text: str) -> Spending:
    """Return what a call was charged; where nothing bounded its run, what is told of its requests."""
    row = parsed(text)
    if "charged" in row:
        return Spending(*row["charged"])
    tokens = int(row.get("input_tokens") or 0) + int(row.get("output_tokens") or 0)
    failed = sum(each.get("kind") not in _NOTHING_DONE for each in row.get("attempts") or ())
    return Spending(round(float(row.get("cost") or 0.0) * NANO), tokens, ("model" in row) + failed)


@attrs.define(slots=True, eq=False)
class InFlight:
    """The requests of a call that were begun, and of whose end nothing is known."""

    rows: tuple[str, ...] = ()
    """Of the process that was at it last, as JSON."""
    stopped: str | None = None
    """Its row about a call that was stopped."""
    lost: Spending = NOTHING_SPENT
    """What those of processes before may have taken."""

    @property
    def held(self) -> Spending:
        """What they may have taken, all together."""
        charged = Spending(*({} if self.stopped is None else parsed(self.stopped)).get("charged", ()))
        if self.rows and charged.calls == len(self.rows):
            return self.lost + charged
        return sum((Spending(*parsed(row).get("held", ())) for row in self.rows), self.lost)

    def left_behind(self, *, made: bool) -> None:
        """Note that another process goes on with the call; a person may say that nothing of it was `made`."""
        self.lost = self.held if made else NOTHING_SPENT
        self.rows, self.stopped = (), None
