"""What decisions may know of the past: learned state, outcomes and experience, each in the version published last."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from rtfs_framework.api.experience import Experience, Situation
    from rtfs_framework.api.learning import Stats
    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.orchestrator.deciding.facts import AnyEmbedder

Experiences = tuple["Experience", ...]


class Learned(Protocol):
    """Knows what was learned. A version stands for a value: equal versions, equal values."""

    @property
    def experienced(self) -> bool:
        """Whether a layer of level L3 is on."""
        ...

    def state(self, engine: str, cell: str) -> tuple[int, Any]:
        """Return one cell of an engine's own state, by the engine's name in the configuration; None for no cell."""
        ...

    def stats(self, symbol: str, target: ExecTarget) -> tuple[int, Stats | None]:
        """Return how calls of a function at a target ended so far; None for none."""
        ...

    def experience(
        self, situation: Situation, most: int, embedder: AnyEmbedder | None
    ) -> tuple[Hashable, Experiences] | None:
        """Return the experiences nearest to a situation, and which version that is; None where the layer fails."""
        ...

    def recall(
        self, cells: Mapping[str, Any], gone: int, situation: Situation, most: int, embedder: AnyEmbedder | None
    ) -> Experiences | None:
        """Return the experiences that were nearest when these cells were published, and the `gone` oldest over."""
        ...


class NoExperience:
    """Where no layer of level L3 is on."""

    __slots__ = ()

    @property
    def experienced(self) -> bool:
        """None is."""
        return False

    def experience(
        self,
        situation: Situation,  # noqa: ARG002 - there is none
        most: int,  # noqa: ARG002
        embedder: AnyEmbedder | None,  # noqa: ARG002
    ) -> tuple[Hashable, Experiences] | None:
        """Return nothing, for good."""
        return 0, ()

    def recall(
        self,
        cells: Mapping[str, Any],  # noqa: ARG002 - nobody reads them
        gone: int,  # noqa: ARG002
        situation: Situation,  # noqa: ARG002
        most: int,  # noqa: ARG002
        embedder: AnyEmbedder | None,  # noqa: ARG002
    ) -> Experiences | None:
        """Return nothing, for good."""
        return ()


class _Nothing(NoExperience):
    """Where nobody learns."""

    def state(self, engine: str, cell: str) -> tuple[int, Any]:  # noqa: ARG002 - there is none
        """Return nothing, for good."""
        return 0, None

    def stats(self, symbol: str, target: ExecTarget) -> tuple[int, Stats | None]:  # noqa: ARG002 - there are none
        """Return nothing, for good."""
        return 0, None


NOTHING_LEARNED: Final = _Nothing()
