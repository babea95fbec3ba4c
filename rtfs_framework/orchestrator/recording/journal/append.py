"""Appending to an open file: queued rows get their places and hashes inside one transaction.

What the file had when this process last saw it must still be there; if it is not, a row says so ("gap") before any
other is written, and positions go on after those that are missing. A transaction whose outcome is not known (Ctrl-C,
a fault while it was committed) is looked up in the file before its rows are written again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs

from rtfs_framework.api.secrets import Blot
from rtfs_framework.api.sqlite_file import in_transaction
from rtfs_framework.orchestrator.recording.journal import large
from rtfs_framework.orchestrator.recording.journal.chain import Head, Row, canonical_json
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.feedback import Feedback, Forgotten
from rtfs_framework.orchestrator.recording.journal.kept import Answered
from rtfs_framework.orchestrator.recording.journal.rows import Made, Maker, Removal, SignalFacts
from rtfs_framework.orchestrator.recording.journal.schema import (
    CUT_TEXTS,
    HEAD,
    INSERT_PLAN,
    INSERT_ROW,
    INSERT_TEXT,
    LATER,
    REMOVE_TEXT,
)
from rtfs_framework.orchestrator.recording.journal.stumps import Cutting, has_head, named_since
from rtfs_framework.orchestrator.recording.journal.texts import Texts

if TYPE_CHECKING:
    import sqlite3

    from rtfs_framework.orchestrator.recording.journal.file import OpenFile
    from rtfs_framework.orchestrator.recording.journal.run import Chain
    from rtfs_framework.orchestrator.recording.journal.sealing import Seal

Queued = tuple[str, "Chain | None", Any]
"""What a row says, the run that it belongs to, and the facts that it is made of."""


class Taken(NamedTuple):
    """How many queued rows are in the file now, how many lost ones are accounted for, and whether any was written."""

    rows: int
    lost: int
    wrote: bool


@attrs.define(slots=True, eq=False)
class _Pending:
    """A transaction whose outcome is not known yet."""

    batch: Sequence[Queued]
    head: Head
    numbers: dict[Chain, int]
    lost: int
    keeping: set[Chain]


@attrs.define(slots=True, eq=False)
class _Batch:
    """The rows of one transaction."""

    append: Appending
    head: Head
    rows: list[tuple[Any, ...]] = attrs.field(factory=list)
    texts: list[tuple[int, str, str | bytes]] = attrs.field(factory=list)
    large: dict[bytes, str] = attrs.field(factory=dict)
    """By what refers to them those texts that are in the file once, whoever names them."""
    numbers: dict[Chain, int] = attrs.field(factory=dict)
    removed: list[tuple[int, str]] = attrs.field(factory=list)
    """Positions and names of texts that are to go."""
    ending: frozenset[Chain] = frozenset()
    """Runs that end within it, for good: what would be needed to go on with them is not written at all."""
    over: list[dict[str, int]] = attrs.field(factory=list)
    """First and last position of runs that end, of which the file has more than it keeps."""
    keeping: set[Chain] = attrs.field(factory=set)
    """Runs of which it has texts that go with them."""
    cuttings: list[Cutting] = attrs.field(factory=list)
    cut: int | None = None
    """Where the file was found to be cut off: a run that began after that begins again."""

    def add(self, made: Made, run: int | None, *, after: int = 0) -> int:
        """Add a row and return its position."""
        position = max(self.head.position, after) + 1
        what, entry, record, id_, body, texts = made
        number = position if what == "run" else run
        hash_ = self.append.file.keys.row(Row(position, number, what, entry, record, id_, body), self.head.hash)
        self.rows.append((position, number, what, entry, record, id_, body, hash_))
        for name, text in texts.items():
            self.texts.append((position, name, self._held(position, name, text)))
        self.head = Head(position, hash_)
        return position

    def _held(self, position: int, name: str, text: str) -> str | bytes:
        """Return what is beside a row in place of a text: the text itself, sealed or not, or a reference."""
        file, seal = self.append.file, self.append.seal
        if len(text) >= large.LEAST:
            named = large.reference(file.keys.text(text), seal)
            self.large[named] = text
            return named
        return text if seal is None else seal.close(file.keys.journal, position, name, text)

    def of_run(self, what: str, chain: Chain, facts: Any) -> None:
        """Add a run's row, after its first one if this file has none."""
        number = self.numbers.get(chain)
        if number is None:
            number = chain.number
            if number is None or chain.file != self.append.file.keys.journal or self._gone(number):
                first = self.append.maker.run(chain.facts, kept=chain not in self.ending)
                number = self.numbers[chain] = self.add(self._noted(chain, first), None)
        if isinstance(facts, Answered):
            made = self.append.maker.ended(facts, kept=chain not in self.ending)
        else:
            made = self.append.make[what](facts)
        position = self.add(self._noted(chain, made), number)
        holds = chain.kept or chain in self.keeping
        if what == "end" and facts.final and holds and not self.append.maker.keep:
            self.over.append({"first": number, "last": position})

    def _noted(self, chain: Chain, made: Made) -> Made:
        """Take note of a row whose texts go with its run."""
        if made.texts and not self.append.maker.keep:
            self.keeping.add(chain)
        return made

    def of_file(self, what: str, facts: Removal | Cutting | SignalFacts | Feedback | Forgotten) -> None:
        """Add a row that no run under way writes: something is removed, a signal changes, or there is more to learn."""
        if isinstance(facts, SignalFacts):
            self.add(self.append.maker.signal(facts), None)
            return
        if isinstance(facts, Feedback):
            self.add(self.append.maker.feedback(facts), facts.run)
            return
        if isinstance(facts, Forgotten):
            self.add(self.append.maker.forgotten(facts), None)
            return
        if isinstance(facts, Cutting):
            self.cuttings.append(facts)
        else:
            self.removed.extend(facts.texts)
        self.add(Made(what, None, None, "", canonical_json(facts.body)), None)

    def _gone(self, number: int) -> bool:
        return self.cut is not None and number > self.cut


