"""Run the benchmarks and print one table; `benchmarks/README.md` says how to read it.

Exit code: 0, even when a target is missed, because a benchmark is no test; 1 when an implementation returned a wrong
result.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import frontend, kernel, startup
from benchmarks.caches import caches
from benchmarks.catalog import PROGRAMS
from benchmarks.cold_start import cold_start
from benchmarks.delegation import decide
from benchmarks.fresh import suspended_programs
from benchmarks.hosting import hosting
from benchmarks.idioms import idioms
from benchmarks.learned import decide_learned
from benchmarks.measure import Comparison, compare
from benchmarks.pages import first_paint
from benchmarks.parallel_calls import parallel_calls
from benchmarks.peers.all import all_peers
from benchmarks.peers.contract import Peer, closing, installed
from benchmarks.resilience import breaker, resilient
from benchmarks.routing import DATA, routing, shown
from benchmarks.table import Benchmark, Columns, Row, show
from benchmarks.targets import Target, mean, targets
from benchmarks.whole_call import eval_vs_eval_with_engine, whole_call

SYSTEM: tuple[Benchmark, ...] = (
    frontend.parse,
    frontend.compile_functions,
    cold_start,
    startup.start_up,
    kernel.host_round_trip,
    hosting,
    kernel.plain_call,
    decide,
    decide_learned,
    resilient,
    breaker,
    whole_call,
    eval_vs_eval_with_engine,
    suspended_programs,
    parallel_calls,
    idioms,
    caches,
    first_paint,
)


def main() -> int:
    """Measure what was asked for and print it."""
    options = _options()
    if options.routing is not None:
        return _route(options.routing, as_json=options.json)
    peers = tuple(peer for peer in all_peers() if peer.name not in options.without)
    columns = {peer.name: installed(peer) for peer in peers}
    present = tuple(peer for peer in peers if columns[peer.name] is not None)
    with closing(present):
        comparisons = list(_comparisons(present, options))
    rows = [row for run in SYSTEM if options.only in run.__name__ and not options.programs for row in run()]
    # Small programs measure the calls into each implementation more than the program: nothing is judged by them.
    verdicts = [] if options.quick else list(targets(comparisons))
    data = to_json(comparisons, rows, columns, verdicts)
    sys.stdout.write(json.dumps(data, indent=2) if options.json else show(comparisons, rows, columns, verdicts))
    sys.stdout.write("\n")
    return int(any(cell.wrong for comparison in comparisons for cell in comparison.cells.values()))


def _route(path: Path, *, as_json: bool) -> int:
    """Print what escalation does with questions whose outcomes are known; without the file, say so."""
    if not path.is_file():
        sys.stderr.write(f"skipped: there is no {path}; name a file: --routing FILE\n")
        return 0
    found = routing(path)
    sys.stdout.write(json.dumps([each.to_json() for each in found], indent=2) if as_json else shown(found))
    sys.stdout.write("\n")
    return 0


def to_json(
    comparisons: list[Comparison], rows: list[Row], columns: Columns, verdicts: list[Target]
) -> dict[str, object]:
    """Return all that was measured as JSON-ready data."""
    return {
        "python": sys.version.split()[0],
        "peers": dict(columns),
        "programs": [comparison.to_json() for comparison in comparisons],
        "geometric_means": {name: mean(comparisons, name) for name in columns},
        "targets": [{"name": t.name, "measured": t.measured, "bound": t.bound, "met": t.met} for t in verdicts],
        "system": [row.to_json() for row in rows],
    }


def _comparisons(peers: tuple[Peer, ...], options: argparse.Namespace) -> Iterator[Comparison]:
    rounds = 3 if options.quick else options.rounds
    for program in PROGRAMS:
        if options.only in program.name and not options.system:
            sys.stderr.write(f"{program.name} ...\n")
            yield compare(program, peers, size=program.small if options.quick else program.size, rounds=rounds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print everything that was measured as JSON")
    parser.add_argument("--only", default="", metavar="WORD", help="only benchmarks whose name has this word")
    parser.add_argument("--quick", action="store_true", help="small programs, three rounds: does everything run?")
    parser.add_argument("--rounds", type=int, default=11, help="rounds per program (default: %(default)s)")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=[peer.name for peer in all_peers()[1:]],
        help="leave a peer out; may be repeated (Basilisp takes most of the time)",
    )
    parser.add_argument(
        "--routing", nargs="?", type=Path, const=DATA, metavar="FILE", help="only: what `escalate` keeps of quality"
    )
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--programs", action="store_true", help="only the programs, nothing of the system")
    part.add_argument("--system", action="store_true", help="only the system, no programs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
