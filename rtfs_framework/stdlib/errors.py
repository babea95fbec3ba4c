"""Errors as values: made, raised and read. Made errors are of kind ApplicationError unless a map says otherwise."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, NoReturn
from rtfs_framework.lang.errors import ProgramError, generic_error, type_error
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.meter import meter
from rtfs_framework.lang.printer import display
from rtfs_framework.lang.values import ErrorValue, Keyword
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.table import builtin

_APPLICATION = "ApplicationError"
_KIND, _MESSAGE, _DATA, _CAUSE = Keyword("kind"), Keyword("message"), Keyword("data"), Keyword("cause")


def _error(op: str, value: Any) -> ErrorValue:
    if value.__class__ is not ErrorValue:
        raise type_error(op, "error", value)
    return value


@builtin(
    "Exception.",
    ('(Exception. "boom")', "#<error: boom>"),
    ('(:data (Exception. "boom" {:code 7}))', "{:code 7}"),
    doc="Make an error value of a message (anything is printed) and data. It is not raised: that is throw.",
)
def exception(message: Any, *data: Any) -> ErrorValue:
    return ErrorValue(_APPLICATION, _message(message), data[0] if data else None)


@builtin(
    "ex-info", ('(ex-data (ex-info "boom" {:code 7}))', "{:code 7}"), doc="Make an error value with data and a cause."
)
def ex_info(message: Any, data: Any, cause: ty.error | None = None) -> ErrorValue:
    return ErrorValue(_APPLICATION, _message(message), data, cause=None if cause is None else _error("ex-info", cause))


@builtin(
    "throw",
    ('(throw "boom")', "!ApplicationError"),
    ('(throw {:kind :Broken :message "boom"})', "!Broken"),
    ("(throw 5)", "!TypeError"),
    doc="Raise an error: a message, a map with :kind :message :data :cause, or an error value.",
)
def throw(error: ty.string | ty.map | ty.error) -> NoReturn:
    if error.__class__ is ErrorValue:
        raise ProgramError.of(error)
    if error.__class__ is str:
        raise ProgramError(_APPLICATION, error)
    if error.__class__ is Map:
        raise _from_map(error)
    raise type_error("throw", "string, map or error", error)


def _message(value: Any) -> str:
    """Return a message: a string as it is, anything else printed."""
    return display(value, meter().items)


def _from_map(described: Map) -> ProgramError:
    """Return the error that a map describes; without :data the map itself is the data."""
    kind = described.get(_KIND, _APPLICATION)
    name = kind.name if kind.__class__ is Keyword else kind
    if name.__class__ is not str or not name:
        raise type_error("throw", "keyword or string as :kind", kind)
    cause = described.get(_CAUSE)
    message = _message(described.get(_MESSAGE, described))
    return ProgramError(
        name, message, described.get(_DATA, described), None if cause is None else _error("throw", cause)
    )


@builtin(
    "getMessage",
    ('(getMessage (Exception. "boom"))', '"boom"'),
    ('(getMessage "no error")', "!TypeError"),
    doc="Give an error's message.",
)
def get_message(error: ty.error) -> str:
    return _error("getMessage", error).message


@builtin("ex-message", ('(ex-message (Exception. "boom"))', '"boom"'), doc="Give an error's message.")
def ex_message(error: ty.error) -> str:
    return _error("ex-message", error).message


@builtin("ex-data", ('(ex-data (Exception. "boom"))', "nil"), doc="Give an error's data, or nil.")
def ex_data(error: ty.error) -> Any:
    return _error("ex-data", error).data


@builtin("ex-cause", ('(ex-cause (Exception. "boom"))', "nil"), doc="Give the error that caused an error, or nil.")
def ex_cause(error: ty.error) -> ErrorValue | None:
    return _error("ex-cause", error).cause


@builtin("read-file", ('(read-file "x.txt")', "!Generic"), doc="Fail: programs have no access to files. Ask the host.")
def read_file(path: Any) -> NoReturn:  # noqa: ARG001 - part of the signature
    raise generic_error("read-file is not available: programs have no access to files; ask the host with (call ...)")
