"""The decisions of a run as the journal tells them, each with all that it rested on.

In: a journal, its key, a run. Out: a `Told` for every decision, one at a time, in the order of the calls' ids; and the
signals of the run's host as they were after any number of changes.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.attempts import Attempt
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.orchestrator.recording.journal.chain import Keys
from rtfs_framework.orchestrator.recording.journal.file import keys_of
from rtfs_framework.orchestrator.recording.journal.parsing import parsed
from rtfs_framework.orchestrator.recording.journal.query import entries_within, has_log, reading, span
from rtfs_framework.orchestrator.recording.journal.recorded import attempt_of, function_of, value_of
from rtfs_framework.orchestrator.recording.journal.redact import name_of
from rtfs_framework.orchestrator.recording.records import OpenRecord

if TYPE_CHECKING:
    import sqlite3

_RUN = "SELECT body FROM log WHERE what = 'run' AND id = ? ORDER BY position LIMIT 1"
_SIGNALS = "SELECT body FROM log WHERE what = 'signal' ORDER BY position"
_PLAN = "SELECT body FROM plans WHERE digest = ?"
_COUNT = """
SELECT count(*) FROM log WHERE position BETWEEN ? AND ? AND what = 'ended' AND instr(body, '"decision":')
AND run IN (SELECT position FROM log WHERE what = 'run' AND id = ?)
"""
_HEARD = """
SELECT plain(t.position, t.name, t.body) AS body FROM texts t JOIN log l ON l.position = t.position
WHERE t.name = 'heard' AND l.what = 'ended' AND instr(l.body, ?) LIMIT 1
"""

_MOST = 4096
"""Stored texts that are remembered."""

NOT_KEPT = "the arguments were not kept: [journal] keep keeps them"
REMOVED = "the arguments were removed from the journal"
SEALED = "the arguments are encrypted with a key that is not known here"
STRUCK = "what was kept of the arguments is not what they were: a secret was struck out, or they do not read back"
UNENDED = "the call has no end, which would tell what was tried before"
OLD_RECORD = "the record is of a version that did not write down what decisions rest on"

Heard = Mapping[tuple[str, str, str], str]
"""Kind and id of a model, keyed digest of a question: the words of the answer."""


@attrs.frozen(slots=True)
class Signals:
    """The changes of one host's signals."""

    _changes: Mapping[tuple[str, str], tuple[list[int], list[Any]]]

    def at(self, number: int, name: str, of: str) -> tuple[Any] | None:
        """Return what a signal was after `number` changes, in a tuple; None when it was what it is by default."""
        numbers, values = self._changes.get((name, of), ((), ()))
        place = bisect_right(numbers, number)
        return (values[place - 1],) if place else None


@attrs.frozen(slots=True, kw_only=True)
class Facts:
    """What a run's first row says."""

    id: str
    policy: str
    seed: str
    tenant: str
    host: str
    """"" in journals that did not write down signals."""
    signals: Signals


@attrs.frozen(slots=True, kw_only=True)
class Told:
    """One decision, as the journal tells it."""

    call: str
    """The id of its call as people write it."""
    entry: Mapping[str, Any]
    """The call's row."""
    number: int
    """How many attempts of its call there were before it."""
    said: Mapping[str, Any]
    """The decision."""
    grounds: Mapping[str, Any]
    function: FunctionSignature | None
    attempts: tuple[Attempt, ...] = ()
    """What was tried before it."""
    signals: int = 0
    """How many changes of signals were known when it was made."""
    reads: tuple[Mapping[str, Any], ...]
    """What it read; of a plan from memory: what the decision read on which it stands."""
    args: tuple[Any, ...] | None
    lacks: str = ""
    """Why there are no arguments."""
    heard: Heard = attrs.field(factory=dict)
    facts: Facts

    @property
    def unended(self) -> bool:
        """Tell whether it followed attempts of which nothing is known: its call began, and has no end."""
        return self.entry["state"] == "begun" and bool(self.entry["attempt"])

    @property
    def order(self) -> tuple[object, ...]:
        """The call's id, as draws use it."""
        *branch, index = map(int, str(self.entry["path"]).partition("?")[0].split("."))
        entry, record = self.entry["entry"], self.entry["record"]
        return OpenRecord(index, "", "", tuple(branch), record=record, entry=entry).order


