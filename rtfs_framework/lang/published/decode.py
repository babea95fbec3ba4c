"""Bytes as IR, believing nothing: unknown words are refused, and whatever can be found out is found out again.

Which library function a name is, what is captured, which functions loop, what a signature says of types: all that is
made anew. What is left is some program or other, which the verifier, the checks and the compiler then look at like at
one that was typed in. A node's span is its place in the order of the rows, so that errors can say where.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Callable, Mapping
from rtfs_framework.lang.error_kinds import KINDS
from rtfs_framework.lang.errors import InternalError
from rtfs_framework.lang.garbage import no_collection
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.verify import verify
from rtfs_framework.lang.ir.walk import defaults
from rtfs_framework.lang.library import Library
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.published import data
from rtfs_framework.lang.published.rows import MOST_BYTES, PublishedError, read_rows
from rtfs_framework.lang.published.shapes import LOWERED, shaped
from rtfs_framework.lang.published.summing import program_of
from rtfs_framework.lang.published.tables import LEAVES_PART, LOOPED, NODES, PATTERNS, WITH_SPAN
from rtfs_framework.lang.published.version import FORMAT, NAME
from rtfs_framework.lang.signature import DelegationHint, FunctionSignature, HintKind, Parameter
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.stack import room_for_recursion
from rtfs_framework.lang.types.model import Type

_HEAD = 5


@records.frozen(eq=False)
class Decoded:
    """A program that came as bytes."""

    program: ir.Program
    compiler: str
    """The version of the compiler that analyzed it."""


@no_collection()
@room_for_recursion()
def decode(encoded: bytes, library: Library, most: int = MOST_BYTES) -> Decoded:
    """Return the program of bytes.

    Raises:
        PublishedError: they are none, in the one way to write it.
    """
    rows = read_rows(encoded, most)
    if rows[:1] != [NAME]:
        raise PublishedError("no published program")
    if rows[1:2] != [FORMAT]:
        raise PublishedError(f"its format is another than {FORMAT}, which is read here")
    _, _, compiler, declared, body = data.listed(rows, _HEAD)
    reader = _Reader(library)
    try:
        types = _types(declared)
        nodes = tuple(reader.node(row) for row in data.listed(body))
        program = program_of(nodes, types)
        verify(program, "decoding")
        shaped(program, library)
    except InternalError as error:
        raise PublishedError(str(error)) from None
    except RecursionError:
        raise PublishedError("it nests too deeply") from None
    return Decoded(program, data.name(compiler))


def _types(rows: Any) -> dict[str, Type]:
    pairs = [data.listed(row, 2) for row in data.listed(rows)]
    made = {data.name(name): data.type_(declared) for name, declared in pairs}
    if [name for name, _ in pairs] != sorted(made):
        raise PublishedError("types that stand twice, or in another order")
    return made


class _Reader:
    """Reads one program."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._vars: list[ir.Var] = []
        self._frame = ir.FunctionFrame(None)
        self._place = 0
        self._read: dict[str, Callable[[Any], Any]] = {
            "node": self.node,
            "nodes": lambda rows: tuple([self.node(row) for row in data.listed(rows)]),
            "maybe-node": self._maybe_node,
            "pattern": self._pattern,
            "patterns": lambda rows: tuple([self._pattern(row) for row in data.listed(rows)]),
            "maybe-pattern": lambda row: None if row is None else self._pattern(row),
            "var": self._bound,
            "vars": lambda rows: tuple([self._bound(row) for row in data.listed(rows)]),
            "maybe-var": lambda row: None if row is None else self._bound(row),
            "read": self._var,
            "frame": self._jumps,
            "type": data.maybe_type,
            "value": data.value,
            "name": data.name,
            "builtin": self._builtin,
            "text": data.text,
            "flag": data.flag,
            "bindings": self._bindings,
            "clauses": lambda rows: tuple([self._clause(row) for row in data.listed(rows)]),
            "catches": lambda rows: tuple([self._catch(row) for row in data.listed(rows)]),
            "pairs": lambda rows: tuple([self._pair(row) for row in data.listed(rows)]),
            "hints": lambda rows: tuple([self._hint(row) for row in data.listed(rows)]),
            "entries": lambda rows: tuple([self._entry(row) for row in data.listed(rows)]),
        }

    def node(self, row: Any) -> ir.Node:
        """Return the node of a row."""
        tag = _tag(row)
        if tag == "fn":
            return self._function(row)
        return self._made(row, NODES, tag)  # type: ignore[no-any-return]

    def _made(self, row: Any, table: Mapping[str, tuple[type[Any], tuple[tuple[str, str], ...]]], tag: str) -> Any:
        if tag not in table:
            raise PublishedError("an unknown kind of node")
        cls, fields = table[tag]
        start = self._place = self._place + 1
        parts = data.listed(row, len(fields) + 1)[1:]
        made = {field: self._read[how](part) for (field, how), part in zip(fields, parts, strict=True)}
        if cls in WITH_SPAN:
            made["span"] = Span(start, self._place + 1)
        if cls is ir.Builtin:
            return ir.Builtin.of(self._library, made["name"], made["span"])
        if not _HOLDS.get(tag if table is NODES else "", _always)(made):
            raise PublishedError(f"a malformed {tag}")
        return cls(**made)

    def _maybe_node(self, row: Any) -> ir.Node | None:
        return None if row is None else self.node(row)

    def _pattern(self, row: Any) -> ir.Pattern:
        return self._made(row, PATTERNS, _tag(row))  # type: ignore[no-any-return]

    def _bound(self, row: Any) -> ir.Var:
        if row.__class__ is int:
            known = self._var(row)
            if not known.leaves_part:
                raise PublishedError("a variable is bound twice")
            return known
        name, marks = data.listed(row, 2)
        if marks.__class__ is not int or not 0 <= marks <= LOOPED + LEAVES_PART:
            raise PublishedError("unknown marks of a variable")
        looped, leaves = bool(marks & LOOPED), bool(marks & LEAVES_PART)
        var = ir.Var(data.name(name), len(self._vars) + 1, self._frame, looped, leaves)
        self._vars.append(var)
        return var

    def _var(self, row: Any) -> ir.Var:
        if row.__class__ is not int or not 0 <= row < len(self._vars):
            raise PublishedError("a variable that is not bound before")
        return self._vars[row]

    def _jumps(self, row: Any) -> ir.FunctionFrame | None:
        if not data.flag(row):
            return None
        self._frame.loops = True
        return self._frame

    def _builtin(self, row: Any) -> str:
        name = data.name(row)
        entry = self._library.get(name)
        if (entry is None and name not in LOWERED) or (entry is not None and entry.name != name):
            raise PublishedError(f"{name} is no function of this library")
        return name

    def _bindings(self, row: Any) -> tuple[tuple[ir.Var, ir.Fn], ...]:
        names, functions = data.listed(row, 2)
        variables = [self._bound(each) for each in data.listed(names)]
        made = [self._function(each) for each in data.listed(functions, len(variables))]
        return tuple(zip(variables, made, strict=True))

    def _clause(self, row: Any) -> ir.Clause:
        pattern, guard, body = data.listed(row, 3)
        made = self._pattern(pattern)
        if next(defaults(made), None) is not None:  # walks over the IR do not look into these
            raise PublishedError("a default in a clause")
        return ir.Clause(made, self._maybe_node(guard), self.node(body))

    def _catch(self, row: Any) -> ir.Catch:
        kinds, variables, body = data.listed(row, 3)
        taken = None if kinds is None else data.name(kinds)
        return ir.Catch(taken, tuple([self._bound(each) for each in data.listed(variables)]), self.node(body))

    def _pair(self, row: Any) -> tuple[Any, ir.Node]:
        key, node = data.listed(row, 2)
        what, of_key = data.listed(key, 2)
        if what != "value":  # nodes as keys are for macros, and walks over the IR do not look into them
            raise PublishedError("a key that is no value")
        return data.value(of_key), self.node(node)

    def _hint(self, row: Any) -> tuple[str, ir.Node]:
        key, node = data.listed(row, 2)
        return data.name(key), self.node(node)

    def _entry(self, row: Any) -> ir.PMapEntry:
        key, pattern, default = data.listed(row, 3)
        return ir.PMapEntry(data.value(key), self._pattern(pattern), self._maybe_node(default))

    def _function(self, row: Any) -> ir.Fn:
        if _tag(row) != "fn":
            raise PublishedError("a function is missing")
        _, name, captures, params, rest, returns, told, linked, body = data.listed(row, 9)
        start = self._place = self._place + 1
        captured = tuple([self._var(each) for each in data.listed(captures)])
        outer, self._frame = self._frame, ir.FunctionFrame(self._frame)
        taken = tuple([self._param(each) for each in data.listed(params)])
        more = None if rest is None else self._param(rest)
        declared = data.maybe_type(returns)
        signature = _signature(told, taken, more, declared)
        made = self.node(body)
        frame, self._frame = self._frame, outer
        span = Span(start, self._place + 1)
        name = data.name(name)
        return ir.Fn(name, taken, more, made, declared, signature, frame, captured, data.flag(linked), span)

    def _param(self, row: Any) -> ir.Param:
        pattern, declared = data.listed(row, 2)
        return ir.Param(self._pattern(pattern), data.maybe_type(declared))


