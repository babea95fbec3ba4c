"""Run a program text without a host: the shortest way from text to value, for tests and examples."""

from __future__ import annotations

from typing import Any

from rtfs_framework.kernel.loader import run_pure


def run_source(text: str) -> Any:
    """Return the value of a program.

    Raises:
        LanguageError: the program is refused.
        ProgramError: it fails, or asks a host for something.
    """
    return run_pure(text)
