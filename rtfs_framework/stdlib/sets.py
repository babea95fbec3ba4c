"""Sets as in mathematics. In: sets, or any collections read as sets. Out: sets in order of their first mention."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import type_error
from rtfs_framework.lang.maps import Set
from rtfs_framework.lang.meter import watched
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.check import sequence
from rtfs_framework.stdlib.table import builtin


def _set(op: str, value: Any) -> Set:
    if value.__class__ is Set:
        return value
    return Set.of(sequence(op, value))


@builtin("union", ("(union #{1 2} #{2 3})", "#{1 2 3}"), ("(union)", "#{}"), doc="Join the members of all sets.")
def union(*sets: ty.sequence) -> Set:
    if not sets:
        return Set.of(())
    made = _set("union", sets[0])
    for one in watched(sets[1:]):
        made = made.with_all(_set("union", one))
    return made


@builtin("intersection", ("(intersection #{1 2 3} #{2 3 4})", "#{2 3}"), doc="Keep the members that all sets have.")
def intersection(first: ty.sequence, *others: ty.sequence) -> Set:
    wanted = [_set("intersection", one) for one in watched(others)]
    return Set.of([m for m in watched(_set("intersection", first)) if all(m in one for one in watched(wanted))])


@builtin("difference", ("(difference #{1 2 3} #{2})", "#{1 3}"), doc="Leave out the members that other sets have.")
def difference(first: ty.sequence, *others: ty.sequence) -> Set:
    made = _set("difference", first)
    for one in [_set("difference", one) for one in watched(others)]:
        made = made.without_all(one)
    return made


@builtin(
    "subset?",
    ("(subset? #{1} #{1 2})", "true"),
    ("(subset? #{1 3} #{1 2})", "false"),
    doc="Tell whether the second set has every member of the first.",
)
def is_subset(part: ty.sequence, whole: ty.sequence) -> bool:
    members, container = _set("subset?", part), _set("subset?", whole)
    return all(member in container for member in watched(members))


@builtin(
    "superset?",
    ("(superset? #{1 2} #{1})", "true"),
    ("(superset? #{1} 5)", "!TypeError"),
    doc="Tell whether the first set has every member of the second.",
)
def is_superset(whole: ty.sequence, part: ty.sequence) -> bool:
    members, container = _set("superset?", part), _set("superset?", whole)
    return all(member in container for member in watched(members))


@builtin("disj", ("(disj #{1 2} 1)", "#{2}"), doc="Leave members out of a set.")
def disj(collection: ty.set, *members: Any) -> Set:
    if collection.__class__ is not Set:
        raise type_error("disj", "set", collection)
    return collection.without_all(members)
