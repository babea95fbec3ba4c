"""Rules of redaction, as plug-ins see them: their names, and what finds personal data in a text.

A distribution that has recognizers has an entry point `recognizers` in the group `rtfs_framework_data`. It names a
module with `rtfs_api_version` and a function `recognizers() -> Mapping[str, Recognizer]`; what a recognizer needs is
imported when it is first asked. A host loads the module where a rule names a recognizer, and never otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class RuleText(str):
    """The name of a rule of `[redaction]`, as a plan's `transform` says it.

    Field type of a plug-in's settings: the host refuses a name that no rule bears, with its place.
    """

    __slots__ = ()


class Recognizer(Protocol):
    """Finds one kind of personal data. Pure: equal texts give equal places, in time linear in the text."""

    def fingerprint(self) -> str:
        """Return what tells it from others: the library that it asks, and its version.

        Raises:
            ImportError: That library is not installed; the message says how to install it.
        """
        ...

    def find(self, text: str) -> Iterable[tuple[int, int]]:
        """Yield where it stands: begin and end, in characters, in order and without overlap."""
        ...
