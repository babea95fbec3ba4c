"""What a server says went wrong. In: the data of a reply. Out: its words, and the status that it means.

Compatible servers put the reason under `error` (an object or a text), `message`, `detail` (a text, or a list as
validators write it), with any status, 200 included.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_REASONS = ("error", "errors", "message", "msg", "detail", "details", "error_description", "reason", "title")
_CODES = ("code", "status", "status_code", "type")
_MEANT = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "rate_limited": 429,
    "too_many_requests": 429,
    "resource_exhausted": 429,
    "insufficient_quota": 429,
    "overloaded_error": 503,
    "server_error": 500,
    "internal_server_error": 500,
    "service_unavailable": 503,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "permission_error": 403,
    "model_not_found": 404,
    "not_found_error": 404,
    "invalid_request_error": 400,
}
_SPOKEN = {"rate limit": 429, "rate-limit": 429, "too many requests": 429}
_DEEPEST, _MOST = 4, 3


def reason_in(data: Any) -> Any:
    """Return what a reply that should hold an answer names as its error, None when it names none."""
    if not isinstance(data, Mapping):
        return None
    error = data.get("error")
    if error:
        return data
    choices = data.get("choices")
    if isinstance(choices, list) and choices:
        first = choices[0]
        return first if isinstance(first, Mapping) and first.get("error") else None
    return data if any(data.get(name) for name in _REASONS) else None


def said(data: Any, depth: int = 0) -> str:
    """Return a server's own words, "" when there are none."""
    if isinstance(data, str):
        return data
    if depth >= _DEEPEST:
        return ""
    if isinstance(data, list):
        return "; ".join(filter(None, (said(each, depth + 1) for each in data[:_MOST])))
    if not isinstance(data, Mapping):
        return ""
    place = data.get("loc")
    where = f"{'.'.join(map(str, place[:8]))}: " if isinstance(place, list) and place else ""
    for name in _REASONS:
        words = said(data.get(name), depth + 1)
        if words:
            return where + words
    return ""


def status_in(data: Any) -> int | None:
    """Return the HTTP status that an error inside a reply means, None when it names none."""
    inner = data.get("error") if isinstance(data, Mapping) else None
    for place in (inner, data):
        if isinstance(place, Mapping):
            found = next(filter(None, (_status(place.get(name)) for name in _CODES)), None)
            if found is not None:
                return found
    spoken = said(data).lower()
    return next((status for words, status in _SPOKEN.items() if words in spoken), None)


def code_in(data: Any) -> str:
    """Return the code that an error names, such as "insufficient_quota", or ""."""
    error = data.get("error") if isinstance(data, Mapping) else None
    found = error.get("code") or error.get("type") if isinstance(error, Mapping) else None
    return found if isinstance(found, str) else ""


def param_in(data: Any) -> str:
    """Return the parameter that an error names, or ""."""
    error = data.get("error") if isinstance(data, Mapping) else None
    found = error.get("param") if isinstance(error, Mapping) else None
    return found if isinstance(found, str) else ""


def _status(found: Any) -> int | None:
    if isinstance(found, str):
        found = int(found) if found.isascii() and found.isdigit() and len(found) == 3 else _MEANT.get(found.lower())
    return found if found.__class__ is int and 400 <= found < 600 else None
