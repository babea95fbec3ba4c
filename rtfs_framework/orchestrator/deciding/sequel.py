"""What may follow a failed attempt: bounds that hold for every engine, and the order of plain lists of targets.

Failure is another decision, and evidence bounds it: what surely did nothing may be repeated; what may have been carried
out is repeated only at an idempotent target; a target that refused this request is not asked it again. A weaker target
never answers instead, unless the configuration's `quality_floor` allows it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.attempts import Attempt, FailureKind
from rtfs_framework.api.targets import Capability, Deny, ExecTarget, LocalModel, LocalPure, RemoteModel, show_target
from rtfs_framework.orchestrator.boundary.hints import NO_HINTS, Hints
from rtfs_framework.orchestrator.config.model import AttemptSpec
from rtfs_framework.orchestrator.deciding.hinted import LATE
from rtfs_framework.orchestrator.deciding.readings import UNKEPT, spelled

if TYPE_CHECKING:
    from rtfs_framework.api.plans import Candidate, DelegationPlan
    from rtfs_framework.orchestrator.deciding.facts import Asker, Read
    from rtfs_framework.orchestrator.deciding.signals import Signals

MOST_VERDICTS = 8
"""Attempts of one call, refusals of guards among them."""

_USUAL = 3
"""Requests of a list, its repeats among them, where the configuration does not say how many."""

_BASE, _MOST_DELAY = 0.25, 10.0
"""Seconds of the first back-off, and the longest wait for which a call is kept open."""


@attrs.frozen(slots=True, kw_only=True)
class Sequel:
    """Judges what may follow, for one configuration."""

    spec: AttemptSpec
    candidate: Callable[[ExecTarget], Candidate | None]
    signals: Signals

    def over(self, attempts: Sequence[Attempt], hints: Hints = NO_HINTS) -> str | None:
        """Return why nothing more may be tried, None when something may."""
        if not attempts:
            return None
        final = next((each for each in attempts if each.kind is FailureKind.FINAL), None)  # of two at once, either one
        if final is not None:
            return "nothing may follow: " + (final.reason or "it was final")
        if len(attempts) >= MOST_VERDICTS:
            return f"{MOST_VERDICTS} attempts and refusals are the most"
        made, most = requests(attempts), self.spec.most
        if most is not None and made >= most:
            return f"attempts = {most} were made"
        if hints.retry is not None and made > hints.retry.most:
            return f"the hint retry lets it be repeated {hints.retry.most} times"
        return None

    def falls_back(self, attempts: Sequence[Attempt], hints: Hints) -> tuple[Capability | None, str]:
        """Return the capability that the hint `fallback` names, where it may answer now; else None, and why not.

        It is a part of the attempt that failed, and has what is left of that one's time.
        """
        if hints.fallback is None or not attempts:
            return None, ""
        target, last = Capability(hints.fallback.capability), attempts[-1]
        if last.target == target:
            return None, ""  # it has answered for that attempt
        if last.kind is FailureKind.FINAL or len(attempts) >= MOST_VERDICTS:
            return None, self.over(attempts, hints) or ""
        why = f"its attempt's time was over ({last.guard})" if last.guard == LATE else None
        why = why or self.why_not(target, attempts, hints) or self.too_weak(target, attempts[0].target)
        return (target, "") if why is None else (None, why)

    def why_not(self, target: ExecTarget, attempts: Sequence[Attempt], hints: Hints = NO_HINTS) -> str | None:
        """Return why a target may not be tried after these attempts, None when it may. A denial always may."""
        if isinstance(target, Deny):
            return None
        of_it = [each for each in attempts if each.target == target]
        if of_it and isinstance(target, Capability) and hints.retry is None:
            return "a capability is repeated by the hint retry alone"
        for each in of_it:
            if each.kind is FailureKind.SAFE or (each.kind is FailureKind.UNCERTAIN and self._idempotent(target)):
                continue
            if each.kind is FailureKind.REPLY and hints.retry is not None and self._may_say_else(target):
                continue
            if each.kind is FailureKind.UNCERTAIN:
                return "it may have been carried out, and the target is not idempotent"
            return f"it was tried, and that was {each.kind.value}"
        rest = self.rest(target, attempts)
        if rest > _MOST_DELAY:
            return f"it would be {rest:.3g} s until it may be asked again"
        return None if of_it or not attempts else self.too_weak(target, attempts[0].target)

    def rest(self, target: ExecTarget, attempts: Sequence[Attempt]) -> float:
        """Return the seconds for which a target still asks to be left alone, as far as what was tried since tells."""
        since = 0.0
        for each in reversed(attempts):
            if each.target == target:
                return max(0.0, (each.retry_after or 0.0) - since)
            since += each.seconds / 2  # a band is at most twice what it was
        return 0.0

    def rested(self, plan: DelegationPlan, attempts: Sequence[Attempt]) -> DelegationPlan:
        """Return a plan that waits as long as its target still asks to be left alone."""
        return attrs.evolve(plan, delay=max(plan.delay, self.rest(plan.target, attempts)))

    def too_weak(self, target: ExecTarget, first: ExecTarget) -> str | None:
        """Return why a target must not answer instead of the first one, None when it may."""
        floor = self.spec.quality_floor
        if floor <= 0 or target == first:
            return None
        if isinstance(target, LocalPure):
            return None if self.spec.on_exhausted == "body" else f"the own body, and quality_floor is {floor:g}"
        found = self.candidate(target)
        quality = None if found is None else found.quality
        if quality is None:
            return f"its quality is not known, and quality_floor is {floor:g}"
        return f"its quality is {quality:g}, and quality_floor is {floor:g}" if quality < floor else None

    def _idempotent(self, target: ExecTarget) -> bool:
        found = self.candidate(target)
        return found is not None and found.idempotent

    def _may_say_else(self, target: ExecTarget) -> bool:
        found = self.candidate(target)
        return found is not None and found.idempotent and not found.deterministic

    def following(
        self,
        targets: Sequence[ExecTarget],
        asker: Asker,
        unusable: Callable[[ExecTarget], str | None],
        noted: dict[Read, tuple[Hashable, Any]],
        hints: Hints = NO_HINTS,
    ) -> tuple[tuple[ExecTarget, float] | None, tuple[tuple[str, str], ...]]:
        """Return the next target of a list with the seconds to wait before it, None at its end; and what was left out.

        Each target is tried once, in order; then those are repeated whose failure allows it, the one first that is to
        be left alone for the shortest time. Back-off is exponential with jitter (half of it drawn), and never
        shorter than a server's Retry-After; the hint `retry` says its own. What is read of the present is `noted`, as
        engines' reads are.
        """
        attempts = asker.attempts
        excluded: list[tuple[str, str]] = []
        for target in targets:
            if any(each.target == target for each in attempts):
                continue
            why = unusable(target) or self.why_not(target, attempts, hints) or self._sick(target, noted)
            if why is None:
                return (target, 0.0), tuple(excluded)
            excluded.append(("excluded", f"{show_target(target)}: {why}"))
        repeats = []
        for place, target in enumerate(targets):
            of_it = [each for each in attempts if each.target == target]
            if not of_it:
                continue
            delay, asked_to_wait = self._delay(of_it, asker, noted, hints), of_it[-1].retry_after is not None
            why = unusable(target) or self.why_not(target, attempts, hints)
            if why is None and delay > _MOST_DELAY and hints.retry is None:
                why = f"it would be {delay:.3g} s until it may be asked again"
            if why is None and not asked_to_wait:
                why = self._sick(target, noted)
            if why is None:
                repeats.append((delay, place, target))
            else:
                excluded.append(("excluded", f"{show_target(target)} again: {why}"))
        made = requests(attempts)
        if repeats and self.spec.most is None and hints.retry is None and made >= _USUAL:
            excluded.append(("excluded", f"repeats: {made} requests were made, and attempts does not say more"))
            repeats = []
        if not repeats:
            return None, tuple(excluded)
        delay, _, target = min(repeats, key=lambda each: each[:2])
        return (target, delay), tuple(excluded)

    def _sick(self, target: ExecTarget, noted: dict[Read, tuple[Hashable, Any]]) -> str | None:
        if not isinstance(target, LocalModel | RemoteModel):
            return None
        health = self.signals.health(target)
        read: Read = ("health", *spelled(target))
        noted[read] = health._value_, health
        return None if health.passes else f"its breaker is {health.value}"

    def _delay(
        self, of_it: Sequence[Attempt], asker: Asker, noted: dict[Read, tuple[Hashable, Any]], hints: Hints
    ) -> float:
        if hints.retry is not None:
            return max(hints.retry.delay(len(of_it) - 1, _MOST_DELAY), of_it[-1].retry_after or 0.0)
        noted["draw", "back-off"] = UNKEPT, None
        back_off: float = _BASE * 2 ** (len(of_it) - 1)
        return max(back_off * (0.5 + 0.5 * asker.draw("back-off")), of_it[-1].retry_after or 0.0)


def requests(attempts: Sequence[Attempt]) -> int:
    """Return how many attempts were requests: no guard of the host refused them, and none was a fallback."""
    return sum(each.kind is not FailureKind.REFUSED and not each.aside for each in attempts)


def taken_out(target: ExecTarget, attempts: Sequence[Attempt]) -> tuple[str, ...]:
    """Return the rules of redaction for what the host tries by itself after these attempts.

    Those of the target's last request; of one that was asked nothing yet, those of the latest attempt.
    """
    of_it = [each for each in attempts if each.target == target and not each.aside]
    found = of_it or attempts
    return found[-1].transform if found else ()
