"""One job: prompt, prefix, and a choice or a text. In: what `serve` received. Out: the reply's parts, or an error."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from rtfs_provider_llama.backends.base import Backend, Sampling
from rtfs_provider_llama.child.choosing import choose, ended
from rtfs_provider_llama.child.prefixes import Prefixes
from rtfs_provider_llama.child.prompts import Prompt, Prompts, Said

_CHUNK = 128
"""Tokens of a prompt between two looks at the clock and at what was cancelled."""
_ROOM = 16
"""Tokens that a reply must have room for at least."""


class StoppedError(Exception):
    """The job need not go on: "cancelled" or "late"."""


class OverflowError_(Exception):  # noqa: N801 - Python's own name is taken
    """The prompt has more tokens than the context has room for."""


@attrs.frozen(slots=True)
class Job:
    """What is to be answered."""

    key: str
    """The function whose calls share a prefix."""
    messages: tuple[Said, ...]
    choices: tuple[str, ...] | None
    grammar: str | None
    most: int | None
    sampling: Sampling

    @classmethod
    def read(cls, message: dict[str, Any]) -> Job:
        """Return the job of a message."""
        choices = message.get("choices")
        return cls(
            key=message["key"],
            messages=tuple(Said(*each) for each in message["messages"]),
            choices=None if choices is None else tuple(choices),
            grammar=message.get("grammar"),
            most=message.get("most"),
            sampling=Sampling(**message.get("sampling", {})),
        )


class Answerer:
    """Answers jobs, one after the other."""

    def __init__(self, backend: Backend, sequences: int, now: Callable[[], float] = time.monotonic) -> None:
        self._backend = backend
        self._prompts = Prompts(backend)
        self._prefixes = Prefixes(sequences)
        self._now = now

    def answer(self, job: Job, stopped: Callable[[], str | None], on_piece: Callable[[str], None]) -> dict[str, Any]:
        """Return what the reply holds: `choice` and `confidence`, or `text` and `whole`; and tokens.

        Raises:
            StoppedError: `stopped` said why.
            OverflowError_: There is no room; nothing was computed.
            BackendError: The model could not.
        """
        prompt = self._prompts.of(job.messages)
        options = self._options(job)
        room = max(map(len, options)) if options else min(job.most or _ROOM, _ROOM)
        total = len(prompt.tokens) + room
        if total > self._backend.context:
            has = self._backend.context
            raise OverflowError_(
                f"the prompt has {len(prompt.tokens)} tokens and the reply needs {room}; the context has {has}"
            )
        look = _looking(stopped)
        sequence, cached = self._prefix(job.key, prompt, look)
        try:
            if options:
                return self._chosen(sequence, prompt, options, look) | _counted(prompt, cached, 1)
            return self._written(job, sequence, prompt, stopped, on_piece) | {"cached": cached}
        except StoppedError:
            raise
        except Exception:
            self._prefixes.forget(job.key)
            raise

    def _options(self, job: Job) -> list[tuple[int, ...]]:
        if not job.choices:
            return []
        return ended([self._prompts.text(choice) for choice in job.choices], self._backend.end)

    def _prefix(self, key: str, prompt: Prompt, look: Callable[[], None]) -> tuple[int, int]:
        """Return the sequence that holds a job's prefix, and how many tokens of it were there already."""
        prefix = prompt.tokens[: prompt.kept]
        held, warm = self._prefixes.claim(key, prefix)
        if warm:
            return held.sequence, prompt.kept
        self._extend(held.sequence, 0, prefix, look)
        held.tokens = prefix
        return held.sequence, 0

    def _extend(self, sequence: int, kept: int, tokens: Sequence[int], look: Callable[[], None]) -> None:
        for end in range(kept + _CHUNK, len(tokens) + _CHUNK, _CHUNK):
            look()
            self._backend.extend(sequence, end - _CHUNK, tokens[: min(end, len(tokens))])

    def _all_but_last(self, sequence: int, kept: int, tokens: Sequence[int], look: Callable[[], None]) -> int:
        """Extend a sequence up to the last chunk, and return how many tokens it holds then."""
        start = kept + (len(tokens) - 1 - kept) // _CHUNK * _CHUNK
        self._extend(sequence, kept, tokens[:start], look)
        look()
        return start

    def _chosen(
        self, sequence: int, prompt: Prompt, options: Sequence[tuple[int, ...]], look: Callable[[], None]
    ) -> dict[str, Any]:
        kept = prompt.kept
        root: int | None = None

        def score(path: tuple[int, ...], among: list[int]) -> list[float]:
            nonlocal root
            tokens = (*prompt.tokens, *path)
            start = self._all_but_last(sequence, kept if root is None else root, tokens, look)
            root = len(tokens) if root is None else root
            return self._backend.score(sequence, start, tokens, among)

        choice, probability = choose(options, score)
        return {"choice": choice, "confidence": min(probability, 1.0)}

    def _written(
        self,
        job: Job,
        sequence: int,
        prompt: Prompt,
        stopped: Callable[[], str | None],
        on_piece: Callable[[str], None],
    ) -> dict[str, Any]:
        look = _looking(stopped)
        start = self._all_but_last(sequence, prompt.kept, prompt.tokens, look)
        most = min(job.most or self._backend.context, self._backend.context - len(prompt.tokens))

        def heard(piece: str) -> bool:
            if piece:
                on_piece(piece)
            return stopped() is None

        found = self._backend.generate(
            sequence, start, prompt.tokens, sampling=job.sampling, grammar=job.grammar, most=most, on_piece=heard
        )
        look()
        return {"text": found.text, "whole": found.whole} | _counted(prompt, 0, found.tokens)


def _counted(prompt: Prompt, cached: int, output: int) -> dict[str, int]:
    return {"input": len(prompt.tokens), "cached": cached, "output": output}


def _looking(stopped: Callable[[], str | None]) -> Callable[[], None]:
    def look() -> None:
        why = stopped()
        if why is not None:
            raise StoppedError(why)

    return look
