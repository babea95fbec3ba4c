"""Diagnostics: what a user did wrong, where, and the way out. Data first; `render` makes the text that people read."""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Iterable
from rtfs_framework.lang.source import Place, Source, Span
from rtfs_framework.lang.visible import cells, visible_line, visible_message


@records.frozen(kw_only=True)
class Diagnostic:
    """One finding about a program or a configuration.

    `code` is stable (E0101..), `kind` is the RTFS error kind that it amounts to at run time, `help` is the accepted
    form or the next step. `severity` is "error", "warning" or "hint".
    """

    code: str
    message: str
    source: Source | None = None
    span: Span | None = None
    help: str | None = None
    kind: str = "ParseError"
    severity: str = "error"

    @property
    def place(self) -> Place | None:
        """The start of the span as file, line and column, if the finding has one."""
        if self.source is None or self.span is None:
            return None
        return Place(self.source.name, *self.source.place(self.span.start))

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON-ready data."""
        place = self.place
        return {
            "code": self.code,
            "severity": self.severity,
            "kind": self.kind,
            "message": self.message,
            "file": place.source if place else None,
            "line": place.line if place else None,
            "column": place.column if place else None,
            "help": self.help,
        }

    def render(self) -> str:
        """Return the report for a terminal: place, code, message, source line with carets, help.

        Whatever others wrote is made visible; further lines of a message are indented, so that none looks like ours.
        """
        place = self.place
        head = f"{self.severity}[{self.code}]: {visible_message(self.message)}"
        lines = [f"{visible_line(str(place))}: {head}" if place else head]
        if place is not None and self.source is not None and self.span is not None:
            lines += _excerpt(self.source, self.span, place)
        if self.help:
            lines.append(f"  help: {visible_message(self.help)}")
        return "\n".join(lines)


HAPPENS = frozenset({"E0204", "E0205", "E0320", "E0321", "E0322"})
"""What is proved to fail when it is reached: an error of a check, a warning of a run, so that `catch` works."""


def refusals(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the findings for which a program is not run at all."""
    return [each for each in found if each.severity == "error" and each.code not in HAPPENS]


def foreseen(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the warnings of a run: what surely fails when it is reached, and no handler around it takes."""
    from rtfs_framework.lang.records import evolve

    return [evolve(each, severity="warning") for each in found if each.severity == "error" and each.code in HAPPENS]


MOST = 50
"""Findings that are told at once."""


def bounded(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the findings, at most `MOST` of them (errors are kept first), then a note of how many more there are."""
    known = list(found)
    if len(known) <= MOST:
        return known
    ranks = {"error": 0, "warning": 1, "hint": 2}
    chosen = sorted(range(len(known)), key=lambda i: (ranks.get(known[i].severity, 0), i))[:MOST]
    left = len(known) - MOST
    note = Diagnostic(
        code="E0299",
        message=f"{left} more finding{'' if left == 1 else 's'} not shown",
        source=known[-1].source,
        span=known[-1].span,
        help="mend these first",
        severity="hint",
    )
    return [*(known[i] for i in sorted(chosen)), note]


def _excerpt(source: Source, span: Span, place: Place) -> list[str]:
    """Return the source line and the carets under the span, cut to a readable width."""
    text = source.line(place.line).replace("\t", " ")
    column = place.column - 1
    length = max(1, min(span.end - span.start, len(text) - column))
    shift = max(0, column - 60)
    end = min(column + length, max(column + 1, shift + 100))
    before, marked, after = map(visible_line, (text[shift:column], text[column:end], text[end : shift + 100]))
    gutter = str(place.line)
    carets = f"{' ' * cells(before)}{'^' * max(1, cells(marked))}"
    return [f"  {gutter} | {before}{marked}{after}", f"  {' ' * len(gutter)} | {carets}"]


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return "did you mean 'x'?" for the nearest known word, or None when nothing is near (difflib ratio 0.65).

    Of words equally near, one with the same first letter is preferred: it is rarely the first letter that is wrong.
    """
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=4, cutoff=0.65)
    if not near:
        return None
    same = [each for each in near if each[:1] == word[:1] and _ratio(each, word) == _ratio(near[0], word)]
    return f"did you mean '{(same or near)[0]}'?"


def _ratio(a: str, b: str) -> float:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, b, a).ratio()
