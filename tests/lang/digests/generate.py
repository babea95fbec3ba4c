"""Writes `digests.txt`: 300 digests of values of every kind, one a line, each with the Python expression of the value.

Run by hand, `python tests/lang/digests/generate.py`, and only together with another `VERSION` in
`rtfs_framework/lang/digest.py`: a digest that changes under the same version finds what was kept for another value.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

from rtfs_framework.lang import values, vectors
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.maps import Map, Set

COUNT = 300
SEED = 9
NAMES = {**vars(values), **vars(vectors), "Map": Map, "Set": Set, "nan": float("nan"), "inf": float("inf"), "f": abs}
TEXTS = ["", "a", "nil", "true", ":a", '"', "\\", "a b", "a 5 :b", "\0", "é", "\u6f22", "\U0001f600", "\ud83d",
         "\ud83d\ude00", "1", "1.0", "[", "x" * 127, "x" * 129, "é" * 64, "é" * 65]  # fmt: skip
NUMBERS = [0, 1, -1, 7, 255, -256, 2**31, 2**63, -(2**64), 10**40, 2**512 - 1, 2**512, -(2**600), 3**3000]
FLOATS = [0.0, -0.0, 1.0, -1.5, 0.1, 1e300, 5e-324, float("inf"), float("-inf"), float("nan")]
ATOMS = ["None", "True", "False", *map(repr, NUMBERS), *map(repr, FLOATS), *map(ascii, TEXTS)]
NAMED = [f"{kind}({text!a})" for kind in ("Keyword", "Symbol", "Timestamp", "Uuid", "Resource") for text in TEXTS[:12]]
ERRORS = ["ErrorValue('TypeError', 'no')", "ErrorValue('TypeError', 'no', 5)", "ErrorValue('no', 'TypeError')", "f"]
LARGE = ["tuple(range(1024))", "tuple(range(1025))", "GrownVector(list(range(3000)), 2000, 500)",
         "List(range(1025))", "Set.of(range(2000))", "Map.of([(i, str(i)) for i in range(1500)])",
         "('x' * 1000, 'x' * 1000)", "((1,) * 100, (1,) * 100)"]  # fmt: skip


def compound(random: Random, depth: int) -> str:
    """Return the expression of a collection."""
    inner = [expression(random, depth - 1) for _ in range(random.choice([0, 1, 1, 2, 2, 3, 5]))]
    row = "".join(f"{item}, " for item in inner)
    match random.choice(["vector", "grown", "list", "set", "map"]):
        case "vector":
            return f"({row})"
        case "grown":
            return f"GrownVector([{row}], {len(inner)})"
        case "list":
            return f"List(({row}))"
        case "set":
            return f"Set.of([{row}])"
        case _:
            return f"Map.of([{''.join(f'({k}, {expression(random, depth - 1)}), ' for k in inner)}])"


def expression(random: Random, depth: int) -> str:
    """Return the expression of any value."""
    if depth > 0 and random.random() < 0.7:
        return compound(random, depth)
    return random.choice(random.choice([ATOMS, ATOMS, NAMED, ERRORS]))


def main() -> None:
    """Write the file."""
    random = Random(SEED)
    found = dict.fromkeys([*ATOMS, *NAMED, *ERRORS, *LARGE])
    while len(found) < COUNT:
        found[compound(random, 4)] = None
    rows = [f"{digest(eval(each, NAMES))} {each}\n" for each in found]
    Path(__file__).with_name("digests.txt").write_text("".join(rows), encoding="ascii")


if __name__ == "__main__":
    main()
