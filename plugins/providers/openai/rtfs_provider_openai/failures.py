"""The vendor's exceptions as rtfs_framework's. In: what the client raised. Out: a `ProviderError` of the right kind."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from rtfs_framework.api import (
    BadReply,
    ProviderAuthError,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFUSED = {401, 403}
_PASSING = {408, 409, 425}
_LONGEST = 300


def failure(error: Exception, provider: str, key: str, variable: str) -> ProviderError:
    """Return the error to raise; the key is struck out of whatever the vendor says."""
    import openai

    words = _words(error, key)
    if isinstance(error, openai.APITimeoutError):
        return ProviderTimeout(provider, "no reply in time")
    if isinstance(error, openai.APIResponseValidationError):
        return BadReply(provider, f"the reply is no chat completion: {words}")
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, provider, words, variable)
    if isinstance(error, openai.APIConnectionError):
        because = f" ({_words(error.__cause__, key)})" if error.__cause__ is not None else ""
        return ProviderUnavailable(provider, f"cannot be reached, or closed the connection{because}")
    if isinstance(error, (ValueError, RecursionError)):
        return BadReply(provider, f"the reply is no valid JSON: {words}")
    return ProviderError(provider, words)


def _of_status(error: Any, provider: str, words: str, variable: str) -> ProviderError:
    status = int(error.status_code)
    if status == 429:
        if getattr(error, "code", None) == "insufficient_quota":
            return ProviderError(provider, f"the quota is used up: {words}", status=status)
        return RateLimited(provider, words, retry_after=retry_after(error.response.headers))
    if status in _REFUSED:
        named = f"; check the key in {variable}" if variable else ""
        return ProviderAuthError(provider, f"{words}{named}", status=status)
    if status >= 500 or status in _PASSING:
        return ProviderUnavailable(provider, words, status=status)
    if status == 404:
        return ProviderError(provider, f"{words}; check the endpoint and the model's name", status=status)
    return ProviderError(provider, words, status=status)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks to wait, None when it does not say. A date counts from the server's own."""
    for name, divisor in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "")) / divisor
        except ValueError:
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    try:
        wait = parsedate_to_datetime(headers["retry-after"]) - parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError, TypeError):
        return None
    return max(0.0, wait.total_seconds())


def _words(error: BaseException, key: str) -> str:
    """Return what an error says, on one line and without the key."""
    text = " ".join(str(error).split()) or type(error).__name__
    if key:
        text = text.replace(key, "***")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
