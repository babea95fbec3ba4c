"""A host, put together once per session from its configuration and the catalog: policy, providers, caches, dispatch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.cache import CacheLevel
from rtfs_framework.api.secrets import blotter
from rtfs_framework.api.targets import ExecTarget, RemoteModel
from rtfs_framework.api.values import Clock
from rtfs_framework.orchestrator.concurrency.loops import LoopThread
from rtfs_framework.orchestrator.concurrency.slots import Slots
from rtfs_framework.orchestrator.config.folders import cache_dir
from rtfs_framework.orchestrator.config.grants import Grantable
from rtfs_framework.orchestrator.config.key_binding import secrets_of, surroundings
from rtfs_framework.orchestrator.config.model import MANY, Config
from rtfs_framework.orchestrator.deciding.around import HostAround
from rtfs_framework.orchestrator.deciding.delegate import Delegator
from rtfs_framework.orchestrator.deciding.engines import make_engine, make_shadow
from rtfs_framework.orchestrator.deciding.policy import policy_hash, runtime_context_hash
from rtfs_framework.orchestrator.deciding.precedence import Precedence
from rtfs_framework.orchestrator.deciding.security import SecurityAuthorizer
from rtfs_framework.orchestrator.deciding.sequel import MOST_VERDICTS, Sequel
from rtfs_framework.orchestrator.deciding.shadow import Shadow
from rtfs_framework.orchestrator.deciding.signals import Signals
from rtfs_framework.orchestrator.learning.build import Learning, build_learning, experiences_of
from rtfs_framework.orchestrator.performing.approvals.waiting import Approvals, store_of
from rtfs_framework.orchestrator.performing.budgets.build import Counting, build_counting
from rtfs_framework.orchestrator.performing.capability_sets import MadeSet, places_of, with_sets
from rtfs_framework.orchestrator.performing.consulting import Consultations
from rtfs_framework.orchestrator.performing.dispatch import Dispatcher
from rtfs_framework.orchestrator.performing.feedback import Heard
from rtfs_framework.orchestrator.performing.found import with_found
from rtfs_framework.orchestrator.performing.gate import Gate
from rtfs_framework.orchestrator.performing.guards.guards import make_guards
from rtfs_framework.orchestrator.performing.health.board import Board
from rtfs_framework.orchestrator.performing.health.build import build_board
from rtfs_framework.orchestrator.performing.health.check import BreakerCheck
from rtfs_framework.orchestrator.performing.hedging import Hedging
from rtfs_framework.orchestrator.performing.hinting import Hinting
from rtfs_framework.orchestrator.performing.members import link_members
from rtfs_framework.orchestrator.performing.models import Models
from rtfs_framework.orchestrator.performing.offered import (
    Desks,
    capabilities_of,
    embedder_of,
    judging_of,
    kept_marks,
    known_by,
    labelled,
    labels_of,
    redactor_of,
    similar_of,
)
from rtfs_framework.orchestrator.performing.people import People
from rtfs_framework.orchestrator.performing.prompt import signature_text, wording
from rtfs_framework.orchestrator.performing.providers import ProviderInstance, ProviderPool, untold
from rtfs_framework.orchestrator.performing.published import PublishedPrograms, shelf_of, trust_digest
from rtfs_framework.orchestrator.performing.sending import Sender
from rtfs_framework.orchestrator.performing.served import Services
from rtfs_framework.orchestrator.performing.waits import Waits
from rtfs_framework.orchestrator.recording.events import EventBus
from rtfs_framework.orchestrator.recording.journal.configured import journal_of
from rtfs_framework.orchestrator.recording.journal.run import Chain, begun
from rtfs_framework.orchestrator.recording.listening import listen
from rtfs_framework.orchestrator.recording.purse import NO_ASKER, Asker
from rtfs_framework.orchestrator.remembering.artifacts.store import ArtifactStore
from rtfs_framework.orchestrator.remembering.cache_stack import CacheStack, build_stack
from rtfs_framework.orchestrator.remembering.keyring import Keyring
from rtfs_framework.orchestrator.remembering.reuse import Reuse
from rtfs_framework.registry.faults import Part

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.concurrency.outside import Told
    from rtfs_framework.orchestrator.deciding.engines import Engine
    from rtfs_framework.orchestrator.performing.judging import Judging
    from rtfs_framework.orchestrator.performing.offers import Offers
    from rtfs_framework.orchestrator.performing.warming import Warming
    from rtfs_framework.orchestrator.recording.journal.kept import Job
    from rtfs_framework.orchestrator.recording.journal.writer import Journal
    from rtfs_framework.orchestrator.recording.records import CallRecord
    from rtfs_framework.registry.catalog import Catalog


@attrs.frozen(slots=True, eq=False, kw_only=True)
class Host:
    """All that runs share."""

    config: Config
    catalog: Catalog
    clock: Clock
    events: EventBus
    pool: ProviderPool
    caches: CacheStack
    artifacts: ArtifactStore
    dispatcher: Dispatcher
    io: LoopThread
    """Where everything that plug-ins await runs."""
    journal: Journal | None
    health: Board
    counting: Counting
    """Its budgets and rates."""
    learning: Learning
    warming: Warming | None
    """What makes models ready before they are asked; None where nothing may be."""
    judging: Judging | None
    policy_hash: str
    people: People
    """Puts the questions of programs to whoever is there."""
    offers: Offers | None = None
    """What other hosts can do now; None where nobody reads it."""
    sets: tuple[MadeSet, ...] = ()
    """Capabilities that share something, to be let go with the host."""

    def begin(
        self, run: str, program: str, source: str, seed: str, asker: Asker = NO_ASKER, job: Job | None = None
    ) -> Chain | None:
        """Begin a run in the journal, None when there is none. `job` is what somebody needs to go on with it."""
        if self.offers is not None:
            self.offers.look()
        what = (self.config.tenant, self.policy_hash, run, program, source, seed)
        signed = self.config.security.signed
        return begun(self.journal, *what, asker=asker, job=job, manifest="" if signed is None else signed.digest)

    @property
    def ended(self) -> Callable[[CallRecord], None]:
        """What is told of calls that are over: engines learn from them, and what follows may be made ready."""
        if self.warming is None:
            return self.learning.ended
        learned, warmed = self.learning.ended, self.warming.ended

        def ended(record: CallRecord) -> None:
            learned(record)
            warmed(record)

        return ended

    @property
    def concurrency(self) -> int:
        """How many records of a stream may be under way at once."""
        if self.config.concurrency is not None:
            return self.config.concurrency
        remote = any(isinstance(candidate.target, RemoteModel) for candidate in self.pool.candidates)
        return MANY if remote else 1

    def mind_purses(self) -> None:
        """Hold runs to what their askers allow, from now on: for hosts that others ask. To be called before any run."""
        from rtfs_framework.orchestrator.performing.budgets.estimate import Prices, dearest
        from rtfs_framework.orchestrator.performing.budgets.purse_check import PurseCheck

        def unknown() -> Prices | None:
            return dearest(each.spec for each in self.pool.instances.values()) if guess else None

        gate, rules = self.dispatcher.models.sender.gate, self.config.ledger
        if any(isinstance(each, PurseCheck) for each in gate.checks):
            return
        guess = rules.unknown_price == "dearest"
        gate.add(PurseCheck(rules.max_tokens, unknown))

    def close(self) -> None:
        """Release caches and write what the journal still holds."""
        try:
            helpers: tuple[Warming | Judging | Offers | None, ...] = (self.warming, self.judging, self.offers)
            for close in [each.close for each in helpers if each is not None]:
                close()
            self.events.close()
            self.caches.close()
            self.dispatcher.models.close()
            for each in self.sets:
                each.close()
        finally:
            self.health.close()
            self.counting.close()
            try:
                if self.journal is not None:
                    self.journal.close()
            finally:
                self.learning.close()


def build_host(config: Config, catalog: Catalog, environ: Mapping[str, str], clock: Clock, *, journal: bool) -> Host:
    """Put a host together. Nothing slow is made here: providers are made when first asked.

    Raises:
        PluginError: The configured engine, or a guard, cannot be made.
    """
    engine, shadow = make_engine(config, catalog), make_shadow(config, catalog)
    events, io = EventBus(clock), LoopThread("io")
    catalog, sets = with_sets(catalog, config, environ, events)
    config = labelled(config, catalog)
    listen(events, catalog, config, environ)
    pool = provider_pool(config, catalog, environ, events.plugin_failed)
    config = with_found(priced(config, pool, catalog, environ, clock, events.plugin_failed), pool, environ)
    keyring = Keyring(lambda: str(cache_dir(environ)))
    caches = build_stack(
        catalog.caches,
        config.caches,
        clock=clock,
        ttl=config.cache_ttl,
        directory=lambda: str(cache_dir(environ)),
        report=events.plugin_failed,
        back=events.cache_works,
        keyring=keyring,
        environ=environ,
    )
    labels = labels_of(config, events)
    where = config.path or "delegation.toml"
    security = SecurityAuthorizer(
        config.security, where, None if labels is None else labels.rule, Grantable.of(catalog)
    )
    published = PublishedPrograms(shelf_of(config.publishing, environ, keyring))
    policy = policy_hash(config, pool, engine, trust_digest(published.shelf.ring))
    guards = make_guards(config.guards, catalog, events.plugin_failed)
    replies, asked_by = caches.of_level(CacheLevel.L2), guards.fingerprint
    reuse = Reuse(replies, keyring, signature_text, asked_by, kept_marks(caches, replies, labels))
    blot = blotter(secrets_of(config, environ))
    written = None
    if journal and config.journal.enabled:
        written = journal_of(config.journal, environ, clock, blot, events.journal_failed)
    health = build_board(config.health, pool, environ, clock, events, written)
    counting = build_counting(config, pool, environ, clock, events, written, catalog)
    remembered = experiences_of(config, caches, keyring, clock)
    learning = build_learning(config, engine, environ, clock, events, journal=journal, experiences=remembered)
    marked = () if labels is None else (labels.check,)
    gate = Gate((*marked, *counting.rate_checks, BreakerCheck(health), *counting.budget_checks))
    sender = Sender(clock=clock, events=events, io=io, gate=gate, guards=guards, blot=blot)
    embedder = embedder_of(config, catalog, events, pool)
    models = Models(
        reuse,
        sender,
        config.attempts.most or MOST_VERDICTS,
        agent=config.surroundings.agent,
        similar=similar_of(caches, embedder, reuse, labels, clock),
        redactor=redactor_of(config, catalog),
    )
    waits = Waits(clock, events, resuming=config.resuming)
    if any(each.later for each in config.providers):
        from rtfs_framework.orchestrator.performing.later import deferring

        models = deferring(models, config, environ, clock, catalog, waits)
    remote = offers = None
    if any(each.entry.travels for each in pool.instances.values()):
        from rtfs_framework.orchestrator.performing.remote_steps import travelling

        models, remote, offers = travelling(models, config, pool, security, written)
    signals = Signals(targets=health, budgets=counting, prices=pool, offers=offers)
    precedence = Precedence(
        security=security,
        targets=pool,
        routes=config.routes,
        default_target=config.default_target,
        found=config.found,
        clock=clock,
        sequel=Sequel(spec=config.attempts, candidate=known_by(pool, catalog), signals=signals),
        routes_first=not config.engine_chosen,
        published=published.candidates,
    )
    consultations = Consultations(models, pool, security, clock)
    served = Services(People(waits, config.approval_seconds), consultations)
    desks = Desks(Heard(learning, models.similar), waits, served, remote, places_of(sets))
    offered = capabilities_of(catalog, security, clock, events, io, desks, threads=config.parallel, environ=environ)
    dispatcher = Dispatcher(
        delegator=Delegator(
            precedence=precedence,
            engine=engine,
            l1=caches.of_level(CacheLevel.L1),
            policy_hash=policy,
            runtime_context_hash=runtime_context_hash(config),
            tenant=config.tenant,
            signals=signals,
            embedder=embedder,
            around=HostAround(config.surroundings, clock),
            learned=learning,
            wording=wording,
            clock=clock,
            report=events.plugin_failed,
            shadow=None if shadow is None else Shadow(shadow, precedence, events.plugin_failed),
        ),
        pool=pool,
        models=models,
        capabilities=offered,
        clock=clock,
        events=events,
        slots=Slots(config.parallel - 1),
        consultations=consultations,
        hedging=Hedging(models, pool, clock),
        approvals=Approvals(
            store=lambda: store_of(environ, clock),
            clock=clock,
            events=events,
            seconds=config.approval_seconds,
            policy=policy,
            keep_args=config.journal.keep == "replies",
            waits=waits,
        ),
        hinting=Hinting(policy=config.hints, where=where, capabilities=offered, pool=pool, reuse=reuse, clock=clock),
        shelf=published,
        experiences=remembered,
    )
    if labels is not None:
        labelling = labels.at_work(dispatcher.delegator, catalog.capabilities)
        dispatcher = attrs.evolve(dispatcher, labelling=labelling)

    def begin(run: str, what: str = "warm-ups") -> Chain | None:
        return begun(written, config.tenant, policy, run, "", what, run)

    return Host(
        config=config,
        catalog=catalog,
        clock=clock,
        events=events,
        pool=pool,
        caches=caches,
        artifacts=ArtifactStore(caches.of_level(CacheLevel.L4), lambda: str(cache_dir(environ)), events),
        dispatcher=dispatcher,
        io=io,
        journal=written,
        health=health,
        counting=counting,
        learning=learning,
        warming=_warming(config, engine, dispatcher, learning, begin),
        judging=judging_of(config, dispatcher, labels, begin),
        policy_hash=policy,
        people=served.people,
        offers=offers,
        sets=sets,
    )


def _warming(
    config: Config, engine: Engine | None, dispatcher: Dispatcher, learning: Learning,
    begin: Callable[[str], Chain | None],
) -> Warming | None:  # fmt: skip
    if config.warming.per_hour == 0:
        return None
    from rtfs_framework.orchestrator.performing.warming import Warming, proposing

    return Warming(
        spec=config.warming,
        proposing=proposing(engine),
        learned=learning,
        pool=dispatcher.pool,
        candidates=lambda: dispatcher.delegator.precedence.weighed()[0],
        models=dispatcher.models,
        clock=dispatcher.clock,
        events=dispatcher.events,
        tenant=config.tenant,
        begin=begin,
        embedder=dispatcher.delegator.embedder,
    )


def provider_pool(config: Config, catalog: Catalog, environ: Mapping[str, str], told: Told = untold) -> ProviderPool:
    """Return the providers that a configuration names, none of them made yet."""
    instances: dict[ExecTarget, ProviderInstance] = {}
    for spec in config.providers:
        entry, provenance = catalog.provider_of(spec.plugin)
        part = Part("provider", spec.id, provenance)
        seen = surroundings(spec, entry, config.keys, environ)
        instances[spec.target] = ProviderInstance(
            spec, entry, seen.environ, part, told, threads=config.parallel, refusal=seen.refusal
        )
    link_members(instances)
    return ProviderPool(instances)


def priced(
    config: Config, pool: ProviderPool, catalog: Catalog, environ: Mapping[str, str], clock: Clock, told: Told = untold
) -> Config:
    """Return the configuration, its providers with what an installed list of prices says of their models."""
    asked = [
        instance
        for target, instance in pool.instances.items()
        if isinstance(target, RemoteModel) and instance.spec.model and pool.unusable(target) is None
    ]
    if not asked or catalog.prices is None:
        return config
    from rtfs_framework.orchestrator.performing.prices import Prices, price_all, today

    price_all(asked, Prices(catalog.prices, lambda: cache_dir(environ), today(clock.now()), told))
    return attrs.evolve(config, providers=tuple(instance.spec for instance in pool.instances.values()))
