"""Monty: an interpreter of a part of Python, in a process of its own; a call is one round trip to it (about 0.1 ms)."""

from __future__ import annotations

from contextlib import ExitStack

from benchmarks.catalog import Program
from benchmarks.peers.contract import Base, Work


class Monty(Base):
    """Monty, one session at a time. The text is Python's, unless `monty.py` says it in a way that Monty takes."""

    name = "monty"
    distribution = "pydantic-monty"
    outside = True

    def __init__(self) -> None:
        self._session = ExitStack()

    def prepare(self, program: Program, size: int) -> Work:
        """Start a process and define the program in it."""
        from pydantic_monty import Monty as Pool

        file = "monty.py" if program.file("monty.py").exists() else "program.py"
        text = program.text(self.name, file)
        self.close()  # a pool has as many sessions as there are processors, and the next one waits for ever
        pool = self._session.enter_context(Pool())
        limits = {"max_recursion_depth": 100_000}
        session = self._session.enter_context(pool.checkout(script_name=f"{program.name}.py", limits=limits))
        session.feed_run(f"{text}\n\nDATA = setup({size})\n")
        return lambda: session.feed_run("main(DATA)")

    def close(self) -> None:
        """End the process."""
        self._session.close()
