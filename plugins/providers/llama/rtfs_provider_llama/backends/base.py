"""What the child needs of a backend: tokens, a template, and a context of several sequences. Nothing else is used.

A backend is used by one thread. It keeps for each sequence what it holds, and continues exactly where it is told to:
the numbers of a forward pass depend on how tokens are cut into batches, so equal requests get equal answers only if
they are cut in the same places, whatever happened to be in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import attrs


@attrs.frozen(slots=True, kw_only=True)
class Options:
    """How a model is loaded."""

    path: str
    context: int
    """Tokens that one sequence can hold."""
    sequences: int
    threads: int
    scratch: str
    """A folder of this process's own; removed when it ends."""


@attrs.frozen(slots=True, kw_only=True)
class Sampling:
    """How the next token is chosen; at a temperature of 0 the likeliest."""

    temperature: float = 0.0
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    seed: int = 0


@attrs.frozen(slots=True)
class Generated:
    """A text, of how many tokens it is, and whether it ended by itself (else it was stopped, or at its bound)."""

    text: str
    tokens: int
    whole: bool


MAY_HELP = "Is the file a GGUF model? Else a larger 'memory' or a smaller 'context' may help."
"""What to do where a library does not say why it cannot load a model."""


class BackendError(Exception):
    """The backend could not do what it was asked; says why."""


class TemplateError(BackendError):
    """The model's template does not take these messages."""


class Backend(Protocol):
    """A loaded model. Raises `BackendError`."""

    name: str
    version: str
    context: int
    """Tokens that one sequence really can hold."""
    begin: tuple[int, ...]
    """The tokens that every prompt starts with."""
    end: int
    """The token that ends a reply."""

    def tokenize(self, text: str, *, control: bool) -> list[int]:
        """Return the tokens of a text; only with `control` are its names of control tokens such."""
        ...

    def render(self, messages: Sequence[Mapping[str, str]]) -> str:
        """Return messages by the model's template, up to where the reply starts; without the `begin` tokens.

        Raises:
            TemplateError: The template refuses them.
        """
        ...

    def extend(self, sequence: int, kept: int, tokens: Sequence[int]) -> None:
        """Make a sequence hold these tokens; the first `kept` it holds already, and what it held besides is dropped."""
        ...

    def score(self, sequence: int, kept: int, tokens: Sequence[int], among: Sequence[int]) -> list[float]:
        """Extend a sequence, and return how likely each of some tokens is next: logarithms, among them alone."""
        ...

    def generate(
        self,
        sequence: int,
        kept: int,
        tokens: Sequence[int],
        *,
        sampling: Sampling,
        grammar: str | None,
        most: int,
        on_piece: Callable[[str], bool],
    ) -> Generated:
        """Extend a sequence and go on, at most so many tokens; stop as soon as `on_piece` says False."""
        ...

    def close(self) -> None:
        """Release the model."""
        ...
