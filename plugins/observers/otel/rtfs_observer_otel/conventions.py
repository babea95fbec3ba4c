"""What an event is called in OpenTelemetry: the one place that knows its conventions for generative AI.

In: the fields of an event. Out: the name and attributes of a span. Texts of people (arguments, messages, reasons) are
in none of them: names, numbers and kinds only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MODELS = ("remote ", "local-model ")
_MEMORY = frozenset({"l2 hit", "l3 hit", "in flight"})


def is_request(fields: Mapping[str, Any]) -> bool:
    """Tell whether a call asked a model, and was not answered from memory."""
    return str(fields.get("target") or "").startswith(_MODELS) and not from_memory(fields)


def from_memory(fields: Mapping[str, Any]) -> bool:
    """Tell whether a call was answered from memory."""
    return fields.get("cache") in _MEMORY


def span_name(fields: Mapping[str, Any]) -> str:
    """Return the name of a call's span: "chat MODEL" for one to a model, else the function's name."""
    model = fields.get("model")
    if is_request(fields):
        return f"chat {model or _provider(fields)}"
    return str(fields.get("symbol") or "call")


def attributes(fields: Mapping[str, Any]) -> dict[str, str | int | float | bool]:
    """Return the attributes of a call's span."""
    found: dict[str, Any] = {
        "fn_symbol": fields.get("symbol"),
        "decision": fields.get("target"),
        "cache_hit": from_memory(fields) or fields.get("cache") == "l1 hit",
        "rtfs.cache": fields.get("cache"),
        "rtfs.source": fields.get("source"),
        "rtfs.engine": fields.get("engine"),
        "rtfs.place": fields.get("place"),
        "rtfs.path": fields.get("path"),
        "rtfs.kind": fields.get("kind"),
        "rtfs.tenant": fields.get("tenant"),
        "rtfs.attempts": fields.get("attempts"),
        "rtfs.cost_usd": fields.get("cost"),
        "error.type": fields.get("error_kind"),
        "rtfs.code": fields.get("code"),
    }
    if is_request(fields):
        found |= {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": _provider(fields),
            "gen_ai.request.model": fields.get("model"),
            "gen_ai.usage.input_tokens": fields.get("input_tokens"),
            "gen_ai.usage.output_tokens": fields.get("output_tokens"),
        }
    return {name: value for name, value in found.items() if value not in (None, "")}


def _provider(fields: Mapping[str, Any]) -> str:
    return str(fields.get("target") or "").partition(" ")[2]
