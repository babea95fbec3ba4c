"""Answers in the form of the OpenAI API: completions, their chunks, models, vectors.

Besides what the API says, each completion has a member `rtfs`: the run in the causal chain, who answered, and from
where, so that whoever reads it can ask the host why.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.labels import PUBLIC, Label

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.records import RunResult, Summary


@attrs.frozen(slots=True, kw_only=True)
class Answered:
    """What became of a chat request: JSON data."""

    message: Mapping[str, Any]
    """The assistant's message: `content`, and `tool_calls` where there are any."""
    run: str
    created: int
    """Seconds since 1970."""
    usage: Mapping[str, int]
    """Tokens that the request took, all attempts together; what came from memory took none."""
    rtfs: Mapping[str, Any]
    """What this host adds: how it was answered."""
    marks: Label = PUBLIC
    """Those of the answer; they are not part of its JSON."""

    @classmethod
    def of_run(cls, message: Mapping[str, Any], result: RunResult, summary: Summary, created: int) -> Answered:
        """Return what a run answered."""
        given, got = summary.input_tokens, summary.output_tokens
        usage = {"prompt_tokens": given, "completion_tokens": got, "total_tokens": given + got}
        rtfs: dict[str, Any] = {
            "run": result.run_id,
            "calls": len(result.calls),
            "cost": None if summary.unpriced else summary.cost,
        }
        if result.calls:
            last = result.calls[-1]
            rtfs |= {"target": last.target, "model": last.model, "cache": last.cache, "attempts": len(last.attempts)}
        return cls(message=message, run=result.run_id, created=created, usage=usage, rtfs=rtfs, marks=result.marks)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Answered:
        """Return what `to_json` has told."""
        return cls(**told)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-ready data, without its marks."""
        return {name: getattr(self, name) for name in ("message", "run", "created", "usage", "rtfs")}

    @property
    def finish(self) -> str:
        """Why the answer ends where it does."""
        said = self.message.get("finish_reason")
        if isinstance(said, str):
            return said
        return "tool_calls" if self.message.get("tool_calls") else "stop"


@attrs.frozen(slots=True, kw_only=True)
class Shape:
    """What all chunks of an answer have in common."""

    id: str
    created: int
    model: str

    def completion(self, answered: Answered) -> dict[str, Any]:
        """Return a whole completion."""
        message = {name: found for name, found in answered.message.items() if name != "finish_reason"}
        choice = {
            "index": 0,
            "message": {"refusal": None, **message, "role": "assistant"},
            "logprobs": None,
            "finish_reason": answered.finish,
        }
        head = {**self._head("chat.completion"), "created": answered.created}
        return {**head, "choices": [choice], "usage": answered.usage, "rtfs": answered.rtfs}

    def piece(self, text: str, *, first: bool) -> dict[str, Any]:
        """Return a chunk with a piece of the text."""
        return self._chunk({"role": "assistant", "content": text} if first else {"content": text})

    def calls(self, calls: Iterable[Mapping[str, Any]], *, first: bool) -> dict[str, Any]:
        """Return a chunk with calls of tools."""
        numbered = [{"index": place, **call} for place, call in enumerate(calls)]
        role = {"role": "assistant", "content": None} if first else {}
        return self._chunk({**role, "tool_calls": numbered})

    def end(self, answered: Answered, *, first: bool) -> dict[str, Any]:
        """Return the last chunk of an answer."""
        role: dict[str, Any] = {"role": "assistant"} if first else {}
        return {**self._chunk(role, answered.finish), "rtfs": answered.rtfs}

    def usage(self, answered: Answered) -> dict[str, Any]:
        """Return the chunk that says what the answer took."""
        return {**self._head("chat.completion.chunk"), "choices": [], "usage": answered.usage}

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**self._head("chat.completion.chunk"), "choices": [choice]}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def model_object(name: str, created: int) -> dict[str, Any]:
    """Return what is said of a model."""
    return {"id": name, "object": "model", "created": created, "owned_by": "rtfs"}


def embeddings(model: str, vectors: Iterable[Sequence[float]], *, as_base64: bool) -> dict[str, Any]:
    """Return vectors; tokens of texts are not counted here, and so are 0."""
    data = [
        {"object": "embedding", "index": place, "embedding": _packed(vector) if as_base64 else list(vector)}
        for place, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": 0, "total_tokens": 0}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def _packed(vector: Sequence[float]) -> str:
    """Return a vector as the official client asks for it: base64 of floats of 32 bits, the lowest byte first."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")
