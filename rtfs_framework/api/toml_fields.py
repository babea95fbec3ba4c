"""What is wrong with the fields of a table, each looked at by itself: a mistake hides no other of the same table.

attrs stops at the first validator that refuses, and does not ask any when a type is wrong. In: the converter, an attrs
class, a table that could not be made into one. Out: an error of cattrs with one error for each field, as cattrs itself
raises them; None when every field is right (what is wrong then is the table as a whole).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cattrs import Converter
    from cattrs.errors import ClassValidationError


def mistakes_of_fields(made: Converter, cls: Any, table: Mapping[str, Any]) -> ClassValidationError | None:
    """Return one error that holds those of all fields, None when there are none."""
    from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError

    attrs.resolve_types(cls)
    errors: list[Exception] = []
    draft = object.__new__(cls)
    right = [each for each in attrs.fields(cls) if each.init and _take(made, draft, each, table, errors)]
    for field in right:
        if field.validator is not None and field.converter is None:
            _noted(errors, field, partial(field.validator, draft, field, getattr(draft, field.name)))
    extra = set(table) - {each.alias or each.name for each in attrs.fields(cls) if each.init}
    if extra:
        errors.append(ForbiddenExtraKeysError("unknown keys", cls, extra))
    return ClassValidationError("fields", errors, cls) if errors else None


def _take(made: Converter, draft: Any, field: Any, table: Mapping[str, Any], errors: list[Exception]) -> bool:
    """Put a field's value on the draft; note what is wrong. Tell whether it was given and is right."""
    key = field.alias or field.name

    def take() -> None:
        if key in table:
            value = table[key] if field.type is Any else made.structure(table[key], field.type)
        elif field.default is attrs.NOTHING:
            raise KeyError(key)
        else:
            value = _default(draft, field.default)
        object.__setattr__(draft, field.name, value)

    return _noted(errors, field, take) and key in table


def _default(draft: Any, default: Any) -> Any:
    if not isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return default
    return default.factory(draft) if default.takes_self else default.factory()  # type: ignore[attr-defined, unused-ignore]


def _noted(errors: list[Exception], field: Any, work: Callable[[], Any]) -> bool:
    """Do something; note its error as one of the field's. Tell whether there was none."""
    from cattrs.errors import AttributeValidationNote

    try:
        work()
    except AttributeError:  # a validator that looks at a field which is wrong itself
        return False
    except Exception as error:  # noqa: BLE001 - hooks and validators raise what they like
        note = AttributeValidationNote(f"at {field.name}", field.name, field.type)
        error.__notes__ = [*getattr(error, "__notes__", ()), note]  # type: ignore[attr-defined]
        errors.append(error)
        return False
    return True
