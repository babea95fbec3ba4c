"""What `rtfs check` prints for people: what was found in each program, its purity, and the numbers."""

from __future__ import annotations

from rtfs_framework.cli.shown.purity import purity_lines
from rtfs_framework.cli.style import line_of, report_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rtfs_framework.lang.diagnostics import Diagnostic
    from rtfs_framework.orchestrator.explaining.checked import Checked


def in_order(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return findings in the order of the text; those without a place come first."""
    return tuple(sorted(found, key=lambda each: (each.span.source, each.span.start) if each.span else (0, 0)))


def numbers(found: Iterable[Diagnostic]) -> dict[str, int]:
    """Return how many errors, warnings and hints there are."""
    kinds = [each.severity for each in found]
    return {word: kinds.count(word) for word in ("error", "warning", "hint")}


def findings_text(checked: Sequence[tuple[str, Checked]], *, colour: bool) -> str:
    """Return all that is printed of files and what was found in them, whose findings are in order."""
    lines: list[str] = []
    for file, one in checked:
        lines += [report_of(each.render(), colour=colour) for each in one.diagnostics]
        if one.accepted:
            lines += [line_of(tuple(parts), colour=colour) for parts in purity_lines(file, one)]
        if one.seen is not None:
            from rtfs_framework.cli.shown.labels import label_lines

            lines += [line_of(tuple(parts), colour=colour) for parts in label_lines(file, one.seen)]
    count = numbers(each for _, one in checked for each in one.diagnostics)
    return "\n".join([*lines, line_of((_summary(len(checked), count),), colour=colour), ""])


def _summary(files: int, count: Mapping[str, int]) -> str:
    """Return "2 files checked, 1 error, 0 warnings"; hints are counted when there are some."""
    words = [word for word in count if word != "hint" or count[word]]
    told = ", ".join(_number(count[word], word) for word in words) if any(count.values()) else "nothing found"
    return f"{_number(files, 'file')} checked, {told}"


def _number(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
