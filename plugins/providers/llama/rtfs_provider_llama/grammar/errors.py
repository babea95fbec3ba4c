"""The errors of this package."""

from __future__ import annotations


class GrammarError(ValueError):
    """A schema that no grammar can say, or that nothing fits; the message says why."""


class NothingFitsError(GrammarError):
    """A schema that no JSON fits."""
