"""What commands about earlier runs share: which runs, and hosts that decide about them again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click
from typing_extensions import Self

from rtfs_framework.cli.options import environment, open_session

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.journal.history import Facts
    from rtfs_framework.orchestrator.session import Session


def runs_of(path: Path, named: tuple[str, ...], since: float | None) -> list[str]:
    """Return the runs that somebody names, or all since a time (seconds since the epoch); else the latest one."""
    from rtfs_framework.orchestrator.recording.journal.query import find_run, runs_since

    if since is not None and named:
        raise click.UsageError("name runs, or say --since; not both")
    if since is not None:
        return runs_since(path, since)
    return [find_run(path, each) for each in named or ("last",)]


@attrs.define(slots=True, eq=False)
class Hosts:
    """Hosts of one configuration, one for each tenant whose runs are decided again."""

    config: str | None
    _open: dict[str, Session] = attrs.field(factory=dict, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._open:
            self._open.popitem()[1].close()

    def of(self, facts: Facts) -> Session:
        """Return the session that decides again for the tenant of a run."""
        if facts.tenant not in self._open:
            environ = {**environment(), "RTFS_TENANT": facts.tenant}
            if not facts.tenant:
                del environ["RTFS_TENANT"]
            self._open[facts.tenant] = open_session(None, self.config, journal=False, environ=environ)
        return self._open[facts.tenant]
