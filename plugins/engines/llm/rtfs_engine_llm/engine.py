"""The engine: code leaves out what may not be chosen; of what is left the best is chosen, or the fallback decides.

In: the context of a call. Out: a plan for a target that exists, may be used and keeps all bounds. Without a model in
the settings the target is best whose description is nearest to the function's documentation (`fit`). The model is not
asked where one target is left, where its own breaker is open, or where an equal question was answered before (the host
remembers answers and plans). No answer, one that is none of the targets, a time-out, or less confidence than is wanted
leave the decision to the fallback, which chooses among the same targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from rtfs_engine_llm.bounds import Bounds, is_model
from rtfs_engine_llm.fit import nearest
from rtfs_engine_llm.question import name_of, question, schema_of
from rtfs_engine_llm.settings import LlmSettings
from rtfs_framework.api import (
    Ask,
    CallContext,
    Candidate,
    DelegationPlan,
    EngineSettings,
    ExecTarget,
    Heard,
    Keyword,
    LocalModel,
    Map,
    PlanSource,
    RemoteModel,
    compile_patterns,
)

NAME = "llm"
_CHOICE, _CONFIDENCE = Keyword("choice"), Keyword("confidence")

_Targets = Mapping[str, tuple[ExecTarget, Candidate | None]]
"""By name."""
_Facts = tuple[tuple[str, str], ...]
"""Of a plan."""


class LlmEngine:
    """Filters, then asks."""

    __slots__ = ("_among", "_fallback", "_judge", "_ours", "_own")

    def __init__(self, settings: EngineSettings) -> None:
        self._own: LlmSettings = settings.own
        judge = None if self._own.model is None else settings.targets[self._own.model]
        if not isinstance(judge, LocalModel | RemoteModel | None):
            raise TypeError(f"'model' names no model: {judge!r:.60}")
        self._judge = judge
        self._ours = compile_patterns(tuple(self._own.symbols))
        self._among = tuple(settings.targets[each] for each in self._own.candidates)
        self._fallback = next(iter(settings.children.get("fallback", ())), None)

    def claims(self) -> Iterable[str]:
        """Return the functions that its settings name; the host adds what the fallback claims."""
        return tuple(self._own.symbols)

    def decide(self, context: CallContext) -> DelegationPlan | None:
        """Return the plan for one call, None where neither model nor fallback has an opinion."""
        if self._ours(context.symbol) is None:
            return None if self._fallback is None else self._fallback.decide(context)
        left, out = self._filtered(context)
        if len(left) <= 1:
            for name, (target, _) in left.items():
                return _plan(target, f"{name} is the only target that is left", out)
            return self._fall_back(context, left, out, "no target is left")
        return (
            self._nearest(context, left, out) if self._judge is None else self._asked(context, self._judge, left, out)
        )

    def _nearest(self, context: CallContext, left: _Targets, out: _Facts) -> DelegationPlan | None:
        """Return the plan for the target whose description fits best."""
        found = nearest(context, left, self._shown(context))
        if isinstance(found, str):
            return self._fall_back(context, left, out, found)
        if found.confidence < self._own.min_confidence:
            return self._fall_back(
                context, left, out, f"{found.name} fits best, and that is {found.confidence:.2g} sure"
            )
        why = f"the description of {found.name} is nearest to the function's, of {', '.join(left)}"
        made = _plan(left[found.name][0], why, out)
        return attrs.evolve(made, confidence=found.confidence, alternatives=found.others)

    def _asked(
        self, context: CallContext, judge: LocalModel | RemoteModel, left: _Targets, out: _Facts
    ) -> DelegationPlan | None:
        """Return the plan for the target that the model names."""
        name = name_of(judge)
        why_ill = _why_unasked(context, judge)
        if why_ill is not None:
            return self._fall_back(context, left, out, why_ill)
        says = self._own.min_confidence > 0 and self._own.confidence == "said"
        asked = question(context, left, self._shown(context), sure=says)
        choice, confidence = _read(context.hear(judge, asked, schema_of(tuple(left), sure=says)))
        if choice not in left:
            return self._fall_back(context, left, out, f"{name} gave no answer that can be used")
        if confidence is None and self._own.min_confidence > 0:
            return self._fall_back(
                context, left, out, f'{name} cannot tell how sure it is: confidence = "said" asks it'
            )
        if confidence is not None and confidence < self._own.min_confidence:
            return self._fall_back(context, left, out, f"{name} is {confidence:.2g} sure of {choice}")
        why = f"{name} chose {choice} of {', '.join(left)}"
        return attrs.evolve(_plan(left[choice][0], why, out), confidence=1.0 if confidence is None else confidence)

    def _filtered(self, context: CallContext) -> tuple[_Targets, _Facts]:
        """Return the targets that may be chosen, and the others with why."""
        known = {each.target: each for each in context.candidates}
        bounds = Bounds.of(self._own, context.metadata.context)
        tried = {each.target: each.kind.value for each in context.attempts}
        left: dict[str, tuple[ExecTarget, Candidate | None]] = {}
        out: list[tuple[str, str]] = []
        for target in dict.fromkeys(self._among or known):
            why = f"it was tried, and that was {tried[target]}" if target in tried else None
            why = why or bounds.why_not(target, known.get(target), context)
            if why is None:
                left[name_of(target)] = target, known.get(target)
            else:
                out.append(("excluded", f"{name_of(target)}: {why}"))
        return left, tuple(out)

    def _shown(self, context: CallContext) -> str | None:
        return None if self._own.show == "function" else context.text[: self._own.most_text]

    def _fall_back(self, context: CallContext, left: _Targets, out: _Facts, why: str) -> DelegationPlan | None:
        """Return the fallback's plan; a model that was left out is none of its choices."""
        if self._fallback is None:
            return None
        allowed = {target for target, _ in left.values()}
        plan = self._fallback.decide(context.only(allowed))
        if plan is None:
            return None
        target = plan.target.then if isinstance(plan.target, Ask) else plan.target
        if is_model(target) and target not in allowed:
            return None
        return attrs.evolve(plan, reasoning=f"{plan.reasoning}; {why}", context=(*plan.context, *out))


def _why_unasked(context: CallContext, target: LocalModel | RemoteModel) -> str | None:
    """Return why a model is not asked, None when it is."""
    name = name_of(target)
    judge = next((each for each in context.candidates if each.target == target), None)
    if judge is not None and judge.accepts is not None and not context.labels <= judge.accepts:
        return f"{name} does not accept the labels of the call"
    health = context.health(target)
    return None if health.passes else f"{name} is not asked: its breaker is {health.value}"


def _plan(target: ExecTarget, why: str, out: _Facts) -> DelegationPlan:
    return DelegationPlan(target=target, reasoning=why, source=PlanSource.ENGINE, engine=NAME, context=out)


def _read(heard: Heard) -> tuple[str, float | None]:
    """Return the name that a model answered, and how sure it is, None where nobody knows; no name where it did not."""
    answer = heard.value
    if isinstance(answer, Map):
        said, sure = answer.get(_CHOICE), answer.get(_CONFIDENCE)
        fits = isinstance(said, str) and isinstance(sure, int | float) and 0.0 <= sure <= 1.0
        return (said, float(sure)) if fits else ("", 0.0)
    return (answer, heard.confidence) if isinstance(answer, str) else ("", 0.0)
