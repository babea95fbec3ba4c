"""What the rows of the log say: a row's JSON text, and the texts of people that it names by digest.

In: a record of a call, a run's facts or its end. Out: a `Made` row without its place. What a customer wrote (arguments,
messages, a model's explanation) is in no row: with `keep = "replies"` it is kept beside the row, without secrets;
without, a row has kind, code and place of an error, and digests of values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from time import time
from typing import Any, NamedTuple

import attrs

from rtfs_framework.lang.errors import LimitError, ProgramError
from rtfs_framework.orchestrator.boundary.failures import code_of
from rtfs_framework.orchestrator.recording.attempts import AttemptRecord
from rtfs_framework.orchestrator.recording.journal.chain import canonical_json
from rtfs_framework.orchestrator.recording.journal.decisions import heard_text
from rtfs_framework.orchestrator.recording.journal.feedback import Feedback, Forgotten
from rtfs_framework.orchestrator.recording.journal.kept import PROGRAM, REPLY, STATE, Answered, Job
from rtfs_framework.orchestrator.recording.journal.texts import Texts, safe_code, safe_kind
from rtfs_framework.orchestrator.recording.purse import NO_ASKER, Asker, RunStopped
from rtfs_framework.orchestrator.recording.records import OpenRecord, attempt_json
from rtfs_framework.orchestrator.recording.similar_mark import SimilarMark

OWN_BODY = "local-pure"
"""The target of a call that runs its function's own body."""


class Made(NamedTuple):
    """A row, before it has its place."""

    what: str
    entry: int | None
    record: int | None
    id: str
    body: str
    texts: Mapping[str, str] = {}


@attrs.frozen(slots=True)
class RunFacts:
    """What a run's first row says."""

    id: str
    program: str
    """The digest of its text."""
    source: str
    started: float
    policy: str
    version: str
    seed: str = ""
    """What its draws are made from."""
    tenant: str = ""
    host: str = ""
    """Who writes: the signals of that host are those that its decisions read."""
    asker: Asker = NO_ASKER
    job: Job | None = None
    """What is run, for whoever goes on with it; None where nobody can."""
    manifest: str = ""
    """The digest of the manifest that it is held to; "" for none."""


@attrs.frozen(slots=True)
class SignalFacts:
    """A change of a signal: what is read under this name, of a target, a budget or a rate, from now on."""

    name: str
    target: str
    value: Any
    host: str
    number: int
    """Which one of its host, from 1."""


class Noted(NamedTuple):
    """Something that happens to a run besides its calls, as JSON-ready data, and a text that goes with the run."""

    what: str
    body: Mapping[str, Any]
    text: str | None = None


@attrs.frozen(slots=True)
class Ending:
    """How a run ended: "complete", "failed", "interrupted", or "waiting" (it is gone on with later)."""

    status: str
    when: float
    calls: int
    error: BaseException | None = None
    words: bool = True
    """Whether what the error says may be kept."""
    waits: tuple[Mapping[str, Any], ...] = ()
    """What it waits for, as the rows of its waits say."""

    @property
    def final(self) -> bool:
        """Tell whether nobody will go on with the run."""
        return self.status in ("complete", "failed", "cancelled")


class Removal(NamedTuple):
    """Kept texts that are to go, by position and name, and what the row about it says."""

    texts: Sequence[tuple[int, str]]
    body: dict[str, Any]


