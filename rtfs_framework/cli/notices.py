"""What is wrong with plugins, and what is doubtful in a configuration or program, told while a command runs.

Once on stderr, and as `problems` in what `--json` prints. One `Notices` belongs to one command line: it hears every
host that the command opens, so that what several of them meet is told once. Its end says how often what was told once
has happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import click

from rtfs_framework.cli.terminal import complain
from rtfs_framework.lang.visible import visible_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtfs_framework.lang.diagnostics import Diagnostic
    from rtfs_framework.registry.faults import Faults
    from rtfs_framework.registry.problems import PluginProblem


@attrs.define(slots=True, eq=False)
class Notices:
    """What one command line has told."""

    quiet: bool = False
    """Whether hints are only kept for `--json`."""
    _watched: list[Faults] = attrs.field(factory=list)
    _told: dict[str, PluginProblem] = attrs.field(factory=dict)
    _findings: dict[str, Diagnostic] = attrs.field(factory=dict)

    def watch(self, faults: Faults) -> None:
        """Tell what is wrong with the plugins of a host, now and from now on."""
        self._watched.append(faults)
        faults.listen(self.tell)

    def tell(self, problem: PluginProblem) -> None:
        """Tell a problem, unless it was told before."""
        if problem.message not in self._told:
            self._told[problem.message] = problem
            complain(problem.render("warning"))

    def tell_all(self, problems: Iterable[PluginProblem]) -> None:
        """Tell the problems of plugins that could not be loaded."""
        for problem in problems:
            self.tell(problem)

    def tell_findings(self, findings: Iterable[Diagnostic]) -> None:
        """Tell what the user of a configuration or program should know, unless it was told before."""
        for each in findings:
            text = each.render()
            if text not in self._findings:
                self._findings[text] = each
                if not (self.quiet and each.severity == "hint"):
                    complain(text)

    @property
    def findings(self) -> list[Diagnostic]:
        """What was told of configurations and programs."""
        return list(self._findings.values())

    @property
    def problems(self) -> list[PluginProblem]:
        """Everything told, with counts."""
        found = dict(self._told)
        for faults in self._watched:
            for problem in faults.problems:
                known = found.get(problem.message)
                if known is None or problem.count > known.count:
                    found[problem.message] = problem
        return list(found.values())

    def finish(self) -> None:
        """Say how often what was told once has happened."""
        for problem in self.problems:
            if problem.count > 1:
                complain(f"warning[{problem.code}]: {problem.count:,} times: {visible_message(problem.message)}")


def notices() -> Notices:
    """Return the notices of the command that runs."""
    context = click.get_current_context(silent=True)
    found = None if context is None else context.find_object(Notices)
    return Notices() if found is None else found


def problems_json() -> list[dict[str, Any]]:
    """Return what was told by now, as JSON-ready data."""
    told = notices()
    return [*(each.to_json() for each in told.findings), *(each.to_json() for each in told.problems)]
