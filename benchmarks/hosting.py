"""What one call of the host costs through the whole host: authorised, performed, written down, answered.

A call of a function's own body costs nothing to make again, and its row is queued; a call of a capability may change
something: that it begins is on disk before it is made, and its end before the program goes on. Beside it stand two bare
inserts of SQLite, and what a call out of the sandbox costs where the peers are installed: Monty's goes to another
process.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.table import Row
from benchmarks.timing import typical
from rtfs_framework.api import CapabilityEntry, CapabilityRequest
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance

_CALLS = 2_000
_ROUNDS = 5
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
    """Yield the time of one call with the journal off, and with it in memory."""
    others = {name: micro for name, measure in _PEERS.items() if (micro := measure()) is not None}
    yield Row(name="host call, journal off", value=_through(_PROGRAM), unit="µs", target=5, others=others)
    where = "in memory" if _MEMORY.is_dir() else "on disk"
    yield Row(name=f"own body, journal {where}", value=_through(_OWN, journal=True), unit="µs", target=22)
    bare = {"two bare inserts": _two_inserts()}
    yield Row(name=f"capability, journal {where}", value=_through(_PROGRAM, journal=True), unit="µs", others=bare)


def _two_inserts() -> float:
    """Return the microseconds of two rows of SQLite, each committed by itself."""
    with TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        db = sqlite3.connect(Path(folder, "bare.sqlite"), isolation_level=None)
        with closing(db):
            db.execute("PRAGMA journal_mode=wal")
            db.execute("PRAGMA synchronous=normal")
            db.execute("CREATE TABLE log (position INTEGER PRIMARY KEY, body TEXT, hash BLOB)")
            row = ("x" * 300, bytes(32))

            def both() -> None:
                for _ in range(2 * _CALLS):
                    db.execute("INSERT INTO log (body, hash) VALUES (?, ?)", row)

            both()
            return typical(both, _ROUNDS) / _CALLS * 1e6


def _through(text: str, *, journal: bool = False) -> float:
    entry = CapabilityEntry(id="echo", summary="Returns its argument.", handler=_echo)
    catalog = Catalog(capabilities={"echo": (entry, Provenance("benchmarks", "0", "benchmarks"))})
    with TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        config = Path(folder, "delegation.toml")
        config.write_text(_CONFIG, encoding="utf-8")
        with Session.open(
            config_path=config, environ={"RTFS_HOME": folder}, catalog=catalog, journal=journal
        ) as session:
            program = session.load(Source("hosting.rtfs", text))
            return _each(lambda: program.call("main", (_CALLS,)).value)


def _echo(request: CapabilityRequest) -> int:
    return int(str(request.args[0]))


def _each(work: Callable[[], object]) -> float:
    """Return the microseconds of one of the calls that `work` makes."""
    value = work()
    if value != sum(range(_CALLS)):
        message = f"the calls gave {value}"
        raise AssertionError(message)
    return typical(work, _ROUNDS) / _CALLS * 1e6


def _monty() -> float | None:
    if find_spec("pydantic_monty") is None:
        return None
    from pydantic_monty import Monty

    with Monty() as pool, pool.checkout(limits={"max_suspensions": 100 * _CALLS}) as session:
        session.feed_run(_PEER)
        return _each(lambda: session.feed_run(f"main({_CALLS})", external_lookup={"echo": lambda i: i}))


def _starlark() -> float | None:
    if find_spec("starlark") is None:
        return None
    import starlark

    module = starlark.Module()
    module.add_callable("echo", lambda i: i)
    parsed = starlark.parse("hosting.star", _PEER)
    starlark.eval(module, parsed, starlark.Globals.standard())
    frozen = module.freeze()
    return _each(lambda: frozen.call("main", _CALLS))


_PEERS = {"monty": _monty, "starlark": _starlark}
