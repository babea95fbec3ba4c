"""Basilisp: Clojure on CPython, with persistent data and lazy sequences."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.catalog import Program
from benchmarks.peers.contract import Base, Work


class Basilisp(Base):
    """Basilisp, a namespace per program."""

    name = "basilisp"
    distribution = "basilisp"

    def __init__(self) -> None:
        self._core = False

    def prepare(self, program: Program, size: int) -> Work:
        """Compile the forms of the file, one after the other, as its importer does."""
        from basilisp import main as basilisp
        from basilisp.lang import compiler, reader, symbol
        from basilisp.lang import runtime as run

        text = program.text(self.name, "program.lpy")
        if not self._core:
            with _bytecode():
                basilisp.init()
            self._core = True
        path = str(program.file("program.lpy"))
        name = f"benchmark-{program.name}".replace("_", "-")
        with run.ns_bindings(name) as namespace:
            namespace.refer_all(run.Namespace.get(symbol.symbol("basilisp.core")))
            context = compiler.CompilerContext(path)
            for form in reader.read_str(text, run.resolve_alias):
                compiler.compile_and_exec_form(form, context, namespace)
        found = {word: namespace.find(symbol.symbol(word)).value for word in ("main", "setup")}
        main, data = found["main"], found["setup"](size)
        return lambda: main(data)


@contextmanager
def _bytecode() -> Iterator[None]:
    """Let Basilisp keep its compiled core, whatever PYTHONDONTWRITEBYTECODE says: making it takes a minute."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    try:
        yield
    finally:
        sys.dont_write_bytecode = before
