"""What `rtfs check --labels` prints: for each place that asks the host what may be seen there, and who accepts it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rtfs_framework.cli.style import Part, bold, yellow

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.explaining.seen import SeenSite


def label_lines(file: str, sites: Sequence[SeenSite]) -> Iterator[list[Part]]:
    """Yield the lines of a program."""
    if not sites:
        yield [f"{file}: no call of it is known apart: each carries the label of its run"]
    for site in sites:
        marks = yellow(_marks(site.marks)) if site.marks else "no mark"
        yield [f"{site.place}: ", bold(site.text), " may carry ", marks]
        for source in site.sources:
            if source.marks:
                yield [f"    {_marks(source.marks)}: {source.text}, by {' > '.join(source.way)}"]
        others = [source.text for source in site.sources if not source.marks]
        if others:
            yield [f"    no mark: {'; '.join(others)}"]
        yield [f"    accepted by {', '.join(site.accepted) or 'nobody'}", *_refused(site)]


def _refused(site: SeenSite) -> list[Part]:
    never = [each for each in site.refused if each not in site.redacted]
    parts: list[Part] = ["; redacted by ", ", ".join(site.redacted)] if site.redacted else []
    return [*parts, "; not by ", yellow(", ".join(never))] if never else parts


def _marks(marks: frozenset[str]) -> str:
    return " ".join(f":{mark}" for mark in sorted(marks))
