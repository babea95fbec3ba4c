"""The contract of observers: they hear whatever happens, change nothing of it, and never raise."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from copy import deepcopy
from inspect import isawaitable
from typing import Any

from rtfs_framework.api import Event, Observer
from rtfs_framework.testing.conformance.base import Conformance, check

_CALL: Mapping[str, Any] = {
    "run": "r1", "tenant": "", "symbol": "triage", "path": "0", "kind": "delegated", "target": "remote big",
    "source": "engine", "engine": "static", "reasoning": "a rule", "model": "m-1", "input_tokens": 12,
    "output_tokens": 3, "attempts": 0, "place": "a.rtfs:1:1", "record": None, "seconds": 0.2, "cost": 0.001,
    "cache": "", "error": None, "error_kind": None, "code": None,
}  # fmt: skip
_SUMMARY = {"calls": 2, "cost": 0.001, "errors": 1}
_CACHES = {"l1": {"hits": 1, "misses": 1, "puts": 1, "evictions": 0, "expiries": 0, "size": 1, "capacity": 1000}}

EVENTS: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("run.started", {"run": "r1", "source": "a.rtfs", "tenant": ""}),
    ("call.decided", {"symbol": "triage", "target": "remote big"}),
    ("call.answered", _CALL),
    ("call.answered", {**_CALL, "target": "local-pure", "source": None, "engine": None, "model": "", "cost": 0.0}),
    ("call.answered", {**_CALL, "cache": "l2 hit", "cost": 0.0, "args": '["a"]', "answer": '"b"'}),
    ("call.failed", {**_CALL, "cost": None, "error": "it broke", "error_kind": "ProviderError", "code": "E0602"}),
    ("call.refused", {**_CALL, "error": "no", "error_kind": "SecurityViolation", "code": "E0710"}),
    ("call.rated", {"run": "r1", "tenant": "", "symbol": "triage", "path": "0", "target": "remote big", "value": 0.5}),
    ("call.answered", {**_CALL, "run": "a run that nobody began", "symbol": "\x1b[31m\ud7ff\U0001f600" * 100}),
    ("program.event", {"event": "step", "path": "0", "args": ["1"]}),
    ("health.changed", {"target": "remote big", "from": "closed", "to": "open", "reason": "3 of 3 failed"}),
    ("budget.changed", {"budget": "team", "left": "little"}),
    ("rate.changed", {"rate": "team", "left": "nothing"}),
    ("something.new", {"of": "a later version"}),
    ("run.ended", {"run": "r1", "status": "complete", "summary": _SUMMARY, "caches": _CACHES}),
    ("run.ended", {"run": "r1", "status": "failed", "summary": {}, "caches": {}}),
)
"""Events as a host tells them, in an order that is possible, and some that are not."""


class ObserverConformance(Conformance):
    """Inherit, and give `make`."""

    @abstractmethod
    def make(self) -> Observer:
        """Return a new observer."""

    def test_it_hears_every_event(self) -> None:
        """It raises nothing, whatever it is told, and nobody awaits it."""
        observer: Any = self.make()
        for at, (name, fields) in enumerate(EVENTS):
            found = observer(Event(name, float(at), fields))
            check(not isawaitable(found), "it is a coroutine function, and nobody awaits it")
        _close(observer)

    def test_it_changes_nothing(self) -> None:
        """Others hear the same event."""
        observer = self.make()
        for name, fields in EVENTS:
            told = deepcopy(dict(fields))
            observer(Event(name, 0.0, told))
            check(told == fields, f"it changed the fields of {name}")
        _close(observer)

    def test_it_may_be_closed_at_any_time(self) -> None:
        """Before it has heard anything, in the middle of a run, and twice."""
        for count in (0, 3):
            observer = self.make()
            for name, fields in EVENTS[:count]:
                observer(Event(name, 0.0, fields))
            _close(observer)
            _close(observer)


def _close(observer: Observer) -> None:
    close = getattr(observer, "close", None)
    if close is not None:
        close()
