"""`[journal]`: from the table to what the host is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rtfs_framework.orchestrator.config.model import JournalSpec

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.orchestrator.config.own import Reading
    from rtfs_framework.orchestrator.config.tables.file import JournalTable


class _Paths(Protocol):
    """Reads the path of a setting: absolute, None after noting why it names none."""

    def __call__(self, text: str, path: KeyPath, *, file: bool = False) -> str | None: ...


def journal_spec(table: JournalTable, reading: Reading, path_of: _Paths) -> JournalSpec:
    """Return what a table says; mistakes in it are noted."""
    return JournalSpec(
        enabled=table.enabled,
        path=None if table.path is None else path_of(table.path, ("journal", "path"), file=True),
        keep=table.keep,
        sync=table.sync,
        on_failure=table.on_failure,
        encrypt=_keys(table, reading, path_of),
        retain=table.retain,
        most_bytes=table.most_bytes,
        retain_labels={mark.removeprefix(":"): seconds for mark, seconds in table.retain_labels.items()},
    )


def _keys(table: JournalTable, reading: Reading, path_of: _Paths) -> tuple[str, ...]:
    found: list[str] = []
    texts = [table.encrypt] if isinstance(table.encrypt, str) else table.encrypt
    for place, text in enumerate(texts):
        at: KeyPath = ("journal", "encrypt") if isinstance(table.encrypt, str) else ("journal", "encrypt", place)
        kind, _, where = text.partition(":")
        if kind not in ("env", "file") or not where:
            way_out = 'such as "env:TEXTS_KEY" or "file:texts.key"'
            reading.mistake("E0705", f"'{text}' names no key", at, way_out)
        elif kind == "env":
            found.append(text)
        elif (path := path_of(where, at, file=True)) is not None:
            found.append(f"file:{path}")
    return tuple(found)
