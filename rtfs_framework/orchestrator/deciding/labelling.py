"""Labels at work: the label of each call, the decider of each label, and what a `declassify` may free.

In: calls of runs whose label floats (`recording.floating`). Out: each call with its label, and what decides about calls
of that label: the host's own decider, with the targets left out that the label may not reach. There is one for each
label that is met, with plans of its own, so nothing that was decided under one label is served under another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.plans import DelegationPlan, PlanSource
from rtfs_framework.api.targets import Ask, Capability, Deny, ExecTarget
from rtfs_framework.orchestrator.deciding.labels import LabelRule, Marks
from rtfs_framework.orchestrator.deciding.security import Refusal, violation
from rtfs_framework.orchestrator.recording.floating import CallLabel, Floating
from rtfs_framework.orchestrator.recording.records import Decision
from rtfs_framework.orchestrator.recording.withholding import WITHHELD

if TYPE_CHECKING:
    from rtfs_framework.lang.errors import ProgramError
    from rtfs_framework.lang.flows.model import Flows
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.orchestrator.config.labels import Grant
    from rtfs_framework.orchestrator.deciding.delegate import Delegator
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall

_MOST_RULES = 64
"""Deciders that are kept, one for each label; a host meets a handful."""
_NAMED_BY_HOST = ("delegated", "event")
"""Kinds of calls whose names no program can make up as it runs."""


@attrs.define(slots=True, eq=False)
class Labelling:
    """The labels of one host's calls."""

    marks: Marks
    delegator: Delegator
    """Decides about public calls."""
    capabilities: Iterable[str] = ()
    """Those that are offered: other names are a program's own words."""
    _views: dict[LabelRule, Delegator] = attrs.field(factory=dict, init=False)

    def floating(self, program: str, context: Iterable[str], flows: Flows | None = None) -> Floating:
        """Return the label of a program that begins: nothing was given to it yet."""
        labels = {name: marks for name in context if (marks := self.marks.of_context(name))}
        return Floating(self.marks.brought, program, context=labels, journal=self.accepts("journal"), flows=flows)

    def given(self, floating: Floating, function: FunctionSignature | None, args: tuple[Any, ...]) -> None:
        """Count the marks of what a function is called with."""
        names = () if function is None else [each.name for each in function.parameters]
        floating.given(self.marks.of_arguments(args, names))

    def enter(self, opened: OpenCall, floating: Floating) -> ProgramError | None:
        """Give a call its label; return why it must not be made, whatever its target is."""
        label, whole = self._seen(opened, floating)
        if not label:
            return None
        freed: tuple[Label, str] | None = getattr(opened.call, "freed", None)
        frees = PUBLIC if freed is None else freed[0] & label
        grants = granted(self.marks, floating.program, opened.record.symbol, frees)
        record = opened.record
        record.labelled = CallLabel(
            label=label,
            whole=whole | self.marks.whole(label),
            freed=frees,
            reason="" if freed is None else freed[1],
            grants=tuple(map(str, grants)),
            kept=floating.keeps(label),
            answer_kept=floating.keeps(label),
        )
        if record.kind not in _NAMED_BY_HOST and not self._is_known(record.kind, record.symbol):
            record.symbol = WITHHELD
        missing = frees - PUBLIC.union(*(each.marks for each in grants))
        return self._not_granted(opened, floating, missing) if missing else None

    def _seen(self, opened: OpenCall, floating: Floating) -> tuple[Label, Label]:
        """Return the marks of a call: those that may be seen at its place, else all that its run was given.

        And those of them that are there in no other way than by data as it was given, which a redaction may free.
        Decisions may read what was said of a call, so what a run has heard since it began counts for all of it.
        """
        floating.recall()
        label, flows = floating.label, floating.flows
        if floating.metadata is None:
            floating.metadata = opened.scope.metadata
        if not label or flows is None or floating.metadata is not opened.scope.metadata:
            return label, PUBLIC
        flow = flows.of(opened.call.place)
        if flow is None or flow.sources is None:
            return label, PUBLIC
        from rtfs_framework.orchestrator.deciding.label_sources import of_run

        seen = of_run(floating, self.marks, flow.sources)
        if not seen or not flow.whole:
            return seen, PUBLIC
        return seen, seen - of_run(floating, self.marks, flow.sources - flow.whole)

    def accepts(self, text: str) -> Label | None:
        """Return the marks that an observer, a cache, the log or the journal accepts; None for all."""
        from rtfs_framework.orchestrator.config.labels import accepted

        return accepted(self.marks.spec, text)

    def decider(self, opened: OpenCall) -> Delegator:
        """Return what decides about a call."""
        return self.delegator if opened.record.labelled is None else self.of(rule_of(self.marks, opened))

    def of(self, rule: LabelRule) -> Delegator:
        """Return what decides about calls that a rule judges."""
        found = self._views.get(rule)
        if found is None:
            if len(self._views) >= _MOST_RULES:
                self._views.clear()
            base = self.delegator
            security = attrs.evolve(base.precedence.security, label=rule)
            precedence = attrs.evolve(base.precedence, security=security)
            accepts = None if base.l1 is None else self.accepts(f"cache {base.l1.name}")
            l1 = base.l1 if accepts is None or rule.label <= accepts else None
            found = self._views[rule] = attrs.evolve(base, precedence=precedence, l1=l1, labels=(("labels", rule.key),))
        return found

    def forbids(self, opened: OpenCall, target: ExecTarget) -> str | None:
        """Return why a call must not go to a target now, None when it may."""
        return forbidden(self.marks, opened, target)

    def of_capability(self, opened: OpenCall, name: str) -> Decision | None:
        """Return what becomes of a program's own call of a capability that does not accept its marks, None if it does.

        There is no body that could run instead.
        """
        target = Capability(name)
        if forbidden(self.marks, opened, target) is None:
            return None
        rule = rule_of(self.marks, opened)
        why = rule.why_not(target) or ""
        end: ExecTarget = rule.instead(target, why)
        if not isinstance(end, Ask):
            end = Deny(f"{why}; {rule.way_out(target)}")
        now = self.delegator.clock.now()
        plan = DelegationPlan(target=end, reasoning=why, source=PlanSource.POLICY, created_at=now)
        return Decision(plan, (("labels", why),))

    def _is_known(self, kind: str, name: str) -> bool:
        if kind == "capability":
            return name in self.capabilities
        return name in self.marks.spec.context

    def _not_granted(self, opened: OpenCall, floating: Floating, missing: Label) -> ProgramError:
        shown = ", ".join(f":{mark}" for mark in sorted(missing))
        marks = ", ".join(f'"{mark}"' for mark in sorted(missing))
        security = self.delegator.precedence.security
        way_out = (
            f'add to {security.config_name}:  [[labels.declassify]] program = "{floating.program}", '
            f'function = "{opened.record.symbol}", target = "...", marks = [{marks}]'
        )
        refusal = Refusal(f"nobody has granted that it frees {shown}", way_out)
        return violation("declassify", opened.record.symbol, security.rules.level, refusal)


def granted(marks: Marks, program: str, symbol: str, freed: Label) -> tuple[Grant, ...]:
    """Return the grants under which a function's call is freed of marks."""
    return tuple(
        each
        for each in (marks.spec.grants if freed else ())
        if program.startswith(each.program) and each.function == symbol and each.marks & freed
    )


def rule_of(marks: Marks, opened: OpenCall) -> LabelRule:
    """Return what judges the targets of a call."""
    labelled, floating = opened.record.labelled, opened.scope.floating
    if labelled is None or floating is None:
        return LabelRule(marks)
    grants = granted(marks, floating.program, opened.record.symbol, labelled.freed)
    return LabelRule(marks, labelled.label, labelled.freed, grants, labelled.whole)


def forbidden(marks: Marks, opened: OpenCall, target: ExecTarget) -> str | None:
    """Return why a request must not be sent to a target now, None when it may: after what its plan redacts."""
    if opened.record.labelled is None:
        return None
    if marks.spec.forbidden == "ask" and target in opened.approved:
        return None  # somebody said yes to these marks at this target
    decision = opened.record.decision
    return rule_of(marks, opened).why_not(target, () if decision is None else decision.plan.transform)
