"""Layers that answer a request by the reply to a similar one, within a stated bound on wrong answers.

The host makes vectors, partitions and chance; the layer decides. Per request: `ask` first, which only looks; on a hit
the entry is served; on `explore` the model is asked as well and `judged` tells whether the two replies agree; on a miss
the model is asked. What a model answered is handed to `put`. What feedback says of a served entry comes by `wrong` or
`right`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Protocol

import attrs

from rtfs_framework.api.cache import NO_INFO, CacheInfo, CacheItem, CacheKey, CacheRecord, CacheStats


class Served(Enum):
    """What a similar layer says of a question."""

    HIT = "hit"
    """The entry is served."""
    EXPLORE = "explore"
    """It is not: the model is asked, and the replies are compared."""
    MISS = "miss"
    """Nothing is near enough, or a gate is closed, or there is too little evidence."""


@attrs.frozen(slots=True, kw_only=True)
class SimilarQuestion:
    """A request as a similar layer sees it."""

    partition: CacheKey
    """All that must be equal: function, schema, model and parameters, tenant, labels, account, guards, embedder."""
    exact: CacheKey
    """The request's own key."""
    text: str
    """Its varying part, as a provider would read it."""
    vector: Sequence[float]
    """The embedding of `text`, of length 1."""
    draw: float = 1.0
    """A number in [0, 1) that decides about exploration; 1.0 for none."""
    judge_draw: float = 1.0
    """A number in [0, 1) that decides whether an answer that is served is judged afterwards; 1.0 for none."""
    bound: float | None = None
    """The call's own wish for the share of wrong answers: only ever stricter than the layer's. 0 serves nothing."""


@attrs.frozen(slots=True, kw_only=True)
class SimilarVerdict:
    """What was decided of one question, and why."""

    served: Served
    why: str
    """In words, for the record: the gate that closed, the evidence that lacks, or the entry."""
    entry: str = ""
    """The id of the nearest entry that passed the gates."""
    record: CacheRecord | None = None
    """What it holds; given for a hit and for an exploration."""
    similarity: float | None = None
    """The cosine."""
    probability: float | None = None
    """That the entry's answer is the right one, as estimated."""
    bound: float | None = None
    """The upper confidence bound of wrong answers among look-ups that this hit stays below."""
    judge: bool = False
    """Whether the draw says that this hit is to be judged: what becomes of that is told by `judged`."""


@attrs.frozen(slots=True, kw_only=True)
class SimilarReport:
    """What a layer can say of one partition: its evidence and its bound."""

    lookups: int
    served: int
    explored: int
    judged_same: int
    judged_other: int
    wrong_of_all: float | None
    """The upper bound (95 %) of wrong answers of all look-ups; None before there is evidence."""
    wrong_of_served: float | None


@attrs.frozen(slots=True, kw_only=True)
class SimilarScope:
    """For whom a layer is there, as its operator says."""

    functions: tuple[str, ...] = ("*",)
    """Names of functions, with `*` for any characters: only their calls are looked up."""
    explore_cost: float | None = None
    """US dollars that explored calls may cost in a day of one host; None for no bound of its own."""
    judge: str = ""
    """The model that judges served answers: a text of the layer's settings of type `TargetText`. "" for none."""
    judge_cost: float | None = None
    """US dollars that judging may cost in a day of one host; None for no bound of its own."""


class SimilarLayer(Protocol):
    """Answers within a bound. All methods are called from threads; none waits for a network but a store's own."""

    def scope(self) -> SimilarScope:
        """Return for which functions it may be asked, and what exploring may cost; the same at each call."""
        ...

    def ask(self, question: SimilarQuestion) -> SimilarVerdict:
        """Decide about a question. A look-up counts, whatever comes of it."""
        ...

    def preview(self, question: SimilarQuestion) -> SimilarVerdict:
        """Return what `ask` would say of a question that is not explored: for explanations. Nothing counts."""
        ...

    def put(self, question: SimilarQuestion, value: Any, ttl: float | None = None, info: CacheInfo = NO_INFO) -> None:
        """Keep what a model answered."""
        ...

    def judged(self, question: SimilarQuestion, verdict: SimilarVerdict, *, same: bool) -> None:
        """Learn from one comparison of an entry's answer with the model's, or from what a judge says of a hit.

        A hit that was wrong goes with its neighbours.
        """
        ...

    def right(self, entry: str, question: str) -> None:
        """Learn that a served answer was right.

        `question` is the digest of the exact key of what it answered; `entry` may be "": whatever answered that.
        """
        ...

    def wrong(self, entry: str, question: str) -> int:
        """Learn that it was wrong: evict the entry and its neighbours; return how many entries went."""
        ...

    def report(self) -> Mapping[str, SimilarReport]:
        """Return the evidence by partition (its digest)."""
        ...

    def invalidate(self, key: CacheKey) -> bool:
        """Forget the entry that was put under an exact key; tell whether it was there."""
        ...

    def scan(self) -> Iterator[CacheItem]:
        """Go through the live entries; the key is the exact one."""
        ...

    def clear(self) -> None:
        """Forget every entry; the evidence stays, since it is about kinds of requests and not about entries."""
        ...

    def stats(self) -> CacheStats:
        """Return the counters."""
        ...

    def close(self) -> None:
        """Write what waits; called once."""
        ...
