"""rtfs_framework: run RTFS programs and decide where every call that leaves the kernel runs.

Importing the package is cheap: names below are loaded on first use, so `rtfs --help` and `rtfs eval` pay only for
what they touch.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing `typing` takes longer than a small program runs
    from typing import Any

    from rtfs_framework.kernel.instance import Instance
    from rtfs_framework.kernel.loader import compile_source
    from rtfs_framework.kernel.outcome import Complete, HostCall, RequiresHost, RequiresHosts
    from rtfs_framework.kernel.purehost import PureHost
    from rtfs_framework.lang.errors import LanguageError, ProgramError
    from rtfs_framework.lang.source import Source
    from rtfs_framework.orchestrator.boundary.answers import HostInterface
    from rtfs_framework.orchestrator.boundary.arguments import ArgumentError
    from rtfs_framework.orchestrator.config.security import Reach, RuntimeContext, SecurityLevel
    from rtfs_framework.orchestrator.deciding.security import Refusal, SecurityAuthorizer
    from rtfs_framework.orchestrator.running.uses import SessionClosedError
    from rtfs_framework.orchestrator.session import Session

__version__ = "0.1.0"

_LAZY = {
    "ArgumentError": "rtfs_framework.orchestrator.boundary.arguments",
    "compile_source": "rtfs_framework.kernel.loader",
    "LanguageError": "rtfs_framework.lang.errors",
    "ProgramError": "rtfs_framework.lang.errors",
    "Instance": "rtfs_framework.kernel.instance",
    "Complete": "rtfs_framework.kernel.outcome",
    "RequiresHost": "rtfs_framework.kernel.outcome",
    "RequiresHosts": "rtfs_framework.kernel.outcome",
    "HostCall": "rtfs_framework.kernel.outcome",
    "HostInterface": "rtfs_framework.orchestrator.boundary.answers",
    "PureHost": "rtfs_framework.kernel.purehost",
    "SecurityLevel": "rtfs_framework.orchestrator.config.security",
    "Reach": "rtfs_framework.orchestrator.config.security",
    "RuntimeContext": "rtfs_framework.orchestrator.config.security",
    "Refusal": "rtfs_framework.orchestrator.deciding.security",
    "SecurityAuthorizer": "rtfs_framework.orchestrator.deciding.security",
    "Session": "rtfs_framework.orchestrator.session",
    "SessionClosedError": "rtfs_framework.orchestrator.running.uses",
    "Source": "rtfs_framework.lang.source",
}

__all__ = [
    "ArgumentError",
    "Complete",
    "HostCall",
    "HostInterface",
    "Instance",
    "LanguageError",
    "ProgramError",
    "PureHost",
    "Reach",
    "Refusal",
    "RequiresHost",
    "RequiresHosts",
    "RuntimeContext",
    "SecurityAuthorizer",
    "SecurityLevel",
    "Session",
    "SessionClosedError",
    "Source",
    "__version__",
    "compile_source",
]


def __getattr__(name: str) -> Any:
    """Load a public name from the module that defines it (PEP 562)."""
    module = _LAZY.get(name)
    if module is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    value = getattr(import_module(module), name)
    globals()[name] = value
    return value
