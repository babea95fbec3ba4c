"""What a program needs of its host, and lacks: one list, each with a way out.

In: a host and a compiled program. Out: a `Need` for each capability that the program's text names, in calls and in
hints (`fallback`), and one where it computes names. Nothing is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.patterns import compile_patterns
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.lang.signature import SiteKind
from rtfs_framework.orchestrator.config.security import REMOTE_EXECUTE
from rtfs_framework.orchestrator.explaining.market.offers import GrantKey, offer_of
from rtfs_framework.orchestrator.explaining.written_hints import fallbacks
from rtfs_framework.registry.absent import REMOTE_HOST, distribution_of

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.artifact import Artifact
    from rtfs_framework.lang.source import Place
    from rtfs_framework.orchestrator.host import Host

GRANTED, LACKING, UNKNOWN, COMPUTED = "granted", "not granted", "not offered", "computed"
_OF_CAPABILITIES = (SiteKind.CAPABILITY, SiteKind.HOST_NAME)


@attrs.frozen(slots=True, kw_only=True)
class Need:
    """A capability that a program calls; "" for names that it computes."""

    id: str
    places: tuple[Place, ...]
    state: str
    why: str = ""
    way_out: str = ""
    provider: str = ""
    effects: tuple[str, ...] = ()
    keys: tuple[GrantKey, ...] = ()
    """What grants of it may say."""

    @property
    def lacking(self) -> bool:
        """Tell whether a call of it would fail here and now."""
        return self.state in (LACKING, UNKNOWN)

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {
            "id": self.id or None, "state": self.state, "lacking": self.lacking,
            "places": list(map(str, self.places)), "why": self.why or None, "way_out": self.way_out or None,
            "provider": self.provider or None, "effects": list(self.effects),
            "grant": [attrs.asdict(each) for each in self.keys],
        }  # fmt: skip


def needs(host: Host, artifact: Artifact) -> tuple[Need, ...]:
    """Return what a program needs, in the order of its text; what it computes comes last."""
    capabilities = host.dispatcher.capabilities
    places: dict[str, list[Place]] = {}
    for site in sorted(artifact.sites, key=lambda each: (each.place.source, each.place.line, each.place.column)):
        if site.kind not in _OF_CAPABILITIES:
            continue
        name = site.name or ""
        id_ = capabilities.id_of(name) or name
        if site.kind is SiteKind.HOST_NAME and id_ not in capabilities.entries:
            continue  # a value of the context, or a name that nobody knows: that is told as what it is
        places.setdefault(id_, []).append(site.place)
    for name, place in fallbacks(artifact.sources):
        places.setdefault(capabilities.id_of(name) or name, []).append(place)
    found = [need_of(host, id_, tuple(where)) for id_, where in places.items()]
    return tuple(sorted(found, key=lambda need: need.state == COMPUTED))


def need_of(host: Host, name: str, places: tuple[Place, ...] = ()) -> Need:
    """Return whether a capability may be called, and what to do where not; `places` are where a program names it."""
    if not name:
        why = "the name is computed when the program runs, and judged then"
        return Need(id="", places=places, state=COMPUTED, why=why)
    offer = offer_of(host, name)
    if offer is None:
        why = why_not_offered(host, name) or "no plug-in that is installed offers it"
        return Need(id=name, places=places, state=UNKNOWN, why=why, way_out=how_to_get(host, name))
    said = offer.permission
    return Need(
        id=name,
        places=places,
        state=GRANTED if said.granted else LACKING,
        why=said.why,
        way_out=said.way_out,
        provider=str(offer.provenance),
        effects=offer.effects,
        keys=offer.keys,
    )


def why_not_offered(host: Host, name: str) -> str:
    """Return why an installed plug-in does not offer a capability that it may offer; "" where none is known to."""
    if name == REMOTE_EXECUTE and REMOTE_HOST in host.catalog.providers:
        return "its plug-in is installed, and no remote host is configured"
    set_ = _set_of(host, name)
    if set_ is None:
        return ""
    who = host.catalog.capability_sets[set_][1].distribution
    return f"{who} is installed, and offers nothing as it is configured here"


def _set_of(host: Host, name: str) -> str | None:
    """Return the installed set of capabilities that offers nothing now, and may offer an id once it is configured."""
    offering = {part.provenance.distribution for part in host.dispatcher.capabilities.parts.values()}
    for set_, (entry, who) in host.catalog.capability_sets.items():
        fits = compile_patterns((*entry.ids, *entry.aliases))(name) is not None
        if fits and who.distribution not in offering:
            return set_
    return None


def how_to_get(host: Host, name: str) -> str:
    """Return what to do about a capability that nobody offers here: what to install, or what may be meant."""
    capabilities = host.dispatcher.capabilities
    distribution = distribution_of(name)
    if distribution is not None and all(each.distribution != distribution for each in host.catalog.plugins):
        return f"pip install {distribution}"
    if name == REMOTE_EXECUTE and why_not_offered(host, name):
        return f'configure one: [delegation.remote_providers.NAME] with provider = "{REMOTE_HOST}" and its endpoint'
    set_ = _set_of(host, name)
    if set_ is not None:
        return f"write what it needs in [capabilities.{set_}]; `rtfs capabilities search` finds what is offered here"
    near = did_you_mean(name, [*capabilities.entries, *capabilities.aliases])
    return near or "`rtfs capabilities search` finds what is offered here; `rtfs plugins` lists what is installed"
