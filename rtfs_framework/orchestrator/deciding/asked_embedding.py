"""Vectors from a model that is asked: a target of the host whose provider makes them, on this device or elsewhere.

Nothing is sent for a read that can be answered: a decision that needs vectors which are not there waits, as for a
consultation, and the host asks: billed, guarded, judged by labels, reach and budgets, written down. Where no vectors
come of it, engines read None.

In: texts, and what answers questions. Out: the vectors; `Wanted`, the question that must be asked first; or None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from rtfs_framework.api.errors import ProviderError
from rtfs_framework.api.targets import LocalModel, RemoteModel
from rtfs_framework.orchestrator.deciding.facts import VECTORS, Question, Wanted
from rtfs_framework.registry.faults import PluginFault

Answers = Callable[[Question], "tuple[str | None] | None"]
Vectors = tuple[tuple[float, ...], ...]


@attrs.frozen(slots=True, eq=False)
class AskedEmbedder:
    """A model that makes vectors."""

    target: LocalModel | RemoteModel
    identity: Callable[[], str]
    """Its provider's fingerprint: endpoint, model, version."""

    def fingerprint(self) -> str | None:
        """Return who makes the vectors, None where the provider cannot be made: asking it says why."""
        try:
            return self.identity()
        except (PluginFault, ProviderError):
            return None

    def vectors(self, texts: Sequence[str], answers: Answers) -> Vectors | Wanted | None:
        """Return the vectors of some texts, the question that must be asked for them, or None where none came."""
        from rtfs_framework.orchestrator.deciding.vector_text import read_vectors, write_texts

        question = Question(self.target, write_texts(texts), VECTORS)
        answer = answers(question)
        if answer is None:
            return Wanted(question)
        return None if answer[0] is None else read_vectors(answer[0], len(texts))
