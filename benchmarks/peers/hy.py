"""Hy: Python's meaning in Lisp's syntax, on Python's data."""

from __future__ import annotations

from types import ModuleType

from benchmarks.catalog import Program
from benchmarks.peers.contract import Base, Work


class Hy(Base):
    """Hy, evaluated into a module of its own."""

    name = "hy"
    distribution = "hy"

    def prepare(self, program: Program, size: int) -> Work:
        """Read and evaluate the file."""
        import hy

        path = program.file("program.hy")
        text = program.text(self.name, "program.hy")
        module = ModuleType(f"benchmark_{program.name}")
        hy.eval(hy.read_many(text, filename=str(path)), module=module)
        main, data = module.main, module.setup(size)
        return lambda: main(data)
