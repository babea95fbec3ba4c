"""What the settings may hold: checks for attrs, whose messages begin with the key's name and say the way out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from rtfs_framework.api import http_url

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SECRET = re.compile(r"auth|key|token|secret|cookie|password|credential", re.IGNORECASE)
"""How headers are called that carry what nobody else should know."""
_OURS = frozenset(
    {"host", "accept", "accept-encoding", "content-type", "content-length", "content-encoding", "transfer-encoding"}
    | {"connection", "te", "trailer", "upgrade", "expect", "keep-alive", "user-agent"}
)
"""Headers that a request cannot do without, or that would change what it is."""
_WRITTEN = {
    "model": "model",
    "max_tokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "temperature": "temperature",
    "response_format": "structured",
}
"""Parameters that have a setting of their own."""
_NEVER = frozenset({"messages", "stream", "stream_options", "tools", "tool_choice", "functions", "function_call", "n"})
_MOST_ROUTES = 64


def filled(_: Any, attribute: Any, value: str) -> None:
    """Refuse an empty text."""
    if not value.strip():
        raise ValueError(f"'{attribute.name}' must not be empty")


def check_addresses(instance: Any, attribute: Any, value: str | tuple[str, ...] | None) -> None:
    """Refuse what is no base URL."""
    if not isinstance(value, tuple):
        http_url(instance, attribute, value)
        return
    if not 0 < len(value) <= _MOST_ROUTES:
        raise ValueError(f"'{attribute.name}' must name 1 to {_MOST_ROUTES} addresses")
    for each in value:
        http_url(instance, attribute, each)


def check_variables(instance: Any, attribute: Any, value: str | tuple[str, ...] | None) -> None:
    """Refuse what is no name of a variable, and keys that fit no endpoints."""
    names = value if isinstance(value, tuple) else (value,)
    if not 0 < len(names) <= _MOST_ROUTES:
        raise ValueError(f"'{attribute.name}' must name 1 to {_MOST_ROUTES} variables")
    for each in names:
        _check_variable(attribute.name, each)
    urls = instance.endpoint if isinstance(instance.endpoint, tuple) else (instance.endpoint,)
    if len(names) != len(urls) and 1 not in (len(names), len(urls)):
        message = f"'{attribute.name}' must name one variable, or one for each of the {len(urls)} endpoints"
        raise ValueError(message)


def check_headers(_: Any, attribute: Any, value: Mapping[str, str]) -> None:
    """Refuse headers that cannot be sent, that requests need themselves, and those that carry secrets."""
    for name, text in value.items():
        _check_name(attribute.name, name)
        if _SECRET.search(name):
            message = f"'{attribute.name}' must hold no secret: name the variable of {name!r} in headers_env"
            raise ValueError(message)
        if not text.isascii() or not text.isprintable():
            raise ValueError(f"'{attribute.name}' holds a value for {name!r} that cannot stand in a header")


def check_header_variables(_: Any, attribute: Any, value: Mapping[str, str]) -> None:
    """Refuse headers that cannot be sent, and what is no name of a variable."""
    for name, variable in value.items():
        _check_name(attribute.name, name)
        if not variable:
            raise ValueError(f"'{attribute.name}' names no variable for {name!r}")
        _check_variable(attribute.name, variable)


def check_body(_: Any, attribute: Any, value: Mapping[str, Any]) -> None:
    """Refuse parameters that are written by the provider itself, and what JSON cannot hold."""
    for name in value:
        if name in _WRITTEN:
            raise ValueError(f"'{attribute.name}' must not hold {name!r}: there is a key for it, '{_WRITTEN[name]}'")
        if name in _NEVER:
            raise ValueError(f"'{attribute.name}' must not hold {name!r}: that is the request itself")
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError(f"'{attribute.name}' holds what JSON cannot hold, such as a date") from None


def _check_name(key: str, name: str) -> None:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"'{key}' holds {name[:40]!r}, which is no name of a header")
    if name.lower() in _OURS:
        raise ValueError(f"'{key}' must not hold {name!r}: requests have their own")


def _check_variable(key: str, value: str | None) -> None:
    if value and not value.isidentifier():
        raise ValueError(f"'{key}' must be the name of an environment variable, never a key")
