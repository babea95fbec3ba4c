"""Failures of hosts, providers and capabilities as errors that a program can catch (the HostError family)."""

from __future__ import annotations

from typing import Any

from rtfs_framework.api.errors import CapabilityError, PluginError, ProviderError
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword
from rtfs_framework.registry.problems import describe

PLUGIN_BROKE = "E0801"
UNKNOWN_CAPABILITY = "E0711"
UNKNOWN_TARGET = "E0712"


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
            retry_after = getattr(error, "retry_after", None)
            if retry_after is not None:
                facts["retry-after"] = float(retry_after)
            return _coded(error.kind, str(error), error.code, facts)
        case PluginError():
            return _coded("NetworkError", str(error).partition("\n")[0], error.code, {})
        case CapabilityError():
            return _coded(error.kind, f"{what}: {error}", "E0713", {})
        case _:
            return _coded("NetworkError", f"{what} broke: {describe(error)}", PLUGIN_BROKE, {})


def unknown_capability(name: str, known: list[str]) -> ProgramError:
    """`Unknown capability: X`, with the nearest one that is offered."""
    near = did_you_mean(name, known)
    hint = f"; {near}" if near else "; no plugin offers it (`rtfs plugins` lists what is installed)"
    return _coded("UnknownCapability", f"Unknown capability: {name}{hint}", UNKNOWN_CAPABILITY, {})


def unknown_target(reason: str) -> ProgramError:
    """Return the error of a hint that names nothing."""
    return _coded("UnknownCapability", f"Unknown target: {reason}", UNKNOWN_TARGET, {})


def not_supported(what: str) -> ProgramError:
    """`Not implemented: ...` for targets that this host cannot serve."""
    return _coded("NotImplemented", f"Not implemented: {what}", "E0714", {})


def code_of(error: ProgramError) -> str:
    """Return the stable code that an error carries, or ""."""
    data = error.value.data
    found = data.get(Keyword("code"), "") if isinstance(data, Map) else ""
    return found if isinstance(found, str) else ""


def _coded(kind: str, message: str, code: str, facts: dict[str, Any]) -> ProgramError:
    data = Map.wrap({Keyword(name): value for name, value in {"code": code, **facts}.items()})
    return ProgramError(kind, message, data)
