"""What a plug-in of llm raised, as rtfs_framework's errors. In: an exception of any vendor. Out: a `ProviderError`.

Vendors agree on little: a status (`status_code`, of the error or its `response`), and the name of the exception. What
neither tells is final here: nobody knows that asking again would be safe.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from rtfs_framework.api import (
    FailureKind,
    ProviderAuthError,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    one_line,
)

_AUTH, _PASSING, _NOT_TAKEN = {401, 403}, {408, 409, 425}, {425, 503}


@attrs.frozen(slots=True)
class Teller:
    """Says what went wrong, in words that hold no secret."""

    provider: str
    variable: str
    """The environment variable of the key, "" when none is given."""
    strike: Callable[[str], str]

    def of(self, error: BaseException) -> ProviderError:
        """Return the error to raise for what was raised."""
        if isinstance(error, ProviderError):
            return error
        words = self.strike(one_line(self.strike(str(error)))) or type(error).__name__
        status = _status(error)
        if status is not None:
            return self._of_status(status, words, error)
        name = " ".join(each.__name__ for each in type(error).__mro__).lower()
        if "needskey" in name:
            return ProviderAuthError(self.provider, words)
        if "timeout" in name:
            return ProviderTimeout(self.provider, words)
        if isinstance(error, OSError) or "connect" in name or "networkerror" in name:
            return ProviderUnavailable(self.provider, words)
        return ProviderError(self.provider, words)

    def _of_status(self, status: int, words: str, error: BaseException) -> ProviderError:
        wait = _retry_after(error)
        if status == 429:
            return RateLimited(self.provider, words, retry_after=wait)
        if status in _AUTH:
            named = f"; check the key in {self.variable}" if self.variable else ""
            return ProviderAuthError(self.provider, f"{words}{named}", status=status)
        if status >= 500 or status in _PASSING:
            failure = FailureKind.SAFE if status in _NOT_TAKEN else FailureKind.UNCERTAIN
            return ProviderUnavailable(self.provider, words, status=status, failure=failure, retry_after=wait)
        return ProviderError(self.provider, words, status=status)


def _status(error: BaseException) -> int | None:
    """Return the HTTP status that an exception, or one behind it, tells."""
    seen: BaseException | None = error
    for _ in range(8):
        if seen is None:
            break
        for holder in (seen, getattr(seen, "response", None)):
            for name in ("status_code", "code", "status"):
                found = getattr(holder, name, None)
                if found.__class__ is int and 400 <= found < 600:
                    return int(found)
        seen = seen.__cause__
    return None


def _retry_after(error: BaseException) -> float | None:
    headers: Any = getattr(getattr(error, "response", None), "headers", None)
    try:
        seconds = float(headers.get("retry-after", ""))
    except (AttributeError, TypeError, ValueError):
        return None
    return seconds if 0 <= seconds < float("inf") else None
