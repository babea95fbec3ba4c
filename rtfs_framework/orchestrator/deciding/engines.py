"""The engines, held at arm's length: what one answers is checked before anybody looks at it.

In: the reads of calls. Out: claims and sound plans; or a `PluginFault`. Whoever asks decides what to do without an
answer; see `Delegator`. A configured engine that cannot be made stops the start: without it calls would go elsewhere
than their owner said.

Engines are made into the tree that the configuration says. A parent calls its children directly: plain decoration. Each
is wrapped, so that a fault is told of the engine whose it is, and a parent never sees an unsound plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf
from typing import TYPE_CHECKING, Any, TypeGuard, cast

import attrs

from rtfs_framework.api.engine import DelegationEngine, EngineSettings
from rtfs_framework.api.errors import PluginError
from rtfs_framework.api.learning import MOST_NOTE
from rtfs_framework.api.plans import DelegationPlan, Hedge, PlanSource, Scored
from rtfs_framework.api.targets import (
    Ask,
    Capability,
    Deny,
    ExecTarget,
    L4CacheHit,
    LocalModel,
    LocalPure,
    RemoteModel,
    show_target,
)
from rtfs_framework.orchestrator.config.globs import Patterns
from rtfs_framework.orchestrator.config.model import EngineSpec
from rtfs_framework.orchestrator.deciding.context import TracedContext
from rtfs_framework.registry.faults import Part, PluginFault, ask, make
from rtfs_framework.registry.problems import UNMADE

if TYPE_CHECKING:
    from rtfs_framework.api.context import CallContext
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.orchestrator.deciding.reads import Reads
    from rtfs_framework.registry.catalog import Catalog

_TARGETS = (LocalPure, LocalModel, RemoteModel, Capability, L4CacheHit, Deny, Ask)
_MODELS = (LocalModel, RemoteModel)
_METHODS = ("claims", "decide")
_MOST_CLAIMS = 100_000


@attrs.define(slots=True, eq=False)
class Engine:
    """An engine of a plugin, who it is, and the engines below it."""

    part: Part
    engine: DelegationEngine
    children: tuple[Engine, ...] = ()
    _claims: Patterns | None = attrs.field(default=None, init=False)
    _sound: DelegationPlan | None = attrs.field(default=None, init=False)
    """The plan that was found sound last: many engines hand out plans that they made once."""

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        return self.part.name

    def claims(self) -> Patterns:
        """Return what it or an engine below it might send elsewhere; each is asked once.

        Raises:
            PluginFault: One could not be asked; then nobody knows, and no program may be linked.
        """
        if self._claims is None:
            self._claims = Patterns([claim for each in self.all() for claim in ask(each.part, "`claims`", each.listed)])
        return self._claims

    def all(self, seen: set[int] | None = None) -> Iterator[Engine]:
        """Yield the engine and those below it, each once; those in `seen` are left out, and added to it."""
        met = set() if seen is None else seen
        if id(self) not in met:
            met.add(id(self))
            yield self
            for child in self.children:
                yield from child.all(met)

    def decide(self, reads: Reads) -> DelegationPlan | None:
        """Return its plan for a call, None when it has no opinion; `reads.question` when it must hear a model first.

        Raises:
            PluginFault: It raised something, or this is no sound plan.
        """
        context = reads.open()
        try:
            return self.within(context)
        except PluginFault:
            if reads.question is None:
                raise
            return None  # whatever it raised or returned: it was suspended
        finally:
            reads.close()

    def within(self, context: CallContext) -> DelegationPlan | None:
        """Return its plan inside a decision.

        Raises:
            PluginFault: It, or an engine below it, raised something, or this is no sound plan.
        """
        reads = context._reads if isinstance(context, TracedContext) else None
        if reads is None:
            return self._checked(self._answer(context))
        above, reads.speaker = reads.speaker, self.part.name
        place = len(reads.path)
        reads.path.append(self.part.name)
        try:
            answer = self._answer(context)
        finally:
            reads.speaker = above
        if answer is None:
            del reads.path[place:]
            return None
        return self._checked(answer)

    def _answer(self, context: CallContext) -> object:
        try:
            return ask(self.part, "`decide`", self.engine.decide, context)
        except PluginFault as fault:
            if isinstance(fault.__cause__, PluginFault):  # of an engine below it
                raise fault.__cause__ from None
            raise

    def _checked(self, answer: object) -> DelegationPlan | None:
        if answer is None:
            return None
        sound = self._sound
        if sound is None or answer is not sound:
            sound = self._sound = _sound(self.part, answer)
        return sound

    def listed(self) -> list[str]:
        """Return its own claims.

        Raises:
            Exception: Whatever it raises, or what is wrong with what it returned.
        """
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


@attrs.frozen(slots=True, eq=False)
class _Child:
    """An engine as its parent sees it."""

    held: Engine

    def claims(self) -> Iterable[str]:
        return self.held.listed()

    def decide(self, context: CallContext) -> DelegationPlan | None:
        return self.held.within(context)


@attrs.frozen(slots=True, eq=False)
class FixedTarget:
    """Stands for an engine where a target is named: it always chooses that, and claims nothing."""

    target: ExecTarget

    def claims(self) -> Iterable[str]:
        """Return nothing: which functions come here is its parent's matter."""
        return ()

    def decide(self, context: CallContext) -> DelegationPlan | None:  # noqa: ARG002 - it looks at nothing
        """Return the plan."""
        name = show_target(self.target)
        return DelegationPlan(target=self.target, reasoning=f"the target {name}, by name", source=PlanSource.ENGINE)


