"""Who spent what: the requests to models that a journal knows, counted and summed up in groups.

In: a journal, from when on, and the words to group by. Out: a `Spent` for each group. Consultations and attempts that
failed count where they went. What nobody knows the cost of is counted apart, so a sum is "at least". An answer from
memory saved what the same answer cost when it was paid for, if the journal still knows that.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.orchestrator.recording.journal import old
from rtfs_framework.orchestrator.recording.journal.query import has_log, reading
from rtfs_framework.orchestrator.recording.records import CONSULTATION

if TYPE_CHECKING:
    import sqlite3

_ROWS = """
SELECT position, run, what, entry, record, id, body FROM log
WHERE what IN ('run', 'begun') OR (what = 'ended' AND (
    body LIKE '%"decision":%' OR body LIKE '%"cost":%' OR body LIKE '%"kind":"consultation"%'
)) ORDER BY position
"""
_PLAN = "SELECT body FROM plans WHERE digest = ?"
_SERVED = frozenset({"l2 hit", "similar hit", "l3 hit", "in flight"})
_MODELS = ("remote ", "local-model ")
_MANY = 2**31 - 1

Key = tuple[Any, ...]


@attrs.define(slots=True)
class Spent:
    """What a group of requests took. Money is US dollars, as far as it is known."""

    calls: int = 0
    """Requests to models, those that failed and consultations included, and answers from memory."""
    failed: int = 0
    consultations: int = 0
    from_memory: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    unknown: int = 0
    """Requests that cost what nobody knows; with any, `cost` is a lower bound."""
    saved: float = 0.0
    """What answers from memory cost when they were paid for."""
    unknown_saved: int = 0

    def add(self, other: Spent) -> None:
        """Add what another group took."""
        for field in attrs.fields(Spent):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


@attrs.frozen(slots=True, kw_only=True)
class _Share:
    """One request, or one answer from memory."""

    target: str
    model: str = ""
    failed: bool = False
    cost: float | None = 0.0
    input_tokens: int = 0
    output_tokens: int = 0


@attrs.frozen(slots=True)
class _Run:
    """What a run's first row says."""

    tenant: str
    started: float
    id: str = ""


DIMENSIONS: Mapping[str, Callable[[_Run, float, Mapping[str, Any], _Share, Callable[[], str]], str]] = {
    "tenant": lambda run, _when, _body, _share, _engine: run.tenant,
    "model": lambda _run, _when, _body, share, _engine: share.model or share.target,
    "function": lambda _run, _when, body, _share, _engine: str(body.get("symbol") or ""),
    "day": lambda _run, when, _body, _share, _engine: datetime.fromtimestamp(when).astimezone().date().isoformat(),
    "engine": lambda _run, _when, _body, _share, engine: engine(),
    "target": lambda _run, _when, _body, share, _engine: share.target,
    "run": lambda run, _when, _body, _share, _engine: run.id,
}
"""By which words spending can be grouped."""


def spending(
    path: Path, by: Sequence[str], since: float | None = None, told: Callable[[int], None] | None = None
) -> dict[tuple[str, ...], Spent]:
    """Return what was spent from a time on (seconds since the epoch), by the values of `by`; the dearest first.

    `told` hears how many rows were read.

    Raises:
        JournalError: There is no journal, or it cannot be read.
    """
    counting = _Counting(tuple(by), since)
    with reading(path) as connection:
        if old.has_old(connection):
            for row in old.runs(connection, _MANY):
                run = _Run("", float(row["started"] or 0.0), str(row["id"]))
                for entry in old.entries(connection, row["id"]):
                    counting.ended(run, run.started, entry, partial(_engine, entry["decision"]))
        if has_log(connection):
            _count_log(connection, counting, told or _to_nobody)
    counting.finish()
    return dict(sorted(counting.groups.items(), key=lambda item: (-item[1].cost, -item[1].unknown, item[0])))


def total(groups: Iterable[Spent]) -> Spent:
    """Return what all groups took together."""
    found = Spent()
    for each in groups:
        found.add(each)
    return found


def _to_nobody(_rows: int) -> None:
    pass


def _count_log(connection: sqlite3.Connection, counting: _Counting, told: Callable[[int], None]) -> None:
    """Count the rows of the log. A row without a time of its own counts at that of the one before it in its run."""
    runs: dict[int, _Run] = {}
    latest: dict[int, float] = {}
    begun: dict[Key, tuple[int, float, dict[str, Any]]] = {}
    plans = _Plans(connection)
    for number, row in enumerate(connection.execute(_ROWS), 1):
        told(number)
        body = _parsed(row["body"])
        if row["what"] == "run":
            started = _number(body.get("started")) or 0.0
            runs[row["position"]] = _Run(str(body.get("tenant") or ""), started, str(row["id"]))
            continue
        run = runs.get(row["run"], _Run("", 0.0))
        when = latest[row["run"]] = _number(body.get("decided_at")) or latest.get(row["run"], run.started)
        key = (row["run"], row["entry"], row["record"], row["id"])
        if row["what"] == "begun":
            begun[key] = (row["run"], when, body)
            continue
        begun.pop(key, None)
        counting.ended(run, when, body, plans.of(body))
    for run_position, when, body in begun.values():
        if body.get("kind") != CallKind.CAPABILITY.value:
            run = runs.get(run_position, _Run("", 0.0))
            counting.share(run, when, body, _Share(target=str(body.get("target") or ""), cost=None), plans.of(body))


