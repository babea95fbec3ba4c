"""The experience of a host: what its layer of level L3 makes of outcomes, and which of it is near to a situation.

In: published cells of the layer's state (the host keeps it like an engine's, under `NAME`), and a situation. Out: the
experiences nearest to it, and the version that they are of. What a layer may see is chosen here: the state is that of
one tenant, and of it what has the labels of the question; what it returns is looked up among that again, so it can
neither cross a border nor make anything up.

A version is the position of the outcome that changed the state last, and how many experiences are over by the host's
clock: both together name what there was, so a decision that rests on it can be made again without a clock.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.cache import CacheInfo, CacheKey
from rtfs_framework.api.experience import Experience, ExperienceLayer, ExperienceQuestion, Situation, is_experience
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.orchestrator.deciding.around import HostAround
from rtfs_framework.orchestrator.deciding.embedding import HeldEmbedder
from rtfs_framework.orchestrator.deciding.learned import Experiences as Found
from rtfs_framework.orchestrator.deciding.situations import situation_of
from rtfs_framework.orchestrator.learning.fold import Learner
from rtfs_framework.orchestrator.recording.journal.chain import canonical_json
from rtfs_framework.orchestrator.recording.plain import plain_of
from rtfs_framework.orchestrator.remembering.artifacts.seal import Seal, SealError
from rtfs_framework.registry.faults import PluginFault, ask

if TYPE_CHECKING:
    from rtfs_framework.api.values import Clock
    from rtfs_framework.kernel.outcome import HostCall
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.orchestrator.deciding.around import Around
    from rtfs_framework.orchestrator.deciding.facts import AnyEmbedder, Asker
    from rtfs_framework.orchestrator.remembering.keyring import Keyring
    from rtfs_framework.orchestrator.remembering.safe_layer import SafeLayer

NAME = "host.experience"
"""As whom the layer learns. No instance of a configuration has a dot in its name."""
NAMESPACE = "experience"
_INTENT = b"intent"
_DIGITS = 16
_MOST = 1_024
"""Situations, and answers, that are remembered."""
_METHODS = ("initial", "fold", "read", "nearest")

Cells = Mapping[str, tuple[int, Any]]


@attrs.frozen(slots=True, eq=False)
class _Published:
    """A state as it is published: the experiences of which the first are over first."""

    version: int = 0
    known: tuple[Experience, ...] = ()
    ends: tuple[float, ...] = ()
    names: Mapping[str, int] = attrs.field(factory=dict)
    """By cell, its version."""
    answers: dict[Hashable, Found] = attrs.field(factory=dict)


_UNPUBLISHED: Cells = {}


@attrs.define(slots=True, eq=False)
class Experiences:
    """Remembers situations, and what came of plans in them."""

    layer: SafeLayer
    made: ExperienceLayer
    """The layer itself: what is pure of it is called whether it is in use or not."""
    around: Around
    clock: Clock
    tenant: str
    mark: Callable[[str], str]
    """Makes a keyed digest of an intent."""
    cells: Callable[[], Cells] = attrs.field(default=lambda: _UNPUBLISHED)
    """Returns what is published of the state."""
    _seen: Cells = attrs.field(default=_UNPUBLISHED, init=False)
    _published: _Published = attrs.field(factory=_Published, init=False)
    _read: dict[str, tuple[int, Experience]] = attrs.field(factory=dict, init=False)
    _situations: dict[Situation, Situation] = attrs.field(factory=dict, init=False)

    # -- outcomes ------------------------------------------------------------------------------------------------------

    def learner(self, config: Config) -> Learner:
        """Return the layer as one who learns; of another version or other settings it has another state."""
        part = self.layer.part
        spec = config.caches.get(part.name)
        ttl = config.cache_ttl if spec is None or spec.ttl is None else spec.ttl
        own = None if spec is None else plain_of(spec.own)
        fingerprint = digest(canonical_json([str(part.provenance), part.name, own, ttl]))[:32]
        return Learner(NAME, part, self.made.initial, self.made.fold, fingerprint)

    def follow(self, cells: Callable[[str], Cells]) -> None:
        """Read the state from where it is published from now on, and show people what is there."""
        self.cells = partial(cells, NAME)
        self.published()

    def situation(self, call: HostCall, asker: Asker) -> Situation:
        """Return the situation of a call that is made, for its record: the same object for equal ones."""
        function = call.function or FunctionSignature(call.capability)
        found = situation_of(function, call, asker, self.around)
        known = self._situations.get(found)
        if known is None:
            if len(self._situations) >= _MOST:
                self._situations.clear()
            known = self._situations[found] = self._marked(found)
        return known

    def _marked(self, situation: Situation) -> Situation:
        return attrs.evolve(situation, intent=self.mark(situation.intent)) if situation.intent else situation

    # -- reads ---------------------------------------------------------------------------------------------------------

    def nearest(self, situation: Situation, most: int, embedder: AnyEmbedder | None) -> tuple[Hashable, Found] | None:
        """Return the experiences nearest to a situation, and their version; None where the layer or embedder fails."""
        now = self.published()
        if not now.version:
            return 0, ()
        gone = bisect_right(now.ends, self.clock.now())
        asked = gone, situation, most
        found = now.answers.get(asked)
        if found is None:
            found = self._asked(now.known[gone:], situation, most, embedder)
            if found is None:
                return None
            if len(now.answers) >= _MOST:
                now.answers.clear()
            now.answers[asked] = found
        return (now.version, gone), found

    def recall(
        self, cells: Mapping[str, Any], gone: int, situation: Situation, most: int, embedder: AnyEmbedder | None
    ) -> Found | None:
        """Return the experiences that were nearest when these cells were published."""
        read = {name: self._experience(cell) for name, cell in cells.items()}
        known = _in_order({name: each for name, each in read.items() if each is not None})
        return self._asked([each for _, each in known][gone:], situation, most, embedder)

    def published(self) -> _Published:
        """Return the state as it is published now; the layer is given what is new of it, for people to see."""
        cells = self.cells()
        if cells is not self._seen:
            self._published, self._seen = self._prepared(cells), cells
        return self._published

    def _prepared(self, cells: Cells) -> _Published:
        before: Mapping[str, int] = self._published.names
        read: dict[str, tuple[int, Experience]] = {}
        for name, (version, cell) in cells.items():
            known = self._read.get(name)
            made = known[1] if known is not None and known[0] == version else self._experience(cell)
            if made is not None:
                read[name] = version, made
        self._read = read
        for name in before.keys() - read.keys():
            self.layer.invalidate(key_of(name))
        for name, (version, each) in read.items():
            if before.get(name) != version:
                self._show(name, each)
        known_now = _in_order({name: each for name, (_, each) in read.items()})
        return _Published(
            max((version for version, _ in cells.values()), default=0),
            tuple(each for _, each in known_now),
            tuple(_end(each) for _, each in known_now),
            {name: version for name, (version, _) in read.items()},
        )

    def _experience(self, cell: Any) -> Experience | None:
        """Return what a cell holds; None where it holds none, and then the layer is blamed unless it is nobody's."""
        if not isinstance(cell, dict):
            return None
        try:
            found = ask(self.layer.part, "`read`", self.made.read, cell)
        except PluginFault as fault:
            self.layer.blame("`read`", fault.words)
            return None
        if not is_experience(found):
            self.layer.blame("`read`", f"returned {found!r:.60}, which is no experience")
            return None
        return found

    def _show(self, name: str, each: Experience) -> None:
        """Put an experience where people see it."""
        left = None if each.until is None else each.until - self.clock.now()
        if left is not None and left <= 0:
            return
        place = each.situation
        info = CacheInfo(symbol=place.symbol, tenant=self.tenant, labels=place.labels, agent=place.user, cost=0)
        self.layer.put(key_of(name), plain_of(each), left, info)

    def _asked(
        self, known: Sequence[Experience], situation: Situation, most: int, embedder: AnyEmbedder | None
    ) -> Found | None:
        asked = self._marked(situation)
        seen = {each.situation: each for each in known if each.situation.labels == asked.labels}
        vectors = _Vectors(embedder) if isinstance(embedder, HeldEmbedder) else None
        question = ExperienceQuestion(situation=asked, most=most, vector=vectors)
        if not seen:
            return ()
        found: Found | None = self.layer.use("`nearest`", partial(self._answer, seen, question))
        return None if vectors is not None and vectors.failed else found

    def _answer(self, seen: Mapping[Situation, Experience], question: ExperienceQuestion, layer: Any) -> Found:
        """Return what a layer says is near.

        Raises:
            PluginFault: It is no list of what it was shown.
        """
        found = []
        for each in layer.nearest(tuple(seen.values()), question):
            own = seen.get(each.situation) if is_experience(each) else None
            if own is None:
                wrong = f"returned {each!r:.60}, which is none of the experiences that it was shown"
                raise PluginFault(self.layer.part, "`nearest`", wrong)
            found.append(attrs.evolve(own, nearness=float(each.nearness)))
        return tuple(found[: question.most])