@attrs.frozen(slots=True)
class _Maker:
    """Makes the engines of one configuration, each instance once."""

    config: Config
    catalog: Catalog
    made: dict[str, Engine] = attrs.field(factory=dict)

    def engine(self, spec: EngineSpec) -> Engine:
        held = self.made.get(spec.name)
        if held is None:
            held = self.made[spec.name] = self._make(spec)
        return held

    def _make(self, spec: EngineSpec) -> Engine:
        part = attrs.evolve(self.catalog.part("engine", spec.plugin), name=spec.name)
        below = {key: tuple(map(self._child, named)) for key, named in spec.children.items()}
        children = {key: tuple(child for child, _ in found) for key, found in below.items()}
        settings = EngineSettings(
            self.config.routes, self.config.default_target, spec.own, children, spec.targets, spec.directory
        )
        engine = make(part, self.catalog.engine(spec.plugin).factory, settings, methods=_METHODS)
        held = tuple(held for found in below.values() for _, held in found if held is not None)
        return Engine(part, engine, held)

    def _child(self, named: EngineSpec | ExecTarget) -> tuple[DelegationEngine, Engine | None]:
        if not isinstance(named, EngineSpec):
            return FixedTarget(named), None
        held = self.engine(named)
        return _Child(held), held


def make_engine(config: Config, catalog: Catalog) -> Engine | None:
    """Return the engine that a configuration names, with those below it; None when it names none.

    Raises:
        PluginError: E0809, one cannot be made, or is no engine.
    """
    return None if config.engine is None else _made(config, catalog, config.engine)


def make_shadow(config: Config, catalog: Catalog) -> Engine | None:
    """Return the engine that decides beside it, of its own objects; None for none.

    Raises:
        PluginError: E0809, it cannot be made, or is no engine.
    """
    return None if config.shadow is None else _made(config, catalog, config.shadow)


def _made(config: Config, catalog: Catalog, spec: EngineSpec) -> Engine:
    try:
        return _Maker(config, catalog).engine(spec)
    except PluginFault as fault:
        raise _stops(fault) from fault.__cause__


def _stops(fault: PluginFault) -> PluginError:
    """Return the error that stops the start."""
    way_out = f"{fault.way_out}; or choose another [delegation] engine: nothing runs until it can decide"
    error = PluginError(str(fault.part.provenance), fault.words, code=UNMADE, way_out=way_out)
    error.distribution = fault.distribution
    return error


def _sound(part: Part, answer: object) -> DelegationPlan:
    """Return what an engine said if it can be used.

    Raises:
        PluginFault: It cannot.
    """
    if _is_usual(answer):
        return answer
    wrong = ask(part, "`decide`", flaw_of, answer)
    if wrong is not None or not isinstance(answer, DelegationPlan):
        raise PluginFault(part, "`decide`", f"returned {wrong}")
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
        and answer.source.__class__ is PlanSource
        and answer.reasoning.__class__ is answer.engine.__class__ is str
        and answer.context == ()
        and answer.alternatives == ()
        and answer.delay == 0.0
        and answer.hedge is None
        and answer.transform == ()
        and answer.propensity is None
        and answer.note == ""
    )


