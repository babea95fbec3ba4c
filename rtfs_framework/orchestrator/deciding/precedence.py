"""The steps of a decision that rest on the function alone: deny rules, the author's hint, static routes; and the end.

Each step says what it found, also when it found nothing, so that an explanation shows the whole way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import attrs

from rtfs_framework.api.plans import Candidate, DelegationPlan, PlanSource
from rtfs_framework.api.targets import Deny, ExecTarget, LocalPure, show_target
from rtfs_framework.api.values import Clock
from rtfs_framework.lang.signature import DelegationHint, FunctionSignature
from rtfs_framework.orchestrator.config.globs import Patterns
from rtfs_framework.orchestrator.deciding.security import SecurityAuthorizer
from rtfs_framework.orchestrator.recording.records import Decision, Steps


class Targets(Protocol):
    """The targets of a host."""

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The targets that can be used now."""
        ...

    @property
    def all(self) -> tuple[ExecTarget, ...]:
        """The targets that are configured, usable or not."""
        ...

    def of_hint(self, hint: DelegationHint) -> ExecTarget | None:
        """Return the target that a hint names, None when there is none."""
        ...

    def configured(self, target: ExecTarget) -> bool:
        """Tell whether a target exists here, usable or not."""
        ...

    def unusable(self, target: ExecTarget) -> str | None:
        """Return why a target cannot be used (no such id, no key), None when it can."""
        ...


@attrs.frozen(slots=True)
class Precedence:
    """The settled part of the precedence, for one configuration."""

    security: SecurityAuthorizer
    targets: Targets
    routes: Mapping[str, tuple[ExecTarget, ...]]
    default_target: ExecTarget
    clock: Clock
    routes_first: bool = True
    """Whether routes decide before any engine: not where the configuration names one, for then that one reads them."""
    routed: Patterns = attrs.field(init=False, repr=False, eq=False)

    @routed.default
    def _compile_routes(self) -> Patterns:
        return Patterns(self.routes if self.routes_first else ())

    def touches(self, symbol: str) -> bool:
        """Tell whether a deny rule or a route speaks of a symbol, or the default sends every function elsewhere."""
        if not isinstance(self.default_target, LocalPure):
            return True
        return self.security.function(symbol) is not None or self.routed.match(symbol) is not None

    def weighed(self) -> tuple[tuple[Candidate, ...], Steps]:
        """Return the targets that an engine may choose, and the others with what excludes each."""
        reach = self.security.beyond_reach
        found = tuple(each for each in self.targets.candidates if reach(each.target) is None)
        excluded = ((each, reach(each) or self.targets.unusable(each)) for each in self.targets.all)
        return found, tuple((show_target(each), why) for each, why in excluded if why is not None)

    def settle(self, function: FunctionSignature) -> tuple[Decision | None, Steps]:
        """Return the decision that needs no engine, or None with the steps taken so far."""
        refusal = self.security.function(function.name)
        if refusal is not None:
            reason = f"{refusal.reason}; {refusal.way_out}"
            return self._made(Deny(reason), PlanSource.POLICY, reason, (("deny", refusal.reason),)), ()
        steps: Steps = (("deny", "no rule"),)
        if function.hint is not None:
            return self._hinted(function.hint, steps), ()
        steps = (*steps, ("hint", "none"))
        pattern = self.routed.match(function.name)
        if pattern is None:
            return None, (*steps, ("static route", "none fits" if self.routes_first else "left to the engine"))
        return self._routed(pattern, self.routes[pattern], steps), ()

    def default(self, steps: Steps) -> Decision:
        """Return the last resort: the configured default, else the function's own body."""
        target, note = self.security.narrow(self.default_target)
        why = self.targets.unusable(target)
        if why is not None:
            target, note = LocalPure(), f"{show_target(target)} cannot be used: {why}"
        reasoning = "nothing else decided: " + ("own body" if isinstance(target, LocalPure) else "default target")
        return self._made(target, PlanSource.DEFAULT, reasoning, (*steps, ("default", show_target(target))), note)

    def closed(self, engine: str, why: str, steps: Steps) -> Decision:
        """Return what becomes of a call that a broken engine should have decided: the function's own body."""
        reasoning = f"the engine '{engine}' failed: own body"
        steps = (*steps, ("engine", why))
        made = self._made(LocalPure(), PlanSource.ENGINE, reasoning, steps, None, (("failed", why),), engine)
        return attrs.evolve(made, fault=why)

    def review(self, plan: DelegationPlan) -> tuple[DelegationPlan, str | None]:
        """Return an engine's plan, narrowed to what is allowed and can be used, and the note when it was."""
        target, why = self.security.narrow(plan.target)
        if why is None:
            why = self.targets.unusable(target)
            target = target if why is None else LocalPure()
        if why is None:
            return plan, None
        note = f"{show_target(plan.target)} narrowed to {show_target(target)}: {why}"
        return attrs.evolve(plan, target=target, context=(*plan.context, ("narrowed", note))), note

    def _hinted(self, hint: DelegationHint, steps: Steps) -> Decision:
        wanted = self.targets.of_hint(hint)
        text = f":{hint.kind.value}" + (f' "{hint.id}"' if hint.id else "")
        if wanted is None:
            reason = f"the hint {text} names no configured target"
            return self._made(Deny(reason), PlanSource.HINT, reason, (*steps, ("hint", reason)))
        target, why = self.security.narrow(wanted)
        note = None if why is None else f"{show_target(wanted)} narrowed to {show_target(target)}: {why}"
        steps = (*steps, ("hint", f"{text} -> {show_target(wanted)}"))
        return self._made(target, PlanSource.HINT, f"the author's hint {text}", steps, note)

    def _routed(self, pattern: str, targets: tuple[ExecTarget, ...], steps: Steps) -> Decision:
        excluded: list[tuple[str, str]] = []
        for place, wanted in enumerate(targets):
            why = self.security.beyond_reach(wanted) or self.targets.unusable(wanted)
            last = place == len(targets) - 1
            if why is not None and not last:
                excluded.append(("excluded", f"{show_target(wanted)}: {why}"))
                continue
            target, note = self.security.narrow(wanted)
            if note is not None:
                note = f"{show_target(wanted)} narrowed to {show_target(target)}: {note}"
            skipped = f", after {len(excluded)} that cannot be used" if excluded else ""
            reasoning = f"route '{pattern}' -> {show_target(wanted)}{skipped}"
            steps = (*steps, ("static route", reasoning))
            return self._made(target, PlanSource.STATIC_ROUTE, reasoning, steps, note, tuple(excluded))
        return self.default((*steps, ("static route", f"'{pattern}' lists no target")))

    def _made(
        self,
        target: ExecTarget,
        source: PlanSource,
        reasoning: str,
        steps: Steps,
        note: str | None = None,
        context: tuple[tuple[str, str], ...] = (),
        engine: str = "",
    ) -> Decision:
        if note is not None:
            context = (*context, ("narrowed", note))
            steps = (*steps, ("security", note))
        plan = DelegationPlan(
            target=target,
            reasoning=reasoning,
            source=source,
            engine=engine,
            context=context,
            created_at=self.clock.now(),
        )
        return Decision(plan, steps)
