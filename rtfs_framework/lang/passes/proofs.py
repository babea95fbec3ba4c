"""Proofs: which nodes surely give a value of a declared type, so that it need not be checked.

In: a node, a type, and what `numbers` knows of variables and functions. Out: whether every value that the node may give
fits. Values never change, so a check that was passed once holds for good: a parameter fits from its check on, and a
call gives what the function declares. Nobody knows here what stands behind a name in a conversation, where it may come
to mean something else: there names prove nothing (`Numbers.lookup` is None).
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import TYPE_CHECKING, Iterable, Iterator
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import parts
from rtfs_framework.lang.library import Gives, LibraryEntry, Op
from rtfs_framework.lang.passes import kinds
from rtfs_framework.lang.passes.kinds import Kind
from rtfs_framework.lang.types import model as ty
from rtfs_framework.lang.types.check import violation
from rtfs_framework.lang.types.model import Primitive, Type
from rtfs_framework.lang.types.names import Lookup, no_names, resolve
from rtfs_framework.lang.types.subtypes import is_recursive, is_same, is_subtype
from rtfs_framework.lang.values import Keyword

if TYPE_CHECKING:
    from rtfs_framework.lang.passes.numbers import Numbers

OF_KIND: dict[Kind | None, Type] = {
    Kind.INT: Primitive.INT, Kind.FLOAT: Primitive.FLOAT, Kind.STRING: Primitive.STRING, Kind.BOOL: Primitive.BOOL,
    Kind.NEVER: Primitive.NEVER,
}  # fmt: skip
_NUMERIC = frozenset({Gives.NUMBER, Gives.CHOICE, Gives.QUOTIENT})
"""Of numbers they give a number."""


def plain(declared: Type, lookup: Lookup | None) -> Type:
    """Return the type behind a name, if it is known for good."""
    seen: set[str] = set()
    while isinstance(declared, ty.NamedType) and lookup is not None and declared.name not in seen:
        seen.add(declared.name)
        found = resolve(declared.name, lookup)
        if found is None:
            break
        declared = found
    return declared


def type_of(node: ir.Node, numbers: Numbers) -> Type | None:  # noqa: C901 - one case per kind of node
    """Return a declared type that a node's value surely fits, if one is known."""
    match node:
        case ir.Local(var=var):
            return numbers.types.get(var)
        case ir.Const(value=tuple() as items):
            item = one_type(OF_KIND.get(kinds.of_value(each)) for each in items)
            return None if item is None else ty.VectorType(item)
        case ir.Bind() | ir.Check():
            return node.type or type_of(node.value, numbers)
        case ir.Do(items=[*_, last]):
            return type_of(last, numbers)
        case ir.Inlined(body=body) | ir.Loop(body=body):
            return type_of(body, numbers)
        case ir.If(then=then, otherwise=otherwise):
            return _common([then, otherwise], numbers)
        case ir.Match(clauses=clauses):
            return _common([clause.body for clause in clauses], numbers)
        case ir.Call(function=ir.Const()) | ir.Call(function=ir.Builtin(op=Op.GET)):
            return entry_of(node, numbers)
        case ir.Call(function=ir.Builtin(op=Op.RANGE)):
            return ty.VectorType(Primitive.INT)
        case ir.Call(function=ir.Builtin(entry=entry), args=args) if entry is not None:
            return _of_library(entry, args, numbers)
        case ir.Call():
            return numbers.gives(node)
        case ir.Each(acc=None, alike=True, source=source):
            item = item_of(source, numbers)
            return None if item is None else ty.VectorType(item)
        case ir.Each(acc=None):
            item = one_type([type_of(each, numbers) or OF_KIND.get(numbers.kind(each)) for each in _pushed(node.body)])
            return None if item is None else ty.VectorType(item)
        case ir.Each(acc=acc) if acc is not None:
            return numbers.types.get(acc)
        case _:
            return None


def entry_of(node: ir.Call, numbers: Numbers) -> Type | None:
    """Return the type of what a look-up in a map of a declared type gives."""
    match node:
        case ir.Call(function=ir.Const(value=Keyword() as key), args=[subject]):
            return _entry(type_of(subject, numbers), key, numbers)
        case ir.Call(function=ir.Builtin(op=Op.GET), args=[subject, ir.Const(value=key)]):
            return _entry(type_of(subject, numbers), key, numbers)
        case _:
            return None


def _common(nodes: list[ir.Node], numbers: Numbers) -> Type | None:
    """Return the type of what several nodes give, those that give nothing left out."""
    return one_type([type_of(each, numbers) for each in nodes if not isinstance(each, ir.Recur | ir.Fail | ir.Stop)])


