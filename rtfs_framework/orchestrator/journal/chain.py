"""What is hashed: SHA-256 over the canonical JSON of a row's fields and of its parent's hash."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from rtfs_framework.api.targets import show_target
from rtfs_framework.orchestrator.records import Decision

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def canonical_json(data: Any) -> str:
    """Return the one JSON text of plain data: sorted names, no spaces, ASCII."""
    return _ENCODER.encode(data)


def row_hash(table: str, fields: Sequence[str], values: Sequence[Any], parent: str) -> str:
    """Return the hash of a row that follows `parent`. A branch is hashed where there is one: see `schema`."""
    pairs = list(zip(fields, values, strict=True))
    if pairs[-1] == ("branch", ""):
        pairs.pop()
    return sha256(_ENCODER.encode([table, pairs, parent]).encode()).hexdigest()


def decision_body(decision: Decision) -> str:
    """Return a decision as canonical JSON, without its time."""
    plan = decision.plan
    return canonical_json(
        {
            "target": show_target(plan.target),
            "source": plan.source.value,
            "engine": plan.engine,
            "confidence": plan.confidence,
            "reasoning": plan.reasoning,
            "context": plan.context,
            "steps": decision.steps,
        }
    )


def text_digest(text: str) -> str:
    """Return the SHA-256 (hex) of a text."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
