"""What programs call to run things at once: `pmap`."""

from __future__ import annotations

from rtfs_framework.kernel.faults import to_error
from rtfs_framework.kernel.host_table import HOST
from rtfs_framework.kernel.parallel import spread
from rtfs_framework.kernel.state import under_way
from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.meter import watched
from rtfs_framework.lang.values import Keyword
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.callables import as_function, invoke
from rtfs_framework.stdlib.check import sequence
from rtfs_framework.stdlib.table import builtin

_OK, _ERROR = Keyword("ok"), Keyword("error")


def _together(op: str, collection: Any, more: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    collections = [sequence(op, each) for each in watched((collection, *more))]
    return list(zip(*collections))  # noqa: B905 - the shortest ends it


@builtin(
    "pmap",
    ("(pmap inc [1 2 3])", "[2 3 4]"),
    ("(pmap + [1 2] [10 20 30])", "[11 22]"),
    ("(pmap (fn [x] (/ 1 x)) [1 0])", "!DivisionByZero"),
    doc="The same as map, but the host may run all calls at once. The first failure in order cancels those after it.",
    table=HOST,
)
def pmap(f: ty.callable, collection: ty.sequence, *more: ty.sequence) -> tuple[Any, ...]:
    """`(pmap f collection...)`."""
    given = _together("pmap", collection, more)
    call = as_function("pmap", f, 1 + len(more))
    return tuple(spread(len(given), lambda number: invoke(call, given[number])))


@builtin(
    "pmap-settled",
    ("(pmap-settled (fn [x] (/ 6 x)) [3 2])", "[[:ok 2] [:ok 3]]"),
    ("(map first (pmap-settled (fn [x] (/ 6 x)) [3 0 2]))", "[:ok :error :ok]"),
    doc="The same as pmap, but every call runs to its end: [:ok value] or [:error error] for each.",
    table=HOST,
)
def pmap_settled(f: ty.callable, collection: ty.sequence, *more: ty.sequence) -> tuple[Any, ...]:
    """`(pmap-settled f collection...)`."""
    given = _together("pmap-settled", collection, more)
    call = as_function("pmap-settled", f, 1 + len(more))

    def settled(number: int) -> tuple[Any, ...]:
        try:
            return (_OK, invoke(call, given[number]))
        except Exception as error:
            if not under_way():
                raise
            return (_ERROR, to_error(error))

    return tuple(spread(len(given), settled))
