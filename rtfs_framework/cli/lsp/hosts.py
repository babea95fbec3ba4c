"""The host of a folder: what its configuration knows is no mistake in its programs. Opened when first asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import attrs

from rtfs_framework.cli.commands.check import unusable_sites
from rtfs_framework.cli.lsp.reading import Reading
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.config.find import any_file, own_file
from rtfs_framework.orchestrator.config.trust import TrustStore
from rtfs_framework.orchestrator.running.linking import UNKNOWN_NAME, knows
from rtfs_framework.orchestrator.session import Session

_MODULES = frozenset({"E0220", "E0221", "E0222", "E0223"})
"""A session knows modules as they are saved, the reading as they are in the editor, and that is what counts."""


Key = tuple["Path | None", tuple[float, ...]]
"""A configuration file, and when it, the user's own and what is trusted were changed."""


@attrs.define(slots=True, eq=False)
class Hosts:
    """Sessions by configuration file; one is opened anew when its file has changed, or is trusted now."""

    config: Path | None = None
    problems: list[str] = attrs.field(factory=list)
    """Configurations that cannot be used, to be told once."""
    _open: dict[Key, Session | None] = attrs.field(factory=dict)

    def session(self, folder: Path) -> Session | None:
        """Return the session for programs of a folder; None when its configuration cannot be used."""
        path = any_file(self.config, folder, os.environ)
        files = (path, own_file(os.environ), TrustStore.of(os.environ).folder)
        key = (path, tuple(each.stat().st_mtime if each is not None and each.exists() else 0.0 for each in files))
        if key not in self._open:
            for old in [each for each in self._open if each[0] == path]:
                self._close(old)
            self._open[key] = self._make(folder)
        return self._open[key]

    def _make(self, folder: Path) -> Session | None:
        try:
            made = Session.open(config_path=self.config, program_dir=folder, journal=False)
        except (RtfsError, OSError) as error:
            self.problems.append(str(error))
            return None
        made.host.events.faults.listen(lambda problem: self.problems.append(problem.message))
        try:
            made.host.dispatcher.delegator.may_claim("")  # an engine that cannot be asked is told now, once
        except RtfsError as error:
            self.problems.append(str(error))
            made.close()
            return None
        self.problems.extend(each.message for each in made.host.config.notices)
        return made

    def _close(self, key: Key) -> None:
        session = self._open.pop(key)
        if session is not None:
            session.close()

    def close(self) -> None:
        """Close every session."""
        for key in list(self._open):
            self._close(key)


def around(session: Session | None) -> dict[str, Any]:
    """Return what a host adds to a compilation."""
    if session is None:
        return {}
    dispatcher = session.host.dispatcher
    prelude = dispatcher.capabilities.prelude
    return {"delegatable": dispatcher.delegator.may_claim, "prelude": prelude, "nesting": session.limits.nesting}


def module_path(session: Session | None) -> tuple[Path, ...]:
    """Return where a host looks for modules besides a program's own folder."""
    return () if session is None else tuple(map(Path, session.host.config.module_path))


def host_names(session: Session | None) -> tuple[str, ...]:
    """Return the names that programs may use because of their host."""
    if session is None:
        return ()
    return (*session.host.dispatcher.capabilities.names, *session.host.config.security.values)


def mistakes(reading: Reading, session: Session | None) -> list[Diagnostic]:
    """Return everything that is wrong with a text, as `rtfs check` says it."""
    if session is None:
        return list(reading.diagnostics)
    found = [each for each in reading.diagnostics if not _is_known(each, session)]
    if any(each.severity == "error" for each in found):
        return found
    known = {(each.code, each.span) for each in found}
    found += [each for each in _checked(reading.source, session) if (each.code, each.span) not in known]
    return found


def _is_known(found: Diagnostic, session: Session) -> bool:
    if found.code != UNKNOWN_NAME or found.source is None or found.span is None:
        return False
    return knows(session.host, found.source.text[found.span.start : found.span.end])


def _checked(source: Source, session: Session) -> list[Diagnostic]:
    """Return what `rtfs check` says of a program that compiles: targets and calls that this host does not have."""
    checked = session.examine(source)
    if any(each.code in _MODULES for each in checked.diagnostics):
        return []
    return [*checked.diagnostics, *(unusable_sites(checked) if checked.accepted else ())]
