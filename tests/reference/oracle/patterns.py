"""Patterns: binding (forgiving) and matching (strict), and the few declared types that generated programs use."""

from __future__ import annotations

from typing import Any

from oracle import declared
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.forms import Atom, Form, ListForm, MapForm, Name, VectorForm
from rtfs_framework.lang.maps import EMPTY_MAP, Map, Set
from rtfs_framework.lang.values import Keyword
from rtfs_framework.lang.vectors import List, is_vector

_AS, _OR, _KEYS = Keyword("as"), Keyword("or"), Keyword("keys")


def check(kind: Form | None, value: Any) -> None:
    if kind is not None and not declared.fits(kind, value):
        raise ProgramError("TypeValidationError", str(kind))


def parameters(form: VectorForm) -> tuple[list[tuple[Form, Form | None]], tuple[Form, Form | None] | None]:
    """Return the parameters and the rest parameter, each with its declared type."""
    fixed: list[tuple[Form, Form | None]] = []
    rest = None
    left = list(form.items)
    while left:
        item = left.pop(0)
        is_rest = isinstance(item, Name) and item.name == "&"
        if is_rest:
            item = left.pop(0)
        kind = None
        if left and isinstance(left[0], Name) and left[0].name == ":":
            kind = left[1]
            del left[:2]
        if is_rest:
            rest = (item, kind)
        else:
            fixed.append((item, kind))
    return fixed, rest


def is_key(form: Form, key: Keyword) -> bool:
    return isinstance(form, Atom) and form.value is key


def bind(e: Any, pattern: Form, value: Any, env: Any) -> None:
    """Bind names in `env`: missing parts are nil, extra ones are dropped."""
    if isinstance(pattern, Name):
        if pattern.name != "_":
            env.names[pattern.name] = value
        return
    if isinstance(pattern, VectorForm):
        _bind_vector(e, pattern, value, env)
        return
    assert isinstance(pattern, MapForm)
    if value is not None and value.__class__ is not Map:
        raise ProgramError("TypeError", "destructuring")
    _bind_map(e, pattern, EMPTY_MAP if value is None else value, env, value)


def _bind_vector(e: Any, pattern: VectorForm, value: Any, env: Any) -> None:
    if value is not None and not is_vector(value) and value.__class__ not in (List, Set):
        raise ProgramError("TypeError", "destructuring")
    parts = list(value or ())
    forms = list(pattern.items)
    while forms:
        item = forms.pop(0)
        if isinstance(item, Name) and item.name == "&":
            bind(e, forms.pop(0), tuple(parts), env)
        elif is_key(item, _AS):
            bind(e, forms.pop(0), value, env)
        else:
            bind(e, item, parts.pop(0) if parts else None, env)


def _bind_map(e: Any, pattern: MapForm, value: Map, env: Any, whole: Any) -> None:
    defaults = {k.name: v for key, t in pattern.pairs if is_key(key, _OR) for k, v in t.pairs}  # type: ignore[union-attr]
    for key, target in pattern.pairs:
        if is_key(key, _AS):
            bind(e, target, whole, env)
        elif is_key(key, _KEYS):
            for name in target.items:  # type: ignore[union-attr]
                _bind_entry(e, Keyword(name.name), name, value, env, defaults)
        elif not is_key(key, _OR):
            _bind_entry(e, key.value, target, value, env, defaults)  # type: ignore[union-attr]


def _bind_entry(e: Any, key: Any, target: Form, value: Map, env: Any, defaults: dict[str, Form]) -> None:
    if key not in value and isinstance(target, Name) and target.name in defaults:
        bind(e, target, e.value(defaults[target.name], env), env)
    else:
        bind(e, target, value.get(key), env)


def fits(e: Any, pattern: Form, value: Any, env: Any) -> bool:
    """Tell whether a pattern of `match` fits; binds its names in `env`."""
    from oracle.evaluator import same

    if isinstance(pattern, Name):
        if pattern.name != "_":
            env.names[pattern.name] = value
        return True
    if isinstance(pattern, Atom):
        return same(pattern.value, value)
    if isinstance(pattern, VectorForm):
        return _fits_vector(e, pattern, value, env)
    if isinstance(pattern, ListForm):  # (:as name pattern), (:int name)
        head = pattern.items[0]
        if is_key(head, _AS):
            return fits(e, pattern.items[2], value, env) and fits(e, pattern.items[1], value, env)
        return declared.fits(head, value) and fits(e, pattern.items[1], value, env)
    assert isinstance(pattern, MapForm)
    if value.__class__ is not Map:
        return False
    return all(
        key.value in value and fits(e, target, value.get(key.value), env)  # type: ignore[union-attr]
        for key, target in pattern.pairs
    )


def _fits_vector(e: Any, pattern: VectorForm, value: Any, env: Any) -> bool:
    if not is_vector(value) and value.__class__ is not List:
        return False
    forms = list(pattern.items)
    rest = None
    if len(forms) >= 2 and isinstance(forms[-2], Name) and forms[-2].name == "&":
        rest, forms = forms[-1], forms[:-2]
    if len(value) < len(forms) or (rest is None and len(value) != len(forms)):
        return False
    parts = list(value)
    if not all(fits(e, item, part, env) for item, part in zip(forms, parts, strict=False)):
        return False
    return rest is None or fits(e, rest, tuple(parts[len(forms) :]), env)
