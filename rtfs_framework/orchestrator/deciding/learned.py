"""What decisions may know of the past: learned state and outcomes, each with the version that was published last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from rtfs_framework.api.learning import Stats
    from rtfs_framework.api.targets import ExecTarget


class Learned(Protocol):
    """Knows what was learned. A version stands for a value: equal versions, equal values."""

    def state(self, engine: str, cell: str) -> tuple[int, Any]:
        """Return one cell of an engine's own state, by the engine's name in the configuration; None for no cell."""
        ...

    def stats(self, symbol: str, target: ExecTarget) -> tuple[int, Stats | None]:
        """Return how calls of a function at a target ended so far; None for none."""
        ...


class _Nothing:
    """Where nobody learns."""

    def state(self, engine: str, cell: str) -> tuple[int, Any]:  # noqa: ARG002 - there is none
        """Return nothing, for good."""
        return 0, None

    def stats(self, symbol: str, target: ExecTarget) -> tuple[int, Stats | None]:  # noqa: ARG002 - there are none
        """Return nothing, for good."""
        return 0, None


NOTHING_LEARNED: Final = _Nothing()
