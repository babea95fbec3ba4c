"""Which top-level names a program defines, before anything is analyzed: functions may call later ones."""

from __future__ import annotations

from collections import Counter

from rtfs_framework.lang.forms import Atom, Form, HintForm, ListForm, Meta, Name, VectorForm, head_of, keyword_of

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


def collect_described(forms: tuple[Form, ...]) -> set[str]:
    """Return every name that a `defn` at top level gives to a function with a doc string and declared types alone."""
    named = ((form, defined_name(form)) for form in forms if isinstance(form, ListForm) and head_of(form) == "defn")
    return {name.name for form, name in named if name is not None and _described(form)}


def _described(form: ListForm) -> bool:
    """Tell whether a `defn` of one arity says what it is for, and declares the types of all that it takes and gives."""
    parts = [_bare(part) for part in form.items[1:]]
    place = next((i for i, part in enumerate(parts) if isinstance(part, VectorForm)), None)
    if place is None or not any(isinstance(part, Atom) and isinstance(part.value, str) for part in parts[:place]):
        return False
    after, taken = parts[place + 1 : place + 3], parts[place]
    returns = len(after) > 1 and (_says_type(after[0]) or keyword_of(after[0]) is not None)
    return returns and isinstance(taken, VectorForm) and _declared(taken.items)


def _declared(items: tuple[Form, ...]) -> bool:
    """Tell whether every parameter is followed by a type: `x : T`, or `x :T`."""
    names, types, at = 0, 0, 0
    while at < len(items):
        if _says_type(items[at]):
            types, at = types + 1, at + 2
        elif keyword_of(items[at]) is not None:
            types, at = types + 1, at + 1
        else:
            names, at = names + (not _is_name(items[at], "&")), at + 1
    return names == types


def _says_type(form: Form) -> bool:
    return _is_name(form, ":")


def _is_name(form: Form, name: str) -> bool:
    return isinstance(form, Name) and form.name == name


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