@attrs.frozen(slots=True, eq=False)
class Maker:
    """Makes the rows of one journal."""

    texts: Texts
    keep: bool = False
    """Whether what people wrote is kept."""
    now: Callable[[], float] = time

    def run(self, facts: RunFacts, *, kept: bool = True) -> Made:
        """Return the first row of a run; with what is needed to go on with it, if that is `kept`."""
        body = {
            "program": facts.program,
            "source": self.texts.blot(facts.source),
            "started": facts.started,
            "policy": facts.policy,
            "version": facts.version,
            **{
                name: text
                for name, text in (
                    ("seed", facts.seed),
                    ("tenant", self.texts.blot(facts.tenant)),
                    ("host", facts.host),
                    ("manifest", facts.manifest),
                )
                if text
            },
        }
        asker = {name: self.texts.blot(text) for name, text in facts.asker.to_json().items()}
        if asker:
            body["asked_by"] = asker
        texts = {} if facts.job is None or not kept else self._whole(PROGRAM, facts.job.to_text())
        return Made("run", None, None, facts.id, canonical_json({**body, **self._named(texts)}), texts)

    def noted(self, facts: Noted) -> Made:
        """Return the row of something else that happens to a run."""
        texts = {} if facts.text is None else self._whole(STATE, facts.text)
        body = self.texts.blot(canonical_json({**facts.body, **self._named(texts)}))
        return Made(facts.what, None, None, "", body, texts)

    def _whole(self, name: str, text: str | None) -> dict[str, str]:
        """Return a text that is kept as it is, or not at all: what has lost a secret is no longer what it was."""
        return {} if text is None or self.texts.blot(text) != text else {name: text}

    def signal(self, facts: SignalFacts) -> Made:
        """Return the row of a change of a signal."""
        body = {
            "signal": facts.name,
            "of": self.texts.blot(facts.target),
            "value": facts.value,
            "host": facts.host,
            "number": facts.number,
        }
        return Made("signal", None, None, "", canonical_json(body))

    def feedback(self, facts: Feedback) -> Made:
        """Return the row of what somebody said of a call."""
        return Made("feedback", facts.entry, facts.record, facts.path, facts.body(self.texts))

    def forgotten(self, facts: Forgotten) -> Made:
        """Return the row of a reset."""
        return Made("forgotten", None, None, "", facts.body(self.texts))

    def begun(self, record: OpenRecord) -> Made:
        """Return the row of a call that is about to cost or change something."""
        extra: dict[str, Any] = {**self._decided(record), **self._labels(record)}
        if record.reply_key:
            extra["key"] = self.texts.keys.value(record.reply_key)
        if record.held is not None:
            extra["held"] = record.held.to_json()
        args, attempt = self.texts.keys.value(record.args_digest), len(record.attempts)
        more = canonical_json({"attempt": attempt, **extra})[1:-1] if extra else f'"attempt":{attempt}'
        body = f'{{{self.texts.site(record)},"args":"{args}",{more}}}'
        return Made("begun", record.entry, record.record, record.path, body)

    def ended(self, facts: OpenRecord | Answered, *, kept: bool = True) -> Made:
        """Return the row of a call that is over; with what it was answered, if that is `kept`."""
        record, answer = (facts.record, facts) if isinstance(facts, Answered) else (facts, None)
        value = self.texts.keys.value
        answered = self._whole(REPLY, answer.text()) if answer is not None and kept and _may_keep(record) else {}
        micros = int(record.seconds * 1_000_000 + 0.5)
        body = (
            f'{{{self.texts.site(record)},"outcome":"{_outcome(record)}","args":"{value(record.args_digest)}",'
            f'"reply":"{value(record.reply_digest)}","micros":{micros}'
        )
        if is_plain(record) and not record.stopped:
            named = f',"texts":{{"{REPLY}":"{self.texts.keys.text(answered[REPLY])}"}}}}' if answered else "}"
            return Made("ended", record.entry, record.record, record.path, body + named, answered)
        texts = {**self._kept(record), **answered}
        more = {**self._decided(record), **self._used(record), **self._named(texts), **self._failed(record)}
        more |= self._labels(record)
        if record.decision is not None:
            more |= self._for_learning(record)
        if record.attempts:
            more["attempts"] = [self._tried(each, words=_may_keep(record)) for each in record.attempts]
        if record.charged is not None:
            more["charged"] = record.charged.to_json()
        if record.stopped:
            more["stopped"] = True
        if record.hints:
            more["hints"] = [[name, self.texts.blot(said)] for name, said in record.hints]
        if record.exhausted:
            more["exhausted"] = record.exhausted
        if record.remote is not None:
            more["remote"] = {name: self.texts.blot(text) for name, text in record.remote.to_json().items()}
        if record.similar is not None:
            more["similar"] = self._similar(record.similar, words=self.texts.keep and _may_keep(record))
        if record.shadow is not None:
            more["shadow"] = {**attrs.asdict(record.shadow), "why": self.texts.blot(record.shadow.why)}
        if more:
            body = f"{body},{canonical_json(more)[1:-1]}"
        return Made("ended", record.entry, record.record, record.path, body + "}", texts)

    def end(self, ending: Ending) -> Made:
        """Return the last row of a run."""
        error = ending.error
        texts = {"message": self.texts.blot(told(error))} if self.keep and ending.words and error is not None else {}
        body: dict[str, Any] = {"status": ending.status, "ended": ending.when, "calls": ending.calls}
        body |= {**self._named(texts), **({} if error is None else {"error": _named_error(error)})}
        if ending.final and not self.keep:
            body["cut"] = True
        if ending.status == "waiting":  # so that a list of runs reads no more of each than this
            body["waits"] = ending.waits
        made = canonical_json(body)
        return Made("end", None, None, "", self.texts.blot(made) if ending.waits else made, texts)

    def _decided(self, record: OpenRecord) -> dict[str, Any]:
        decision = record.decision
        if decision is None:
            return {}
        plan = self.texts.plan(decision, words=_may_keep(record))
        found = {"decision": plan, "decided_at": _number(decision.plan.created_at)}
        if record.signals:
            found["signals"] = record.signals
        if record.said_around:
            found["said_around"] = True
        return found

    def _for_learning(self, record: OpenRecord) -> dict[str, Any]:
        """Return what those learn from that learn: when it was, how long the answer alone took, and so on."""
        found: dict[str, Any] = {"at": round(self.now(), 3)}
        if record.took:
            found["took"] = int(record.took * 1_000_000 + 0.5)
        if record.confidence is not None:
            found["confidence"] = _number(record.confidence)
        if record.situation is not None:
            found["situation"] = self.texts.situation(record.situation)
        return found

    def _used(self, record: OpenRecord) -> dict[str, Any]:
        """Return what a call used, as far as it did."""
        found = {
            "input_tokens": record.input_tokens,
            "output_tokens": record.output_tokens,
            "cost": _number(record.cost),
            "cache": record.cache,
            "model": self.texts.blot(record.model),
        }
        return {name: value for name, value in found.items() if value or value is None}

    def _similar(self, mark: SimilarMark, *, words: bool) -> dict[str, Any]:
        """Return what came of a look-up among similar requests; why may quote them, so only where texts are kept."""
        told = mark.to_json()
        why = told.pop("why", "")
        return {**told, "why": self.texts.blot(why)} if why and words else told

    def _labels(self, record: OpenRecord) -> dict[str, Any]:
        """Return the marks of a call, none for a public one."""
        if record.labelled is None:
            return {}
        found = record.labelled.to_json()
        if "freed" in found:
            found["freed"]["reason"] = self.texts.blot(found["freed"]["reason"])
        return found

    def _tried(self, made: AttemptRecord, *, words: bool) -> dict[str, Any]:
        told = attempt_json(made)
        told["target"], told["reason"] = self.texts.blot(told["target"]), self.texts.blot(told["reason"])
        told["elsewhere"] = [self.texts.blot(each) for each in told["elsewhere"]]
        told["cost"], told["retry_after"] = _number(told["cost"]), _number(told["retry_after"])
        told["transform"], told["aside"] = list(made.attempt.transform), made.attempt.aside
        if made.decision is not None:
            told["decision"] = self.texts.plan(made.decision, words=words)
        return {name: value for name, value in {**told, "signals": made.signals}.items() if value or name == "cost"}

    def _kept(self, record: OpenRecord) -> dict[str, str]:
        if not (self.keep and _may_keep(record)):
            return {} if record.args_text is None else {"args": self.texts.blot(record.args_text)}
        found = {
            "args": record.args_text,
            "error": record.error,
            "explanation": record.explanation,
            "heard": heard_text((record.decision, *(each.decision for each in record.attempts))),
        }
        return {name: self.texts.blot(text) for name, text in found.items() if text}

    def _named(self, texts: Mapping[str, str]) -> dict[str, Any]:
        return {"texts": {name: self.texts.keys.text(text) for name, text in texts.items()}} if texts else {}

    def _failed(self, record: OpenRecord) -> dict[str, Any]:
        return (
            {"error": {"kind": safe_kind(record.error_kind), "code": safe_code(record.code)}}
            if record.error_kind
            else {}
        )


