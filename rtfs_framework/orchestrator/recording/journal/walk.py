"""Walking over the rows of a log, one after the other, and finding what is not as it was written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.orchestrator.recording.journal import large
from rtfs_framework.orchestrator.recording.journal.chain import START, Head, Keys, Row
from rtfs_framework.orchestrator.recording.journal.decisions import decisions_of, parts_of
from rtfs_framework.orchestrator.recording.journal.kept import CUT, REPLY
from rtfs_framework.orchestrator.recording.journal.schema import COLUMNS, ROWS, TYPES
from rtfs_framework.orchestrator.recording.journal.sealing import any_known, opened
from rtfs_framework.orchestrator.recording.journal.stumps import STUMP, Stump, follows
from rtfs_framework.orchestrator.recording.journal.usual import BEGINS, DIGEST, Usual, is_usual_begin, usual_end

if TYPE_CHECKING:
    import sqlite3

_TEXTS = "SELECT position, name, body FROM texts WHERE position BETWEEN ? AND ? ORDER BY position"
_PLAN = "SELECT body FROM plans WHERE digest = ?"
_END = 2**63 - 1
_MOST = 20
"""Problems that are told."""
_CALLS = ("begun", "ended")
_DECISION, _SITUATION, _TEXT = '"decision":', '"situation":', '"texts":'
"""What a row has that names something that lies beside it: no JSON text of a value can have these letters in it."""
_decode = json.JSONDecoder().raw_decode
"""Our own texts have no spaces around them, which `json.loads` looks for."""
_GOOD: set[tuple[type, ...]] = set()
"""Types of columns that were found to fit."""
_NO_TEXTS: Mapping[str, str] = {}
Taken = tuple[Any, ...]
"""A row as it lies in the file: the columns of `schema.COLUMNS`."""
_Read = tuple[bool, "str | None"]
"""Whether a text is as it was written, and the text, where it could be read."""


@attrs.define(slots=True, eq=False)
class Walk:
    """A walk from a row to the end; `parent` is the hash of the row before it. `run` counts one run's calls.

    Rows are many, and those of calls most of them: what is usual of them is looked at without being read (`_call`).
    """

    connection: sqlite3.Connection
    keys: Keys
    first: int
    parent: bytes
    run: str = ""
    stop: int = _END
    take: Callable[[Taken, Mapping[str, str], Usual | None], None] | None = None
    """Given each row that is proved, in order, the texts beside it that could be read, by name, and what it says where
    it is a call's that is as nearly all are (`usual`)."""
    unreadable: set[int | None] = attrs.field(factory=set)
    """The runs of which a sealed text could not be opened."""
    head: Head = attrs.field(factory=Head)
    rows: int = 0
    sealed: int = 0
    """Kept texts whose key is not known."""
    calls: int = 0
    runs: set[int] = attrs.field(factory=set)
    ends: set[int] = attrs.field(factory=set)
    migrated: dict[str, Any] | None = None
    since: Any = None
    problems: list[tuple[int | None, str]] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    _mine: set[int] = attrs.field(factory=set)
    _plans: dict[str, bool] = attrs.field(factory=dict)
    _missing: dict[int, set[str]] = attrs.field(factory=dict)
    _kept: dict[int, set[int]] = attrs.field(factory=dict)
    """Positions of rows whose texts go with their run, by the run's."""
    _texts: Iterator[Any] = attrs.field(factory=lambda: iter(()))
    """Kept texts that were not come to, in the order of their rows: position, name, body."""
    _text: Any = None
    _usual: Usual | None = None
    """What the row says that was looked at last, if it is one of those."""
    _large: dict[bytes, _Read] = attrs.field(factory=dict)
    """Of large texts, by what refers to them, whether they are as written; and the text, where somebody takes rows."""

    @property
    def finished(self) -> bool:
        """Tell whether the run that is counted has ended."""
        return bool(self._mine) and max(self._mine) in self.ends

    def problem(self, position: int | None, text: str) -> None:
        """Note that something is wrong."""
        if len(self.problems) < _MOST:
            self.problems.append((position, text))

    def go(self) -> None:
        """Walk."""
        parent, expected = self.parent, self.first
        span = (self.first if self.first > 1 else -_END, self.stop)
        self._texts = _tuples(self.connection, _TEXTS, span)
        self._text = next(self._texts, None)
        proves, take, call = self.keys.proves, self.take, self._call
        for values in _tuples(self.connection, ROWS, span):
            position, run, what, entry, record, id_, body, hash_ = values
            if (
                what in _CALLS
                and position == expected
                and (body.__class__ is str and id_.__class__ is str)  # SQLite itself would take anything
                and (run.__class__ is int and entry.__class__ is int and (record is None or record.__class__ is int))
                and proves(parent, values)
            ):
                texts = call(position, run, what, id_, body)
                if take is not None:
                    take(values, texts, self._usual)
            else:
                self._other(values, parent, expected)
            self.rows += 1
            if hash_.__class__ is not bytes or position.__class__ is not int:
                break
            parent, expected = hash_, position + 1
        else:
            self._looked_at_all()
        if self.rows and expected > self.first:
            self.head = Head(expected - 1, parent)

    def _other(self, values: Taken, parent: bytes, expected: int) -> None:
        """Look at a row that is no call's, or not what it should be."""
        row, hash_ = Row._make(values[:-1]), values[-1]
        if _fits(values) and row.what == STUMP:
            stump = Stump.read(row.position, hash_, row.body, self.keys)
            if stump is None or not follows(stump, expected, parent):
                self.problem(row.position, f"what stands for the rows cut before row {row.position} was changed")
        elif not _fits(values) or self.keys.row(row, parent) != hash_:
            gone = f" or rows {expected}-{row.position - 1} before it are missing" if row.position != expected else ""
            self.problem(row.position, f"row {row.position} was changed{gone}")
        elif row.position != expected and row.what != "gap":
            self.problem(expected, f"rows {expected}-{row.position - 1} are missing")
        else:
            position, run, what, _, _, id_, body = row
            is_call = what in _CALLS
            texts = self._call(position, run, what, id_, body) if is_call else self._proved(row, expected - 1)
            if self.take is not None:
                self.take(values, texts, None)

    def _looked_at_all(self) -> None:
        """Say what there is to say when the end was reached."""
        if self.sealed:
            self.notes.append(f"{self.sealed} kept texts were not looked at: their key is not here")
        for position, names in sorted(self._missing.items()):
            if names:
                self.problem(position, f"a kept text of row {position} is missing: {', '.join(sorted(names))}")

    def _proved(self, row: Row, before: int) -> Mapping[str, str]:
        """Look at a row that is as it was written; return the texts beside it."""
        body: dict[str, Any] = json.loads(row.body)
        if row.what == "run":
            self.runs.add(row.position)
            if row.id == self.run:
                self._mine.add(row.position)
        elif row.what == "end" and row.run is not None:
            self.ends.add(row.run)
            for position in self._kept.pop(row.run, ()) if body.get("cut") else ():
                self._missing.get(position, set()).difference_update(CUT)
        elif row.what == "journal":
            self.migrated, self.since = body.get("migrated"), body.get("when")
        elif row.what in ("gap", "cut", "lost"):
            self._less(row, body, before)
        elif row.what == "redacted":
            for position, names in body.get("texts", {}).items():
                self._missing.setdefault(int(position), set()).difference_update(names)
        of = row.position if row.what == "run" else row.run
        return self._beside(row.position, of, body, names=row.what != "redacted")

    def _call(self, position: int, run: int | None, what: str, id_: str, body: str) -> Mapping[str, str]:
        """Look at a row of a call, which was proved; return the texts beside it. Most name nothing but a reply."""
        next_ = self._text
        if what == "ended":
            if self._mine and run in self._mine and "?" not in id_:
                self.calls += 1
            if next_ is not None and (usual := usual_end(body)) is not None:
                of, name, text = next_
                if of == position and name == REPLY and text.__class__ is str and self.keys.text(text) == body[DIGEST]:
                    self._usual, self._text = usual, (next_ := next(self._texts, None))
                    if next_ is not None and next_[0] == position:
                        self._look_at_texts(position, run, {})  # nothing else may lie here
                    return {REPLY: text}
        elif (next_ is None or next_[0] > position) and is_usual_begin(body):
            self._usual = BEGINS
            return _NO_TEXTS
        self._usual = None
        if _DECISION in body or _SITUATION in body:
            return self._beside(position, run, _decode(body)[0])
        if next_ is None or next_[0] > position:  # nothing lies here
            return self._beside(position, run, _decode(body)[0]) if _TEXT in body else _NO_TEXTS
        return self._beside(position, run, _decode(body)[0])

    def _beside(self, position: int, run: int | None, body: dict[str, Any], *, names: bool = True) -> Mapping[str, str]:
        """Look at what a row names that lies beside it; return the texts."""
        if not all(map(self._plan, decisions_of(body))):
            self.problem(position, f"the decision of row {position} was changed")
        return self._look_at_texts(position, run, body.get("texts") if names else None)

    def _less(self, row: Row, body: dict[str, Any], before: int) -> None:
        """Tell of rows that are not there."""
        if row.what == "lost":
            self.notes.append(f"row {row.position}: {body.get('rows')} rows could not be written at that time")
        elif row.what == "gap":
            self._gap(row, body, before)
        elif "runs" in body:
            self.notes.append(f"row {row.position}: {body['runs']} runs were removed on purpose, {body['rows']} rows")

    def _gap(self, row: Row, body: dict[str, Any], before: int) -> None:
        if body.get("reason") == "missing rows":
            text = (
                f"rows {before + 1}-{row.position - 1} are missing: the file had been cut, or put back to an older copy"
            )
        else:
            text = f"another journal lay in this place before, and had come to row {body.get('position')}"
        self.problem(row.position, f"{text} (noticed by row {row.position})")

    def _plan(self, digest: str) -> bool:
        if digest not in self._plans:
            found = self.connection.execute(_PLAN, (digest,)).fetchone()
            text = None if found is None else found["body"]
            self._plans[digest] = (
                isinstance(text, str)
                and self.keys.text(text) == digest
                and all(self._plan(part) for part in parts_of(text).values())
            )
        return self._plans[digest]

    def _look_at_texts(self, position: int, run: int | None, named: dict[str, str] | None) -> Mapping[str, str]:
        """Compare what is kept beside a row with the digests in it; return what could be read.

        Who is told the rows of one run needs no texts of others, which may be gone, or sealed with keys of theirs.
        """
        if self.take is not None and run != self.first:
            return _NO_TEXTS
        missing, found = set(named or ()), dict[str, str]()
        for name, body in self._texts_of(position):
            as_written, text = self._read(position, run, name, body, None if named is None else named.get(name))
            if not as_written:
                self.problem(position, f"a kept text of row {position} was changed or added: {name}")
            elif text is not None:
                found[name] = text
            missing.discard(name)
        if missing:
            self._missing[position] = missing
            if run is not None and not missing.isdisjoint(CUT):
                self._kept.setdefault(run, set()).add(position)
        return found

    def _texts_of(self, position: int) -> Iterator[tuple[Any, Any]]:
        """Yield names and bodies of the texts of a row; rows are asked for in their order."""
        while (text := self._text) is not None and text[0] <= position:
            if text[0] == position:
                yield text[1], text[2]
            self._text = next(self._texts, None)

    def _read(
        self, position: int, run: int | None, name: Any, body: Any, digest: str | None
    ) -> tuple[bool, str | None]:
        """Tell whether a kept text is what a row names by digest, and return it, where it can be read."""
        if digest is None:
            return False, None
        if (named := large.digest_of(body)) is None:
            return self._opened(position, run, name, body, digest)
        known = self._large.get(body) if named == digest else (False, None)
        if known is None:
            place = large.PLACE, run, digest, large.stored(self.connection, body), digest
            as_written, text = self._opened(*place)
            known = self._large[body] = as_written, None if self.take is None else text
        return known

    def _opened(self, position: int, run: int | None, name: Any, body: Any, digest: str) -> _Read:
        """Do the same of what lies there itself; a sealed one can be told only with its key."""
        if isinstance(body, bytes) and not any_known():
            self.sealed += 1
            self.unreadable.add(run)
            return True, None
        try:
            text = opened(self.keys.journal, position, name, body)
        except ValueError:
            text = None
        if text is None and body is not None and not isinstance(body, str):
            self.unreadable.add(run)
        as_written = text is not None and self.keys.text(text) == digest
        return as_written, text if as_written else None


def _tuples(connection: sqlite3.Connection, select: str, span: tuple[int, int]) -> Iterator[Taken]:
    """Return an iterator over rows as bare tuples: others are made anew for each."""
    cursor = connection.cursor()
    cursor.row_factory = None
    return iter(cursor.execute(select, span))


def before(connection: sqlite3.Connection, position: int) -> bytes:
    """Return the hash of the row before a position."""
    select = "SELECT hash FROM log WHERE position < ? ORDER BY position DESC LIMIT 1"
    found = connection.execute(select, (position,)).fetchone()
    return START if found is None else found["hash"] if isinstance(found["hash"], bytes) else b"?"


def _fits(values: tuple[Any, ...]) -> bool:
    """Tell whether every column holds a value of its own type."""
    types = tuple(map(type, values))
    if types not in _GOOD:
        if not all(kind in TYPES[name] for name, kind in zip(COLUMNS, types, strict=True)):
            return False
        _GOOD.add(types)
    return True
