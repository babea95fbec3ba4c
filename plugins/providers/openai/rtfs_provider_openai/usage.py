"""What a completion says that it took. In: its data. Out: the tokens, and what is odd about the account."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rtfs_framework.api import Usage, token_count

_UNKNOWN = "and was not taken: what this call took and cost is not known"


def usage_of(data: Any) -> tuple[Usage, tuple[str, ...]]:
    """Return the tokens that a reply says it took, and what is odd about them. What is no count is not known."""
    found = data.get("usage") if isinstance(data, Mapping) else None
    if not isinstance(found, Mapping):
        return Usage(), () if found is None else (f"the server's account of tokens is no object {_UNKNOWN}",)
    counts: list[int | None] = []
    problems = []
    for name in ("prompt_tokens", "completion_tokens"):
        count = token_count(found.get(name))
        counts.append(count)
        if count is None and found.get(name) is not None:
            problems.append(f"the server's count of {name} is no number of tokens {_UNKNOWN}")
    details = found.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, Mapping) else found.get("prompt_cache_hit_tokens")
    counts.append(token_count(cached))
    return Usage(*counts), tuple(problems)


def salvaged(text: str) -> Usage:
    """Return the account in a body that is refused for a number or a character in it."""
    try:
        return usage_of(json.loads(text))[0]
    except (ValueError, RecursionError):
        return Usage()