@attrs.define(slots=True, eq=False)
class Appending:
    """Appends to one open file; the journal's lock guards it."""

    file: OpenFile
    maker: Maker
    known: Head
    """The last head that was seen: it must be in the file."""
    seal: Seal | None = None
    """What kept texts are encrypted with."""
    owed: bool = attrs.field(default=False, init=False)
    """Whether the latest rows are not forced to disk: the head file must not speak of what the machine may lose."""
    gaps: list[dict[str, Any]] = attrs.field(factory=list)
    """What was found missing, and is not written yet."""
    make: dict[str, Callable[[Any], Made]] = attrs.field(init=False)
    _pending: _Pending | None = attrs.field(default=None, init=False)
    _schema: int = attrs.field(default=-1, init=False)
    _others: int | None = attrs.field(default=None, init=False)
    """SQLite's mark of what other connections wrote (`data_version`) when our latest rows, `known`, were the last."""
    _seen: int | None = attrs.field(default=None, init=False)
    """The same, within the transaction under way."""

    @make.default
    def _makers(self) -> dict[str, Callable[[Any], Made]]:
        make = self.maker
        noted = dict.fromkeys(LATER, make.noted)
        return {"begun": make.begun, "ended": make.ended, "end": make.end, "feedback": make.feedback, **noted}

    @classmethod
    def of(
        cls,
        file: OpenFile,
        blot: Blot,
        before: Appending | None,
        *,
        keep: bool,
        seal: Seal | None = None,
        now: Callable[[], float] = time.time,
    ) -> Appending:
        """Return what appends to a file that was just opened; `before` appended to the one that was open here."""
        anchored = file.anchor.read(file.keys)
        known, gaps = Head(), []
        if anchored.state == "here":
            known = anchored.head
        elif anchored.state == "other":
            gaps.append({"reason": "another journal", "journal": anchored.journal, "position": anchored.head.position})
        words = keep and seal is None  # decisions lie beside the texts, as they are
        made = cls(file, Maker(Texts(blot, file.keys, words), keep, now), known, seal, gaps)
        if before is not None and before.file.keys.journal == file.keys.journal:
            made.known = max(known, before.known, key=lambda head: head.position)
            made.gaps.extend(before.gaps)
            made._pending = before._pending
        return made

    def append(self, queue: list[Queued], lost: int) -> Taken:
        """Write what is queued in one transaction; `settle` must follow when it was taken out of the queue.

        Raises:
            sqlite3.Error, OSError: It was not written.
        """
        return in_transaction(self.file.connection, lambda db: self._append(db, queue, lost))

    def settle(self) -> None:
        """Take note that a transaction succeeded."""
        pending, self._pending = self._pending, None
        if pending is None:
            return
        self.known, self._others = pending.head, self._seen
        for chain, number in pending.numbers.items():
            chain.number, chain.file = number, self.file.keys.journal
        for chain in pending.keeping:
            chain.kept = True
        self.gaps.clear()
        self.maker.texts.new_plans.clear()

    def anchor(self) -> None:
        """Note the file's head outside of it.

        Raises:
            sqlite3.Error, OSError: That cannot be done.
        """
        self.file.anchor.close()  # it may have been deleted meanwhile
        in_transaction(self.file.connection, lambda db: self.file.anchor.write(self.file.keys, _head(db)))

    def _append(self, db: sqlite3.Connection, queue: list[Queued], lost: int) -> Taken:
        done, lost_done, head = 0, 0, self.known
        if not self._is_ours(db):
            self._see_schema(db)
            done, lost_done = self._done(db, queue)
            head = _head(db)
        if not self.owed:
            self.file.anchor.write(self.file.keys, head)
        queued = queue[:]
        batch = _Batch(self, head, ending=self._ending(queued))
        self._note_gaps(db, batch)
        left = lost - lost_done
        if left > 0:
            batch.add(Made("lost", None, None, "", canonical_json({"rows": left, "when": time.time()})), None)
        for what, chain, facts in queued[done:]:
            if chain is not None:
                batch.of_run(what, chain, facts)
            else:
                batch.of_file(what, facts)
        self._put(db, batch)
        if batch.cuttings:
            self._seen = None  # it has put triggers away, and decisions may be gone
        self._pending = _Pending(queued, batch.head, batch.numbers, lost, batch.keeping)
        return Taken(len(queued), lost, bool(batch.rows))

    def _put(self, db: sqlite3.Connection, batch: _Batch) -> None:
        """Write rows and what lies beside them, and remove what they say is removed."""
        plans = list(self.maker.texts.new_plans.items())
        for statement, rows in ((INSERT_PLAN, plans), (INSERT_ROW, batch.rows), (INSERT_TEXT, batch.texts)):
            if rows:
                db.executemany(statement, rows)
        for refers, text in batch.large.items():
            large.put(db, self.file.keys.journal, refers, text, self.seal)
        if batch.removed:
            db.executemany(REMOVE_TEXT, batch.removed)
        if batch.over:
            db.executemany(CUT_TEXTS, batch.over)
        for cutting in batch.cuttings:
            named = named_since(db, cutting.scanned) if cutting.plans else ()
            if not cutting.carry_out(db, self.file.keys, named):
                problem = "rows were removed or changed at the same time, or beside these, so nothing is removed"
                help_ = "try again; `rtfs runs verify --all` says what is wrong if it stays so"
                raise JournalError(Path(self.file.paths[0]), problem, help_)

    def _is_ours(self, db: sqlite3.Connection) -> bool:
        """Tell whether the last rows of the file are those that were written here, and nobody else has changed it.

        What is in the file need not be read then. The transaction whose outcome is not known is none of these.
        """
        self._seen = db.execute("PRAGMA data_version").fetchone()[0]
        return self._seen == self._others and self._pending is None

    def _see_schema(self, db: sqlite3.Connection) -> None:
        """Forget which decisions are in the file when somebody may have removed some: that puts triggers away."""
        found = int(db.execute("PRAGMA schema_version").fetchone()[0])
        if found != self._schema:
            self._schema = found
            self.maker.texts.forget_plans()

    def _ending(self, queued: list[Queued]) -> frozenset[Chain]:
        """Return the runs that end for good in this transaction, unless what they need is kept all the same."""
        if self.maker.keep:
            return frozenset()
        return frozenset(chain for what, chain, facts in queued if what == "end" and chain is not None and facts.final)

    def _done(self, db: sqlite3.Connection, queue: list[Queued]) -> tuple[int, int]:
        """Return how many of the queued rows an earlier transaction wrote, although nobody was told."""
        pending = self._pending
        if pending is None:
            return 0, 0
        if not has_head(db, pending.head, self.file.keys):
            self._pending = None
            return 0, 0
        self.settle()
        self._others = None  # others may have written behind it
        same = bool(queue) and bool(pending.batch) and queue[0] is pending.batch[0]
        return (len(pending.batch), pending.lost) if same else (0, 0)

    def _note_gaps(self, db: sqlite3.Connection, batch: _Batch) -> None:
        """Write what is missing of what was in this place before."""
        if self.known != batch.head and not has_head(db, self.known, self.file.keys):
            found = {"reason": "missing rows", "position": self.known.position, "hash": self.known.hash.hex()}
            self.gaps.append(found)
            self.known, batch.cut = Head(), batch.head.position
        for gap in self.gaps:
            after = gap["position"] if gap["reason"] == "missing rows" else 0
            body = canonical_json({**gap, "when": time.time()})
            batch.add(Made("gap", None, None, "", body), None, after=after)


def _head(db: sqlite3.Connection) -> Head:
    found = db.execute(HEAD).fetchone()
    return Head() if found is None else Head(found[0], found[1])
