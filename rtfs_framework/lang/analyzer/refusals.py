"""Several mistakes at once: what is refused in one part of a form must not hide what is wrong with the next part.

A form whose parts stand side by side analyzes each of them, keeps what was refused, and raises it all together.
"""

from __future__ import annotations

from rtfs_framework.lang.diagnostics import MOST, Diagnostic
from rtfs_framework.lang.errors import LanguageError

_FINAL = frozenset({"E0107", "E0211"})
"""After these, what follows would only be refused for the same reason."""


class Refusals:
    """What was refused so far."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []

    def take(self, error: LanguageError) -> None:
        """Keep an error.

        Raises:
            LanguageError: there is no point in going on.
        """
        self.found += (each for each in error.diagnostics if each not in self.found)
        if len(self.found) > MOST or any(each.code in _FINAL for each in error.diagnostics):
            raise LanguageError(self.found)

    def settle(self) -> None:
        """Raise what was kept, if anything was.

        Raises:
            LanguageError: with everything that was kept.
        """
        if self.found:
            raise LanguageError(self.found)
