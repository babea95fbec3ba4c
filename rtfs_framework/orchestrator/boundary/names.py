"""Python's names as RTFS writes them: `-` for `_`. What no program could write is refused where it is defined."""

from __future__ import annotations

from collections.abc import Iterable

from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.forms import Atom, Name
from rtfs_framework.lang.reader.read import read_one
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword, Symbol
from rtfs_framework.orchestrator.boundary.misfits import ANNOTATION, ConversionError


def key_of(name: str) -> str:
    """Return a field's or parameter's name as RTFS writes it."""
    return name.replace("_", "-")


def check_names(names: Iterable[str], where: str, *, fields: bool = False) -> None:
    """Refuse names that are no symbols of RTFS (no keywords, for `fields`), and two that become one.

    Raises:
        ConversionError: E0937.
    """
    seen: set[str] = set()
    for name in names:
        key = key_of(name)
        if not _is_read(f":{key}", Keyword(key)) if fields else not _is_read(key, Symbol(key)):
            problem = f"{where}: {name!a} is no name in RTFS"
            raise ConversionError(problem, "name it in letters a-z, digits and _", code=ANNOTATION)
        if key in seen:
            raise ConversionError(f"{where}: two names become {key} in RTFS", "name one otherwise", code=ANNOTATION)
        seen.add(key)


def _is_read(text: str, wanted: Keyword | Symbol) -> bool:
    """Tell whether a text is that keyword or symbol, and nothing else."""
    try:
        found = read_one(Source("<name>", text))
    except LanguageError:
        return False
    return found.name == wanted.name if isinstance(found, Name) else isinstance(found, Atom) and found.value == wanted
