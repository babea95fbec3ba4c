"""Templates of inline calls: for a builtin and a number of arguments, the Python expression that does the usual case.

A template reads its arguments as `a`, `b`, `c`, each as often as it likes. `slow` stands for the call of the builtin
itself, `isint(x)` and `isfloat(x)` for tests that are left out where the answer is known (as `x.__class__ is str` is),
`isvector(x)` for the test for a tuple where any vector will do, `iskey(x)` for the test that a value is its own key in
a dict, `small(x)` for the test that an integer is a usual divisor: positive and compact (a literal: not large), and
`quick(a, b)` for the same where a division by a short integer of any sign will do. Dividing by a large one takes time
that the meter must know of. What the library would charge for goes to the library, so that the steps of a run do not
depend on what is inline.
"""

from __future__ import annotations

from rtfs_framework.lang.meter import SHORT, SMALL
from rtfs_framework.lang.vectors import GROW_AT

_TEXT = f"a.__class__ is str and len(a) < {SHORT}"
_WITHIN = "isvector(a) and isint(b) and -1 < b < len(a)"
_PLACED = "a[:b] + (c,) + a[b + 1:]"
_MAP = "a.__class__ is rt_map and a._items is not None"
_WORD = 1 << 60
_BOTH_TEXT = "a.__class__ is str and b.__class__ is str"

TEMPLATES: dict[tuple[str, int], str] = {
    ("get", 2): f"a._items.get(b) if {_MAP} and iskey(b) else slow",
    ("get", 3): f"a._items.get(b, c) if {_MAP} and iskey(b) else slow",
    ("contains?", 2): f"b in a._items if {_MAP} and iskey(b) else slow",
    ("assoc", 3): f"a.assoc(b, c) if a.__class__ is rt_map else {_PLACED} if {_WITHIN} < {GROW_AT} else slow",
    ("nth", 2): f"a[b] if {_WITHIN} else slow",
    ("nth", 3): "(a[b] if -1 < b < len(a) else c) if isvector(a) and isint(b) else slow",
    ("first", 1): "a[0] if isvector(a) and a else slow",
    ("second", 1): "a[1] if isvector(a) and len(a) > 1 else slow",
    ("last", 1): "a[-1] if isvector(a) and a else slow",
    ("peek", 1): "a[-1] if isvector(a) and a else slow",
    ("pop", 1): f"a[:-1] if isvector(a) and 0 < len(a) < {GROW_AT} else slow",
    ("butlast", 1): f"a[:-1] if isvector(a) and len(a) < {GROW_AT} else slow",
    ("rest", 1): f"a[1:] if isvector(a) and len(a) < {GROW_AT} else slow",
    ("next", 1): f"a[1:] or None if isvector(a) and len(a) < {GROW_AT} else slow",
    ("subvec", 3): f"a[b:c] if isvector(a) and isint(b) and isint(c) and -1 < b <= c <= len(a) < {GROW_AT} else slow",
    ("empty?", 1): "not a if isvector(a) else slow",
    ("count", 1): "len(a) if isvector(a) or a.__class__ is str else slow",
    ("conj", 2): f"a + (b,) if a.__class__ is tuple and len(a) < {GROW_AT} else "
    "a.conj(b) if a.__class__ is rt_grown else slow",
    ("cons", 2): f"(a, *b) if isvector(b) and len(b) < {SMALL} else slow",
    ("concat", 2): f"a + b if a.__class__ is tuple and b.__class__ is tuple and len(a) + len(b) < {SMALL} else slow",
    ("vec", 1): "a if a.__class__ is tuple else slow",
    ("mod", 2): "a % b if isint(a) and isint(b) and quick(a, b) else slow",
    ("quot", 2): "a // b if isint(a) and isint(b) and a >= 0 and small(b) else slow",
    ("rem", 2): "a % b if isint(a) and isint(b) and a >= 0 and small(b) else slow",
    ("/", 2): "(a // b if not a % b else a / b) if isint(a) and isint(b) and quick(a, b) else slow",
    ("-", 1): "-a if isint(a) or isfloat(a) else slow",
    ("max", 2): "(b if b > a else a) if isint(a) and isint(b) else slow",
    ("min", 2): "(b if b < a else a) if isint(a) and isint(b) else slow",
    ("even?", 1): "a % 2 == 0 if isint(a) else slow",
    ("odd?", 1): "a % 2 == 1 if isint(a) else slow",
    ("zero?", 1): "a == 0 if isint(a) or isfloat(a) else slow",
    ("pos?", 1): "a > 0 if isint(a) or isfloat(a) else slow",
    ("neg?", 1): "a < 0 if isint(a) or isfloat(a) else slow",
    ("float", 1): f"a if isfloat(a) else a * 1.0 if isint(a) and -{_WORD} < a < {_WORD} else slow",
    ("abs", 1): "(a if a >= 0 else -a) if isint(a) else slow",
    ("string-length", 1): "len(a) if a.__class__ is str else slow",
    ("substring", 2): f"a[b:] if a.__class__ is str and isint(b) and -1 < b <= len(a) < {SHORT} else slow",
    ("substring", 3): f"a[b:c] if a.__class__ is str and isint(b) and isint(c) and -1 < b <= c <= len(a) < {SHORT} "
    "else slow",
    ("string-upper", 1): f"a.upper() if {_TEXT} else slow",
    ("string-lower", 1): f"a.lower() if {_TEXT} else slow",
    ("string-trim", 1): f"a.strip() if {_TEXT} else slow",
    ("string-contains", 2): f"b in a if {_BOTH_TEXT} and len(a) < {SHORT} else slow",
    ("starts-with?", 2): f"a.startswith(b) if {_BOTH_TEXT} and {SHORT} > len(b) else slow",
    ("ends-with?", 2): f"a.endswith(b) if {_BOTH_TEXT} and {SHORT} > len(b) else slow",
    ("str", 1): f"str(a) if isint(a) and -{_WORD} < a < {_WORD} else a if {_TEXT} else slow",
    ("string?", 1): "a.__class__ is str",
    ("int?", 1): "a.__class__ is int",
    ("float?", 1): "a.__class__ is float",
    ("reduced?", 1): "a.__class__ is rt_reduced_value",
    ("map?", 1): "a.__class__ is rt_map",
    ("vector?", 1): "isvector(a) or a.__class__ is rt_grown",
}

KEYWORD = "b._items.get(a) if b.__class__ is rt_map and b._items is not None else slow"
"""`(:key subject)`."""
