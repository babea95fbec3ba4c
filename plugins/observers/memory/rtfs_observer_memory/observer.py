"""The observer: makes an entry of each call, rating and run. The host tells it in a thread of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtfs_framework.api import Event
from rtfs_observer_memory.memory import Entry, Memory
from rtfs_observer_memory.settings import MemorySettings

_STATUS = {"call.answered": "answered", "call.failed": "failed", "call.refused": "refused"}
_WORDS = ("args", "answer", "error", "reasoning")
_FACTS = (
    "path", "record", "place", "kind", "engine", "model", "seconds", "cost", "input_tokens", "output_tokens", "cache",
    "attempts", "error_kind", "code",
)  # fmt: skip
_TOTALS = ("calls", "errors", "refused", "seconds", "cost", "unpriced", "input_tokens", "output_tokens")
_EVERY = 256
"""Entries between two looks at what is to go."""


class MemoryObserver:
    """Keeps what a host does."""

    def __init__(self, memory: Memory, settings: MemorySettings) -> None:
        self._memory, self._settings = memory, settings
        self._since = _EVERY

    def __call__(self, event: Event) -> None:
        """Keep one event, if it is of a kind that is kept."""
        if event.name in _STATUS:
            self._keep(event, self._call(event), "call", _STATUS[event.name])
        elif event.name == "call.rated":
            self._keep(event, {"value": event.fields.get("value"), "path": event.fields.get("path")}, "rating", "")
        elif event.name == "run.ended":
            totals = event.fields.get("summary") or {}
            facts = {name: totals[name] for name in _TOTALS if totals.get(name)}
            self._keep(event, facts, "run", str(event.fields.get("status") or ""))

    def close(self) -> None:
        """Close the file."""
        self._memory.close()

    def _call(self, event: Event) -> dict[str, Any]:
        fields = event.fields
        told = _WORDS if "args" in fields else ()  # else the journal keeps no words, and neither does this
        words = {name: str(fields[name])[: self._settings.characters] for name in told if fields.get(name)}
        return {**words, **{name: fields[name] for name in _FACTS if fields.get(name) is not None}}

    def _keep(self, event: Event, facts: Mapping[str, Any], kind: str, status: str) -> None:
        fields = event.fields
        entry = Entry(
            at=event.at,
            run=str(fields.get("run") or ""),
            tenant=str(fields.get("tenant") or ""),
            kind=kind,
            name=str(fields.get("symbol") or ""),
            target=str(fields.get("target") or ""),
            status=status,
            marks=event.marks,
            facts=facts,
        )
        self._memory.add(entry, "\n".join(str(facts[name]) for name in _WORDS if name in facts))
        self._since += 1
        if self._since > _EVERY:
            self._since = 0
            self._memory.bound(float(self._settings.retain), self._settings.entries, event.at)
