"""Rows of calls as nearly all of them are, told from others by where their parts stand, without reading them.

In: the JSON text of a row, as `Maker` writes it. Such a row says that a first request began, for which nothing was
decided and nothing is held; or that a call is over that was answered, used nothing, and names nothing that lies beside
it but its reply. Any other row is read as JSON. No JSON text of a value can have these letters in it: what a
program or a person wrote stands in quotes, and theirs are escaped.
"""

from __future__ import annotations

from rtfs_framework.orchestrator.recording.journal.kept import REPLY

ARGS, _ATTEMPT = ',"args":"', ',"attempt":0}'
_ANSWER, _MICROS = '","reply":"', ',"micros":'
_TEXTS = f',"texts":{{"{REPLY}":"'
Usual = tuple[str, str]
"""What is to be known of such an end, as texts: all that stands before the digest of the arguments (which is the same
for all calls of one place that end alike), and that digest."""
BEGINS: Usual = "", ""
"""Of a usual row "begun"."""
HEX = 32
"""Characters of a digest."""
_NUMBER = 16
"""Digits of a time, at most."""

_TO_ARGS = HEX + len(_ANSWER) + HEX + 1
"""From the digest of the arguments to behind that of the answer."""
_TAIL = len('"}}')
DIGEST = slice(-_TAIL - HEX, -_TAIL)
"""Where the end of a call has the digest of its reply's text."""
_END = -_TAIL - HEX - len(_TEXTS)
_NAMES = slice(_END, DIGEST.start)
_FROM = _END - len(_MICROS) - _NUMBER
_LAST = slice(-len(_ATTEMPT), None)
_FIRST = slice(-len(_ATTEMPT) - 1 - HEX - len(ARGS), -len(_ATTEMPT) - 1 - HEX)


def is_usual_begin(body: str) -> bool:
    """Tell whether a row "begun" is one of those."""
    return body[_LAST] == _ATTEMPT and body[_FIRST] == ARGS


def usual_end(body: str) -> Usual | None:
    """Return what is to be known of a row "ended" that is one of those; None for any other."""
    if body[_NAMES] != _TEXTS:
        return None
    at = body.find(_MICROS, _FROM, _END)
    digest = at - _TO_ARGS
    if (
        digest <= len(ARGS)
        or body[digest + HEX : at - 1 - HEX] != _ANSWER
        or body[digest - len(ARGS) : digest] != ARGS
        or not body[at + len(_MICROS) : _END].isdecimal()
    ):
        return None
    return body[: digest - len(ARGS)], body[digest : digest + HEX]


def end_of(usual: Usual) -> str:
    """Return a row, as JSON, that says what is to be known of such an end."""
    head, args = usual
    return f'{head}{ARGS}{args}"}}'
