"""A part of a program that can be run elsewhere: one function, and all definitions that it may need.

In: a program's text and a name. Out: the text of these top-level forms, in their order. Whatever a form mentions
counts as needed, so a local that is called like a definition brings one along too many, and none is ever missing.
What a program does at its top level besides defining (calls, prints) stays behind: it was done here.
"""

from __future__ import annotations

import re

from rtfs_framework.lang.forms import Form, HintForm, ListForm, Meta, Name, head_of
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Source

_DEFINE = frozenset({"def", "defn", "defmacro", "deftype", "defstruct"})
_MODULES = frozenset({"import", "module"})

_WORD = re.compile(r"[^\s()\[\]{}\"',`~^@;#]+")


class NoSliceError(ValueError):
    """Why a function cannot be sent elsewhere."""


def slice_of(source: Source, name: str) -> str:
    """Return the text of the definitions that a function needs, its own included.

    Raises:
        NoSliceError: The program defines no such function, or it needs a module, which does not travel.
        LanguageError: The program cannot be read.
    """
    forms = [(form, source.text[form.span.start : form.span.end]) for form in read_program(source)]
    defined: dict[str, list[str]] = {}
    for form, text in forms:
        head, own = _defines(form)
        if head in _MODULES:
            raise NoSliceError("its program uses modules, and they do not travel: write what it needs into one file")
        if own:
            defined.setdefault(own, []).append(text)
    if name not in defined:
        raise NoSliceError(f"the program defines no function '{name}'")
    needed, todo = {name}, [name]
    while todo:
        for text in defined[todo.pop()]:
            for word in _WORD.findall(text):
                for each in (word, word.removesuffix("?")):  # `T?` is the type T, or nil
                    if each in defined and each not in needed:
                        needed.add(each)
                        todo.append(each)
    return "\n".join(text for form, text in forms if _defines(form)[1] in needed) + "\n"


def _defines(form: Form) -> tuple[str, str]:
    """Return the head of a top-level form, and the name that it defines; "" for none."""
    head = head_of(form)
    if head is None or not isinstance(form, ListForm):
        return "", ""
    if head not in _DEFINE:
        return head, ""
    for each in form.items[1:]:
        inner = each
        while isinstance(inner, HintForm | Meta):
            inner = inner.form
        if isinstance(inner, Name):
            return head, inner.name
    return head, ""