def under(key: object, subject: Type | None, lookup: Lookup | None) -> ty.MapEntry | None:
    """Return what a map's type says of a key."""
    found = None if subject is None else plain(subject, lookup)
    entries = found.entries if isinstance(found, ty.MapType) else ()
    return next((each for each in entries if each.key.__class__ is key.__class__ and each.key == key), None)


def _entry(subject: Type | None, key: object, numbers: Numbers) -> Type | None:
    """Return the type of what a look-up gives: nil, too, where the key may be missing, or a string stand in for it."""
    found = under(key, subject, numbers.lookup)
    if found is None or isinstance(found.type, ty.OptionalType):
        return None if found is None else found.type
    sure = not found.optional and key.__class__ is not Keyword
    return found.type if sure else ty.OptionalType(found.type)


def parts_of(pattern: ir.PVector, subject: Type | None, lookup: Lookup | None) -> list[Type | None]:
    """Return the types of the parts of a vector that fits a pattern, as far as its type settles them."""
    nothing: list[Type | None] = [None] * len(pattern.items)
    match None if subject is None else plain(subject, lookup):
        case ty.VectorType(item):
            return [item] * len(pattern.items)
        case ty.TupleType(items) if len(items) >= len(pattern.items):
            return list(items[: len(pattern.items)])
        case ty.UnionType(members):
            ways = [parts_of(pattern, each, lookup) for each in members if _may_be(pattern, each, lookup)]
            return [one_type([way[i] for way in ways]) for i in range(len(pattern.items))] if ways else nothing
        case _:
            return nothing


def _may_be(pattern: ir.PVector, member: Type, lookup: Lookup | None) -> bool:
    """Tell whether a value of a type may fit a pattern: a tuple of another length or with other literals does not."""
    match plain(member, lookup):
        case ty.TupleType(items):
            count = len(pattern.items)
            if len(items) < count or (pattern.rest is None and len(items) != count):
                return False
            pairs = zip(pattern.items, items, strict=False)
            literals = [(item.value, type_) for item, type_ in pairs if isinstance(item, ir.PLiteral)]
            return lookup is None or all(violation(type_, value, lookup) is None for value, type_ in literals)
        case Primitive() as found:
            return found is Primitive.ANY
        case _:
            return True


def one_type(found: Iterable[Type | None]) -> Type | None:
    """Return the type of values of which each fits one of several types, those that there are none of left out."""
    some: list[Type | None] = [each for each in found if each is not Primitive.NEVER] or [Primitive.NEVER]
    return some[0] if all(is_same(each, some[0]) for each in some) else None


def _of_library(entry: LibraryEntry, args: tuple[ir.Node, ...], numbers: Numbers) -> Type | None:
    match entry, args:
        case LibraryEntry(op=Op.MAP), [ir.Global() | ir.Local() as function, _]:
            item = numbers.declared(function)
            return None if item is None else ty.VectorType(item)
        case LibraryEntry(op=Op.NTH), [items, _]:  # it fails where there is none
            return item_of(items, numbers)
        case LibraryEntry(gives=Gives.ITEM), [items]:
            item = item_of(items, numbers)
            return None if item is None else ty.OptionalType(item)
        case LibraryEntry(gives=Gives.PART), [*_, _]:
            item = item_of(args[-1], numbers)
            return None if item is None else ty.VectorType(item)
        case _:
            return None


def item_of(node: ir.Node, numbers: Numbers) -> Type | None:
    """Return the type of all items of a node's vector."""
    found = type_of(node, numbers)
    match None if found is None else plain(found, numbers.lookup):
        case ty.VectorType(item):
            return item
        case _:
            return None


def _pushed(node: ir.Node) -> Iterator[ir.Node]:
    """Yield what a loop adds to its vector; inner loops have their own."""
    if isinstance(node, ir.Push):
        yield node.value
    for part in parts(node):
        if not isinstance(part, ir.Each | ir.Fn):
            yield from _pushed(part)


def _nothing_fits(name: str) -> Type:  # noqa: ARG001 - the shape of a Lookup
    """The lookup where nobody knows what names stand for."""
    return Primitive.NEVER


