"""Runs that outlive a process: what one durable step costs, how often it syncs, and how long it takes to go on.

    python -m benchmarks.durable [--calls 100000] [--dbos PYTHON]

All of it lies on the disk of the folder for temporary files.

- One step is a call of a capability that does nothing: "begun" on disk, the effect, "ended" with its reply on disk. It
  is held against a bare insert of SQLite of the same bytes, committed by itself, in the same rounds; with
  `[journal] sync = "normal"` and "full". How often a step syncs is counted by `strace` in a process of its own.
- A run of many calls whose process was ended is gone on with, by processor time. Held against the same program on a
  host that keeps no journal, in the same run; the parts (reading and proving, telling it again) stand beside.
- 10,000 waiting runs are listed, each with what it waits for: held against reading all their rows as JSON. What lists
  are made of is timed in this process, with no line printed; and the command that prints them all, as a user waits for
  it: Python's start, ours, and 10,000 lines.
- A run is answered the same megabyte again and again, and has not ended: the bytes of its file are held against
  those of one answer.
- DBOS on SQLite (3.42 at least): one step of its workflows, in a Python that has it (`--dbos`, or this
  one), against the same insert.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, process_time
from unittest.mock import patch

from benchmarks.timing import Ratio, compared, ratio, taken
from rtfs_framework.api import CapabilityEntry
from rtfs_framework.api.capability import CapabilityRequest
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.unended import unended
from rtfs_framework.orchestrator.recording.journal.waiting import waits_of_rows
from rtfs_framework.orchestrator.recording.journal.writer import Journal
from rtfs_framework.orchestrator.recording.records import CallRecord
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance

STEPS = 200
"""Steps of a round."""
_WHO = Provenance("benchmarks", "0", "benchmarks")
_PROGRAM = """
(defn main [n]
  (loop [i 0 sum 0]
    (if (< i n) (recur (inc i) (+ sum (count (call :put (str "request number " i))))) (do (call :last sum) sum))))
"""
_DBOS = """
import sys
from time import perf_counter
from dbos import DBOS
DBOS(config={"name": "steps", "system_database_url": "sqlite:///" + sys.argv[1], "log_level": "ERROR"})

@DBOS.step()
def put(text):
    return "said " + text

@DBOS.workflow()
def work(count):
    for i in range(count):
        put("request number " + str(i))

DBOS.launch()
work(5)
for _ in range(5):
    start = perf_counter()
    work(int(sys.argv[2]))
    print(perf_counter() - start, flush=True)