@attrs.define(slots=True, eq=False)
class History:
    """What a journal tells of decisions."""

    connection: sqlite3.Connection
    keys: Keys
    _texts: dict[str, dict[str, Any]] = attrs.field(factory=dict, init=False)
    _functions: dict[str, FunctionSignature | None] = attrs.field(factory=dict, init=False)
    _words: dict[str, Heard] = attrs.field(factory=dict, init=False)
    _signals: dict[str, Signals] = attrs.field(factory=dict, init=False)

    def facts(self, run: str) -> Facts:
        """Return what a run's first row says."""
        row = self.connection.execute(_RUN, (run,)).fetchone()
        body = {} if row is None else parsed(row["body"])
        host = str(body.get("host", ""))
        named = {name: str(body.get(name, "")) for name in ("policy", "seed", "tenant")}
        return Facts(id=run, host=host, signals=self._of_host(host), **named)

    def count(self, run: str) -> int:
        """Return about how many decisions a run made: what is written down of attempts is not counted."""
        found = self.connection.execute(_COUNT, (*span(self.connection, run), run)).fetchone()
        return int(found[0])

    def decisions(self, run: str) -> Iterator[Told]:
        """Yield the decisions of a run."""
        facts = self.facts(run)
        for entry in entries_within(self.connection, run):
            if entry["decision_digest"]:
                yield from self.told(entry, facts)

    def told(self, entry: Mapping[str, Any], facts: Facts) -> Iterator[Told]:
        """Yield the decisions of a call, each with what was tried before it."""
        seen: set[int] = set()
        for named in (*(each["decision"] for each in entry["attempts"]), entry["decision_digest"]):
            made = self.text(named).get("parts", {}).get("hedge_of", named)
            number = _attempts_before(self.text(made))
            if made and number not in seen:  # a repair, and both requests of a hedge, are of one decision
                seen.add(number)
                yield self._one(entry, facts, number, made)

    def _one(self, entry: Mapping[str, Any], facts: Facts, number: int, named: str) -> Told:
        said = self.text(named)
        parts = said.get("parts", {})
        grounds = self.text(parts.get("grounds", ""))
        stands_on = parts.get("stands_on", "")
        rests = self.text(stands_on) if stands_on else said
        args, lacks = self._args(entry)
        tried = entry["attempts"][:number]
        return Told(
            call=name_of(entry["entry"], entry["record"], entry["path"]),
            entry=entry,
            number=number,
            said=said,
            grounds=grounds,
            function=self._function(parts.get("grounds", ""), grounds),
            attempts=tuple(map(attempt_of, tried)),
            signals=int(tried[-1].get("signals", 0) if tried else entry["signals"]),
            reads=tuple(rests.get("reads", ())),
            args=args,
            lacks=lacks,
            heard=self._heard(stands_on or named, rests, "" if stands_on else entry["heard"]),
            facts=facts,
        )

    def text(self, named: str) -> dict[str, Any]:
        """Return a stored decision or grounds; nothing where it is not there."""
        known = self._texts.get(named)
        if known is None:
            row = self.connection.execute(_PLAN, (named,)).fetchone() if named else None
            if len(self._texts) >= _MOST:
                self._texts.clear()
            known = self._texts[named] = {} if row is None else parsed(row["body"])
        return known

    def keyed(self, text: str) -> str:
        """Return the keyed digest of a text, as records name questions."""
        return self.keys.value(text)

    def _function(self, named: str, grounds: Mapping[str, Any]) -> FunctionSignature | None:
        if named not in self._functions:
            try:
                self._functions[named] = function_of(grounds.get("function", {}))
            except ValueError:
                self._functions[named] = None
        return self._functions[named]

    def _args(self, entry: Mapping[str, Any]) -> tuple[tuple[Any, ...] | None, str]:
        text = entry["args"]
        if text is None:
            gone = REMOVED if "args" in entry["removed"] else NOT_KEPT
            return None, SEALED if "args" in entry["sealed"] else gone
        try:
            found = tuple(value_of(text))
            same = self.keys.value(digest(*found)) == entry["args_digest"]
        except (LanguageError, TypeError):
            return None, STRUCK
        return (found, "") if same else (None, STRUCK)

    def _heard(self, named: str, rests: Mapping[str, Any], beside: str) -> Heard:
        if not any(each["read"][0] == "consult" for each in rests.get("reads", ())):
            return {}
        if named not in self._words:
            row = None if beside else self.connection.execute(_HEARD, (f'"decision":"{named}"',)).fetchone()
            found = json.loads(beside or (row and row["body"]) or "[]")
            self._words[named] = {(kind, id_, self.keyed(asked)): answer for kind, id_, asked, answer in found}
        return self._words[named]

    def _of_host(self, host: str) -> Signals:
        if host not in self._signals:
            changes: dict[tuple[str, str], tuple[list[int], list[Any]]] = {}
            for row in self.connection.execute(_SIGNALS) if host else ():
                body = parsed(row["body"])
                if body.get("host") == host:
                    numbers, values = changes.setdefault((body["signal"], body["of"]), ([], []))
                    numbers.append(body["number"])
                    values.append(body["value"])
            self._signals[host] = Signals(changes)
        return self._signals[host]


def _attempts_before(said: Mapping[str, Any]) -> int:
    """Return after how many attempts a decision was made: what follows a failure begins by saying so.

    A decision that was carried out may have further steps, of guards and of people who were asked.
    """
    for step, verdict in said.get("steps", ())[:1]:
        count = str(verdict).partition(":")[0]
        return int(count) if step == "attempt" and count.isdecimal() else 0
    return 0


@contextmanager
def history_of(path: Path, home: Path) -> Iterator[History | None]:
    """Open a journal for a while; None for one of an older version, which tells of no reads.

    Raises:
        JournalError: There is none, or it cannot be read with this key.
    """
    with reading(path) as connection:
        yield History(connection, keys_of(connection, path, home)) if has_log(connection) else None
