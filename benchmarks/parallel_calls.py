"""Parallel host calls: how near 1,000 calls of 50 ms, 100 at once, come to the ideal half second.

    python -m benchmarks.parallel_calls

The capability really sleeps, in the event loop; the whole host is on the way (authorisation, deadlines, the journal on
disk). `pmap`, and a `map` whose capability says that order does not matter, are measured
in turn; the best round counts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from benchmarks.table import Row
from benchmarks.timing import seconds
from rtfs_framework.api import CapabilityEntry, CapabilityRequest
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.program import LoadedProgram
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance

CALLS, AT_ONCE, PAUSE = 1_000, 100, 0.05
IDEAL = CALLS / AT_ONCE * PAUSE
TARGET = 1.15
_ROUNDS = 5

_PROGRAM = f"""
(defn with-pmap [] (reduce + (pmap (fn [x] (call :pause x)) (range {CALLS}))))
(defn with-map [] (reduce + (map (fn [x] (call :pause x)) (range {CALLS}))))
"""
_CONFIG = f'[delegation]\nparallel = {AT_ONCE}\n\n[security]\ngrant = ["pause"]\n'


async def _pause(request: CapabilityRequest) -> int:
    await anyio.sleep(PAUSE)
    return int(str(request.args[0]))


def _catalog() -> Catalog:
    entry = CapabilityEntry(id="pause", summary="Sleeps 50 ms.", handler=_pause, order_independent=True)
    return Catalog(capabilities={"pause": (entry, Provenance("benchmarks", "0", "benchmarks"))})


def _check(program: LoadedProgram, name: str) -> None:
    value = program.call(name).value
    if value != sum(range(CALLS)):
        message = f"{name} gave {value}"
        raise AssertionError(message)


def parallel_calls() -> Iterable[Row]:
    """Yield the ratio to the ideal, for `pmap` and `map`, with and without the journal."""
    best: dict[tuple[str, bool], float] = {}
    for _ in range(_ROUNDS):
        for journal in (False, True):
            with TemporaryDirectory() as folder:
                config = Path(folder, "delegation.toml")
                config.write_text(_CONFIG, encoding="utf-8")
                environ = {"RTFS_HOME": folder}
                with Session.open(config_path=config, environ=environ, catalog=_catalog(), journal=journal) as session:
                    program = session.load(Source("parallel_calls.rtfs", _PROGRAM))
                    for name in ("with-pmap", "with-map"):
                        took = seconds(lambda program=program, name=name: _check(program, name))  # type: ignore[misc]
                        best[name, journal] = min(took, best.get((name, journal), took))
    for (name, journal), took in best.items():
        note = f"{took:.3f} s of {IDEAL:g} s; journal {'on disk' if journal else 'off'}"
        yield Row(
            name=f"{CALLS:,} calls of 50 ms, {AT_ONCE} at once, {name}", value=took / IDEAL, unit="x", target=TARGET,
            note=note,
        )  # fmt: skip


def main() -> int:
    """Print the ratios."""
    for row in parallel_calls():
        verdict = "reached" if row.value <= TARGET else "missed"
        sys.stdout.write(f"{row.name}: {row.value:.3f}x the ideal (target {TARGET}x, {verdict}); {row.note}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
