"""Escalation: how much of a strong model's quality `escalate` keeps, and how often it asks that model.

In: a file of questions, each with whether a weak and a strong model answered it correctly
(`routing_outcomes_dev.csv.gz`). Out: for three settings of the floor (`min_confidence`) the share of questions that
went to the strong model, and the share of the gap between both that was recovered, beside always-weak and
always-strong.

Every question is a whole call through a host with the engine `resilient`, which escalates from the weak model to the
strong one. The models answer from the file. The weak one says how sure it is: the share of questions of the same topic
that it answered correctly in the other half of the file, drawn towards its mean where these are few. What is measured
is the half that the confidence does not know. A choice at random recovers as much of the gap as it escalates.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs

from benchmarks.vendors import Vendor
from rtfs_framework.api import (
    InferenceReply,
    InferenceRequest,
    Locality,
)
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.running.program import LoadedProgram
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.load import load_catalog
from rtfs_framework.registry.problems import Provenance

DATA = Path(__file__).resolve().parents[2] / "shared/data/routing_outcomes_dev.csv.gz"
FLOORS = (0.6, 0.7, 0.8)
_PRIOR = 10
"""As many questions as the weak model's mean counts for in its confidence about a topic."""
_PROGRAM = """
(defn answer "Answer question number n." [n :int] : :bool false)
(defn main [n] (answer n))
"""
_CONFIG = """
[delegation]
engine = "thrifty"
min_confidence = {floor}
[engines.thrifty]
plugin = "resilient"
escalate = ["static", "remote-strong"]
[delegation.static_routes]
answer = "local-weak"
"""


@attrs.frozen(slots=True)
class Question:
    """What both models made of one question."""

    topic: str
    weak: bool
    strong: bool


@attrs.frozen(slots=True, kw_only=True)
class Routed:
    """What came of all questions with one floor."""

    floor: float
    questions: int
    escalated: float
    """The share of questions that went to the strong model."""
    quality: float
    """The share that was answered correctly."""
    weak: float
    """The quality of always asking the weak model."""
    strong: float

    @property
    def recovered(self) -> float:
        """The share of the gap between both models that was recovered."""
        return (self.quality - self.weak) / (self.strong - self.weak)

    def to_json(self) -> dict[str, float]:
        """Return JSON-ready data."""
        return {**attrs.asdict(self), "recovered": self.recovered}

    def __str__(self) -> str:
        return (
            f"floor {self.floor:g}: {self.escalated:6.1%} escalated, {self.recovered:6.1%} of the gap recovered "
            f"(quality {self.quality:.3f})"
        )


def routing(path: Path, floors: Sequence[float] = FLOORS) -> list[Routed]:
    """Return what `escalate` does with the questions of a file."""
    questions = read(path)
    known, asked = questions[0::2], questions[1::2]
    sure = confidence(known)
    return [_routed(asked, sure, floor) for floor in floors]


def shown(found: Sequence[Routed]) -> str:
    """Return the measurements as text."""
    first = found[0]
    bounds = f"{first.questions:,} questions; always weak {first.weak:.3f}, always strong {first.strong:.3f}"
    return "\n".join([bounds, *map(str, found), "a choice at random recovers as much as it escalates"])


def read(path: Path) -> list[Question]:
    """Return the questions of a file."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [
            Question(row["topic"], row["weak_model_correct"] == "1", row["strong_model_correct"] == "1")
            for row in csv.DictReader(file)
        ]


def confidence(known: Sequence[Question]) -> Mapping[str, float]:
    """Return how sure the weak model is of each topic; of one that it does not know, as of all together."""
    mean = sum(each.weak for each in known) / len(known)
    topics: dict[str, list[bool]] = defaultdict(list)
    for each in known:
        topics[each.topic].append(each.weak)
    found = {topic: (sum(right) + _PRIOR * mean) / (len(right) + _PRIOR) for topic, right in topics.items()}
    return defaultdict(lambda: mean, found)


def _routed(asked: Sequence[Question], sure: Mapping[str, float], floor: float) -> Routed:
    count = len(asked)
    right, escalated = 0, 0
    with _host(asked, sure, floor) as program:
        for number in range(count):
            result = program.call("main", (number,))
            (call,) = result.calls
            right += result.value is True
            escalated += call.target == "remote strong"
    return Routed(
        floor=floor,
        questions=count,
        escalated=escalated / count,
        quality=right / count,
        weak=sum(each.weak for each in asked) / count,
        strong=sum(each.strong for each in asked) / count,
    )


@contextmanager
def _host(asked: Sequence[Question], sure: Mapping[str, float], floor: float) -> Iterator[LoadedProgram]:
    """Give a program in a host whose two models answer from the file."""
    weak = _vendor("weak", [each.weak for each in asked], [sure[each.topic] for each in asked])
    strong = _vendor("strong", [each.strong for each in asked], [1.0] * len(asked))
    who = Provenance("benchmarks", "0", "benchmarks")
    models = {each.name: (each.entry(), who) for each in (weak, strong)}
    with TemporaryDirectory() as folder:
        path = Path(folder, "delegation.toml")
        path.write_text(_CONFIG.format(floor=floor), encoding="utf-8")
        environ = {"RTFS_HOME": folder, "RTFS_PLUGINS": "resilient,static,l1"}
        catalog = attrs.evolve(load_catalog(environ), providers=models)
        with Session.open(config_path=path, environ=environ, catalog=catalog, journal=False) as session:
            yield session.load(Source("routing.rtfs", _PROGRAM))


def _vendor(name: str, right: Sequence[bool], sure: Sequence[float]) -> Vendor:
    """Return a model that answers the question of a number as the file says, and says how sure it is."""

    def answer(request: InferenceRequest) -> InferenceReply:
        number = int(str(request.args[0]))
        return InferenceReply(data=right[number], structured=True, confidence=sure[number])

    return Vendor(name, answer, Locality.LOCAL if name == "weak" else Locality.REMOTE, "Answers from a file.")
