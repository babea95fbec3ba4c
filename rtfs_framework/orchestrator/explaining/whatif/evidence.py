"""The evidence of a journal: its calls as trials of one policy, each with what another would have chosen.

In: a history, runs, and what tells how another policy decides about a told decision. Out: `Evidence`, which `report`
estimates from. Nobody is asked, and nothing of the present is looked at but the other policy.

A call is one trial, and its decisions are the steps of it: the first, and those after each failure. What a failed
attempt cost is its step's, what came of the call is the last one's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from rtfs_framework.api.plans import DelegationPlan
from rtfs_framework.api.targets import Deny, LocalPure, show_target
from rtfs_framework.orchestrator.explaining.replaying.replay import Again, Replayer
from rtfs_framework.orchestrator.explaining.whatif.estimates import Step, Trial
from rtfs_framework.orchestrator.recording.journal.history import Facts, History, Told
from rtfs_framework.orchestrator.recording.journal.query import entries_within

DENIED = show_target(Deny(""))
OWN_BODY = show_target(LocalPure())
_SEEDS = 16
"""How often a policy decides that leaves a call to chance: its shares are known to about a sixteenth."""
_VIOLATION = "SecurityViolation"

Price = Callable[[str], tuple[float | None, float | None]]
"""From a target to US dollars per million tokens, in and out; None where it is not known."""


@attrs.frozen(slots=True, kw_only=True)
class Choice:
    """What both policies choose in one decision."""

    action: str
    propensity: float
    possible: frozenset[str]
    wanted: Mapping[str, float]


@attrs.frozen(slots=True, kw_only=True)
class Call:
    """A call, with what was chosen and what came of it."""

    symbol: str
    choices: tuple[Choice, ...]
    costs: tuple[float | None, ...]
    """What each step cost; None where nobody knows."""
    failed: bool
    """Whether it ended without a usable answer."""
    refused: bool
    """Whether the rules refused it."""
    seconds: float
    tokens: tuple[int, int]
    """In and out, of its last request."""
    from_memory: bool
    rating: float | None
    """What somebody said that its answer is worth; None without a word."""

    def trial(self, rewards: tuple[float, ...]) -> Trial:
        """Return it as a trial of one quantity."""
        return Trial(
            context=self.symbol,
            steps=tuple(
                Step(
                    action=choice.action,
                    propensity=choice.propensity,
                    possible=choice.possible,
                    wanted=choice.wanted,
                    reward=reward,
                )
                for choice, reward in zip(self.choices, rewards, strict=True)
            ),
        )

    def at_end(self, value: float) -> Trial:
        """Return it as a trial of what is known when it ends."""
        return self.trial((*(0.0 for _ in self.choices[1:]), value))


@attrs.define(slots=True)
class Evidence:
    """What a journal tells of calls that were decided about."""

    calls: list[Call] = attrs.field(factory=list)
    unknown: Counter[str] = attrs.field(factory=Counter)
    """Calls of which nobody can tell what the other policy would choose, by reason."""
    changes: Counter[tuple[str, str, str]] = attrs.field(factory=Counter)
    """Function, target then, target now: first decisions that differ for sure."""

    def add(self, found: Call | str) -> None:
        """Take a call, or the reason why it tells nothing."""
        if isinstance(found, str):
            self.unknown[found] += 1
            return
        self.calls.append(found)
        first = found.choices[0]
        (wanted, share), *_ = sorted(first.wanted.items(), key=lambda item: -item[1])
        if share == 1.0 and wanted != first.action:
            self.changes[found.symbol, first.action, wanted] += 1


Wanted = Callable[[Told, str], "Mapping[str, float] | str"]
"""From a told decision of a run (its id) to how likely the other policy chooses what, or why nobody can tell."""


def by_replay(replayer: Replayer) -> Wanted:
    """Return what decides again, by the policy of a host."""

    def wanted(told: Told, run: str) -> Mapping[str, float] | str:
        again = replayer.decided(told, _other(run, 0))
        if again.plan is None:
            return again.because
        if not again.drew:
            return {_named(again.plan): 1.0}
        found = Counter([_named(again.plan)])
        for number in range(1, _SEEDS):
            more: Again = replayer.decided(told, _other(run, number))
            if more.plan is None:
                return more.because
            found[_named(more.plan)] += 1
        return {action: count / _SEEDS for action, count in found.items()}

    return wanted


def by_shadow(engine: str) -> Wanted:
    """Return what reads the decisions that a shadow engine made at the time."""

    def wanted(told: Told, _run: str) -> Mapping[str, float] | str:
        said = told.entry.get("shadow")
        if told.number or not isinstance(said, dict) or said.get("engine") != engine:
            return _NO_SHADOW
        return said["why"] if "target" not in said else {str(said["target"]): 1.0}

    return wanted


_NO_SHADOW = "no such engine was beside the real one then, or it is not asked after a failure"


def _other(run: str, number: int) -> str:
    """Return a seed that has nothing to do with the run's: chance must not be the same for both policies."""
    return f"whatif {number} {run}"


