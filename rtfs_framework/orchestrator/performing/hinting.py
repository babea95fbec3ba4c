"""What execution hints do around the attempts of a call: keep its reply, fail it at once, make it wait, count it.

In: a call with hints in force. Out: `HintedCall`, which is asked before each attempt (`enter`; before the first one
about all of them together), and told how the call ended. `retry` and `fallback` decide what follows a failure
(`deciding/after.py`), `timeout` is the time of requests, `validation` is looked at where replies become values.

What is kept, counted or open is the host's, by tenant and symbol, and lasts as long as the host.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.cache import CacheInfo
from rtfs_framework.api.targets import Capability, ExecTarget, show_target
from rtfs_framework.api.values import Clock
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.orchestrator.boundary.answers import Answer, Waiting, reply
from rtfs_framework.orchestrator.boundary.failures import RefusedError, as_program_error
from rtfs_framework.orchestrator.boundary.hints import BEYOND, OPEN, PREFIX, HintError, Hints, read_hints
from rtfs_framework.orchestrator.boundary.purity import is_plain
from rtfs_framework.orchestrator.concurrency.deadlines import pause
from rtfs_framework.orchestrator.config.health import BreakerSpec
from rtfs_framework.orchestrator.config.tables.hints import HintsTable
from rtfs_framework.orchestrator.deciding.hinted import LATE, check_hints
from rtfs_framework.orchestrator.deciding.known import Undecided
from rtfs_framework.orchestrator.deciding.security import SecurityAuthorizer
from rtfs_framework.orchestrator.performing.budgets.rates import TOO_FAST, Bucket, Pair
from rtfs_framework.orchestrator.performing.capabilities import Capabilities
from rtfs_framework.orchestrator.performing.health.breaker import Breaker, Seen, Verdict
from rtfs_framework.orchestrator.performing.hint_key import hint_key
from rtfs_framework.orchestrator.performing.models import Failed
from rtfs_framework.orchestrator.performing.providers import ProviderPool
from rtfs_framework.orchestrator.performing.turns import finished
from rtfs_framework.orchestrator.recording.hinted import HINT_HIT, Hinted
from rtfs_framework.orchestrator.recording.lineage import received, reply_id, sources_of
from rtfs_framework.orchestrator.recording.run_scope import OpenCall
from rtfs_framework.orchestrator.remembering.reuse import Reuse

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.records import Decision
    from rtfs_framework.orchestrator.recording.scope_parts import Failure

_MOST_PLACES = 4096
"""Breakers, buckets and symbols with kept replies; the one that was used the longest ago goes first."""
_FOR_EVER = 1e12
_ROUNDING = 1e-3
"""Seconds by which a clock may say less than a time-out that is over."""

Place = tuple[Any, ...]
T = TypeVar("T")


class _Kept(NamedTuple):
    value: Any
    until: float
    target: str
    model: str
    info: CacheInfo


@attrs.define(slots=True, eq=False, kw_only=True)
class Hinting:
    """A host's part in execution hints."""

    policy: HintsTable
    where: str
    """The name of the policy's file."""
    capabilities: Capabilities
    pool: ProviderPool
    reuse: Reuse
    clock: Clock
    lock: Lock = attrs.field(factory=Lock, init=False)
    """Of all that follows."""
    _breakers: OrderedDict[Place, Breaker] = attrs.field(factory=OrderedDict, init=False)
    _buckets: OrderedDict[Place, Pair] = attrs.field(factory=OrderedDict, init=False)
    _kept: OrderedDict[Place, OrderedDict[str, _Kept]] = attrs.field(factory=OrderedDict, init=False)

    def open(
        self, opened: OpenCall, again: Callable[[Failure], Answer | Waiting], security: SecurityAuthorizer
    ) -> ProgramError | None:
        """Read the hints of a call; return why it is not made, None when it may be.

        `security` is the caller's own: one host serves many sets of rules.
        """
        try:
            hints = read_hints(opened.call.hints)
            check_hints(hints, self.policy, self.where)
            called = "" if opened.call.function is not None else opened.call.capability
            self.check_fallback(hints, security, called)
        except HintError as error:
            return error.thrown()
        if not hints.in_force:
            return None
        opened.hinted = HintedCall(hints, again, opened.started, host=self, security=security)
        return None

    def check_fallback(self, hints: Hints, security: SecurityAuthorizer, called: str = "") -> None:
        """Refuse a capability that could not answer after a failure; `called` is what the program calls.

        Raises:
            HintError: E0622 nobody offers it, or it is the host's own, or the call itself; E0623 it is not granted.
        """
        if hints.fallback is None:
            return
        offered = self.capabilities
        name = offered.aliases.get(hints.fallback.capability, hints.fallback.capability)
        if name not in offered.entries:
            near = did_you_mean(name, sorted(offered.entries)) or "`rtfs plugins` lists what is installed"
            raise HintError("fallback", f"no capability is called {name}", near)
        if name in offered.own or name == called:
            what = "is the host's own" if name in offered.own else "is the call itself"
            raise HintError("fallback", f"{name} {what}", "name another capability")
        refusal = security.authorize_capability(name)
        if refusal is not None:
            raise HintError("fallback", f"{name}: {refusal.reason}", refusal.way_out, BEYOND)

    def breaker(self, opened: OpenCall, hints: Hints, target: ExecTarget) -> Breaker | None:
        """Return the breaker of a call. It opens when the last `threshold` calls all failed. The lock is held."""
        said = hints.circuit_breaker
        if said is None:
            return None
        spec = BreakerSpec(
            window=_FOR_EVER,
            window_calls=said.threshold,
            minimum_calls=said.threshold,
            failure_rate=1.0,
            open_for=said.cooldown,
            open_for_most=said.cooldown,
            recovery_steps=0,
        )
        return _found(self._breakers, (*_place(opened), show_target(target), said), lambda: Breaker(spec))

    def wait(self, opened: OpenCall, hints: Hints, patience: float) -> float:
        """Take a place by the hint `rate-limit`, if that comes soon enough; return the seconds until then."""
        said, now = hints.rate_limit, self.clock.monotonic()
        if said is None:
            return 0.0

        def full() -> Pair:
            return Pair(Bucket(float(said.burst), said.pace, float(said.burst), now), None)

        with self.lock:
            return _found(self._buckets, (*_place(opened), said), full).take(1, 0, now, patience)

    def sound(self, target: ExecTarget) -> bool:
        """Tell whether a target's reply may be kept: equal calls are answered alike, or the policy says any."""
        if self.policy.cache == "any":
            return True
        if isinstance(target, Capability):
            entry = self.capabilities.entries.get(target.id)
            return entry is not None and entry.deterministic
        instance = self.pool.get(target)
        return instance is not None and instance.reusable

    def recall(self, opened: OpenCall, key: str) -> _Kept | None:
        """Return what is kept under a key."""
        with self.lock:
            table = self._kept.get(_place(opened))
            found = None if table is None else table.get(key)
            if table is None or found is None:
                return None
            if found.until <= self.clock.monotonic():
                del table[key]
                return None
            table.move_to_end(key)
            return found

    def keep(self, opened: OpenCall, key: str, kept: _Kept, most: int) -> None:
        """Keep a reply: at most so many of its symbol, those that were used last."""
        with self.lock:
            table: OrderedDict[str, _Kept] = _found(self._kept, _place(opened), OrderedDict)
            table[key] = kept
            table.move_to_end(key)
            while len(table) > most:
                table.popitem(last=False)


