"""One call as it is asked about: `(f "x")`, the name of a function of a program and literals.

In: the text. Out: the `HostCall` that a run would make of it. Nothing of the program runs: the arguments are data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.arity import arity_text
from rtfs_framework.lang.diagnostics import Diagnostic, did_you_mean
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.forms import Atom, Form, ListForm, MapForm, Name, SetForm, VectorForm
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.source import Place, Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtfs_framework.lang.codegen.artifact import Artifact

NO_CALL = "E0919"

_USAGE = 'write a function of the program and literals, such as (f "text" 1)'


def read_call(source: Source, artifact: Artifact) -> HostCall:
    """Return the call that a text stands for.

    Raises:
        LanguageError: E01xx, it cannot be read; E0919, it is no call of a function of the program with literals.
    """
    from rtfs_framework.lang.reader.read import read_one

    form = read_one(source)
    if not isinstance(form, ListForm) or not form.items or not isinstance(form.items[0], Name):
        raise _refuse(source, form.span, "this is no call of a function", _USAGE)
    head = form.items[0]
    known = {each.name: each for each in artifact.signatures}
    function = known.get(head.name)
    if function is None:
        way_out = did_you_mean(head.name, known) or f"its functions: {', '.join(sorted(known)) or 'none'}"
        raise _refuse(source, head.span, f"the program defines no function '{head.name}'", way_out)
    given = form.items[1:]
    function = _meant(source, form, function, len(given))
    _check_literal(source, given)
    line, column = source.place(form.span.start)
    args = _values(source, form, head)
    return HostCall(CallKind.DELEGATED, function.name, args, function, place=Place(source.name, line, column))


def _meant(source: Source, form: ListForm, function: FunctionSignature, given: int) -> FunctionSignature:
    meant = function.taking(given)
    if meant is not None:
        return meant
    message = f"{function.name} takes {arity_text(*function.shapes)} arguments, and here are {given}"
    raise _refuse(source, form.span, message, _USAGE)


def _check_literal(source: Source, forms: Iterable[Form]) -> None:
    todo = list(forms)[::-1]
    while todo:
        form = todo.pop()
        if isinstance(form, VectorForm | MapForm | SetForm):
            todo += form.items[::-1]
        elif not isinstance(form, Atom):
            raise _refuse(source, form.span, "an argument here is a literal: nothing of the program runs", _USAGE)


def _values(source: Source, form: ListForm, head: Name) -> tuple[Any, ...]:
    """Return the arguments: the value of a vector with the same items at the same places."""
    from rtfs_framework.kernel.instance import Instance
    from rtfs_framework.kernel.loader import compile_source
    from rtfs_framework.kernel.purehost import PureHost

    text, start, end = source.text, form.span.start, form.span.end
    inside = " " * (head.span.end - start - 1) + text[head.span.end : end - 1]
    artifact = compile_source(Source(source.name, f"{text[:start]}[{inside}]{text[end:]}"))
    return tuple(PureHost().finish(Instance(artifact).start()))


def _refuse(source: Source, span: Span, message: str, way_out: str) -> LanguageError:
    return LanguageError(
        [Diagnostic(code=NO_CALL, message=message, source=source, span=span, help=way_out, kind="InputError")]
    )
