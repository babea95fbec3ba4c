"""Making frozen records cheaply. In: a frozen record, ours or attrs'. Out: a function that makes its instances.

Every field of a frozen record is written past its guard, a call per field. The function that `maker`
returns writes plain attributes of an instance of a twin, a class with the same slots and no guard; then the instance
becomes one of the frozen class. That takes a third of the time, and what is made is the same.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, Callable, ParamSpec, TypeVar
from rtfs_framework.lang.records import NOTHING, fields_of

P = ParamSpec("P")
T = TypeVar("T")


def maker(cls: Callable[P, T]) -> Callable[P, T]:
    """Return a function that makes what `cls(...)` would; for records that are made very often.

    Raises:
        TypeError: the class computes something when it makes a record (a factory, converter or validator, a hook), or
            has a slot for weak references, with which Python 3.10 finds no two classes alike.
    """
    frozen: Any = cls
    if "__weakref__" in frozen.__slots__:
        message = f"{cls} has a slot for weak references"
        raise TypeError(message)
    fields = fields_of(frozen)
    computed = [each.name for each in fields if not _is_plain(each)]
    if computed or hasattr(cls, "__attrs_post_init__") or hasattr(cls, "__attrs_pre_init__"):
        message = f"{cls} computes {computed or 'something'} when it makes a record"
        raise TypeError(message)
    twin = type("Twin", (), {"__slots__": frozen.__slots__})
    names: dict[str, Any] = {"Twin": twin, "Frozen": cls}
    names.update((f"default_{each.name}", each.default) for each in fields)
    exec(_source(fields), names)  # noqa: S102 - the text is made of the names of the fields
    make: Callable[P, T] = names["make"]
    return make


def changer(cls: type[T], *names: str) -> Callable[..., T]:
    """Return a function that gives a record like another, with other values in the fields `names`, in their order.

    That is what `evolve` does, in a fifth of the time: the fields that stay were checked when the other was made.

    Raises:
        TypeError: One of the fields computes or checks its value, or the class does, or it has a slot for weak
            references.
    """
    frozen: Any = cls
    fields = {each.name: each for each in fields_of(frozen)}
    wrong = [name for name in names if name not in fields or not _is_plain(fields[name])]
    hooks = hasattr(cls, "__attrs_post_init__") or hasattr(cls, "__attrs_pre_init__")
    if wrong or hooks or "__weakref__" in frozen.__slots__:
        message = f"{cls} cannot be given other values in {wrong or list(names)} like that"
        raise TypeError(message)
    known: dict[str, Any] = {"Twin": type("Twin", (), {"__slots__": frozen.__slots__}), "Frozen": cls}
    writes = "\n".join(f"    made.{name} = {name if name in names else f'record.{name}'}" for name in fields)
    taken = ", ".join(("record", *names))
    source = f"def change({taken}):\n    made = Twin()\n{writes}\n    made.__class__ = Frozen\n    return made\n"
    exec(source, known)  # noqa: S102 - the text is made of the names of the fields
    change: Callable[..., T] = known["change"]
    return change


def _is_plain(field: Any) -> bool:
    made = getattr(field, "factory", None) or hasattr(field.default, "factory") or getattr(field, "converter", None)
    return field.init and not (made or field.validator)


def _source(fields: tuple[Any, ...]) -> str:
    """Return the function's text: it takes what the class takes, in the same order."""
    parameters = [_parameter(each) for each in fields if not each.kw_only]
    named = [_parameter(each) for each in fields if each.kw_only]
    taken = ", ".join((*parameters, "*", *named) if named else parameters)
    writes = "\n".join(f"    made.{each.name} = {each.alias or each.name}" for each in fields)
    return f"def make({taken}):\n    made = Twin()\n{writes}\n    made.__class__ = Frozen\n    return made\n"


def _parameter(field: Any) -> str:
    name: str = field.alias or field.name
    has_default = field.default is not NOTHING and repr(field.default) != "NOTHING"
    return f"{name}=default_{field.name}" if has_default else name
