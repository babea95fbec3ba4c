"""All targets' signals of one host: what engines read of them, and who may be asked now.

A target that answers costs a look-up; nothing is read or written for it but a latency that left its band. The ledger is
read when a target is first asked about, then at most each second while its breaker is not closed or requests to it
fail; it is written when a state changes. A probe is claimed in the ledger first, so of all processes one sends it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock
from typing import Any

import attrs

from rtfs_framework.api.signals import Health, Latency
from rtfs_framework.api.targets import ExecTarget
from rtfs_framework.api.values import Clock
from rtfs_framework.orchestrator.config.health import BreakerSpec, HealthSpec
from rtfs_framework.orchestrator.performing.health.breaker import Breaker, Seen, Standing, Verdict
from rtfs_framework.orchestrator.performing.health.latency import Latencies
from rtfs_framework.orchestrator.performing.health.ledger import SignalRow
from rtfs_framework.orchestrator.performing.health.load import Load
from rtfs_framework.orchestrator.performing.health.repeats import Repeats
from rtfs_framework.orchestrator.performing.health.sharing import EVERY, Shared, standing_of

_NOTED_EVERY = 5.0
"""Seconds between two writes of one target's latency."""
_LEASE = 5.0
"""Seconds that a probe may take beyond its time-out before another process may send one."""


@attrs.frozen(slots=True, kw_only=True)
class Watched:
    """A target whose requests are counted: its key in the ledger, its text, and how long a request may take."""

    key: str
    text: str
    timeout: float


@attrs.frozen(slots=True)
class Turned:
    """Why a request may not be sent, and in how many seconds it might; None where nobody knows."""

    reason: str
    way_out: str
    retry_after: float | None = None


@attrs.define(slots=True, eq=False)
class Cell:
    """What is known of one target."""

    target: ExecTarget
    watched: Watched
    spec: BreakerSpec
    breaker: Breaker = attrs.field(init=False)
    repeats: Repeats = attrs.field(init=False)
    latencies: Latencies = attrs.field(factory=Latencies, init=False)
    load: Load = attrs.field(factory=Load, init=False)
    lock: Lock = attrs.field(factory=Lock, init=False)
    version: int = attrs.field(default=0, init=False)
    """Of the row that was last seen or written."""
    reason: str = attrs.field(default="", init=False)
    read_at: float = attrs.field(default=float("-inf"), init=False)
    noted_at: float = attrs.field(default=float("-inf"), init=False)
    said_health: Health = attrs.field(default=Health.CLOSED, init=False)
    said_latency: Latency | None = attrs.field(default=None, init=False)
    said_load: int | None = attrs.field(default=None, init=False)
    """None until an engine has read it: it changes with each request, and mostly nobody wants to know."""
    unwritten: bool = attrs.field(default=False, init=False)
    """Whether its latency is in another band than the ledger says."""

    def __attrs_post_init__(self) -> None:
        self.breaker = Breaker(self.spec)
        self.repeats = Repeats(self.spec.retry_budget)


Changed = Callable[[str, Health, Health, str], None]
"""Told of a target (its text) that went from one state to another, and why."""
Told = Callable[[str, ExecTarget, object], None]
"""Told of a signal that engines would read otherwise than before: its name, of whom, and its value."""


