"""Our words in the protocol's: diagnostics, places, symbols, edits."""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types

from rtfs_framework.cli.crash import write_crash_file
from rtfs_framework.cli.lsp.positions import Positions
from rtfs_framework.cli.lsp.reading import Definition, Reading
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.source import Source, Span

_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "hint": types.DiagnosticSeverity.Hint,
}
_SYMBOLS = {
    "function": types.SymbolKind.Function,
    "struct": types.SymbolKind.Struct,
    "type": types.SymbolKind.TypeParameter,
    "macro": types.SymbolKind.Operator,
    "module": types.SymbolKind.Module,
}
_COMPLETIONS = {
    "function": types.CompletionItemKind.Function,
    "special form": types.CompletionItemKind.Keyword,
    "macro": types.CompletionItemKind.Operator,
    "struct": types.CompletionItemKind.Struct,
    "type": types.CompletionItemKind.TypeParameter,
    "module": types.CompletionItemKind.Module,
    "host": types.CompletionItemKind.Event,
    "imported": types.CompletionItemKind.Reference,
}


def location(positions: Positions, span: Span) -> types.Range:
    """Return a span as a range."""
    start, end = positions.at(span.start), positions.at(span.end)
    return types.Range(types.Position(*start), types.Position(*end))


def internal(error: Exception, path: str) -> str:
    """Return what is said of a bug of ours."""
    where = write_crash_file(error)
    return f"error[E0999]: {Path(path).name} cannot be analyzed: {type(error).__name__}; the details are in {where}"


def uri_of(source: Source) -> str:
    """Return the URI of a text that was read from a file."""
    return Path(source.name).resolve().as_uri()


def completion_kind(kind: str) -> types.CompletionItemKind:
    """Return the icon of a kind of name."""
    return _COMPLETIONS.get(kind, types.CompletionItemKind.Variable)


def report(found: Diagnostic, source: Source, encoding: str) -> types.Diagnostic:
    """Return a finding about a text; one in a module that it imports is shown at the text's start, and points there."""
    message = found.message if found.help is None else f"{found.message}\nhelp: {found.help}"
    where, related = types.Range(types.Position(0, 0), types.Position(0, 1)), None
    if found.source is not None and found.span is not None:
        own = found.source is source or found.source.name == source.name
        there = location(Positions(found.source.text, encoding), found.span)
        if own:
            where = there
        else:
            place = types.Location(uri_of(found.source), there)
            related = [types.DiagnosticRelatedInformation(place, found.message)]
            message = f"{Path(found.source.name).name}: {message}"
    return types.Diagnostic(
        where,
        message,
        severity=_SEVERITIES.get(found.severity, types.DiagnosticSeverity.Information),
        code=found.code,
        source="rtfs",
        related_information=related,
    )


def symbols(reading: Reading, encoding: str) -> list[types.DocumentSymbol]:
    """Return what a text defines; what a module defines stands inside it."""
    positions = Positions(reading.source.text, encoding)
    top: list[tuple[Definition, types.DocumentSymbol]] = []
    for each in sorted(reading.own, key=lambda found: (found.whole.start, -found.whole.end)):
        made = types.DocumentSymbol(
            each.name,
            _SYMBOLS.get(each.kind, types.SymbolKind.Variable),
            location(positions, each.whole),
            location(positions, each.span),
            children=[],
        )
        around = top[-1] if top and top[-1][0].kind == "module" and each.span.end <= top[-1][0].whole.end else None
        if around is None:
            top.append((each, made))
        else:
            around[1].children = [*(around[1].children or []), made]
    return [made for _, made in top]


def edit_of(before: str, after: str, encoding: str) -> types.TextEdit:
    """Return the edit that makes one text of another, as small as a common start and end allow."""
    start = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    most = min(len(before), len(after)) - start
    ends = zip(reversed(before), reversed(after), strict=False)
    end = min(most, next((i for i, (a, b) in enumerate(ends) if a != b), most))
    span = Span(start, len(before) - end)
    return types.TextEdit(location(Positions(before, encoding), span), after[start : len(after) - end])
