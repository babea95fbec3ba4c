"""What one compilation collects besides code: constants, checked types, builtins, spans, links."""

from __future__ import annotations

from contextlib import contextmanager

from rtfs_framework.lang.annotations import Any, Iterator
from rtfs_framework.lang.codegen.artifact import PASSES_ON, SpanInfo
from rtfs_framework.lang.codegen.names import hint, mangle
from rtfs_framework.lang.frozen import maker
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.types.show import show_type

_info = maker(SpanInfo)


class Unit:
    """Tables of one program; every method returns the Python name (or number) to use in code."""

    def __init__(self, *, metered: bool = True) -> None:
        self.metered = metered
        """Whether the code takes steps."""
        self.constants: list[Any] = []
        self._numbers: dict[int, int] = {}
        self.checked: list[Type] = []
        self._checkers: dict[str, int] = {}
        self.builtins: dict[str, str] = {}
        self.helpers: dict[str, None] = {}
        self.spans: list[SpanInfo] = []
        self.globals: dict[str, str] = {}
        self.functions: dict[str, str] = {}
        self.links: list[FunctionSignature] = []
        self._temps = 0
        self._lines: dict[tuple[int, int, int, tuple[str, int] | None], int] = {}
        self.inside: tuple[str, int] | None = None
        """The inlined function whose body is being emitted, and the line of its call."""

    def constant(self, value: Any) -> str:
        """Enter a constant."""
        number = self._numbers.get(id(value))  # `constants` keeps the value alive, so its id stays its own
        if number is None:
            number = self._numbers[id(value)] = len(self.constants)
            self.constants.append(value)
        return f"C__{number}"

    def checker(self, declared: Type) -> str:
        """Enter a type that a value is checked against. Types are one when they read alike: Python takes 1 for true."""
        number = self._checkers.setdefault(show_type(declared), len(self.checked))
        if number == len(self.checked):
            self.checked.append(declared)
        return f"K__{number}"

    def builtin(self, name: str) -> str:
        """Enter a builtin."""
        python = mangle("B__", name)
        self.builtins[python] = name
        return python

    def helper(self, name: str) -> str:
        """Enter a runtime helper."""
        self.helpers[name] = None
        return name

    def global_name(self, name: str) -> str:
        """Return the Python name of a top-level name."""
        python = mangle("G__", name)
        self.globals[python] = name
        return python

    def temp(self, what: str = "t") -> str:
        """Return a new local name."""
        self._temps += 1
        return f"{hint(what)}_{self._temps}t"

    def function(self, name: str) -> str:
        """Return a new Python function name that stacks show as `name`; its end keeps it apart from any variable."""
        self._temps += 1
        python = f"{hint(name)}_{self._temps}f"
        self.functions[python] = name
        return python

    def part(self, what: str) -> str:
        """Return the name of a Python function that is a part of another: on stacks it stands for that one."""
        self._temps += 1
        python = f"{hint(what)}_{self._temps}f"
        self.functions[python] = ""
        return python

    def line(self, span: Span) -> int:
        """Return the line that stands for a span."""
        key = (span.start, span.end, span.source, self.inside)
        known = self._lines.get(key)
        if known is None:
            self.spans.append(_info(span, None, "", -1, self.inside))
            known = self._lines[key] = len(self.spans)
        return known

    def passing_line(self, span: Span) -> int:
        """Return the line of a call that only goes on to another version of the same function."""
        self.spans.append(SpanInfo(span, inlined=PASSES_ON))
        return len(self.spans)

    @contextmanager
    def inlining(self, name: str, line: int) -> Iterator[None]:
        """Emit the body of an inlined function."""
        outer, self.inside = self.inside, (name, line)
        yield
        self.inside = outer

    def call_line(self, span: Span, callee: str | None, display: str, args: int) -> int:
        """Return a line of its own for a call, with what is called."""
        self.spans.append(_info(span, callee, display, args, self.inside))
        return len(self.spans)

    def link(self, signature: FunctionSignature) -> int:
        """Enter a signature to link."""
        self.links.append(signature)
        return len(self.links) - 1
