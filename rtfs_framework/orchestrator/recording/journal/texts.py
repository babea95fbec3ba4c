"""Texts as they may be written: without secrets, in UTF-8. What comes again and again is made once."""

from __future__ import annotations

import re
from json.encoder import encode_basestring_ascii
from math import isfinite

import attrs

from rtfs_framework.api.secrets import Blot
from rtfs_framework.api.targets import show_target
from rtfs_framework.lang.error_kinds import FAMILIES, KINDS
from rtfs_framework.orchestrator.recording.journal.chain import Keys, canonical_json
from rtfs_framework.orchestrator.recording.records import Decision, OpenRecord

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
    _plans: dict[int, tuple[Decision, str]] = attrs.field(factory=dict, init=False)
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

    def plan(self, decision: Decision) -> str:
        """Return the digest of a decision, queued to be written when it is new."""
        known = self._plans.get(id(decision))
        if known is not None and known[0] is decision:
            return known[1]
        body = self.blot(decision_body(decision, keep=self.keep))
        digest = self.keys.text(body)
        if len(self._plans) >= _MOST:
            self._plans.clear()
        self.new_plans[digest] = body
        self._plans[id(decision)] = (decision, digest)
        return digest

    def forget_plans(self) -> None:
        """Forget which decisions are in the file: it may be another one now."""
        self._plans.clear()
        self.new_plans.clear()

    def _text(self, text: str) -> str:
        return encode_basestring_ascii(self.blot(text))


def decision_body(decision: Decision, *, keep: bool = True) -> str:
    """Return a decision as canonical JSON, without its time.

    Unless texts are kept, it does not say what an engine raised, nor what it made of a model's words.
    """
    plan, reasoning = decision.plan, decision.plan.reasoning
    context, steps = plan.context, decision.steps
    if not keep and decision.fault:
        context = tuple((name, _FAILED if text == decision.fault else text) for name, text in context)
        steps = tuple((name, _FAILED if text == decision.fault else text) for name, text in steps)
    if not keep and any(name == "consult" for name, _ in steps):
        reasoning, context = "after a consultation", ()
    return canonical_json(
        {
            "target": show_target(plan.target),
            "source": plan.source.value,
            "engine": plan.engine,
            "confidence": _number(plan.confidence),
            "reasoning": reasoning,
            "context": context,
            "steps": steps,
        }
    )


_FAILED = "it failed; what it said is kept with keep_args only"


def _number(value: float) -> float | None:
    """Return a number that JSON has; a plugin may have put anything there."""
    return value if isfinite(value) else None
