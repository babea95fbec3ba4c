"""Calling main for every record on the workers of a cluster: order kept, each record once, memory bounded.

Records travel in pieces; what is lost is done again, in smaller pieces, so that a record which brings workers down is
found and fails alone. What a piece's calls were is written down when it comes back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.values import ErrorValue
from rtfs_framework.orchestrator.boundary.arguments import taken
from rtfs_framework.orchestrator.boundary.exact import to_text
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.records import RecordResult, Summary
from rtfs_framework.orchestrator.spreading.fit import SpreadError, check_fit, job_of, refused
from rtfs_framework.orchestrator.spreading.pieces import Done, DonePiece, Piece, Refusal, done_of, piece_text
from rtfs_framework.orchestrator.spreading.shares import Share, Shares
from rtfs_framework.orchestrator.spreading.worker import work

if TYPE_CHECKING:
    from rtfs_framework.api.executor import Executor
    from rtfs_framework.orchestrator.running.linking import Linked
    from rtfs_framework.orchestrator.running.program import LoadedProgram
    from rtfs_framework.orchestrator.session import Session

UNABLE = "E0832"
_FIRST, _MOST = 8, 2000
"""Records of the first pieces, and of any."""
_SECONDS = 1.0
"""How long a piece should take: long enough that handing it out is nothing beside it."""
_BYTES = 4 << 20
"""Characters of a piece's records."""
_TIMES = 3
"""Times that a record may be lost."""
_AHEAD = 4
"""Pieces that may be read ahead of the first that is not over, for each place."""
_WAIT = 1.0


@attrs.define(slots=True, eq=False)
class _Handed:
    """A piece under way, or to be handed out again."""

    first: int
    records: tuple[str, ...]
    share: Share | None = None
    whole: bool = False
    """Whether it wants all that is left of the budgets."""
    losses: int = 0