@attrs.define(slots=True, eq=False, kw_only=True)
class Board:
    """The signals of one host's targets; safe for threads."""

    spec: HealthSpec
    clock: Clock
    shared: Shared
    watched: Callable[[], Mapping[ExecTarget, Watched]]
    """The targets that are watched; asked once."""
    changed: Changed = lambda *_: None
    told: Told = lambda *_: None
    _cells: dict[ExecTarget, Cell | None] = attrs.field(factory=dict, init=False)
    _all: Mapping[ExecTarget, Watched] | None = attrs.field(default=None, init=False)
    _making: Lock = attrs.field(factory=Lock, init=False)

    @property
    def all(self) -> Mapping[ExecTarget, Watched]:
        """The targets that are watched."""
        if self._all is None:
            self._all = self.watched()
        return self._all

    def health(self, target: ExecTarget) -> Health:
        """Return the state of a target's breaker."""
        return self._health(self._of(target))

    def latency(self, target: ExecTarget) -> Latency | None:
        """Return how long a target takes, None while too little is known."""
        return self._latency(self._of(target))

    def load(self, target: ExecTarget) -> int:
        """Return about how many requests this process has under way there, at most."""
        return self._load(self._of(target))

    def bound(self, name: str, target: ExecTarget) -> Callable[[], Any]:
        """Return what reads one signal of one target without looking for the target again."""
        read = {"health": self._health, "latency": self._latency, "load": self._load}[name]
        return partial(read, self._of(target))

    def _health(self, cell: Cell | None) -> Health:
        if cell is None or (cell.breaker.standing.state is Health.CLOSED and cell.spec.state == "on"):
            return Health.CLOSED
        now = self.clock.monotonic()
        with cell.lock:
            self._look(cell, now)
            return self._tell(cell, now)

    @staticmethod
    def _latency(cell: Cell | None) -> Latency | None:
        return None if cell is None else cell.latencies.shown

    def _load(self, cell: Cell | None) -> int:
        if cell is None:
            return 0
        if cell.said_load is None:
            with cell.lock:
                cell.said_load = 0
                self._tell(cell, self.clock.monotonic())
        return cell.load.shown

    def enter(self, target: ExecTarget, *, repeated: bool = False) -> int | Turned:
        """Let a request through, or say why not. `repeated`: its call was at this target before."""
        cell = self._of(target)
        if cell is None:
            return 0
        now = self.clock.monotonic()
        with cell.lock:
            if cell.breaker.standing.state is not Health.CLOSED:
                self._look(cell, now)
                if cell.breaker.due(now) and not self._claim(cell, now):
                    self._look(cell, now, surely=True)
            permit = cell.breaker.admit(now)
            if permit is None:
                return self._turned(cell, now)
            if not repeated:
                cell.repeats.first()
            elif cell.spec.state == "on" and not cell.repeats.take():
                cell.breaker.settle(permit, Seen(Verdict.SILENT), now)
                return Turned(
                    f"{cell.watched.text} has had as many repeats as its retry budget allows",
                    "try another target, or raise [health] retry_budget",
                )
            cell.load.change(1)
            self._tell(cell, now)
        return permit

    def is_probe(self, target: ExecTarget, permit: int) -> bool:
        """Tell whether a request that was let through is to find out whether its target answers again."""
        cell = self._of(target)
        if cell is None or cell.breaker.standing.state is not Health.HALF_OPEN:
            return False
        return cell.breaker.epoch == permit

    def probed(self, target: ExecTarget, permit: int, seen: Seen, *, why: str = "") -> int | Turned:
        """Count what came of a probe in a request's place; then let the request itself through, or say why not."""
        self.settle(target, permit, seen, seconds=None, why=why)
        cell = self._of(target)
        if cell is None:
            return permit
        now = self.clock.monotonic()
        with cell.lock:
            admitted = cell.breaker.admit(now)
            if admitted is None:
                return self._turned(cell, now)
            cell.load.change(1)
            self._tell(cell, now)
        return admitted

    def settle(self, target: ExecTarget, permit: int, seen: Seen, *, seconds: float | None, why: str = "") -> None:
        """Count what came of a request that was let through; `seconds` is how long an answer took, None for no word."""
        cell = self._of(target)
        if cell is None:
            return
        now = self.clock.monotonic()
        with cell.lock:
            cell.load.change(-1)
            if seconds is not None and cell.spec.state != "disabled" and cell.latencies.add(seconds, now):
                cell.unwritten = True
            breaker = cell.breaker
            if seen.verdict is Verdict.BAD and breaker.standing.state is Health.CLOSED:
                self._look(cell, now)  # another process may have found out already
            before = breaker.standing
            may_open = seen.is_good or self._may_open(cell)
            breaker.settle(permit, seen, now, may_open=may_open)
            if breaker.standing is not before and breaker.standing != before:
                cell.reason = why
                self._publish(cell, before, now)
                self._tell(cell, now)
                return
            cell.unwritten = cell.unwritten or breaker.window.failed > 0
            failed = seen.verdict is Verdict.BAD
            few = failed and breaker.window.failed <= cell.spec.minimum_calls  # each of these may open another's
            if cell.unwritten and (few or now - cell.noted_at >= (EVERY if failed else _NOTED_EVERY)):
                self._note(cell, now)
            self._tell(cell, now)

    def close_breaker(self, target: ExecTarget) -> bool:
        """Close a target's breaker because somebody says that it is well; tell whether it was not closed."""
        cell = self._of(target)
        if cell is None:
            return False
        now = self.clock.monotonic()
        with cell.lock:
            self._look(cell, now, surely=True)
            before = cell.breaker.standing
            if before.state is Health.CLOSED:
                return False
            cell.reason = "reset"
            cell.breaker.move(Standing())
            self._publish(cell, before, now)
            self._tell(cell, now)
        return True

    def close(self) -> None:
        """Write what was measured and not written yet, and release the ledger."""
        now = self.clock.monotonic()
        for cell in filter(None, self._cells.values()):
            with cell.lock:
                if cell.unwritten:
                    self._note(cell, now)
        self.shared.close()

    def _of(self, target: ExecTarget) -> Cell | None:
        try:
            return self._cells[target]
        except KeyError:
            return self._cell(target)

    def _cell(self, target: ExecTarget) -> Cell | None:
        """Return a target's cell, made and read when it is first asked about; None when it is not watched."""
        with self._making:
            if target not in self._cells:
                watched = self.all.get(target)
                cell = None if watched is None else Cell(target, watched, self.spec.of(target))
                if cell is not None:
                    now = self.clock.monotonic()
                    self._recall(cell, self._look(cell, now, surely=True), now)
                    self._tell(cell, now)
                self._cells[target] = cell
            return self._cells[target]

    def _may_open(self, cell: Cell) -> bool:
        """Tell whether one more target may be left alone."""
        watched = self.all
        most = max(1, int(self.spec.most_ejected * len(watched)))
        if len(watched) > 1:
            most = min(most, len(watched) - 1)
        others = (each for each in tuple(self._cells.values()) if each is not None and each is not cell)
        return sum(each.breaker.standing.state is Health.OPEN for each in others) < most

    def _turned(self, cell: Cell, now: float) -> Turned:
        text, standing = cell.watched.text, cell.breaker.standing
        if cell.spec.state == "forced-open":
            return Turned(f"{text} is taken out of use", f'see state in [health.targets."{text}"]')
        way_out = f"wait, or `rtfs health reset {text}` where it answers again"
        if standing.state is Health.OPEN:
            left = max(0.0, standing.until - now)
            why = f": {cell.reason}" if cell.reason else ""
            return Turned(f"{text} is left alone for {left:.3g} s more, because it failed{why}", way_out, left)
        return Turned(f"{text} is coming back, and has {cell.breaker.under_way} requests under way", way_out)

    def _look(self, cell: Cell, now: float, *, surely: bool = False) -> SignalRow | None:
        """Take over what another process found out, if the last look is not of just now; return what it wrote."""
        if cell.spec.state != "on" or (not surely and now - cell.read_at < EVERY):
            return None
        cell.read_at = now
        row = self.shared.read(cell.watched.key)
        if row is None:
            return None
        if row.p50 is not None and row.p95 is not None and row.p50 > 0 and row.p95 > 0:
            cell.latencies.know(row.p50, row.p95)
        if row.version <= cell.version:
            return row
        cell.version, cell.reason = row.version, row.reason
        found = standing_of(row, cell.spec, now=self.clock.now(), steady=now)
        if found != cell.breaker.standing:
            self._say(cell, cell.breaker.standing, found)
            cell.breaker.move(found)
        return row

    def _recall(self, cell: Cell, row: SignalRow | None, now: float) -> None:
        """Start from the outcomes that the process before saw: one that asks once knows too little by itself."""
        if row is None or row.state != Health.CLOSED.value:
            return
        age = max(0.0, self.clock.now() - row.counted)
        if age >= cell.spec.window:
            return
        calls = min(row.calls, cell.spec.window_calls)
        for place in range(calls):
            cell.breaker.window.add(now - age, failed=place < row.failed, slow=False)

    def _claim(self, cell: Cell, now: float) -> bool:
        """Say to other processes that this one sends the probe; tell whether nobody else has said so."""
        lease = max(cell.spec.open_for, cell.watched.timeout + _LEASE)
        return self._write(cell, attrs.evolve(cell.breaker.standing, until=now + lease), now)

    def _publish(self, cell: Cell, before: Standing, now: float) -> None:
        self._say(cell, before, cell.breaker.standing)
        if cell.spec.state == "on" and not self._write(cell, cell.breaker.standing, now):
            self._look(cell, now, surely=True)  # another process was first: what it found out stands

    def _write(self, cell: Cell, standing: Standing, now: float) -> bool:
        row = self._row(cell, standing, now)
        written = self.shared.change(row)
        if written:
            cell.version, cell.read_at, cell.noted_at, cell.unwritten = row.version, now, now, False
        return written is not False

    def _row(self, cell: Cell, standing: Standing, now: float) -> SignalRow:
        """Return what this process knows as the next version of a target's row."""
        latency, window = cell.latencies.shown, cell.breaker.window
        wall = self.clock.now()
        return SignalRow(
            key=cell.watched.key,
            target=cell.watched.text,
            state=standing.state.value,
            stage=standing.stage,
            opened=standing.opened,
            until=wall + standing.until - now if standing.state is Health.OPEN else 0.0,
            changed=wall,
            reason=cell.reason,
            failed=window.failed,
            calls=len(window),
            counted=wall,
            p50=None if latency is None else latency.p50,
            p95=None if latency is None else latency.p95,
            version=cell.version + 1,
        )

    def _note(self, cell: Cell, now: float) -> None:
        cell.unwritten, cell.noted_at = False, now
        self.shared.measured(self._row(cell, cell.breaker.standing, now))

    def _tell(self, cell: Cell, now: float) -> Health:
        """Tell which signals engines would read otherwise than before; return the state as they read it."""
        health, latency, load = cell.breaker.health(now), cell.latencies.shown, cell.load.shown
        if health is not cell.said_health:
            cell.said_health = health
            self.told("health", cell.target, health)
        if latency is not cell.said_latency:
            cell.said_latency = latency
            self.told("latency", cell.target, latency)
        if cell.said_load is not None and load != cell.said_load:
            cell.said_load = load
            self.told("load", cell.target, load)
        return health

    def _say(self, cell: Cell, before: Standing, after: Standing) -> None:
        if before.state is not after.state:
            self.changed(cell.watched.text, before.state, after.state, cell.reason)
