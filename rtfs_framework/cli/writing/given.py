"""What a written program will be given, told to the model without a single value: how it is called, and which columns.

Names of columns are told, and whether their texts look like numbers, for that is a matter of form; what stands in them
stays here, so no mark of an input ever reaches the model that writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.cli.commands.run_once import check_main, check_records
from rtfs_framework.cli.problems import InputError
from rtfs_framework.cli.records.open import Wanted, open_records
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import type_name

if TYPE_CHECKING:
    from rtfs_framework.cli.writing.examples import Example
    from rtfs_framework.orchestrator.session import Session

_MOST_COLUMNS = 40
_ONCE = "It is run once; its value is that of the last form."


@attrs.frozen(slots=True, kw_only=True)
class Given:
    """How a program will be run: once with texts, or for each record of an input."""

    args: tuple[str, ...] = ()
    records: Wanted | None = None
    examples: Sequence[Example] = ()

    def told(self) -> str:
        """Return what the model is told of it.

        Raises:
            InputError: The input cannot be read.
        """
        return "\n".join(filter(None, (self._call(), self._examples())))

    def _call(self) -> str:
        if self.records is not None:
            columns = _columns(attrs.evolve(self.records, limit=1))
            return f"It defines (defn main [record] ...), called once for each record, a map with: {columns}."
        if self.args:
            count = len(self.args)
            names = " ".join(f"text-{number}" for number in range(1, count + 1)) if count > 1 else "text"
            texts = "a text" if count == 1 else f"{count} texts"
            return f"It defines (defn main [{names}] ...), which is called with {texts}."
        if any(each.call.startswith("(main") for each in self.examples):
            return "It defines (defn main [...] ...), which is called as the examples show."
        return _ONCE

    def _examples(self) -> str:
        if not self.examples:
            return ""
        shown = "\n".join(f"{each.call} => {each.expected or '!' + each.error}" for each in self.examples)
        return f"It must give:\n{shown}"

    def misfit(self, session: Session, program: str) -> str | None:
        """Return what is wrong with how a program can be called, None where nothing is."""
        if self.records is None and not self.args:
            return None
        linked = session.link(Source("program.rtfs", program))
        try:
            if self.records is not None:
                check_records(linked)
            else:
                given = f"{len(self.args)} given on the command line"
                check_main(linked.instance.function("main"), linked.artifact.source, len(self.args), given)
        except InputError as error:
            return "\n".join(each.render() for each in error.diagnostics)
        return None


def _columns(wanted: Wanted) -> str:
    with closing(open_records(wanted, lambda _: None)) as records:
        record = next(iter(records), None)
        if record is None:
            records.check_any()
            return "nothing"
        names = [f"{write(name)} ({type_name(value)})" for name, value in record.items()]
    more = f" and {len(names) - _MOST_COLUMNS} more" if len(names) > _MOST_COLUMNS else ""
    return ", ".join(names[:_MOST_COLUMNS]) + more
