"""Measuring, judging and printing, on peers and numbers made for it; no real time is asserted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import to_json
from benchmarks.catalog import PROGRAMS, CannotExpressError
from benchmarks.measure import Cell, Comparison, compare
from benchmarks.table import Row, show
from benchmarks.targets import OFF, ON, mean, targets
from benchmarks.timing import Ratio, commands, compared

ROOT = Path(__file__).resolve().parents[2]
FIB, ACCUMULATE = PROGRAMS[:2]


class Peer:
    """Returns what it was told, or raises it."""

    distribution = ""
    outside = False

    def __init__(self, name, value):
        self.name, self.value = name, value

    def prepare(self, program, size):
        if isinstance(self.value, Exception):
            raise self.value
        return lambda: self.value

    def close(self):
        return


def comparison(program, **ratios):
    peers = {"python": 1.0, OFF: ratios["off"], ON: ratios["on"], **ratios.get("others", {})}
    return Comparison(program=program, cells={name: Cell(ratio=Ratio(r)) for name, r in peers.items()})


MEASURED = [
    comparison(FIB, off=1.0, on=2.0, others={"basilisp": 4.0, "monty": 1.5}),
    comparison(ACCUMULATE, off=4.0, on=8.0, others={"basilisp": 2.0}),
]
COLUMNS = {"python": "", OFF: "", ON: "", "basilisp": "0.5", "monty": "1.4", "starlark": None}


def test_results_are_compared_before_anything_is_timed():
    peers = (Peer("python", 7), Peer("same", 7), Peer("other", 8), Peer("float", 7.0))
    cells = compare(FIB, peers, size=1, rounds=2).cells
    assert cells["python"].ratio == Ratio(1.0)
    assert cells["same"].ratio is not None
    assert [cells[name].wrong for name in ("same", "other", "float")] == [False, True, True]
    assert cells["other"].reason == "returned 8, and Python 7"


def test_a_peer_that_cannot_or_fails_has_its_reason():
    peers = (Peer("python", 7), Peer("cannot", CannotExpressError("no loops")), Peer("fails", ValueError("a\nb")))
    cells = compare(FIB, peers, size=1, rounds=1).cells
    assert (cells["cannot"].reason, cells["fails"].reason) == ("no loops", "fails: ValueError: a")
    assert not cells["fails"].wrong


def test_means_are_geometric_and_taken_over_what_both_run():
    assert mean(MEASURED, OFF) == pytest.approx(2.0)
    assert mean(MEASURED, ON, beside="monty") == pytest.approx(2.0)
    assert mean(MEASURED, "starlark") is None


def test_targets_say_what_was_promised_and_whether_it_holds():
    judged = {target.name: target.met for target in targets(MEASURED)}
    assert judged == {
        "fib, limits off": True,
        "fib, limits on": False,
        "fib against basilisp, limits on": True,
        "accumulate, limits off": False,
        "accumulate, limits on": False,
        "accumulate against basilisp, limits on": False,
        "geometric mean, limits off": False,
        "geometric mean, limits on": False,
        "geometric mean against monty, limits on": False,
    }


def test_the_table_has_a_line_for_each_and_names_who_is_absent():
    rows = [
        Row(
            name="start",
            ratio=Ratio(3, 0.25),
            yardstick="pass",
            target=2,
            others={"python": Ratio(1)},
            note="not cached",
        )
    ]
    lines = show(MEASURED, rows, COLUMNS, list(targets(MEASURED))).splitlines()
    cells = [line.split() for line in lines]
    assert cells[1][:7] == ["fib", "1.00x", "1.00x", "2.00x", "4.00x", "1.50x", "absent"]
    assert cells[2][4:7] == ["2.00x", "-", "absent"]
    assert cells[3] == ["geometric", "mean", "1.00x", "2.00x", "4.00x", "2.83x", "1.50x", "-"]
    assert cells[4] == ["start", "1.00x", "3.00x", "<=", "2", "x", "MISSED"]
    assert "absent: starlark are not installed; `tox run -e bench` gets them" in lines
    assert "start: times pass, give or take 0.25; not cached" in lines
    assert "MISSED fib, limits on: 2.00x, at most 1.45x" in lines


def test_json_has_everything():
    data = json.loads(json.dumps(to_json(MEASURED, [Row(name="r", ratio=Ratio(1), yardstick="y")], COLUMNS, [])))
    assert data["peers"] == COLUMNS
    assert data["programs"][0]["peers"]["monty"]["ratio"]["value"] == 1.5
    assert data["geometric_means"][OFF] == pytest.approx(2.0)
    assert data["system"][0]["met"] is None


def test_the_command_prints_json_and_takes_one_program():
    command = [sys.executable, "-m", "benchmarks", "--json", "--quick", "--programs", "--only", "fib"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environ, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert [program["name"] for program in json.loads(done.stdout)["programs"]] == ["fib", "typed_fib"]


def test_a_call_through_the_host_is_measured_with_the_journal_and_without():
    from benchmarks import hosting

    for journal in (False, True):
        with hosting._through(hosting._OWN, journal=journal) as work:
            assert work() == sum(range(hosting._CALLS))


def test_a_ratio_is_the_median_of_rounds_in_which_both_run_and_its_spread_lies_between_the_quartiles():
    turns = iter([1, 3, 1, 5, 2, 8, 1, 4, 1, 4])
    now = [0.0]

    def work():
        now[0] += next(turns)

    # One warm-up of each; then four rounds, in each of which the yardstick runs first.
    found = compared({"w": work}, work, rounds=4, clock=lambda: now[0])["w"]
    assert found.value == 4.0
    assert found == Ratio.of([5.0, 4.0, 4.0, 4.0])
    assert Ratio.of([1.0, 2.0, 3.0]) == Ratio(2.0, 1.0)
    assert Ratio.of([7.0]) == Ratio(7.0)


def test_commands_are_held_against_the_first_and_one_that_fails_is_no_number():
    words = {"pass": lambda _: [sys.executable, "-c", "pass"], "fails": lambda _: [sys.executable, "-c", "1 / 0"]}
    with pytest.raises(subprocess.CalledProcessError):
        commands(words, {}, rounds=1)
    more = {"pass": words["pass"], "adds": lambda number: [sys.executable, "-c", f"sum(range({number}))"]}
    assert commands(more, {}, rounds=1)["adds"].value > 0
