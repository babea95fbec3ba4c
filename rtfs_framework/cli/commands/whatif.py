"""`rtfs whatif`: what another policy would have cost, refused and been worth, from the journal of what was done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from rtfs_framework.cli.journals import home, journal
from rtfs_framework.cli.options import config_option, json_option
from rtfs_framework.cli.past import Hosts, runs_of
from rtfs_framework.cli.problems import BAD_CHOICE, USAGE, problem
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.progress import Progress, wanted
from rtfs_framework.cli.shown.words import money
from rtfs_framework.cli.since import Since
from rtfs_framework.cli.style import Styled, bold
from rtfs_framework.cli.terminal import say
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.lang.visible import visible_line

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.explaining.whatif.estimates import Estimate, Interval
    from rtfs_framework.orchestrator.explaining.whatif.evidence import Evidence
    from rtfs_framework.orchestrator.explaining.whatif.report import Report
    from rtfs_framework.orchestrator.recording.journal.history import History

_MOST_CHANGES = 10
_HEADS = ("", "then", "what if", "95 % within", "inverse propensity", "speaks about")


@click.command()
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@click.option("--since", type=Since(), metavar="WHEN", help="All runs since then: 7d, 24h, 2026-11-01.")
@click.option("--shadow", metavar="ENGINE", help="Not --config: what this engine said beside the real one.")
@click.option("--journal", "file", metavar="FILE", help="This journal, not the one that the configuration names.")
@click.option("--progress/--no-progress", default=None, help="Show how far it is (default: on a terminal).")
@json_option
@config_option
def command(
    runs: tuple[str, ...], *, since: float | None, shadow: str | None, file: str | None, progress: bool | None,
    as_json: bool, config: str | None,
) -> None:  # fmt: skip
    """Estimate what another policy would have had: costs, refusals, failures, times, and quality where people rated.

    Every decision of the runs is made again by the configuration that --config names; nobody is asked. What came of
    the choices that both policies could have made says what the other one would have had, with an interval that holds
    the truth 95 times in 100. Where the other policy goes where nobody could have gone then, nothing is known but
    the list of prices; an engine that explores (`adaptive`) makes more calls speak.

    \b
    rtfs whatif --config cheaper.toml --since 7d
    rtfs whatif last --config cheaper.toml --json
    rtfs whatif --since 24h --shadow candidate
    """  # noqa: D301 - click takes the character for "as it is"
    from rtfs_framework.orchestrator.recording.journal.fault import JournalError
    from rtfs_framework.orchestrator.recording.journal.history import history_of

    path = journal(config) if file is None else Path(file)
    named = runs_of(path, runs, since)
    with history_of(path, home()) as history:
        if history is None:
            raise JournalError(path, "it is of an older version, which does not tell what decisions rest on")
        with Hosts(config) as hosts:
            gathered = _Gathered(hosts, history, shadow)
            with Progress(wanted(progress), len(named), lambda: gathered.runs, "runs") as bar:
                for run in named:
                    gathered.take(run)
                    bar.update(gathered.runs)
            gathered.check_shadow()
            found = gathered.report()
    if as_json:
        put_json({"journal": str(path), "runs": len(named), "shadow": shadow, **found.to_json()})
        return
    for line in _lines(found, len(named)):
        say(line)


@attrs.define(slots=True, eq=False)
class _Gathered:
    """The evidence of several runs."""

    hosts: Hosts
    history: History
    shadow: str | None
    runs: int = attrs.field(default=0, init=False)
    _shadows: set[str] = attrs.field(factory=set, init=False)
    """The engines that were beside the real ones."""
    _evidence: Evidence = attrs.field(init=False)
    _prices: dict[str, tuple[float | None, float | None]] = attrs.field(factory=dict, init=False)
    """By target, of the hosts so far."""

    @_evidence.default
    def _none(self) -> Evidence:
        from rtfs_framework.orchestrator.explaining.whatif.evidence import Evidence

        return Evidence()

    def take(self, run: str) -> None:
        """Add a run."""
        from rtfs_framework.api.targets import show_target
        from rtfs_framework.orchestrator.explaining.replaying.replay import replayer
        from rtfs_framework.orchestrator.explaining.whatif.evidence import by_replay, by_shadow, calls_of, shadows_of

        if self.shadow is not None:
            self._shadows.update(shadows_of(self.history, run))
        host = self.hosts.of(self.history.facts(run)).host
        for each in host.pool.candidates:
            self._prices[show_target(each.target)] = each.input_cost, each.output_cost
        with replayer(host, self.history) as again:
            chosen = by_replay(again) if self.shadow is None else by_shadow(self.shadow)
            for call in calls_of(self.history, run, chosen):
                self._evidence.add(call)
        self.runs += 1

    def check_shadow(self) -> None:
        """Refuse an engine that was beside no decision of these runs, where another one was.

        Raises:
            InputError: E0910.
        """
        if self.shadow is None or not self._shadows or self.shadow in self._shadows:
            return
        known = ", ".join(sorted(self._shadows))
        message = f"no engine '{self.shadow}' was beside the real one in these runs; there was {known}"
        raise problem(BAD_CHOICE, message, did_you_mean(self.shadow, self._shadows), exit_code=USAGE)

    def report(self) -> Report:
        """Return what they say together."""
        from rtfs_framework.orchestrator.explaining.whatif.report import report

        return report(self._evidence, lambda target: self._prices.get(target, (None, None)))


def _lines(found: Report, runs: int) -> Iterator[str | Styled]:
    """Yield what people read."""
    calls = "1 call" if found.calls == 1 else f"{found.calls:,} calls"
    yield f"{calls} of {'1 run' if runs == 1 else f'{runs:,} runs'} were decided about"
    rows = [list(_HEADS), *(_row(name, each, found.calls) for name, each in found.quantities.items() if each.trials)]
    if found.calls and len(rows) > 1:
        widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
        for place, row in enumerate(rows):
            cells = [f"{text:<{width}}" for text, width in zip(row, widths, strict=True)]
            line = "  ".join(cells).rstrip()
            yield line if place else bold(line)
    if found.calls and not found.quantities["quality"].trials:
        yield "quality: nobody has rated an answer (`rtfs runs rate RUN CALL good`)"
    yield from _rest(found)


def _rest(found: Report) -> Iterator[str | Styled]:
    assumed = found.assumed
    if assumed.calls:
        yield f"for {assumed.calls:,} of them it goes where nobody could have gone then; only prices are known:"
        priced = assumed.calls - assumed.unpriced
        if priced:
            yield f"  {priced:,} would cost {money(assumed.now)} instead of {money(assumed.then)}, with the same tokens"
        if assumed.unpriced:
            yield f"  {assumed.unpriced:,} have no price, or no count of tokens"
    if found.changes:
        yield bold("decides otherwise")
        for (function, then, now), count in list(found.changes.items())[:_MOST_CHANGES]:
            yield visible_line(f"  {count:>8,}  {function}: {then} then, {now}")
        more = len(found.changes) - _MOST_CHANGES
        if more > 0:
            yield f"  and {more:,} more (--json has all)"
    if found.unknown:
        yield bold("cannot be told")
        for why, count in found.unknown.items():
            yield visible_line(f"  {count:>8,}  {why}")


def _row(name: str, found: Estimate, calls: int) -> list[str]:
    about = f"{found.covered / calls:.0%} of the calls" if calls else "-"
    if found.robust is None or found.inverse is None:
        return [name, "-", "?", "-", "-", about]
    return [
        name,
        _value(name, found.then, found.covered),
        _value(name, found.robust.mean, found.covered),
        _range(name, found.robust, found.covered),
        f"{_value(name, found.inverse.mean, found.covered)} ({_range(name, found.inverse, found.covered)})",
        about,
    ]


def _range(name: str, found: Interval, count: int) -> str:
    return f"{_value(name, found.low, count)} to {_value(name, found.high, count)}"


def _value(name: str, mean: float, count: int) -> str:
    """Return a mean as people read it: costs as the sum over the calls that it speaks about."""
    if name == "cost":
        return money(mean * count)
    if name == "seconds":
        return f"{mean:.3g} s"
    return f"{mean:.2f}" if name == "quality" else f"{mean:.1%}"
