"""The programs that are compared: their names, sizes and texts. Each has a folder in `programs/`, a file per language.

Every file defines `setup`, which makes the data from a size and is not timed, and `main`, which takes the data and
returns a small result. All languages must return the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs

FOLDER = Path(__file__).parent / "programs"


class CannotExpressError(Exception):
    """The language lacks what the program needs; the message says what."""


@attrs.frozen(slots=True, kw_only=True)
class Program:
    """One program. `size` makes Python work for 5 to 50 ms; `small` is for the tests and for `--quick`."""

    name: str
    size: int
    small: int
    cannot: Mapping[str, str] = {}
    """Why a peer has no file here, by the peer's name."""
    target: float | None = None
    """The most that RTFS may take, as a multiple of Python's time; limits off."""
    target_metered: float = 1.8
    """The same with the default limits on; no program may take more than this."""
    twin: str = ""
    """The program that this one is with types declared: what has no file here is the twin's."""

    def file(self, name: str) -> Path:
        """Return the path of one of the program's files, or of its twin's."""
        path = FOLDER / self.name / name
        return path if path.exists() or not self.twin else FOLDER / self.twin / name

    def text(self, peer: str, name: str) -> str:
        """Return the text of one of the program's files.

        Raises:
            CannotExpressError: the peer has no such file; the message says why, when there is something to say.
        """
        path = self.file(name)
        if not path.exists():
            raise CannotExpressError(self.cannot.get(peer, ""))
        return path.read_text(encoding="utf-8")


PROGRAMS = (
    Program(name="fib", size=25, small=10, target=1.25, target_metered=1.45),
    Program(name="accumulate", size=100_000, small=1_000, target=1.2, target_metered=1.2),
    Program(name="pipeline", size=100_000, small=1_000, target=1.3, target_metered=1.3),
    Program(name="strings", size=20_000, small=100),
    Program(name="map_update", size=50_000, small=2_000),
    Program(name="vectors", size=100_000, small=1_000),
    Program(name="queens", size=8, small=5),
    Program(name="mandelbrot", size=60, small=8),
    Program(name="json", size=4_000, small=50),
    Program(name="sort_by", size=10_000, small=100),
    Program(name="recursion", size=5_000, small=100),
    Program(name="interpreter", size=3_000, small=20),
    Program(name="records", size=20_000, small=50),
    Program(name="match", size=50_000, small=50),
    Program(name="typed_fib", twin="fib", size=25, small=10, target_metered=1.3),
    Program(name="typed_records", twin="records", size=20_000, small=50, target_metered=1.5),
    Program(name="typed_match", twin="match", size=50_000, small=50),
    Program(name="typed_json", twin="json", size=4_000, small=50),
)
