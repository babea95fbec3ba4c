"""Calls that are done, and perhaps paid, but whose turn in the chain has not come: branches before them still run.

They stay in memory until the chain takes them, mostly for milliseconds. Those that are still here when the journal is
written (`flush`) are written beside the chain, so that a process that dies loses none of them; what the chain takes is
deleted in the transaction that writes its entry. `rtfs runs show` lists the drafts of a run that never ended.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.orchestrator.journal.chain import canonical_json
from rtfs_framework.orchestrator.journal.schema import ENTRY_FIELDS, insert
from rtfs_framework.orchestrator.records import CallRecord

if TYPE_CHECKING:
    import sqlite3

Key = tuple[str, int, str]
"""Run, record (-1 for none), path."""

_INSERT = insert("drafts", ("run", "record", "path", "body"))
_DELETE = "DELETE FROM drafts WHERE run = ? AND record = ? AND path = ?"


@attrs.define(slots=True, eq=False)
class Drafts:
    """What waits for its turn in the chains of a journal."""

    waiting: dict[Key, tuple[CallRecord, Callable[[], tuple[Any, ...]]]] = attrs.field(factory=dict, init=False)
    _written: set[Key] = attrs.field(factory=set, init=False)
    _stale: set[Key] = attrs.field(factory=set, init=False)
    """Written, and taken by the chain since."""

    def hold(self, run: str, record: CallRecord, values: Callable[[], tuple[Any, ...]]) -> None:
        """Keep a call; `values` makes its row when it must be written."""
        self.waiting[_key(run, record)] = (record, values)

    def release(self, run: str, record: CallRecord) -> None:
        """Let go of a call that the chain takes now."""
        key = _key(run, record)
        self.waiting.pop(key, None)
        if key in self._written:
            self._stale.add(key)

    def fresh(self) -> list[tuple[Any, ...]]:
        """Return the rows that are not written yet."""
        return [
            (*key, canonical_json(dict(zip(ENTRY_FIELDS, values(), strict=True))))
            for key, (_, values) in self.waiting.items()
            if key not in self._written
        ]

    def write(self, connection: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> None:
        """Write rows and delete what the chain has, within the caller's transaction."""
        connection.executemany(_DELETE, self._stale)
        connection.executemany(_INSERT, rows)

    def wrote(self, rows: list[tuple[Any, ...]]) -> None:
        """Note that they were written."""
        self._written -= self._stale
        self._stale.clear()
        self._written.update((run, record, path) for run, record, path, _ in rows)


def _key(run: str, record: CallRecord) -> Key:
    return run, -1 if record.record is None else record.record, record.path
