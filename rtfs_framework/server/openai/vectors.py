"""Vectors of texts, by the embedder that the configuration names; what it takes is bounded by the request's body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rtfs_framework.orchestrator.config.serve import EMBED
from rtfs_framework.orchestrator.deciding.asked_embedding import AskedEmbedder
from rtfs_framework.server.openai.errors import NO_MODEL, BadBody
from rtfs_framework.server.openai.models import find
from rtfs_framework.server.problems import FAILED, Problem

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.session import Session


def vectors(session: Session, model: str, texts: Sequence[str]) -> list[tuple[float, ...]]:
    """Return a vector for each text. Computes: call it in a thread.

    Raises:
        Problem: No embedder is configured, or it cannot answer; the model is no embedder.
    """
    spec, held = session.host.config.embedder, session.host.dispatcher.delegator.embedder
    if spec is None or held is None:
        message = 'no embedder is configured; add  embedder = "wordllama"  under [delegation]'
        raise BadBody(message, "model", code=NO_MODEL, status=404)
    if model != spec.name and find(session, model).function != EMBED:
        known = f"write '{EMBED}' or '{spec.name}'"
        raise BadBody(f"the model '{model:.100}' makes no vectors; {known}", "model", code=NO_MODEL, status=404)
    if isinstance(
        held, AskedEmbedder
    ):  # what a client sends may carry marks, and only a call of its own is held to them
        message = f"'{spec.name}' makes vectors for decisions alone; configure an embedder that runs on this machine"
        raise BadBody(message, "model", code=NO_MODEL, status=404)
    found = [held.vector(text) for text in texts]
    made = [each[1] for each in found if each is not None]
    if len(made) != len(texts):
        raise Problem(502, FAILED, f"the embedder '{spec.name}' could not answer; the server's log says why")
    return made
