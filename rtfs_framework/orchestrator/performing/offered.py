"""What programs may call on a host, as far as rules let them: the capabilities of plug-ins, and the host's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.cache import CacheLevel
from rtfs_framework.api.plans import Candidate
from rtfs_framework.api.targets import Capability, ExecTarget
from rtfs_framework.api.values import Clock
from rtfs_framework.orchestrator.concurrency.loops import LoopThread
from rtfs_framework.orchestrator.config.grants import Grantable
from rtfs_framework.orchestrator.config.security import FEEDBACK, REMOTE_EXECUTE
from rtfs_framework.orchestrator.deciding.security import SecurityAuthorizer
from rtfs_framework.orchestrator.performing.capabilities import Capabilities
from rtfs_framework.orchestrator.performing.feedback import FeedbackDesk, Heard, feedback_entry
from rtfs_framework.orchestrator.performing.waits import NAMES, Waits, wait_entries
from rtfs_framework.orchestrator.recording.events import EventBus
from rtfs_framework.registry.faults import Part
from rtfs_framework.registry.problems import Provenance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rtfs_framework.api.labels import Label
    from rtfs_framework.orchestrator.boundary.answers import Answer, Waiting
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.orchestrator.deciding.facts import AnyEmbedder
    from rtfs_framework.orchestrator.performing.dispatch import Dispatcher
    from rtfs_framework.orchestrator.performing.isolation.places import SetPlace
    from rtfs_framework.orchestrator.performing.judging import Judging
    from rtfs_framework.orchestrator.performing.label_check import HostLabels
    from rtfs_framework.orchestrator.performing.providers import ProviderPool
    from rtfs_framework.orchestrator.performing.redaction import Redactor
    from rtfs_framework.orchestrator.performing.remote_steps import RemoteSteps
    from rtfs_framework.orchestrator.performing.served import Services
    from rtfs_framework.orchestrator.recording.journal.run import Chain
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall
    from rtfs_framework.orchestrator.remembering.cache_stack import CacheStack
    from rtfs_framework.orchestrator.remembering.reuse import Reuse
    from rtfs_framework.orchestrator.remembering.safe_layer import SafeLayer
    from rtfs_framework.orchestrator.remembering.similar import Similar
    from rtfs_framework.registry.catalog import Catalog


@attrs.frozen(slots=True, eq=False)
class Desks:
    """What a host answers itself: what programs say of calls, what they wait for or ask, and steps of other hosts."""

    hears: Heard
    waits: Waits
    services: Services
    remote: RemoteSteps | None = None
    sets: Mapping[str, SetPlace] = attrs.field(factory=dict)
    """How processes of their own make the sets of capabilities, by the capabilities' ids."""


def capabilities_of(
    catalog: Catalog,
    security: SecurityAuthorizer,
    clock: Clock,
    events: EventBus,
    io: LoopThread,
    desks: Desks,
    *,
    threads: int,
    environ: Mapping[str, str],
) -> Capabilities:
    """Return the capabilities of a host."""
    hears, waits, remote = desks.hears, desks.waits, desks.remote
    offered = catalog.capabilities.items()
    entries = {FEEDBACK: feedback_entry()}
    own: dict[str, Callable[[OpenCall], Answer | Waiting]] = {FEEDBACK: FeedbackDesk(clock, hears, events).answer}
    entries |= wait_entries()
    own |= dict.fromkeys(wait_entries(), waits.answer)
    if remote is not None:
        from rtfs_framework.orchestrator.performing.remote_steps import remote_entry

        entries[REMOTE_EXECUTE], own[REMOTE_EXECUTE] = remote_entry(), remote.answer
    return Capabilities(
        entries={**{name: entry for name, (entry, _) in offered}, **entries},
        own=own,
        services=desks.services,
        waits=waits,
        parts={
            **{name: Part("capability", name, provenance) for name, (_, provenance) in offered},
            **{name: Part("capability", name, Provenance("rtfs-framework", "", __name__)) for name in entries},
        },
        names={**NAMES, **catalog.function_names},
        aliases=catalog.aliases,
        security=security,
        clock=clock,
        events=events,
        io=io,
        threads=threads,
        environ=environ,
        sets=desks.sets,
    )


