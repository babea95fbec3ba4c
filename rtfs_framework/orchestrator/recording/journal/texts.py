"""Texts as they may be written: without secrets, in UTF-8. What comes again and again is made once."""

from __future__ import annotations

import re
from json.encoder import encode_basestring_ascii

import attrs

from rtfs_framework.api.experience import Situation
from rtfs_framework.api.secrets import Blot
from rtfs_framework.lang.error_kinds import FAMILIES, KINDS
from rtfs_framework.orchestrator.recording.journal.chain import Keys, canonical_json
from rtfs_framework.orchestrator.recording.journal.decisions import decision_text, grounds_text
from rtfs_framework.orchestrator.recording.records import Decision, Grounds, OpenRecord

_MOST = 4096
"""Decisions and sites that are remembered."""

_KINDS = frozenset({*KINDS, *FAMILIES, "NotCallable", "StackOverflow", "ConfigError", "ParseError", "LimitError"})
"""The kinds of errors that the language and its host have (LANGUAGE.md 11.1)."""
_CODE = re.compile(r"E\d{4}")


def safe_kind(kind: str) -> str:
    """Return the kind of an error; one that a program made up may be a customer's text, and is not told."""
    return kind if not kind or kind in _KINDS else "Error"


def safe_code(code: str) -> str:
    """Return an error's stable code; a program may have put anything there."""
    return code if _CODE.fullmatch(code) else ""


@attrs.define(slots=True, eq=False)
class Texts:
    """The texts of one journal."""

    blot: Blot
    keys: Keys
    keep: bool = False
    """Whether what people wrote is kept."""
    new_plans: dict[str, str] = attrs.field(factory=dict, init=False)
    """Digests and texts of decisions that are not written yet."""
    _plans: dict[int, tuple[Decision | Grounds | Situation, str]] = attrs.field(factory=dict, init=False)
    _sites: dict[tuple[str, str, int, str], tuple[OpenRecord, str]] = attrs.field(factory=dict, init=False)

    def site(self, record: OpenRecord) -> str:
        """Return the JSON of what the calls of one place have in common."""
        key = (record.kind, record.symbol, id(record.place), record.target)
        known = self._sites.get(key)
        if known is not None and known[0].place is record.place:
            return known[1]
        place = "null" if record.place is None else self._text(str(record.place))
        made = (
            f'"kind":{self._text(record.kind)},"symbol":{self._text(record.symbol)},'
            f'"place":{place},"target":{self._text(record.target)}'
        )
        if len(self._sites) >= _MOST:
            self._sites.clear()
        self._sites[key] = (record, made)
        return made

    def plan(self, decision: Decision, *, words: bool = True) -> str:
        """Return the digest of a decision, queued to be written when it is new; without words that must not be kept."""
        known = self._plans.get(id(decision))
        if known is not None and known[0] is decision and (words or not self.keep):
            return known[1]
        parts: dict[str, str] = {}
        if decision.grounds is not None:
            parts["grounds"] = self._part(decision.grounds)
        if decision.stands_on is not None:
            parts["stands_on"] = self.plan(decision.stands_on, words=words)
        if decision.hedge_of is not None:
            parts["hedge_of"] = self.plan(decision.hedge_of, words=words)
        body = self.blot(decision_text(decision, self.keys.value, parts, keep=self.keep and words))
        return self._stored(decision, body, kept=words or not self.keep)

    def _part(self, grounds: Grounds) -> str:
        known = self._plans.get(id(grounds))
        if known is not None and known[0] is grounds:
            return known[1]
        return self._stored(grounds, self.blot(grounds_text(grounds)))

    def situation(self, situation: Situation) -> str:
        """Return the digest of a call's situation, queued to be written when it is new."""
        known = self._plans.get(id(situation))
        if known is not None and known[0] is situation:
            return known[1]
        return self._stored(situation, self.blot(canonical_json(situation.to_json())))

    def _stored(self, what: Decision | Grounds | Situation, body: str, *, kept: bool = True) -> str:
        digest = self.keys.text(body)
        if len(self._plans) >= _MOST:
            self._plans.clear()
        self.new_plans[digest] = body
        if kept:
            self._plans[id(what)] = (what, digest)
        return digest

    def forget_plans(self) -> None:
        """Forget which decisions are in the file: it may be another one now."""
        self._plans.clear()
        self.new_plans.clear()

    def _text(self, text: str) -> str:
        return encode_basestring_ascii(self.blot(text))