@attrs.frozen(slots=True)
class _Plans:
    """The engines of decisions, read once each."""

    connection: sqlite3.Connection
    known: dict[Any, str] = attrs.field(factory=dict)

    def engine(self, digest: Any) -> str:
        """Return which engine made a decision, "" for none."""
        if digest not in self.known:
            row = None if digest is None else self.connection.execute(_PLAN, (digest,)).fetchone()
            self.known[digest] = _engine(None if row is None else _parsed(row["body"]))
        return self.known[digest]

    def of(self, body: Mapping[str, Any]) -> Callable[[], str]:
        """Return what tells the engine of a row."""
        return partial(self.engine, body.get("decision"))


@attrs.define(slots=True)
class _Counting:
    """The groups so far, and answers from memory whose price may stand in a later row."""

    by: tuple[str, ...]
    since: float | None
    groups: dict[tuple[str, ...], Spent] = attrs.field(factory=dict)
    _paid: dict[int, float | None] = attrs.field(factory=dict)
    """By the hash of what a call and its answer were: there may be millions."""
    _served: Counter[tuple[int, tuple[str, ...]]] = attrs.field(factory=Counter)

    def ended(self, run: _Run, when: float, body: Mapping[str, Any], engine: Callable[[], str]) -> None:
        """Count a call that is over: each of its attempts, and its answer."""
        cache = str(body.get("cache") or "")
        origin = hash((body.get("symbol"), body.get("target"), _named(body, "args"), _named(body, "reply")))
        if cache in _SERVED:
            group = self._group(run, when, body, _answer(body, 0.0), engine)
            if group is not None:
                self.groups[group].add(Spent(calls=1, from_memory=1))
                self._served[origin, group] += 1
            return
        for share in shares(body):
            self.share(run, when, body, share, engine)
            if not share.failed and cache:
                self._paid[origin] = share.cost

    def share(self, run: _Run, when: float, body: Mapping[str, Any], share: _Share, engine: Callable[[], str]) -> None:
        """Count one request."""
        group = self._group(run, when, body, share, engine)
        if group is not None:
            self.groups[group].add(
                Spent(
                    calls=1,
                    failed=int(share.failed),
                    consultations=int(body.get("kind") == CONSULTATION),
                    input_tokens=share.input_tokens,
                    output_tokens=share.output_tokens,
                    cost=share.cost or 0.0,
                    unknown=int(share.cost is None),
                )
            )

    def finish(self) -> None:
        """Say what answers from memory saved."""
        for (origin, group), count in self._served.items():
            cost = self._paid.get(origin)
            known = {"unknown_saved": count} if cost is None else {"saved": cost * count}
            self.groups[group].add(Spent(**known))

    def _group(
        self, run: _Run, when: float, body: Mapping[str, Any], share: _Share, engine: Callable[[], str]
    ) -> tuple[str, ...] | None:
        if self.since is not None and when < self.since:
            return None
        group = tuple(DIMENSIONS[word](run, when, body, share, engine) for word in self.by)
        self.groups.setdefault(group, Spent())
        return group


def shares(body: Mapping[str, Any]) -> Iterator[_Share]:
    """Yield the requests that a call made: those that gave no usable answer, and the one that did."""
    attempts = [each for each in body.get("attempts") or () if isinstance(each, dict)]
    left = _answer(body, _cost(body))
    for each in attempts:
        share = _Share(
            target=str(each.get("target") or ""),
            model=str(each.get("model") or ""),
            failed=True,
            cost=_cost(each),
            input_tokens=_count(each, "input_tokens"),
            output_tokens=_count(each, "output_tokens"),
        )
        left = attrs.evolve(
            left,
            cost=None if left.cost is None or share.cost is None else left.cost - share.cost,
            input_tokens=left.input_tokens - share.input_tokens,
            output_tokens=left.output_tokens - share.output_tokens,
        )
        if each.get("kind") != "refused" or share.cost != 0:
            yield share
    failed = bool(body.get("error") or body.get("error_kind"))
    if attempts and any(_cost(each) is None for each in attempts):  # the total is not known, so what is left is not
        left = attrs.evolve(left, cost=0.0)
    asked = body.get("kind") == CONSULTATION or left.target.startswith(_MODELS)
    if (asked and not (failed and attempts)) or left.cost is None or left.cost > _DUST:
        yield attrs.evolve(left, failed=failed)


_DUST = 1e-12
"""What subtracting leaves of nothing."""


def _answer(body: Mapping[str, Any], cost: float | None) -> _Share:
    return _Share(
        target=str(body.get("target") or ""),
        model=str(body.get("model") or ""),
        cost=cost,
        input_tokens=_count(body, "input_tokens"),
        output_tokens=_count(body, "output_tokens"),
    )


def _cost(found: Mapping[str, Any]) -> float | None:
    """Return what was paid; what is not said is nothing, and null is not known."""
    return _number(found.get("cost", 0.0))


def _number(found: Any) -> float | None:
    return float(found) if isinstance(found, int | float) else None


def _count(found: Mapping[str, Any], name: str) -> int:
    number = found.get(name)
    return number if isinstance(number, int) else 0


def _named(body: Mapping[str, Any], name: str) -> Any:
    return body.get(name, body.get(f"{name}_digest"))


def _parsed(text: Any) -> dict[str, Any]:
    """Return what a row says; one that was tampered with says nothing (`rtfs runs verify` finds it)."""
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _engine(plan: Mapping[str, Any] | None) -> str:
    return str((plan or {}).get("engine") or "")