def _tag(row: Any) -> str:
    tag = data.listed(row)[:1]
    if not tag or not isinstance(tag[0], str):
        raise PublishedError("a row without a kind")
    return tag[0]


def _signature(
    told: Any, params: tuple[ir.Param, ...], rest: ir.Param | None, returns: Type | None
) -> FunctionSignature:
    """Return a function's signature; its types are those of the function, whatever else was written."""
    name, doc, names, hint, metadata, digest = data.listed(told, 6)
    taken = [(param.type, False) for param in params] + ([] if rest is None else [(rest.type, True)])
    named = [data.name(each) for each in data.listed(names)]
    if named and len(named) != len(taken):
        raise PublishedError("a signature of other parameters")
    listed = tuple([Parameter(each, *of) for each, of in zip(named, taken, strict=False)])
    known = data.value(metadata)
    if not isinstance(known, Map) or len(data.text(digest)) > _DIGEST:
        raise PublishedError("a malformed signature")
    return FunctionSignature(data.name(name), data.text(doc), listed, returns, _delegation(hint), known, digest)


def _delegation(row: Any) -> DelegationHint | None:
    if row is None:
        return None
    kind, id_ = data.listed(row, 2)
    try:
        return DelegationHint(HintKind(data.text(kind)), data.text(id_))
    except ValueError:
        raise PublishedError("an unknown kind of hint") from None


def _always(_made: dict[str, Any]) -> bool:
    return True


_DIGEST = 64
_FEWEST = 2
_HOLDS: Mapping[str, Callable[[dict[str, Any]], bool]] = {
    "check": lambda made: made["type"] is not None,
    "fail": lambda made: made["kind"] in KINDS,
    "and": lambda made: len(made["items"]) >= _FEWEST,
    "or": lambda made: len(made["items"]) >= _FEWEST,
    "loop": lambda made: len(made["vars"]) == len(made["inits"]),
}
"""What holds of some kinds besides that their fields are what they should be."""
