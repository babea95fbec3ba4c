"""Streams: what an item costs beside a plain `asyncio.Queue`, as a ratio in the same run.

    python -m benchmarks.streams [--items 20000] [--rounds 5]

The yardstick hands the same integers from a producer to a consumer that adds them up, over an `asyncio.Queue` of 1,024
places, in one event loop. By processor time of the process, since handlers run in threads:

- `stream-run`: a program adds up the items of a range; position and state are kept with each batch of 256, or of 4,096;
- the same with a journal, which holds each batch until the run has ended;
- a queue: the items are put in batches and run from there, so each is written down and taken out again.
- `stream-next`: one call for each item, which are fetched ahead; and of a stream with a name, which others may read:
  there each item is taken from what was fetched; and with a journal;
- `stream-next` of a queue, which is read item by item: each call is a step on disk (on fewer items).
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

from benchmarks.timing import compared
from rtfs_framework import Session
from rtfs_framework.api import write
from rtfs_framework.registry import load_catalog

_CONFIG = """
[security]
grant = ["mcp.stream.*", "marketplace.stream.*", "stream.*"]
[capabilities.streams]
path = "streams.sqlite"
capacity = 1000000
"""
_RANGE = """
(stream-run (stream-source {:range [0 ITEMS]} {:state 0 :batch BATCH}) (fn [sum n m] {:state (+ sum n)}))
"""
_QUEUE = """
(do (doseq [from (range 0 ITEMS 250)] (stream-produce "NAME" (vec (range from (+ from 250))) {:all true}))
    (stream-run (stream-source "NAME" {:state 0 :batch 4096}) (fn [sum n m] {:state (+ sum n)})))
"""
_NEXT = """
(let [s (stream-source {:range [0 ITEMS]})]
  (loop [sum 0] (let [found (stream-next s)] (if (nil? found) {:state sum} (recur (+ sum (:value found)))))))
"""
_EACH = """
(do (stream-produce "NAME" (vec (range ITEMS)) {:all true})
    (let [s (stream-source "NAME")]
      (loop [sum 0] (let [found (stream-next s)] (if (:waiting found) {:state sum} (recur (+ sum (:value found))))))))
"""
_NAMED = _NEXT.replace("ITEMS]}", 'ITEMS]} {:name "NAME"}')


def plain(items: int) -> int:
    """Hand items over an `asyncio.Queue` and add them up."""

    async def work() -> int:
        queue: asyncio.Queue[int | None] = asyncio.Queue(1024)

        async def produce() -> None:
            for n in range(items):
                await queue.put(n)
            await queue.put(None)

        producer = asyncio.create_task(produce())
        total = 0
        while (found := await queue.get()) is not None:
            total += found
        await producer
        return total

    return asyncio.run(work())


def _works(folder: Path, items: int, sessions: list[Session]) -> dict[str, Callable[[], object]]:
    (folder / "delegation.toml").write_text(_CONFIG, encoding="utf-8")
    environ = {"RTFS_HOME": str(folder / "home"), "RTFS_PLUGINS": "streams"}
    catalog, names = load_catalog(environ), count()
    with_journal, without = (
        Session.open(config_path=folder / "delegation.toml", environ=environ, catalog=catalog, journal=journal)
        for journal in (True, False)
    )
    sessions += [with_journal, without]

    def work(session: Session, text: str, size: int, batch: int = 256) -> Callable[[], object]:
        def run() -> None:
            program = text.replace("ITEMS", str(size)).replace("BATCH", str(batch)).replace("NAME", f"q{next(names)}")
            state = write(session.run(program).value)
            if f":state {size * (size - 1) // 2}" not in state:
                raise AssertionError(state)

        return run

    return {
        "stream-run, batches of 256": work(without, _RANGE, items),
        "stream-run, batches of 4,096": work(without, _RANGE, items, 4096),
        "stream-run, batches of 4,096, journal": work(with_journal, _RANGE, items, 4096),
        "put into a queue and run from there": work(without, _QUEUE, items),
        "stream-next, one call for each item": work(without, _NEXT, items),
        "stream-next of a stream with a name": work(without, _NAMED, items),
        "stream-next of a stream with a name, journal": work(with_journal, _NAMED, items),
        f"stream-next of a queue, {items // 100} calls (x100)": work(without, _EACH, items // 100),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    sessions: list[Session] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            works = _works(Path(folder), asked.items, sessions)
            found = compared(works, lambda: plain(asked.items), rounds=asked.rounds)
        finally:
            for session in sessions:
                session.close()
    print(f"{asked.items:,} items over an asyncio.Queue are 1.00x; processor time")
    for name, ratio in found.items():
        scale = 100 if "x100" in name else 1
        print(f"{ratio.value * scale:8.2f}x (± {ratio.spread * scale:.2f})  {name}")


if __name__ == "__main__":
    main()
