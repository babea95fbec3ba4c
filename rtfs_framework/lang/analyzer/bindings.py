"""Annotations in bindings: `name : type value`, `name :type value`. A keyword is a type only if a value follows."""

from __future__ import annotations

from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.type_names import type_of
from rtfs_framework.lang.annotations import Sequence
from rtfs_framework.lang.forms import Form, MapForm, Name, VectorForm, keyword_of
from rtfs_framework.lang.types.model import Type


def is_colon(form: Form) -> bool:
    """Tell whether a form is the lone colon before a type."""
    return isinstance(form, Name) and form.name == ":"


def is_type_keyword(form: Form) -> bool:
    """Tell whether a form may be a type written as a keyword."""
    return keyword_of(form) is not None


def annotated(analyzer: AnalyzerBase, forms: Sequence[Form], *, need: int) -> tuple[Type | None, Sequence[Form]]:
    """Split a leading annotation off, if at least `need` forms follow it."""
    if len(forms) >= 2 + need and is_colon(forms[0]):
        return type_of(analyzer, forms[1]), forms[2:]
    if len(forms) >= 1 + need and is_type_keyword(forms[0]):
        return type_of(analyzer, forms[0]), forms[1:]
    return None, forms


def split_bindings(forms: Sequence[Form]) -> list[tuple[Form, Form | None, Form]] | None:
    """Return the bindings (pattern, type or None, value) of a binding vector, or None when there is no reading.

    A keyword after a name can be its value or its type; the reading that uses up all forms wins, and a value is
    preferred to a type (backtracking over the few keywords; the table of failures keeps it linear in practice).
    """
    return _read(forms, 0, set())


def _read(forms: Sequence[Form], i: int, dead: set[int]) -> list[tuple[Form, Form | None, Form]] | None:
    """Return the reading of the forms from a place on; `dead` are places from which there is none."""
    out: list[tuple[Form, Form | None, Form]] = []
    while i < len(forms):
        if i in dead or not _may_bind(forms[i]):
            return None
        if i + 3 < len(forms) and is_colon(forms[i + 1]):
            out.append((forms[i], forms[i + 2], forms[i + 3]))
            i += 4
            continue
        if i + 1 >= len(forms) or is_colon(forms[i + 1]):
            return None
        if is_type_keyword(forms[i + 1]) and i + 2 < len(forms):
            plain = _read(forms, i + 2, dead)
            if plain is not None:
                return [*out, (forms[i], None, forms[i + 1]), *plain]
            dead.add(i + 2)
            out.append((forms[i], forms[i + 1], forms[i + 2]))
            i += 3
            continue
        out.append((forms[i], None, forms[i + 1]))
        i += 2
    return out


def _may_bind(form: Form) -> bool:
    return isinstance(form, VectorForm | MapForm) or (isinstance(form, Name) and form.name not in ("&", ":"))
