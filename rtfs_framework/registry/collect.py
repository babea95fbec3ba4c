"""Collecting: all plugins' offers in, the catalog out. Neither of two offers of one name is preferred."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from rtfs_framework.registry.admit import Offer
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.contracts import odd_types
from rtfs_framework.registry.discover import FoundPlugin
from rtfs_framework.registry.kinds import KINDS
from rtfs_framework.registry.problems import DUPLICATE, RECORDS, PluginProblem, Provenance

_FUNCTION = "function name"
_ALIAS = "capability alias"


def collect(
    offers: Sequence[Offer],
    problems: Sequence[PluginProblem],
    plugins: Sequence[Provenance],
    *,
    data: Sequence[FoundPlugin] = (),
    restricted: bool,
) -> Catalog:
    """Return the catalog of these offers. A name that several make gets a problem instead of a place."""
    by_name: dict[tuple[str, str], list[Offer]] = {}
    for offer in offers:
        by_name.setdefault((offer.kind.word, offer.name), []).append(offer)
    contested = {key: _contested(*key, _who(same)) for key, same in by_name.items() if len(same) > 1}
    tables: dict[str, Any] = {kind.table: {} for kind in KINDS}
    for key, (offer, *_) in by_name.items():
        if key not in contested:
            tables[offer.kind.table][offer.name] = (offer.entry, offer.provenance)
    offered = {id_: entry for id_, (entry, _) in tables["capabilities"].items()}
    aliases = aliases_of(offered)
    functions, clashes = _function_names(tables["capabilities"])
    contested.update(clashes)
    contested.update(alias_problems(tables["capabilities"]))
    sources: dict[str, list[FoundPlugin]] = {}
    for found in data:
        sources.setdefault(found.name, []).append(found)
    for name, same in sources.items():
        if len(same) > 1:
            contested["data", name] = _contested("data", name, [each.provenance for each in same])
    shown: dict[str, Any] = {name: MappingProxyType(table) for name, table in tables.items()}
    return Catalog(
        **shown,
        function_names=MappingProxyType(functions),
        aliases=MappingProxyType(aliases),
        data=MappingProxyType({name: same[0] for name, same in sources.items() if len(same) == 1}),
        plugins=tuple(plugins),
        problems=(*problems, *contested.values(), *_odd(tables["capabilities"])),
        contested=MappingProxyType(contested),
        restricted=restricted,
    )


def _odd(capabilities: Mapping[str, tuple[Any, Provenance]]) -> Iterator[PluginProblem]:
    """Yield a warning for each type that is surely misspelled."""
    for id_, (entry, who) in capabilities.items():
        for remark in odd_types(entry):
            yield odd_type(id_, remark, who)


def odd_type(id_: str, remark: str, who: Provenance) -> PluginProblem:
    """Return the warning of a capability's type that is surely misspelled."""
    return PluginProblem(
        code=RECORDS,
        message=f"capability `{id_}` of {who}: {remark}",
        distributions=(who.distribution,),
        help=f"upgrade {who.distribution} or tell its authors",
        severity="warning",
    )


def _who(offers: Iterable[Offer]) -> list[Provenance]:
    return [offer.provenance for offer in offers]


def aliases_of(capabilities: Mapping[str, Any]) -> dict[str, str]:
    """Return the other ids of capabilities, to their own; one that is another's own, or several want, is nobody's.

    What speaks against a capability (a denial, marks) counts under each id that it wants: `other_ids`.
    """
    wanted = _wanted(capabilities)
    return {alias: ids[0] for alias, ids in wanted.items() if len(ids) == 1 and alias not in capabilities}


def other_ids(id_: str, entry: Any) -> tuple[str, ...]:
    """Return the ids that a capability wants besides its own, each once.

    Documents of the original put a slash before the last part (`ccos.state.kv/get`): each id of theirs has that, too.
    """
    wanted = (*entry.aliases, *map(_slashed, filter(_theirs, (id_, *entry.aliases))))
    return tuple(each for each in dict.fromkeys(wanted) if each != id_)


def alias_problems(capabilities: Mapping[str, tuple[Any, Provenance]]) -> dict[tuple[str, str], PluginProblem]:
    """Return a problem for each alias that several capabilities want, or that is another's own id."""
    wanted = _wanted({id_: entry for id_, (entry, _) in capabilities.items()})
    found = {}
    for alias, ids in wanted.items():
        if alias in capabilities:
            found[_ALIAS, alias] = _taken(alias, capabilities[alias][1], [capabilities[each][1] for each in ids])
        elif len(ids) > 1:
            found[_ALIAS, alias] = _contested(_ALIAS, alias, [capabilities[each][1] for each in ids])
    return found


def _wanted(capabilities: Mapping[str, Any]) -> dict[str, list[str]]:
    wanted: dict[str, list[str]] = {}
    for id_, entry in capabilities.items():
        for alias in other_ids(id_, entry):
            wanted.setdefault(alias, []).append(id_)
    return wanted


def _taken(alias: str, owner: Provenance, who: Sequence[Provenance]) -> PluginProblem:
    others = " and ".join(dict.fromkeys(map(str, who)))
    return PluginProblem(
        code=DUPLICATE,
        message=f"{_ALIAS} `{alias}` of {others} is the id of a capability of {owner}",
        distributions=tuple(dict.fromkeys(each.distribution for each in who)),
        help="the capability of that id gets the name: uninstall one of them, or let RTFS_PLUGINS name only the other",
    )


def _theirs(id_: str) -> bool:
    return id_.startswith("ccos.") and "/" not in id_


def _slashed(id_: str) -> str:
    return "/".join(id_.rsplit(".", 1))


def _function_names(
    capabilities: dict[str, tuple[Any, Provenance]],
) -> tuple[dict[str, str], dict[tuple[str, str], PluginProblem]]:
    """Return the names under which programs may call capabilities, and those that several capabilities want."""
    wanted: dict[str, list[str]] = {}
    for capability, (entry, _) in capabilities.items():
        for name in dict.fromkeys(entry.names):
            wanted.setdefault(name, []).append(capability)
    clashes = {
        (_FUNCTION, name): _contested(_FUNCTION, name, [capabilities[each][1] for each in ids])
        for name, ids in wanted.items()
        if len(ids) > 1
    }
    return {name: ids[0] for name, ids in wanted.items() if len(ids) == 1}, clashes


def _contested(word: str, name: str, who: Sequence[Provenance]) -> PluginProblem:
    distributions = tuple(dict.fromkeys(each.distribution for each in who))
    if len(distributions) == 1:
        message = f"{word} `{name}` is offered {len(who)} times by {who[0]}"
        way_out = f"nobody gets the name until {distributions[0]} offers it once"
    else:
        message = f"{word} `{name}` is offered by {' and '.join(dict.fromkeys(map(str, who)))}"
        way_out = "nobody gets the name: uninstall one of them, or let RTFS_PLUGINS name only the other"
    return PluginProblem(code=DUPLICATE, message=message, distributions=distributions, help=way_out)
