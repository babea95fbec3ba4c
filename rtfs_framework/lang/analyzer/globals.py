"""Which top-level names a program defines, before anything is analyzed: functions may call later ones."""

from __future__ import annotations

from collections import Counter

from rtfs_framework.lang.forms import Form, HintForm, ListForm, Meta, Name, head_of

_DEFINERS = frozenset({"def", "defn", "defstruct"})
_NAMERS = frozenset({"deftype", "defstruct"})
_TRANSPARENT = frozenset({"do", "if", "when", "when-not", "try", "step", "catch", "finally", "step-if"})
"""Forms whose parts stand in the same scope as they do."""


def collect_definitions(forms: tuple[Form, ...]) -> Counter[str]:
    """Return every name defined at top level and how often."""
    found: Counter[str] = Counter()
    todo: list[Form] = list(forms)
    while todo:
        form = todo.pop()
        head = head_of(form)
        if not isinstance(form, ListForm) or head is None:
            continue
        if head in _DEFINERS:
            name = defined_name(form)
            if name is not None:
                found[name.name] += 1
            todo += form.items[2:] if head == "def" else ()
        elif head in _TRANSPARENT:
            todo += form.items[1:]
    return found


def collect_types(forms: tuple[Form, ...]) -> set[str]:
    """Return every name that is given to a type at top level."""
    named = [form.items[1:2] for form in forms if isinstance(form, ListForm) and head_of(form) in _NAMERS]
    return {name.name for parts in named for name in parts if isinstance(name, Name)}


def defined_name(form: ListForm) -> Name | None:
    """Return the name that a definition, or a function literal with a name of its own, begins with."""
    for part in map(_bare, form.items[1:]):
        if isinstance(part, Name):
            return part
    return None


def _bare(form: Form) -> Form:
    while isinstance(form, HintForm | Meta):
        form = form.form
    return form