def _named(plan: DelegationPlan) -> str:
    return show_target(plan.target)


def shadows_of(history: History, run: str) -> set[str]:
    """Return the engines that were beside the real one in a run."""
    told = (entry["shadow"] for entry in entries_within(history.connection, run))
    return {str(said["engine"]) for said in told if isinstance(said, dict) and said.get("engine")}


def calls_of(history: History, run: str, wanted: Wanted) -> Iterator[Call | str]:
    """Yield the calls of a run that were decided about, or why one tells nothing."""
    facts = history.facts(run)
    for entry in entries_within(history.connection, run):
        if entry["decision_digest"] and entry["state"] == "ended":
            yield _call(history, facts, entry, wanted)


def _call(history: History, facts: Facts, entry: Mapping[str, Any], wanted: Wanted) -> Call | str:
    told = list(history.told(entry, facts))
    choices: list[Choice] = []
    for each in told:
        found = _BY_CHANCE if _unsaid(each) else wanted(each, facts.id)
        if isinstance(found, str):
            return found
        choices.append(_choice(each, found))
    attempts = entry["attempts"]
    costs = _costs(entry, len(choices), [each.number for each in told])
    tokens = (_left(entry, attempts, "input_tokens"), _left(entry, attempts, "output_tokens"))
    refused = entry["error_kind"] == _VIOLATION and not entry["exhausted"]
    return Call(
        symbol=str(entry["symbol"]),
        choices=tuple(choices),
        costs=costs,
        failed=bool(entry["exhausted"]) or (bool(entry["error_kind"]) and not refused),
        refused=refused,
        seconds=(entry["micros"] or 0) / 1_000_000,
        tokens=tokens,
        from_memory=entry["cache"] in ("l2 hit", "similar hit", "l3 hit", "in flight"),
        rating=_rating(entry["feedback"]),
    )


_BY_CHANCE = "an engine left it to chance then, and did not say how likely its choice was"


def _unsaid(told: Told) -> bool:
    """Tell whether chance chose the target, nobody knows how likely. After a failure it only says how long to wait."""
    drew = any(each["read"][0] == "draw" for each in told.reads)
    return drew and not told.number and "propensity" not in told.said


def _rating(said: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the mean of what was said of a call, None without a word."""
    values = [float(each["value"]) for each in said]
    return sum(values) / len(values) if values else None


def _choice(told: Told, wanted: Mapping[str, float]) -> Choice:
    said = told.said
    share = said.get("propensity")
    weighed = said.get("alternatives") or ()
    return Choice(
        action=str(said.get("target", "")),
        propensity=float(share) if isinstance(share, int | float) and 0 < share <= 1 else 1.0,
        possible=frozenset(str(each["target"]) for each in weighed if isinstance(each, dict) and "target" in each),
        wanted=wanted,
    )


def _costs(entry: Mapping[str, Any], steps: int, numbers: list[int]) -> tuple[float | None, ...]:
    """Return what each step cost: attempts after a decision, up to the next one, are of its step."""
    attempts = entry["attempts"]
    bounds = [*numbers[1:], len(attempts)]
    parts = [[each["cost"] for each in attempts[start:end]] for start, end in zip(numbers, bounds, strict=True)]
    found: list[float | None] = [None if None in part else float(sum(part)) for part in parts]
    whole = entry["cost"]
    tried = [each["cost"] for each in attempts]
    rest = None if whole is None or None in tried else float(whole) - float(sum(tried))
    last = found[-1]
    found[-1] = None if rest is None or last is None else last + max(0.0, rest)
    return tuple(found[:steps])


def _left(entry: Mapping[str, Any], attempts: list[Mapping[str, Any]], name: str) -> int:
    return max(0, int(entry[name] or 0) - sum(int(each[name] or 0) for each in attempts))
