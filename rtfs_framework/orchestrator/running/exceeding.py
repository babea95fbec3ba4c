"""What is in force compared with what was signed off: each thing by which it allows more, with its place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rtfs_framework.orchestrator.config.isolation import USUAL_CHILD
from rtfs_framework.orchestrator.running.manifests import CapabilityTable, Manifest, plain

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath

Found = Iterator[tuple["KeyPath", str]]
"""Places in the manifest, and what goes beyond it there."""

_AMOUNTS = frozenset({"usd", "tokens", "calls"})
_UNSAID = {"scope": {}, "for_each": [], "per": "day", "used_up": "refuse"}
"""What a budget means that says nothing of it."""
_ISOLATION = ("inherit", "isolated", "sandboxed")


def beyond(signed: Manifest, now: Manifest) -> Found:
    """Yield what is in force and goes beyond what was signed off, each with its place in the manifest."""
    in_force = {each.id: each for each in now.capability}
    for place, then in enumerate(signed.capability):
        found = in_force.get(then.id)
        if found is not None:
            yield from ((("capability", place, key), message) for key, message in _wider(then, found))
    yield from _elsewhere(signed, now)
    yield from _marks(signed, now)
    yield from _bounds(signed, now)


def _wider(then: CapabilityTable, now: CapabilityTable) -> Iterator[tuple[str, str]]:
    if now.offered_by != then.offered_by:
        yield "offered_by", f"'{then.id}' is offered by {now.offered_by} now, and not by {then.offered_by}"
    more = sorted(set(now.effects) - set(then.effects))
    if more:
        yield "effects", f"'{then.id}' has more effects now: {', '.join(more)}"
    signed = [plain(each) for each in then.grant]
    for each in now.grant:
        if plain(each) not in signed:
            shown = json.dumps(plain(each.allows), ensure_ascii=False)
            yield "grant", f"a grant of '{then.id}' is not among those signed: {shown}, from the folder {each.base}"


def _elsewhere(signed: Manifest, now: Manifest) -> Found:
    for name, target in now.targets.items():
        if target and target != plain(signed.targets.get(name)):
            yield ("targets", name), f"{name} is another one now: {json.dumps(target, ensure_ascii=False)}"
    for name, settings in now.sets.items():
        if settings != plain(signed.sets.get(name)):
            yield ("sets", name), f"[capabilities.{name}] says something else now, or nothing was signed of it"
    for name in sorted({*now.context, *signed.context}):
        if now.context.get(name) != signed.context.get(name):
            yield ("context", name), f"@{name} is another value now, or one of both says nothing of it"
    for name, observer in now.kept.observers.items():
        if observer != plain(signed.kept.observers.get(name)):
            yield ("kept", "observers", name), f"the observer '{name}' hears this, and was not signed as it is now"
    more = sorted(set(now.kept.caches) - set(signed.kept.caches))
    if more:
        yield ("kept", "caches"), f"{', '.join(more)} would keep what was not signed"


def _marks(signed: Manifest, now: Manifest) -> Found:
    if signed.accepts and not now.accepts:
        yield ("accepts",), "nothing carries marks here, and what was signed bounds where they go"
    for name, marks in now.accepts.items():
        then = signed.accepts.get(name, ["*"])
        more = sorted(set(marks) - set(then))
        if more and "*" not in then:
            yield ("accepts", name), f"{name} takes {', '.join(f':{mark}' for mark in more)} now"


def _bounds(signed: Manifest, now: Manifest) -> Found:
    if _ISOLATION.index(now.isolation) < _rank(signed.isolation):
        yield ("isolation",), f"programs run '{now.isolation}' here, and '{signed.isolation}' was signed"
    for key, said in _freer({**plain(USUAL_CHILD), **plain(signed.child)}, now.child):
        yield ("child", key), f"a child process may use more now: {key}, {said}"
    for name, budget in signed.budgets.items():
        found = now.budgets.get(name)
        if found is None:
            yield ("budgets", name), f"the budget '{name}' is gone"
            continue
        for key in _looser({**_UNSAID, **budget}, {**_UNSAID, **found}):
            yield ("budgets", name), f"the budget '{name}' is another one now: {key}"
    for key in _looser(signed.quota, now.quota):
        yield ("quota", key), f"the quota of {key} is larger now, or gone"


def _freer(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the keys by which child processes may use more now, and what."""
    for key, value in now.items():
        found = then[key]
        if isinstance(value, list):
            known = found if isinstance(found, list) else ()
            more = [each for each in value if each not in known]
            if more:
                yield key, ", ".join(map(str, more))
        elif isinstance(found, bool) or not isinstance(found, int) or value > found:
            yield key, f"{value:,}"


def _rank(isolation: str) -> int:
    return _ISOLATION.index(isolation) if isolation in _ISOLATION else len(_ISOLATION)


def _looser(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys by which a bound allows more now, or bounds something else."""
    for key, value in then.items():
        found = now.get(key)
        if key in _AMOUNTS and isinstance(value, int | float) and isinstance(found, int | float):
            if found > value:
                yield key
        elif found != plain(value):
            yield key
