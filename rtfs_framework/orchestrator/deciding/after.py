"""What is decided after a failure: the capability that a hint names, the next of a list, or what an engine says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.targets import Ask, show_target
from rtfs_framework.orchestrator.deciding.hinted import hint_reads, steering
from rtfs_framework.orchestrator.deciding.known import Undecided

if TYPE_CHECKING:
    from rtfs_framework.api.plans import DelegationPlan
    from rtfs_framework.kernel.outcome import HostCall
    from rtfs_framework.orchestrator.deciding.facts import Asker
    from rtfs_framework.orchestrator.deciding.known import Known
    from rtfs_framework.orchestrator.deciding.precedence import Precedence
    from rtfs_framework.orchestrator.recording.records import Decision, Steps


def decide_after(
    precedence: Precedence,
    known: Known,
    call: HostCall,
    asker: Asker,
    ask: Callable[[Steps], Decision | Undecided] | None,
) -> Decision | Undecided:
    """Return what follows the latest attempt of a call; `ask` asks the engine, None where that has no say."""
    hints, last = steering(call.hints), asker.attempts[-1]
    words = f"{len(asker.attempts)}: {show_target(last.target)}: {last.kind.value}, {last.reason}"
    aside, steps = precedence.fall_back(asker, (("attempt", words),), hints)
    if aside is not None:
        return attrs.evolve(aside, grounds=known.grounds)
    if call.function is None:  # a program's own call of a capability: nobody chose that, so hints decide alone
        return precedence.follow(known.facts.function, asker, steps, hints, call.capability)
    if ask is None:
        return attrs.evolve(precedence.follow(known.facts.function, asker, steps, hints), grounds=known.grounds)
    over = precedence.sequel.over(asker.attempts, hints)
    return ask(steps) if over is None else at_end(precedence, known, call, asker, steps, over)


def at_end(precedence: Precedence, known: Known, call: HostCall, asker: Asker, steps: Steps, why: str) -> Decision:
    """Return what becomes of a call for which an engine has nothing more."""
    made = precedence.once_more(known.facts.function, asker, steps, why, steering(call.hints))
    return attrs.evolve(made, grounds=known.grounds)


def wrong_after(precedence: Precedence, answer: DelegationPlan | None, call: HostCall, past: Asker) -> str | None:
    """Return why an engine's answer is none after what was tried, None when it can be carried out."""
    if answer is None:
        return "no target is left"
    target = answer.target.then if isinstance(answer.target, Ask) else answer.target
    why = precedence.sequel.why_not(target, past.attempts, steering(call.hints))
    return None if why is None else f"{show_target(target)} once more: {why}"


def resting(made: Decision | Undecided, call: HostCall, asker: Asker | None) -> Decision | Undecided:
    """Return a decision with the hints on which it rests: those that say what follows a failure."""
    if isinstance(made, Undecided) or asker is None or not asker.attempts or not len(call.hints):
        return made
    return attrs.evolve(made, footprint=(*made.footprint, *hint_reads(steering(call.hints))))
