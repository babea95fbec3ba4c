"""Failures of hosts, providers and capabilities as errors that a program can catch (the HostError family)."""

from __future__ import annotations

from typing import Any

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.errors import CapabilityError, PluginError, ProviderError
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.lang.errors import ProgramError, RtfsError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword
from rtfs_framework.registry.absent import distribution_of
from rtfs_framework.registry.problems import describe

PLUGIN_BROKE = "E0801"
UNKNOWN_CAPABILITY = "E0711"
UNKNOWN_TARGET = "E0712"
LATE = "E0602"


class RefusedError(RtfsError):
    """A guard of the host refused a request before anything was sent. `guard` is its name, as records say it.

    `kind` and `code` are what the program sees, if nothing else answers; `failure` is `REFUSED` where another target
    may be tried, `FINAL` where nothing may.
    """

    def __init__(
        self,
        guard: str,
        reason: str,
        way_out: str,
        *,
        kind: str = "SecurityViolation",
        code: str = "E0609",
        failure: FailureKind = FailureKind.REFUSED,
        retry_after: float | None = None,
        until: float | None = None,
    ) -> None:
        """Make one; `retry_after` is in how many seconds the guard would let it pass, None for no word.

        `until`, in seconds since the epoch, says that the run may wait for that; None that it may not.
        """
        super().__init__(f"{reason}; {way_out}")
        self.guard, self.reason, self.way_out = guard, reason, way_out
        self.kind, self.code, self.failure, self.retry_after = kind, code, failure, retry_after
        self.until = until


def as_program_error(error: Exception, what: str) -> ProgramError:
    """Return what the program sees; `what` names who failed, for errors that no contract foresees."""
    match error:
        case ProgramError():
            return error
        case PluginError():
            return _coded("NetworkError", error.problem, error.code, {})
        case ProviderError():
            facts: dict[str, Any] = {"provider": error.provider, "retryable": error.retryable}
            if error.status is not None:
                facts["status"] = error.status
            if error.retry_after is not None:
                facts["retry-after"] = float(error.retry_after)
            return _coded(error.kind, str(error), error.code, facts)
        case RefusedError():
            return _coded(error.kind, f"Refused by {error.guard}: {error}", error.code, {"guard": error.guard})
        case CapabilityError():
            return _coded(error.kind, f"{what}: {error}", "E0713", {})
        case _:
            return _coded("NetworkError", f"{what} broke: {describe(error)}", PLUGIN_BROKE, {})


def unknown_capability(name: str, known: list[str]) -> ProgramError:
    """`Unknown capability: X`, with the nearest one that is offered."""
    near, of_ours = did_you_mean(name, known), distribution_of(name)
    install = "" if of_ours is None else f"pip install {of_ours}, if it is missing"
    hint = near or f"no plugin offers it ({install or '`rtfs plugins` lists what is installed'})"
    also = f" ({install})" if near and install else ""
    return _coded("UnknownCapability", f"Unknown capability: {name}; {hint}{also}", UNKNOWN_CAPABILITY, {})


def unknown_target(reason: str) -> ProgramError:
    """Return the error of a hint that names nothing."""
    return _coded("UnknownCapability", f"Unknown target: {reason}", UNKNOWN_TARGET, {})


def late() -> ProgramError:
    """Return the error of a call whose time is over."""
    return _coded("NetworkError", "the call's time is over", LATE, {})


def code_of(error: ProgramError) -> str:
    """Return the stable code that an error carries, or ""."""
    data = error.value.data
    found = data.get(Keyword("code"), "") if isinstance(data, Map) else ""
    return found if isinstance(found, str) else ""


def _coded(kind: str, message: str, code: str, facts: dict[str, Any]) -> ProgramError:
    data = Map.wrap({Keyword(name): value for name, value in {"code": code, **facts}.items()})
    return ProgramError(kind, message, data)
