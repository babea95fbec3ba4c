"""The world of the day: five models, their prices and mistakes by the hour, and the questions that they are asked.

All of it is what no engine sees: it sees whether an answer came and fits, how long that took, what it cost, and what
somebody says of one answer in twenty. Two models answer as the file of routing outcomes says (`routing_outcomes_dev`:
questions with whether a weak and a strong model answered them); the others are right as often as their table says.

The day, by the hour: `north` is as good as `strong` at half its price, is down from 8 to 9, and at noon becomes a worse
model, slower and often invalid (drift). `south` becomes cheap at 14, `weak` dearer at 16, `strong` a little cheaper
at 18. From 22 to 23 only `spare` answers.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Mapping, Sequence
from functools import cached_property
from math import exp, log1p
from pathlib import Path

import attrs

FILE = Path(__file__).resolve().parents[3] / "shared/data/routing_outcomes_dev.csv.gz"
DAY = 86_400.0
_HOUR = 1.0 / 24.0
_REPLY = 60
"""Tokens of an answer, each with its thinking."""
_PER_TOKEN = 4
_SPREAD = 0.35
"""Of latencies: the deviation of their logarithm."""
NAMES = ("strong", "north", "south", "spare", "weak")


@attrs.frozen(slots=True, kw_only=True)
class Model:
    """What a model does now. Prices are US dollars per million tokens, in and out alike."""

    price: float
    seconds: float
    """The median."""
    quality: float
    """How often it is right; of `strong` and `weak` as the questions say."""
    errors: float = 0.004
    """How often nothing comes."""
    invalid: float = 0.004
    """How often what comes is not of the declared type."""
    down: bool = False


@attrs.frozen(slots=True)
class Change:
    """What becomes of a model at an hour."""

    hour: float
    name: str
    now: Mapping[str, float | bool]


@attrs.frozen(slots=True, kw_only=True)
class Variation:
    """By how much the day differs from the usual one; 1 is as usual."""

    prices: float = 1.0
    """Of all but the strong model, against it."""
    errors: float = 1.0
    drift: float = 1.0
    """How far the model that changes at noon goes."""

    def __str__(self) -> str:
        parts = [f"{name} {value - 1.0:+.0%}" for name, value in attrs.asdict(self).items() if value != 1.0]
        return ", ".join(parts) or "as usual"


USUAL = Variation()
VARIATIONS = tuple(Variation(**{name: value}) for name in ("prices", "errors", "drift") for value in (0.7, 1.3))


@attrs.frozen
class Questions:
    """What is asked: how long each question is, and whether the two models are right about it."""

    tokens: tuple[int, ...]
    weak: tuple[bool, ...]
    strong: tuple[bool, ...]
    source: str

    @cached_property
    def mean_tokens(self) -> float:
        """Tokens of a question and its answer."""
        return sum(self.tokens) / len(self.tokens) + _REPLY

    def share(self, name: str) -> float:
        """Return how often one of the two models is right."""
        known = self.weak if name == "weak" else self.strong
        return sum(known) / len(known)


def questions(path: Path | None) -> Questions:
    """Return the questions of a file; without one, a stand-in that says so."""
    if path is None or not path.is_file():
        return stand_in()
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Questions(
        tuple(len(row["prompt"]) // _PER_TOKEN for row in rows),
        tuple(row["weak_model_correct"] == "1" for row in rows),
        tuple(row["strong_model_correct"] == "1" for row in rows),
        path.name,
    )


def stand_in(count: int = 5_000) -> Questions:
    """Return made-up questions: hard ones are longer, and both models fail rather at hard ones."""
    dice = random.Random("questions")
    hard = [dice.random() for _ in range(count)]
    return Questions(
        tuple(int(40 + 140 * each + 20 * dice.random()) for each in hard),
        tuple(dice.random() < 1.0 - 0.65 * each for each in hard),
        tuple(dice.random() < 1.0 - 0.37 * each for each in hard),
        "a synthetic stand-in for the outcomes",
    )


@attrs.frozen(slots=True)
class Phase:
    """A part of the day in which nothing changes."""

    start: float
    """As a share of the day."""
    models: Mapping[str, Model]

    @property
    def up(self) -> tuple[str, ...]:
        """The models that answer."""
        return tuple(name for name, model in self.models.items() if not model.down)


@attrs.frozen
class World:
    """One day's models and questions."""

    asked: Questions
    varied: Variation = USUAL

    @cached_property
    def phases(self) -> tuple[Phase, ...]:
        """The parts of the day, in their order."""
        models, found = dict(self._morning()), []
        changes = sorted(self._changes(), key=lambda change: change.hour)
        hours = sorted({0.0, *(change.hour for change in changes)})
        for hour in hours:
            for change in changes:
                if change.hour == hour:
                    models[change.name] = attrs.evolve(models[change.name], **change.now)
            found.append(Phase(hour * _HOUR, dict(models)))
        return tuple(found)

    def at(self, share: float) -> Phase:
        """Return the part of the day at a time."""
        return next(phase for phase in reversed(self.phases) if phase.start <= share)

    def _morning(self) -> Mapping[str, Model]:
        p, e = self.varied.prices, self.varied.errors
        wrong = {"errors": 0.004 * e, "invalid": 0.004 * e}
        return {
            "strong": Model(price=10.0, seconds=0.5, quality=self.asked.share("strong"), **wrong),
            "north": Model(price=5.0 * p, seconds=0.4, quality=self.asked.share("strong"), **wrong),
            "south": Model(price=9.0 * p, seconds=0.45, quality=0.81, **wrong),
            "spare": Model(price=2.5 * p, seconds=0.3, quality=0.70, **wrong),
            "weak": Model(price=0.6 * p, seconds=0.2, quality=self.asked.share("weak"), **wrong),
        }

    def _changes(self) -> Sequence[Change]:
        p, d = self.varied.prices, self.varied.drift
        morning = self._morning()["north"]
        drifted = {"invalid": 0.25 * d, "quality": morning.quality - 0.2 * d, "seconds": 0.4 + 0.6 * d}
        others = [name for name in NAMES if name != "spare"]
        return (
            Change(8, "north", {"down": True}),
            Change(9, "north", {"down": False}),
            Change(12, "north", drifted),
            Change(14, "south", {"price": 3.5 * p}),
            Change(16, "weak", {"price": 0.9 * p}),
            Change(18, "strong", {"price": 9.0}),
            *(Change(22, name, {"down": True}) for name in others),
            *(Change(23, name, {"down": False}) for name in others),
        )


def mean_log_seconds(model: Model) -> float:
    """Return the mean of log(1 + seconds), which is what latency counts as in `adaptive`; by a sum over quantiles."""
    steps = (-1.6449, -1.0364, -0.6745, -0.3853, -0.1257, 0.1257, 0.3853, 0.6745, 1.0364, 1.6449)
    return sum(log1p(model.seconds * exp(_SPREAD * step)) for step in steps) / len(steps)


def seconds_of(model: Model, dice: random.Random) -> float:
    """Return how long one answer takes."""
    return model.seconds * exp(_SPREAD * dice.gauss(0.0, 1.0))


def reply_tokens() -> int:
    """Return the tokens of an answer."""
    return _REPLY
