"""The engine: of the hosts that may take a call, the one with room, the lowest price, the least load, the quickest.

In: the context of a call. Out: a plan for one host, or what the fallback says. All that it knows of hosts it reads
through its context: offers are signals like health and load, so a plan is found again while they stand.

A host that declined is not asked again for the call; one that it named instead is asked next, if it is configured and
nothing speaks against it. So a request is handed from host to host, each hop another decision with the same guards.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from rtfs_engine_remote_rtfs.settings import PeerSettings
from rtfs_framework.api import (
    CallContext,
    Candidate,
    DelegationPlan,
    EngineSettings,
    Left,
    Offer,
    PlanSource,
    RemoteModel,
    Scored,
    compile_patterns,
)

NAME = "remote-rtfs"
_ROOM = {Left.PLENTY: 0, Left.SOME: 1, Left.LITTLE: 2, Left.NOTHING: 3}
_UNKNOWN = float("inf")

_Key = tuple[bool, int, float, int, float, int]


@attrs.frozen(slots=True)
class _Ranked:
    """A host that may be asked; the least `key` is the best."""

    key: _Key
    target: RemoteModel
    why: str


class PeerEngine:
    """Chooses among hosts."""

    __slots__ = ("_fallback", "_ours", "_own", "_peers")

    def __init__(self, settings: EngineSettings) -> None:
        self._own: PeerSettings = settings.own or PeerSettings()
        self._ours = compile_patterns(tuple(self._own.symbols))
        self._fallback = next(iter(settings.children.get("fallback", ())), None)
        self._peers = tuple(settings.targets[each] for each in self._own.peers)
        for each in self._peers:
            if not isinstance(each, RemoteModel):
                raise TypeError(f"'peers' names no remote host: {each!r:.60}")

    def claims(self) -> Iterable[str]:
        """Return the functions that its settings name; the host adds what the fallback claims."""
        return tuple(self._own.symbols)

    def decide(self, context: CallContext) -> DelegationPlan | None:
        """Return the plan for one call, None where nobody has an opinion."""
        if self._ours(context.symbol) is None:
            return self._else(context, ())
        known = {each.target: each for each in context.candidates}
        attempts = context.attempts
        tried = {each.target for each in attempts}
        named = {target for each in attempts for target in each.elsewhere}
        ranked, out = [], []
        peers = self._peers or tuple(each.target for each in known.values() if each.provider == NAME)
        for place, target in enumerate(peers):
            if not isinstance(target, RemoteModel):
                continue
            why = "it was tried" if target in tried else None
            found = why or self._ranked(context, target, known.get(target), place, named=target in named)
            if isinstance(found, str):
                out.append(("excluded", f"remote-{target.id}: {found}"))
            else:
                ranked.append(found)
        if not ranked or len(tried.intersection(peers)) >= self._own.most_tried:
            return self._else(context, tuple(out))
        first, *others = sorted(ranked, key=lambda each: each.key)
        return DelegationPlan(
            target=first.target,
            reasoning=f"remote-{first.target.id}: {first.why}",
            source=PlanSource.ENGINE,
            engine=NAME,
            context=tuple(out),
            alternatives=tuple(Scored(each.target, -float(place), each.why) for place, each in enumerate(others, 1)),
        )

    def _ranked(
        self, context: CallContext, target: RemoteModel, known: Candidate | None, place: int, *, named: bool
    ) -> _Ranked | str:
        """Return a host with its rank, or why it is not asked."""
        if known is None:
            return "it cannot be used here"
        if known.accepts is not None and not context.labels <= known.accepts:
            return "it may not be sent the marks of the call"
        health = context.health(target)
        if not health.passes:
            return f"its breaker is {health.value}"
        offer = context.offer(target)
        if offer is None and self._own.known_only:
            return "it has not said what it offers"
        why = None if offer is None else self._why_not(context, offer)
        if why is not None:
            return why
        cost = _cost(context, target, offer)
        if self._own.max_cost is not None and cost > self._own.max_cost:
            return f"it costs {'nobody knows what' if cost == _UNKNOWN else f'{cost:g}'}"
        room = Left.PLENTY if offer is None else offer.room
        latency = context.latency(target)
        key = not named, _ROOM[room], cost, context.load(target), _UNKNOWN if latency is None else latency.p50, place
        return _Ranked(key, target, _told(offer, cost, named=named))

    def _why_not(self, context: CallContext, offer: Offer) -> str | None:
        if offer.room is Left.NOTHING:
            return "it has no room"
        if offer.accepts is not None and not context.labels <= offer.accepts:
            return "it does not accept the marks of the call"
        fit = [
            each
            for each in offer.targets
            if each.health.passes and (each.accepts is None or context.labels <= each.accepts)
        ]
        if not fit:
            return "it has no target that could be asked now"
        best = max((each.quality for each in fit if each.quality is not None), default=0.0)
        return f"its best quality is {best:g}" if best < self._own.quality_floor else None

    def _else(self, context: CallContext, out: tuple[tuple[str, str], ...]) -> DelegationPlan | None:
        plan = None if self._fallback is None else self._fallback.decide(context)
        return None if plan is None else attrs.evolve(plan, context=(*plan.context, *out))


def _cost(context: CallContext, target: RemoteModel, offer: Offer | None) -> float:
    """Return what a request costs there: as the configuration says, else as the host does for its cheapest target."""
    price = context.price(target)
    if price.input is not None and price.output is not None:
        return price.input + price.output
    said = None if offer is None else offer.cheapest
    return _UNKNOWN if said is None else said


def _told(offer: Offer | None, cost: float, *, named: bool) -> str:
    parts = ["another host named it"] if named else []
    parts.append("nothing is known of its offer" if offer is None else f"room: {offer.room.value}")
    parts.append("no price" if cost == _UNKNOWN else f"{cost:g} USD per million tokens")
    return ", ".join(parts)
