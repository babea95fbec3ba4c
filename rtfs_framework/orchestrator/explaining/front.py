"""What a session tells of programs without anything happening: checked, explained, planned, estimated."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.source import Source, source_of
from rtfs_framework.orchestrator.host import Host
from rtfs_framework.orchestrator.running.portal import Portal

if TYPE_CHECKING:
    from rtfs_framework.lang.diagnostics import Diagnostic
    from rtfs_framework.orchestrator.explaining.checked import Checked
    from rtfs_framework.orchestrator.explaining.estimating.estimate import Estimate
    from rtfs_framework.orchestrator.explaining.explain import ExplainedSite
    from rtfs_framework.orchestrator.explaining.market.needs import Need
    from rtfs_framework.orchestrator.explaining.planning.planning import ProgramPlan
    from rtfs_framework.orchestrator.running.program import LoadedProgram


@attrs.define(slots=True, eq=False)
class Explaining:
    """A host that is asked what would happen; `Session` is one that lets it happen, too."""

    host: Host
    portal: Portal
    limits: Limits = attrs.field(factory=Limits)

    def check(self, source: Source | str) -> list[Diagnostic]:
        """Return everything found wrong with a program without running it; warnings and hints included."""
        return list(self.examine(source).diagnostics)

    def examine(self, source: Source | str) -> Checked:
        """Return what is known of a program without running it: findings, purity of its functions, where calls go."""
        from rtfs_framework.orchestrator.explaining.checking import check

        return self.portal.call(lambda _: check(self.host, source_of(source), self.limits))

    def explain(self, source: Source | str) -> list[ExplainedSite]:
        """Return every call of a program that can leave the kernel, where it would go, and why. Runs nothing."""
        from rtfs_framework.orchestrator.explaining.explain import explain

        return self.portal.call(lambda _: explain(self.host, source_of(source), self.limits))

    def needs(self, source: Source | str) -> tuple[Need, ...]:
        """Return the capabilities that a program calls, whether it may, and what to do where it may not. Runs nothing.

        Raises:
            LanguageError: The program was refused.
        """
        from rtfs_framework.orchestrator.explaining.market.needs import needs
        from rtfs_framework.orchestrator.running.linking import compile_for

        host = self.host
        return self.portal.call(lambda _: needs(host, compile_for(host, source_of(source), self.limits)))

    def explain_call(self, source: Source | str, call: Source) -> ExplainedSite:
        """Return where one call, such as `(f "x")`, would go. Runs nothing but the engine.

        Raises:
            LanguageError: The program was refused, or the text is no call of a function of it with literals.
        """
        from rtfs_framework.orchestrator.explaining.explain import explain_call

        return self.portal.call(lambda _: explain_call(self.host, source_of(source), call, self.limits))

    def plan(self, source: Source | str) -> ProgramPlan:
        """Decide for all call sites of a program at once; `text` is a file for `Session.open(plan=...)` to go by.

        Raises:
            LanguageError: The program was refused.
        """
        from rtfs_framework.orchestrator.explaining.planning.planning import plan_program

        return self.portal.call(plan_program, self.portal, self.host, source_of(source), self.limits)

    def estimate(self, source: Source | str, inputs: Iterable[tuple[Any, ...]] = ()) -> Estimate:
        """Return what a run would ask of models, and what that would cost at least and at most. Nobody is asked.

        The program runs with stand-ins for answers: its top-level forms, then `main` with the arguments of each input.

        Raises:
            LanguageError: The program was refused.
        """
        from rtfs_framework.orchestrator.explaining.estimating.estimate import Estimating
        from rtfs_framework.orchestrator.running.linking import link

        estimating = Estimating(self.host, self.portal.call(lambda _: link(self.host, source_of(source), self.limits)))
        with ExitStack() as open_ones:
            loaded = estimating.load(lambda host: self._load_on(host, source))
            programs = [open_ones.enter_context(program) for program in loaded]
            for args in inputs:
                estimating.add(programs, "main", args)
        return estimating.estimate(self.explain(source))

    def _load_on(self, host: Host, source: Source | str) -> LoadedProgram:
        """Load a program on another host."""
        raise NotImplementedError
