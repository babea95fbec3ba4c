"""Types as values: check, explain and convert data by a type written as a keyword or a vector such as `[:vector :int]`.

In: a type as a value, then any value. Out: a boolean, a reason or the value. A `?` must be quoted, as in
`'[:map [:a :int ?]]`. Names that a program defines (`deftype`, `defstruct`) are resolved by its instance's `lookup`; as
values they are keywords or symbols, and the constructor of a struct stands for its type.
"""

from __future__ import annotations

from types import FunctionType

from rtfs_framework.lang.annotations import Any, Sequence
from rtfs_framework.lang.errors import LanguageError, invalid_argument, type_validation_error
from rtfs_framework.lang.forms import Atom, Form, MapForm, Name, VectorForm
from rtfs_framework.lang.jsontext import JsonError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.meter import charge
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.types.check import violation
from rtfs_framework.lang.types.coerce import from_json, to_json
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.types.names import PRIMITIVES, Lookup, instead, no_names, resolve
from rtfs_framework.lang.types.read import MAX_NESTING, read_type
from rtfs_framework.lang.values import Symbol
from rtfs_framework.lang.vectors import GrownVector
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.table import builtin

MOST_PARTS = 100_000
"""Parts of a type that a value spells: a few values that share their parts can spell billions."""
_NOWHERE = Span(0, 0)


def _type(op: str, value: Any, lookup: Lookup) -> Type:
    """Return the type that a value spells; a name in it that is no type is refused like any other mistake in it."""

    def known(name: str, _span: Span) -> str:
        if resolve(name, lookup) is None and lookup(name.removesuffix("?")) is None:
            raise invalid_argument(f"{op}: no type is called '{name}' ({instead(name, PRIMITIVES)})")
        return name

    try:
        return read_type(_Spelled(op).form(value, 0), full=known)
    except LanguageError as error:
        found = error.diagnostics[0]
        raise invalid_argument(f"{op}: {found.message}" + (f" ({found.help})" if found.help else "")) from None


class _Spelled:
    """A type spelled by a value, as the form that is read. A part that stands at several places counts at each."""

    def __init__(self, op: str) -> None:
        self._op = op
        self._parts = 0

    def form(self, value: Any, depth: int) -> Form:
        """Return the form of a value."""
        if depth > 2 * MAX_NESTING:
            raise invalid_argument(f"{self._op}: a type may not nest deeper than {MAX_NESTING} levels")
        kind = value.__class__
        if kind is tuple or kind is GrownVector:
            return VectorForm(self._forms(value, depth), _NOWHERE)
        if kind is Map:
            return MapForm(self._forms([part for entry in value.items() for part in entry], depth), _NOWHERE)
        if kind is FunctionType:
            struct = getattr(value, "rtfs_struct", None)
            return Atom(value, _NOWHERE) if struct is None else Name(struct, _NOWHERE)
        return Name(value.name, _NOWHERE) if kind is Symbol else Atom(value, _NOWHERE)

    def _forms(self, values: Sequence[Any], depth: int) -> tuple[Form, ...]:
        charge(len(values))
        self._parts += len(values)
        if self._parts > MOST_PARTS:
            raise invalid_argument(f"{self._op}: a type may not have more than {MOST_PARTS} parts")
        return tuple([self.form(each, depth + 1) for each in values])


@builtin(
    "validate",
    ("(validate [:vector :int] [1 2])", "true"),
    ('(validate [:map [:a :int]] {:a "x"})', "false"),
    ("(deftype Age [:and :int [:>= 0]]) (validate [:vector Age] [30 -1])", "false"),
    ("(validate [:vektor :int] [1])", "!InvalidArgument"),
    ("(validate :nope 1)", "!InvalidArgument"),
    doc="Tell whether a value fits a type.",
    names_types=True,
)
def validate(type_: ty.type, value: Any, *, lookup: Lookup = no_names) -> bool:
    return violation(_type("validate", type_, lookup), value, lookup) is None


@builtin(
    "instance?",
    ("(instance? :int 5)", "true"),
    ('(instance? :int "5")', "false"),
    ("(defstruct Point :x :int :y :int) (instance? Point {:x 1 :y 2})", "true"),
    doc="The same as validate.",
    names_types=True,
)
def is_instance(type_: ty.type, value: Any, *, lookup: Lookup = no_names) -> bool:
    return violation(_type("instance?", type_, lookup), value, lookup) is None


@builtin(
    "explain-type",
    ("(explain-type [:vector :int] [1])", "nil"),
    ('(explain-type [:vector :int] ["x"])', '"Type mismatch at [0]: expected :int, got string"'),
    doc="Say where and why a value does not fit a type, or give nil.",
    names_types=True,
)
def explain_type(type_: ty.type, value: Any, *, lookup: Lookup = no_names) -> str | None:
    return violation(_type("explain-type", type_, lookup), value, lookup)


@builtin(
    "conform",
    ('(conform [:map [:mood [:enum :good :bad]]] (parse-json "{\\"mood\\": \\"good\\"}"))', "{:mood :good}"),
    ("(conform :int 5)", "5"),
    ('(conform :int "5")', "!TypeValidationError"),
    doc="Give a value that fits a type unchanged, and JSON-like data as the value of that type that it stands for.",
    names_types=True,
)
def conform(type_: ty.type, value: Any, *, lookup: Lookup = no_names) -> Any:
    wanted = _type("conform", type_, lookup)
    message = violation(wanted, value, lookup)
    if message is None:
        return value
    try:
        return from_json(wanted, to_json(value), lookup)
    except JsonError:
        raise type_validation_error(message) from None
