"""`rtfs policy test FILE`: where calls must go, checked for every change of a policy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from rtfs_framework.cli.faults import FAILED, FINE
from rtfs_framework.cli.notices import problems_json
from rtfs_framework.cli.options import config_option, environment, json_option, open_session
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.sources import read_program
from rtfs_framework.cli.style import Part, bold, yellow
from rtfs_framework.cli.terminal import say
from rtfs_framework.lang.errors import LanguageError

if TYPE_CHECKING:
    from typing_extensions import Self

    from rtfs_framework.lang.diagnostics import Diagnostic
    from rtfs_framework.lang.source import Source
    from rtfs_framework.orchestrator.explaining.policy.cases import Case
    from rtfs_framework.orchestrator.explaining.policy.judge import Judge, Verdict
    from rtfs_framework.orchestrator.session import Session


@click.group()
def command() -> None:
    """Test where a configuration sends calls."""


@command.command("test")
@click.argument("file", metavar="FILE")
@json_option
@config_option
def test_command(file: str, *, as_json: bool, config: str | None) -> int:
    """Check a file of calls and the targets that are expected. Nothing runs, and no model is asked.

    \b
    program = "triage.rtfs"
    [[case]]
    call = '(classify "x")'
    expect = "local-sentiment"
    [[case]]
    call = '(classify "x")'
    expect = ["remote-openai", "local-pure"]
    health = {"local-sentiment" = "open"}

    A case may also say tenant, agent, environment, constraints, time_class, latency, load, price, budget, rate,
    attempts, answers, hints and metadata. The exit code is 1 when a case is not as expected.
    """  # noqa: D301 - click takes the character for "as it is"
    from rtfs_framework.orchestrator.explaining.policy.cases import read_cases

    found = read_cases(Path(file))
    with _Judges(config, file) as judges:
        verdicts = _verdicts(judges, found.cases)
    failed = sum(not each.ok for each in verdicts)
    if as_json:
        told = [each.to_json() for each in verdicts]
        put_json({"file": file, "cases": told, "failed": failed, "problems": problems_json()})
    else:
        for each in verdicts:
            for line in () if each.ok else _lines(file, each):
                say(*line)
        cases = "1 case" if len(verdicts) == 1 else f"{len(verdicts):,} cases"
        say(f"{file}: {cases}, {len(verdicts) - failed:,} as expected" + (f", {failed:,} not" if failed else ""))
    return FAILED if failed else FINE


def _verdicts(judges: _Judges, cases: Sequence[Case]) -> list[Verdict]:
    """Judge the cases.

    Raises:
        LanguageError: With the mistakes of all of them.
    """
    verdicts: list[Verdict] = []
    mistakes: list[Diagnostic] = []
    for case in cases:
        try:
            verdicts.append(judges.of(case).verdict(case))
        except LanguageError as error:  # noqa: PERF203 - all mistakes are told at once
            mistakes += [each for each in error.diagnostics if each not in mistakes]
    if mistakes:
        raise LanguageError(mistakes)
    return verdicts


@attrs.define(slots=True, eq=False)
class _Judges:
    """Hosts of one configuration, one for each tenant that a case names."""

    config: str | None
    file: str
    _open: dict[str, tuple[Session, Judge]] = attrs.field(factory=dict, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._open:
            self._open.popitem()[1][0].close()

    def of(self, case: Case) -> Judge:
        """Return what judges a case: the policy for its tenant."""
        from rtfs_framework.orchestrator.explaining.policy.judge import Judge

        tenant = case.table.tenant
        if tenant not in self._open:
            environ = {**environment(), "RTFS_TENANT": tenant} if tenant else environment()
            session = open_session(self.file, self.config, journal=False, environ=environ)
            self._open[tenant] = session, Judge(session.host, session.limits, _program)
        return self._open[tenant][1]


def _program(path: Path, case: Case) -> Source:
    if not path.is_file():
        key = "program" if case.table.program else "call"
        raise case.mistake(f"there is no program {path}", key, "name a file, relative to this one")
    return read_program(str(path))


def _lines(file: str, verdict: Verdict) -> Iterator[tuple[Part, ...]]:
    name = f" ({verdict.name})" if verdict.name else ""
    yield f"{file}:{verdict.line}:{verdict.column}: ", bold(verdict.call), name
    yield (f"  expected  {' or '.join(verdict.expected)}",)
    yield "  got       ", yellow(verdict.got), f": {verdict.reasoning}"
    width = max((len(step) for step, _ in verdict.steps), default=0)
    for step, told in verdict.steps:
        yield (f"    {step:<{width}}  {told}",)
