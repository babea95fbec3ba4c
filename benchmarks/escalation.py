"""What `escalate` recovers: how many calls go on to the strong model, and how good the answers are then.

In: a CSV (or CSV.gz) with the columns `topic`, `prompt`, `weak_model_correct` and `strong_model_correct` (0 or 1). Out:
for each floor of confidence the share escalated and the share of right answers, beside always-weak and always-strong.

    python benchmarks/escalation.py routing_outcomes_dev.csv.gz [FLOOR...]

The data holds no model's own confidence. What stands for it is what the weak model got right of *other* questions of
the same topic and about the same length (odd rows are judged by even ones and the other way round): a weak and honest
signal, so a model that says how sure it is should do better. The decisions are those of the engine itself.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from rtfs_engine_resilient.engine import ResilientEngine
from rtfs_framework.api import (
    Attempt,
    CallContext,
    Candidate,
    DelegationPlan,
    EngineSettings,
    ExecTarget,
    FailureKind,
    LocalModel,
    PlanSource,
    RemoteModel,
)
from rtfs_framework.testing.fakes import FakeAsker, call_reads, decided

FLOORS = (0.5, 0.7, 0.85)
WEAK, STRONG = LocalModel("weak"), RemoteModel("strong")
_PRIOR = 10
"""Answers of the whole that count beside those of a group: small groups say little."""


class Always:
    """An engine that always chooses one target."""

    def __init__(self, target: ExecTarget) -> None:
        self._plan = DelegationPlan(target=target, reasoning="always", source=PlanSource.ENGINE)

    def claims(self) -> Sequence[str]:
        """Return that it may choose for every function."""
        return ("*",)

    def decide(self, _context: CallContext) -> DelegationPlan:
        """Return the one plan."""
        return self._plan


def main(data: str, *floors: str) -> None:
    """Print the table."""
    raw = Path(data).read_bytes()
    text = (gzip.decompress(raw) if data.endswith(".gz") else raw).decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    weak, strong = ([int(row[f"{name}_model_correct"]) for row in rows] for name in ("weak", "strong"))
    sure = list(_confidences(rows, weak))
    low, high = sum(weak) / len(rows), sum(strong) / len(rows)
    print(f"{'':16}{'escalated':>12}{'right':>10}{'recovered':>12}")
    print(f"{'always weak':16}{0:>12.1%}{low:>10.1%}{0:>12.1%}")
    engine = ResilientEngine(EngineSettings(children={"escalate": (Always(WEAK), Always(STRONG))}))
    for floor in map(float, floors or FLOORS):
        ends = {unsure: _end(engine, unsure=unsure) for unsure in (False, True)}
        goes_on = [ends[each < floor] == STRONG for each in sure]
        right = sum(s if on else w for on, w, s in zip(goes_on, weak, strong, strict=True)) / len(rows)
        share = sum(goes_on) / len(rows)
        print(f"{f'floor {floor:g}':16}{share:>12.1%}{right:>10.1%}{(right - low) / (high - low):>12.1%}")
    print(f"{'always strong':16}{1:>12.1%}{high:>10.1%}{1:>12.1%}")


def _end(engine: ResilientEngine, *, unsure: bool) -> ExecTarget:
    """Return who answers a call in the end, by the engine's decisions, where the weak model is so sure."""
    attempts: tuple[Attempt, ...] = ()
    candidates = (Candidate(WEAK, "weak"), Candidate(STRONG, "strong"))
    while True:
        plan = decided(engine, call_reads("answer", candidates=candidates, asker=FakeAsker(attempts=attempts)))
        if plan is None:
            raise AssertionError("the engine has nothing left")
        if plan.target != WEAK or not unsure:
            return plan.target
        attempts = (*attempts, Attempt(target=WEAK, kind=FailureKind.LOW_CONFIDENCE))


def _confidences(rows: Sequence[dict[str, str]], right: Sequence[int]) -> Iterator[float]:
    """Yield for each row what share of other rows of its kind the weak model got right."""
    kinds = [(row["topic"], len(row["prompt"]).bit_length()) for row in rows]
    mean = sum(right) / len(rows)
    seen: dict[tuple[object, int], list[int]] = defaultdict(list)
    for place, kind in enumerate(kinds):
        seen[kind, place % 2].append(right[place])
    for place, kind in enumerate(kinds):
        others = seen[kind, 1 - place % 2]
        yield (sum(others) + _PRIOR * mean) / (len(others) + _PRIOR)


if __name__ == "__main__":
    main(*sys.argv[1:])