def known_by(pool: ProviderPool, catalog: Catalog) -> Callable[[ExecTarget], Candidate | None]:
    """Return what tells what is known of a target: of models that can be used, and of plug-ins' capabilities."""

    def known(target: ExecTarget) -> Candidate | None:
        if not isinstance(target, Capability):
            return pool.candidate(target)
        entry, _ = catalog.capabilities.get(target.id, (None, None))
        if entry is None:
            return None
        again = entry.idempotent or entry.deterministic
        return Candidate(target, "capability", idempotent=again, deterministic=entry.deterministic)

    return known


def embedder_of(config: Config, catalog: Catalog, events: EventBus, pool: ProviderPool) -> AnyEmbedder | None:
    """Return what makes vectors: a plug-in's embedder, or a target that is asked; nothing is made yet.

    Engines read them, and providers that want to, as long as no text leaves the machine for it.
    """
    spec = config.embedder
    if spec is None:
        return None
    if spec.target is not None:
        return pool.embedder(spec.target)
    from rtfs_framework.orchestrator.deciding.embedding import held_embedder

    held = held_embedder(spec, catalog, events.plugin_failed)
    for instance in pool.instances.values():
        if instance.entry.vectors:
            instance.vector = held.vector
    return held


def similar_of(
    caches: CacheStack, embedder: AnyEmbedder | None, reuse: Reuse, labels: HostLabels | None, clock: Clock
) -> Similar | None:
    """Return what looks for similar requests; None where no such layer is on, or nothing makes vectors here."""
    layer = caches.of_level(CacheLevel.SIMILAR)
    if layer is None:
        return None
    from rtfs_framework.orchestrator.deciding.embedding import HeldEmbedder
    from rtfs_framework.orchestrator.remembering.similar import Similar

    if not isinstance(embedder, HeldEmbedder):
        why = "no embedder of this device is configured: name one by `embedder` under [delegation]"
        layer.blame("its vectors", why)
        return None
    best = embedder
    while best.then is not None:  # the better one of two: it is asked once for a call to a model
        best = best.then
    accepts = kept_marks(caches, layer, labels)
    return Similar(layer=layer, vector=best.vector, reuse=reuse, clock=clock, accepts=accepts)


def judging_of(
    config: Config, dispatcher: Dispatcher, labels: HostLabels | None, begin: Callable[[str, str], Chain | None]
) -> Judging | None:
    """Have served answers to similar requests judged, where a layer names a model for it; return what does."""
    similar = dispatcher.models.similar
    spec = None if similar is None else config.caches.get(similar.layer.name)
    if similar is None or spec is None or not spec.targets:
        return None
    from rtfs_framework.orchestrator.performing.judging import Judging

    made = similar.judging = Judging(
        similar=similar,
        targets=spec.targets,
        consultations=dispatcher.consultations,
        clock=dispatcher.clock,
        events=dispatcher.events,
        tenant=config.tenant,
        begin=lambda run: begin(run, "judgements"),
    )
    if labels is not None:
        made.accepts, made.brings = labels.marks.accepts, labels.marks.of_answer
    return made


def kept_marks(caches: CacheStack, layer: SafeLayer | None, labels: HostLabels | None) -> Label | None:
    """Return the marks that what a layer keeps may carry; None for all."""
    if labels is None or layer is None:
        return None
    return labels.kept(layer.name, shared=caches.shared(layer.name))


def labels_of(config: Config, events: EventBus) -> HostLabels | None:
    """Return the marks of a host and their rules; None where no label is configured."""
    if config.labels is None:
        return None
    from rtfs_framework.orchestrator.performing.label_check import HostLabels

    return HostLabels.of(config.labels, config.redaction, events)


def labelled(config: Config, catalog: Catalog) -> Config:
    """Return a configuration whose labels know the ids of all capabilities, those of sets included."""
    labels = config.labels
    return (
        config if labels is None else attrs.evolve(config, labels=attrs.evolve(labels, offered=Grantable.of(catalog)))
    )


def redactor_of(config: Config, catalog: Catalog) -> Redactor | None:
    """Return what takes out of requests what plans say; None where there are no rules."""
    if not config.redaction:
        return None
    from rtfs_framework.orchestrator.performing.redaction import Redactor

    return Redactor(config.redaction, catalog)
