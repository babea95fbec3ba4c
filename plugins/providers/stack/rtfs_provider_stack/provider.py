"""The provider: a request's text in, the label that the fitted model makes of it and of its members' answers out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rtfs_framework.api import (
    FailureKind,
    InferenceReply,
    InferenceRequest,
    Keyword,
    ProviderError,
    ProviderSettings,
    digest,
)
from rtfs_framework.api.fitting import NO_MODEL, FileError
from rtfs_provider_stack.model import Said, VectorView, load_model


class StackProvider:
    """Answers by one fitted model, read when the provider is made."""

    def __init__(self, settings: ProviderSettings) -> None:
        """Read the model.

        Raises:
            FileError: There is none, it is damaged, or it was fitted to other members.
        """
        own = settings.own
        self.id = settings.id
        path = Path(settings.directory or "", own.model)
        self._model = load_model(path)
        self._members = {bare(name): member for name, member in settings.members.items()}
        self._argument: str | None = own.argument
        self._name = f"stack:{own.model}"
        self._vector = settings.vector
        if self._model.vectors is not None and self._vector is None:
            way_out = "name it: `embedder` under [delegation] (see `rtfs plugins`), or fit the stack without --vectors"
            problem = "it was fitted to an embedder's vectors, and none of this machine is configured"
            raise FileError(NO_MODEL, problem, way_out, str(path))
        if set(self._model.members) != set(self._members):
            wanted, given = (", ".join(sorted(each)) or "none" for each in (self._model.members, self._members))
            names = ", ".join(f'"local-{name}"' for name in self._model.members)
            way_out = f"write members = [{names}], or fit it again"
            raise FileError(NO_MODEL, f"it was fitted to the members {wanted}, and has: {given}", way_out, str(path))

    def fingerprint(self) -> str:
        """Return the digest of the model, the settings, and the members' own fingerprints."""
        below = tuple((name, self._members[name].fingerprint()) for name in self._model.members)
        return digest("stack", self._model.digest, self._argument, below)

    async def infer(self, request: InferenceRequest) -> InferenceReply:
        """Return the most probable label; the members are asked at once.

        Raises:
            ProviderError: There is no text, no label of the declared type, or a member gave no answer.
        """
        text = self._text(request)
        allowed = _allowed(request.schema, self._model.labels)
        if not allowed:
            names = ", ".join(self._model.labels)
            raise ProviderError(self.id, f"the declared type has none of the labels that it was fitted to: {names}")
        view = self._model.vectors
        vector = () if view is None else await asyncio.to_thread(self._vector_of, text, view)
        replies = await _all([self._members[name].infer(request) for name in self._model.members])
        said = {name: said_of(reply) for name, reply in zip(self._model.members, replies, strict=True)}
        shares = self._model.shares(text, said, allowed, vector)
        best = max(shares, key=shares.__getitem__)
        return InferenceReply(
            data=best,
            structured=True,
            model=self._name,
            confidence=shares[best],
            explanation=_why(best, shares, said),
        )

    async def aclose(self) -> None:
        """Do nothing: the host closes the members."""

    def _vector_of(self, text: str, view: VectorView) -> Sequence[float]:
        found = None if self._vector is None else self._vector(text)
        if found is None:
            raise ProviderError(self.id, "the embedder made no vector of the text", failure=FailureKind.HERE)
        fingerprint, vector = found
        if fingerprint != view.embedder or len(vector) != view.size:
            message = (
                "it was fitted to the vectors of another embedder than the one that is configured\n"
                "  help: name that one as `embedder` under [delegation], or fit it again: rtfs learn stack --vectors"
            )
            raise ProviderError(self.id, message, failure=FailureKind.HERE)
        return vector

    def _text(self, request: InferenceRequest) -> str:
        if self._argument is not None:
            names = [each.name for each in request.function.parameters if not each.rest]
            given = dict(zip(names, request.args, strict=False))
            found = given.get(self._argument)
            if not isinstance(found, str):
                message = f"{request.function.name} was given no text as '{self._argument}'"
                raise ProviderError(self.id, message)
            return found
        found = next((each for each in request.args if isinstance(each, str)), None)
        if found is None:
            raise ProviderError(self.id, f"{request.function.name} was called without a text: nothing to classify")
        return found


async def _all(asked: Sequence[Awaitable[InferenceReply]]) -> list[InferenceReply]:
    """Return all answers; where one fails, the others are no longer waited for, and stop computing."""
    tasks = [asyncio.ensure_future(each) for each in asked]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def bare(name: str) -> str:
    """Return a local model's id, which may be written as the text of its target."""
    return name.removeprefix("local-")


def said_of(reply: InferenceReply) -> Said:
    """Return what a member's reply says."""
    data: Any = reply.data if reply.structured else (reply.text or "").strip()
    if isinstance(data, Keyword):
        data = data.name
    sure = reply.confidence
    sure = sure if isinstance(sure, (int, float)) and 0.0 <= sure <= 1.0 else None
    return Said(data.removeprefix(":") if isinstance(data, str) else "", sure)


def _allowed(schema: Mapping[str, Any] | None, labels: tuple[str, ...]) -> tuple[str, ...]:
    choices = schema.get("enum") if schema else None
    return tuple(label for label in labels if not isinstance(choices, list) or label in choices)


def _why(best: str, shares: Mapping[str, float], said: Mapping[str, Said]) -> str:
    ranked = sorted(shares.items(), key=lambda item: -item[1])
    told = ", ".join(f"{label} {share:.2f}" for label, share in ranked)
    of_members = "; ".join(f"{name} says {each.label or 'no label'}{_sure(each)}" for name, each in said.items())
    return f"{best}: {told}" + (f"; {of_members}" if of_members else "")


def _sure(said: Said) -> str:
    return "" if said.confidence is None else f" {said.confidence:.2f}"
