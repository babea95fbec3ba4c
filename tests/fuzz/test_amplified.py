"""No builtin evades the limits, whatever amplifies its work: processor time and memory are measured from outside.

A run may take 1 second beyond `seconds` and 1.5 times `memory`, and ends with a value or an error of the language. A
program that once went beyond is kept in `amplified.jsonl` and replayed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fuzzing import shapes

HERE = Path(__file__).parent
KEPT = [json.loads(line) for line in (HERE / "amplified.jsonl").read_text(encoding="utf-8").splitlines()]
SMALL = {"seconds": 0.1, "memory": 64 << 20, "items": 200_000, "bits": 20_000}
LARGE = {"seconds": 0.5, "memory": 512 << 20}


def beyond(programs, limits, seconds):
    """Return what goes beyond the limits, or comes out wrong, each time that it is run, with the program.

    Other work on the machine only ever adds to what is measured: what once stays within its bound is within it.
    """
    found = judged(programs, limits, seconds)
    for _ in range(2):
        found = judged([program for _, program in found], limits, seconds) if found else []
    return found


def judged(programs, limits, seconds):
    """Return what went beyond the limits in one run of each program, with the program."""
    lines = [json.dumps(limits), *map(json.dumps, programs)]
    path = [str(HERE), str(HERE.parent.parent)]
    code = f"import sys; sys.path[:0] = {path!r}; from fuzzing import bounded; bounded.main()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(programs), done.stderr[-1500:]
    return [(answer["wrong"], program) for answer, program in zip(answers, programs, strict=True) if answer["wrong"]]


@pytest.fixture(scope="module")
def small():
    """Return (name of the builtin, program) for shapes that are a fiftieth as large as they may be."""
    return list(shapes.programs(1, 1, 50))


@pytest.mark.timeout(900)
def test_every_builtin_with_shapes_that_amplify(small):
    assert {name for name, _ in small} == {record.name for record in shapes.LIBRARY.values() if record.effect is None}
    assert beyond([program for _, program in small], SMALL, 900) == []


@pytest.mark.timeout(900)
def test_what_once_went_beyond():
    assert beyond(KEPT, LARGE, 900) == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(2, 6))
def test_every_builtin_with_large_shapes(seed):
    programs = [program for _, program in shapes.programs(seed, 2, 1)]
    assert beyond(programs, LARGE, 3600) == []


@pytest.mark.timeout(900)
def test_what_goes_beyond_is_seen():
    """Without limits the same judge finds both, however large the process is that starts it."""
    ballast = b"x" * (600 << 20)
    programs = [
        "(count (map (fn [i] (* i 1.5)) (range 9000000)))",
        "(loop [i 0] (if (< i 90000000) (recur (inc i)) i))",
    ]
    (big, _), (slow, _) = judged(programs, {"memory": None}, 900)
    del ballast
    assert "MiB" in {each.split()[-1] for each in big}
    assert "seconds" in {each.split()[-1] for each in slow}
