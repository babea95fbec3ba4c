"""Texts in other alphabets, and stable digests: the same on every run, machine and Python version."""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import invalid_argument, type_error
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.meter import Growing, charge, made, meter, room_for_text, watched
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.values import Ticket, Uuid, is_function
from rtfs_framework.lang.vectors import List
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.check import string
from rtfs_framework.stdlib.table import builtin
from rtfs_framework.stdlib.walker import fold

_SEEDS = "rtfs:uuid-from-seed"
_ESCAPED_BYTE = re.compile(rb"%(..)", re.DOTALL)
_ONE_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_BLOCK = 1 << 16
"""Bytes between two looks at the limits."""
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_ESCAPED = re.compile(rb"[^A-Za-z0-9_.~-]")


def _bytes(op: str, value: Any) -> bytes:
    room_for_text(op, len(string(op, value)))
    try:
        return value.encode()  # type: ignore[no-any-return]
    except UnicodeEncodeError:
        raise invalid_argument("String has half a character (a lone surrogate)") from None


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise invalid_argument("The decoded bytes are not UTF-8 text") from None


@builtin("url-encode", ('(url-encode "a b/é")', '"a%20b%2F%C3%A9"'), doc="Escape text for one part of a URL.")
def url_encode(text: ty.string) -> str:
    source = _bytes("url-encode", text)
    room_for_text("url-encode", 3 * len(source))
    # Byte by byte in blocks, for one that must be escaped costs a call of Python's.
    parts = [_ESCAPED.sub(_escape, source[start : start + _BLOCK]) for start in watched(range(0, len(source), _BLOCK))]
    return made(b"".join(parts).decode("ascii"))


def _unescape(found: re.Match[bytes]) -> bytes:
    return bytes((int(found[1], 16),))


def _escape(found: re.Match[bytes]) -> bytes:
    return b"%%%02X" % found[0][0]


@builtin(
    "url-decode",
    ('(url-decode "a%20b%2F%C3%A9")', '"a b/é"'),
    ('(url-decode "%zz")', "!InvalidArgument"),
    doc="Undo url-encode (a plus sign stays one).",
)
def url_decode(text: ty.string) -> str:
    data = _bytes("url-decode", text)
    if _ONE_PERCENT.search(data):
        raise invalid_argument("A percent sign must be followed by two hex digits")
    parts: list[bytes] = []
    start = 0
    while start < len(data):
        meter().look()
        end = start + _BLOCK
        place = data.rfind(b"%", end - 2, end)  # of an escape that the end would cut
        end = end if place < 0 else place
        parts.append(_ESCAPED_BYTE.sub(_unescape, data[start:end]))
        start = end
    return made(_text(b"".join(parts)))


@builtin("base64-encode", ('(base64-encode "héllo")', '"aMOpbGxv"'), doc="Write the UTF-8 bytes of text in base 64.")
def base64_encode(text: ty.string) -> str:
    source = _bytes("base64-encode", text)
    room_for_text("base64-encode", 2 * len(source))
    return b2a_base64(source, newline=False).decode("ascii")


@builtin(
    "base64-decode",
    ('(base64-decode "aMOpbGxv")', '"héllo"'),
    ('(base64-decode "!")', "!InvalidArgument"),
    doc="Read text in base 64.",
)
def base64_decode(text: ty.string) -> str:
    source = _bytes("base64-decode", text)
    if not _BASE64.fullmatch(source):
        raise invalid_argument("The text is not base 64")
    return _text(a2b_base64(source))


@builtin(
    "hash",
    ("(= (hash {:a 1 :b 2}) (hash {:b 2 :a 1}))", "true"),
    ("(= (hash 1) (hash 1.0))", "false"),
    ("(hash inc)", "!TypeError"),
    doc="Give a stable, non-negative integer of 63 bits that is the same for equal values.",
)
def hash_(value: Any) -> int:
    from hashlib import sha256  # loads OpenSSL, which takes longer than all of this

    digest = sha256(_canonical("hash", value).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> 1


@builtin(
    "sha256",
    ('(subvec (chars (sha256 "abc")) 0 4)', '["b" "a" "7" "8"]'),
    doc="Give the SHA-256 of the UTF-8 bytes of text, in hexadecimal.",
)
def sha256_(text: ty.string) -> str:
    from hashlib import sha256

    return sha256(_bytes("sha256", text)).hexdigest()


@builtin(
    "uuid-from-seed",
    ('(= (uuid-from-seed "a") (uuid-from-seed "a"))', "true"),
    ("(type-name (uuid-from-seed [1 2]))", '"uuid"'),
    doc="Give a UUID (version 5) that depends only on the seed, which may be any data.",
)
def uuid_from_seed(seed: Any) -> Uuid:
    from uuid import NAMESPACE_URL, uuid5  # importing it takes as long as half a start of Python, for `platform`

    text = _canonical("uuid-from-seed", seed).encode("utf-8", "backslashreplace").decode()
    return Uuid(str(uuid5(uuid5(NAMESPACE_URL, _SEEDS), text)))


def _canonical(op: str, value: Any) -> str:
    """Return the canonical print (entries and members sorted by their print) of data, however deep it is."""
    size = Growing(op)

    def after(node: Any, parts: list[Any] | None) -> Any:
        if parts is None:
            if is_function(node) or node.__class__ is Ticket:
                raise type_error(op, "data", node)
            text = "0.0" if node.__class__ is float and node == 0 else write(node, size.most, size.size)
            size.add(len(text))
            return text  # (-0.0 is equal to 0.0)
        charge(sum(map(len, parts)) + len(parts) >> 5)  # every level joins the texts of those below it
        if node.__class__ is Map:
            return f"{{{' '.join(sorted([part[1:-1] for part in parts]))}}}"
        if node.__class__ is Set:
            return f"#{{{' '.join(sorted(parts))}}}"
        return f"({' '.join(parts)})" if node.__class__ is List else f"[{' '.join(parts)}]"

    return str(fold(op, value, lambda node: node, after))
