"""Code: identifiers, calls, operators, what stands between backticks. Both texts must have the same."""

from __future__ import annotations

import re
from string import ascii_letters

from rtfs_cache_similar.gates.lists import words
from rtfs_cache_similar.gates.seen import Seen, differing, of_text

_PIECES = re.compile(
    r"```.*?```|`[^`]*`"
    r"|\b[A-Za-z_]\w*(?:\.\w+)*\([^()]*\)"
    r"|\b\w*[a-z0-9]_\w+|\b_\w+"
    r"|\b[a-z]+(?:[A-Z][a-z0-9]*)+\b|\b[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]+)+\b"
    r"|\b[A-Za-z]\w*(?:\.[A-Za-z]\w*)+\b"
    r"|\b[A-Za-z]+\d+\w*\b"
    r"|[A-Za-z]\+\+|[A-Za-z]#"
    r"|\+\+|(?<![\w-])--(?![\w-])|<=>|===|!==|==|!=|<=|>=|=>|->|<-|\|\||&&|<<|>>|\*\*|//|::|:=|\+=|-=|\*=|[<>=*^|~@{}\[\];$\\]"
    r"|(?<=\s)[-+/%](?=\s)",
    re.DOTALL,
)
_ORDINARY = frozenset(ascii_letters + " ,.?'\"")
_CAMEL = re.compile("[a-z][A-Z]")
_KEYWORDS = words(
    "select insert update delete drop create alter truncate join where group order having left right",
    "inner outer full cross union intersect asc desc int float double string bool boolean char list tuple",
    "dict set array map vector null true false async await public private protected static const let var",
    "break continue return yield for while if else elif switch get post put patch head push pull merge",
    "rebase commit fetch clone encode decode encrypt decrypt serialize deserialize min max sum avg count",
    "ceil floor sin cos tan log exp xor and or not tcp udp http https ftp sftp ssh json xml yaml csv html",
    "css utf ascii ipv4 ipv6 stdin stdout stderr argv read write append prepend",
)
_DOUBTED = _KEYWORDS - words(
    "asc desc int bool boolean char tuple dict vector null async await elif rebase serialize deserialize",
    "tcp udp http https ftp sftp ssh json xml yaml csv html css utf ascii ipv4 ipv6 stdin stdout stderr",
    "argv xor const var ceil sin cos tan sql",
)
"""Words of ordinary English: they count where another of the keywords stands in their place."""


def gate(first: Seen, second: Seen) -> str | None:
    """Close where the pieces of code differ."""
    mine, others = pieces(first), pieces(second)
    if [each for each in mine if not _brand(each, second)] != [each for each in others if not _brand(each, first)]:
        return differing("code", mine, others)
    return _keywords(first, second)


def _brand(piece: str, other: Seen) -> bool:
    """Tell whether a piece is a word that the other text has in other letters: 'YouTube' and 'youtube'."""
    return (
        piece.isalpha()
        and not piece.isupper()
        and piece.casefold() in other.words
        and piece not in other.cased
        and (not _CAMEL_CODE.fullmatch(piece) or not any(_CAMEL_CODE.fullmatch(each) for each in other.cased))
    )


@of_text
def pieces(text: Seen) -> tuple[str, ...]:
    """Return the pieces of code of a text, in its order; a smile and a closing mark are none."""
    if text.signs <= _ORDINARY and not text.dotted and not _CAMEL.search(text.text):
        return ()
    plain = _SMILE.sub(" ", text.text)
    return tuple(" ".join(hit.group(0).split()) for hit in _PIECES.finditer(plain))


def _keywords(first: Seen, second: Seen) -> str | None:
    mine, others = (each.vocabulary & _KEYWORDS for each in (first, second))
    only, theirs = mine - others, others - mine
    if (only | theirs) - _DOUBTED or (only - _GRAMMAR and theirs - _GRAMMAR):
        return differing("code", mine, others)
    return None


_CAMEL_CODE = re.compile(r"[a-z]{3,}[A-Z]\w*")
_SMILE = re.compile(r"[:;=]-?[\])(\[DP]|;(?=\s)|\^\^")
_GRAMMAR = frozenset(
    ("and or not for if where while else having get put order group left right full set head count").split()  # noqa: SIM905 - one line per word is no better to read
)
