"""Where a call of a delegatable function runs: deny > hint > static route > L1 plan > engine > default.

In: a `HostCall`. Out: a `Decision` (a plan and every step that led to it), or `Undecided` when the engine wants to
hear a model first. Invariants: a hint and a static route never consult an engine or a cache; security only narrows;
the L1 key holds the symbol, the function's digest and the policy hash (and the arguments, unless the engine's
entry says `PlanScope.SYMBOL`), so a plan of another policy or symbol is never served.

Everything that does not depend on the arguments is settled once per function; a decision is then two look-ups.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from rtfs_framework.api.cache import CacheKey, CacheLayer
from rtfs_framework.api.engine import DelegationEngine, PlanScope
from rtfs_framework.api.plans import CallContext, Consult, DelegationPlan, PlanSource
from rtfs_framework.api.targets import show_target
from rtfs_framework.api.values import Clock, digest
from rtfs_framework.kernel.outcome import FunctionSignature, HintKind, HostCall
from rtfs_framework.orchestrator.globs import Patterns
from rtfs_framework.orchestrator.keys import key_of
from rtfs_framework.orchestrator.precedence import Precedence
from rtfs_framework.orchestrator.purity import is_plain
from rtfs_framework.orchestrator.records import Decision, Steps

_MOST_FUNCTIONS = 4096
"""Functions remembered by identity; programs that make more (anonymous ones, in loops) start over."""

Report = Callable[[str, Exception], None]
"""Told when a plugin broke: what it is, and the exception."""


@attrs.frozen(slots=True)
class Undecided:
    """The engine asks to consult a model; `Delegator.conclude` takes the answer."""

    context: CallContext
    consult: Consult
    key: CacheKey | None
    steps: Steps


@attrs.define(slots=True)
class _Known:
    """What is settled of one function."""

    function: FunctionSignature
    fixed: Decision | None = None
    before: Steps = ()
    key: CacheKey | None = None
    plan: DelegationPlan | None = None
    """The stored plan that `hit` was made from."""
    hit: Decision | None = None


@attrs.define(slots=True)
class Delegator:
    """Decides, for one policy."""

    precedence: Precedence
    engine: DelegationEngine | None
    engine_name: str
    l1: CacheLayer | None
    policy_hash: str
    clock: Clock
    report: Report
    ttl: float | None = None
    plan_scope: PlanScope = PlanScope.ARGUMENTS
    _by_identity: dict[int, _Known] = attrs.field(factory=dict, init=False)
    _claimed: Patterns | None = attrs.field(default=None, init=False)

    def claims(self, function: FunctionSignature) -> bool:
        """Tell whether a call of a function may ever need a decision; asked once, at link time.

        A function that its author keeps `:local` never does, unless a rule denies it.
        """
        if function.hint is None:
            return self.may_claim(function.name)
        local = function.hint.kind is HintKind.LOCAL
        return not local or self.precedence.security.function(function.name) is not None

    def may_claim(self, name: str) -> bool:
        """Tell whether a rule, a route, the default target or the engine speaks of a function without a hint."""
        return self.precedence.touches(name) or self._engine_claims().match(name) is not None

    def decide(self, call: HostCall) -> Decision | Undecided:
        """Return the decision for a call."""
        function = call.function
        known = self._by_identity.get(id(function))
        if known is None or known.function is not function:
            known = self._learn(call)
        if known.fixed is not None:
            return known.fixed
        key = known.key if known.key is not None else self._key(known.function, call)
        if self.l1 is not None and key is not None:
            try:
                record = self.l1.get(key)
            except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
                self._drop_l1(error)
                record = None
            if record is not None:
                if record.value is known.plan and known.hit is not None:
                    return known.hit
                if isinstance(record.value, DelegationPlan):
                    return self._remember_hit(known, record.value, key)
        return self._ask(call, known, key)

    def preview(self, call: HostCall) -> Decision | Undecided:
        """Return what `decide` would, without looking into L1 or writing to it: for explanations."""
        l1, self.l1 = self.l1, None
        try:
            return self.decide(call)
        finally:
            self.l1 = l1

    def conclude(self, asked: Undecided, answer: str) -> Decision:
        """Return the decision after a consultation."""
        if self.engine is None:
            return self.precedence.default(asked.steps)
        try:
            plan = self.engine.conclude(asked.context, asked.consult, answer)
        except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
            return self._engine_failed(asked.steps, error)
        return self._decided(plan, asked.key, asked.steps)

    def forget(self) -> None:
        """Drop what is known of functions."""
        self._by_identity.clear()

    def _learn(self, call: HostCall) -> _Known:
        function = call.function or FunctionSignature(call.capability)
        fixed, steps = self.precedence.settle(function)
        known = _Known(function, fixed, steps)
        if fixed is None and self.engine is None:
            known.fixed = self.precedence.default((*steps, ("engine", "none installed")))
        elif fixed is None and self.plan_scope is PlanScope.SYMBOL:
            known.key = self._key(function, None)
        if call.function is not None:
            if len(self._by_identity) >= _MOST_FUNCTIONS:
                self._by_identity.clear()
            self._by_identity[id(function)] = known
        return known

    def _key(self, function: FunctionSignature, call: HostCall | None) -> CacheKey | None:
        """Return the key of a plan; None when the arguments are no plain data: digests do not tell those apart."""
        if call is not None and not is_plain(call.args):
            return None
        parts = [("symbol", function.name), ("function", function.body_digest), ("policy", self.policy_hash)]
        if call is not None:
            parts.append(("arguments", digest(*call.args)))
        return CacheKey("plan", key_of(*(text for part in parts for text in part)), tuple(parts))

    def _remember_hit(self, known: _Known, stored: DelegationPlan, key: CacheKey) -> Decision:
        plan = attrs.evolve(stored, source=PlanSource.L1)
        verdict = f"hit: {show_target(plan.target)}, decided by engine '{plan.engine}'"
        decision = Decision(plan, (*known.before, ("l1", verdict)), "l1 hit", key.digest)
        if known.key is not None:
            known.plan, known.hit = stored, decision
        return decision

    def _ask(self, call: HostCall, known: _Known, key: CacheKey | None) -> Decision | Undecided:
        if self.engine is None:  # settled in _learn
            return self.precedence.default(known.before)
        verdict = "off" if self.l1 is None else "miss" if key is not None else "not asked: an argument is no plain data"
        steps = (*known.before, ("l1", verdict))
        context = CallContext(
            symbol=known.function.name,
            call=call,
            function=call.function,
            args_digest=digest(*call.args),
            candidates=self.precedence.targets.candidates,
            default=self.precedence.default_target,
            policy_hash=self.policy_hash,
        )
        try:
            answer = self.engine.decide(context)
        except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
            return self._engine_failed(steps, error)
        if isinstance(answer, Consult):
            return Undecided(context, answer, key, steps)
        return self._decided(answer, key, steps)

    def _decided(self, answer: DelegationPlan, key: CacheKey | None, steps: Steps) -> Decision:
        reviewed, note = self.precedence.review(answer)
        now = self.clock.now()
        plan = attrs.evolve(
            reviewed, source=PlanSource.ENGINE, engine=answer.engine or self.engine_name, created_at=now
        )
        steps = (*steps, ("engine", f"{plan.engine}: {show_target(answer.target)}"))
        if note is not None:
            steps = (*steps, ("security", note))
        if self.l1 is not None and key is not None:
            try:
                self.l1.put(key, plan, self.ttl)
            except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
                self._drop_l1(error)
        if self.l1 is None or key is None:
            return Decision(plan, steps)
        return Decision(plan, steps, "l1 miss", key.digest)

    def _engine_failed(self, steps: Steps, error: Exception) -> Decision:
        self.report(f"engine '{self.engine_name}'", error)
        return self.precedence.default((*steps, ("engine", f"{self.engine_name} failed: {error}")))

    def _drop_l1(self, error: Exception) -> None:
        self.report("cache 'l1'", error)
        self.l1 = None

    def _engine_claims(self) -> Patterns:
        if self._claimed is None:
            try:
                self._claimed = Patterns(() if self.engine is None else self.engine.claims())
            except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
                self.report(f"engine '{self.engine_name}'", error)
                self._claimed = Patterns(())
        return self._claimed
