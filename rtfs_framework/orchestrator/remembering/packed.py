"""A provider's reply as text, the way cache layers keep it."""

from __future__ import annotations

from typing import Any

from rtfs_framework.api.provider import InferenceReply
from rtfs_framework.api.remote import RemoteRun
from rtfs_framework.lang.jsontext import JsonError, dump, load


def pack(reply: InferenceReply) -> str | None:
    """Return a reply as JSON text, the way cache layers keep it; None when JSON cannot hold it."""
    usage = [reply.usage.input_tokens, reply.usage.output_tokens]
    fields = {
        name: getattr(reply, name) for name in ("text", "data", "structured", "model", "explanation", "confidence")
    }
    if reply.remote is not None:  # its marks count whenever it is given again, and its run is where it was made
        fields["remote"] = {**reply.remote.to_json(), "labels": sorted(reply.remote.labels)}
    try:
        return dump({**fields, "usage": usage})
    except (JsonError, TypeError):
        return None


def unpack(stored: Any) -> InferenceReply | None:
    """Return the reply that was packed, None when the text is none (another version, a damaged file)."""
    try:
        found = load(stored) if isinstance(stored, str) else None
    except JsonError:
        return None
    if not isinstance(found, dict) or not isinstance(found.get("structured"), bool):
        return None
    confidence = found.get("confidence")
    if confidence is not None and not (isinstance(confidence, float | int) and 0 <= confidence <= 1):
        return None
    text = found.get("text")
    if text is not None and not isinstance(text, str):
        return None
    try:
        remote = None if found.get("remote") is None else _remote(found["remote"])
    except (TypeError, KeyError):
        return None  # whose marks nobody knows is not given again
    return InferenceReply(
        text=text,
        data=found.get("data"),
        structured=found["structured"],
        model=str(found.get("model", "")),
        explanation=str(found.get("explanation", "")),
        confidence=confidence,
        remote=remote,
    )


def _remote(found: dict[str, Any]) -> RemoteRun:
    names = {name: str(found[name]) for name in ("host", "run", "head")}
    return RemoteRun(**names, target=str(found.get("target", "")), labels=frozenset(map(str, found["labels"])))
