"""Answers to similar requests: the questions that a host asks of such a layer, and what it learns from the answers.

Only where reuse is sound (there is a partition exactly where there is a key: `reuse`), for the functions that the
layer's settings name, and where an embedder makes vectors on this device. A partition holds all that an answer rests on
but the arguments, with tenant, labels, account and guards, and the embedder besides. What is kept is what was sent:
redacted, where a plan says so. A layer that breaks is bypassed like any other (`SafeLayer`).
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from math import isfinite
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, cast

import attrs

from rtfs_framework.api.cache import CacheInfo, CacheKey, CacheRecord
from rtfs_framework.api.similar import Served, SimilarLayer, SimilarQuestion, SimilarScope, SimilarVerdict
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.recording.similar_mark import SimilarMark
from rtfs_framework.orchestrator.remembering.keys import key_of
from rtfs_framework.orchestrator.remembering.packed import pack, unpack

if TYPE_CHECKING:
    from rtfs_framework.api.labels import Label
    from rtfs_framework.api.provider import InferenceReply
    from rtfs_framework.api.similar import SimilarReport
    from rtfs_framework.api.values import Clock
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.orchestrator.recording.floating import CallLabel
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall
    from rtfs_framework.orchestrator.remembering.reuse import Answering, Reuse
    from rtfs_framework.orchestrator.remembering.safe_layer import SafeLayer

HINT = "runtime.learning.similar"
"""`^{:runtime.learning.similar {:false-hits 0.001}}`: a call's own bound; `false` and 0 serve it nothing."""

_WISH = "false-hits"
_DAY = 86_400.0
_GOOD = 0.5
"""What an answer must be worth, from 0 to 1, to count as right."""

VectorOf = Callable[[str], "tuple[str, tuple[float, ...]] | None"]
"""From a text to who makes vectors, and its vector; None where that fails, which is told."""


@attrs.frozen(slots=True)
class Looked:
    """A question that was asked of the layer, and what it said."""

    question: SimilarQuestion
    verdict: SimilarVerdict

    def mark(self, same: bool | None = None) -> SimilarMark:
        """Return what a record says of it."""
        found = self.verdict
        return SimilarMark(
            served=found.served.value,
            why=found.why,
            entry=found.entry,
            question=self.question.exact.digest,
            similarity=found.similarity,
            probability=found.probability,
            bound=found.bound,
            same=same,
        )


@attrs.frozen(slots=True, eq=False)
class Hit:
    """An answer that was served, to be judged."""

    looked: Looked
    function: FunctionSignature
    said: str
    """The answer in words."""
    labelled: CallLabel | None
    """The marks of request and answer together."""


class Judge(Protocol):
    """Judges answers after they were served."""

    def may(self, marks: Label) -> bool:
        """Tell whether a hit that carries such marks may be judged, before anybody draws."""
        ...

    def brings(self, name: str) -> Label:
        """Return the marks that answers have of the target that records call by a name."""
        ...

    def take(self, hit: Hit) -> None:
        """Judge a hit later."""
        ...


