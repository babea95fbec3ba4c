"""A Python function as a call of RTFS: its signature becomes parameters with types, its docstring the purpose."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.boundary.misfits import ANNOTATION, ConversionError
from rtfs_framework.orchestrator.boundary.names import check_names, key_of
from rtfs_framework.orchestrator.boundary.shapes import Shape, shape_of

BODY = "PythonBody"
"""The kind of error by which a program says that the function's own body is to answer."""
_TAKEN = frozenset({"throw", "&"})
"""What a program of ours names itself, or what is no name where names are bound."""
_SELVES = frozenset({"self", "cls"})
_MANY: Mapping[object, str] = {inspect.Parameter.VAR_POSITIONAL: "tuple", inspect.Parameter.VAR_KEYWORD: "dict"}


@attrs.frozen(slots=True, eq=False)
class CallForm:
    """How a function is called in RTFS."""

    name: str
    source: Source
    """The program: one function, whose body hands back to Python."""
    signature: inspect.Signature
    """Of the function, without the object that a method is of."""
    shapes: Mapping[str, Shape]
    """Of the parameters, in order."""
    returns: Shape

    def values(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the values of a call, in the order of the parameters.

        Raises:
            TypeError: They do not fit the function's parameters.
            ConversionError: E0938, one is not of its declared type.
        """
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        given = bound.arguments
        return tuple(shape.into(given[name], f"{name} of {self.name}") for name, shape in self.shapes.items())

    def unfit(self, answer: object) -> str | None:
        """Return what is wrong with an answer that is of the declared type in RTFS, and none in Python; else None."""
        try:
            self.returns.out(answer, "it")
        except ConversionError as error:
            return f"{error.problem}; {error.way_out}" if error.way_out else error.problem
        except Exception as error:  # noqa: BLE001 - a class of the user's own, compared or hashed; it may show the value
            return f"Python cannot put it together: {type(error).__name__}"
        return None


def is_method(function: Callable[..., Any]) -> bool:
    """Tell whether a function's first parameter is the object or class that it is of."""
    first = next(iter(inspect.signature(function).parameters.values()), None)
    return first is not None and first.name in _SELVES and first.annotation is inspect.Parameter.empty


def call_form(
    function: Callable[..., Any], name: str, hint: str, scope: Mapping[str, Any] = MappingProxyType({})
) -> CallForm:
    """Return how a function is called; `hint` is the author's word on where, `scope` names what its types may be.

    Raises:
        NameError: An annotation names what is not there (yet).
        ConversionError: E0937, a parameter has no type, or one that RTFS does not know; or nothing says what it is for.
    """
    refuse = _refuser(function)
    signature = inspect.signature(function)
    if is_method(function):
        signature = signature.replace(parameters=list(signature.parameters.values())[1:])
    doc = inspect.getdoc(function) or ""
    if not doc.strip():
        raise refuse("nothing says what it is for", "give it a docstring: it is what a model is told")
    hints = typing.get_type_hints(function, localns=dict(scope) or None, include_extras=True)
    missing = [each for each in (*signature.parameters, "return") if each not in hints]
    if missing:
        what = "what it returns" if missing[0] == "return" else f"its parameter {missing[0]}"
        raise refuse(f"{what} has no type", "annotate every parameter and what it returns")
    shapes = {
        each.name: shape_of(_whole(each, hints[each.name]), f"{each.name} of {function.__qualname__}")
        for each in signature.parameters.values()
    }
    returns = shape_of(hints["return"], f"what {function.__qualname__} returns")
    _check_names(name, shapes, refuse)
    taken = " ".join(f"{key_of(name)} : {shape.text}" for name, shape in shapes.items())
    body = f'(throw {{:kind "{BODY}" :message {write(f"the body of {name} answers")}}})'
    text = f"(defn {name} {write(doc)} {hint}[{taken}] : {returns.text} {body})"
    return CallForm(name, Source(f"<{function.__module__}.{function.__qualname__}>", _laid_out(text, refuse)),
                    signature, shapes, returns)  # fmt: skip


def _check_names(name: str, parameters: Mapping[str, Shape], refuse: Callable[[str, str], ConversionError]) -> None:
    check_names([name], "what delegated(name=...) says")
    check_names(parameters, f"the parameters of {name}")
    if name in _TAKEN or not _TAKEN.isdisjoint(map(key_of, parameters)):
        taken = name if name in _TAKEN else next(each for each in parameters if key_of(each) in _TAKEN)
        raise refuse(f"{taken} is what its program uses itself", "give it another name")


def _laid_out(text: str, refuse: Callable[[str, str], ConversionError]) -> str:
    from rtfs_framework.lang.analyzer.specials.table import SPECIALS
    from rtfs_framework.lang.format.check import format_source

    name = text.split(maxsplit=2)[1]
    if name in SPECIALS:
        raise refuse(f"{name} is a special form of RTFS", f'give it another name there: delegated(name="{name}-it")')
    try:
        return format_source(Source("<text>", text))
    except LanguageError as error:
        way_out = "look at its docstring, and at the texts that its types choose among"
        raise refuse(f"RTFS cannot write it: {error.diagnostics[0].message}", way_out) from None


def _whole(parameter: inspect.Parameter, annotation: Any) -> Any:
    """Return the type of all that a parameter takes: of `*args` and `**kwargs` the annotation is that of each."""
    kind = _MANY.get(parameter.kind)
    if kind is None:
        return annotation
    return tuple[annotation, ...] if kind == "tuple" else dict[str, annotation]


def _refuser(function: Callable[..., Any]) -> Callable[[str, str], ConversionError]:
    where = function.__qualname__
    return lambda problem, way_out: ConversionError(f"{where}: {problem}", way_out, code=ANNOTATION)
