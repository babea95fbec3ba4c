"""Run the benchmarks and print one table. `--json` prints data, `--only WORD` runs those whose name has the word."""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks import kernel, startup
from benchmarks.delegation import decide
from benchmarks.table import Benchmark, show

BENCHMARKS: tuple[Benchmark, ...] = (kernel.host_round_trip, kernel.plain_call, decide, startup.start_up)


def main() -> int:
    """Print the table; 0 even when a target is missed, because a benchmark is no test."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--only", default="", help="run benchmarks whose function name contains this word")
    options = parser.parse_args()
    rows = [row for run in BENCHMARKS if options.only in run.__name__ for row in run()]
    sys.stdout.write(json.dumps([row.to_json() for row in rows], indent=2) if options.json else show(rows))
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
