"""What `rtfs write` shows of a program: its text, what it may ask of whom, what that may cost, and who may see what."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.cli.shown.labels import label_lines
from rtfs_framework.cli.shown.purity import program_json, purity_lines
from rtfs_framework.cli.shown.words import money
from rtfs_framework.cli.style import line_of, report_of
from rtfs_framework.cli.terminal import complain
from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rtfs_framework.cli.writing.given import Given
    from rtfs_framework.cli.writing.judging import Judged
    from rtfs_framework.cli.writing.rounds import Round, Written
    from rtfs_framework.orchestrator.explaining.estimating.estimate import Estimate
    from rtfs_framework.orchestrator.explaining.seen import SeenSite
    from rtfs_framework.orchestrator.recording.records import Summary
    from rtfs_framework.orchestrator.session import Session

_FIRST_RECORDS = 100
"""Those of an input that an estimate looks at."""


@attrs.frozen(slots=True, kw_only=True)
class Facts:
    """What is known of a right program before it is run."""

    judged: Judged
    estimate: Estimate | None
    seen: Sequence[SeenSite]
    marks: Label = PUBLIC
    """Those of the program's text: of its task, and of the model's answers."""

    @classmethod
    def of(cls, session: Session, judged: Judged, given: Given, marks: Label = PUBLIC) -> Facts:
        """Find out, without anybody being asked."""
        source = Source("program.rtfs", judged.program)
        seen: Sequence[SeenSite] = ()
        if session.host.dispatcher.labelling is not None:
            from rtfs_framework.orchestrator.explaining.seen import seen as found

            seen = session.portal.call(lambda _: found(session.host, source, session.limits, marks))
        return cls(judged=judged, estimate=_estimated(session, source, judged, given), seen=seen, marks=marks)

    def lines(self) -> Iterator[str]:
        """Yield what people are told."""
        checked = self.judged.checked
        if checked is not None:
            yield from (line_of(tuple(parts), colour=False) for parts in purity_lines("program", checked))
        if self.marks:
            shown = " ".join(f":{each}" for each in sorted(self.marks))
            yield f"program: its text carries {shown}: so do all calls of its run, and any file that holds it"
        if self.seen:
            yield from (line_of(tuple(parts), colour=False) for parts in label_lines("program", self.seen))
        if self.judged.not_run:
            yield "examples are not run: the program may ask its host for something"
        elif self.judged.examples:
            count = self.judged.examples
            yield f"{count} example{'' if count == 1 else 's'} tried: as expected"
        yield from self._costs()

    def _costs(self) -> Iterator[str]:
        found = self.estimate
        if found is None or not found.sites:
            asks = self.judged.checked is not None and any(
                each.kind == "function" for each in self.judged.checked.sites
            )
            yield "what a run costs is not known: that depends on what it is given" if asks else "a run asks no model"
            return
        least, most = found.cost.low, found.cost.high
        cost = money(least) if least == most else f"{money(least)} to {money(most)}"
        per = f"{found.inputs:,} record{'s' if found.inputs != 1 else ''}" if found.inputs > 1 else "a run"
        yield f"{'at least ' if found.unknown else ''}{cost} for {per}"

    def to_json(self) -> dict[str, Any]:
        """Return them as JSON-ready data."""
        checked = self.judged.checked
        about = {} if checked is None else program_json("program.rtfs", attrs.evolve(checked, seen=tuple(self.seen)))
        return {
            "program": self.judged.program,
            "about": about,
            "marks": sorted(self.marks),
            "estimate": None if self.estimate is None else self.estimate.to_json(),
            "examples": {"right": self.judged.examples, "not_run": self.judged.not_run},
        }


def _estimated(session: Session, source: Source, judged: Judged, given: Given) -> Estimate | None:
    if judged.checked is None or not judged.checked.sites:
        return None
    try:
        if given.records is None:
            return session.estimate(source, [given.args] if given.args else [])
        from rtfs_framework.cli.records.open import open_records

        few = attrs.evolve(given.records, limit=min(given.records.limit or _FIRST_RECORDS, _FIRST_RECORDS))
        with closing(open_records(few, lambda _: None)) as records:
            return session.estimate(source, ((record,) for record in records))
    except RtfsError:
        return None  # with stand-ins for answers it fails: it may still do well with real ones


def tell_round(number: int, made: Round) -> None:
    """Say on stderr what became of one reply."""
    complain(f"round {number}: {made.kind}")
    words = () if made.judged is None else made.judged.wrong
    if made.nothing is not None:
        words = (made.nothing.words[:400],)
    for each in words:
        complain("\n".join(f"  {line}" for line in report_of(visible(each), colour=False).splitlines()))


def written_json(written: Written, summary: Summary, run: str, model: str) -> dict[str, Any]:
    """Return how a program was written as JSON-ready data."""
    return {
        "outcome": written.outcome,
        "model": model,
        "run": run,
        "repairs": written.repairs,
        "rounds": [each.to_json() for each in written.rounds],
        "input_tokens": summary.input_tokens,
        "output_tokens": summary.output_tokens,
        "cost": None if summary.unpriced else summary.cost,
    }


def spent(summary: Summary, requests: int) -> str:
    """Return what the writing took, in words."""
    cost = "cost not known" if summary.unpriced else money(summary.cost)
    tokens = f"{summary.input_tokens:,} tokens in, {summary.output_tokens:,} out"
    return f"{requests} request{'' if requests == 1 else 's'}, {tokens}, {cost}"
