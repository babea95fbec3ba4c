"""Judging the cases of a policy's tests: what is decided about each call, in the world that its case imagines.

In: a host, a case and its program. Out: a `Verdict`. Nothing runs but the engine, and nobody is asked: a model's words
are those that the case gives.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from rtfs_framework.api.targets import Ask, ExecTarget, LocalPure, show_target
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.codegen.artifact import Artifact
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.deciding.around import Around
from rtfs_framework.orchestrator.deciding.delegate import MOST_CONSULTATIONS, Delegator
from rtfs_framework.orchestrator.deciding.known import Undecided
from rtfs_framework.orchestrator.explaining.asked_call import read_call
from rtfs_framework.orchestrator.explaining.imagined import Imagined, Past, Surrounded, decided, imagining
from rtfs_framework.orchestrator.explaining.labels import decider
from rtfs_framework.orchestrator.explaining.policy.cases import OUTCOMES, Case, CaseTable, Meaning
from rtfs_framework.orchestrator.host import Host
from rtfs_framework.orchestrator.recording.records import Decision, Steps
from rtfs_framework.orchestrator.running.linking import compile_for


@attrs.frozen(slots=True, kw_only=True)
class Verdict:
    """What was decided about a call, and what was expected."""

    name: str
    call: str
    line: int
    column: int
    expected: tuple[str, ...]
    got: str
    reasoning: str = ""
    steps: Steps = ()

    @property
    def ok(self) -> bool:
        """Tell whether it is as expected."""
        return self.got in self.expected

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        data = {field.name: getattr(self, field.name) for field in attrs.fields(Verdict)}
        return {**data, "expected": list(self.expected), "steps": [list(each) for each in self.steps], "ok": self.ok}


@attrs.frozen(slots=True, eq=False)
class Judge:
    """Judges cases by one host's policy."""

    host: Host
    limits: Limits
    read: Callable[[Path, Case], Source]
    """Reads a program's file."""
    _compiled: dict[Path, Artifact] = attrs.field(factory=dict, init=False)

    def verdict(self, case: Case) -> Verdict:
        """Return what is decided about a case.

        Raises:
            ConfigError: Something in the case means nothing on this host.
            LanguageError: The call, or the program, has mistakes.
        """
        meaning = Meaning(case, self.host.pool)
        expected, call = meaning.expected(), self._call(case, meaning)
        labels = frozenset(mark.removeprefix(":") for mark in case.table.labels)
        past = Past(attempts=meaning.attempts(), metadata=meaning.metadata(), call=(0, -1, (0,), 0), labels=labels)
        delegator = decider(self.host, labels)
        world = Imagined(known=meaning.signals(), host=delegator.signals)
        function = call.function or FunctionSignature(call.capability)
        found: Decision | Undecided | None = None
        if delegator.claims(function):
            imagined = imagining(delegator, world.as_signals(), _surrounded(case.table, delegator.around))
            found = _decided(imagined, call, past, meaning.answers())
        source, span = case.file.places.at((*case.path, "call"))
        line, column = source.place(span.start)
        name, text = case.table.name, case.table.call
        return Verdict(name=name, call=text, line=line, column=column, expected=expected, **_said(found))

    def _call(self, case: Case, meaning: Meaning) -> HostCall:
        path = case.program
        if path not in self._compiled:
            self._compiled[path] = compile_for(self.host, self.read(path, case), self.limits)
        try:
            call = read_call(case.call_source(), self._compiled[path])
        except LanguageError as error:
            raise case.moved(error) from error
        return attrs.evolve(call, hints=meaning.hints())


def _surrounded(table: CaseTable, host: Around) -> Surrounded:
    """Return the surroundings of a case: the host's where it says nothing, but no class of hours by the clock."""
    return Surrounded(
        agent=host.agent if table.agent is None else table.agent,
        environment=host.environment if table.environment is None else table.environment,
        constraints=host.constraints if table.constraints is None else table.constraints,
        time_class=table.time_class,
    )


def _decided(delegator: Delegator, call: HostCall, past: Past, answers: dict[ExecTarget, str]) -> Decision | Undecided:
    """Decide, with the words that models are said to answer."""
    found = decided(delegator, call, past)
    for _ in range(MOST_CONSULTATIONS):
        if not isinstance(found, Undecided) or found.question.target not in answers:
            break
        found = delegator.go_on(found, answers[found.question.target])
    return found


def _said(found: Decision | Undecided | None) -> dict[str, Any]:
    if found is None:
        why = "nobody claims it: it is a plain function"
        return {"got": show_target(LocalPure()), "reasoning": why}
    if isinstance(found, Undecided):
        target = show_target(found.question.target)
        why = f"the engine asks {target}, and the case does not say what it answers"
        return {"got": f"a question to {target}", "reasoning": why, "steps": found.steps}
    plan = found.plan
    got = OUTCOMES["ask"] if isinstance(plan.target, Ask) else show_target(plan.target)
    got = OUTCOMES["error"] if found.exhausted == "error" else got
    return {"got": got, "reasoning": plan.reasoning, "steps": found.steps}
