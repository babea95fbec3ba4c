"""Starlark (starlark-rust through starlark-pyo3): Python's syntax, frozen data, no `while`; JSON is switched on."""

from __future__ import annotations

from benchmarks.catalog import Program
from benchmarks.peers.contract import Base, Work

_STACK = 100_000


class Starlark(Base):
    """Starlark: the module is evaluated with its data, frozen, and called."""

    name = "starlark"
    distribution = "starlark-pyo3"

    def prepare(self, program: Program, size: int) -> Work:
        """Evaluate the file and freeze it."""
        import starlark as sl

        text = program.text(self.name, "program.star")
        text += f"\nDATA = setup({size})\n\ndef run():\n    return main(DATA)\n"
        module = sl.Module()
        options = sl.EvalOptions(max_callstack_size=_STACK)
        library = sl.Globals.extended_by([sl.LibraryExtension.Json])
        sl.eval_with(options, module, sl.parse(f"{program.name}.star", text, sl.Dialect.extended()), library)
        frozen = module.freeze()
        return lambda: frozen.call_with(options, "run").value
