"""How often a model writes a right program: each task once, with so many repairs, judged by cases that it never sees.

In: tasks, whoever asks, and what is known from before. Out: a `Measured` per task, and their share with Wilson's
interval (E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.cli.writing.given import Given
from rtfs_framework.cli.writing.judging import Judge
from rtfs_framework.cli.writing.rounds import ASK, Written, write

if TYPE_CHECKING:
    from rtfs_framework.api.labels import Label
    from rtfs_framework.cli.writing.asking import Asking
    from rtfs_framework.cli.writing.tasks import Task
    from rtfs_framework.orchestrator.recording.records import Summary
    from rtfs_framework.orchestrator.session import Session

RIGHT, REPAIRED, WRONG, UNREADABLE, FAILED = "right", "repaired", "wrong", "unreadable", "failed"
OUTCOMES = (RIGHT, REPAIRED, WRONG, UNREADABLE, FAILED)
Key = tuple[str, str, str, str, int]
_Z = 1.959963984540054
"""Of 95 % of a normal distribution, on both sides."""


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_cost(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value is None or (number and 0 <= value < math.inf)  # type: ignore[operator]  # it is a number


_FIT: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("task", "kind", "digest", "model", "question"), _is_text),
    **dict.fromkeys(("repairs", "rounds", "input_tokens", "output_tokens"), _is_count),
    "outcome": lambda value: value in OUTCOMES if isinstance(value, str) else False,
    "program": lambda value: value is None or isinstance(value, str),
    "wrong": lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
    "cost": _is_cost,
}
"""What each key of a result may be."""


@attrs.frozen(slots=True, kw_only=True)
class Measured:
    """What became of one task."""

    task: str
    kind: str
    digest: str
    model: str
    question: str
    """A digest of all else that an answer depends on: what the model is told of the language, who answers, and how
    long its replies may be."""
    repairs: int
    """How many were allowed."""
    outcome: str
    rounds: int = 0
    program: str | None = None
    wrong: tuple[str, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = 0.0

    @property
    def key(self) -> Key:
        """What makes it the answer to a question that is asked again."""
        return self.task, self.digest, self.model, self.question, self.repairs

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {**attrs.asdict(self), "wrong": list(self.wrong)}

    @classmethod
    def of_json(cls, data: object) -> Measured:
        """Read it back.

        Raises:
            ValueError: It is none; the message says why.
        """
        names = {each.name for each in attrs.fields(cls)}
        if not isinstance(data, Mapping) or set(data) != names:
            raise ValueError(f"the keys of a result are {', '.join(sorted(names))}")
        for name, fits in _FIT.items():
            if not fits(data[name]):
                raise ValueError(f"'{name}' is not what a result has there")
        return cls(**{**data, "wrong": tuple(data["wrong"])})


@attrs.frozen(slots=True, eq=False, kw_only=True)
class Bench:
    """Measures one model."""

    session: Session
    asking: Asking
    pack: str
    model: str
    question: str
    repairs: int

    def key(self, task: Task) -> Key:
        """Return the key of a task's answer."""
        return task.id, task.digest, self.model, self.question, self.repairs

    def measure(self, task: Task) -> Measured:
        """Put one task to the model. A model that does not answer is `failed`."""
        from rtfs_framework.lang.errors import ProgramError

        told = task.cases[: task.shown]
        before = self.asking.summary
        judge = Judge(
            session=self.session, examples=told, fits=lambda _, text: task.misfit(text), bodies=True, marks=self._marks
        )
        system = ASK.format(pack=self.pack, how=Given(examples=told or task.cases[:0]).told())
        common: dict[str, Any] = {"task": task.id, "kind": task.kind, "digest": task.digest}
        common |= {"model": self.model, "question": self.question}
        try:
            written = write(self.asking, judge, system, task.prompt, self.repairs)
        except ProgramError as error:
            spent = _spent(before, self.asking.summary)
            return Measured(**common, repairs=self.repairs, outcome=FAILED, wrong=(str(error),), **spent)
        outcome, wrong = self._judged(task, written)
        return Measured(
            **common,
            repairs=self.repairs,
            outcome=outcome,
            rounds=len(written.rounds),
            program=None if written.judged is None else written.judged.program,
            wrong=wrong,
            **_spent(before, self.asking.summary),
        )

    def _marks(self) -> Label:
        return self.asking.carried

    def _judged(self, task: Task, written: Written) -> tuple[str, tuple[str, ...]]:
        """Return an outcome: by all cases, those included of which the model heard nothing."""
        last = written.rounds[-1]
        if last.judged is None or last.judged.unread:
            nothing = () if last.nothing is None else (last.nothing.words[:400],)
            return UNREADABLE, nothing if last.judged is None else last.judged.wrong
        if not last.judged.right:
            return WRONG, last.judged.wrong
        judged = Judge(session=self.session, examples=task.cases, bodies=True, marks=self._marks).judge(
            last.judged.program
        )
        if not judged.right:
            return WRONG, judged.wrong
        return (RIGHT if written.repairs == 0 else REPAIRED), ()


def _spent(before: Summary, after: Summary) -> dict[str, Any]:
    known = after.unpriced == before.unpriced
    return {
        "input_tokens": after.input_tokens - before.input_tokens,
        "output_tokens": after.output_tokens - before.output_tokens,
        "cost": after.cost - before.cost if known else None,
    }


def interval(right: int, count: int) -> tuple[float, float]:
    """Return Wilson's interval of a share, for 95 %."""
    if count == 0:
        return 0.0, 1.0
    share, square = right / count, _Z * _Z
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = _Z / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    return (0.0 if right == 0 else max(0.0, middle - half)), (1.0 if right == count else min(1.0, middle + half))


def summed(found: Sequence[Measured]) -> dict[str, Any]:
    """Return the numbers of all tasks as JSON-ready data; tasks that the model failed to answer are in no share."""
    counts = {word: sum(each.outcome == word for each in found) for word in OUTCOMES}
    count = len(found) - counts[FAILED]
    right = counts[RIGHT] + counts[REPAIRED]
    costs = [each.cost for each in found]
    return {
        "tasks": len(found),
        **counts,
        "share": right / count if count else None,
        "interval": list(interval(right, count)),
        "at_once": counts[RIGHT] / count if count else None,
        "input_tokens": sum(each.input_tokens for each in found),
        "output_tokens": sum(each.output_tokens for each in found),
        "cost": None if None in costs else sum(cost or 0.0 for cost in costs),
    }


def measured(
    bench: Bench,
    tasks: Iterable[Task],
    before: Mapping[Key, Measured],
    told: Callable[[Measured, bool], None],
) -> list[Measured]:
    """Measure all tasks that are not known from before; `told` hears each, and whether it was asked now."""
    found = list[Measured]()
    for task in tasks:
        old = before.get(bench.key(task))
        each = bench.measure(task) if old is None else attrs.evolve(old, kind=task.kind)
        found.append(each)
        told(each, old is None)
    return found
