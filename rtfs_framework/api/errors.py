"""Errors that plugins raise and hosts report. A vendor's own exception is the `__cause__`, never what is raised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.errors import InternalError, LanguageError, ProgramError, RtfsError

if TYPE_CHECKING:
    from rtfs_framework.api.provider import Usage
    from rtfs_framework.api.remote import RemoteRun
    from rtfs_framework.lang.values import Value

__all__ = [
    "BadReply",
    "CapabilityError",
    "ConfigError",
    "ContextOverflow",
    "InternalError",
    "LanguageError",
    "PluginError",
    "ProgramError",
    "ProviderAuthError",
    "ProviderDeclined",
    "ProviderError",
    "ProviderRedirected",
    "ProviderTimeout",
    "ProviderUnavailable",
    "RateLimited",
    "RemoteFailed",
    "ReplyRefused",
    "ReplyTooLarge",
    "RtfsError",
]


class PluginError(RtfsError):
    """A plugin that could not be loaded, or that broke its contract. Names the distribution.

    `problem` is what is wrong, `way_out` what to do about it; as a text it is both.
    """

    code = "E0801"

    def __init__(self, distribution: str, message: str, *, code: str | None = None, way_out: str | None = None) -> None:
        self.problem = f"{distribution}: {message}"
        super().__init__(self.problem if way_out is None else f"{self.problem}\n  help: {way_out}")
        self.distribution = distribution
        self.way_out = way_out
        if code is not None:
            self.code = code


class ConfigError(LanguageError):
    """A configuration that was refused; carries diagnostics with file, line and column."""


class CapabilityError(RtfsError):
    """A capability that failed; the program sees kind `Generic`, or `kind` when given (LANGUAGE.md 11.1).

    `failure` says what may be tried after it, where the program's hints ask for that: `SAFE` where surely nothing was
    done, `HERE` where the same call would fail again. `marks` are those of what it tells, or depends on: they count as
    an answer's do (`Described.marks`).
    """

    def __init__(
        self,
        message: str,
        kind: str = "Generic",
        *,
        failure: FailureKind = FailureKind.UNCERTAIN,
        marks: Label = PUBLIC,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.failure = failure
        self.marks = marks


class ProviderError(RtfsError):
    """A model provider that could not answer. `provider` is its id; `failure` says what may be tried after it.

    The program sees `kind` (NetworkError unless a subclass says otherwise), a member of the HostError family.
    """

    code = "E0601"
    kind = "NetworkError"
    failure = FailureKind.HERE

    usage: Usage | None = None
    """Tokens that the failed request took all the same; a host counts and prices them.

    `Usage(0, 0)` says that it took none (it was never sent, say); None that this is not known, nor then what it cost.
    """

    labels: Label = PUBLIC
    """The marks of its words and data, as another host says whose they are: whoever sees the error has them."""

    def __init__(
        self,
        provider: str,
        message: str,
        *,
        status: int | None = None,
        usage: Usage | None = None,
        failure: FailureKind | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Make one; `retry_after` is the seconds for which the server asks to be left alone, None for no word."""
        super().__init__(f"{provider}: {message}")
        self.provider = provider
        self.status = status
        self.usage = usage
        self.retry_after = retry_after
        if failure is not None:
            self.failure = failure

    @property
    def retryable(self) -> bool:
        """Tell programs whether asking again may help."""
        return self.failure in (FailureKind.SAFE, FailureKind.UNCERTAIN)


class ProviderTimeout(ProviderError):
    """No reply within the deadline: the request may have been carried out."""

    code = "E0602"
    failure = FailureKind.UNCERTAIN


class RateLimited(ProviderError):
    """The provider takes no requests for now (429, also inside a 200): it did nothing."""

    code = "E0603"
    failure = FailureKind.SAFE

    def __init__(
        self, provider: str, message: str, *, retry_after: float | None = None, status: int | None = 429
    ) -> None:
        super().__init__(provider, message, status=status, retry_after=retry_after)


class ProviderAuthError(ProviderError):
    """A missing or refused key. The message names the environment variable, never its value."""

    code = "E0604"


class ProviderUnavailable(ProviderError):
    """The provider cannot be reached, closed the connection, or failed on its side (5xx).

    Say `failure=FailureKind.SAFE` where it surely did nothing: the connection was refused, or the status is 503.
    """

    code = "E0605"
    failure = FailureKind.UNCERTAIN


class ProviderRedirected(ProviderError):
    """The provider's server sent the request elsewhere, where it must not go with the arguments and the key."""

    code = "E0608"


class ProviderDeclined(ProviderError):
    """Another RTFS host does not take the request; `elsewhere` are the addresses of hosts that it names instead."""

    code = "E0620"

    elsewhere: tuple[str, ...] = ()

    def __init__(
        self, provider: str, message: str, *, elsewhere: tuple[str, ...] = (), status: int | None = 421
    ) -> None:
        super().__init__(provider, message, status=status)
        self.elsewhere = elsewhere


class RemoteFailed(ProviderError):
    """A program that ran on another RTFS host ended in an error: the program here sees its kind."""

    code = "E0621"

    data: Value = None
    remote: RemoteRun | None = None

    def __init__(
        self, provider: str, message: str, *, kind: str, data: Value = None, remote: RemoteRun | None = None
    ) -> None:
        super().__init__(provider, message, status=422)
        self.kind, self.data, self.remote = kind, data, remote


class ContextOverflow(ProviderError):
    """The request is longer than the model's context has room for. Nothing was computed; a larger context may do."""

    code = "E0616"


class BadReply(ProviderError):
    """The provider answered something that is no valid reply: malformed JSON, or a value of another type.

    `said` is what a model said that did not fit: the host then tells it so and asks once more. Leave it out where
    asking again would not help (refused, cut off), or where no model spoke at all.
    """

    code = "E0606"
    kind = "TypeValidationError"
    failure = FailureKind.REPLY

    def __init__(
        self,
        provider: str,
        message: str,
        *,
        usage: Usage | None = None,
        failure: FailureKind | None = None,
        said: str | None = None,
    ) -> None:
        super().__init__(provider, message, usage=usage, failure=failure)
        self.said = said


class ReplyTooLarge(BadReply):
    """The reply is larger than its bound; what came of it was thrown away."""

    code = "E0607"


class ReplyRefused(ProviderError):
    """The model will not answer, or the provider withholds what it said (a content filter). Another one may answer.

    Programs see the kind of an answer that is no value of the declared type.
    """

    code = "E0615"
    kind = "TypeValidationError"


def config_error(code: str, message: str, **details: object) -> ConfigError:
    """Return a `ConfigError` with one diagnostic; `details` are fields of `Diagnostic`."""
    return ConfigError([Diagnostic(code=code, message=message, kind="ConfigError", **details)])  # type: ignore[arg-type]
