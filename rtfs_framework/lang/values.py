"""RTFS values as Python values. All are immutable.

nil, booleans, integers, floats and strings are Python's own, functions are Python callables; vectors and lists are in
`vectors`, maps and sets in `maps`. The rest is defined here. Python would equate 1, 1.0 and True; RTFS does not: use
`equal` and the keys of `Map`, never `==` on RTFS values.
"""

from __future__ import annotations

# What `weakref` has, which takes longer to import.
from _weakref import _remove_dead_weakref, ref  # type: ignore[attr-defined]

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Callable, ClassVar

Value = Any
"""Any RTFS value. (The union is recursive; mypy gains nothing from spelling it out.)"""


class _Reference(ref["Keyword"]):
    """A weak reference to a keyword that knows its name."""

    __slots__ = ("name",)
    name: str


class Keyword:
    """An interned name such as `:a/b`; two keywords of one name are the same object, whichever thread made it.

    (A `WeakValueDictionary` looks first and enters later: two threads would make two. Entering is one step here, and
    so is taking out what is dead.)
    """

    __slots__ = ("__weakref__", "name")
    _interned: ClassVar[dict[str, _Reference]] = {}
    name: str

    def __new__(cls, name: str) -> Keyword:  # noqa: PYI034 - final in all but name; Self would need a cast
        """Return the keyword of a name, always the same object."""
        known = cls._interned.get(name)
        found = None if known is None else known()
        if found is None:
            made = object.__new__(cls)
            object.__setattr__(made, "name", name)
            own = _Reference(made, cls._forget)
            own.name = name
            while found is None:
                found = cls._interned.setdefault(name, own)()
                if found is None:
                    _remove_dead_weakref(cls._interned, name)
        return found

    @classmethod
    def _forget(
        cls,
        dead: _Reference,
        # Bound here: when Python ends, the module's own names may be gone before the last keyword is.
        remove: Callable[[dict[str, _Reference], str], object] = _remove_dead_weakref,
    ) -> None:
        remove(cls._interned, dead.name)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(name)

    def __reduce__(self) -> tuple[type[Keyword], tuple[str]]:
        return Keyword, (self.name,)

    def __repr__(self) -> str:
        return f":{self.name}"


@records.frozen()
class Symbol:
    """A name as data (quoted)."""

    name: str


@records.frozen()
class Timestamp:
    """A timestamp literal; `text` is kept as written."""

    text: str


@records.frozen()
class Uuid:
    """A UUID literal; `text` is kept as written."""

    text: str


@records.frozen()
class Resource:
    """A `resource://` handle."""

    text: str


@records.frozen(eq=False)
class ErrorValue:
    """An error as a value. `kind` is one of LANGUAGE.md 11.1; errors are equal when kind and message are."""

    kind: str
    message: str
    data: Any = None
    span: str | None = None
    stack: tuple[str, ...] = ()
    cause: ErrorValue | None = None
    of_host: bool | None = None
    """Whether it came from the host, as the answer to a call; False where the host says that the program is wrong."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ErrorValue) and (self.kind, self.message) == (other.kind, other.message)

    def __hash__(self) -> int:
        return hash((self.kind, self.message))


@records.frozen(eq=False)
class Reduced:
    """What a function gives to end the `reduce` that calls it: its value is the result. Equal to itself alone."""

    value: Any


class Ticket:
    """A call that answers later: the value of `(ticket (f x))`. Equal to itself alone; `path` is the call's id.

    What it is for its program never changes; how far its call has come, only kernel and host look at.
    """

    __slots__ = (
        "__weakref__", "answer", "at_home", "body", "call", "calls", "error", "hints", "host", "instead", "paid",
        "path", "place", "run", "settled", "steps",
    )  # fmt: skip
    used: ClassVar[bool] = False
    """Whether there ever was one in this process: until then nobody looks for any."""

    def __init__(self, path: tuple[int, ...]) -> None:
        self.path = path
        self.call: Any = None
        """The call as its host is asked; None where nobody is asked."""
        self.place: Any = None
        self.hints: tuple[tuple[str, Any], ...] = ()
        self.settled = False
        self.answer: Any = None
        self.error: Any = None
        """What awaiting it raises."""
        self.at_home = False
        """Whether the function's own body is what answers; it runs when somebody awaits it."""
        self.body: Any = None
        """Computes that."""
        self.instead: Any = None
        """Another body in its place."""
        self.run: Any = None
        """The run of the body, once somebody has awaited it."""
        self.steps = 0
        """What answering it took of the run's limits, besides its own call: steps and other calls."""
        self.calls = 0
        self.paid: set[tuple[int, ...]] = set()
        """The branches that have paid for that."""
        self.host: Any = None
        """What the host keeps of it."""
        Ticket.used = True

    def give(self, answer: Any) -> None:
        """Settle it with a value; what is settled stays as it is."""
        if not self.settled:
            self.settled, self.answer = True, answer
            self.body = self.run = self.call = None

    def fail(self, error: Any) -> None:
        """Settle it with an error."""
        if not self.settled:
            self.settled, self.error = True, error
            self.body = self.run = self.call = None

    def __repr__(self) -> str:
        return f"#<ticket {'.'.join(map(str, self.path))}>"


Function = Callable[..., Any]


def is_function(value: object) -> bool:
    """Tell whether a value is a function value (keywords, maps and vectors are callable but no functions)."""
    return callable(value) and not isinstance(value, Keyword | type)


_TYPE_NAMES: dict[type, str] = {
    type(None): "nil",
    bool: "boolean",
    int: "integer",
    float: "float",
    str: "string",
    Keyword: "keyword",
    Symbol: "symbol",
    tuple: "vector",
    ErrorValue: "error",
    Timestamp: "timestamp",
    Uuid: "uuid",
    Resource: "resource-handle",
    Reduced: "reduced",
    Ticket: "ticket",
}


def register_type_name(cls: type, name: str) -> None:
    """Name a further value class (collections, which have modules of their own)."""
    _TYPE_NAMES[cls] = name


def type_name(value: object) -> str:
    """Return the RTFS name of a value's type, as `(type-name x)` gives it."""
    return _TYPE_NAMES.get(value.__class__) or ("function" if callable(value) else value.__class__.__name__)
