"""The journal that a configuration means: for hosts, and for commands that write without one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from rtfs_framework.orchestrator.config.folders import data_dir, journal_path
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.writer import Journal

if TYPE_CHECKING:
    from rtfs_framework.api.secrets import Blot
    from rtfs_framework.api.values import Clock
    from rtfs_framework.orchestrator.config.model import JournalSpec


def journal_of(
    spec: JournalSpec, environ: Mapping[str, str], clock: Clock, blot: Blot, report: Callable[[JournalError], None]
) -> Journal:
    """Return it; nothing is opened yet.

    Raises:
        SealError: Its texts are to be encrypted, and there is no key.
    """
    path, seal = journal_path(environ, spec.path), None
    if spec.encrypt:
        from rtfs_framework.orchestrator.recording.journal.sealing import seals_of

        seal = seals_of(spec.encrypt, environ, path)[0]
    return Journal(
        path,
        data_dir(environ),
        clock,
        keep_args=spec.keep == "replies",
        seal=seal,
        blot=blot,
        sync=spec.sync,
        on_failure=spec.on_failure,
        report=report,
    )
