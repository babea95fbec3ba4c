"""Rules of kind "classify": a text in, a label and the reasons out.

A label's score is its bias, plus the weight of every entry (a word, a phrase or an expression) that occurs, counted
once however often it does, plus or minus the lexicon's score. The highest score wins if it reaches its threshold and
leads the next by the margin; otherwise the fallback is the answer. Of equal scores, the label that stands first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import exp

import attrs

from rtfs_provider_rules.lexicon import Lexicon
from rtfs_provider_rules.patterns import PatternSet, negated_regex, prepared, tokens, word_regex
from rtfs_provider_rules.schema import ClassifyFile, PatternTable

_SHOWN = 4
"""How many reasons an explanation names."""
_LONGEST_NAME = 40


@attrs.frozen(slots=True)
class Entry:
    """One thing to find, and what finding it is worth."""

    label: str
    name: str
    regex: str
    is_word: bool
    weight: float
    negated: float | None = None
    negated_regex: str | None = None


@attrs.frozen(slots=True)
class Verdict:
    """An answer and why."""

    label: str
    why: str
    confidence: float = 0.0
    """The softmax of the label's score among those of all labels; 0 where no rule decided. It is not calibrated."""


class Classifier:
    """Compiled rules; `classify` is a pure function of the text and the labels allowed."""

    def __init__(self, file: ClassifyFile) -> None:
        self.file = file
        self._lexicon = None if file.lexicon is None else Lexicon(file.lexicon.words)
        made = [entry for label, table in file.labels.items() for entry in entries(file, label, table.patterns)]
        # Words first: the two automata then number their findings without gaps.
        self._entries = sorted(made, key=lambda entry: not entry.is_word)
        self._words = [entry.regex for entry in self._entries if entry.is_word]
        negatable = [number for number, entry in enumerate(self._entries) if entry.negated_regex is not None]
        self._negations = {number: len(self._words) + place for place, number in enumerate(negatable)}
        negations = [self._entries[number].negated_regex or "" for number in negatable]
        self._word_set = PatternSet([*self._words, *negations])
        self._regex_set = PatternSet([entry.regex for entry in self._entries if not entry.is_word])
        self._bias = {label: table.bias for label, table in file.labels.items()}
        self._threshold = {
            label: file.threshold if table.threshold is None else table.threshold
            for label, table in file.labels.items()
        }

    def fingerprint(self) -> str:
        """Return what answers depend on besides the rule file."""
        return "" if self._lexicon is None else self._lexicon.fingerprint()

    def classify(self, text: str, allowed: Collection[str] | None = None) -> Verdict:
        """Return the label of a text; with `allowed`, labels that are not among them are not considered."""
        text = text[: self.file.max_characters]
        scores = dict(self._bias)
        reasons: list[tuple[str, str, float]] = []
        for number, weight in self._found(text):
            entry = self._entries[number]
            scores[entry.label] += weight
            reasons.append((entry.label, entry.name if weight == entry.weight else f"not {entry.name}", weight))
        self._weigh_lexicon(text, scores, reasons)
        if allowed is not None:
            scores = {label: score for label, score in scores.items() if label in allowed}
        return self._decide(scores, reasons)

    def _found(self, text: str) -> list[tuple[int, float]]:
        """Return the entries that occur, each with the weight that counts."""
        text = prepared(text)
        count = len(self._words)
        found = set(self._word_set.match(tokens(text)))
        weights: list[tuple[int, float]] = []
        for number in sorted(number for number in found if number < count):
            entry = self._entries[number]
            negated = entry.negated is not None and self._negations[number] in found
            weights.append((number, entry.negated if negated and entry.negated is not None else entry.weight))
        weights.extend((count + place, self._entries[count + place].weight) for place in self._regex_set.match(text))
        return weights

    def _weigh_lexicon(self, text: str, scores: dict[str, float], reasons: list[tuple[str, str, float]]) -> None:
        table = self.file.lexicon
        if table is None or self._lexicon is None:
            return
        score = self._lexicon.score(text)
        scores[table.positive] += score
        scores[table.negative] -= score
        reasons.append((table.positive, table.library, score))
        reasons.append((table.negative, table.library, -score))

    def _decide(self, scores: dict[str, float], reasons: Sequence[tuple[str, str, float]]) -> Verdict:
        ranked = sorted(scores.items(), key=lambda item: -item[1])
        if not ranked:
            return Verdict(self.file.fallback, "no label of the rules is of the declared type")
        if not reasons:
            return Verdict(self.file.fallback, "no pattern occurs")
        best, score = ranked[0]
        shown = f"{best} {score:.3g}{_because(best, reasons)}"
        if len(ranked) > 1:
            shown += f"; next {ranked[1][0]} {ranked[1][1]:.3g}"
        if score < self._threshold[best]:
            return Verdict(self.file.fallback, f"{shown}; below its threshold {self._threshold[best]:g}")
        if len(ranked) > 1 and score - ranked[1][1] < self.file.margin:
            return Verdict(self.file.fallback, f"{shown}; leads by less than {self.file.margin:g}")
        return Verdict(best, shown, 1 / sum(exp(other - score) for _, other in ranked))


def _because(label: str, reasons: Sequence[tuple[str, str, float]]) -> str:
    """Return " = vader 0.42 + 'refund' 1", the heaviest reasons of a label."""
    own = sorted((reason for reason in reasons if reason[0] == label and reason[2]), key=lambda reason: -abs(reason[2]))
    if not own:
        return ""
    more = f" and {len(own) - _SHOWN} more" if len(own) > _SHOWN else ""
    return " = " + " + ".join(f"{name} {weight:.3g}" for _, name, weight in own[:_SHOWN]) + more


def entries(file: ClassifyFile, label: str, tables: Sequence[PatternTable]) -> list[Entry]:
    """Return the entries of a label's patterns.

    Raises:
        BadPattern: A word holds nothing to find.
    """
    made: list[Entry] = []
    for table in tables:
        for word in table.words:
            negation = None if table.negated is None else negated_regex(word, file.negators)
            made.append(Entry(label, f"'{word}'", word_regex(word), True, table.weight, table.negated, negation))
        if table.regex is not None:
            made.append(Entry(label, _short(f"/{table.regex}/"), table.regex, False, table.weight))
    return made


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
