"""The shapes in which programs hand arguments over: one after the other, or one map of named ones."""

from __future__ import annotations

from typing import Any

from rtfs_framework.api import CapabilityRequest, Keyword, Map, ProgramError, write


def wrong(request: CapabilityRequest, problem: str, usage: str, kind: str = "InvalidArgument") -> ProgramError:
    """Return the error of arguments that a capability does not take, with those that it does."""
    return ProgramError(kind, f"{request.id} {problem}; write {usage}")


def counted(request: CapabilityRequest, least: int, most: int | None, usage: str) -> tuple[Any, ...]:
    """Return the arguments.

    Raises:
        ProgramError: There are fewer than `least`, or more than `most`.
    """
    count = len(request.args)
    if count < least or (most is not None and count > most):
        some = f"{least}" if least == most else f"at least {least}" if most is None else f"{least} to {most}"
        raise wrong(request, f"takes {some} arguments, {count} given", usage, "ArityMismatch")
    return request.args


def text_of(request: CapabilityRequest, value: Any, usage: str) -> str:
    """Return an argument that is a text.

    Raises:
        ProgramError: It is none.
    """
    if value.__class__ is not str:
        raise wrong(request, f"takes a string, not {write(value)[:60]}", usage)
    return str(value)


def named(value: Any, name: str) -> Any:
    """Return an entry of a map by its keyword, or by the text of it; None of what is no map or has none."""
    if value.__class__ is not Map:
        return None
    found = value.get(Keyword(name))
    return value.get(name) if found is None else found