def is_plain(record: OpenRecord) -> bool:
    """Tell whether a call is one of the many that no model answered, that succeeded, and of which no text is kept."""
    return (
        record.decision is None
        and record.args_text is None
        and record.labelled is None
        and record.remote is None
        and record.charged is None
        and not record.hints
        and not (record.error_kind or record.error)
        and not (record.model or record.explanation or record.cache)
        and not (record.input_tokens or record.output_tokens or record.cost != 0)
    )


def _may_keep(record: OpenRecord) -> bool:
    """Tell whether words of a call and its answer may be kept: the journal accepts their marks."""
    return record.labelled is None or record.labelled.answer_kept


def told(error: BaseException | None) -> str:
    """Return what is said of how a run ended."""
    if error is None:
        return ""
    return f"limit {error.dimension}: {error}" if isinstance(error, LimitError) else str(error)


def _outcome(record: OpenRecord) -> str:
    if record.error_kind:
        return "error"
    return "own body" if record.target == OWN_BODY else "value"


def _number(value: float | None) -> float | None:
    """Return a number that JSON has; None for one that is not known."""
    return float(value) if value is not None and isfinite(value) else None


def _named_error(error: BaseException) -> dict[str, Any]:
    """Return kind, code and place of what ended a run. The message of a limit, or of who ended it, is our own."""
    found: dict[str, Any] = {"kind": type(error).__name__, "code": getattr(error, "code", "")}
    if isinstance(error, LimitError | RunStopped):
        found["told"] = told(error)
    if isinstance(error, ProgramError):
        found = {"kind": safe_kind(error.kind), "code": safe_code(code_of(error))}
    place = error.value.span if isinstance(error, ProgramError) else getattr(error, "span", None)
    return {**found, "place": place} if isinstance(place, str) else found
