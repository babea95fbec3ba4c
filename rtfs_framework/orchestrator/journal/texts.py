"""Texts as they may be written: without secrets, in UTF-8. What comes again and again is made once."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from rtfs_framework.lang.source import Place
from rtfs_framework.orchestrator.journal.chain import decision_body, text_digest
from rtfs_framework.orchestrator.records import Decision

_MOST = 4096
"""Decisions, symbols and places that are remembered."""

Blot = Callable[[str], str]


def blotter(secrets: Iterable[str]) -> Blot:
    """Return a function that replaces known secrets (of 6 characters or more) and what UTF-8 cannot hold."""
    hidden = sorted({secret for secret in secrets if len(secret) >= 6}, key=len, reverse=True)

    def blot(text: str) -> str:
        if not text:
            return text
        for secret in hidden:
            text = text.replace(secret, "[secret]")
        return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")

    return blot


@attrs.define(slots=True, eq=False)
class Texts:
    """The texts of one journal."""

    blot: Blot
    new_decisions: list[tuple[str, str]] = attrs.field(factory=list, init=False)
    """Digests and texts of decisions that are not written yet."""
    _decisions: dict[int, tuple[Decision, str]] = attrs.field(factory=dict, init=False)
    _symbols: dict[str, str] = attrs.field(factory=dict, init=False)
    _places: dict[int, tuple[Place, str]] = attrs.field(factory=dict, init=False)

    def symbol(self, name: str) -> str:
        """Return a name as it may be written."""
        known = self._symbols.get(name)
        if known is None:
            if len(self._symbols) >= _MOST:
                self._symbols.clear()
            known = self._symbols[name] = self.blot(name)
        return known

    def place(self, place: Place) -> str:
        """Return the text of a place; a program has the same one for each of its calls."""
        known = self._places.get(id(place))
        if known is None or known[0] is not place:
            if len(self._places) >= _MOST:
                self._places.clear()
            known = self._places[id(place)] = (place, str(place))
        return known[1]

    def decision(self, decision: Decision) -> str:
        """Return the digest of a decision, queued to be written when it is new."""
        known = self._decisions.get(id(decision))
        if known is not None and known[0] is decision:
            return known[1]
        body = self.blot(decision_body(decision))
        digest = text_digest(body)
        if len(self._decisions) >= _MOST:
            self._decisions.clear()
        self.new_decisions.append((digest, body))
        self._decisions[id(decision)] = (decision, digest)
        return digest