def flaw_of(answer: object) -> str | None:
    """Return what is wrong with what stands for a decision, None when it is a sound plan."""
    if _is_usual(answer):
        return None
    if answer.__class__ is not DelegationPlan or not isinstance(answer, DelegationPlan):
        return f"{_a(answer)}, which is no DelegationPlan"
    target: Any = answer.target
    wrong = _flaw_of_target(target)
    if wrong is not None:
        return wrong
    if not all(isinstance(text, str) for text in cast("Iterable[Any]", (answer.reasoning, answer.engine))):
        return "a plan whose reasoning or engine is no text"
    if not isinstance(cast("object", answer.source), PlanSource):
        return f"a plan whose source is {answer.source!r:.40}, which is no PlanSource"
    confidence: Any = answer.confidence
    if not (isinstance(confidence, int | float) and 0.0 <= confidence <= 1.0):
        return f"a plan with the confidence {confidence!r:.40}, which is not within 0 and 1"
    return _flaw_of_context(answer.context) or _flaw_of_attempt(answer)


def _flaw_of_target(target: Any) -> str | None:
    if not isinstance(target, _TARGETS):
        return f"a plan whose target is {_a(target)}"
    if isinstance(target, Ask):
        then: Any = target.then
        approver: Any = target.approver
        if not isinstance(approver, str):
            return "a plan that asks an approver who is no text"
        if isinstance(then, Deny | Ask):
            return f"a plan that asks a person, and then {show_target(then)}: it leads nowhere"
        return _flaw_of_target(then)
    if not all(isinstance(getattr(target, field.name), str) for field in attrs.fields(type(target))):
        return f"a plan whose target is {target!r:.80}: its fields are texts"
    return None


def _flaw_of_context(context: object) -> str | None:
    if isinstance(context, tuple) and all(
        isinstance(item, tuple) and len(item) == 2 and all(isinstance(text, str) for text in item) for item in context
    ):
        return None
    return "a plan whose context is no tuple of pairs of texts"


def _flaw_of_attempt(plan: DelegationPlan) -> str | None:
    """Return what is wrong with how a plan wants its target to be asked."""
    hedge: object = plan.hedge
    if not _is_time(plan.delay):
        return f"a plan with the delay {plan.delay!r:.40}, which is no number of seconds"
    if hedge is not None and not isinstance(hedge, Hedge):
        return f"a plan whose hedge is {_a(hedge)}"
    if isinstance(hedge, Hedge):
        if not isinstance(hedge.target, _MODELS) or not isinstance(cast("object", hedge.target.id), str):
            return f"a plan whose hedge goes to {hedge.target!r:.80}: only models can be asked twice"
        if not _is_time(hedge.after) or not (hedge.most is None or _is_time(hedge.most)):
            return f"a plan whose hedge is {hedge!r:.120}: its bounds are numbers, not below 0"
    if not isinstance(cast("object", plan.alternatives), tuple) or not all(
        isinstance(cast("object", each), Scored) for each in plan.alternatives
    ):
        return "a plan whose alternatives are no tuple of `Scored`"
    return _flaw_of_learning(plan)


def _flaw_of_learning(plan: DelegationPlan) -> str | None:
    """Return what is wrong with what a plan says of redaction, and for its engine's own learning."""
    transform: object = plan.transform
    if not isinstance(transform, tuple) or not all(isinstance(name, str) for name in transform):
        return "a plan whose transform is no tuple of names of redaction rules"
    share: object = plan.propensity
    if share is not None and not (isinstance(share, int | float) and 0.0 < share <= 1.0):
        return f"a plan with the propensity {share!r:.40}, which is not above 0 and at most 1"
    note: object = plan.note
    if not isinstance(note, str) or len(note) > MOST_NOTE:
        return f"a plan whose note is no text of at most {MOST_NOTE:,} characters"
    return None


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and 0.0 <= value < inf


def _a(value: object) -> str:
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
