"""`rtfs runs list`: the latest runs, those that somebody looks for, and what they took together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from rtfs_framework.cli.journals import journal
from rtfs_framework.cli.options import config_option, json_option
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.words import moment, money
from rtfs_framework.cli.since import Since
from rtfs_framework.cli.terminal import say, say_all

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.journal.listed import RunRow
    from rtfs_framework.orchestrator.recording.journal.spending import Spent

Waits = Mapping[str, Sequence[Mapping[str, Any]]]
"""By a run's id: what it waits for."""

_ID = 12
_FOR = (("approval", "for a person"), ("quota", "for a budget"), ("ticket", "for a ticket"))
STATUS = ("complete", "failed", "cancelled", "interrupted", "waiting", "unfinished")


@click.command("list")
@click.option(
    "--limit", type=click.IntRange(1, 10**18), default=20, show_default=True, metavar="N", help="At most N runs."
)
@click.option("--since", type=Since(), metavar="WHEN", help="Begun since: 7d, 24h, or a date such as 2026-11-01.")
@click.option("--until", type=Since(), metavar="WHEN", help="Begun before.")
@click.option("--status", type=click.Choice(STATUS), help="How they ended; unfinished: no end was written.")
@click.option("--source", metavar="PATTERN", help="Of programs named so: 'triage*'.")
@click.option("--symbol", metavar="PATTERN", help="With a call of a function or capability named so.")
@click.option("--target", metavar="PATTERN", help="With a call that went, or tried to go, there: 'remote *'.")
@click.option("--search", metavar="TEXT", help="With this text in what is kept of them.")
@click.option("--of-tenant", metavar="ID", help="Of one tenant.")
@click.option("--totals", is_flag=True, help="Also say what they took: requests to models, tokens, money.")
@json_option
@config_option
def list_command(*, limit: int, totals: bool, as_json: bool, config: str | None, **wanted: Any) -> None:
    """List the latest runs, newest first: all, or those for which every option that is given holds.

    \b
    rtfs runs list --status failed --since 24h
    rtfs runs list --symbol "draft*" --target "remote *" --totals
    rtfs runs list --search "invoice 4711"
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.orchestrator.recording.journal.query import ANY_RUN, Wanted, list_runs
    from rtfs_framework.orchestrator.recording.journal.waiting import waits_of_rows

    wanted["tenant"] = wanted.pop("of_tenant")
    which = Wanted(**wanted)
    path = journal(config)
    runs = list_runs(path, limit, which) if path.exists() else []
    spent = _spent(path, runs) if totals else {}
    waits = waits_of_rows(path, runs)
    if as_json:
        put_json(runs_json(path, runs, spent if totals else None, waits))
        return
    if not runs:
        say(f"no runs yet in {path}" if which == ANY_RUN else f"no such runs in {path}")
    say_all(_line(run, waits.get(run.id, ()), spent if totals else None) for run in runs)
    if totals and runs:
        from rtfs_framework.orchestrator.recording.journal.spending import total

        whole = total(spent.values())
        head = f"{len(runs):,} run{'' if len(runs) == 1 else 's'}: {sum(run.entries or 0 for run in runs):,} calls"
        tokens = f"{whole.input_tokens:,} tokens in, {whole.output_tokens:,} out"
        say(
            f"{head}, {whole.calls:,} requests to models ({whole.from_memory:,} from memory), {tokens}, {_money(whole)}"
        )


def _line(run: RunRow, waits: Sequence[Mapping[str, Any]], spent: Mapping[str, Spent] | None) -> str:
    """Return what people see of a run: with what it took, where that is given."""
    calls = "" if run.entries is None else f"{run.entries:,} calls"
    cost = "" if spent is None else f"{_money(spent.get(run.id)):>12}  "
    what = f"{run.source}{_waits(waits)}"
    return f"{run.id[:_ID]}  {moment(run.started)}  {run.status:<11}  {calls:>12}  {cost}{what}"


def _spent(path: Path, runs: list[RunRow]) -> dict[str, Spent]:
    """Return what each run took of models."""
    from rtfs_framework.orchestrator.recording.journal.spending import spending

    if not runs:
        return {}
    found = spending(path, ("run",), min(run.started for run in runs))
    return {run.id: found[run.id,] for run in runs if (run.id,) in found}


def runs_json(path: Path, runs: list[RunRow], spent: dict[str, Spent] | None, waits: Waits) -> dict[str, Any]:
    """Return runs as JSON-ready data, with what they wait for, and what they took where that is given."""
    rows: list[dict[str, Any]] = [{**attrs.asdict(run), "waits": list(waits.get(run.id, ()))} for run in runs]
    if spent is None:
        return {"journal": str(path), "runs": rows}
    from rtfs_framework.orchestrator.recording.journal.spending import Spent, total

    for row in rows:
        row["spent"] = attrs.asdict(spent.get(row["id"], Spent()))
    return {"journal": str(path), "runs": rows, "total": attrs.asdict(total(spent.values()))}


def _waits(waits: Sequence[Mapping[str, Any]]) -> str:
    """Return what a run waits for, and until when."""
    told = []
    for each in waits:
        until = "" if each.get("until") is None else f" until {moment(float(each['until']))}"
        kinds = (name for key, name in _FOR if each.get(key))
        what = f"for :{each['for']}" if each.get("for") else next(kinds, "")
        what += f" (job {each['job']} of {each.get('target')})" if each.get("job") else ""
        told.append(f"{what}{until}".strip() or "for its time")
    return f"  waits {', '.join(told)}" if told else ""


def _money(spent: Spent | None) -> str:
    return "$0" if spent is None else money(spent.cost, spent.unknown)
