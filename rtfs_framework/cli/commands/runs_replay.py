"""`rtfs runs replay`: decides again what earlier runs decided, and shows what another policy would have decided."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from rtfs_framework.cli.faults import FAILED, FINE
from rtfs_framework.cli.journals import home, journal
from rtfs_framework.cli.options import config_option, json_option
from rtfs_framework.cli.past import Hosts, runs_of
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.since import Since
from rtfs_framework.cli.style import bold
from rtfs_framework.cli.terminal import say

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.explaining.replaying.replay import Again
    from rtfs_framework.orchestrator.recording.journal.history import History

_ID = 12


@attrs.define(slots=True)
class Counts:
    """What came of deciding again."""

    decisions: int = 0
    same: int = 0
    differs: int = 0
    unknown: Counter[str] = attrs.field(factory=Counter)
    """How many cannot be repeated, by reason."""

    def add(self, found: Again) -> None:
        """Count a decision."""
        self.decisions += 1
        self.same += found.result.value == "same"
        self.differs += found.result.value == "differs"
        if found.result.value == "unknown":
            self.unknown[found.because] += 1

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        unknown = [{"because": why, "decisions": count} for why, count in self.unknown.most_common()]
        return {"decisions": self.decisions, "same": self.same, "differs": self.differs, "unknown": unknown}


@click.command("replay")
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@click.option("--since", type=Since(), metavar="WHEN", help="All runs since then: 7d, 24h, 2026-11-01.")
@click.option("--journal", "file", metavar="FILE", help="This journal, not the one that the configuration names.")
@json_option
@config_option
def replay_command(
    runs: tuple[str, ...], *, since: float | None, file: str | None, as_json: bool, config: str | None
) -> int:
    """Decide again what earlier runs decided, without asking any model, and show every difference.

    Each decision is made by the configuration that counts now (--config FILE for another one), from what the journal
    says that it read. What cannot be repeated is counted, with the reason. The exit code is 1 when anything differs.

    \b
    rtfs runs replay last
    rtfs runs replay --since 7d --config cheaper.toml
    """  # noqa: D301 - click takes the character for "as it is"
    from rtfs_framework.orchestrator.recording.journal.fault import JournalError
    from rtfs_framework.orchestrator.recording.journal.history import history_of

    path = journal(config) if file is None else Path(file)
    wanted = runs_of(path, runs, since)
    total = Counts()
    with history_of(path, home()) as history:
        if history is None:
            raise JournalError(path, "it is of an older version, which does not tell what decisions rest on")
        with Hosts(config) as hosts:
            told = [_replayed(hosts, history, run, total, as_json=as_json) for run in wanted]
    if as_json:
        put_json({"journal": str(path), "runs": told, **total.to_json()})
    else:
        _say_counts(total, len(wanted))
    return FAILED if total.differs else FINE


def _replayed(hosts: Hosts, history: History, run: str, total: Counts, *, as_json: bool) -> dict[str, Any]:
    from rtfs_framework.cli.shown.progress import Progress, wanted
    from rtfs_framework.orchestrator.explaining.replaying.replay import replay

    facts = history.facts(run)
    session = hosts.of(facts)
    now, counts = session.host.policy_hash, Counts()
    if not as_json:
        changed = "the same policy" if now == facts.policy else f"policy {facts.policy[:_ID]} then, {now[:_ID]} now"
        of = f" of tenant {facts.tenant}" if facts.tenant else ""
        say(bold(f"run {run[:_ID]}"), f"{of}: {changed}")
    differing: list[dict[str, Any]] = []
    decisions = history.count(run)
    with Progress(wanted(None) and decisions > _MANY, decisions, lambda: counts.decisions, "decisions") as progress:
        for found in replay(session.host, history, run):
            counts.add(found)
            total.add(found)
            progress.update(counts.decisions)
            if found.result.value == "differs" and as_json:
                differing.append(found.to_json())
            elif found.result.value == "differs":
                progress.emit(_line(found))
    return {"run": run, "policy_then": facts.policy, "policy_now": now, "tenant": facts.tenant,
            **counts.to_json(), "differences": differing}  # fmt: skip


_MANY = 500
"""Decisions from which on a bar is worth it."""


def _line(found: Again) -> str:
    after = f" (after {found.number} failed)" if found.number else ""
    return f"  {found.call:>8}{after}  {found.symbol}: {found.then} then, {found.now} now: {found.because}"


def _say_counts(total: Counts, runs: int) -> None:
    unknown = total.unknown.total()
    parts = [f"{total.same:,} the same", f"{total.differs:,} {'differs' if total.differs == 1 else 'differ'}"]
    if unknown:
        parts.append(f"{unknown:,} cannot be repeated")
    decisions = "1 decision" if total.decisions == 1 else f"{total.decisions:,} decisions"
    say(f"{decisions} of {'1 run' if runs == 1 else f'{runs:,} runs'}: {', '.join(parts)}")
    for why, count in total.unknown.most_common():
        say(f"  {count:>8,}  {why}")
