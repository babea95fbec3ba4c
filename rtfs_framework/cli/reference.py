"""The reference: what the language's tables say of every name, for `rtfs doc`, docs/reference and prompts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import attrs

from rtfs_framework.kernel import effects  # noqa: F401 - enters `call` and its kin into the host's table
from rtfs_framework.kernel.host_table import HOST
from rtfs_framework.kernel.prelude import NEEDED, PRELUDE
from rtfs_framework.lang.analyzer.specials.streams import STREAMS
from rtfs_framework.lang.analyzer.specials.table import SPECIALS
from rtfs_framework.lang.arity import arity_text
from rtfs_framework.lang.expander.core import CORE
from rtfs_framework.lang.syntax_examples import EXAMPLES
from rtfs_framework.registry.absent import distribution_of
from rtfs_framework.stdlib.library import BUILTINS
from rtfs_framework.stdlib.shorthand import shorthands
from rtfs_framework.stdlib.table import Builtin

SPECIAL, MACRO, FUNCTION = "special form", "macro", "function"
_NEEDED: Mapping[str, str] = {
    "llm-execute": "ccos.ai.llm-execute",
    "mcp-stream": "mcp.stream.start",
    **STREAMS,
    "stream-consume": "marketplace.stream.register-callbacks",
    "stream-run": "mcp.stream.next",
}
"""Forms that are served by a capability alone, and which."""
_TELLING = frozenset({"step", "step-if", "step-loop", "step-parallel"})


@attrs.frozen(slots=True, kw_only=True)
class Entry:
    """All that is told of one name."""

    name: str
    kind: str
    family: str
    usage: str
    arity: str
    purity: str
    doc: str
    aliases: tuple[str, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()
    types: str = ""
    """The type of a function as a type expression; empty for forms and macros that are no functions too."""
    ways: tuple[str, ...] = ()
    """The same for people: one type for each way to call it, with shorthand names."""
    needs: str = ""
    """The capability without which it cannot be used; a plug-in brings it."""

    @property
    def needs_text(self) -> str:
        """What must be there before the name can be used, "" when nothing must."""
        if not self.needs:
            return ""
        of_ours = distribution_of(self.needs)
        who = "a plug-in must bring it" if of_ours is None else f"{of_ours} brings it"
        return f"Needs the capability {self.needs}: {who}, and a host must grant it."

    def to_json(self) -> dict[str, Any]:
        """Return the entry as JSON-ready data."""
        examples = [{"program": program, "value": value or None} for program, value in self.examples]
        data = attrs.asdict(self, filter=lambda field, _: field.name != "ways")
        return {**data, "types": self.types or None, "needs": self.needs or None, "examples": examples}

    def types_text(self) -> list[str]:
        """Return the ways to call a function, then what the shorthand names in them stand for, as lines."""
        return [*self.ways, *(f"{name} is {type_}" for name, type_ in shorthands(self.ways))]


@lru_cache(maxsize=1)
def entries() -> tuple[Entry, ...]:
    """Return every entry: special forms, macros, then functions by family."""
    # Not in the order in which they were imported, which is a matter of who came first.
    specials = sorted(SPECIALS.items(), key=lambda item: item[1].handler.__module__)
    found = [_syntax(name, SPECIAL, form.grammar, form.doc) for name, form in specials]
    found += [_syntax(name, MACRO, macro.grammar, macro.doc) for name, macro in CORE.items()]
    library = {**BUILTINS, **HOST}
    records = [record for name, record in library.items() if name == record.name]
    return (*found, *map(_function, records))


@lru_cache(maxsize=1)
def prelude_entries() -> tuple[Entry, ...]:
    """Return the entries of the host prelude, which programs have where the host grants its capabilities."""
    return tuple(map(_function, PRELUDE.values()))


def entry_of(name: str) -> Entry | None:
    """Return the entry of a name or alias; a special form comes before a function, the host prelude last."""
    known = (*entries(), *prelude_entries())
    return next((entry for entry in known if name == entry.name), None) or next(
        (entry for entry in known if name in entry.aliases), None
    )


def all_names() -> Iterator[str]:
    """Yield every name, aliases included."""
    for entry in (*entries(), *prelude_entries()):
        yield entry.name
        yield from entry.aliases


def families() -> dict[str, list[Entry]]:
    """Return the entries by family, in order."""
    found: dict[str, list[Entry]] = {}
    for entry in (*entries(), *prelude_entries()):
        found.setdefault(entry.family, []).append(entry)
    return found


def _syntax(name: str, kind: str, grammar: str, doc: str) -> Entry:
    purity = "asks the host" if name in _NEEDED else "tells the host" if name in _TELLING else "pure"
    family = "special forms" if kind == SPECIAL else "macros"
    function = HOST.get(name) or BUILTINS.get(name)
    return Entry(
        name=name,
        kind=kind,
        family=family,
        usage=grammar,
        arity="",
        purity=purity,
        doc=doc,
        examples=EXAMPLES.get(name, ()),
        needs=_NEEDED.get(name, ""),
        types="" if function is None else function.types,
        ways=() if function is None else function.ways,
    )


def _function(record: Builtin) -> Entry:
    return Entry(
        name=record.name,
        kind=FUNCTION,
        family=record.family.removesuffix("_more").replace("_", "-"),
        usage=f"({' '.join(filter(None, (record.name, record.signature)))})",
        arity=arity_text((record.low, record.high)),
        purity="pure" if record.effect is None else "asks the host",
        doc=record.doc,
        aliases=record.aliases,
        examples=record.examples,
        needs=NEEDED.get(record.name, "") if record.family == "host prelude" else "",
        types=record.types,
        ways=record.ways,
    )
