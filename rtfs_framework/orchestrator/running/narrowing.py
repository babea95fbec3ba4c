"""A host as a caller from elsewhere may use it: its own rules and the caller's, of which each only narrows.

In: a host, and what the caller's rules allow. Out: a host that shares everything with it but the rules: providers,
caches, journal, budgets and health are the same, so closing it is closing the other. Plans are kept apart, because the
rules are a part of what decisions rest on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.remote import NO_BOUNDS
from rtfs_framework.orchestrator.config.globs import Patterns
from rtfs_framework.orchestrator.config.model import Config
from rtfs_framework.orchestrator.config.security import REMOTE_EXECUTE, Reach, RuntimeContext, SecurityLevel
from rtfs_framework.orchestrator.config.signed import Signed
from rtfs_framework.orchestrator.config.surroundings import Surroundings
from rtfs_framework.orchestrator.deciding.around import HostAround
from rtfs_framework.orchestrator.deciding.labelling import Labelling
from rtfs_framework.orchestrator.deciding.policy import policy_hash, runtime_context_hash
from rtfs_framework.orchestrator.host import Host
from rtfs_framework.orchestrator.performing.models import Models
from rtfs_framework.orchestrator.performing.travel import bounds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rtfs_framework.orchestrator.boundary.answers import Answer, Waiting
    from rtfs_framework.orchestrator.deciding.security import SecurityAuthorizer
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall

    Own = Mapping[str, Callable[[OpenCall], Answer | Waiting]]

_LEVELS = (SecurityLevel.PURE, SecurityLevel.CONTROLLED, SecurityLevel.FULL)
_REACHES = (Reach.PURE, Reach.LOCAL, Reach.REMOTE)
_ANY = ("*",)


@attrs.frozen(slots=True, kw_only=True)
class Narrowing:
    """What a caller's rules allow; None for no word."""

    level: SecurityLevel | None = None
    reach: Reach | None = None
    grant: tuple[str, ...] | None = None
    """It counts at level "full", too: nothing else is granted."""
    deny: tuple[str, ...] = ()
    agent: str = ""
    pinned: str = ""
    """The agent that whoever asks surely is: this host knows it, so it goes before all other words."""
    environment: tuple[tuple[str, str], ...] = ()
    constraints: tuple[tuple[str, str], ...] = ()
    signed: Signed | None = None
    """A manifest to be held to."""


NO_NARROWING = Narrowing()


def narrowed(host: Host, by: Narrowing) -> Host:
    """Return a host with narrower rules."""
    if by == NO_NARROWING:
        return host
    around = _around(host.config.surroundings, by)
    rules = attrs.evolve(narrower(host.config.security, by), agent=around.agent)
    return under(host, attrs.evolve(host.config, security=rules, surroundings=around))


def under(host: Host, config: Config) -> Host:
    """Return a host that shares everything with another one but its rules, which must be no wider."""
    dispatcher = host.dispatcher
    security = attrs.evolve(dispatcher.capabilities.security, rules=config.security)
    delegator = dispatcher.delegator
    policy = policy_hash(config, host.pool, delegator.engine)
    delegator = attrs.evolve(
        delegator,
        precedence=attrs.evolve(delegator.precedence, security=security),
        policy_hash=policy,
        runtime_context_hash=runtime_context_hash(config),
        around=HostAround(config.surroundings, host.clock),
    )
    labelling = dispatcher.labelling
    travels = _travelling(config)
    models = _models(dispatcher.models, travels)
    consultations = attrs.evolve(dispatcher.consultations, security=security, models=models)
    services = dispatcher.capabilities.services
    served = None if services is None else attrs.evolve(services, consultations=consultations)
    own = _own(dispatcher.capabilities.own, security, models, travels)
    return attrs.evolve(
        host,
        config=config,
        dispatcher=attrs.evolve(
            dispatcher,
            delegator=delegator,
            capabilities=attrs.evolve(dispatcher.capabilities, security=security, services=served, own=own),
            models=models,
            consultations=consultations,
            hedging=attrs.evolve(dispatcher.hedging, models=models),
            labelling=None if labelling is None else Labelling(labelling.marks, delegator, labelling.capabilities),
        ),
        policy_hash=policy,
    )


def _travelling(config: Config) -> Config:
    """Return what goes along to other hosts, which know no manifest: the grants that it leaves."""
    signed = config.security.signed
    if signed is None:
        return config
    return attrs.evolve(config, security=narrower(config.security, Narrowing(grant=signed.capabilities)))


def _models(models: Models, config: Config) -> Models:
    """Return what asks models; where other hosts are among them, these rules go along."""
    if models.sender.bounds is NO_BOUNDS:
        return models
    return attrs.evolve(models, sender=attrs.evolve(models.sender, bounds=bounds_of(config)))


def _own(own: Own, security: SecurityAuthorizer, models: Models, config: Config) -> Own:
    """Return what the host answers itself; steps are sent to other hosts under these rules, which go along."""
    if REMOTE_EXECUTE not in own:
        return own
    from rtfs_framework.orchestrator.performing.remote_steps import RemoteSteps

    steps = getattr(own[REMOTE_EXECUTE], "__self__", None)
    if not isinstance(steps, RemoteSteps):
        return own
    made = attrs.evolve(steps, security=security, models=models, bounds=bounds_of(config))
    return {**own, REMOTE_EXECUTE: made.answer}


def narrower(rules: RuntimeContext, by: Narrowing) -> RuntimeContext:
    """Return rules that allow what both do."""
    level = rules.level if by.level is None else min(rules.level, by.level, key=_LEVELS.index)
    reach = rules.reach if by.reach is None else min(rules.reach, by.reach, key=_REACHES.index)
    own = _ANY if rules.level is SecurityLevel.FULL else rules.grant
    theirs = _ANY if by.grant is None else by.grant
    if by.grant is not None and level is SecurityLevel.FULL:
        level = SecurityLevel.CONTROLLED  # a list of grants says that nothing else is granted
    deny = (*rules.deny, *by.deny)
    signed = by.signed if rules.signed is None or by.signed in (None, rules.signed) else rules.signed.both(by.signed)
    signed = rules.signed if by.signed is None else signed
    return attrs.evolve(rules, level=level, reach=reach, grant=_both(own, theirs), deny=deny, signed=signed)


def _both(own: Iterable[str], theirs: Iterable[str]) -> tuple[str, ...]:
    """Return patterns that fit only what patterns of both fit: of two of which one fits the other, the narrower one."""
    own, theirs = tuple(own), tuple(theirs)
    within, without = Patterns(own), Patterns(theirs)
    found = [each for each in theirs if within.match(each) is not None]
    found += [each for each in own if without.match(each) is not None]
    return tuple(dict.fromkeys(found))


def _around(around: Surroundings, by: Narrowing) -> Surroundings:
    """Return what decisions read of a call's surroundings: a pinned agent, then the host's own words, go first."""
    return attrs.evolve(
        around,
        agent=by.pinned or around.agent or by.agent,
        environment={**dict(by.environment), **around.environment},
        constraints={**dict(by.constraints), **around.constraints},
    )
