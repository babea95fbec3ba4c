"""Answers that are errors, as rtfs_framework's. In: status, headers and body. Out: the `ProviderError` of its kind.

| status | failure |
|---|---|
| 401, 403 | here: the token, or a rule of the host |
| 408 | final: the call's time is over; here: that which the host gives a request is; safe: it never arrived |
| 409, 400, 404, 413, 415 | here: this request is none that the host takes |
| 421, 508 | here, and where to: it declines, or has seen the request before |
| 422 | here: the program failed there; the program here sees its kind |
| 429, 503 | safe: nothing was done, and it says when to come again |
| other 5xx | uncertain: repeatable, because the request has a key |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtfs_framework.api import (
    FailureKind,
    JsonError,
    Keyword,
    LanguageError,
    Map,
    ProviderAuthError,
    ProviderDeclined,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    RemoteFailed,
    load_json,
    one_line,
    read_value,
)
from rtfs_provider_remote_rtfs.client import Answer
from rtfs_provider_remote_rtfs.wire import marks_of

NO_TARGET = "NoTarget"
_MOST_KIND = 100
_MOST_ELSEWHERE = 16
_NETWORK = "NetworkError"
_OVERDUE = {"TooLong": FailureKind.HERE, "TooSlow": FailureKind.SAFE}
"""By the kind of the error: whose time is over."""
_KIND, _MESSAGE, _DATA = Keyword("kind"), Keyword("message"), Keyword("data")


def failure_of(answer: Answer, provider: str, variable: str | None) -> ProviderError:
    """Return the error that an answer tells, with its marks; `variable` is the environment variable of the token."""
    table = _table(answer.body)
    failed = _failure(answer, table, provider, variable)
    failed.labels = marks_of(table)
    return failed


def _failure(answer: Answer, table: Mapping[str, Any], provider: str, variable: str | None) -> ProviderError:
    status = answer.status
    words = one_line(str(table.get("message") or "")) or f"status {status}, without a reason"
    if status in (401, 403):
        named = f"; check the token in {variable}" if status == 401 and variable else ""
        if status == 401 and not variable:
            named = "; name the environment variable of your token: token_env"
        return ProviderAuthError(provider, f"{words}{named}", status=status)
    if status == 408:
        return ProviderTimeout(
            provider, words, status=status, failure=_OVERDUE.get(str(table.get("kind")), FailureKind.FINAL)
        )
    if status in (421, 508):
        return ProviderDeclined(provider, words, elsewhere=_elsewhere(table), status=status)
    if status == 422:
        return _thrown(table, provider, words)
    if status == 429:
        return RateLimited(provider, words, retry_after=_wait(answer, table))
    if status == 503:
        wait = _wait(answer, table)
        return ProviderUnavailable(provider, words, status=status, failure=FailureKind.SAFE, retry_after=wait)
    if status >= 500:
        return ProviderUnavailable(provider, words, status=status, failure=FailureKind.UNCERTAIN)
    if status == 404:
        words = f"{words}; check the endpoint"
    return ProviderError(provider, words, status=status)


def _table(body: bytes) -> Mapping[str, Any]:
    try:
        found = load_json(body.decode())
    except (JsonError, UnicodeDecodeError):
        return {}
    inner = found.get("error") if isinstance(found, dict) else None
    return inner if isinstance(inner, dict) else {}


def _elsewhere(table: Mapping[str, Any]) -> tuple[str, ...]:
    found = table.get("elsewhere")
    return tuple(each for each in found if isinstance(each, str))[:_MOST_ELSEWHERE] if isinstance(found, list) else ()


def _thrown(table: Mapping[str, Any], provider: str, words: str) -> ProviderError:
    """Return the error in which a program ended there; that no target takes a function is a refusal of the host."""
    kind, data = str(table.get("kind") or ""), None
    text = table.get("thrown")
    if isinstance(text, str):
        try:
            value = read_value(text, f"<error of {provider}>")
        except (LanguageError, RecursionError):
            value = None
        if isinstance(value, Map):
            kind = str(value.get(_KIND) or kind)
            words = one_line(str(value.get(_MESSAGE) or words))
            data = value.get(_DATA)
    if kind == NO_TARGET:
        return ProviderDeclined(provider, words, status=422)
    kind = kind if 0 < len(kind) <= _MOST_KIND and kind.isprintable() else _NETWORK
    return RemoteFailed(provider, words, kind=kind, data=data)


def _wait(answer: Answer, table: Mapping[str, Any]) -> float | None:
    """Return the seconds that a host asks to be left alone."""
    for found in (table.get("retry_after"), answer.headers.get("retry-after")):
        try:
            seconds = float(found) if found is not None else -1.0
        except (TypeError, ValueError):
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    return None
