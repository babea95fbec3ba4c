"""Text: its parts, its pieces, its case. Indexes and lengths count characters (code points), never bytes.

In: strings (nil only where said). Out: strings, vectors of strings, booleans, indexes. Made text is bounded.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import index_error
from rtfs_framework.lang.library import Gives, Op
from rtfs_framework.lang.meter import Growing, charge, fits, made, room, room_for_text, walk_text, watched
from rtfs_framework.lang.printer import displayed, write
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.check import integer, placed, sequence, string
from rtfs_framework.stdlib.order import position
from rtfs_framework.stdlib.table import builtin

_TEXT = {str}
_SHORT_SEARCH = 1 << 16
"""Product of lengths up to which Python searches backwards itself: it takes that many comparisons at worst."""
PIECE = 64
"""Bytes that a short text takes, with its place in a vector."""


@builtin(
    "str",
    ('(str "a" 1 :k [2 "b"])', '"a1:k[2 \\"b\\"]"'),
    ("(str nil)", '"nil"'),
    ("(str)", '""'),
    ("(str 0.5 1e20 1e-5)", '"0.51e201.0E-5"'),
    doc="Join the text of values; a string is shown raw, and quoted inside a collection. A float has the fewest digits "
    "that read back, from 1e16 on with an exponent, and below 0.0001 with one as in 1.0E-5.",
    op=Op.STR,
    inline={1: "str(a) if isint(a) and a < WORD and a > -WORD else a if istext(a) else slow"},
)
def to_text(*values: Any) -> str:
    return _joined("str", "", values)


@builtin(
    "pr-str",
    ('(pr-str "a" [1 "b"])', '"\\"a\\" [1 \\"b\\"]"'),
    doc="Print values as they are read back, with blanks between them.",
)
def printed_text(*values: Any) -> str:
    size = Growing("pr-str")
    parts = []
    for value in watched(values):
        parts.append(write(value, size.most, size.size))
        size.add(len(parts[-1]) + 1)
    return made(" ".join(parts))


def _joined(op: str, separator: str, values: Any) -> str:
    between = len(separator) * len(values)
    if set(map(type, values)) == _TEXT:
        room_for_text(op, sum(map(len, values)) + between)
        return made(separator.join(values))
    parts = list(displayed(op, watched(values)))
    fits(op, sum(map(len, parts)) + between)
    charge(between >> 5)
    return made(separator.join(parts))


@builtin(
    "string-length",
    ('(string-length "é☃")', "2"),
    doc="Count the characters of a string.",
    gives=Gives.SIZE,
    inline={1: "len(a) if a.__class__ is str else slow"},
)
def string_length(text: ty.string) -> int:
    return len(string("string-length", text))


@builtin(
    "substring",
    ('(substring "hello" 1 3)', '"el"'),
    ('(subs "hello" 2)', '"llo"'),
    ('(substring "abc" 5)', "!IndexOutOfBounds"),
    doc="Give the characters from start to before end, or to the end of the string.",
    aliases=("subs",),
    inline={
        2: "a[b:] if a.__class__ is str and isint(b) and b >= 0 and b <= len(a) < SHORT else slow",
        3: "a[b:c] if a.__class__ is str and isint(b) and isint(c) and b >= 0 and b <= c <= len(a) < SHORT else slow",
    },
)
def substring(text: ty.string, start: ty.int, end: ty.int | None = None) -> str:
    string("substring", text)
    low, high = slice_bounds("substring", len(text), start, end)
    return text[low : low + room_for_text("substring", high - low)]  # type: ignore[no-any-return]


def slice_bounds(op: str, length: int, start: Any, end: Any) -> tuple[int, int]:
    """Return start and end of a slice of something of a length; an end of None is the length.

    Raises:
        ProgramError: IndexOutOfBounds, naming the first bound that does not fit.
    """
    low = integer(op, start)
    high = length if end is None else integer(op, end)
    if not 0 <= low <= length:
        raise index_error(low, length)
    if high > length:
        raise index_error(high, length)
    if high < low:
        raise index_error(low, length)
    return low, high


@builtin(
    "string-contains",
    ('(string-contains "haystack" "st")', "true"),
    ('(string-contains? "abc" "z")', "false"),
    ('(includes? "abc" "")', "true"),
    doc="Tell whether a string contains another.",
    aliases=("string-contains?", "includes?"),
    inline={2: "b in a if istext(a) and b.__class__ is str else slow"},
)
def string_contains(text: ty.string, part: ty.string) -> bool:
    wanted, whole = string("string-contains", part), string("string-contains", text)
    charge(len(whole) >> 3)
    walk_text(wanted)
    return wanted in whole


@builtin(
    "starts-with?",
    ('(starts-with? "prefix" "pre")', "true"),
    ('(starts-with? nil "a")', "false"),
    doc="Tell whether a string begins with another; nil does not.",
    inline={2: "a.startswith(b) if a.__class__ is str and istext(b) else slow"},
)
def starts_with(text: ty.string | None, prefix: ty.string) -> bool:
    start = string("starts-with?", prefix)
    return text is not None and string("starts-with?", text).startswith(walk_text(start))


@builtin(
    "ends-with?",
    ('(ends-with? "abc" "c")', "true"),
    ('(ends-with? nil "a")', "false"),
    doc="Tell whether a string ends with another; nil does not.",
    inline={2: "a.endswith(b) if a.__class__ is str and istext(b) else slow"},
)
def ends_with(text: ty.string | None, suffix: ty.string) -> bool:
    end = string("ends-with?", suffix)
    return text is not None and string("ends-with?", text).endswith(walk_text(end))


@builtin(
    "split",
    ('(split "a,,b" ",")', '["a" "" "b"]'),
    ('(split "abc" "")', '["a" "b" "c"]'),
    ('(split nil ",")', '[""]'),
    doc="Split a string at every separator; empty pieces stay, and an empty separator splits into characters.",
)
def split(text: ty.string | None, separator: ty.string) -> tuple[str, ...]:
    mark = string("split", separator)
    text = "" if text is None else string("split", text)
    charge(len(text) >> 3)
    walk_text(mark)
    room("split", text.count(mark) + 1 if mark else len(text), PIECE)
    return made(tuple(text.split(mark)) if mark else tuple(text))


@builtin(
    "split-lines",
    ('(split-lines "a\\nb\\r\\nc\\n")', '["a" "b" "c"]'),
    doc="Split a string into its lines, without their ends.",
)
def split_lines(text: ty.string) -> tuple[str, ...]:
    charge(len(string("split-lines", text)) >> 3)
    room("split-lines", text.count("\n") + 1, PIECE)
    lines = text.replace("\r\n", "\n").split("\n")
    return made(tuple(lines if lines[-1] else lines[:-1]))


@builtin(
    "join",
    ('(join "," ["a" 2 :k])', '"a,2,:k"'),
    ('(string-join "" [1 2])', '"12"'),
    ('(join "," nil)', '""'),
    doc="Join the text of a collection's items with a separator between them.",
    aliases=("string-join",),
)
def join(separator: ty.string, collection: ty.sequence) -> str:
    return _joined("join", string("join", separator), sequence("join", collection))


@builtin(
    "string-upper",
    ('(string-upper "straße")', '"STRASSE"'),
    ('(upper-case "abc")', '"ABC"'),
    doc="Give a string in upper case.",
    aliases=("upper-case",),
    inline={1: "a.upper() if istext(a) else slow"},
)
def string_upper(text: ty.string) -> str:
    room_for_text("string-upper", len(string("string-upper", text)))
    return made(text.upper())  # type: ignore[no-any-return]


@builtin(
    "string-lower",
    ('(string-lower "AbC")', '"abc"'),
    ('(lower-case "ABC")', '"abc"'),
    doc="Give a string in lower case.",
    aliases=("lower-case",),
    inline={1: "a.lower() if istext(a) else slow"},
)
def string_lower(text: ty.string) -> str:
    room_for_text("string-lower", len(string("string-lower", text)))
    return made(text.lower())  # type: ignore[no-any-return]


@builtin(
    "string-trim",
    ('(string-trim "  hi \\n")', '"hi"'),
    ('(trim " a b ")', '"a b"'),
    doc="Give a string without the white space around it.",
    aliases=("trim",),
    inline={1: "a.strip() if istext(a) else slow"},
)
def string_trim(text: ty.string) -> str:
    return walk_text(string("string-trim", text)).strip()


@builtin("triml", ('(triml "  hi ")', '"hi "'), doc="Give a string without the white space before it.")
def trim_left(text: ty.string) -> str:
    return walk_text(string("triml", text)).lstrip()


@builtin("trimr", ('(trimr "  hi ")', '"  hi"'), doc="Give a string without the white space after it.")
def trim_right(text: ty.string) -> str:
    return walk_text(string("trimr", text)).rstrip()


@builtin(
    "blank?",
    ('(blank? " \\n")', "true"),
    ("(blank? nil)", "true"),
    ('(blank? "a")', "false"),
    doc="Tell whether a string is nil, empty or white space.",
)
def is_blank(text: ty.string | None) -> bool:
    return text is None or not walk_text(string("blank?", text)).strip()


@builtin(
    "index-of",
    ('(index-of "banana" "an")', "1"),
    ('(index-of "banana" "an" 2)', "3"),
    ("(index-of [5 6] 6)", "1"),
    ('(index-of "abc" "z")', "nil"),
    doc="Give the first place of a part of a string or an item of a collection, at or after a start; nil if none.",
    types=(
        "[:fn [:string :string] [:optional :int]]",
        "[:fn [sequence :any] [:optional :int]]",
        "[:fn [:string :string :int] [:optional :int]]",
        "[:fn [sequence :any :int] [:optional :int]]",
    ),
)
def index_of(collection: Any, wanted: Any, start: Any = 0) -> int | None:
    low = max(integer("index-of", start), 0)
    if collection.__class__ is str:
        charge(len(collection) >> 3)
        found = collection.find(walk_text(string("index-of", wanted)), low)
    else:
        found = position(placed("index-of", collection), wanted, low)
    return found if found >= 0 else None


@builtin(
    "last-index-of",
    ('(last-index-of "banana" "an")', "3"),
    ("(last-index-of [5 6 5] 5)", "2"),
    ("(last-index-of [] 1)", "nil"),
    doc="Give the last place of a part of a string or an item of a collection; nil if none.",
    types=(
        "[:fn [:string :string] [:optional :int]]",
        "[:fn [sequence :any] [:optional :int]]",
    ),
)
def last_index_of(collection: Any, wanted: Any) -> int | None:
    if collection.__class__ is str:
        charge(len(collection) >> 3)
        return _last_place(collection, string("last-index-of", wanted))
    backwards = tuple(reversed(sequence("last-index-of", collection)))
    found = position(backwards, wanted)
    return len(backwards) - 1 - found if found >= 0 else None


def _last_place(text: str, part: str) -> int | None:
    """Return where a part of a text begins for the last time; forwards Python searches in linear time, but not back."""
    if len(text) * len(part) <= _SHORT_SEARCH:
        found = text.rfind(part)
        return found if found >= 0 else None
    found = text[::-1].find(walk_text(part)[::-1])
    return len(text) - len(part) - found if found >= 0 else None
