"""Pages of `rtfs ui`: the first paint of a journal of 10,000 runs, beside that of an empty page of the same server.

    python -m benchmarks --system --only first_paint

A real Chromium (Debian's, driven by playwright) opens both in turn, each time anew; what it says itself (the entry
"first-contentful-paint", by the clock on the wall) is compared. Without either there is no row, and stderr says why.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.table import Row
from benchmarks.timing import Ratio

RUNS = 10_000
_ROUNDS = 15
_BROWSER = Path("/usr/bin/chromium")
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
_START = "from rtfs_framework.cli.main import main; main()"
_PROGRAM = '(defn main [x] (try (call :acme.read x) (catch _ e "no")))'
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def first_paint() -> Iterable[Row]:
    """Yield the ratio of the two paints, and that of the last page of all runs."""
    if find_spec("playwright") is None or not _BROWSER.exists():
        sys.stderr.write("skipped: first_paint needs playwright and /usr/bin/chromium\n")
        return
    from playwright.sync_api import sync_playwright

    with TemporaryDirectory() as folder:
        last = _fill(Path(folder))
        with _served(Path(folder)) as told, sync_playwright() as tool:
            browser = tool.chromium.launch(executable_path=str(_BROWSER), args=_FLAGS)
            page = browser.new_page()
            page.goto(told["url"])
            works = {"newest": "/runs", "oldest": f"/runs?before={last}"}
            rounds: dict[str, list[float]] = {name: [] for name in works}
            for _ in range(_ROUNDS):
                empty = _paint(page, told["origin"] + "/empty")
                for name, path in works.items():
                    rounds[name].append(_paint(page, told["origin"] + path) / empty)
            browser.close()
    for name, found in rounds.items():
        yardstick = "the first paint of an empty page of the same server"
        yield Row(name=f"first paint, {RUNS:,} runs, {name}", ratio=Ratio.of(found), yardstick=yardstick, target=5)


def _paint(page: Any, url: str) -> float:
    page.goto(url)
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    return float(page.evaluate(_PAINT))


def _fill(folder: Path) -> str:
    """Make a journal of many runs, all as the first one; return the id of one near the end of the list."""
    (folder / "ask.rtfs").write_text(_PROGRAM, encoding="utf-8")
    subprocess.run(
        [sys.executable, "-c", _START, "run", "ask.rtfs", "x"],
        cwd=folder,
        env=_environ(folder),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    db = sqlite3.connect(folder / "home" / "journal.sqlite")
    (body,) = db.execute("SELECT body FROM log WHERE what = 'run'").fetchone()
    (top,) = db.execute("SELECT max(position) FROM log").fetchone()
    rows = ((top + n, top + n, "run", None, None, f"{n:032x}", body, b"") for n in range(1, RUNS))
    db.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    db.commit()
    db.close()
    return f"{60:032x}"


def _environ(folder: Path) -> dict[str, str]:
    return {**os.environ, "RTFS_HOME": str(folder / "home")}


@contextmanager
def _served(folder: Path) -> Iterator[dict[str, Any]]:
    """Serve the pages of a home."""
    words = [sys.executable, "-c", _START, "ui", "--port", "0", "--json", "--read-only"]
    process = subprocess.Popen(
        words, cwd=folder, env=_environ(folder), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield json.loads(process.stdout.readline() if process.stdout else "")
    finally:
        process.terminate()
        process.communicate()
