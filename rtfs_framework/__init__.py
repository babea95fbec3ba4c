"""RTFS programs, and typed Python functions, whose calls go where a host decides: a body, a model, a cache.

    import rtfs_framework as rtfs

    @rtfs.delegated
    def mood(text: str) -> Literal["positive", "negative", "neutral"]:
        '''The mood of a customer's message.'''
        return "negative" if "broke" in text else "neutral"

    mood("It broke after three days.")                       # a model's answer, or that of the body
    rtfs.run("(map inc [1 2 3])", returns=list[int])         # [2, 3, 4]

The names of the front door:

    delegated    a decorator: the calls of a typed function are delegated
    run          run a program in the current session
    Session      a host of one's own: `with Session.open() as session`, `async with` in event loops
    Program      a program that is put together in Python, and formatted
    use          say which session is the current one
    aio          the same words, to be awaited

Errors have a `code`, a `place` and a `help`, and one base, RtfsError:

    LanguageError       a program was refused before it ran
        ConfigError     a configuration was
    ProgramError        a program did not catch an error
        ArgumentError   no program can hold an argument
    LimitError          a run went beyond a limit
    ConversionError     a type or a value does not cross between Python and RTFS
    NoAnswerError       no model answered a function without a body
    PluginError         a plug-in broke
    SessionClosedError  a session or program was closed

What else can be imported from here is for those who embed the kernel itself or judge by its rules (docs/embedding.md).
Importing this is cheap: names are loaded when they are first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing `typing` takes longer than a small program runs
    from rtfs_framework import aio
    from rtfs_framework.api.errors import ConfigError, PluginError
    from rtfs_framework.front.delegated import NoAnswerError, delegated
    from rtfs_framework.front.program import Program
    from rtfs_framework.front.session import Session, run, use
    from rtfs_framework.kernel.instance import Instance
    from rtfs_framework.kernel.loader import compile_source
    from rtfs_framework.kernel.outcome import Complete, HostCall, RequiresHost, RequiresHosts
    from rtfs_framework.kernel.purehost import PureHost
    from rtfs_framework.lang.errors import LanguageError, LimitError, ProgramError, RtfsError
    from rtfs_framework.lang.source import Source
    from rtfs_framework.orchestrator.boundary.answers import HostInterface
    from rtfs_framework.orchestrator.boundary.arguments import ArgumentError
    from rtfs_framework.orchestrator.boundary.misfits import ConversionError
    from rtfs_framework.orchestrator.config.security import Reach, RuntimeContext, SecurityLevel
    from rtfs_framework.orchestrator.deciding.security import Refusal, SecurityAuthorizer
    from rtfs_framework.orchestrator.running.uses import SessionClosedError

__version__ = "0.1.0"

_LAZY = {
    "ConfigError": "rtfs_framework.api.errors",
    "ConversionError": "rtfs_framework.orchestrator.boundary.misfits",
    "LimitError": "rtfs_framework.lang.errors",
    "NoAnswerError": "rtfs_framework.front.delegated",
    "PluginError": "rtfs_framework.api.errors",
    "Program": "rtfs_framework.front.program",
    "RtfsError": "rtfs_framework.lang.errors",
    "delegated": "rtfs_framework.front.delegated",
    "run": "rtfs_framework.front.session",
    "use": "rtfs_framework.front.session",
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
    "Session": "rtfs_framework.front.session",
    "SessionClosedError": "rtfs_framework.orchestrator.running.uses",
    "Source": "rtfs_framework.lang.source",
}

__all__ = [
    "ArgumentError",
    "ConfigError",
    "ConversionError",
    "LanguageError",
    "LimitError",
    "NoAnswerError",
    "PluginError",
    "Program",
    "ProgramError",
    "RtfsError",
    "Session",
    "SessionClosedError",
    "__version__",
    "aio",
    "delegated",
    "run",
    "use",
]
if TYPE_CHECKING:  # for those who embed the kernel: no part of the page that `help` shows
    __all__ += ["Complete", "HostCall", "HostInterface", "Instance", "PureHost", "Reach", "Refusal", "RequiresHost"]
    __all__ += ["RequiresHosts", "RuntimeContext", "SecurityAuthorizer", "SecurityLevel", "Source", "compile_source"]


if not TYPE_CHECKING:  # for checkers, a name that is not above is none

    def __getattr__(name: str) -> object:
        """Load a public name from the module that defines it (PEP 562)."""
        if name == "aio":
            from importlib import import_module

            return import_module("rtfs_framework.aio")
        module = _LAZY.get(name)
        if module is None:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        from importlib import import_module

        value = getattr(import_module(module), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """Return the names of the front door: what `help` and completion show."""
    return sorted(__all__)
