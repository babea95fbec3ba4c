"""What a server says of itself, on stderr, by structlog: no body, no token, no value of a program."""

from __future__ import annotations

import sys
import traceback
from typing import Any

import structlog

from rtfs_framework.lang.visible import visible_line

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def make_log(level: str = "info", *, as_json: bool = False) -> Any:
    """Return a logger; `as_json` is for programs that read it."""
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _shown,
            _placed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS.get(level, 20)),
    )


def _placed(_logger: Any, _name: str, event: Any) -> Any:
    """Show where a bug is, and of what kind: neither its words nor variables, for those are of callers."""
    error = event.pop("exc_info", None)
    if isinstance(error, BaseException):
        event["exception"] = "".join((*traceback.format_tb(error.__traceback__), type(error).__name__))
    return event


def _shown(_logger: Any, _name: str, event: Any) -> Any:
    """Show control characters of others."""
    return {name: visible_line(value) if isinstance(value, str) else value for name, value in event.items()}


class Silence:
    """A logger that says nothing."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_, **__: None
