"""The last program that a model wrote, kept in a file of the user's, so that nothing that was paid for is lost.

A program carries the marks of its task; one that the journal may not keep for them is not kept here, either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.private import private_file, private_folder
from rtfs_framework.orchestrator.config.folders import data_dir

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rtfs_framework.orchestrator.session import Session

FOLDER = "written"


def unkept(session: Session, marks: Label) -> Label:
    """Return those of some marks that the journal may not keep."""
    labelling = session.host.dispatcher.labelling
    kept = None if labelling is None else labelling.accepts("journal")
    return PUBLIC if kept is None else marks - kept


def keep(environ: Mapping[str, str], run: str, program: str) -> Path | None:
    """Write down a program, in place of the one that the same run wrote before; None where that is not possible."""
    path = data_dir(environ) / FOLDER / f"{run[:12] or 'last'}.rtfs"
    try:
        private_folder(path.parent)
        private_file(path)
        path.write_text(program, encoding="utf-8", errors="backslashreplace")
    except OSError:
        return None
    return path
