"""Everything about one recorded call: what was read, who decided, what was tried, what it took, from which memory.

In: a history and a call's id. Out: JSON-ready data, which people are shown too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rtfs_framework.orchestrator.boundary.confidence import without_confidence
from rtfs_framework.orchestrator.recording.journal.history import Facts, History, Told
from rtfs_framework.orchestrator.recording.journal.query import entries_within
from rtfs_framework.orchestrator.recording.journal.redact import name_of

_OF_CALL = (
    "kind",
    "symbol",
    "place",
    "target",
    "outcome",
    "state",
    "args",
    "args_digest",
    "reply_digest",
    "removed",
    "sealed",
)
_TOOK = ("micros", "cost", "input_tokens", "output_tokens", "model", "explanation")


def why(history: History, run: str, call: str) -> dict[str, Any] | None:
    """Return all that is known of a call; None where the run has none of that name."""
    asked: list[Mapping[str, Any]] = []
    for entry in entries_within(history.connection, run):
        name = name_of(entry["entry"], entry["record"], entry["path"])
        if name.partition("?")[0] == call.partition("?")[0] and entry["kind"] == "consultation" and name != call:
            asked.append(entry)
        elif name == call:
            return _of(history, history.facts(run), call, entry, asked)
    return None


def _of(
    history: History, facts: Facts, call: str, entry: Mapping[str, Any], asked: list[Mapping[str, Any]]
) -> dict[str, Any]:
    told = list(history.told(entry, facts))
    grounds = told[-1].grounds if told else {}
    return {
        "run": facts.id,
        "call": call,
        "policy": facts.policy,
        "tenant": facts.tenant,
        **{name: entry[name] for name in _OF_CALL},
        "function": grounds.get("function"),
        "candidates": grounds.get("candidates", []),
        "excluded": grounds.get("excluded", []),
        "consulted": [_consulted(each) for each in asked],
        "decisions": [_decided(history, each) for each in told],
        "attempts": entry["attempts"],
        "exhausted": entry["exhausted"],
        "hints": entry["hints"],
        **{name: entry.get(name) for name in ("labels", "whole", "brought", "freed")},
        "shadow": entry["shadow"],
        "memory": {"plan": told[-1].said.get("cache", "") if told else "", "reply": entry["cache"]},
        **{name: entry[name] for name in _TOOK},
        "error": {"kind": entry["error_kind"], "code": entry["error_code"], "message": entry["error"]}
        if entry["error_kind"]
        else None,
    }


def _decided(history: History, told: Told) -> dict[str, Any]:
    said = told.said
    named = ("target", "source", "engine", "confidence", "reasoning", "cache", "path", "steps", "context")
    more = ("delay", "hedge", "alternatives", "transform", "propensity", "note")
    stands_on = said.get("parts", {}).get("stands_on", "")
    return {
        "number": told.number,
        **{name: said.get(name) for name in named},
        **{name: said[name] for name in more if name in said},
        "reads": [_read(each, told) for each in told.reads],
        "stands_on": history.text(stands_on) if stands_on else None,
    }


def _read(read: Mapping[str, Any], told: Told) -> dict[str, Any]:
    """Return what was read, with the words where they were kept."""
    name, *more = read["read"]
    found = {"read": [name, *more], **{key: read[key] for key in ("value", "digest") if key in read}}
    if name == "args" and told.args is not None:
        found["value"] = told.entry["args"]
    if name == "consult" and len(more) == 3:
        answer = told.heard.get((more[0], more[1], more[2]))
        words, sure = (None, None) if answer is None else without_confidence(answer)
        found.update({"value": words} if sure is None else {"value": words, "confidence": sure})
    return found


def _consulted(entry: Mapping[str, Any]) -> dict[str, Any]:
    named = ("path", "target", "outcome", "args", *_TOOK, "error_kind", "error_code")
    return {name: entry[name] for name in named}


def words_of(read: Mapping[str, Any]) -> Iterator[str]:
    """Yield a read as people say it: its name, then what it was."""
    name, *more = read["read"]
    yield name if not more else f"{name} of {' '.join(more[:2])}"
    if read.get("value") is not None:
        value = read["value"]
        yield ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    elif read.get("digest"):
        yield f"not kept (digest {read['digest'][:12]})"
    elif "digest" in read:
        yield "no answer" if name == "consult" else "no plain data"
    elif "value" in read:
        yield "nothing known"
    else:
        yield "see attempts" if name == "attempts" else "drawn anew from the run's seed"
