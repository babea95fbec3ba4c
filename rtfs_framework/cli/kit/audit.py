"""`rtfs plugins audit`: what each distribution declares that it needs, and what it may have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.lang.visible import visible_line
from rtfs_framework.registry.permissions import EVERYTHING, NONE, PERMISSIONS, Allowed
from rtfs_framework.registry.problems import HOST

if TYPE_CHECKING:
    from rtfs_framework.registry.catalog import Catalog

SILENT = "says nothing of what it needs"


@attrs.frozen(slots=True, kw_only=True)
class Audited:
    """A distribution: what it declares (None: nothing is said), what of that it may not have.

    And whether it may be loaded, and what it offers.
    """

    distribution: str
    version: str
    declared: tuple[str, ...] | None
    lacking: tuple[str, ...]
    loaded: bool
    offers: tuple[str, ...]


def audited(catalog: Catalog) -> list[Audited]:
    """Return the installed distributions, by name. The host's own parts are not among them."""
    from rtfs_framework.registry.kinds import KINDS

    offers: dict[str, list[str]] = {}
    for kind in KINDS:
        for name, (_, who) in getattr(catalog, kind.table).items():
            offers.setdefault(who.distribution, []).append(f"{kind.word} {name}")
    for name, found in catalog.data.items():
        offers.setdefault(found.provenance.distribution, []).append(f"data {name}")
    made = {}
    for who, declared in catalog.declared.items():
        if who.distribution == HOST:
            continue
        words = None if declared is None else tuple(word for word in declared if word != NONE)
        lacking = tuple(word for word in words or () if word not in catalog.allowed.of(who.distribution))
        made[who.distribution] = Audited(
            distribution=who.distribution,
            version=who.version,
            declared=words,
            lacking=lacking,
            loaded=not lacking and not (declared is None and catalog.allowed.refuses_silent(who.distribution)),
            offers=tuple(offers.get(who.distribution, ())),
        )
    return [made[name] for name in sorted(made)]


def lines(found: Sequence[Audited], allowed: Allowed) -> Iterator[str]:
    """Yield what people are shown."""
    if not found:
        yield "no plug-in is installed"
        return
    width = max(len(_who(each)) for each in found)
    for each in found:
        why = f"it may not have: {', '.join(each.lacking)}" if each.lacking else "nobody granted it anything by name"
        refused = "" if each.loaded else f"; NOT LOADED, {why}"
        needs = SILENT if each.declared is None else ", ".join(each.declared) or "needs nothing of these"
        yield f"{_who(each):<{width}}  {visible_line(needs)}{visible_line(refused)}"
    yield ""
    for word, meaning in PERMISSIONS.items():
        yield f"{word:<10}  {meaning}"
    yield ""
    everybody = ", ".join(sorted(allowed.everybody)) or "nothing"
    rule = "the configuration allows everything" if allowed.everybody == EVERYTHING else f"allowed: {everybody}"
    yield f"{rule}; {len(allowed.grants)} by name" if allowed.grants else rule
    yield "a declaration is the authors' word: a plug-in runs as a part of this process, and could do more"


def _who(each: Audited) -> str:
    return visible_line(f"{each.distribution} {each.version}".rstrip())


def to_json(each: Audited) -> dict[str, Any]:
    """Return one as JSON-ready data."""
    return {
        "distribution": each.distribution,
        "version": each.version or None,
        "declared": None if each.declared is None else list(each.declared),
        "lacking": list(each.lacking),
        "loaded": each.loaded,
        "offers": list(each.offers),
    }
