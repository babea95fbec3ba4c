"""Explaining a program: every place where a call can leave the kernel, where it would go, and why. Runs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.targets import L4CacheHit, LocalModel, LocalPure, RemoteModel, show_target
from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.meter import meter
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.signature import CallSite, FunctionSignature, SiteKind, memoised
from rtfs_framework.lang.source import Place, Source
from rtfs_framework.orchestrator.deciding.known import Undecided
from rtfs_framework.orchestrator.deciding.security import Refusal
from rtfs_framework.orchestrator.explaining.asked_call import read_call
from rtfs_framework.orchestrator.explaining.hedged import Beside, beside, with_beside
from rtfs_framework.orchestrator.explaining.imagined import Past
from rtfs_framework.orchestrator.explaining.labels import decider, given, had, of_capability, of_function
from rtfs_framework.orchestrator.explaining.market.needs import how_to_get, why_not_offered
from rtfs_framework.orchestrator.explaining.market.offers import effects_of
from rtfs_framework.orchestrator.explaining.samples import samples
from rtfs_framework.orchestrator.explaining.similar_way import similar_way
from rtfs_framework.orchestrator.explaining.whole_way import Way, way_of
from rtfs_framework.orchestrator.explaining.written_hints import hints_around, written_hints
from rtfs_framework.orchestrator.host import Host
from rtfs_framework.orchestrator.recording.records import Decision, Steps
from rtfs_framework.orchestrator.running.linking import compile_for

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.artifact import Artifact


@attrs.frozen(slots=True, kw_only=True)
class ExplainedSite:
    """A call site: where its call would go now."""

    kind: str
    name: str
    place: Place
    inside: str
    target: str
    source: str = ""
    """The step of the precedence that decides: "hint", "static-route", ..."""
    reasoning: str = ""
    steps: Steps = ()
    context: Steps = ()
    hedge: Beside | None = None
    """Whom a run asks as well when the target has not answered."""
    provider: str = ""
    """The plugin that would answer."""
    usable: bool = True
    problem: str = ""
    """Why the call would fail, and the way out."""
    reuse: bool = False
    """Whether the reply may be served from memory."""
    depends_on: tuple[str, ...] = ()
    """What the target depends on and nobody knows before the call is made: "arguments", or what a model says."""
    may_go_to: tuple[str, ...] = ()
    """The targets that such a call can have."""
    examples: Steps = ()
    """Arguments that the engine was asked with, and the target that it named."""
    fault: str = ""
    """Why the engine could not be asked."""
    labels: Steps = ()
    """For each mark that a call of the site may carry, what becomes of it then."""
    hints: Steps = ()
    """The execution hints that are written around it, the innermost word of each."""
    effects: tuple[str, ...] = ()
    """What a call of the capability does."""
    way: Way | None = None
    """The whole way of a call that was asked about; None for a site."""

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        data = {field.name: getattr(self, field.name) for field in attrs.fields(ExplainedSite)}
        return {**data, "place": str(self.place), "steps": [list(s) for s in self.steps],
                "context": [list(c) for c in self.context], "examples": [list(e) for e in self.examples],
                "labels": [list(each) for each in self.labels], "hints": [list(each) for each in self.hints],
                "depends_on": list(self.depends_on), "effects": list(self.effects), "may_go_to": list(self.may_go_to),
                "hedge": None if self.hedge is None else self.hedge.to_json(),
                "way": None if self.way is None else self.way.to_json()}  # fmt: skip


def explain(host: Host, source: Source, limits: Limits) -> list[ExplainedSite]:
    """Return the call sites of a program in the order of its text.

    Raises:
        LanguageError: The program cannot be compiled. (A name or target that nobody knows is explained, not raised.)
    """
    return explain_artifact(host, compile_for(host, source, limits), limits)


def explain_artifact(host: Host, artifact: Artifact, limits: Limits) -> list[ExplainedSite]:
    """Return the call sites of a compiled program in the order of its text."""
    sites = sorted(artifact.sites, key=lambda site: (site.place.line, site.place.column))
    known = {each.name: each for each in artifact.signatures}
    capabilities = host.dispatcher.capabilities
    named = (site.name for site in sites if site.kind in _OF_CAPABILITIES and site.name is not None)
    refused = capabilities.security.authorize_program(capabilities.id_of(name) or name for name in named)
    wholes = _wholes(host, artifact, limits)
    written = written_hints(artifact.sources)
    shown = (_site(host, site, known, refused, wholes.get(str(site.place), PUBLIC)) for site in _looked_at(sites))
    return [attrs.evolve(each, hints=hints_around(written, each.place)) if written else each for each in shown]


def _looked_at(sites: Iterable[CallSite]) -> Iterator[CallSite]:
    """Yield sites, with a look at the clock before each: what is told of one may take milliseconds."""
    for each in sites:
        meter().look()
        yield each


def _wholes(host: Host, artifact: Artifact, limits: Limits) -> Mapping[str, Label]:
    """Return, by place, the marks that a redaction may free there; nothing where there are no rules."""
    labelling = host.dispatcher.labelling
    if labelling is None or not labelling.marks.redactions:
        return {}
    from rtfs_framework.orchestrator.explaining.seen import seen

    return {each.place: each.whole for each in seen(host, artifact.source, limits)}


_KEPT = "its values are kept (^:memo): it is computed here once for equal arguments, and never delegated"
_OF_CAPABILITIES = (SiteKind.CAPABILITY, SiteKind.HOST_NAME)


def _site(
    host: Host,
    site: CallSite,
    known: Mapping[str, FunctionSignature],
    refused: Mapping[str, Refusal],
    whole: Label,
) -> ExplainedSite:
    match site.kind:
        case SiteKind.FUNCTION:
            named = FunctionSignature(site.name or "fn")
            function = site.function or known.get(named.name, named)
            if memoised(function):
                return _explained(site, target=show_target(LocalPure()), reasoning=_KEPT)
            return attrs.evolve(_function(host, site, function), labels=of_function(host, function, whole))
        case SiteKind.CAPABILITY | SiteKind.HOST_NAME:
            name = None if site.name is None else host.dispatcher.capabilities.id_of(site.name)
            return attrs.evolve(_capability(host, site, refused), labels=of_capability(host, name))
        case SiteKind.CONTEXT:
            return _explained(site, target="host context", reasoning="read or written by the host")


def explain_call(host: Host, source: Source, asked: Source, limits: Limits) -> ExplainedSite:
    """Return where one call of a program would go, with the arguments that are given. Nothing runs but the engine.

    Raises:
        LanguageError: The program cannot be compiled, or `asked` is no call of a function of it with literals.
    """
    artifact = compile_for(host, source, limits)
    call = read_call(asked, artifact)
    function = call.function or FunctionSignature(call.capability)
    site = CallSite(SiteKind.FUNCTION, function.name, call.place or Place(asked.name, 1, 1), "", function)
    delegator = host.dispatcher.delegator
    if memoised(function) or not delegator.claims(function):
        why = _KEPT if memoised(function) else "nobody claims it: it is a plain function"
        return _explained(site, target=show_target(LocalPure()), reasoning=why)
    label = given(host, call)
    deciding = decider(host, label, label)
    found = deciding.preview(call, asker=Past(labels=label))
    labels = of_function(host, function, had(host))  # what is asked about is as it was given
    similar = similar_way(host, call, found, label, artifact.types.get)
    way = attrs.evolve(way_of(host, deciding, call, found), similar=similar)
    return attrs.evolve(_shown(host, site, found), way=way, labels=labels)


def _function(host: Host, site: CallSite, function: FunctionSignature) -> ExplainedSite:
    """Return a site; what the engine reads of some calls of it tells whether its target depends on the call."""
    delegator, place = host.dispatcher.delegator, site.place
    answers = [
        (args, delegator.preview(HostCall(CallKind.DELEGATED, function.name, args, function, place=place), quiet=True))
        for args in samples(function.parameters) or [()]
    ]
    read = dict.fromkeys(name for _, said in answers for name in _read_of(said))
    if all(isinstance(said, Undecided) for _, said in answers):
        return _shown(host, site, answers[0][1])
    if not read:
        call = HostCall(CallKind.DELEGATED, function.name, (), function, place=place)
        return _shown(host, site, delegator.preview(call))
    return _by_reads(host, site, tuple(read), function, answers)


def _read_of(said: Decision | Undecided) -> tuple[str, ...]:
    return said.read if isinstance(said, Decision) else (*(name for name, *_ in said.noted), "consult")


def _by_reads(
    host: Host,
    site: CallSite,
    read: tuple[str, ...],
    function: FunctionSignature,
    answers: list[tuple[tuple[Any, ...], Decision | Undecided]],
) -> ExplainedSite:
    """Return a site whose target depends on the call, with what the engine says of some."""
    delegator = host.dispatcher.delegator
    _, steps = delegator.precedence.settle(function)
    examples = []
    for args, said in answers:
        if isinstance(said, Undecided):
            examples.append((write(args), f"asks {show_target(said.question.target)} first"))
        elif args and not said.fault:
            examples.append((write(args), with_beside(host, said.plan)))
    words = tuple(dict.fromkeys(_WORDS.get(name, name) for name in read))
    target = f"depends on: {', '.join(words)}"
    return _explained(
        site,
        target=target,
        source="engine",
        reasoning=f"the engine '{delegator.engine_name}' looks at them",
        steps=(*steps, ("engine", f"{delegator.engine_name}: {target}")),
        depends_on=words,
        may_go_to=_possible(host),
        examples=tuple(examples),
    )


_WORDS = {
    "args": "arguments",
    "text": "arguments",
    "size": "size of the request",
    "embedding": "meaning of the request",
    "semantic_hash": "meaning of the request",
    "types": "argument types",
    "arg_type_fingerprint": "argument types",
    "hints": "hints in force",
    "runtime_context_hash": "rules in force",
    "similarity": "meaning of texts",
    "consult": "what a model says",
}
"""What an engine reads, in words."""


def _possible(host: Host) -> tuple[str, ...]:
    """Return the targets that a decision of the engine can have."""
    security = host.dispatcher.capabilities.security
    targets = [each.target for each in host.pool.candidates if security.validate_execution_context(each.target) is None]
    return tuple(map(show_target, (LocalPure(), *targets)))


def _shown(host: Host, site: CallSite, decision: Decision | Undecided) -> ExplainedSite:
    if isinstance(decision, Decision):
        return _decided(host, site, decision)
    target = show_target(decision.question.target)
    return _explained(
        site,
        target="decided when called",
        source="engine",
        reasoning=f"the engine consults {target}",
        steps=(*decision.steps, ("engine", f"asks {target} first")),
        depends_on=(f"what {target} says",),
        may_go_to=_possible(host),
    )


def _decided(host: Host, site: CallSite, decision: Decision) -> ExplainedSite:
    plan = decision.plan
    target = plan.target
    provider, problem, reuse = "", "", False
    if isinstance(target, LocalModel | RemoteModel):
        instance = host.pool.get(target)
        problem = host.pool.unusable(target) or ""
        provider = "" if instance is None else f"{instance.entry.name} ({instance.distribution})"
        reuse = instance is not None and instance.reusable
    elif isinstance(target, L4CacheHit):
        provider = "a published program"  # which one is found by the types of the call's program, when it is called
    elif not isinstance(target, LocalPure):
        problem = plan.reasoning
    return _explained(
        site,
        target=show_target(target),
        source=plan.source.value,
        reasoning=plan.reasoning,
        steps=decision.steps,
        context=plan.context,
        hedge=beside(host, plan),
        provider=provider,
        usable=not problem,
        problem=problem,
        reuse=reuse,
        fault=decision.fault,
    )


def _capability(host: Host, site: CallSite, refused: Mapping[str, Refusal]) -> ExplainedSite:
    capabilities = host.dispatcher.capabilities
    if site.name is None:
        return _explained(site, target="capability", reasoning="its name is computed when the program runs")
    found = capabilities.id_of(site.name)
    if found is None and site.name in host.config.security.values:
        return _explained(site, target="host context", reasoning="a value of [security.context]")
    name = found or site.name
    target = f"capability {name}"
    if found is None:
        why = why_not_offered(host, name) or f"no plugin offers '{name}'"
        problem = f"{why}; {how_to_get(host, name)}"
        return _explained(site, target=target, reasoning="unknown", usable=False, problem=problem)
    provenance = capabilities.parts[found].provenance
    refusal = refused.get(found)
    steps: Steps = (("security", "granted" if refusal is None else refusal.reason),)
    return _explained(
        site,
        target=target if refusal is None else "denied",
        source="policy",
        reasoning="granted" if refusal is None else refusal.reason,
        steps=steps,
        provider=str(provenance),
        usable=refusal is None,
        problem="" if refusal is None else f"{refusal.reason}; {refusal.way_out}",
        effects=effects_of(capabilities.entries[found]),
    )


def _explained(site: CallSite, **details: Any) -> ExplainedSite:
    return ExplainedSite(
        kind=site.kind.value, name=site.name or "(computed)", place=site.place, inside=site.inside, **details
    )
