"""The artifact: a compiled program as plain data (code object, constants, tables)."""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import TYPE_CHECKING, Any, Sequence

if TYPE_CHECKING:
    from types import CodeType

    from rtfs_framework.lang.diagnostics import Diagnostic
    from rtfs_framework.lang.flows.model import Flows
    from rtfs_framework.lang.signature import CallSite, FunctionEffect, FunctionSignature, Memo
    from rtfs_framework.lang.source import Place, Source, Span
    from rtfs_framework.lang.types.model import Type

ENTRY = "rtfs_main"
"""The generated function that runs the top-level forms."""


PASSES_ON = ("", 0)
"""Instead of an inlined function: here a function only hands its call on to another version of itself."""


@records.frozen(weakref_slot=False)
class SpanInfo:
    """What stands at a generated line: the span, and for a call what is called (for messages)."""

    span: Span
    callee: str | None = None
    """The Python name that held the function when the call was made."""
    display: str = ""
    args: int = -1
    inlined: tuple[str, int] | None = None
    """The function whose body was put here, and the line of the call that it stands for; or `PASSES_ON`."""


@records.frozen(eq=False)
class Artifact:
    """All that the kernel needs to run a program."""

    sources: tuple[Source, ...]
    """The program's text, then those of the modules that it imports."""
    digest: str
    """SHA-256 of all of them."""
    code: CodeType
    constants: tuple[Any, ...]
    checked: tuple[Type, ...]
    """Types that generated code checks values against, by number."""
    types: dict[str, Type]
    """Named types of the program."""
    builtins: tuple[tuple[str, str], ...]
    """(Python name, library name) of every builtin in use."""
    helpers: tuple[str, ...]
    spans: Sequence[SpanInfo]
    """Line n of the generated code is entry n-1."""
    globals: dict[str, str]
    """Python name of a top-level name to its RTFS name."""
    functions: dict[str, str]
    """Python function name to the RTFS name that stacks show."""
    links: tuple[FunctionSignature, ...]
    """Signatures of the functions that are linked, by number."""
    families: tuple[str, ...] | None = None
    """The modules of the library that its names are from; None where nobody has said."""
    prelude: bool = False
    """Whether the host prelude's names count as library."""
    metered: bool = True
    """Whether its code takes steps, which limits on steps, time and memory rest on."""
    signatures: tuple[FunctionSignature, ...] = ()
    sites: tuple[CallSite, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    effects: tuple[FunctionEffect, ...] = ()
    """What is proved of the purity of its functions."""
    memos: dict[str, Memo] = records.field(factory=dict)
    """What the values of memoised functions rest on, by their names."""
    flows: Flows | None = None
    """What may be seen at each place that asks the host; None where nobody has asked for it."""

    @property
    def leaves_kernel(self) -> bool:
        """Tell whether any call can leave the kernel: where none can, there is nothing to record."""
        return bool(self.sites) or any(each.name not in self.memos for each in self.links)

    @property
    def source(self) -> Source:
        """The program's own text."""
        return self.sources[0]

    def place(self, line: int) -> Place | None:
        """Return the place of a generated line."""
        if not 1 <= line <= len(self.spans):
            return None
        span = self.spans[line - 1].span
        source = self.sources[span.source]
        from rtfs_framework.lang.source import Place

        return Place(source.name, *source.place(span.start))
