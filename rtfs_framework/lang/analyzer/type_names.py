"""Type names in namespaces. In: a type as written in the program or a module; out: the type, its names in full.

A module's types are `module/Name`, like its definitions; who imports it names them as it names those.
"""

from __future__ import annotations

from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.forms import Form
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.types.read import read_type


def type_of(analyzer: AnalyzerBase, form: Form) -> Type:
    """Return the type that a form spells in the namespace being analyzed.

    Raises:
        LanguageError: the form is no type.
    """

    def full(name: str, span: Span) -> str:
        found = full_type_name(analyzer, name)
        analyzer.type_mentions.append((found, span))
        return found

    return read_type(form, analyzer.sources[form.span.source], full)


def full_type_name(analyzer: AnalyzerBase, name: str) -> str:
    """Return the full name of a type's name, and of `Name?`; a name that is no type's is left as it is."""
    namespace = analyzer.namespace
    for base in dict.fromkeys((name, name.removesuffix("?"))):
        full = namespace.mine(base) if base in namespace.types else namespace.visible.get(base)
        if full is not None and (base in namespace.types or full in analyzer.types):
            return full + name[len(base) :]
    return name


def enter_type(analyzer: AnalyzerBase, name: str, named: Type) -> None:
    """Enter a type of the namespace. `:Name` as a value is read when it runs, in none: the first of a name counts."""
    namespace = analyzer.namespace
    namespace.types.add(name)
    analyzer.types[namespace.mine(name)] = named
    if namespace.name:
        analyzer.types.setdefault(name, named)