def _place(opened: OpenCall) -> Place:
    return opened.scope.tenant, opened.record.symbol


def _found(table: OrderedDict[Place, T], place: Place, make: Callable[[], T]) -> T:
    found = table.get(place)
    if found is None:
        found = table[place] = make()
        if len(table) > _MOST_PLACES:
            table.popitem(last=False)
    table.move_to_end(place)
    return found


def at_work(opened: OpenCall) -> HintedCall | None:
    """Return the hints of a call at work, None where none are in force."""
    found = opened.hinted
    return found if isinstance(found, HintedCall) else None


@attrs.define(slots=True, eq=False)
class HintedCall(Hinted):
    """The hints of one call at work."""

    host: Hinting = attrs.field(kw_only=True)
    security: SecurityAuthorizer = attrs.field(kw_only=True)
    """The rules of whoever asks."""
    target: ExecTarget | None = attrs.field(default=None, init=False)
    """What is asked now."""
    entered: bool = attrs.field(default=False, init=False)
    key: str = attrs.field(default="", init=False)
    begun: int = attrs.field(default=0, init=False)
    """Attempts, fallbacks aside."""
    fallbacks: int = attrs.field(default=0, init=False)
    _breaker: Breaker | None = attrs.field(default=None, init=False)
    _permit: int | None = attrs.field(default=None, init=False)
    _did: dict[str, str] = attrs.field(factory=dict, init=False)

    def enter(self, opened: OpenCall, target: ExecTarget, act: Callable[[], Answer | Waiting]) -> Answer | Waiting:
        """Carry an attempt out; the first one only after what the hints around all attempts let pass."""
        self.target = target
        if self.entered:
            self.begin()
            return act()
        self.entered = True
        if isinstance(target, Capability) and self.security.authorize_capability(target.id) is not None:
            return act()  # it ends in the error that names the rule: nothing is recalled, and no place is taken
        kept = self._recalled(opened, target)
        if kept is not None:
            return kept
        turned = self._turned_away(opened, target) or self._placed(opened)
        if isinstance(turned, Failed):
            return self.again(turned)
        if turned:
            wait = turned
            return Waiting(lambda: self._later(opened, wait, act))
        self.begin()
        return act()

    def begin(self) -> None:
        """Begin an attempt; a fallback is a part of the one before."""
        if self.aside:
            self.fallbacks += 1
            return
        self.begun += 1
        self.since = self.host.clock.monotonic()

    async def _later(self, opened: OpenCall, wait: float, act: Callable[[], Answer | Waiting]) -> Answer:
        await pause(wait)
        opened.since = self.host.clock.monotonic()
        self.begin()
        return await finished(act())

    def choose(self, opened: OpenCall) -> None:
        """Note what is asked next, and what it may be told: a fallback perhaps nothing of the arguments."""
        said, decision = self.hints.fallback, opened.record.decision
        self.aside = decision is not None and decision.aside
        if self.aside and said is not None and not said.pass_args:
            opened.redacted = attrs.evolve(opened.call, args=())

    def judged(self, opened: OpenCall, failed: Failure, now: float) -> Failure:
        """Return a failure as one of its time, where that was over."""
        each = None if self.hints.timeout is None else self.hints.timeout.each
        final = failed.kind in (FailureKind.FINAL, FailureKind.REFUSED)
        if each is None or final or not self.begun or now - self.began(opened) < each - _ROUNDING:
            return failed
        return Failed(failed.error, failed.kind, failed.reason, LATE, failed.retry_after, elsewhere=failed.elsewhere)

    def followed(self, opened: OpenCall, found: Decision | Undecided) -> Decision | Undecided:
        """Return what follows a failure: a capability is told no more than the target for which it answers.

        What the host chooses by itself has that in its plan already.
        """
        before = opened.record.decision
        if before is None or isinstance(found, Undecided) or not before.plan.transform:
            return found
        if not isinstance(found.plan.target, Capability):
            return found
        rules = dict.fromkeys((*before.plan.transform, *found.plan.transform))
        return attrs.evolve(found, plan=attrs.evolve(found.plan, transform=tuple(rules)))

    def _recalled(self, opened: OpenCall, target: ExecTarget) -> Answer | None:
        said, host = self.hints.cache, self.host
        if said is None:
            return None
        self.key = hint_key(opened, target, host.pool, host.reuse)
        found = host.recall(opened, self.key) if self.key else None
        if found is None:
            return None
        record, self.key = opened.record, ""
        record.cache, record.target, record.model = HINT_HIT, found.target, found.model
        self._did["cache"] = f"kept: answered by {found.target}"
        received(opened, found.info)
        opened.close(host.clock.monotonic(), found.value, answered=True)
        return reply(found.value)

    def _turned_away(self, opened: OpenCall, target: ExecTarget) -> Failed | None:
        host, now = self.host, self.host.clock.monotonic()
        with host.lock:
            breaker = host.breaker(opened, self.hints, target)
            if breaker is None:
                return None
            permit = breaker.admit(now)
            left = max(0.0, breaker.standing.until - now)
            self._did["circuit-breaker"] = breaker.health(now).value
        if permit is not None:
            self._breaker, self._permit = breaker, permit
            return None
        return _refused("circuit-breaker", f"it is open for {left:.3g} s more", "NetworkError", OPEN, left)

    def _placed(self, opened: OpenCall) -> Failed | float:
        """Return how long the call must wait for its place, or that this is too long."""
        if self.hints.rate_limit is None:
            return 0.0
        patience, timeout = float(self.host.policy.max_wait), self.hints.timeout
        if timeout is not None and timeout.absolute is not None:
            patience = min(patience, timeout.absolute - (self.host.clock.monotonic() - opened.started))
        wait = self.host.wait(opened, self.hints, patience)
        if wait > patience:
            self._did["rate-limit"] = "too early"
            return _refused("rate-limit", f"its place comes in {wait:.3g} s", "BudgetExhausted", TOO_FAST, wait)
        self._did["rate-limit"] = f"waited {wait:.3g} s" if wait else "at once"
        return wait

    def ended(self, opened: OpenCall, now: float, value: Any, *, answered: bool) -> None:
        """Count how the call ended, keep its reply where that is sound, and write down what the hints did."""
        if opened.leg_of is not None:
            return
        record = opened.record
        if self._breaker is not None and self._permit is not None:
            failed = record.attempts and record.error_kind != "Cancelled"
            verdict = Verdict.GOOD if answered else Verdict.BAD if failed else Verdict.SILENT
            with self.host.lock:
                self._breaker.settle(self._permit, Seen(verdict), now)
            self._permit = None
        if self.key:
            self._keep(opened, now, value, answered=answered)
        record.hints = tuple((name, self._told(name, opened, answered=answered)) for name in self.hints.in_force)

    def _keep(self, opened: OpenCall, now: float, value: Any, *, answered: bool) -> None:
        said, record = self.hints.cache, opened.record
        if said is None or not answered:
            self._did["cache"] = "nothing to keep"
            return
        hedged = record.decision is not None and record.decision.plan.hedge is not None
        elsewhere = record.remote is not None or record.told  # whose marks nobody can know from a target alone
        if self.target is None or elsewhere or (hedged and self.host.policy.cache != "any") or not is_plain(value):
            self._did["cache"] = "not kept"
        elif not self.host.sound(self.target):
            self._did["cache"] = f"not kept: {record.target} may answer otherwise"
        else:
            info = CacheInfo(reply=reply_id(opened), sources=sources_of(opened))
            kept = _Kept(value, now + said.ttl, record.target, record.model, info)
            self.host.keep(opened, self.key, kept, said.entries)
            self._did["cache"] = f"kept for {said.ttl:g} s"

    def _told(self, name: str, opened: OpenCall, *, answered: bool) -> str:
        """Return what a hint did, in words: nothing that the program computed, where its marks are to be kept."""
        match name:
            case "metrics":
                named = self.hints.metrics.name if self.hints.metrics is not None else ""
                open_ = opened.record.labelled is None or opened.record.labelled.kept
                return (named if open_ else "") or opened.record.symbol
            case "retry":
                return f"repeated {max(0, self.begun - 1)} of {self.hints.retry.most if self.hints.retry else 0} times"
            case "timeout":
                late = any(each.guard == LATE for each in opened.attempts)
                return "an attempt took too long" if late else "in time"
            case "fallback":
                by_it = answered and self.aside
                return "answered" if by_it else "failed" if self.fallbacks else "not asked"
            case "validation":
                return "a reply did not fit" if self.misfits else "nothing to refuse"
            case _:
                return self._did.get(name, "not asked")


def _refused(name: str, why: str, kind: str, code: str, wait: float) -> Failed:
    """Return the failure of a call that a hint around all attempts does not let pass: nothing was asked."""
    refusal = RefusedError(name, f"the hint {PREFIX}{name}: {why}", "call later", kind=kind, code=code)
    thrown = as_program_error(refusal, name)
    return Failed(thrown, FailureKind.FINAL, why, name, wait)
