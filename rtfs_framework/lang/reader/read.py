"""Text to forms. Input: a `Source`; output: its top-level forms with spans; every refusal is a `LanguageError`.

Guarantees for later stages: map forms have an even number of items; `HintForm`s are complete (keyword, and an id
where one is due); nesting is at most what the host chose.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Iterable
from rtfs_framework.lang.diagnostics import Diagnostic, bounded
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.forms import Form
from rtfs_framework.lang.garbage import no_collection
from rtfs_framework.lang.meter import NESTING
from rtfs_framework.lang.reader import atoms
from rtfs_framework.lang.reader.brackets import WAY_OUT, explain_brackets
from rtfs_framework.lang.reader.builder import finished, unexpected
from rtfs_framework.lang.reader.comments import blank_comments
from rtfs_framework.lang.reader.lexer import TooDeep, tokens
from rtfs_framework.lang.reader.reading import Reading
from rtfs_framework.lang.reader.tables import Unexpected, parse
from rtfs_framework.lang.source import Source


@no_collection()
def read_program(source: Source, number: int = 0, nesting: int = NESTING) -> tuple[Form, ...]:
    """Return the top-level forms of a program; `number` is the source's in the spans.

    Brackets nest at most `nesting` levels: deeper source is refused before it can exhaust a stack.

    Raises:
        LanguageError: the text cannot be read; codes E0101 to E0116.
    """
    text = blank_comments(source)
    reading = Reading(source, number, nesting)
    try:
        items = parse(tokens(text, reading))
        result = finished(reading, items)
    except (Unexpected, LanguageError, TooDeep) as error:
        explain_brackets(source, text, nesting)
        raise _refusal(reading, text, error) from None
    if reading.found:
        explain_brackets(source, text, nesting)
        raise _all(reading.found)
    return result


def _refusal(reading: Reading, text: str, error: Exception) -> LanguageError:
    """Return why a text whose brackets match cannot be read."""
    if isinstance(error, LanguageError):
        return _all(dict.fromkeys([*reading.found, *error.diagnostics]))
    if isinstance(error, TooDeep):  # prefixes nest without brackets: 'x, ^meta x and the like
        return atoms.refuse(reading.source, 0, 1, "E0107", "nested too deeply to read", WAY_OUT)
    token = getattr(error, "token", None)
    if token is not None:
        start = token.start
        told = unexpected(reading, start, token.end)
    else:
        end = len(text.rstrip())
        start = max(0, end - 1)
        told = atoms.refuse(reading.source, start, end, "E0101", "the program ends where a form is expected")
    if reading.bad and any(_start(each) < start for each in reading.found):
        return _all(reading.found)  # it may be only the consequence of a character that was left out
    return _all([*reading.found, *told.diagnostics])


def _all(found: Iterable[Diagnostic]) -> LanguageError:
    return LanguageError(bounded(sorted(found, key=_start)))


def _start(found: Diagnostic) -> int:
    return 0 if found.span is None else found.span.start


def read_one(source: Source) -> Form:
    """Return the only form of a text (for values written as text).

    Raises:
        LanguageError: the text cannot be read or holds no form, or more than one.
    """
    forms = read_program(source)
    if len(forms) != 1:
        raise atoms.refuse(source, 0, len(source.text), "E0101", f"expected one form, got {len(forms)}")
    return forms[0]