@attrs.define(slots=True, eq=False, kw_only=True)
class Similar:
    """The layer of a host that answers similar requests."""

    layer: SafeLayer
    vector: VectorOf
    reuse: Reuse
    clock: Clock
    accepts: Label | None = None
    """The marks that what is kept may carry; None for all."""
    judging: Judge | None = None
    """Judges answers after they were served; None where nobody does."""
    _scope: SimilarScope | None = attrs.field(default=None, init=False)
    _day: float = attrs.field(default=0.0, init=False)
    _spent: float = attrs.field(default=0.0, init=False)
    """US dollars for explored calls, since the day began."""
    _lock: Lock = attrs.field(factory=Lock, init=False)

    @property
    def judge_cost(self) -> float | None:
        """US dollars that judging may cost in a day; None for no bound."""
        return None if self._scope is None else self._scope.judge_cost

    def scope(self) -> SimilarScope | None:
        """Return for what the layer is there; None where it does not say."""
        if self._scope is None or self.layer.broken:  # one that is out comes back only where it is wanted
            for found in self._ask("`scope`", lambda layer: (layer.scope(),)) or ():  # none, where it is out
                if isinstance(found, SimilarScope):
                    self._scope = found
                else:
                    self.layer.blame("`scope`", f"returned a {found.__class__.__name__}, which is no SimilarScope")
        return self._scope

    def concerns(self, opened: OpenCall, function: FunctionSignature) -> bool:
        """Tell whether a call is looked up: the settings name its function, and its marks may be kept."""
        scope = self.scope()
        if scope is None or not any(fnmatchcase(function.name, each) for each in scope.functions):
            return False
        if wish(opened.sends.hints) == 0 or self.layer.broken:
            return False
        return self.accepts is None or opened.labels <= self.accepts

    def question(
        self, opened: OpenCall, function: FunctionSignature, instance: Answering, exact: CacheKey, text: str
    ) -> SimilarQuestion | None:
        """Return what is asked about a call whose reply is not remembered; None where there is no vector. Waits."""
        partition = self.reuse.partition(opened, function, instance)
        made = None if partition is None else self.vector(text)
        if partition is None or made is None:
            return None
        who, vector = made
        parts = (*partition.parts, ("embedder", who))
        key = CacheKey("partition", key_of(*(each for part in parts for each in part)), parts)
        draw = opened.draw("similar") if self._may_explore() else 1.0
        return SimilarQuestion(
            partition=key, exact=exact, text=text, vector=vector, draw=draw, bound=wish(opened.sends.hints),
            judge_draw=opened.draw("judge") if self.judging is not None and self.judging.may(opened.labels) else 1.0,
        )  # fmt: skip

    def ask(self, question: SimilarQuestion) -> Looked | None:
        """Return what the layer says; None where it broke. Waits for its file."""
        for found in self._ask("`ask`", lambda layer: (layer.ask(question),)) or ():
            if _is_sound(found):
                return Looked(question, found)
            self.layer.blame("`ask`", f"returned {found.__class__.__name__}, which is no verdict with a record")
        return None

    def preview(self, question: SimilarQuestion) -> tuple[Looked, SimilarReport | None] | None:
        """Return what `ask` would say, and the evidence of the partition; nothing counts. None where it broke."""
        for found in self._ask("`preview`", lambda layer: (layer.preview(question),)) or ():
            if _is_sound(found):
                reports = self._ask("`report`", lambda layer: layer.report())
                return Looked(question, found), (reports or {}).get(question.partition.digest)
            self.layer.blame("`preview`", f"returned {found.__class__.__name__}, which is no verdict with a record")
        return None

    @staticmethod
    def reply(looked: Looked) -> InferenceReply | None:
        """Return the reply that an entry holds, None where it holds none."""
        record = looked.verdict.record
        return None if record is None else unpack(record.value)

    def forget(self, looked: Looked) -> None:
        """Drop an entry that does not fit any more, or holds no reply."""
        exact = looked.question.exact
        self._ask("`wrong`", lambda layer: layer.wrong(looked.verdict.entry, exact.digest))

    def keep(self, question: SimilarQuestion, reply: InferenceReply, info: CacheInfo) -> None:
        """Keep what a model answered, unless it carries marks that nothing kept may carry."""
        if self.accepts is not None and reply.remote is not None and not reply.remote.labels <= self.accepts:
            return
        text = pack(reply)
        if text is not None:
            self._ask("`put`", lambda layer: layer.put(question, text, None, info))

    def paid(self, cost: float | None) -> None:
        """Count what an explored call has cost, whatever came of it; None where nobody knows."""
        with self._lock:
            self._spent += float("inf") if cost is None else cost

    def judged(self, looked: Looked, *, same: bool) -> None:
        """Tell of one comparison of an entry's answer with the model's, or of what the judge says of a hit."""
        self._ask("`judged`", lambda layer: layer.judged(looked.question, looked.verdict, same=same))

    def rated(self, served: tuple[str, str] | None, worth: float) -> None:
        """Tell what somebody says of an answer that was served: (entry, question) of its mark, None for any other."""
        if served is None:
            return
        entry, question = served
        if worth >= _GOOD:
            self._ask("`right`", lambda layer: layer.right(entry, question))
        else:
            self._ask("`wrong`", lambda layer: layer.wrong(entry, question))

    def _may_explore(self) -> bool:
        """Tell whether exploring may cost something still; what a call without a price costs, nobody knows."""
        most = None if self._scope is None else self._scope.explore_cost
        if most is None:
            return True
        with self._lock:
            now = self.clock.now()
            if now - self._day >= _DAY:
                self._day, self._spent = now, 0.0
            return self._spent < most

    def _ask(self, doing: str, use: Callable[[SimilarLayer], Any]) -> Any:
        return self.layer.use(doing, lambda layer: use(cast("SimilarLayer", layer)))


def _is_sound(found: object) -> bool:
    """Tell whether a layer's verdict is one, of the declared types: records and journals hold what it says."""
    if not isinstance(found, SimilarVerdict):
        return False
    said: dict[str, Any] = attrs.asdict(found, recurse=False)
    record = said["record"]
    return (
        isinstance(said["served"], Served)
        and (isinstance(record, CacheRecord) or (record is None and found.served is Served.MISS))
        and isinstance(said["why"], str)
        and isinstance(said["entry"], str)
        and isinstance(said["judge"], bool)
        and all(_is_number(said[name]) for name in ("similarity", "probability", "bound"))
    )


def _is_number(found: object) -> bool:
    return found is None or (isinstance(found, int | float) and isfinite(found))


def wish(hints: Map) -> float | None:
    """Return the bound that a call's hint wishes, None without one; what is no share of 1 serves nothing."""
    if not len(hints):
        return None
    said = hints.get(Keyword(HINT), hints.get(HINT))
    if said is None:
        return None
    found = said.get(Keyword(_WISH), said.get(_WISH)) if isinstance(said, Map) else said
    if isinstance(found, bool) or not isinstance(found, int | float):
        return 0.0
    return float(found) if 0 <= found < 1 else 0.0
