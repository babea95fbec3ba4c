"""What a record says of an answer that was looked for among those to similar requests. Without anybody's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen(slots=True, kw_only=True)
class SimilarMark:
    """A look-up, what was decided of it, and what a comparison said."""

    served: str
    """"hit", "explore" or "miss"."""
    why: str = ""
    entry: str = ""
    """The nearest entry that came into question."""
    question: str = ""
    """The digest of the request's own key, by which feedback finds it."""
    similarity: float | None = None
    probability: float | None = None
    """That the entry's answer is the right one, as estimated."""
    bound: float | None = None
    """The upper confidence bound (95 %) of wrong answers among look-ups."""
    same: bool | None = None
    """Of an explored look-up: whether the model answered what the entry holds; None where nobody could compare."""

    def to_json(self) -> dict[str, Any]:
        """Return what it says, without what it does not say."""
        return {name: value for name, value in attrs.asdict(self).items() if value not in (None, "")}


def served_of(found: SimilarMark | Mapping[str, Any] | None) -> tuple[str, str] | None:
    """Return entry and question of a mark, or of its JSON, where an entry was served; else None."""
    told = found.to_json() if isinstance(found, SimilarMark) else found
    if not isinstance(told, Mapping) or told.get("served") != "hit":
        return None
    return str(told.get("entry", "")), str(told.get("question", ""))


def words_of(told: Mapping[str, Any]) -> str:
    """Return what a mark says in words: `similar hit: entry 12, 0.973 alike, wrong answers below 0.8 % of look-ups`."""
    parts = [f"entry {told['entry']}"] if told.get("entry") else []
    if isinstance(told.get("similarity"), float | int):
        parts.append(f"{told['similarity']:.3f} alike")
    if isinstance(told.get("bound"), float | int):
        parts.append(f"wrong answers at most {100 * told['bound']:.2g} % of look-ups")
    if "same" in told:
        parts.append("the model answered the same" if told["same"] else "the model answered something else")
    parts += [str(told["why"])] if told.get("why") else []
    return f"similar {told.get('served', '')}: {', '.join(parts)}"