def fits(node: ir.Node, declared: Type, numbers: Numbers) -> bool:
    """Tell whether every value that a node may give surely fits a type."""
    match node:
        case ir.Recur() | ir.Fail() | ir.Stop():
            return True
        case ir.Const(value=value):
            return violation(declared, value, numbers.lookup or _nothing_fits) is None
        case ir.Do(items=[*_, last]):
            return numbers.fits(last, declared)
        case ir.Inlined(body=body) | ir.Loop(body=body):
            return numbers.fits(body, declared)
        case ir.If(then=then, otherwise=otherwise):
            return numbers.fits(then, declared) and numbers.fits(otherwise, declared)
        case ir.Match(clauses=clauses):
            return all(numbers.fits(clause.body, declared) for clause in clauses)
        case ir.And(items=items) | ir.Or(items=items):
            return all(numbers.fits(item, declared) for item in items)
        case _:
            return _leaf_fits(node, plain(declared, numbers.lookup), numbers)


def _leaf_fits(node: ir.Node, wanted: Type, numbers: Numbers) -> bool:
    if wanted is Primitive.ANY:
        return True
    lookup = numbers.lookup or no_names
    kind = numbers.kind(node)
    if kind in OF_KIND and is_subtype(OF_KIND[kind], wanted, lookup):
        return True
    known = type_of(node, numbers)
    if known is not None and is_subtype(known, wanted, lookup):
        return True
    match wanted:
        case ty.OptionalType(inner):
            return numbers.fits(node, inner)
        case ty.UnionType(members):
            return any(numbers.fits(node, member) for member in members)
        case Primitive.FLOAT:
            return _is_number(node, numbers)
        case _:
            return _parts_fit(node, wanted, numbers)


def _is_number(node: ir.Node, numbers: Numbers) -> bool:
    match node:
        case ir.Call(function=ir.Builtin(entry=entry), args=args) if entry is not None and entry.gives in _NUMERIC:
            return all(numbers.fits(arg, Primitive.FLOAT) for arg in args)
        case _:
            return False


def _parts_fit(node: ir.Node, wanted: Type, numbers: Numbers) -> bool:
    """Look into collections that are written out, or made of one whose type is known and what is put into it."""
    match node, wanted:
        case ir.VectorNode(items=items), ty.VectorType(item) | ty.ListType(item):
            return all(_part_fits(each, item, numbers) for each in items)
        case ir.VectorNode(items=items), ty.TupleType(types) if len(items) == len(types):
            return all(_part_fits(each, type_, numbers) for each, type_ in zip(items, types, strict=True))
        case ir.Each(acc=None, alike=False, body=body), ty.VectorType(item) | ty.ListType(item):
            return all(_part_fits(each, item, numbers) for each in _pushed(body))
        case ir.SetNode(items=items), ty.SetType(item):
            return all(_part_fits(each, item, numbers) for each in items)
        case ir.MapNode(), ty.MapType(entries, None):
            return _entries_fit(node, wanted, numbers)
        case ir.Call(function=ir.Builtin(op=Op.ASSOC), args=[first, *pairs]), ty.MapType(entries, None) if pairs:
            given = list(zip(pairs[::2], pairs[1::2], strict=False))
            named = {entry.key: entry.type for entry in entries if entry.key.__class__ is Keyword}
            return numbers.fits(first, wanted) and all(_may_put(key, value, named, numbers) for key, value in given)
        case ir.Call(function=ir.Builtin(op=Op.CONJ), args=[first, *items]), ty.VectorType(item):
            return numbers.fits(first, wanted) and all(_part_fits(each, item, numbers) for each in items)
        case _:
            return False


def _may_put(key: ir.Node, value: ir.Node, types: dict[Keyword, Type], numbers: Numbers) -> bool:
    """Tell whether a map still fits when something is put under a key."""
    if not isinstance(key, ir.Const) or key.value.__class__ is not Keyword:
        return False
    declared = types.get(key.value)
    return declared is None or _part_fits(value, declared, numbers)


def _entries_fit(node: ir.MapNode, wanted: ty.MapType, numbers: Numbers) -> bool:
    if not all(key.__class__ in (Keyword, str) for key, _ in node.pairs):
        return False
    given = dict(node.pairs)  # the last of equal keys counts
    for entry in wanted.entries:
        value = given.get(entry.key)
        if value is None and entry.key.__class__ is Keyword:
            value = given.get(entry.key.name)
        if not (entry.optional if value is None else _part_fits(value, entry.type, numbers)):
            return False
    return True


def _part_fits(node: ir.Node, declared: Type, numbers: Numbers) -> bool:
    """Tell whether a part fits. One whose type comes back to itself is checked: values must not nest too deeply."""
    if isinstance(declared, Primitive):
        return numbers.fits(node, declared)
    return not is_recursive(declared, numbers.lookup or no_names) and numbers.fits(node, declared)
