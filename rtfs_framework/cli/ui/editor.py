"""The editor's work: check, explain, run. What is wrong stands below the line where it is.

In: a program's text, arguments, `--config`. Out: plain data for a template. A program runs here exactly as `rtfs run`
does: under this host's configuration and grants, recorded in its journal. It is given `SECONDS` at most, and nobody is
asked in the terminal for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

import attrs

from rtfs_framework.cli.commands.check import unusable_sites
from rtfs_framework.cli.commands.run_once import linked_quietly, result_json, run_once
from rtfs_framework.cli.faults import diagnostics_json
from rtfs_framework.cli.limits import with_chosen
from rtfs_framework.cli.options import open_session
from rtfs_framework.cli.program_errors import as_diagnostic, limit_value
from rtfs_framework.cli.shown.findings import in_order
from rtfs_framework.cli.shown.purity import program_json
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.errors import LanguageError, LimitError, ProgramError, RtfsError
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Place, Source, Span
from rtfs_framework.lang.visible import cells, visible_line
from rtfs_framework.orchestrator.session import Session

SECONDS = 300.0
"""Of one run; less where [limits] say so."""
NAME = "editor.rtfs"
EXAMPLE = """;; Check finds mistakes, Explain says where each call would go, Run runs it under this host's grants.
(defn greet
  "A greeting for somebody."
  [name : :string] : :string
  (str "Hello, " name "!"))

(defn main [name] (greet name))
"""
_AROUND = 3
_MOST_LINES = 400
"""Lines of a program that are shown whole; of a longer one, those around its mistakes."""


@attrs.define(slots=True, eq=False)
class Editor:
    """Works for all visitors of one server."""

    config: str | None
    file: str | None = None
    """Of the program that it was opened with; the delegation.toml beside it counts, as for `rtfs run`."""
    _names: set[str] = attrs.field(factory=set, init=False)
    _running: set[Session] = attrs.field(factory=set, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)

    def work(self, action: str, text: str, args: Sequence[str]) -> dict[str, Any]:
        """Do one of "check", "explain" and "run"; what the program does wrong is part of the result."""
        works: dict[str, Callable[[Source], dict[str, Any]]] = {
            "check": self._check,
            "explain": self._explain,
            "run": lambda source: self._run(source, args),
        }
        text = text.replace("\r\n", "\n")
        with self._named() as name:
            source = Source(name, text)
            try:
                found = works[action](source)
            except RtfsError as error:
                found = {"ok": False, **_failed(error, source)}
        return {"action": action, **found}

    def stop(self) -> None:
        """Cancel what runs."""
        for session in tuple(self._running):
            session.close("interrupted", wait=False)

    def _check(self, source: Source) -> dict[str, Any]:
        with open_session(self.file, self.config, journal=False) as session:
            checked = session.examine(source)
        found = in_order([*checked.diagnostics, *(unusable_sites(checked) if checked.accepted else ())])
        errors = sum(each.severity == "error" for each in found)
        return {"ok": not errors, "program": program_json(source.name, checked), **_findings(found, source)}

    def _explain(self, source: Source) -> dict[str, Any]:
        with open_session(self.file, self.config, journal=False) as session:
            sites = [site.to_json() for site in session.explain(source)]
        return {"ok": True, "sites": sites, **_findings((), source)}

    def _run(self, source: Source, args: Sequence[str]) -> dict[str, Any]:
        with open_session(self.file, self.config) as session:
            bound = session.limits.seconds
            session.limits = with_chosen(session.limits, {"seconds": SECONDS if bound is None else min(bound, SECONDS)})
            session.host.people.begin = None
            self._running.add(session)
            try:
                linked = linked_quietly(session, source)
                result = run_once(session, linked, args)
            finally:
                self._running.discard(session)
        data = result_json(result)
        found = {"run": result.run_id if result.calls else "", "text": write(result.value), **data}
        return {"ok": True, "result": found, **_findings(linked.warnings, source)}

    @contextmanager
    def _named(self) -> Iterator[str]:
        """Give a program a name that no other has meanwhile: errors find its lines by it."""
        stem, _, ending = (self.file or NAME).rpartition(".")
        with self._lock:
            name = self.file or NAME
            number = 1
            while name in self._names:
                number += 1
                name = f"{stem}-{number}.{ending}"
            self._names.add(name)
        try:
            yield name
        finally:
            self._names.discard(name)


def _failed(error: RtfsError, source: Source) -> dict[str, Any]:
    """Return what an error tells, with its place where that is in the program."""
    match error:
        case LanguageError():
            return _findings(error.diagnostics, source)
        case ProgramError():
            return {**_findings([as_diagnostic(error.value)], source), "stack": list(error.value.stack)[:20]}
        case LimitError():
            return _findings([as_diagnostic(limit_value(error))], source)
    return {"count": 1, "listing": [], "findings": diagnostics_json(error)}


def _findings(found: Iterable[Diagnostic], source: Source) -> dict[str, Any]:
    """Return findings as data, and the program's lines with each below the line that it is about."""
    found = list(found)
    here: dict[int, list[dict[str, Any]]] = {}
    elsewhere = []
    for each in found:
        if each.place is not None and each.place.source == source.name and each.span is not None:
            here.setdefault(each.place.line, []).append(_note(each, each.place, each.span, source))
        else:
            elsewhere.append(each.to_json())
    return {"count": len(found), "findings": elsewhere, "listing": _listing(source, here)}


def _note(found: Diagnostic, place: Place, span: Span, source: Source) -> dict[str, Any]:
    """Return a finding with the parts of its line: before what is meant, that, after it, and carets below it."""
    line = source.line(place.line)
    at = place.column - 1
    end = min(len(line), at + max(1, span.end - span.start))
    before, meant, after = line[:at], line[at:end], line[end:]
    carets = " " * cells(visible_line(before)) + "^" * max(1, cells(visible_line(meant)))
    return {**found.to_json(), "before": before, "meant": meant, "after": after, "carets": carets}


def _listing(source: Source, here: dict[int, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    if not here:
        return []
    lines = source.text.split("\n")
    near = {number + off for number in here for off in range(-_AROUND, _AROUND + 1)}
    shown = [number for number in range(1, len(lines) + 1) if len(lines) <= _MOST_LINES or number in near]
    return [{"number": number, "text": lines[number - 1], "notes": here.get(number, [])} for number in shown]