DBOS.destroy()
"""


def _put(request: CapabilityRequest) -> str:
    return f"said {request.args[0]}"


def _open(
    home: Path,
    *,
    sync: str = "normal",
    last: Callable[[CapabilityRequest], object] = _put,
    journal: bool = True,
) -> Session:
    entries = {
        name: CapabilityEntry(id=name, summary="Does nothing.", handler=handler, idempotent=True)
        for name, handler in (("put", _put), ("last", last))
    }
    config = home / "delegation.toml"
    config.write_text(f'[security]\ngrant = ["put", "last"]\n[journal]\nsync = "{sync}"\n', encoding="utf-8")
    catalog = Catalog(capabilities={name: (entry, _WHO) for name, entry in entries.items()})
    return Session.open(config_path=config, environ={"RTFS_HOME": str(home)}, catalog=catalog, journal=journal)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _text(calls: int) -> Source:
    return Source("durable.rtfs", _PROGRAM + f"(def all (main {calls}))" * bool(calls))


@contextmanager
def _inserts(path: Path, sync: str) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(path, isolation_level=None)
    with closing(db):
        db.execute("PRAGMA journal_mode=wal")
        db.execute(f"PRAGMA synchronous={sync}")
        db.execute("CREATE TABLE log (position INTEGER PRIMARY KEY, body TEXT, reply TEXT, hash BLOB)")
        yield db


def _insert(db: sqlite3.Connection) -> None:
    """Put what a step writes (the bodies of its two rows, and its reply) into one row, for each step."""
    for number in range(STEPS):
        row = ("x" * 560, f'{{"v":"said request number {number}"}}', bytes(64))
        db.execute("INSERT INTO log (body, reply, hash) VALUES (?, ?, ?)", row)


def steps(sync: str) -> tuple[Ratio, float, float]:
    """Return how many bare inserts one durable step takes, its microseconds here, and those of the processor."""
    with _folder() as home, _open(home, sync=sync) as session, _inserts(home / "bare.sqlite", sync) as db:
        program = session.load(_text(0))
        found = compared(
            {"": lambda: program.call("main", (STEPS,))}, lambda: _insert(db), rounds=7, clock=perf_counter
        )
        here = min(taken(lambda: program.call("main", (STEPS,)), perf_counter) for _ in range(3))
        used = min(taken(lambda: program.call("main", (STEPS,)), process_time) for _ in range(3))
    return found[""], here / STEPS * 1e6, used / STEPS * 1e6


def syncs(sync: str) -> float | None:
    """Return how many times a step has the disk synced; None without `strace`."""
    if shutil.which("strace") is None:
        return None
    counted = []
    for count in (50, 50 + STEPS):
        with _folder() as home:
            log = home / "calls"
            words = [sys.executable, "-m", "benchmarks.durable", "--only-steps", str(count), "--home", str(home)]
            traced = ["strace", "-f", "-e", "trace=fsync,fdatasync", "-o", str(log), *words, "--sync", sync]
            subprocess.run(traced, check=True)
            counted.append(sum("sync(" in line for line in log.read_text(encoding="utf-8").splitlines()))
    return (counted[1] - counted[0]) / STEPS


def dbos(python: str) -> float | None:
    """Return the seconds of as many steps of DBOS on SQLite; None where that Python has none."""
    with _folder() as home:
        words = [python, "-c", _DBOS, str(home / "dbos.sqlite"), str(STEPS)]
        made = subprocess.run(words, capture_output=True, text=True, check=False)
    if made.returncode:
        sys.stderr.write(made.stderr[-600:])
        return None
    return min(map(float, made.stdout.split()))


def _begun(home: Path, calls: int) -> str:
    """Make a run of so many calls, whose process ends in the last one; return its id. Rows need not be waited for."""
    child = os.fork()
    if child == 0:
        journals: list[Journal] = []

        def last(_request: CapabilityRequest) -> None:
            journals[0].commit()
            os._exit(0)

        with patch.object(Journal, "try_commit", lambda _self, **_: True):
            session = _open(home, last=last)
            journals.extend(filter(None, [session.host.journal]))
            session.run(_text(calls))
        os._exit(1)
    os.waitpid(child, 0)
    return query.list_runs(home / "journal.sqlite", 1)[0].id


def resuming(calls: int) -> Iterator[tuple[str, float, float]]:
    """Yield what it takes to go on with a run of so many calls: what, seconds, and how many bare runs that is."""
    with _folder() as home:
        run = _begun(home, calls)
        bare = _bare(calls)
        start = process_time()
        known = unended(home / "journal.sqlite", run, home)
        read = process_time() - start
        if len(known.calls) <= calls:
            message = f"{len(known.calls)} calls are known"
            raise AssertionError(message)
        del known
        with _open(home) as session:
            whole = taken(lambda: session.resume(Resuming(run=run)), process_time)
    yield "a run is gone on with", whole, whole / bare
    yield "of that: its rows are read and proved", read, read / bare
    yield "of that: its calls are made and told again", whole - read, (whole - read) / bare


def _bare(calls: int) -> float:
    """Return the seconds of the same program on a host that keeps no journal."""
    with _folder() as home, _open(home, journal=False) as session:
        return taken(lambda: session.run(_text(calls)), process_time)


def listing(runs: int) -> tuple[Ratio, float, float]:
    """Return what it takes to list so many waiting runs with their waits, in readings of all rows; and seconds here.

    The last number is the seconds of the whole command.
    """
    with _folder() as home:
        path = home / "journal.sqlite"
        with closing(Journal(path, home, SystemClock())) as journal:
            for number in range(runs):
                chain = journal.begin(f"{number:032x}", "digest", "waits.rtfs", "policy", "0")
                chain.note("waiting", {"call": f"{number:032x}:1:0", "at": 1.0, "for": "go", "until": 2e9})
                chain.end("waiting")

        def listed() -> None:
            found = query.list_runs(path, runs)
            if len(waits_of_rows(path, found)) != runs:
                raise AssertionError(len(found))

        def read() -> None:
            with closing(sqlite3.connect(path)) as db:
                for (body,) in db.execute("SELECT body FROM log"):
                    json.loads(body)

        def command() -> None:
            start = "from rtfs_framework.cli.main import main; main()"
            words = [sys.executable, "-c", start, "runs", "list", "--limit", str(runs)]
            made = subprocess.run(words, env={**os.environ, "RTFS_HOME": str(home)}, capture_output=True, check=True)
            if made.stdout.count(b"waits for :go") != runs:
                raise AssertionError(made.stdout[:200])

        whole = min(taken(command, perf_counter) for _ in range(3))
        return ratio(listed, read, rounds=5), min(taken(listed) for _ in range(5)), whole


def repeated(times: int) -> float:
    """Return how many times as large a file is where a large answer came so often, as where it came once."""
    sizes = []
    for count in (1, times):
        with _folder() as home:
            path, word = home / "journal.sqlite", "word " * (1 << 18)
            with closing(Journal(path, home, SystemClock())) as journal:
                chain = journal.begin("0" * 32, "digest", "large.rtfs", "policy", "0")
                for number in range(count):
                    record = CallRecord(index=number, kind="capability", symbol="put", target="capability put")
                    chain.answered(record, word, None)
                    chain.add(record)
                chain.end("waiting")
            sizes.append(path.stat().st_size)
    return sizes[1] / sizes[0]


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.durable")
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--dbos", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--only-steps", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--sync", default="normal", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only_steps:
        with _open(options.home, sync=options.sync) as session:
            session.run(_text(options.only_steps))
        return 0
    say = sys.stdout.write
    for sync in ("normal", "full"):
        ratio, micros, used = steps(sync)
        counted = syncs(sync)
        told = "strace is not here" if counted is None else f"{counted:.2f} syncs"
        here = f"{micros:.0f} us here ({used:.0f} of the processor)"
        say(f'one durable step, sync = "{sync}": {ratio} of a bare insert, {here}, {told}\n')
    if options.dbos == sys.executable and find_spec("dbos") is None:
        say("one step of DBOS on SQLite: skipped, this Python has no dbos (--dbos PYTHON names one that has)\n")
    elif (seconds := dbos(options.dbos)) is not None:
        with _folder() as home, _inserts(home / "bare.sqlite", "normal") as db:
            unit = min(taken(lambda: _insert(db), perf_counter) for _ in range(5))
        say(
            f"one step of DBOS on SQLite: {seconds / unit:.2f}x of a bare insert, {seconds / STEPS * 1e6:.0f} us here\n"
        )
    for what, taken_, ratio_ in resuming(options.calls):
        say(f"{options.calls:,} calls: {what}: {taken_:.2f} s here, {ratio_:.2f}x of a run that keeps no journal\n")
    ratio_listed, seconds_listed, command = listing(10_000)
    here = f"{seconds_listed * 1e3:.0f} ms here, {command * 1e3:.0f} ms as a command that prints them"
    say(f"10,000 waiting runs listed: {ratio_listed} of reading all their rows, {here}\n")
    say(f"the same large answer 100 times, kept: a file of {repeated(100):.2f}x the bytes of one answer\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
