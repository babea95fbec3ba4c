"""The configured engine, held at arm's length: what it answers is checked before anybody looks at it.

In: the contexts of calls. Out: claims, sound plans, consultations; or a `PluginFault`. Whoever asks decides what to do
without an answer; see `Delegator`. A configured engine that cannot be made stops the start: without it calls would go
elsewhere than their owner said.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeGuard, cast

import attrs

from rtfs_framework.api.engine import DelegationEngine, EngineSettings, PlanScope
from rtfs_framework.api.errors import PluginError
from rtfs_framework.api.plans import CallContext, Consult, DelegationPlan
from rtfs_framework.api.targets import (
    Ask,
    Capability,
    Deny,
    L4CacheHit,
    LocalModel,
    LocalPure,
    RemoteModel,
    show_target,
)
from rtfs_framework.orchestrator.config.globs import Patterns
from rtfs_framework.registry.faults import Part, PluginFault, ask, make
from rtfs_framework.registry.problems import UNMADE

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.registry.catalog import Catalog

_TARGETS = (LocalPure, LocalModel, RemoteModel, L4CacheHit, Capability, Deny, Ask)
_MODELS = (LocalModel, RemoteModel)
_METHODS = ("claims", "decide", "conclude")
_MOST_CLAIMS = 100_000


@attrs.define(slots=True, eq=False)
class Engine:
    """An engine of a plugin, and who it is."""

    part: Part
    engine: DelegationEngine
    plan_scope: PlanScope = PlanScope.ARGUMENTS
    _claims: Patterns | None = attrs.field(default=None, init=False)

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        return self.part.name

    def claims(self) -> Patterns:
        """Return what it might send elsewhere; it is asked once.

        Raises:
            PluginFault: It could not be asked; then nobody knows, and no program may be linked.
        """
        if self._claims is None:
            self._claims = Patterns(ask(self.part, "`claims`", self._listed))
        return self._claims

    def decide(self, context: CallContext) -> DelegationPlan | Consult:
        """Return its plan, or its wish to hear a model.

        Raises:
            PluginFault: It raised something, or this is no sound plan.
        """
        return _sound(self.part, "`decide`", ask(self.part, "`decide`", self.engine.decide, context))

    def conclude(self, context: CallContext, consult: Consult, answer: str) -> DelegationPlan | Consult:
        """Return its plan after a consultation, or its wish for another one.

        Raises:
            PluginFault: It raised something, or this is no sound plan.
        """
        said = ask(self.part, "`conclude`", self.engine.conclude, context, consult, answer)
        return _sound(self.part, "`conclude`", said)

    def _listed(self) -> list[str]:
        claims: object = self.engine.claims()
        if isinstance(claims, str | bytes):
            raise TypeError(f"one text ({claims!r:.40}) where an iterable of texts is needed")
        found: list[str] = []
        for claim in cast("Iterable[object]", claims):
            if not isinstance(claim, str):
                raise TypeError(f"a claim is a text, and this is {_a(claim)}")
            found.append(claim)
            if len(found) > _MOST_CLAIMS:
                raise ValueError(f"more than {_MOST_CLAIMS:,} claims")
        return found


def make_engine(config: Config, catalog: Catalog) -> Engine | None:
    """Return the engine that a configuration names, None when it names none.

    Raises:
        PluginError: E0809, it cannot be made, or is no engine.
    """
    if config.engine is None:
        return None
    part = catalog.part("engine", config.engine)
    entry = catalog.engine(config.engine)
    routes = {pattern: targets[0] for pattern, targets in config.routes.items() if targets}
    settings = EngineSettings(routes, config.default_target, config.engine_own)
    try:
        made = make(part, entry.factory, settings, methods=_METHODS)
    except PluginFault as fault:
        raise _stops(fault) from fault.__cause__
    return Engine(part, made, entry.plan_scope)


def _stops(fault: PluginFault) -> PluginError:
    """Return the error that stops the start."""
    way_out = f"{fault.way_out}; or choose another [delegation] engine: nothing runs until it can decide"
    error = PluginError(str(fault.part.provenance), fault.words, code=UNMADE, way_out=way_out)
    error.distribution = fault.distribution
    return error


def _sound(part: Part, doing: str, answer: object) -> DelegationPlan | Consult:
    """Return what an engine said if it can be used.

    Raises:
        PluginFault: It cannot.
    """
    if _is_usual(answer):
        return answer
    wrong = ask(part, doing, flaw_of, answer)
    if wrong is not None:
        raise PluginFault(part, doing, f"returned {wrong}")
    if not isinstance(answer, DelegationPlan | Consult):
        raise TypeError
    return answer


def _is_usual(answer: object) -> TypeGuard[DelegationPlan]:
    """Tell quickly whether this is a sound plan; most are, and one is made per call."""
    if answer.__class__ is not DelegationPlan:
        return False
    target: Any = answer.target
    return (
        (target.__class__ is LocalPure or (target.__class__ in _MODELS and target.id.__class__ is str))
        and answer.confidence.__class__ is float
        and 0.0 <= answer.confidence <= 1.0
        and answer.reasoning.__class__ is answer.engine.__class__ is str
        and answer.context == ()
    )


def flaw_of(answer: object) -> str | None:
    """Return what is wrong with what stands for a decision, None when it is a sound plan or consultation."""
    if _is_usual(answer):
        return None
    if not isinstance(answer, DelegationPlan | Consult):
        return f"{_a(answer)}, which is no DelegationPlan"
    target: Any = answer.target
    if not isinstance(target, _TARGETS):
        return f"a plan whose target is {_a(target)}"
    if not all(isinstance(getattr(target, field.name), str) for field in attrs.fields(type(target))):
        return f"a plan whose target is {target!r:.80}: its fields are texts"
    if isinstance(answer, Consult):
        return _flaw_of_question(answer)
    if not all(isinstance(text, str) for text in cast("Iterable[Any]", (answer.reasoning, answer.engine))):
        return "a plan whose reasoning or engine is no text"
    confidence: Any = answer.confidence
    if not (isinstance(confidence, int | float) and 0.0 <= confidence <= 1.0):
        return f"a plan with the confidence {confidence!r:.40}, which is not within 0 and 1"
    return _flaw_of_context(answer.context)


def _flaw_of_question(consult: Consult) -> str | None:
    if not isinstance(consult.target, LocalModel | RemoteModel):
        return f"a consultation of {show_target(consult.target)}, which is no model"
    question: Any = consult.question
    if not isinstance(question, str):
        return "a consultation whose question is no text"
    return _flaw_of_context(consult.context)


def _flaw_of_context(context: object) -> str | None:
    if isinstance(context, tuple) and all(
        isinstance(item, tuple) and len(item) == 2 and all(isinstance(text, str) for text in item) for item in context
    ):
        return None
    return "a plan whose context is no tuple of pairs of texts"


def _a(value: object) -> str:
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
