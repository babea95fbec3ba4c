"""`rtfs conformance PATH...`: case files against the compiler and kernel, counted by topic."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import attrs
import click

from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.lang.visible import visible
from rtfs_framework.testing.cases.judge import judge
from rtfs_framework.testing.cases.model import Case, CaseFileError, read_cases


class BadCaseFile(RtfsError):
    """A case file that cannot be used."""

    code = "E0915"
    exit_code = 2


@attrs.define(slots=True)
class Score:
    """What came of the cases."""

    passed: Counter[str] = attrs.field(factory=Counter)
    failed: Counter[str] = attrs.field(factory=Counter)
    skipped: Counter[str] = attrs.field(factory=Counter)
    failures: list[tuple[Case, str]] = attrs.field(factory=list)

    def topics(self) -> list[str]:
        """Return the topics in order."""
        return sorted({*self.passed, *self.failed, *self.skipped})


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--topic", "topics", multiple=True, metavar="TOPIC", help="Only this topic; may be given again.")
@click.option("--uncertain", is_flag=True, help="Judge the uncertain cases too; otherwise they are skipped.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first failure.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs to read.")
def command(paths: tuple[str, ...], *, topics: tuple[str, ...], uncertain: bool, fail_fast: bool, as_json: bool) -> int:
    """Check the language against case files: files, or folders of *.toml files.

    Shows every case that does not hold with what was expected and what came, the counts by topic, and at last
    `N passed, N failed`. A case marked uncertain binds nobody and counts as skipped. The exit code is 1 on failures.
    """
    try:
        score = _score(paths, topics, uncertain=uncertain, fail_fast=fail_fast)
    except CaseFileError as error:
        raise BadCaseFile(str(error)) from error
    if as_json:
        click.echo(json.dumps(_data(score), ensure_ascii=False))
    else:
        _show(score)
    return 1 if score.failures or not score.passed else 0


def _score(paths: tuple[str, ...], topics: tuple[str, ...], *, uncertain: bool, fail_fast: bool) -> Score:
    score, seen = Score(), set()
    for case in read_cases([Path(path) for path in paths]):
        seen.add(case.topic)
        if topics and case.topic not in topics:
            continue
        if not case.certain and not uncertain:
            score.skipped[case.topic] += 1
            continue
        difference = judge(case)
        if difference is None:
            score.passed[case.topic] += 1
            continue
        score.failed[case.topic] += 1
        score.failures.append((case, difference))
        if fail_fast:
            break
    unknown = [topic for topic in topics if topic not in seen]
    if unknown and not score.failures:
        raise BadCaseFile(f"no case has the topic '{unknown[0]}'; topics: {', '.join(sorted(seen))}")
    return score


def _data(score: Score) -> dict[str, object]:
    return {
        "topics": {
            topic: {
                "passed": score.passed[topic],
                "failed": score.failed[topic],
                "skipped": score.skipped[topic],
            }
            for topic in score.topics()
        },
        "failures": [
            {"id": case.id, "topic": case.topic, "file": case.file, "source": case.source, "difference": difference}
            for case, difference in score.failures
        ],
        "passed": sum(score.passed.values()),
        "failed": len(score.failures),
        "skipped": sum(score.skipped.values()),
    }


def _show(score: Score) -> None:
    for case, difference in score.failures:
        click.echo(visible(f"FAILED {case.id} ({case.file})"))
        click.echo(visible(f"  source: {' '.join(case.source.split())}"))
        click.echo(visible(f"  {difference}"))
    if score.failures:
        click.echo()
    width = max(map(len, score.topics()), default=0)
    for topic in score.topics():
        skipped = f", {score.skipped[topic]} skipped" if score.skipped[topic] else ""
        click.echo(
            f"{visible(topic):<{width}}  {score.passed[topic]:>4} passed, {score.failed[topic]:>3} failed{skipped}"
        )
    skipped_in_all = sum(score.skipped.values())
    if skipped_in_all:
        click.echo(f"\n{skipped_in_all} uncertain cases skipped (judge them with --uncertain)")
    click.echo(f"{sum(score.passed.values())} passed, {len(score.failures)} failed")
