"""Failures as rtfs_framework's. In: what the client raised, or a reply that is an error. Out: a `ProviderError`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import attrs

from rtfs_framework.api import (
    FailureKind,
    JsonError,
    ProviderAuthError,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    ReplyRefused,
    load_json,
    one_line,
)
from rtfs_provider_openai.words import code_in, said, status_in

_REFUSED = {401, 403}
_PASSING = {408, 409, 425}
_FILTERED = {"content_filter", "content_policy_violation", "responsible_ai_policy_violation"}
_NOT_TAKEN = {425, 503}
"""The server says that it did nothing with the request."""


@attrs.frozen(slots=True)
class Teller:
    """Says whose failure it is and what to do, in words that hold no secret."""

    provider: str
    variable: str
    """The environment variable of the key, "" when none is sent."""
    strike: Callable[[str], str]

    def words(self, text: str) -> str:
        """Return foreign words fit to be shown: on one line, short, without secrets, nothing invisible."""
        # Twice: a secret must be found before an escape or a cut changes its spelling, and after.
        return self.strike(one_line(self.strike(text)))

    def of(self, error: Exception) -> ProviderError:
        """Return the error to raise for what the client raised."""
        import openai

        if isinstance(error, ProviderError):
            return error
        if isinstance(error, openai.APITimeoutError):
            return ProviderTimeout(self.provider, "no reply in time", failure=_of_connection(error))
        if isinstance(error, openai.APIStatusError):
            return self.of_reply(error.status_code, data_of(error.response.text), error.response)
        inner = _innermost(error)
        if isinstance(error, openai.APIConnectionError) or isinstance(inner, (OSError, OverflowError)):
            because = "" if inner is error else f" ({self._about(inner)})"
            words = f"cannot be reached, or closed the connection{because}"
            return ProviderUnavailable(self.provider, words, failure=_of_connection(error))
        return ProviderError(self.provider, self._about(inner))

    def of_reply(self, status: int, data: Any, response: Any) -> ProviderError:
        """Return the error that a reply tells; `status` is the reply's, or what an error inside a 200 means."""
        words = self.words(said(data)) or f"status {status}, without a reason"
        make: dict[str, Any] = {"status": status}
        if code_in(data) in _FILTERED:
            return ReplyRefused(self.provider, f"the provider's content filter refused the request: {words}", **make)
        if status == 429 and code_in(data) != "insufficient_quota":
            return RateLimited(self.provider, words, retry_after=retry_after(response.headers))
        if status == 429:
            return ProviderError(self.provider, f"the quota is used up: {words}", **make)
        if status in _REFUSED:
            named = f"; check the key in {self.variable}" if self.variable else ""
            return ProviderAuthError(self.provider, f"{words}{named}", **make)
        if status >= 500 or status in _PASSING:
            failure = FailureKind.SAFE if status in _NOT_TAKEN else FailureKind.UNCERTAIN
            wait = retry_after(response.headers)
            return ProviderUnavailable(self.provider, words, failure=failure, retry_after=wait, **make)
        if status == 404:
            return ProviderError(self.provider, f"{words}; check the endpoint and the model's name", **make)
        return ProviderError(self.provider, words, **make)

    def of_answered_error(self, data: Any, response: Any) -> ProviderError:
        """Return the error that stands in a reply of status 200."""
        status = status_in(data)
        if status is not None:
            return self.of_reply(status, data, response)
        return ProviderError(
            self.provider, f"the server answered an error: {self.words(said(data)) or 'without words'}"
        )

    def _about(self, error: BaseException) -> str:
        return self.words(str(error)) or type(error).__name__


def data_of(text: str) -> Any:
    """Return the data of an error's body, or its text."""
    try:
        return load_json(text)
    except JsonError:
        return text


def _of_connection(error: BaseException) -> FailureKind:
    """Tell whether a request whose connection failed was surely never sent: no connection was ever made."""
    import httpx2

    seen: BaseException | None = error
    for _ in range(8):
        if isinstance(seen, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout | ConnectionRefusedError):
            return FailureKind.SAFE
        seen = None if seen is None else seen.__cause__ or seen.__context__
    return FailureKind.UNCERTAIN


def _innermost(error: BaseException) -> BaseException:
    """Return what is behind a group of exceptions and the client's own wrapping."""
    for _ in range(8):
        inner = getattr(error, "exceptions", None)
        behind = inner[0] if inner else error.__cause__
        if behind is None:
            break
        error = behind
    return error


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
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    return max(0.0, wait.total_seconds())
