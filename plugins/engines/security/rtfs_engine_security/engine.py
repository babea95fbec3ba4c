"""The engine: what its base decides, as far as the rules allow.

In: the context of a call. Out: the base's plan, unchanged, where no rule objects to its target. Where one does, the
first that fits says what becomes of the call: `local` (the base decides again among the models of this machine, and
where it has nothing there the function's own body runs), `redact` (the plan stands, and what the rules of redaction
find is taken out first), `ask` (a person says yes before), `deny`. A target that is on no allow-list is never chosen.

Law: with nothing to object to, it is its base; and nothing that it answers reaches further than what its base answered.
The host judges all of this again, and holds labels, reach and grants itself: this engine chooses what becomes of a call
that may not go where it would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from rtfs_engine_security.conditions import Condition, candidate_of, conditions_of, where_of
from rtfs_engine_security.settings import Rule, SecuritySettings, Texts, preset_rules, texts
from rtfs_framework.api import (
    Ask,
    CallContext,
    DelegationPlan,
    Deny,
    EngineSettings,
    ExecTarget,
    LocalModel,
    LocalPure,
    PlanSource,
    compile_patterns,
    show_target,
)

NAME = "security"
_OBJECTS_TO = {"local": ("remote", "capability"), "redact": ("local", "remote", "capability")}
"""What these two have something to say of: not a call that stays here anyway, or that is sent nowhere."""
_NOT_LISTED = "it is not among the models and targets that may be asked"


@attrs.frozen(slots=True, eq=False)
class _Judge:
    """A rule, ready to be asked."""

    rule: Rule
    label: str
    conditions: tuple[Condition, ...]
    approver: str

    def fits(self, context: CallContext, target: ExecTarget) -> bool:
        """Tell whether it speaks of a call that would go to a target."""
        there = _OBJECTS_TO.get(self.rule.say)
        if there is not None and where_of(target) not in there:
            return False
        return all(holds(context, target) for holds in self.conditions)

    @property
    def why(self) -> str:
        """What it says, for records."""
        return f"'{self.label}' says {self.rule.say}" + (f": {self.rule.reason}" if self.rule.reason else "")


class SecurityEngine:
    """Decides by its base, and says what becomes of a call that the rules object to."""

    __slots__ = ("_base", "_everywhere", "_judges", "_models", "_targets")

    def __init__(self, settings: EngineSettings) -> None:
        own: SecuritySettings = settings.own or SecuritySettings()
        (self._base,) = settings.children.get("base") or (_Silent(),)
        rules = [*((rule, rule.name or f"rule {n}") for n, rule in enumerate(own.rules, start=1))]
        rules += [(rule, rule.name) for rule in preset_rules(own)]
        self._judges = tuple(
            _Judge(rule, label, conditions_of(rule), rule.approver or own.approver) for rule, label in rules
        )
        self._everywhere = settings.default is not None and not isinstance(settings.default, LocalPure)
        self._models = _listed(own.models)
        self._targets = _listed(own.targets)

    def claims(self) -> Iterable[str]:
        """Return nothing of its own, for the host adds what its base claims; everything where the default goes away."""
        return ("*",) if self._everywhere else ()

    def decide(self, context: CallContext) -> DelegationPlan | None:
        """Return the base's plan, or what the first rule that objects to its target makes of it.

        Where the base has no opinion, the default target is judged.
        """
        found = self._base.decide(self._within(context))
        judged = self._judged(found or _by_default(context), context)
        return judged if found is not None or judged.source is not PlanSource.DEFAULT else None

    def _judged(self, plan: DelegationPlan, context: CallContext) -> DelegationPlan:
        if isinstance(plan.target, Deny):
            return plan
        target = _meant(plan)
        if not self._may_be_asked(target, context):
            return self._at_home(plan, _NOT_LISTED, context)
        judge = self._objecting(context, target)
        if judge is None:
            return self._with_hedge(plan, plan, context)
        return self._made(judge, plan, context)

    def _objecting(self, context: CallContext, target: ExecTarget) -> _Judge | None:
        """Return the first rule that fits, None where none does or it has no objection."""
        for judge in self._judges:
            if judge.fits(context, target):
                return None if judge.rule.say == "allow" else judge
        return None

    def _made(self, judge: _Judge, plan: DelegationPlan, context: CallContext) -> DelegationPlan:
        say = judge.rule.say
        if say == "deny":
            reason = judge.rule.reason or f"the engine `{NAME}` does not let it go to {show_target(plan.target)}"
            return _as(plan, Deny(f"{reason}; {judge.why}"), judge.why)
        if say == "local":
            return self._at_home(plan, judge.why, context)
        if say == "ask":
            return _as(plan, _asked(plan, judge.approver), judge.why)
        redacted = attrs.evolve(plan, transform=tuple(dict.fromkeys((*plan.transform, *map(str, judge.rule.redact)))))
        return self._with_hedge(_as(redacted, plan.target, judge.why, hedged=True), plan, context)

    def _at_home(self, plan: DelegationPlan, why: str, context: CallContext) -> DelegationPlan:
        """Return what the base decides among the models of this machine that nothing objects to; else the own body."""
        here = [
            each.target
            for each in context.candidates
            if isinstance(each.target, LocalModel)
            and self._may_be_asked(each.target, context)
            and self._objecting(context, each.target) is None
        ]
        other = self._base.decide(context.only(here)) if here else None
        if other is not None and (isinstance(other.target, LocalPure) or _meant(other) in here):
            return _as(other, other.target, f"not {show_target(_meant(plan))}: {why}")
        return _as(plan, LocalPure(), f"not {show_target(_meant(plan))}: {why}")

    def _with_hedge(self, plan: DelegationPlan, first: DelegationPlan, context: CallContext) -> DelegationPlan:
        """Return a plan with its second request, or without one that a rule objects to."""
        hedge = plan.hedge
        if hedge is None:
            return plan
        if self._may_be_asked(hedge.target, context):
            judge = self._objecting(context, hedge.target)
            if judge is None or (judge.rule.say == "redact" and set(judge.rule.redact) <= set(plan.transform)):
                return plan
            why = judge.why
        else:
            why = _NOT_LISTED
        without = attrs.evolve(plan, hedge=None)
        return _as(without, first.target, f"no second request to {show_target(hedge.target)}: {why}")

    def _within(self, context: CallContext) -> CallContext:
        """Return the context without what is on no allow-list; the context itself where all is."""
        if self._models is None and self._targets is None:
            return context
        listed = [each.target for each in context.candidates if self._may_be_asked(each.target, context)]
        return context if len(listed) == len(context.candidates) else context.only(listed)

    def _may_be_asked(self, target: ExecTarget, context: CallContext) -> bool:
        """Tell whether the allow-lists let a target be asked; they speak of models alone."""
        if where_of(target) not in ("local", "remote"):
            return True
        if self._targets is not None and self._targets(getattr(target, "id", "")) is None:
            return False
        if self._models is None:
            return True
        found = candidate_of(target, context)
        return found is not None and self._models(found.model) is not None


def _by_default(context: CallContext) -> DelegationPlan:
    why = "nothing else decided: the default target"
    return DelegationPlan(target=context.default, reasoning=why, source=PlanSource.DEFAULT)


class _Silent:
    """Stands for a base that is not there."""

    def claims(self) -> Iterable[str]:
        """Return nothing."""
        return ()

    def decide(self, context: CallContext) -> DelegationPlan | None:  # noqa: ARG002 - it looks at nothing
        """Have no opinion."""
        return None


def _listed(given: Texts | None) -> Callable[[str], int | None] | None:
    return None if given is None else compile_patterns(texts(given))


def _meant(plan: DelegationPlan) -> ExecTarget:
    """Return the target that a plan leads to, whether or not a person is asked before."""
    return plan.target.then if isinstance(plan.target, Ask) else plan.target


def _asked(plan: DelegationPlan, approver: str) -> ExecTarget:
    """Return a plan's target behind a person; one that asks somebody already stays as it is."""
    target = plan.target
    return target if isinstance(target, Deny | Ask) else Ask(approver, target)


def _as(plan: DelegationPlan, target: ExecTarget, why: str, *, hedged: bool = False) -> DelegationPlan:
    """Return a plan with another target, and the reason for it."""
    return attrs.evolve(
        plan,
        target=target,
        reasoning=f"{plan.reasoning}; {why}",
        source=PlanSource.ENGINE,
        engine=NAME,
        hedge=plan.hedge if hedged else None,
        delay=plan.delay if target == plan.target else 0.0,
        context=(*plan.context, (NAME, why)),
    )
