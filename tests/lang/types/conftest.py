"""What the tests of types share: types and values from RTFS text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rtfs_framework.lang.forms import Atom, Form, ListForm, MapForm, Name, Quoted, SetForm, VectorForm
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.types.read import read_type
from rtfs_framework.lang.values import Symbol
from rtfs_framework.lang.vectors import List


def _value(form: Form) -> Any:
    match form:
        case Atom(value):
            return value
        case Name(name):
            return Symbol(name)
        case VectorForm(items):
            return tuple(_value(item) for item in items)
        case ListForm(items):
            return List(_value(item) for item in items)
        case SetForm(items):
            return Set.of(_value(item) for item in items)
        case MapForm():
            return Map.of((_value(key), _value(value)) for key, value in form.pairs)
        case Quoted(_, inner):
            return _value(inner)
    raise AssertionError(form)


@pytest.fixture(scope="session")
def make() -> Callable[[str], Type]:
    """Return the type that a text spells."""

    def from_text(text: str) -> Type:
        source = Source("type", text)
        return read_type(read_program(source)[0], source)

    return from_text


@pytest.fixture(scope="session")
def value() -> Callable[[str], Any]:
    """Return the value that a text spells."""
    return lambda text: _value(read_program(Source("value", text))[0])
