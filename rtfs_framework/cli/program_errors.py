"""Errors of running programs as diagnostics: kind, message, place, source line, RTFS stack and a way out.

Codes: an error that carries one (providers, capabilities, policy: E06xx, E07xx) keeps it; the others have the code of
their kind, E05xx.
"""

from __future__ import annotations

import re
from typing import Any

import attrs

from rtfs_framework.cli.limits import way_out
from rtfs_framework.cli.sources import source_of
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.error_codes import KINDS, OTHER
from rtfs_framework.lang.errors import LimitError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.source import Source, Span
from rtfs_framework.lang.values import ErrorValue, Keyword
from rtfs_framework.lang.visible import visible_message

_SHOWN_FRAMES = 8
_NO_CODE = re.compile(r'"(?:\\.|[^"\\])*"|;[^\n]*', re.DOTALL)


def as_diagnostic(value: ErrorValue) -> Diagnostic:
    """Return an error value as a diagnostic; its place is known when the source was read by this process."""
    code, way_out = KINDS.get(value.kind, (OTHER, ""))
    source, span = _place(value.span)
    message = f"{value.kind}: {value.message}"
    if source is None and value.span:
        message = f"{message} (at {value.span})"
    return Diagnostic(
        code=_own_code(value) or code,
        message=message,
        source=source,
        span=span,
        help=_datum(value, "way-out") or (None if _own_code(value) else way_out) or None,
        kind=value.kind,
    )


def render_error(value: ErrorValue) -> str:
    """Return the whole report for a terminal."""
    found = as_diagnostic(value)
    lines = [attrs.evolve(found, help=None).render()]
    way_out = [f"  help: {visible_message(found.help)}"] if found.help else []
    lines += [f"  in {frame}" for frame in value.stack[:_SHOWN_FRAMES]]
    if len(value.stack) > _SHOWN_FRAMES:
        lines.append(f"  in {len(value.stack) - _SHOWN_FRAMES} more")
    cause = value.cause
    while cause is not None:
        lines.append(f"  caused by {cause.kind}: {visible_message(cause.message)}")
        cause = cause.cause
    return "\n".join([*lines, *way_out])


def tells(value: ErrorValue, finding: Diagnostic) -> bool:
    """Tell whether an error is what a check foresaw: the form that fails is the one in which the finding stands."""
    source, span = _place(value.span)
    found = finding.span
    if source is None or span is None or found is None or finding.kind != value.kind or finding.source is None:
        return False
    if finding.source.name != source.name or found.start < span.start:
        return False
    depth = 0
    for char in _NO_CODE.sub("", source.text[span.start : found.start]):
        depth += (char in "([{") - (char in ")]}")
        if depth == 0 and char in ")]}":
            return False
    return depth <= 1


def error_json(value: ErrorValue) -> dict[str, Any]:
    """Return an error as JSON-ready data."""
    made = {**as_diagnostic(value).to_json(), "stack": list(value.stack)}
    if value.kind == "LimitError" and _datum(value, "limit"):
        made.update(limit=_datum(value, "limit"), bound=value.data.get(Keyword("bound")))
    return made


def limit_value(error: LimitError) -> ErrorValue:
    """Return what a limit's error amounts to; its data name the limit, its bound and how to raise it."""
    facts = {"limit": error.dimension, "bound": error.limit, "way-out": way_out(error)}
    data = Map.of([(Keyword(name), value) for name, value in facts.items()])
    return ErrorValue("LimitError", str(error), data, error.span, error.stack)


def _own_code(value: ErrorValue) -> str:
    return _datum(value, "code")


def _datum(value: ErrorValue, name: str) -> str:
    found = value.data.get(Keyword(name), "") if isinstance(value.data, Map) else ""
    return found if isinstance(found, str) else ""


def _place(text: str | None) -> tuple[Source | None, Span | None]:
    """Return the source and span of a place such as `file:3:5`."""
    name, line, column = ["", "", ""] if text is None or text.count(":") < 2 else text.rsplit(":", 2)
    source = source_of(name)
    if source is None or not line.isdigit() or not column.isdigit():
        return None, None
    start = sum(len(each) + 1 for each in source.text.split("\n", int(line) - 1)[: int(line) - 1]) + int(column) - 1
    return source, Span(start, _end_of_form(source.text, start))


def _end_of_form(text: str, start: int) -> int:
    """Return where the form that starts at an offset ends, at the latest at the end of its line."""
    depth, in_string, at = 0, False, start
    while at < len(text) and text[at] != "\n":
        char = text[at]
        if in_string:
            at += char == "\\"
            in_string = char != '"'
        elif char in "([{":
            depth += 1
        elif char in ")]}" or (depth == 0 and char in " \t\r;"):
            if depth <= 1:
                return at + (depth == 1 and char in ")]}")
            depth -= 1
        elif char == '"':
            in_string = True
        at += 1
    return max(at, start + 1)
