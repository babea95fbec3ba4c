"""Of equal calls in branches that run at once, which one decides and pays, as it is written down: the first in order.

Which one really asked first is a matter of timing; the others were served by it. Records pass here in the order of the
branches, and the decision that was made anew and the bill are moved to the first of the equal calls. So the causal
chain of a run is the same however its answers came in, and the same as without any overlap.
"""

from __future__ import annotations

import attrs

from rtfs_framework.orchestrator.records import CallRecord, Decision

Bill = tuple[int, int, float | None]
"""Input tokens, output tokens, cost (None: not known)."""


@attrs.define(slots=True, eq=False)
class Firsts:
    """What was decided and paid in the branches of one fan-out (and those inside it) and is not yet written down."""

    _decided: dict[str, Decision] = attrs.field(factory=dict, init=False)
    _hits: dict[str, Decision] = attrs.field(factory=dict, init=False)
    _paid: dict[str, Bill] = attrs.field(factory=dict, init=False)
    _moved: set[str] = attrs.field(factory=set, init=False)

    def decided(self, decision: Decision) -> None:
        """Note a decision that is in the L1 layer from now on."""
        if decision.key and decision.cache == "l1 miss":
            self._decided[decision.key] = decision

    def paid(self, key: str, bill: Bill) -> None:
        """Note a reply that is in the L2 layer from now on."""
        self._paid[key] = bill

    def settle(self, record: CallRecord) -> CallRecord:
        """Return a record as it is to be written down; called in order."""
        return self._billed(self._planned(record))

    def _planned(self, record: CallRecord) -> CallRecord:
        decision = record.decision
        if decision is None or not decision.key:
            return record
        key = decision.key
        made = self._decided.pop(key, None)
        if decision.cache == "l1 hit" and made is not None:
            self._hits[key] = decision
            return attrs.evolve(record, decision=made)
        if decision.cache == "l1 miss" and key in self._hits:
            return attrs.evolve(record, decision=self._hits.pop(key))
        return record

    def _billed(self, record: CallRecord) -> CallRecord:
        key = record.reply_key
        if not key or record.error_kind:
            return record
        bill = self._paid.pop(key, None)
        if record.cache == "l2 miss":
            if key not in self._moved:
                return record
            self._moved.remove(key)
            return attrs.evolve(record, cache="l2 hit", input_tokens=0, output_tokens=0, cost=0.0)
        if bill is None:
            return attrs.evolve(record, cache="l2 hit")
        self._moved.add(key)
        return attrs.evolve(record, cache="l2 miss", input_tokens=bill[0], output_tokens=bill[1], cost=bill[2])
