"""Where an offer comes from (`Provenance`), and what is wrong with a plugin (`PluginProblem`).

Codes: E0802 cannot be imported; E0803 hook that is none; E0804 wrong API version; E0805 hook that raised or gave no
records; E0806 name offered twice; E0807 name in RTFS_PLUGINS that is not installed; E0808 name looked up that nobody
offers; E0809 a part that was asked for cannot be made; E0810 something printed on import; E0812 no value of
programs; E0813 permission that is not granted; E0814 permission that is none. E0801 is any other fault.
"""

from __future__ import annotations

import os
from typing import Any

import attrs

from rtfs_framework.api.errors import PluginError
from rtfs_framework.lang.visible import visible_line, visible_message

BROKE = "E0801"
IMPORT = "E0802"
HOOK = "E0803"
VERSION = "E0804"
RECORDS = "E0805"
DUPLICATE = "E0806"
SELECTION = "E0807"
UNKNOWN = "E0808"
UNMADE = "E0809"
PRINTED = "E0810"
NO_VALUE = "E0812"
NOT_ALLOWED = "E0813"
NO_PERMISSION = "E0814"

_MOST_WORDS = 500
"""Characters of a plugin's message that are shown."""

HOST = "rtfs-framework"
"""The distribution that is named when no plugin is at fault."""


@attrs.frozen(slots=True)
class Provenance:
    """Who offers something: distribution, version ("" when unknown) and module."""

    distribution: str
    version: str
    module: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}".rstrip()


@attrs.frozen(slots=True, kw_only=True)
class PluginProblem:
    """A finding about a plugin: `distributions` are those at fault, `help` the way out, `cause` what was raised.

    An error means that something is not there; a warning, that the host went on in another way (the message says how).
    """

    code: str
    message: str
    distributions: tuple[str, ...]
    help: str
    severity: str = "error"
    count: int = 1
    """How often it was met."""
    cause: BaseException | None = attrs.field(default=None, eq=False, repr=False)

    def render(self, severity: str = "") -> str:
        """Return the report for a terminal."""
        head = f"{severity or self.severity}[{self.code}]: {visible_message(self.message)}"
        return f"{head}\n  help: {visible_message(self.help)}"

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON-ready data."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "distributions": list(self.distributions),
            "help": self.help,
            "count": self.count,
        }

    def error(self) -> PluginError:
        """Return the error to raise where somebody asks for what this problem made unusable."""
        named = ", ".join(self.distributions) or HOST
        error = PluginError(named, self.message, code=self.code, way_out=self.help)
        error.__cause__ = self.cause
        return error


def without(provenance: Provenance, first: str) -> str:
    """Return a way out: `first`, or to do without the plugin."""
    return f"{first}, uninstall it, or leave it out by naming the others in RTFS_PLUGINS ({provenance.distribution})"


def describe(error: BaseException) -> str:
    """Return an exception as one line: its class, its first line, and the place that raised it."""
    words = printable(words_of(error).strip().partition("\n")[0])
    text = f"{type(error).__name__}: {words}" if words else type(error).__name__
    traceback = error.__traceback__
    if traceback is None:
        return text
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    file = traceback.tb_frame.f_code.co_filename.replace(os.sep, "/").rpartition("/")[2]
    return f"{text} ({file}:{traceback.tb_lineno})"


def printable(text: str) -> str:
    """Return a plugin's text as it may be shown: bounded, and without anything that moves a cursor."""
    shown = text if len(text) <= _MOST_WORDS else f"{text[:_MOST_WORDS]}..."
    return visible_line(shown)


def words_of(error: BaseException) -> str:
    """Return the message of a plugin's exception; one whose own `__str__` breaks has none."""
    try:
        return str(error)
    except BaseException as broken:
        if type(broken) is KeyboardInterrupt:
            raise
        return ""
