"""Records with sensible defaults, and a provider that answers from a script. Real objects: nothing here is a mock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from math import sqrt
from types import MappingProxyType
from typing import Any

import attrs

from rtfs_framework.api import (
    Attempt,
    CacheKey,
    CallContext,
    CallKind,
    Candidate,
    DelegationEngine,
    DelegationMetadata,
    DelegationPlan,
    Embedder,
    ExecTarget,
    FunctionSignature,
    HostCall,
    InferenceReply,
    InferenceRequest,
    LocalPure,
    Map,
    Message,
    Permissions,
    ProviderSettings,
    Type,
    Value,
    digest,
    write,
)
from rtfs_framework.api.caller import NO_METADATA
from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.lang.maps import EMPTY_MAP
from rtfs_framework.lang.types.schema import to_json_schema
from rtfs_framework.orchestrator.boundary.confidence import with_confidence
from rtfs_framework.orchestrator.deciding.around import NOTHING_AROUND, Around
from rtfs_framework.orchestrator.deciding.embedding import HeldEmbedder
from rtfs_framework.orchestrator.deciding.facts import Facts, Question
from rtfs_framework.orchestrator.deciding.learned import NOTHING_LEARNED, Learned
from rtfs_framework.orchestrator.deciding.reads import Reads
from rtfs_framework.orchestrator.deciding.signals import NO_SIGNALS, Signals
from rtfs_framework.orchestrator.performing.prompt import wording
from rtfs_framework.registry.faults import Part
from rtfs_framework.registry.problems import Provenance

LOCAL = LocalPure()
NO_HINTS = EMPTY_MAP
NO_RULES = Permissions()
NO_DRAWS: Mapping[str, float] = MappingProxyType({})
NO_ANSWERS: Mapping[str, str | None] = MappingProxyType({})
_EMBEDDER = Part("embedder", "fake", Provenance("rtfs-framework", "", ""))


@attrs.frozen
class FakeAsker:
    """A call with a past of its own, and whoever makes it."""

    attempts: tuple[Attempt, ...] = ()
    draws: Mapping[str, float] = NO_DRAWS
    metadata: DelegationMetadata = NO_METADATA
    tenant: str = ""
    permissions: Permissions = NO_RULES
    labels: Label = PUBLIC

    def draw(self, name: str) -> float:
        """Return the number of this name, 0.5 where none is given."""
        return self.draws.get(name, 0.5)


def cache_key(*parts: Any, namespace: str = "test") -> CacheKey:
    """Return the key of some values, made the way that the orchestrator makes its keys."""
    return CacheKey(namespace, digest(*parts), tuple((str(i), write(part)) for i, part in enumerate(parts)))


def call_reads(  # noqa: PLR0913 - each is a part of what may be read
    symbol: str,
    *args: Value,
    function: FunctionSignature | None = None,
    candidates: tuple[Candidate, ...] = (),
    default: ExecTarget = LOCAL,
    hints: Map = NO_HINTS,
    answers: Mapping[str, str | None] = NO_ANSWERS,
    signals: Signals = NO_SIGNALS,
    asker: FakeAsker | None = None,
    embedder: Embedder | None = None,
    learned: Learned = NOTHING_LEARNED,
    around: Around = NOTHING_AROUND,
) -> Reads:
    """Return the reads of one decision about a call of `symbol`; `answers` are what models say, by question.

    `embedder` makes the vectors of requests; without one there are none.

    `asker` is who asks, and the call's past: what was tried, and the numbers that are drawn.

    `open()` gives the context for an engine; afterwards `noted` is the footprint, and `question` what it must hear.
    """
    who = asker or FakeAsker()
    signature = FunctionSignature(name=symbol) if function is None else function
    call = HostCall(CallKind.DELEGATED, symbol, args, signature, hints)
    held = None if embedder is None else HeldEmbedder(_EMBEDDER, lambda: embedder, lambda *_: None)
    facts = Facts(
        signature, candidates, default, "rules", wording, who.tenant, signals, who.permissions, held, learned, around
    )

    def answer_to(asked: Question) -> tuple[str | None] | None:
        return (answers[asked.text],) if asked.text in answers else None

    return Reads(facts, call, answer_to, who)


def sure(words: str, confidence: float) -> str:
    """Return, for `answers`, what a model says that can tell how sure it is."""
    return with_confidence(words, confidence)


def call_context(symbol: str, *args: Value, **fields: Any) -> CallContext:
    """Return what an engine is shown of a call of `symbol`; `fields` are those of `call_reads`."""
    return call_reads(symbol, *args, **fields).open()


def decided(engine: DelegationEngine, reads: Reads) -> DelegationPlan | None:
    """Return what an engine decides, None when it has no opinion or (`reads.question`) must hear a model first."""
    context = reads.open()
    try:
        plan = engine.decide(context)
    except BaseException:
        if reads.question is None:
            raise
        return None
    finally:
        reads.close()
    return plan if reads.question is None else None


def inference_request(*args: Value, name: str = "demo", returns: Type | None = None, **fields: Any) -> InferenceRequest:
    """Return a request for a function of these arguments; `fields` are further fields of `InferenceRequest`."""
    question = f"({' '.join([name, *map(write, args)])})"
    made: dict[str, Any] = {
        "function": FunctionSignature(name=name, returns=returns),
        "args": args,
        "messages": (Message("user", question),),
        "schema": None if returns is None else to_json_schema(returns),
    }
    return InferenceRequest(**{**made, **fields})


class WordsEmbedder:
    """Makes vectors by hashing words into 64 places, each with a sign: texts that share words are near."""

    length = 64

    def fingerprint(self) -> str:
        """Return the name of the method."""
        return f"words {self.length}"

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Return vectors of length 1."""
        return list(map(self._vector, texts))

    def _vector(self, text: str) -> list[float]:
        found = [1.0, *[0.0] * (self.length - 1)]  # the first place is every text's, so that none has no length
        for word in text.lower().split():
            drawn = blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
            found[1 + int.from_bytes(drawn[1:], "big") % (self.length - 1)] += 1.0 if drawn[0] & 1 else -1.0
        size = sqrt(sum(number * number for number in found))
        return [number / size for number in found]


class ScriptedProvider:
    """Answers the next line of its script, raising the errors in it; `requests` are those it was asked."""

    def __init__(
        self, script: Iterable[str | InferenceReply | Exception], settings: ProviderSettings | None = None
    ) -> None:
        self.id = "scripted" if settings is None else settings.id
        self.requests: list[InferenceRequest] = []
        self.closed = False
        self._script: Sequence[str | InferenceReply | Exception] = tuple(script)

    def fingerprint(self) -> str:
        """Return a digest of the script."""
        return digest(*map(repr, self._script))

    async def infer(self, request: InferenceRequest) -> InferenceReply:
        """Return the next answer.

        Raises:
            AssertionError: The script is at its end.
        """
        place = len(self.requests)
        self.requests.append(request)
        if place >= len(self._script):
            raise AssertionError(f"request {place + 1}, but the script has {len(self._script)} answers")
        answer = self._script[place]
        if isinstance(answer, Exception):
            raise answer
        return InferenceReply(text=answer, model="script") if isinstance(answer, str) else answer

    async def aclose(self) -> None:
        """Note that the host closed it."""
        self.closed = True
