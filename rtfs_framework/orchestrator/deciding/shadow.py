"""An engine beside the real one: what it would have decided is written down, and changes nothing.

It sees what the real one sees, decides once per call before anything was tried, and asks nobody: a question to a model
is written down as such. Chance is its own, so that what it draws has nothing to do with what the real one drew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.targets import ExecTarget, show_target
from rtfs_framework.orchestrator.deciding.engines import Engine
from rtfs_framework.orchestrator.deciding.reads import Reads
from rtfs_framework.orchestrator.recording.records import Shadowed
from rtfs_framework.registry.faults import Part, PluginFault

if TYPE_CHECKING:
    from rtfs_framework.api.attempts import Attempt
    from rtfs_framework.api.caller import DelegationMetadata
    from rtfs_framework.api.labels import Label
    from rtfs_framework.kernel.outcome import HostCall
    from rtfs_framework.orchestrator.deciding.facts import Asker, Facts, Question
    from rtfs_framework.orchestrator.deciding.precedence import Precedence

Report = Callable[[Part, "BaseException | str", str, str], None]
"""Told when the engine broke."""

_UNCHANGED = "the real engine decided, as always"


@attrs.frozen(slots=True)
class _Apart:
    """Whoever asks, with chance of its own."""

    asker: Asker

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        return self.asker.attempts

    @property
    def metadata(self) -> DelegationMetadata:
        return self.asker.metadata

    @property
    def labels(self) -> Label:
        return self.asker.labels

    def draw(self, name: str) -> float:
        return self.asker.draw(f"shadow\0{name}")


@attrs.frozen(slots=True, eq=False)
class Shadow:
    """The engine beside the real one."""

    engine: Engine
    precedence: Precedence
    report: Report

    def decide(
        self,
        facts: Facts,
        call: HostCall,
        asker: Asker,
        answer_to: Callable[[Question], tuple[str | None] | None],
    ) -> Shadowed:
        """Return what it would have decided."""
        name = self.engine.name
        try:
            if self.engine.claims().match(facts.function.name) is None:
                return Shadowed(name, show_target(self._default(facts)), why="it does not claim the function")
            reads = Reads(facts, call, answer_to, _Apart(asker))
            plan = self.engine.decide(reads)
        except PluginFault as fault:
            self.report(fault.part, fault, "", _UNCHANGED)
            return Shadowed(name, why="it failed")
        if reads.question is not None:
            return Shadowed(name, why=f"it would ask {show_target(reads.question.target)} first")
        if plan is None:
            return Shadowed(name, show_target(self._default(facts)), why="it has no opinion")
        reviewed, note = self.precedence.review(plan)
        return Shadowed(name, show_target(reviewed.target), why=note or "")

    def _default(self, facts: Facts) -> ExecTarget:
        return self.precedence.default((), facts.function).plan.target
