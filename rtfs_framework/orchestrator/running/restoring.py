"""The rules under which a run began, for whoever goes on with it: it is never allowed more than then.

In: what the journal keeps beside the program (`Job.rules`), and a host of today. Out: the host, under rules that allow
what both do. Where the rules of today are those of then, it is the host itself, and plans of memory are served again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from rtfs_framework.api.capability import CapabilityGrant
from rtfs_framework.lang.signature import CallSite, SiteKind
from rtfs_framework.orchestrator.config.grants import ArgumentGrant
from rtfs_framework.orchestrator.config.isolation import ChildSpec, Isolation, stricter
from rtfs_framework.orchestrator.config.security import Kept, Quota, Reach, RuntimeContext, SecurityLevel
from rtfs_framework.orchestrator.config.signed import Signed, this_machine
from rtfs_framework.orchestrator.deciding.security import Refusal
from rtfs_framework.orchestrator.host import Host
from rtfs_framework.orchestrator.recording.purse import NANO, Purse
from rtfs_framework.orchestrator.running.narrowing import Narrowing, narrower, under

OF_CAPABILITIES = (SiteKind.CAPABILITY, SiteKind.HOST_NAME)


def told(rules: RuntimeContext) -> dict[str, Any]:
    """Return rules as JSON-ready data. Where relative paths of grants start counts on the machine that says it."""
    return {
        "machine": this_machine(),
        "level": rules.level.value,
        "reach": rules.reach.value,
        "isolation": rules.isolation.value,
        "grant": list(rules.grant),
        "deny": list(rules.deny),
        "arguments": [[each.id, _plain(each.table), each.grant.base] for each in rules.arguments],
        "kept": [[_plain(each.acl), each.agent] for each in (Kept(rules.acl, rules.agent), *rules.before)],
        "gone": sorted(rules.gone),
        "quota": attrs.asdict(rules.quota),
        "child": _plain(attrs.asdict(rules.child)),
        **({} if rules.signed is None else {"signed": rules.signed.to_json()}),
    }


def _plain(table: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(table, default=str))  # TOML has dates, too


def restored(host: Host, then: Mapping[str, Any]) -> Host:
    """Return a host whose rules allow what they do today, and did when a run began; one that kept none had these.

    Raises:
        ConfigError: E0731, a manifest was kept with the run, and this host goes beyond it.
    """
    rules = host.config.security
    if not then or then == told(rules):
        return host
    level = SecurityLevel(then["level"])
    by = Narrowing(
        level=level,
        reach=Reach(then["reach"]),
        grant=None if level is SecurityLevel.FULL else tuple(then["grant"]),  # there they say nothing
        deny=tuple(each for each in then["deny"] if each not in rules.deny),
        signed=Signed.of_json(then["signed"]) if "signed" in then else None,
    )
    offered, here = host.dispatcher.capabilities.security.offered, then["machine"] == this_machine()
    was = [(offered.id_of(id_), table, base if here else "") for id_, table, base in then["arguments"]]

    def is_of_then(each: ArgumentGrant) -> bool:
        return (offered.id_of(each.id), _plain(each.table), each.grant.base if here else "") in was

    kept = tuple(filter(is_of_then, rules.arguments))
    said = {*(id_ for id_, *_ in was), *(offered.id_of(each.id) for each in rules.arguments)}
    gone = said - {offered.id_of(each.id) for each in kept}  # nor is the bare name granted of what tables said
    before = tuple(Kept({name: tuple(agents) for name, agents in acl.items()}, agent) for acl, agent in then["kept"])
    made = attrs.evolve(
        narrower(rules, by),
        arguments=kept,
        gone=frozenset({*rules.gone, *then["gone"], *gone}),
        child=_both(rules.child, then["child"]),
        before=tuple(each for each in before if each.acl and each != Kept(rules.acl, rules.agent)),
        isolation=stricter(rules.isolation, Isolation(then["isolation"])),
        quota=_less(rules.quota, Quota(**then["quota"])),
    )
    found = host if made == rules else under(host, attrs.evolve(host.config, security=made))
    return found if by.signed is None else _held(found, by.signed)


def lacking(host: Host, then: Mapping[str, Any], sites: Iterable[CallSite]) -> dict[str, Refusal]:
    """Return the capabilities that a run might use when it began, and may not on a host of today, each with why.

    They are those that its program names; where it computes names, they are all that the host offers.
    """
    if not then:
        return {}
    capabilities = host.dispatcher.capabilities
    named = {each.name for each in sites if each.kind in OF_CAPABILITIES}
    # A name that nobody offers here any more is judged as it stands.
    ids = sorted({capabilities.id_of(name) or name for name in named if name is not None})
    ids += sorted(set(capabilities.entries) - set(ids)) if None in named else []
    was = attrs.evolve(capabilities.security, rules=_rules_of(host.config.security, then))
    refused = was.authorize_program(ids)
    return capabilities.security.authorize_program(each for each in ids if each not in refused)


def _rules_of(rules: RuntimeContext, then: Mapping[str, Any]) -> RuntimeContext:
    """Return the rules of then, as far as they say which capabilities may be used."""
    (acl, agent), *before = then["kept"]
    return attrs.evolve(
        rules,
        level=SecurityLevel(then["level"]),
        grant=tuple(then["grant"]),
        deny=tuple(then["deny"]),
        arguments=tuple(ArgumentGrant(id_, CapabilityGrant(None, base), said) for id_, said, base in then["arguments"]),
        gone=frozenset(then["gone"]),
        acl={name: tuple(agents) for name, agents in acl.items()},
        agent=agent,
        before=tuple(Kept({name: tuple(agents) for name, agents in acl.items()}, agent) for acl, agent in before),
        signed=Signed.of_json(then["signed"]) if "signed" in then else None,
    )


def _held(host: Host, signed: Signed) -> Host:
    """Return a host that was seen to go no further than a manifest; nothing is asked beside its runs."""
    from rtfs_framework.orchestrator.running.kept_manifests import check_kept

    check_kept(host, signed)
    return attrs.evolve(host, warming=None, judging=None)


def _both(child: ChildSpec, then: Mapping[str, Any]) -> ChildSpec:
    """Return what a child process may use today, and might then."""
    return ChildSpec(
        memory=min(child.memory, then["memory"]),
        files=min(child.files, then["files"]),
        **{
            key: tuple(each for each in getattr(child, key) if each in then[key])
            for key in ("environment", "read", "write")
        },
    )


def _less(one: Quota, other: Quota) -> Quota:
    names = ("usd", "tokens", "calls")
    return Quota(**{name: _least(getattr(one, name), getattr(other, name)) for name in names})


def _least(*bounds: Any) -> Any:
    """Return the least of some bounds; None is no bound."""
    return min((each for each in bounds if each is not None), default=None)


def purse_of(quota: Quota, given: Purse | None) -> Purse | None:
    """Return what a run may spend: what its asker allows, and no more than its host does."""
    nano = None if quota.usd is None else round(quota.usd * NANO)
    own = (nano, quota.tokens, quota.calls)
    if all(each is None for each in own):
        return given
    theirs = (None, None, None) if given is None else (given.nano, given.tokens, given.calls)
    return Purse(*map(_least, own, theirs))
