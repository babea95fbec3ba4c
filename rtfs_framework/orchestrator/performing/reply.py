"""A provider's reply as a value of the declared type, or a clear TypeValidationError. Nothing is repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtfs_framework.api.provider import InferenceReply
from rtfs_framework.lang.errors import ProgramError, type_validation_error
from rtfs_framework.lang.jsontext import JsonError, dump
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.types.coerce import from_json, from_text
from rtfs_framework.lang.types.jsonable import from_plain, to_json
from rtfs_framework.lang.types.names import Lookup
from rtfs_framework.orchestrator.boundary.conversing import converses
from rtfs_framework.orchestrator.performing.conversation import check_format, message_of

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall

_WHOLE = frozenset({type(None), bool, int})


def fault_of(reply: InferenceReply) -> str | None:
    """Return why a reply is none that JSON and UTF-8 could carry, None when it is: NaN, infinities, half characters."""
    try:
        if reply.text is not None:
            reply.text.encode()
        if reply.structured and reply.data.__class__ not in _WHOLE:
            dump(reply.data).encode()
    except UnicodeEncodeError:
        return "the reply holds half a character (a lone surrogate)"
    except (JsonError, TypeError) as error:
        return f"the reply holds what JSON cannot hold: {error}"
    return None


def to_value(
    reply: InferenceReply, function: FunctionSignature, lookup: Lookup, source: str, args: tuple[Any, ...] = ()
) -> Any:
    """Return the value that a reply to a call with these arguments stands for; `source` names who answered.

    Raises:
        ProgramError: TypeValidationError that names the function and who answered.
    """
    try:
        return _conversed(reply, function, lookup, args) if converses(function) else _value(reply, function, lookup)
    except ProgramError as error:
        detail = error.message.removeprefix("Type validation error: ")
        raise type_validation_error(f"the answer of {source} to {function.name}: {detail}") from error


def answer_of(
    opened: OpenCall, function: FunctionSignature, instance: ProviderInstance, reply: InferenceReply
) -> object:
    """Return the value that a reply to an open call stands for.

    Raises:
        ProgramError: It is none of the declared type, or not what the hint `validation` says.
    """
    who = f"'{instance.spec.id}'"
    value = to_value(reply, function, opened.scope.lookup, who, opened.call.args)
    if opened.hinted is not None:
        opened.hinted.check(value, opened.scope.lookup, who)
    check_fit(opened, value, who)
    return value


def check_fit(opened: OpenCall, value: object, who: str) -> None:
    """Refuse an answer that is of the declared type, and no value for the Python function that asked.

    Raises:
        ProgramError: TypeValidationError that names the function and who answered.
    """
    unfit, function = opened.scope.unfit, opened.call.function
    wrong = None if unfit is None or function is None else unfit(value)
    if function is not None and wrong is not None:
        raise type_validation_error(f"the answer of {who} to {function.name}: {wrong}")


def _conversed(reply: InferenceReply, function: FunctionSignature, lookup: Lookup, args: tuple[Any, ...]) -> Any:
    """Return the message that answers a conversation; a declared type is one of messages."""
    if not reply.structured and not reply.text:
        raise type_validation_error("it is empty")
    message = message_of(reply)
    check_format(message, args, function)
    return message if function.returns is None else from_json(function.returns, to_json(message), lookup)


def _value(reply: InferenceReply, function: FunctionSignature, lookup: Lookup) -> Any:
    if not reply.structured and reply.text is None:
        raise type_validation_error("it is empty")
    if function.returns is None:
        return _untyped(reply)
    if reply.structured:
        return from_json(function.returns, reply.data, lookup)
    return from_text(function.returns, reply.text or "", lookup)


def _untyped(reply: InferenceReply) -> Any:
    if not reply.structured:
        return reply.text
    try:
        return from_plain(reply.data)
    except JsonError as error:
        raise type_validation_error(str(error)) from error
