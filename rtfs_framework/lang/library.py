"""What the compiler knows of the library and the host: records of functions, passed down; it never imports them."""

from __future__ import annotations

from types import MappingProxyType

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import TYPE_CHECKING, Any, Callable, Mapping

if TYPE_CHECKING:
    from rtfs_framework.lang.source import Source


class Op:
    """Operations that the compiler knows whatever they are called: it counts, fuses and inlines by them."""

    ADD, SUB, MUL, DIV = "add", "sub", "mul", "div"
    MOD, QUOT, REM, ABS, INC, DEC, MAX, MIN = "mod", "quot", "rem", "abs", "inc", "dec", "max", "min"
    LT, GT, LE, GE, EQ, NE, NOT = "lt", "gt", "le", "ge", "eq", "ne", "not"
    EVEN, ODD, ZERO, POS, NEG = "even", "odd", "zero", "pos", "neg"
    COUNT, EMPTY, HAS, NTH, FIRST, LAST = "count", "empty?", "contains?", "nth", "first", "last"
    PEEK, GET, CONJ, ASSOC, POP, RANGE, STR = "peek", "get", "conj", "assoc", "pop", "range", "str"
    MAP, FILTER, REMOVE, KEEP, REDUCE, REDUCED = "map", "filter", "remove", "keep", "reduce", "reduced"
    SOME, ANY, NOT_ANY, EVERY, NOT_EVERY = "some", "any", "not-any", "every", "not-every"
    BEGUN = "begun?"
    """Whether an accumulator holds something yet: no function of the library is it."""


class Gives:
    """What a function gives, said nearer than its type can: of which kind, or which of the items of what it takes."""

    NUMBER = "number"
    """Of integers an integer, and of numbers with a float among them a float."""
    CHOICE = "choice"
    """One of the numbers that it takes."""
    FLOAT = "float"
    QUOTIENT = "quotient"
    """Of numbers with a float among them a float."""
    SIZE = "size"
    """How many of something there are."""
    ITEM = "item"
    """An item of a sequence, its first argument, or nil; what is given besides a place stands in for one."""
    PART = "part"
    """Some items of a sequence, its last argument: of a vector or map they are a vector."""
    ALIKE = "alike"
    """Of a vector a vector, and of a map a map: the first argument."""


@records.frozen(eq=False, kw_only=True)
class LibraryEntry:
    """A builtin as the compiler sees it: whatever passes and codegen know of one stands here."""

    name: str
    """What its aliases stand for."""
    function: Callable[..., Any]
    """What runs: passes compute calls on constants with it."""
    low: int
    """Least number of arguments."""
    high: int | None
    """Most arguments; None for any number."""
    signature: str
    """Its parameters as a call has them: `f initial? collection`; `x?` may be left out, `& xs` are any number."""
    types: str = "[:fn [& :any] :any]"
    """The function's type as a type expression, never narrower than the truth."""
    effect: str | None = None
    """None for a pure function; else what kind of request a call makes."""
    asks: tuple[str, ...] = ()
    """The capabilities that a call asks for; of one alone, with just the arguments of the call."""
    plain: bool = False
    """It calls no function among its arguments, asks nobody and ends: it may only fail."""
    cheap: bool = False
    """It takes constant time or tells the meter: a call takes no step, and of constants it is computed once."""
    op: str = ""
    """One of `Op`, if it is one."""
    gives: str = ""
    """One of `Gives`, if its type does not say it all."""
    inline: Mapping[int, str] = records.field(default=MappingProxyType({}))
    """By the number of arguments: what a call usually is in Python (`codegen/shortcuts.py`)."""


Library = Mapping[str, LibraryEntry]
"""Names a program may use without defining them."""

Delegatable = Callable[[str], bool]
"""Tells whether a route or an engine may claim the function of this name; of `DESCRIBED`, whether any described one."""

DESCRIBED = "described functions"
"""Stands for all functions that say what they are for, and declare the types of all that they take and give."""


def nothing_delegatable(_name: str) -> bool:
    """Say no: no route or engine is configured."""
    return False


FindModule = Callable[[str], "Source | None"]
"""Returns the text of a module by its name (`a.b` for the file a/b.rtfs), or None."""


def no_modules(_name: str) -> Source | None:
    """Find nothing: programs that are texts without a folder."""
    return None
