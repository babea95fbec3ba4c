"""What the journal says of decisions, as JSON that is stored once: the decision, and the grounds that it shares.

In: a `Decision`, `Grounds`. Out: canonical JSON. What was read is told by value where that
is small and nobody's words (bands, states, types), else by a keyed digest: arguments, texts, questions and answers.

A decision names its parts (the grounds, the decision that a plan from memory stands on) by digest, under "parts".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.plans import DelegationPlan
from rtfs_framework.api.targets import show_target
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.types.show import show_type
from rtfs_framework.orchestrator.boundary.purity import is_plain
from rtfs_framework.orchestrator.recording.journal.chain import canonical_json
from rtfs_framework.orchestrator.recording.plain import plain_of

if TYPE_CHECKING:
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.lang.types.model import Type
    from rtfs_framework.orchestrator.recording.records import Decision, Grounds, Noted

Keyed = Callable[[str], str]
"""From a digest or a text to its keyed digest."""

BY_DIGEST = frozenset({"args", "text", "embedding", "consult"})
"""Reads of which a record holds a keyed digest, and never the value."""
MAY_HOLD_WORDS = frozenset({"metadata", "hints"})
"""Reads that may hold what people wrote: by value where they do not, or where texts are kept; else by digest."""
MAY_BE_NONE = frozenset({"semantic_hash"})
"""Reads whose value is None where there was nothing to read, whatever their key is."""
NOT_REPEATED = frozenset({"draw", "attempts"})
"""Reads that the rest of the record tells: they are computed again."""
_FAILED = 'it failed; what it said is kept with [journal] keep = "replies" only'


def decision_text(decision: Decision, keyed: Keyed, parts: Mapping[str, str] | None = None, *, keep: bool) -> str:
    """Return a decision as canonical JSON, without its time.

    Unless texts are kept, it does not say what an engine raised, nor what it made of a model's words.
    """
    plan, reasoning = decision.plan, decision.plan.reasoning
    context, steps = plan.context, decision.steps
    if not keep and decision.fault:
        context = tuple((name, _FAILED if text == decision.fault else text) for name, text in context)
        steps = tuple((name, _FAILED if text == decision.fault else text) for name, text in steps)
    heard = any(name == "consult" for name, _ in steps) or "consult" in decision.read
    if not keep and heard:
        reasoning, context = "after a consultation", ()
    said: dict[str, Any] = {
        "target": show_target(plan.target),
        "source": plan.source.value,
        "engine": plan.engine,
        "confidence": _number(plan.confidence),
        "reasoning": reasoning,
        "context": context,
        "steps": steps,
    }
    more: dict[str, Any] = {
        **_beyond(plan, heard=heard and not keep),
        "cache": decision.cache,
        "path": decision.path,
        "reads": [_read(noted, keyed, keep=keep) for noted in decision.footprint],
        "parts": dict(parts or {}),
    }
    return canonical_json({**said, **{name: value for name, value in more.items() if value}})


def _beyond(plan: DelegationPlan, *, heard: bool) -> dict[str, Any]:
    """Return what a plan says beyond what all do, such as a delay; without what was made of words that were heard."""
    found: dict[str, Any] = {}
    for name, default in _MORE:
        value = getattr(plan, name)
        if value != default and not (heard and name in _MADE):
            found[name] = plain_of(value)
    return found


_OF_ALL = frozenset({"target", "source", "engine", "confidence", "reasoning", "context", "created_at"})
_MORE = tuple((field.name, field.default) for field in attrs.fields(DelegationPlan) if field.name not in _OF_ALL)
_MADE = frozenset({"alternatives", "note"})


def _read(noted: Noted, keyed: Keyed, *, keep: bool) -> dict[str, Any]:
    read, key, value = noted
    name, *more = read
    if name in NOT_REPEATED:
        return {"read": list(read)}
    if name == "consult":
        kind, id_, text = more
        return {"read": [name, kind, id_, keyed(text)], "digest": keyed(key) if isinstance(key, str) else ""}
    if name == "similarity":  # the texts may be anybody's words; figures tell little of them
        return {"read": [name, keyed(compared(more))], "value": value}
    if name in BY_DIGEST or (name in MAY_HOLD_WORDS and not keep and _holds_words(value)):
        return {"read": list(read), "digest": keyed(str(key)) if isinstance(key, str | int) else ""}
    if name == "experience":  # its version, and how many of it were over; None where its layer failed
        return {"read": list(read), "value": plain_of(key) if isinstance(key, int | tuple) else None}
    if name in MAY_BE_NONE:
        return {"read": list(read), "value": value}
    return {"read": list(read), "value": plain_of(key if value is None else value)}


def compared(texts: Iterable[str]) -> str:
    """Return the texts that were compared, as the one text by whose digest a record names them."""
    return canonical_json(list(texts))


def heard_text(decisions: Iterable[Decision | None]) -> str:
    """Return the words that a call's decisions heard, as JSON: kind and id of the model, question, answer. "" for none.

    Words that a plan from memory stands on are beside the call that heard them.
    """
    found: list[list[str]] = []
    for decision in decisions:
        for read, key, _ in () if decision is None or decision.stands_on is not None else decision.footprint:
            words = [*read[1:], key] if read[0] == "consult" and isinstance(key, str) else None
            if words is not None and words not in found:
                found.append(words)
    return canonical_json(found) if found else ""


def _holds_words(value: Any) -> bool:
    """Tell whether a text is somewhere in a value."""
    if isinstance(value, str):
        return bool(value)
    if isinstance(value, Map):
        return any(_holds_words(each) for entry in value.items() for each in entry)
    kind: Any = type(value)
    if attrs.has(kind):
        return any(_holds_words(getattr(value, field.name)) for field in attrs.fields(kind))
    return isinstance(value, Iterable) and any(map(_holds_words, value))


def grounds_text(grounds: Grounds) -> str:
    """Return what decisions about a function rest on as canonical JSON."""
    candidates = [{**plain_of(each), "target": show_target(each.target)} for each in grounds.candidates]
    return canonical_json(
        {
            "function": function_json(grounds.function),
            "policy": grounds.policy,
            "candidates": candidates,
            "excluded": grounds.excluded,
        }
    )


def function_json(function: FunctionSignature) -> dict[str, Any]:
    """Return a signature as JSON-ready data."""
    hint = function.hint
    found = {
        "name": function.name,
        "doc": function.doc,
        "parameters": [[each.name, _shown(each.type), each.rest] for each in function.parameters],
        "returns": _shown(function.returns),
        "hint": None if hint is None else [hint.kind.value, hint.id],
        "metadata": write(function.metadata) if function.metadata and is_plain(function.metadata) else "",
        "digest": function.body_digest,
    }
    return {name: value for name, value in found.items() if value}


def parts_of(text: str) -> dict[str, str]:
    """Return the digests of the parts that a stored text names."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    named = found.get("parts") if isinstance(found, dict) else None
    return {str(name): str(digest) for name, digest in named.items()} if isinstance(named, dict) else {}


def decisions_of(body: dict[str, Any]) -> Iterator[str]:
    """Yield the digests of what a row names that is stored once: decisions and situations."""
    for each in (body, *body.get("attempts", ())):
        if "decision" in each:
            yield each["decision"]
    if "situation" in body:
        yield body["situation"]


def _shown(type_: Type | None) -> str | None:
    return None if type_ is None else show_type(type_)


def _number(value: float) -> float | None:
    """Return a number that JSON has; a plugin may have put anything there."""
    return value if isfinite(value) else None
