"""The steps of a decision that rest on the function alone: deny rules, the author's hint, static routes; and the end.

Each step says what it found, also when it found nothing, so that an explanation shows the whole way.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from rtfs_framework.api.plans import Candidate, DelegationPlan, Hedge, PlanSource
from rtfs_framework.api.targets import Ask, Capability, Deny, ExecTarget, LocalPure, show_target
from rtfs_framework.api.values import Clock
from rtfs_framework.lang.signature import DelegationHint, FunctionSignature, described
from rtfs_framework.lang.types.names import Lookup, no_names
from rtfs_framework.orchestrator.boundary.conversing import converses
from rtfs_framework.orchestrator.boundary.hints import NO_HINTS, Hints
from rtfs_framework.orchestrator.config.globs import Patterns
from rtfs_framework.orchestrator.deciding.security import SecurityAuthorizer
from rtfs_framework.orchestrator.deciding.sequel import Sequel, taken_out
from rtfs_framework.orchestrator.recording.records import Decision, Steps

if TYPE_CHECKING:
    from rtfs_framework.api.attempts import Attempt
    from rtfs_framework.orchestrator.config.model import Found
    from rtfs_framework.orchestrator.deciding.facts import Asker, Read
    from rtfs_framework.orchestrator.recording.records import Noted

_ENDS = {"body": "the own body runs instead", "error": "the error", "ask": "a person is asked"}


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


@attrs.frozen(slots=True, kw_only=True)
class Precedence:
    """The settled part of the precedence, for one configuration."""

    security: SecurityAuthorizer
    targets: Targets
    routes: Mapping[str, tuple[ExecTarget, ...]]
    default_target: ExecTarget
    clock: Clock
    sequel: Sequel
    routes_first: bool = True
    """Whether routes decide before any engine: not where the configuration names one, for then that one reads them."""
    found: Found | None = None
    """Where described functions go of which nobody has said anything else."""
    published: Callable[[FunctionSignature, Lookup], tuple[Candidate, ...]] | None = None
    """Says which published programs have a function's interface and are trusted."""
    routed: Patterns = attrs.field(init=False, repr=False, eq=False)

    @routed.default
    def _compile_routes(self) -> Patterns:
        return Patterns(self.routes if self.routes_first else ())

    def touches(self, symbol: str) -> bool:
        """Tell whether a deny rule or a route speaks of a symbol, or the default sends every function elsewhere."""
        if not isinstance(self.default_target, LocalPure):
            return True
        return self.security.authorize_function(symbol) is not None or self.routed.match(symbol) is not None

    def weighed(self) -> tuple[tuple[Candidate, ...], Steps]:
        """Return the targets that an engine may choose, and the others with what excludes each."""
        security = self.security

        def reach(target: ExecTarget) -> str | None:
            return security.validate_execution_context(target, None)

        found = tuple(each for each in self.targets.candidates if reach(each.target) is None)
        excluded = ((each, reach(each) or self.targets.unusable(each)) for each in self.targets.all)
        if security.label is not None:
            accepts = security.label.accepts
            found = tuple(attrs.evolve(each, accepts=accepts(each.target)) for each in found)
        return found, tuple((show_target(each), why) for each, why in excluded if why is not None)

    def offered(self, function: FunctionSignature, asker: Asker | None) -> tuple[tuple[Candidate, ...], Steps]:
        """Return what `weighed` does, and the published programs that may stand in for a function's own body.

        Those are found by the types that the call's program knows: without a call, there are none.
        """
        found, excluded = self.weighed()
        if asker is None or self.published is None or function.hint is not None:
            return found, excluded
        return (*found, *self.published(function, getattr(asker, "lookup", no_names))), excluded

    def settle(self, function: FunctionSignature) -> tuple[Decision | None, Steps]:
        """Return the decision that needs no engine, or None with the steps taken so far."""
        refusal = self.security.authorize_function(function.name)
        if refusal is not None:
            reason = f"{refusal.reason}; {refusal.way_out}"
            return self._made(Deny(reason), PlanSource.POLICY, reason, (("deny", refusal.reason),)), ()
        steps: Steps = (("deny", "no rule"),)
        if function.hint is not None:
            return self._hinted(function.hint, steps), ()
        steps = (*steps, ("hint", "none"))
        pattern = self.routed.match(function.name)
        if pattern is None:
            steps = (*steps, ("static route", "none fits" if self.routes_first else "left to the engine"))
            return self._described(function, steps)
        return self._routed(pattern, self.routes[pattern], steps), ()

    def goes_there(self, function: FunctionSignature) -> bool:
        """Tell whether a function goes where described ones do, if nobody says anything else of it."""
        return self.found is not None and described(function)

    def sends_there(self, function: FunctionSignature) -> bool:
        """Tell whether a function's calls go where described ones do: no hint, rule or bound is against it."""
        made = self.settle(function)[0] if function.hint is None and self.goes_there(function) else None
        return made is not None and self.found is not None and made.plan.target == self.found.target

    def _described(self, function: FunctionSignature, steps: Steps) -> tuple[Decision | None, Steps]:
        """Return the decision for a described function of which nobody has said anything else."""
        if self.found is None or not self.routes_first or not described(function):
            return None, steps  # an engine that the configuration names decides first: see `default`
        target = self.found.target
        why = self.security.validate_execution_context(target) or self.targets.unusable(target)
        if why is not None:
            return None, (*steps, ("described", f"{show_target(target)}: {why}"))
        reasoning = f"{self.found.words}: {show_target(target)}"
        return self._made(target, PlanSource.DEFAULT, reasoning, (*steps, ("described", reasoning))), steps

    def default(self, steps: Steps, function: FunctionSignature | None = None) -> Decision:
        """Return the last resort: where described functions go, the configured default, else the own body."""
        there = self.found if function is not None and described(function) else None
        target, note = self.security.narrow(self.default_target if there is None else there.target)
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

    def follow(
        self, function: FunctionSignature, asker: Asker, steps: Steps, hints: Hints = NO_HINTS, capability: str = ""
    ) -> Decision:
        """Return what follows a failure where no engine decides: the next of the list, or the end of it.

        Of a program's own call of a capability, the list is that one.
        """
        listed = ((Capability(capability),), PlanSource.HINT) if capability else self._list(function)
        targets, source = listed
        found = self._going_on(targets, source, asker, steps, hints)
        if found.exhausted:
            return self.exhausted(
                function,
                found.steps,
                found.exhausted,
                asker.attempts,
                hinted=source is PlanSource.HINT,
                bodiless=bool(capability),
                footprint=found.footprint,
            )
        return found

    def fall_back(self, asker: Asker, steps: Steps, hints: Hints) -> tuple[Decision | None, Steps]:
        """Return the decision for the capability that the hint `fallback` names, or None with why not."""
        target, why = self.sequel.falls_back(asker.attempts, hints)
        transform = asker.attempts[-1].transform if asker.attempts else ()  # it is told no more than what failed
        if target is not None:
            why = self.security.validate_execution_context(target, transform) or ""
        if target is None or why:
            return None, ((*steps, ("fallback", why)) if why else steps)
        reasoning = f"the hint fallback, after {len(asker.attempts)} without an answer: {show_target(target)}"
        made = self._made(target, PlanSource.HINT, reasoning, (*steps, ("fallback", show_target(target))))
        return attrs.evolve(made, plan=attrs.evolve(made.plan, transform=transform), aside=True), steps

    def once_more(
        self, function: FunctionSignature, asker: Asker, steps: Steps, why: str, hints: Hints = NO_HINTS
    ) -> Decision:
        """Return what follows where an engine has nothing more to propose: a repeat by the hint `retry`, or the end."""
        tried = tuple(dict.fromkeys(each.target for each in asker.attempts if not each.aside))
        if hints.retry is None or self.sequel.over(asker.attempts, hints) is not None:
            return self.exhausted(function, steps, why, asker.attempts)
        found = self._going_on(tried, PlanSource.HINT, asker, (*steps, ("engine", why)), hints)
        if found.exhausted:
            return self.exhausted(function, found.steps, why, asker.attempts, footprint=found.footprint)
        return found

    def _going_on(
        self, targets: tuple[ExecTarget, ...], source: PlanSource, asker: Asker, steps: Steps, hints: Hints
    ) -> Decision:
        """Return the decision for what may be tried next of some targets; for none one that is `exhausted`: why."""

        def unusable(target: ExecTarget) -> str | None:
            transform = taken_out(target, asker.attempts)
            return self.security.validate_execution_context(target, transform) or self.targets.unusable(target)

        over = self.sequel.over(asker.attempts, hints)
        noted: dict[Read, tuple[Hashable, Any]] = {}
        found, excluded = (None, ()) if over else self.sequel.following(targets, asker, unusable, noted, hints)
        footprint = tuple((read, key, value) for read, (key, value) in noted.items())
        if found is None:
            end = self._made(Deny("nothing is left"), source, "", (*steps, *excluded))
            return attrs.evolve(end, exhausted=over or "no target is left", footprint=footprint)
        target, delay = found
        reasoning = f"after {len(asker.attempts)} without an answer: {show_target(target)}"
        if delay:
            reasoning = f"{reasoning} again, after {delay:.2f} s"
        steps = (*steps, (source.value.replace("-", " "), reasoning))
        made = self._made(target, source, reasoning, steps, None, excluded)
        plan = attrs.evolve(made.plan, delay=delay, transform=taken_out(target, asker.attempts))
        return attrs.evolve(made, plan=plan, footprint=footprint)

    def _list(self, function: FunctionSignature) -> tuple[tuple[ExecTarget, ...], PlanSource]:
        """Return the targets of a decision that rests on the function alone. An author's hint names one."""
        if function.hint is not None:
            wanted = self.targets.of_hint(function.hint)
            return (() if wanted is None else (wanted,)), PlanSource.HINT
        pattern = self.routed.match(function.name)
        if pattern is not None:
            return self.routes[pattern], PlanSource.STATIC_ROUTE
        there = self.found is not None and described(function)
        return (self.found.target if self.found is not None and there else self.default_target,), PlanSource.DEFAULT

    def exhausted(
        self,
        function: FunctionSignature,
        steps: Steps,
        why: str,
        attempts: Sequence[Attempt],
        *,
        hinted: bool = False,
        bodiless: bool = False,
        footprint: tuple[Noted, ...] = (),
    ) -> Decision:
        """Return what becomes of a call that nothing is left for: its own body, the error, or a question to a person.

        Where the author means models alone, it is the error; and so it is where there is a quality floor, because the
        own body would be weaker than what was chosen. The configuration may say "body" itself. What has no body ends
        in the error.
        """
        spec, models_alone = self.sequel.spec, hinted or converses(function)
        wanted = spec.on_exhausted or ("error" if models_alone or spec.quality_floor > 0 else "body")
        wanted = "error" if bodiless else wanted
        tried = ", ".join(dict.fromkeys(show_target(each.target) for each in attempts))
        reasoning = f"nothing is left after {tried}: {_ENDS[wanted]}"
        ends: dict[str, ExecTarget] = {"ask": Ask("operator"), "error": Deny(reasoning), "body": LocalPure()}
        steps = (*steps, ("exhausted", why), ("on_exhausted", _ENDS[wanted]))
        made = self._made(ends[wanted], PlanSource.EXHAUSTED, reasoning, steps)
        return attrs.evolve(made, exhausted=wanted, footprint=footprint)

    def review(self, plan: DelegationPlan) -> tuple[DelegationPlan, str | None]:
        """Return an engine's plan, narrowed to what is allowed and can be used, and the note when it was."""
        wanted = plan.target.then if isinstance(plan.target, Ask) else plan.target  # a person is asked for no less
        target, why = self.security.narrow(wanted, plan.transform)
        if isinstance(plan.target, Ask) and isinstance(target, Ask):
            return plan, why  # somebody is asked already
        if why is None:
            why = self.targets.unusable(target)
            target = target if why is None else LocalPure()
        if why is None:
            return (plan, None) if plan.hedge is None else self._review_hedge(plan, plan.hedge)
        plan = attrs.evolve(plan, hedge=None)
        note = f"{show_target(plan.target)} narrowed to {show_target(target)}: {why}"
        return attrs.evolve(plan, target=target, context=(*plan.context, ("narrowed", note))), note

    def _review_hedge(self, plan: DelegationPlan, hedge: Hedge) -> tuple[DelegationPlan, str | None]:
        """Return a plan with its second request, or without one that must not be, and the note then."""
        both = (plan.target, hedge.target)
        found = [self.sequel.candidate(each) for each in both]
        why = self.security.validate_execution_context(hedge.target, plan.transform)
        why = why or self.targets.unusable(hedge.target)
        if why is None and plan.target == hedge.target:
            why = "it is asked already"
        if why is None:
            unsafe = [each for each, known in zip(both, found, strict=True) if known is None or not known.idempotent]
            why = f"{show_target(unsafe[0])} is not idempotent" if unsafe else None
        why = why or self.sequel.too_weak(hedge.target, plan.target)
        if why is None:
            return plan, None
        note = f"no second request to {show_target(hedge.target)}: {why}"
        return attrs.evolve(plan, hedge=None, context=(*plan.context, ("narrowed", note))), note

    def _hinted(self, hint: DelegationHint, steps: Steps) -> Decision:
        wanted = self.targets.of_hint(hint)
        text = f":{hint.kind.value}" + (f' "{hint.id}"' if hint.id else "")
        if wanted is None:
            reason = f"the hint {text} names no configured target"
            return self._made(Deny(reason), PlanSource.HINT, reason, (*steps, ("hint", reason)))
        target, why = self.security.narrow(wanted)
        note = None if why is None else f"{show_target(wanted)} narrowed to {show_target(target)}: {why}"
        steps = (*steps, ("hint", f"{text} -> {show_target(wanted)}"))
        source = PlanSource.POLICY if isinstance(target, Deny) else PlanSource.HINT
        return self._made(target, source, f"the author's hint {text}", steps, note)

    def _routed(self, pattern: str, targets: tuple[ExecTarget, ...], steps: Steps) -> Decision:
        excluded: list[tuple[str, str]] = []
        for place, wanted in enumerate(targets):
            why = self.security.validate_execution_context(wanted) or self.targets.unusable(wanted)
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
