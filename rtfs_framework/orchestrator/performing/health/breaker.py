"""One target's circuit breaker: a state machine that is told the time and does nothing by itself.

    closed ──too many failed or slow──▶ open ──its time is over──▶ half-open ──answers──▶ recovering ──answers──▶ closed
                                         ▲                            │                        │
                                         └────────────── fails ───────┴────────────────────────┘

Half-open is stage 0 of the way back and lets `probes` requests through at once; each stage after it twice as many. A
stage is passed when as many requests were answered as it lets through, and fails as soon as too many of those must have
failed. A request counts only in the state in which it was let through: what was sent to a server before it went down
says nothing of how it is now. So nobody waits for requests that hang, and late ones change nothing.

Where opening would leave nobody to ask (`may_open`), the target goes to stage 0 instead: it is asked little, not never.
"""

from __future__ import annotations

from enum import Enum

import attrs

from rtfs_framework.api.signals import Health
from rtfs_framework.orchestrator.config.health import BreakerSpec
from rtfs_framework.orchestrator.performing.health.window import Window

_MODES = {
    "disabled": Health.DISABLED,
    "metrics-only": Health.METRICS_ONLY,
    "forced-open": Health.FORCED_OPEN,
}
_STAGES = (Health.HALF_OPEN, Health.RECOVERING)


class Verdict(Enum):
    """What an outcome says of a target's health."""

    GOOD = "good"
    """It answered, whatever the answer is worth."""
    BAD = "bad"
    SILENT = "silent"
    """Nothing: it was never asked, or was given up before it could answer."""


@attrs.frozen(slots=True)
class Seen:
    """An outcome, as far as health goes."""

    verdict: Verdict
    slow: bool = False
    retry_after: float | None = None
    """For how many seconds the server wants to be left alone."""

    @property
    def is_good(self) -> bool:
        """Tell whether it surely opens nothing."""
        return self.verdict is Verdict.GOOD and not self.slow


@attrs.frozen(slots=True)
class Standing:
    """What of a breaker another process can go on from; times on the breaker's clock."""

    state: Health = Health.CLOSED
    stage: int = 0
    until: float = 0.0
    """While open: when the next probe may be sent."""
    opened: int = 0
    """How often it opened since it was last closed."""


@attrs.define(slots=True, eq=False)
class Breaker:
    """The breaker itself. Not safe for threads: who keeps it holds a lock."""

    spec: BreakerSpec
    standing: Standing = Standing()
    window: Window = attrs.field(init=False)
    epoch: int = attrs.field(default=0, init=False)
    """Which state in the row of states this is; a permit carries it."""
    under_way: int = attrs.field(default=0, init=False)
    """Requests that were let through in this state and have not ended."""
    _answered: int = attrs.field(default=0, init=False)
    _failed: int = attrs.field(default=0, init=False)
    _slow: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self.window = Window(self.spec.window, self.spec.window_calls)

    @property
    def room(self) -> int:
        """How many requests the present stage lets through at once."""
        return self.spec.probes << self.standing.stage

    def health(self, now: float) -> Health:
        """Return the state as engines read it: half-open only while a probe can be sent, open while none can."""
        fixed = _MODES.get(self.spec.state)
        if fixed is not None:
            return fixed
        state = self.standing.state
        if state is Health.OPEN and now >= self.standing.until:
            return Health.HALF_OPEN
        if state is Health.HALF_OPEN and self.under_way >= self.room:
            return Health.OPEN
        return state

    def due(self, now: float) -> bool:
        """Tell whether the next request would be the first probe."""
        return self.spec.state == "on" and self.standing.state is Health.OPEN and now >= self.standing.until

    def admit(self, now: float) -> int | None:
        """Let a request through: return its permit, None when it may not be sent."""
        if self.spec.state != "on":
            return None if self.spec.state == "forced-open" else self.epoch
        if self.due(now):
            self.move(Standing(Health.HALF_OPEN, opened=self.standing.opened))
        state = self.standing.state
        if state is Health.OPEN or (state in _STAGES and self.under_way >= self.room):
            return None
        self.under_way += 1
        return self.epoch

    def settle(self, permit: int, seen: Seen, now: float, *, may_open: bool = True) -> None:
        """Count how a request ended that was let through."""
        if self.spec.state in ("disabled", "forced-open"):
            return
        counts = permit == self.epoch
        if counts and self.under_way:
            self.under_way -= 1
        if self.spec.state == "metrics-only":
            self._note(seen, now)
        elif seen.verdict is Verdict.BAD and seen.retry_after:
            self._obey(seen.retry_after, now, failed_stage=counts and self.standing.state in _STAGES)
        elif counts and self.standing.state in _STAGES:
            self._judge_stage(seen, now, may_open=may_open)
        elif counts and self._note(seen, now):
            self._open(now, may_open=may_open)

    def move(self, standing: Standing) -> None:
        """Go to a state: of its own, or one that another process found."""
        self.standing = standing
        self.epoch += 1
        self.under_way = self._answered = self._failed = self._slow = 0
        self.window.clear()

    def _note(self, seen: Seen, now: float) -> bool:
        """Count an outcome in the window; tell whether it is a bad one too many."""
        failed = seen.verdict is Verdict.BAD
        if seen.verdict is Verdict.SILENT and not seen.slow:
            return False
        self.window.add(now, failed=failed, slow=seen.slow)
        calls = len(self.window)
        if not (failed or seen.slow) or calls < min(self.spec.minimum_calls, self.spec.window_calls):
            return False
        return self.window.failed >= self.spec.failure_rate * calls or self.window.slow >= self.spec.slow_rate * calls

    def _judge_stage(self, seen: Seen, now: float, *, may_open: bool) -> None:
        if seen.verdict is Verdict.SILENT:
            return
        wanted = self.room
        self._answered += 1
        self._failed += seen.verdict is Verdict.BAD
        self._slow += seen.slow
        if self._failed >= self.spec.failure_rate * wanted or self._slow >= self.spec.slow_rate * wanted:
            self._open(now, may_open=may_open)
        elif self._answered >= wanted:
            stage = self.standing.stage + 1
            back = Standing(Health.RECOVERING, stage, opened=self.standing.opened)
            self.move(back if stage <= self.spec.recovery_steps else Standing())

    def _open(self, now: float, *, may_open: bool) -> None:
        opened = self.standing.opened + 1
        if may_open:
            self.move(Standing(Health.OPEN, until=now + self._pause(opened), opened=opened))
        else:
            self.move(Standing(Health.HALF_OPEN, opened=self.standing.opened))

    def _pause(self, opened: int) -> float:
        """Return how long it is left alone: twice as long with each time that it did not come back."""
        doubled: float = self.spec.open_for * 2.0 ** min(opened - 1, 64)
        return min(doubled, max(self.spec.open_for, self.spec.open_for_most))

    def _obey(self, seconds: float, now: float, *, failed_stage: bool) -> None:
        """Leave a server alone that asks for it: in any state, and at least as long as it would be anyway."""
        opened = self.standing.opened
        pause = min(seconds, self.spec.retry_after_most)
        if failed_stage or opened == 0:
            opened += 1
        if failed_stage:
            pause = max(pause, self._pause(opened))
        if self.standing.state is Health.OPEN:
            if now + pause > self.standing.until:  # a late answer of those that were under way: the same opening
                self.standing = attrs.evolve(self.standing, until=now + pause)
            return
        self.move(Standing(Health.OPEN, until=now + pause, opened=opened))
