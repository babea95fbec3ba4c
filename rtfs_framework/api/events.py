"""The events that observers hear: their names, when each is told, and their fields.

docs/reference/records.md is made from this table; a test holds it to what the host tells.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs


@attrs.frozen(slots=True)
class EventKind:
    """An event: when it is told, and what its fields are."""

    when: str
    fields: Mapping[str, str]


_ABOUT = {"run": "the run's id", "tenant": 'for whom ("" for nobody in particular)', "symbol": "the function"}
_WHERE = {"path": "the call's place in its run, such as `0.2`", "target": "the target, in words"}
_ERROR = {"error": "what is wrong, in words"}
_CALL: Mapping[str, str] = {
    **_ABOUT,
    **_WHERE,
    "kind": "a `CallKind`, or `consultation`",
    "source": "which step of the precedence decided (`PlanSource`), None where nothing did",
    "engine": "the engine that decided, None or empty for none",
    "reasoning": "why, in words",
    "model": "the model that answered, as it named itself",
    "input_tokens": "tokens of the request, None where nobody counted",
    "output_tokens": "tokens of the answer, None where nobody counted",
    "attempts": "how many attempts gave no answer before",
    "hints": "the execution hints in force: pairs of a name and a value",
    "place": "file, line and column, None where the call has none",
    "record": "the number of the input's record, None outside of one",
    "seconds": "how long it took",
    "cost": "US dollars, None where nobody knows",
    "cache": "what memory said, such as `l2 hit`",
    "error": "why it has no answer, None where it has one",
    "error_kind": "the kind of the error, as programs catch it",
    "code": "its code, such as `E0602`",
    "args": "the arguments as text, where the journal keeps words",
    "answer": "the answer as text, where the journal keeps words",
}
_APPROVAL: Mapping[str, str] = {
    "run": "the run's id",
    "call": "the call's id in its run",
    "symbol": "the function",
    "target": "where it would go",
    "approver": "who is asked",
}

EVENTS: Mapping[str, EventKind] = {
    "run.started": EventKind("a run begins", {"run": "the run's id", "source": "the program's file"}),
    "run.ended": EventKind(
        "a run is over",
        {
            "run": "the run's id",
            "status": "`complete`, `failed` or `cancelled`",
            "summary": "counts, times and costs of its calls",
            "caches": "the counters of each cache layer, by name (`CacheStats`)",
        },
    ),
    "run.checkpoint": EventKind("a program says `checkpoint`", {"run": "the run's id", "name": "its name"}),
    "call.decided": EventKind(
        "it is decided where a call goes",
        {
            "symbol": "the function",
            "target": "the target, in words",
            "source": "which step decided (`PlanSource`)",
            "engine": "the engine that decided, empty for none",
            "attempt": "how many attempts there were before",
        },
    ),
    "call.answered": EventKind("a call has its answer", _CALL),
    "call.failed": EventKind("a call ends with an error", _CALL),
    "call.refused": EventKind("a rule forbids a call", _CALL),
    "call.rated": EventKind(
        "somebody says what an answer was worth", {**_ABOUT, **_WHERE, "value": "from 0 (bad) to 1 (good)"}
    ),
    "program.event": EventKind(
        "a program tells of a step",
        {"event": "its name", "path": "its place in the run", "args": "what it says, as texts"},
    ),
    "approval.waiting": EventKind("a call waits for a person", _APPROVAL),
    "approval.answered": EventKind(
        "a person has answered, or nobody in time", {**_APPROVAL, "yes": "whether it may go", "words": "what was said"}
    ),
    "health.changed": EventKind(
        "the breaker of a target opens or closes",
        {"target": "the target, in words", "from": "its state before", "to": "its state now", "reason": "why"},
    ),
    "budget.changed": EventKind(
        "another band of a budget is left", {"budget": "its name", "left": "`plenty`, `little`, ..."}
    ),
    "rate.changed": EventKind("another band of a rate is left", {"rate": "its name", "left": "the band"}),
    "model.warmed": EventKind(
        "a model was asked ahead of its calls", {"target": "the target, in words", "cost": "US dollars"}
    ),
    "cache.works": EventKind(
        "a cache layer that was left out works again", {"plugin": "which", "seconds": "how long it was out"}
    ),
    "artifact.hit": EventKind("a compiled program is found", {"pointer": "its digest"}),
    "artifact.stored": EventKind("a compiled program is kept", {"pointer": "its digest"}),
    "artifact.refused": EventKind("a kept program is not what it should be", {"pointer": "its digest", **_ERROR}),
    "artifact.unavailable": EventKind("kept programs cannot be read", _ERROR),
    "plugin.failed": EventKind("a plug-in breaks for the first time in this way", {"plugin": "which", **_ERROR}),
    "observer.failed": EventKind("an observer breaks, and is left out", {"observer": "which", **_ERROR}),
    "journal.failed": EventKind("the journal cannot be written", _ERROR),
    "learning.failed": EventKind("what was learned cannot be read or kept", _ERROR),
    "signals.failed": EventKind("what is known of targets cannot be kept", _ERROR),
    "budgets.failed": EventKind("the ledger of budgets cannot be used", _ERROR),
}
"""By name. An observer may be told others by a later version, and further fields."""
