"""The record of a special form: name, grammar, doc, handler. Errors, `rtfs doc` and the reference come from it."""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.analyzer.base import AnalyzerBase, Special
from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.forms import Form, ListForm


@records.frozen(eq=False)
class SpecialForm:
    """One special form. A `reserved` name cannot be redefined by a program."""

    name: str
    grammar: str
    doc: str
    handler: Special
    reserved: bool = True


SPECIALS: dict[str, SpecialForm] = {}


def special(name: str, *aliases: str, grammar: str, doc: str, reserved: bool = True) -> Callable[[Any], Any]:
    """Enter a handler into the table under a name and its aliases."""

    def enter(handler: Special) -> Special:
        for entry in (name, *aliases):
            SPECIALS[entry] = SpecialForm(entry, grammar, doc, handler, reserved)
        return handler

    return enter


def malformed(
    analyzer: AnalyzerBase, form: ListForm, name: str, message: str | None = None, *, at: Form | None = None
) -> LanguageError:
    """Return the error for a special form that does not have its accepted shape, `at` the part that is wrong."""
    record = SPECIALS[name]
    return analyzer.refuse(at or form, "E0201", message or f"malformed {name}", f"as in {record.grammar}")