@attrs.define(slots=True, eq=False)
class Spread:
    """An iterator over `RecordResult`s, like `Stream`; `summary` holds the totals so far.

    One thread reads it.
    """

    program: LoadedProgram
    executor: Executor
    job: Mapping[str, Any]
    records: Iterator[Any]
    shares: Shares
    _again: deque[_Handed] = attrs.field(factory=deque, init=False)
    _under_way: dict[int, _Handed] = attrs.field(factory=dict, init=False)
    _results: dict[int, RecordResult] = attrs.field(factory=dict, init=False)
    """Those that are over and whose turn has not come."""
    _turn: int = attrs.field(default=0, init=False)
    _read: int = attrs.field(default=0, init=False)
    _pieces: int = attrs.field(default=0, init=False)
    _came: int = attrs.field(default=0, init=False)
    """Pieces that came back."""
    _lost: int = attrs.field(default=0, init=False)
    _size: float = attrs.field(default=_FIRST, init=False)
    _dry: bool = attrs.field(default=False, init=False)

    @classmethod
    def over(
        cls,
        session: Session,
        linked: Linked,
        records: Iterable[Any],
        on: tuple[str, str],
        environ: Mapping[str, str],
        concurrency: int | None = None,
        *,
        how: Mapping[str, Any] | None = None,
    ) -> Spread:
        """Return one that runs a program on an executor: `on` is its name and address. The caller closes both.

        `how` is what is done with it, for whoever goes on with its run (see `Session.load`): at home, as a stream over
        the same records, where calls of which workers have told are answered as they were.

        Raises:
            SpreadError: E0831, the program or the configuration cannot be spread.
            PluginError: There is no such executor, or it cannot be reached.
        """
        from rtfs_framework.api.executor import ExecutorSettings

        name, address = on
        entry = session.host.catalog.executor(name)
        check_fit(session, linked, environ)
        executor = entry.factory(ExecutorSettings(address=address, work=work))
        try:
            program = session.load(linked, how=how)
            job = job_of(session, program, linked, concurrency)
        except BaseException:
            executor.close()
            raise
        return cls(program, executor, job.to_json(), iter(records), Shares(session.host, program.run_id))

    def __iter__(self) -> Spread:
        return self

    def __next__(self) -> RecordResult:
        try:
            while self._turn not in self._results and not self.interrupted and self._advance():
                pass
        except KeyboardInterrupt:
            self.interrupt()
        except BaseException:
            self.interrupt()
            raise
        return self._next()

    def _next(self) -> RecordResult:
        if self._turn not in self._results and not self._results:
            raise StopIteration
        turn = min(self._results)  # after an interruption there may be gaps
        result = self._results.pop(turn)
        self._turn = turn + 1
        self.program.ledger.count_record(failed=result.error is not None)
        return result

    @property
    def interrupted(self) -> bool:
        """Tell whether it was stopped before its end."""
        return self.program.ledger.tally.interrupted

    @property
    def summary(self) -> Summary:
        """The totals so far."""
        return self.program.summary

    def interrupt(self) -> Summary:
        """Stop: take back what has not begun, and keep what is done. Shares of what goes on stay spent in full."""
        tally = self.program.ledger.tally
        if not tally.interrupted:
            tally.interrupted = True
            self.executor.cancel()
            while self._under_way and (ended := self.executor.next(0.0)) is not None:
                handed = self._under_way.pop(ended.index)
                if ended.result is not None:
                    with suppress(SpreadError, JournalError):  # what cannot be used is not done again either
                        self._take(handed, ended.result)
        return self.summary

    def close(self) -> None:
        """Let the executor go."""
        self.executor.close()

    def _advance(self) -> bool:
        """Hand out what there are places for, and wait for something; tell whether anything is left to do."""
        places = self.executor.places()
        while len(self._under_way) < places and (handed := self._to_hand_out(places)) is not None:
            self._hand_out(handed)
        if not self._under_way:
            return bool(self._again) or not self._dry
        ended = self.executor.next(_WAIT)
        if ended is None:
            return True
        handed = self._under_way.pop(ended.index)
        if ended.result is None:
            self._lose(handed, ended.why)
        else:
            self._take(handed, ended.result)
        return True

    def _to_hand_out(self, places: int) -> _Handed | None:
        """Return the next piece with its share, if there is one, and its budget can be had now."""
        if not self._again:
            if self._dry or self._read - self._turn > _AHEAD * places * self._size:
                return None
            fresh = self._fresh()
            if fresh is None:
                return None
            self._again.append(fresh)
        handed = self._again[0]
        handed.share = self.shares.take(places, alone=not self._under_way, whole=handed.whole)
        return None if handed.share is None else self._again.popleft()

    def _fresh(self) -> _Handed | None:
        """Read the records of another piece."""
        texts: list[str] = []
        first, size = self._read, 0
        while len(texts) < self._size and size < _BYTES:
            try:
                record = next(self.records)
            except StopIteration:
                self._dry = True
                break
            text = self._text(record)
            self._read += 1
            if text is None:
                break
            texts.append(text)
            size += len(text)
        return _Handed(first, tuple(texts)) if texts else None

    def _text(self, record: Any) -> str | None:
        """Return the text of a record; of one that has none, note the error, and that another piece begins."""
        index = self._read
        try:
            text = to_text(taken(self.program.instance, record, f"record {index}"))
        except ProgramError as error:
            self._fail(index, error.value)
            return None
        if text is None:
            message = f"record {index} cannot travel to a worker: it is longer than 1 MiB, or nests deeper than 64"
            self._fail(index, ErrorValue("InvalidArgument", message))
        return text

    def _hand_out(self, handed: _Handed) -> None:
        self._pieces += 1
        purse = None if handed.share is None else handed.share.purse
        self._under_way[self._pieces] = handed
        self.executor.submit(self._pieces, piece_text(self.job, Piece(handed.first, handed.records, purse)))

    def _lose(self, handed: _Handed, why: str) -> None:
        """Do the records of a lost piece again: the second time in halves, and one that is lost too often fails."""
        self._lost += 1
        handed.losses += 1
        if not self._came and self._lost >= _TIMES:
            message = f"the workers do none of what they are given: {why}"
            raise refused(UNABLE, message, "install rtfs-framework there, with the plug-ins that you have here")
        if handed.losses == 1:
            self._again.append(handed)
        elif len(handed.records) > 1:
            half = len(handed.records) // 2
            parts = ((handed.first, handed.records[:half]), (handed.first + half, handed.records[half:]))
            self._again.extend(_Handed(*part, whole=handed.whole, losses=1) for part in parts)
        elif handed.losses < _TIMES:
            self._again.append(handed)
        else:
            message = f"record {handed.first} was lost {_TIMES} times; the last time {why}"
            self._fail(handed.first, ErrorValue("NetworkError", message))

    def _take(self, handed: _Handed, text: bytes) -> None:
        """Write down what came of a piece; one that tells of other records than it was given is lost.

        Raises:
            SpreadError: E0832, its worker refuses it, or what it says cannot be read.
            JournalError: It cannot be written down; its results are not handed out then.
        """
        done = _told(text)
        told, given = len(done.records), len(handed.records)
        if told != given:
            self._lose(handed, f"its worker told what came of {told} of {given} records")
            return
        self._came += 1
        self.shares.settle(handed.share or Share(), done)
        short: list[int] = []
        over: dict[int, RecordResult] = {}
        for index, each in enumerate(done.records, handed.first):
            if handed.share is not None and not handed.share.whole and _was_short(each):
                self._note_short(each)
                short.append(index)
            else:
                self._note(each)
                over[index] = _result(index, each)
        if self.program.chain is not None:  # nobody is told what a process that goes on with the run would not know
            self.program.chain.journal.commit()
        self._results.update(over)
        if not self.interrupted:
            self._do_again(handed, short)
        if len(handed.records) >= self._size:
            grown = self._size * max(0.5, min(2.0, _SECONDS / max(done.seconds, 1e-3)))
            self._size = max(1.0, min(float(_MOST), grown))

    def _do_again(self, handed: _Handed, short: Sequence[int]) -> None:
        """Let records be done again with all that is left."""
        for _, run in groupby(enumerate(short), key=lambda each: each[1] - each[0]):  # those that follow each other
            indices = [index for _, index in run]
            records = handed.records[indices[0] - handed.first :][: len(indices)]
            self._again.append(_Handed(indices[0], records, whole=True))

    def _note(self, done: Done) -> None:
        """Write down a record's calls, with what they were answered."""
        chain = self.program.chain
        for call, answer in zip(done.calls, done.answers, strict=True):
            if chain is not None and answer is not None:
                chain.answered(call, answer.value, None if answer.error is None else answer.error.value, answer.said)
            self.program.ledger.note(call)

    def _note_short(self, done: Done) -> None:
        """Write down what the calls of a record took that is not over: as stopped ones, which are made again."""
        for call in done.calls:
            self.program.ledger.note(attrs.evolve(call, stopped=True))

    def _fail(self, index: int, error: ErrorValue) -> None:
        self._results[index] = RecordResult(index=index, error=error)


def _told(text: bytes) -> DonePiece:
    try:
        told = done_of(text)
    except ValueError as error:
        message = f"a worker says what cannot be read: {error!s:.200}"
        raise refused(UNABLE, message, "install the same rtfs-framework there as here") from error
    if isinstance(told, Refusal):
        raise refused(UNABLE, told.message, told.way_out)
    return told


def _was_short(done: Done) -> bool:
    """Tell whether a record wanted more than its piece's share."""
    refusals = (each.attempt.guard for call in done.calls for each in call.attempts)
    return "budget" in refusals


def _result(index: int, done: Done) -> RecordResult:
    return RecordResult(index=index, value=done.value, error=done.error, calls=done.calls, seconds=done.seconds)
