"""A call's argument, read: a URL, or a map of what the request is to be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import attrs

from rtfs_capability_http.headers import checked
from rtfs_capability_http.urls import BadUrl, Url, read_url
from rtfs_framework.api import CapabilityError, FailureKind, Keyword, Map, Value

_KEYS = {Keyword(name): name for name in ("url", "method", "headers", "body", "timeout")}
MOST_SECONDS = 3600.0
SAFE_METHODS = frozenset({"GET", "HEAD"})
"""Those that change nothing (RFC 9110, 9.2.1), so that they may be sent again."""
SENDING = frozenset({"POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@attrs.frozen(slots=True)
class Ask:
    """What a program asks for."""

    url: Url
    method: str
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes | None
    seconds: float
    """Infinite where it does not say."""


def read_ask(argument: Value, methods: frozenset[str], default: str) -> Ask:
    """Return what an argument asks for.

    Raises:
        CapabilityError: It does not say it, or says what is never sent; nothing was done.
    """
    said = {"url": argument} if isinstance(argument, str) else _entries(argument)
    if not isinstance(said.get("url"), str):
        raise _wrong("a request needs a text under :url")
    try:
        url = read_url(said["url"])
    except BadUrl as error:
        raise _wrong(f"the URL {error}", "SecurityViolation") from None
    method = _method(said.get("method"), methods, default)
    body = _body(said.get("body"), method)
    headers = checked(_headers(said.get("headers")))
    return Ask(url, method, headers, body, _seconds(said.get("timeout")))


def _entries(argument: Value) -> dict[str, Any]:
    if not isinstance(argument, Map):
        raise _wrong("the argument must be a URL, or a map with :url")
    found: dict[str, Any] = {}
    for key, value in argument.items():
        name = _KEYS.get(key) if isinstance(key, Keyword) else None
        if name is None:
            raise _wrong("a request has :url, :method, :headers, :body and :timeout, and nothing else")
        found[name] = value
    return found


def _method(said: Any, methods: frozenset[str], default: str) -> str:
    if said is None:
        return default
    name = said.name if isinstance(said, Keyword) else said
    method = name.upper() if isinstance(name, str) and name.isascii() and name.isalpha() else ""
    if method in methods:
        return method
    other = "http.send" if methods is SAFE_METHODS else "http.fetch"
    known = ", ".join(sorted(methods))
    way_out = f"; call {other} for {method}" if method in SAFE_METHODS | SENDING else ""
    raise _wrong(f"the method must be one of {known}{way_out}", "SecurityViolation")


def _body(said: Any, method: str) -> bytes | None:
    if said is None:
        return None
    if not isinstance(said, str):
        raise _wrong("the :body must be a text; write data as JSON (serialize-json)")
    if method not in _WITH_BODY:
        raise _wrong(f"a {method} has no body; call http.send with another method")
    try:
        return said.encode()
    except UnicodeEncodeError:
        raise _wrong("the :body holds half a character, which UTF-8 cannot hold") from None


def _headers(said: Any) -> dict[str, str]:
    if said is None:
        return {}
    if not isinstance(said, Map):
        raise _wrong("the :headers must be a map of texts")
    found: dict[str, str] = {}
    for key, value in said.items():
        name = key.name if isinstance(key, Keyword) else key
        if not isinstance(name, str) or not isinstance(value, str) or name in found:
            raise _wrong("the :headers must be a map of texts, each name once")
        found[name] = value
    return found


def _seconds(said: Any) -> float:
    if said is None:
        return math.inf
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 < said <= MOST_SECONDS:
        raise _wrong(f"the :timeout must be seconds between 0 and {MOST_SECONDS:g}")
    return float(said)


def _wrong(message: str, kind: str = "Generic") -> CapabilityError:
    return CapabilityError(message, kind, failure=FailureKind.FINAL)
