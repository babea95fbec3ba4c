"""Formatting a program, and the proof that nothing but its white space changed."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import zip_longest

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Iterator
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.errors import InternalError, LanguageError
from rtfs_framework.lang.format.layout import WIDTH, lay_out
from rtfs_framework.lang.format.tokens import pieces
from rtfs_framework.lang.format.tree import build_tree
from rtfs_framework.lang.forms import Form
from rtfs_framework.lang.meter import NESTING
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Source, Span
from rtfs_framework.lang.stack import room_for_recursion

_FRAMES = 10_000
"""Python calls for the deepest text that the reader takes: six for each of its levels."""


def format_source(source: Source, width: int = WIDTH, nesting: int = NESTING) -> str:
    """Return the formatted text of a program.

    Raises:
        LanguageError: the program cannot be read, or nests too deeply (E0107).
        InternalError: the result would mean something else; a bug of ours, and nothing may be written.
    """
    forms = read_program(source, nesting=nesting)
    with _room(source):
        made = lay_out(build_tree(pieces(source)), width)
    after = Source(source.name, made)
    try:
        kept = same_forms(forms, read_program(after, nesting=nesting)) and _comments(source) == _comments(after)
    except Exception as error:
        raise InternalError(f"{source.name}: its formatted text cannot be read: {error}") from error
    if not kept:
        raise InternalError(f"{source.name}: formatting would change its forms or comments")
    return made


@contextmanager
def _room(source: Source) -> Iterator[None]:
    """Let Python recurse deeper for a while."""
    try:
        with room_for_recursion(_FRAMES):
            yield
    except RecursionError:
        message, span = "nested too deeply to format", Span(0, 1)
        found = Diagnostic(code="E0107", message=message, source=source, span=span, help="name the inner parts")
        raise LanguageError([found]) from None


def _comments(source: Source) -> list[str]:
    return [piece.text for piece in pieces(source) if piece.is_comment]


def same_forms(left: tuple[Form, ...], right: tuple[Form, ...]) -> bool:
    """Tell whether two texts were read to the same forms, wherever these stand."""
    todo: list[tuple[Any, Any]] = [(left, right)]
    while todo:
        one, other = todo.pop()
        if one.__class__ is not other.__class__:
            return False
        if one.__class__ is tuple:
            todo += zip_longest(one, other)
        elif hasattr(one, "span") and records.fields_of(one.__class__):
            fields = [field.name for field in records.fields_of(one.__class__) if field.type not in {Span, "Span"}]
            todo += [(getattr(one, name), getattr(other, name)) for name in fields]
        elif one is not other and repr(one) != repr(other):
            return False
    return True
