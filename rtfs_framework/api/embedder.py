"""Embedders: from a text to a vector, so that an engine can tell by meaning what a call is about.

An embedder is a function of the text and of its own model: equal texts have equal vectors, and `fingerprint` changes
when the vectors would. It is a plain function, called in the thread that decides: it must be quick.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import attrs

if TYPE_CHECKING:  # a plugin is imported at every start; what only its types need is not
    from rtfs_framework.api.provider import Locality
    from rtfs_framework.api.settings import SettingsSchema


class Embedder(Protocol):
    """Makes vectors of texts. Called from any thread, also at once."""

    def fingerprint(self) -> str:
        """Return what tells its vectors from those of another model or version."""
        ...

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Return one vector for each text, all of one length, of finite numbers that are not all 0.

        Raises:
            ProviderError: It cannot.
        """
        ...


@attrs.frozen(slots=True)
class EmbedderSettings:
    """What every embedder is made from."""

    name: str
    own: Any = None
    """An instance of the entry's `settings` class, or None."""


@attrs.frozen(slots=True, kw_only=True)
class EmbedderEntry:
    """An embedder that a plugin offers under a name. `[delegation] embedder` selects one; it is made at the first read.

    A host uses only those that are local: no text leaves for a vector.
    """

    name: str
    summary: str
    locality: Locality
    factory: Callable[[EmbedderSettings], Embedder]
    settings: SettingsSchema | None = None
