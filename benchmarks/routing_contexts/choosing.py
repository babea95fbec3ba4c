"""Ways to choose a target in a context. Code filters by what is stated in each of them, as the engine `llm` does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from benchmarks.routing_contexts.contexts import LEAST_QUALITY, MOST_COST, Context
from rtfs_engine_llm.engine import LlmEngine
from rtfs_engine_llm.settings import LlmSettings
from rtfs_framework.api import (
    Embedder,
    EngineSettings,
    ExecTarget,
    Health,
    InferenceReply,
    InferenceRequest,
    Latency,
    LocalModel,
    Price,
    TargetText,
    write,
)
from rtfs_framework.lang.types.jsonable import to_json
from rtfs_framework.lang.types.names import no_names
from rtfs_framework.orchestrator.deciding.answers import type_of
from rtfs_framework.orchestrator.deciding.embedding import HeldEmbedder
from rtfs_framework.orchestrator.deciding.signals import Signals
from rtfs_framework.orchestrator.performing.prompt import consult_request
from rtfs_framework.orchestrator.performing.reply import to_value
from rtfs_framework.registry.faults import Part
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing.fakes import FakeAsker, call_reads, decided, sure

FLOOR = 0.1
"""Of the quick embedder in front of the better one, as cosines of short texts go."""
_WORD = re.compile(r"[a-z]+")
_SMALL = frozenset(
    {"a", "an", "the", "of", "in", "on", "for", "to", "and", "is", "it", "this", "that", "what", "which", "if", "be"}
    | {"or", "with", "from", "by", "as", "are"}
)
_JUDGE = LocalModel("judge")


@attrs.frozen
class Chosen:
    """The targets that are equally good, mostly one; and how sure that is."""

    targets: tuple[ExecTarget, ...]
    confidence: float | None = None

    def share_of(self, right: ExecTarget) -> float:
        """Return how likely the right one is chosen."""
        return self.targets.count(right) / len(self.targets) if self.targets else 0.0


@attrs.frozen
class _Signals:
    """All are well; prices are the context's."""

    prices: Mapping[ExecTarget, Price]

    def health(self, _target: ExecTarget) -> Health:
        return Health.CLOSED

    def latency(self, _target: ExecTarget) -> Latency | None:
        return None

    def load(self, _target: ExecTarget) -> int:
        return 0

    def price(self, target: ExecTarget) -> Price:
        return self.prices.get(target, Price())


def by_chance(context: Context) -> Chosen:
    """Draw one of the allowed targets."""
    return Chosen(context.allowed)


def by_words(context: Context) -> Chosen:
    """Take the description with the largest share of common words."""
    function = context.function
    about = _words(f"{function.name} {function.doc}")
    shares = {}
    for each in context.candidates:
        if each.target in context.allowed:
            said = _words(each.description)
            shares[each.target] = len(about & said) / len(about | said)
    most = max(shares.values())
    return Chosen(tuple(target for target, share in shares.items() if share == most))


def by_meaning(embedder: Embedder, better: Embedder | None = None) -> Callable[[Context], Chosen]:
    """Return what lets the engine choose by embedders."""
    held = _held(embedder, None if better is None else _held(better))
    return lambda context: _decided(context, held, None)


def by_model(ask: Callable[[InferenceRequest], InferenceReply]) -> Callable[[Context], Chosen]:
    """Return what lets the engine ask a model."""
    return lambda context: _decided(context, None, ask)


def _decided(
    context: Context, held: HeldEmbedder | None, ask: Callable[[InferenceRequest], InferenceReply] | None
) -> Chosen:
    own = LlmSettings(
        model=None if ask is None else TargetText("local-judge"),
        symbols=("*",),
        max_output_cost=MOST_COST,
        quality_floor=LEAST_QUALITY,
    )
    engine = LlmEngine(EngineSettings(own=own, targets={"local-judge": _JUDGE}))
    said: dict[str, str | None] = {}
    while True:
        world: dict[str, Any] = {
            "function": context.function,
            "candidates": context.candidates,
            "answers": said,
            "asker": FakeAsker(labels=context.labels),
            "signals": Signals(targets=_Signals(context.prices), prices=_Signals(context.prices)),
        }
        reads = call_reads(context.function.name, context.request, **world)
        reads.facts = attrs.evolve(reads.facts, embedder=held)
        plan = decided(engine, reads)
        if reads.question is None or ask is None:
            return Chosen(()) if plan is None else Chosen((plan.target,), plan.confidence)
        request = consult_request(reads.question.text, type_of(reads.question.schema), 120.0)
        said[reads.question.text] = _answer(request, ask(request))


def _answer(request: InferenceRequest, reply: InferenceReply) -> str:
    words = write(to_json(to_value(reply, request.function, no_names, "the model")))
    return words if reply.confidence is None else sure(words, reply.confidence)


def _held(embedder: Embedder, then: HeldEmbedder | None = None) -> HeldEmbedder:
    part = Part("embedder", "measured", Provenance("benchmarks", "", ""))

    def fail(*told: object) -> None:
        raise RuntimeError(f"an embedder failed: {told}")

    return HeldEmbedder(part, lambda: embedder, fail, then, FLOOR)


def _words(text: str) -> set[str]:
    return {word for word in _WORD.findall(text.lower()) if word not in _SMALL}
