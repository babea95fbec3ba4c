"""Where a call of a delegatable function runs: deny > hint > static route > L1 plan > engine > default.

In: a `HostCall`. Out: a `Decision` (a plan and every step that led to it), or `Undecided` when the engine wants to
hear a model first. Invariants: a hint and a static route never consult an engine or a cache; security only narrows;
the L1 key holds the symbol, the function's digest and the policy hash (and the arguments, unless the engine's
entry says `PlanScope.SYMBOL`), so a plan of another policy or symbol is never served. What an engine cannot decide
runs as the function's own body, never elsewhere, whatever the default target is; the record and a warning say so.

Everything that does not depend on the arguments is settled once per function; a decision is then two look-ups.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from rtfs_framework.api.cache import CacheKey
from rtfs_framework.api.engine import PlanScope
from rtfs_framework.api.plans import CallContext, Consult, DelegationPlan, PlanSource
from rtfs_framework.api.targets import show_target
from rtfs_framework.api.values import Clock
from rtfs_framework.kernel.outcome import FunctionSignature, HintKind, HostCall
from rtfs_framework.lang.digest import digest
from rtfs_framework.orchestrator.boundary.purity import is_plain
from rtfs_framework.orchestrator.deciding.engines import Engine, flaw_of
from rtfs_framework.orchestrator.deciding.precedence import Precedence
from rtfs_framework.orchestrator.recording.records import Decision, Steps
from rtfs_framework.orchestrator.remembering.cache_stack import SafeLayer
from rtfs_framework.orchestrator.remembering.keys import key_of
from rtfs_framework.registry.faults import Part, PluginFault

MOST_CONSULTATIONS = 2
"""Per call; an engine that wants more is broken."""

_MOST_FUNCTIONS = 512
"""Functions remembered by identity; programs that make more (anonymous ones, in loops) start over."""

Report = Callable[[Part, "BaseException | str", str, str], None]
"""Told when a plugin broke: who, what was wrong, in which piece of its code, and what happened instead."""

_OWN_BODY = "the function's own body ran instead"


@attrs.frozen(slots=True)
class Undecided:
    """The engine asks to consult a model; `Delegator.conclude` takes the answer."""

    context: CallContext
    consult: Consult
    key: CacheKey | None
    steps: Steps
    heard: int = 0
    """Consultations of this call that are over."""


@attrs.define(slots=True)
class _Known:
    """What is settled of one function."""

    function: FunctionSignature
    fixed: Decision | None = None
    before: Steps = ()
    key: CacheKey | None = None
    hit: tuple[DelegationPlan, Decision] | None = None
    """The latest plan that was found in the L1 layer, and the decision that was made from it."""


@attrs.define(slots=True, kw_only=True)
class Delegator:
    """Decides, for one policy."""

    precedence: Precedence
    engine: Engine | None
    l1: SafeLayer | None
    policy_hash: str
    clock: Clock
    report: Report
    ttl: float | None = None
    _by_identity: dict[int, _Known] = attrs.field(factory=dict, init=False)

    def claims(self, function: FunctionSignature) -> bool:
        """Tell whether a call of a function may ever need a decision; asked once, at link time.

        A function that its author keeps `:local` never does, unless a rule denies it.
        """
        if function.hint is None:
            return self.may_claim(function.name)
        local = function.hint.kind is HintKind.LOCAL
        return not local or self.precedence.security.function(function.name) is not None

    def may_claim(self, name: str) -> bool:
        """Tell whether a rule, a route, the default target or the engine speaks of a function without a hint.

        Raises:
            PluginFault: The engine could not be asked.
        """
        if self.precedence.touches(name):
            return True
        return self.engine is not None and self.engine.claims().match(name) is not None

    def decide(self, call: HostCall) -> Decision | Undecided:
        """Return the decision for a call."""
        function = call.function
        known = self._by_identity.get(id(function))
        if known is None or known.function is not function:
            known = self._learn(call)
        if known.fixed is not None:
            return known.fixed
        key = known.key if known.key is not None else self._key(known.function, call)
        record = None if self.l1 is None or key is None else self.l1.get(key)
        if record is not None and key is not None:
            hit = known.hit
            if hit is not None and record.value is hit[0]:
                return hit[1]
            wrong = flaw_of(record.value)
            if wrong is None and isinstance(record.value, DelegationPlan):
                return self._remember_hit(known, record.value, key)
            if self.l1 is not None:
                self.l1.blame("`get`", f"returned {wrong or 'no plan'}")
        return self._ask(call, known, key)

    def preview(self, call: HostCall, *, quiet: bool = False) -> Decision | Undecided:
        """Return what `decide` would, without looking into L1 or writing to it: for explanations.

        `quiet` reports no fault of the engine: it is asked with arguments that no program gave it.
        """
        report = _tell_nobody if quiet else self.report
        return attrs.evolve(self, l1=None, report=report).decide(call)

    def depends_on_arguments(self, function: FunctionSignature) -> bool:
        """Tell whether calls of a function may go to different places, as the engine sees their arguments."""
        if self.engine is None or self.engine.plan_scope is PlanScope.SYMBOL:
            return False
        fixed, _ = self.precedence.settle(function)
        return fixed is None

    def conclude(self, asked: Undecided, answer: str) -> Decision | Undecided:
        """Return the decision after a consultation, or the engine's wish for another one."""
        if self.engine is None:
            return self.precedence.default(asked.steps)
        try:
            said = self.engine.conclude(asked.context, asked.consult, answer)
        except PluginFault as fault:
            return self._engine_failed(self.engine, asked.steps, fault)
        if isinstance(said, DelegationPlan):
            return self._decided(said, asked.key, asked.steps)
        if asked.heard + 1 < MOST_CONSULTATIONS:
            return attrs.evolve(asked, consult=said, heard=asked.heard + 1)
        wrong = f"asks for more than {MOST_CONSULTATIONS} consultations of one call"
        return self._engine_failed(self.engine, asked.steps, PluginFault(self.engine.part, "`conclude`", wrong))

    @property
    def engine_name(self) -> str:
        """The engine's name in the configuration, "" without one."""
        return "" if self.engine is None else self.engine.name

    def forget(self) -> None:
        """Drop what is known of functions."""
        self._by_identity.clear()

    def _learn(self, call: HostCall) -> _Known:
        function = call.function or FunctionSignature(call.capability)
        fixed, steps = self.precedence.settle(function)
        known = _Known(function, fixed, steps)
        if fixed is None and self.engine is None:
            known.fixed = self.precedence.default((*steps, ("engine", "none installed")))
        elif fixed is None and self.engine is not None and self.engine.plan_scope is PlanScope.SYMBOL:
            known.key = self._key(function, None)
        if call.function is not None:
            if len(self._by_identity) >= _MOST_FUNCTIONS:
                self._by_identity.clear()
            self._by_identity[id(function)] = known
        return known

    def _key(self, function: FunctionSignature, call: HostCall | None) -> CacheKey | None:
        """Return the key of a plan; None when the arguments are no plain data: digests do not tell those apart."""
        if call is not None and not (is_plain(call.args) and (not call.hints or is_plain(call.hints))):
            return None
        parts = [("symbol", function.name), ("function", function.body_digest), ("policy", self.policy_hash)]
        if call is not None:
            parts.append(("arguments", digest(*call.args)))
            if call.hints:
                parts.append(("hints", digest(call.hints)))
        return CacheKey("plan", key_of(*(text for part in parts for text in part)), tuple(parts))

    def _remember_hit(self, known: _Known, stored: DelegationPlan, key: CacheKey) -> Decision:
        reviewed, note = self.precedence.review(stored)
        plan = attrs.evolve(reviewed, source=PlanSource.L1)
        steps = (*known.before, ("l1", f"hit: {show_target(plan.target)}, decided by engine '{plan.engine}'"))
        decision = Decision(plan, steps if note is None else (*steps, ("security", note)), "l1 hit", key.digest)
        if known.key is not None:
            known.hit = stored, decision
        return decision

    def _ask(self, call: HostCall, known: _Known, key: CacheKey | None) -> Decision | Undecided:
        if self.engine is None:  # settled in _learn
            return self.precedence.default(known.before)
        off = self.l1 is None or self.l1.broken
        verdict = "off" if off else "miss" if key is not None else "not asked: an argument or a hint is no plain data"
        steps = (*known.before, ("l1", verdict))
        if self.engine.plan_scope is PlanScope.SYMBOL:  # it promised not to look at more, so it sees no more
            call = HostCall(call.kind, call.capability, (), call.function)
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
        except PluginFault as fault:
            return self._engine_failed(self.engine, steps, fault)
        if isinstance(answer, Consult):
            return Undecided(context, answer, key, steps)
        return self._decided(answer, key, steps)

    def _decided(self, answer: DelegationPlan, key: CacheKey | None, steps: Steps) -> Decision:
        reviewed, note = self.precedence.review(answer)
        engine = answer.engine or self.engine_name
        plan = attrs.evolve(reviewed, source=PlanSource.ENGINE, engine=engine, created_at=self.clock.now())
        steps = (*steps, ("engine", f"{engine}: {show_target(answer.target)}"))
        if note is not None:
            steps = (*steps, ("security", note))
        if self.engine is not None and not self.precedence.targets.configured(answer.target):
            wrong = f"returned a plan for {show_target(answer.target)}, which is not configured"
            self.report(self.engine.part, wrong, "`decide`", _OWN_BODY)
        if self.l1 is None or key is None or self.l1.broken:
            return Decision(plan, steps)
        self.l1.put(key, plan, self.ttl)
        return Decision(plan, steps, "l1 miss", key.digest)

    def _engine_failed(self, engine: Engine, steps: Steps, fault: PluginFault) -> Decision:
        self.report(engine.part, fault, "", _OWN_BODY)
        return self.precedence.closed(engine.name, fault.words, steps)


def _tell_nobody(*_: object) -> None:
    """Report nothing."""
