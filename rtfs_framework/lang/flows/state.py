"""What an analysis knows so far of a program: cells that grow, and who has read them. It ends when no cell grows."""

from __future__ import annotations

from heapq import heappop, heappush

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.flows.values import ANY_DATA, BOTTOM, Sources, Value, join
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.summary import settings
from rtfs_framework.lang.library import Library
from rtfs_framework.lang.source import Place, Span

FIRST_FUNCTION = ANY_DATA.bit_length()
"""The bit of the first function."""


@records.define(eq=False)
class Unit:
    """What runs as one: a function, or a form at top level."""

    name: str
    body: ir.Node
    fn: ir.Fn | None = None
    root: int = 0
    """The top-level form that it is in."""
    number: int = 0
    """How many functions were met before it."""
    fails: int = 0
    """The sources because of which it may fail or not end."""
    told: int = 0
    """What its errors may tell."""
    steady: bool = True
    """Whether it surely ends without an error."""
    entry: int = 0
    """The sources on which it depends whether it is called, once all is known."""
    callers: dict[Unit, tuple[int, Span]] = records.field(factory=dict)
    """Who calls it, because of what of its own, and where first."""
    because: dict[int, Span] = records.field(factory=dict)
    """Sources that what comes later in it depends on, as masks, each with the place that first made it so."""
    known: int = 0
    """All of these."""


@records.frozen(eq=False)
class Called:
    """What a value may be that can be called."""

    kind: str
    """`function`, `keyword`, `library`, `capability`, `wrapped` or `struct`."""
    what: Any


@records.define(eq=False)
class Site:
    """A place that asks the host: what its arguments depend on, and which units it is in, because of what."""

    arguments: int = 0
    changed: int = 0
    """Those of the arguments' that are there in another way than as the host gave them."""
    units: dict[Unit, int] = records.field(factory=dict)
    spans: Span = Span(0, 0)


class State:
    """See the module."""

    def __init__(self, program: ir.Program, library: Library, place: Callable[[Span], Place]) -> None:
        self.program = program
        self.library = library
        self.sources = Sources()
        self.place = place
        self.functions: list[Called] = []
        self._function_numbers: dict[Any, int] = {}
        self.units: dict[ir.Fn, Unit] = {}
        self.cells: dict[Any, Value] = {}
        self.sites: dict[str, Site] = {}
        self._readers: dict[Any, dict[Unit, None]] = {}
        self.todo: list[tuple[int, int, Unit]] = []
        """Units to look at, by the ranks of their forms."""
        self.captured: set[ir.Var] = set()
        """Variables that functions inside others read."""
        self.root_of: dict[ir.Fn, int] = {}
        """The top-level form that a function is in."""
        self.defined_at: dict[str, int] = {}
        """The top-level forms that define names, each once and whatever happens."""
        self.kept_by: dict[Unit, set[Any]] = {}
        """The cells that units write when they are called: what these hold tells that they were."""
        self.count = settings(program)
        self.ranks: list[int] = []
        """For each form at top level its place in an order in which what is called mostly stands before its callers."""
        self.left = 0
        """How many nodes may still be looked at."""
        self.entries: list[str] = []
        """The functions of which it is known what happens when the host calls them."""
        self.roots: list[Unit] = []
        """The forms at top level."""
        self.host_calls: set[Unit] = set()
        """Functions that the host may call by name."""
        self.reduces = False
        """Whether the program ends a `reduce` early anywhere."""
        self.small: set[ir.Fn] = set()
        """Functions that are looked at where they are called."""
        self._waiting: set[Unit] = set()

    # -- units ---------------------------------------------------------------------------------------------------

    def again(self, unit: Unit) -> None:
        """Look at a unit once more."""
        if unit not in self._waiting:
            self._waiting.add(unit)
            heappush(self.todo, (self.ranks[unit.root], -unit.number, unit))

    def next(self) -> Unit:
        """Return the next unit to look at."""
        _, _, unit = heappop(self.todo)
        self._waiting.discard(unit)
        return unit

    def unit_of(self, fn: ir.Fn) -> Unit:
        """Return the unit of a function, which is looked at from now on."""
        unit = self.units.get(fn)
        if unit is None:
            unit = self.units[fn] = Unit(fn.name, fn.body, fn, self.root_of[fn], len(self.units) + 1)
            self.again(unit)
        return unit

    # -- cells ---------------------------------------------------------------------------------------------------

    def read(self, cell: Any, reader: Unit) -> Value:
        """Return what a cell holds so far; who read it is asked again when that grows."""
        self._readers.setdefault(cell, {})[reader] = None
        return self.cells.get(cell, BOTTOM)

    def add(self, cell: Any, value: Value) -> None:
        """Add to what a cell holds."""
        before = self.cells.get(cell, BOTTOM)
        made = join(before, value)
        if made is not before:
            self.cells[cell] = made
            self.changed(cell)

    def changed(self, cell: Any) -> None:
        """Ask all that have read a cell again."""
        for unit in self._readers.get(cell, ()):
            self.again(unit)

    # -- functions -----------------------------------------------------------------------------------------------

    def function(self, kind: str, key: Any, what: Any) -> int:
        """Return the bit of what can be called."""
        number = self._function_numbers.get((kind, key))
        if number is None:
            number = self._function_numbers[kind, key] = FIRST_FUNCTION + len(self.functions)
            self.functions.append(Called(kind, what))
        return 1 << number

    def callable(self, number: int) -> Called:
        """Return what a bit stands for."""
        return self.functions[number - FIRST_FUNCTION]

    # -- sites ---------------------------------------------------------------------------------------------------

    def site(self, span: Span, unit: Unit, arguments: int, reached: int, whole: int = 0) -> str:
        """Note that a place asks the host; return its text. `whole` are sources of arguments that are as given."""
        text = str(self.place(span))
        site = self.sites.get(text)
        if site is None:
            site = self.sites[text] = Site(spans=span)
        site.arguments |= arguments
        site.changed |= arguments & ~whole
        site.units[unit] = site.units.get(unit, 0) | reached
        return text
