"""Hand-written Python: the limit, since RTFS is compiled to Python's own code. Also persistent maps used directly."""

from __future__ import annotations

from typing import Any

from benchmarks.catalog import Program
from benchmarks.peers.contract import Base, Work


class Python(Base):
    """Plain Python on plain data, or another Python file of the program (`immutables.py`)."""

    def __init__(self, name: str = "python", file: str = "program.py", distribution: str = "") -> None:
        self.name = name
        self.distribution = distribution
        self._file = file

    def prepare(self, program: Program, size: int) -> Work:
        """Execute the file as a module."""
        text = program.text(self.name, self._file)
        names: dict[str, Any] = {"__name__": program.name}
        exec(compile(text, str(program.file(self._file)), "exec"), names)  # noqa: S102 - a file of this repository
        main, data = names["main"], names["setup"](size)
        return lambda: main(data)
