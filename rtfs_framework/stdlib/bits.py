"""Integers as rows of bits: two's complement without end, so `bit-not` of 0 is -1 and shifts never drop high bits."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import invalid_argument
from rtfs_framework.lang.meter import room_for_bits, walk_integer, walk_numbers
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.check import integer
from rtfs_framework.stdlib.table import builtin


@builtin(
    "bit-and",
    ("(bit-and 12 10)", "8"),
    ("(bit-and 1 2.0)", "!TypeError"),
    doc="Keep the bits that all have.",
    cheap=True,
)
def bit_and(a: ty.int, b: ty.int, *others: ty.int) -> int:
    result = walk_integer(integer("bit-and", a)) & integer("bit-and", b)
    for value in walk_numbers(others):
        result &= integer("bit-and", value)
    return result


@builtin("bit-or", ("(bit-or 12 10)", "14"), doc="Join the bits that any has.", cheap=True)
def bit_or(a: ty.int, b: ty.int, *others: ty.int) -> int:
    result = walk_integer(integer("bit-or", a)) | integer("bit-or", b)
    for value in walk_numbers(others):
        result |= integer("bit-or", value)
    return result


@builtin("bit-xor", ("(bit-xor 12 10)", "6"), doc="Keep the bits that an odd number of the integers have.", cheap=True)
def bit_xor(a: ty.int, b: ty.int, *others: ty.int) -> int:
    result = walk_integer(integer("bit-xor", a)) ^ integer("bit-xor", b)
    for value in walk_numbers(others):
        result ^= integer("bit-xor", value)
    return result


@builtin("bit-not", ("(bit-not 5)", "-6"), doc="Turn every bit over.", cheap=True)
def bit_not(number: ty.int) -> int:
    return ~walk_integer(integer("bit-not", number))


def _places(op: str, places: Any) -> int:
    if integer(op, places) < 0:
        raise invalid_argument(f"Places of {op} must not be negative")
    return places  # type: ignore[no-any-return]


@builtin(
    "bit-shift-left",
    ("(bit-shift-left 3 2)", "12"),
    ("(bit-shift-left 1 -1)", "!InvalidArgument"),
    doc="Move the bits to the left: multiply by a power of 2.",
)
def bit_shift_left(number: ty.int, places: ty.int) -> int:
    value, distance = integer("bit-shift-left", number), _places("bit-shift-left", places)
    if not value:
        return 0
    room_for_bits("bit-shift-left", value.bit_length() + distance)
    return value << distance


@builtin("bit-shift-right", ("(bit-shift-right 12 2)", "3"), doc="Move the bits to the right: divide, floored.")
def bit_shift_right(number: ty.int, places: ty.int) -> int:
    value, distance = integer("bit-shift-right", number), _places("bit-shift-right", places)
    return walk_integer(value) >> min(distance, value.bit_length())


@builtin("bit-test", ("(bit-test 5 2)", "true"), ("(bit-test 5 1)", "false"), doc="Tell whether a bit is set.")
def bit_test(number: ty.int, place: ty.int) -> bool:
    value, distance = integer("bit-test", number), _places("bit-test", place)
    return bool((walk_integer(value) >> min(distance, value.bit_length())) & 1)


@builtin("bit-count", ("(bit-count 7)", "3"), doc="Count the bits set in an integer's absolute value.")
def bit_count(number: ty.int) -> int:
    return walk_integer(integer("bit-count", number)).bit_count()