@attrs.define(slots=True)
class _Vectors:
    """Gives vectors of texts, and knows whether one could not be had."""

    embedder: HeldEmbedder
    failed: bool = False

    def __call__(self, text: str) -> Sequence[float] | None:
        found = self.embedder.vector(text)
        if found is None:
            self.failed = True
        return None if found is None else found[1]


def experiences_in(layer: SafeLayer, made: Any, config: Config, keyring: Keyring, clock: Clock) -> Experiences | None:
    """Return what a host remembers by a layer; None, and the layer is blamed, where that is none of level L3."""
    missing = [name for name in _METHODS if not callable(getattr(made, name, None))]
    if missing:
        layer.blame("its methods", f"it has no `{missing[0]}`, which layers of level L3 have")
        return None
    return Experiences(layer, made, HostAround(config.surroundings, clock), clock, config.tenant, _marker(keyring))


def key_of(name: str) -> CacheKey:
    """Return the key under which people see the experience of a cell."""
    return CacheKey(NAMESPACE, name)


def _marker(keyring: Keyring) -> Callable[[str], str]:
    seals: list[Seal] = []

    def mark(text: str) -> str:
        if not seals:
            try:
                seals.append(keyring.seal("experience"))
            except SealError:  # then nothing is found again by the next process
                seals.append(Seal(os.urandom(32)))
        return seals[0].mac(_INTENT, text.encode("utf-8", "surrogatepass")).hex()[:_DIGITS]

    return mark


def _end(each: Experience) -> float:
    return inf if each.until is None else each.until


def _in_order(found: Mapping[str, Experience]) -> list[tuple[str, Experience]]:
    """Return experiences by when they are over, so that those that are come first."""
    return sorted(found.items(), key=lambda item: (_end(item[1]), item[0]))
