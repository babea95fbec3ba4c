"""A chat request as a call: decided, guarded, paid and written down as any call of a program, in a run of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.jsontext import JsonError, dump
from rtfs_framework.lang.types.jsonable import to_json
from rtfs_framework.orchestrator.boundary.conversing import converses
from rtfs_framework.server.openai.errors import BadBody, failed
from rtfs_framework.server.openai.replies import Answered
from rtfs_framework.server.problems import FAILED, Problem

if TYPE_CHECKING:
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.orchestrator.boundary.conversing import Listener
    from rtfs_framework.orchestrator.recording.records import CallRecord
    from rtfs_framework.orchestrator.running.program import LoadedProgram
    from rtfs_framework.orchestrator.running.uses import Use
    from rtfs_framework.orchestrator.session import Session
    from rtfs_framework.server.openai.bodies import ChatBody
    from rtfs_framework.server.openai.models import Chosen


@attrs.frozen(slots=True, kw_only=True)
class _Made:
    value: Any
    calls: Sequence[CallRecord]


async def answer(session: Session, chosen: Chosen, body: ChatBody, listener: Listener | None = None) -> Answered:
    """Return what answers a chat request; `listener` hears it as it is made.

    Raises:
        Problem: The call has failed, or its program cannot answer chats.
        RtfsError: The program cannot be run.
    """
    program = await session.load_async(chosen.source)
    with program:
        args = _arguments(program.function(chosen.function), chosen, body)
        made = await _called(program, chosen.function, args, listener)
        message = _message(made.value)
        return Answered(message=message, run=program.run_id, calls=made.calls, summary=program.summary)


async def _called(program: LoadedProgram, name: str, args: tuple[Any, ...], listener: Listener | None) -> _Made:
    """Call a function of a program.

    Raises:
        Problem: It has failed; the problem knows what was tried.
    """
    run, kept = program.open_call(name, args, listener=listener)

    async def drive(_: Use) -> Any:
        return await kept.drive(run)

    try:
        value = await program.portal.call_async(drive)
    except ProgramError as error:
        raise failed(error, kept.sorted_calls) from error
    return _Made(value=value, calls=kept.sorted_calls)


def _arguments(function: FunctionSignature | None, chosen: Chosen, body: ChatBody) -> tuple[Any, ...]:
    """Return what a function is called with: the text, the conversation, or both, as its parameters are.

    Raises:
        BadBody: There is no such function, or it takes something else.
    """
    if function is not None and function.shapes == ((2, 2),) and converses(function):
        return body.asked, body.conversation
    if function is not None and function.shapes == ((1, 1),):
        declared = getattr(function.parameters[0].type, "value", None)  # `Primitive.STRING` is the type "string"
        return (body.asked if declared == "string" else body.conversation,)
    wanted = "one parameter: the text that is asked (:string), or the conversation"
    message = f"the model's function '{chosen.function}' cannot answer chats: it must be there, and take {wanted}"
    raise BadBody(message, "model", code=FAILED, status=503)


def _message(value: Any) -> Mapping[str, Any]:
    """Return the assistant's message that a value is: a message, a text, or anything else as JSON.

    Raises:
        Problem: It is nothing that JSON could hold.
    """
    if isinstance(value, str):
        return {"content": value}
    try:
        data = to_json(value)
    except JsonError as error:
        message = f"the answer of the model's function cannot be passed on: {error}"
        raise Problem(422, FAILED, message, kind="TypeValidationError") from None
    if isinstance(data, dict) and "content" in data and (data["content"] is None or isinstance(data["content"], str)):
        return data
    return {"content": dump(data)}
