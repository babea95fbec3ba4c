"""The embedder of a host, held at arm's length: made at the first read, and what it answers is checked.

In: texts. Out: a vector and the embedder's fingerprint; or None where it cannot answer, and then the fault is reported.
Equal calls ask for the same vector at every look-up of a plan, so the last few are remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from threading import Lock
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.embedder import Embedder, EmbedderSettings
from rtfs_framework.registry.faults import Part, PluginFault, ask, make

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.config.model import EmbedderSpec
    from rtfs_framework.registry.catalog import Catalog

Report = Callable[[Part, "BaseException | str", str, str], None]
"""Told when the embedder broke: who, what was wrong, in which piece of its code, and what happened instead."""

_METHODS = ("fingerprint", "embed")
_MOST_REMEMBERED = 256
_LONGEST = 65_536
"""Numbers of a vector."""
_LONGEST_TEXT = 4096
"""Characters of a text that is remembered."""
_INSTEAD = "engines read no embedding, and their plans are not kept"


@attrs.define(slots=True, eq=False)
class HeldEmbedder:
    """The embedder of one configuration, and who it is."""

    part: Part
    create: Callable[[], Embedder]
    report: Report
    then: HeldEmbedder | None = None
    """A better and slower one, asked about texts that this one finds near when texts are compared."""
    floor: float = 0.0
    """How near they must be."""
    _made: tuple[Embedder, str] | None = attrs.field(default=None, init=False)
    _unmade: PluginFault | None = attrs.field(default=None, init=False)
    """Why it cannot be made: that is tried once."""
    _known: dict[str, tuple[float, ...]] = attrs.field(factory=dict, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)

    def vector(self, text: str) -> tuple[str, tuple[float, ...]] | None:
        """Return the embedder's fingerprint and the vector of a text, None after reporting why there is none."""
        try:
            embedder, fingerprint = self._embedder()
            found = self._known.get(text)
            if found is None:
                found = self._checked(ask(self.part, "`embed`", embedder.embed, [text]))
                self._remember(text, found)
        except PluginFault as fault:
            self.report(self.part, fault, "", _INSTEAD)
            return None
        return fingerprint, found

    def fingerprint(self) -> str | None:
        """Return the embedder's fingerprint, None after reporting why there is none."""
        try:
            return self._embedder()[1]
        except PluginFault as fault:
            self.report(self.part, fault, "", _INSTEAD)
            return None

    def _embedder(self) -> tuple[Embedder, str]:
        """Return the embedder and its fingerprint.

        Raises:
            PluginFault: It cannot be made.
        """
        if self._made is not None:
            return self._made
        with self._lock:
            if self._unmade is not None:
                raise self._unmade
            if self._made is None:
                try:
                    self._made = self._make()
                except PluginFault as fault:
                    self._unmade = fault
                    raise
            return self._made

    def _make(self) -> tuple[Embedder, str]:
        embedder = make(self.part, self.create, methods=_METHODS)
        fingerprint: object = ask(self.part, "`fingerprint`", embedder.fingerprint)
        if not isinstance(fingerprint, str):
            wrong = f"returned a {type(fingerprint).__name__}, which is no text"
            raise PluginFault(self.part, "`fingerprint`", wrong)
        return embedder, fingerprint

    def _checked(self, answer: Any) -> tuple[float, ...]:
        """Return the one vector of an answer.

        Raises:
            PluginFault: It is none.
        """
        vectors = ask(self.part, "`embed`", _plain, answer)
        if len(vectors) != 1:
            raise PluginFault(self.part, "`embed`", f"returned {len(vectors)} vectors for 1 text")
        found = vectors[0]
        if not 0 < len(found) <= _LONGEST:
            raise PluginFault(self.part, "`embed`", f"returned a vector of {len(found)} numbers")
        if not all(map(isfinite, found)):
            raise PluginFault(self.part, "`embed`", "returned a vector with a number that is not finite")
        return found

    def _remember(self, text: str, vector: tuple[float, ...]) -> None:
        if len(text) > _LONGEST_TEXT:
            return
        with self._lock:
            if len(self._known) >= _MOST_REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[text] = vector


def held_embedder(spec: EmbedderSpec, catalog: Catalog, report: Report) -> HeldEmbedder:
    """Return the embedder that a configuration names; it is not made yet."""
    entry, part = catalog.embedder(spec.name), catalog.part("embedder", spec.name)
    then = None if spec.then is None else held_embedder(spec.then, catalog, report)
    return HeldEmbedder(part, lambda: entry.factory(EmbedderSettings(spec.name, spec.own)), report, then, spec.floor)


def _plain(answer: Any) -> list[tuple[float, ...]]:
    return [tuple(map(float, vector)) for vector in answer]
