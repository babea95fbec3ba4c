"""What one call of the host costs through the whole host: authorised, performed, written down, answered.

A call of a function's own body costs nothing to make again, and its row is queued; a call of a capability may change
something: that it begins is on disk before it is made, and its end before the program goes on. Beside it stand two bare
inserts of SQLite, and what a call out of the sandbox costs where the peers are installed: Monty's goes to another
process.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.kernel import SWITCH, switches
from benchmarks.table import Row
from benchmarks.timing import compared, ratio
from rtfs_framework.api import CapabilityEntry, CapabilityRequest
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance

_CALLS = 2_000
_OWN = """(defn own [x :int] :int x)
(defn main [n] (loop [i 0 total 0] (if (< i n) (recur (inc i) (+ total (own i))) total)))"""
_PROGRAM = "(defn main [n] (loop [i 0 total 0] (if (< i n) (recur (inc i) (+ total (call :echo i))) total)))"
_CONFIG = '[delegation.static_routes]\n"own" = ["local-pure"]\n[security]\ngrant = ["echo"]\n'
_PEER = """
def main(n):
    total = 0
    for i in range(n):
        total += echo(i)
    return total
"""
_MEMORY = Path("/dev/shm")  # noqa: S108 - a disk in memory, where there is one


def hosting() -> Iterable[Row]:
    """Yield the cost of one call with the journal off, beside greenlets; and with it in memory, beside bare inserts."""
    with ExitStack() as stack:
        quiet = stack.enter_context(_through(_PROGRAM))
        own = stack.enter_context(_through(_OWN, journal=True))
        capability = stack.enter_context(_through(_PROGRAM, journal=True))
        peers = {name: work for name, make in _PEERS.items() if (work := stack.enter_context(make())) is not None}
        insert = stack.enter_context(_inserts())
        one = ratio(quiet, switches(_CALLS))
        # Monty works in another process: peers are held against the clock on the wall.
        others = compared(peers, switches(_CALLS), clock=perf_counter)
        rows = compared({"own": own, "capability": capability}, insert)
    where = "in memory" if _MEMORY.is_dir() else "on disk"
    yield Row(name="host call, journal off", ratio=one, yardstick=SWITCH, target=12, others=others)
    bare = "one bare insert of SQLite, committed"
    yield Row(name=f"own body, journal {where}", ratio=rows["own"], yardstick=bare, target=3.5)
    yield Row(name=f"capability, journal {where}", ratio=rows["capability"], yardstick=bare)


@contextmanager
def _inserts() -> Iterator[Callable[[], None]]:
    """Give what puts a row for each call into SQLite, each committed by itself."""
    with TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        db = sqlite3.connect(Path(folder, "bare.sqlite"), isolation_level=None)
        with closing(db):
            db.execute("PRAGMA journal_mode=wal")
            db.execute("PRAGMA synchronous=normal")
            db.execute("CREATE TABLE log (position INTEGER PRIMARY KEY, body TEXT, hash BLOB)")
            row = ("x" * 300, bytes(32))

            def insert() -> None:
                for _ in range(_CALLS):
                    db.execute("INSERT INTO log (body, hash) VALUES (?, ?)", row)

            yield insert


@contextmanager
def _through(text: str, *, journal: bool = False) -> Iterator[Callable[[], object]]:
    """Give what makes the calls through a session of its own."""
    entry = CapabilityEntry(id="echo", summary="Returns its argument.", handler=_echo)
    catalog = Catalog(capabilities={"echo": (entry, Provenance("benchmarks", "0", "benchmarks"))})
    with TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        config = Path(folder, "delegation.toml")
        config.write_text(_CONFIG, encoding="utf-8")
        with Session.open(
            config_path=config, environ={"RTFS_HOME": folder}, catalog=catalog, journal=journal
        ) as session:
            program = session.load(Source("hosting.rtfs", text))
            yield _checked(lambda: program.call("main", (_CALLS,)).value)


def _echo(request: CapabilityRequest) -> int:
    return int(str(request.args[0]))


def _checked(work: Callable[[], object]) -> Callable[[], object]:
    """Return the work after it was seen to give the right sum.

    Raises:
        AssertionError: it gives another.
    """
    value = work()
    if value != sum(range(_CALLS)):
        message = f"the calls gave {value}"
        raise AssertionError(message)
    return work


@contextmanager
def _monty() -> Iterator[Callable[[], object] | None]:
    if find_spec("pydantic_monty") is None:
        yield None
        return
    from pydantic_monty import Monty

    with Monty() as pool, pool.checkout(limits={"max_suspensions": 100 * _CALLS}) as session:
        session.feed_run(_PEER)
        yield _checked(lambda: session.feed_run(f"main({_CALLS})", external_lookup={"echo": lambda i: i}))


@contextmanager
def _starlark() -> Iterator[Callable[[], object] | None]:
    if find_spec("starlark") is None:
        yield None
        return
    import starlark

    module = starlark.Module()
    module.add_callable("echo", lambda i: i)
    parsed = starlark.parse("hosting.star", _PEER)
    starlark.eval(module, parsed, starlark.Globals.standard())
    frozen = module.freeze()
    yield _checked(lambda: frozen.call("main", _CALLS))


_PEERS = {"monty": _monty, "starlark": _starlark}
