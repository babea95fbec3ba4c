"""A chat request as a call: decided, guarded, paid and written down as any call of a program, in a run of its own."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.jsontext import JsonError, dump
from rtfs_framework.lang.types.jsonable import to_json
from rtfs_framework.orchestrator.boundary.conversing import converses
from rtfs_framework.orchestrator.performing.conversation import why_not
from rtfs_framework.orchestrator.recording.purse import Asker, Terms
from rtfs_framework.server.openai.errors import BadBody, failed
from rtfs_framework.server.openai.replies import Answered
from rtfs_framework.server.problems import FAILED, Problem

if TYPE_CHECKING:
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.orchestrator.boundary.conversing import Listener
    from rtfs_framework.orchestrator.recording.purse import Stopping
    from rtfs_framework.orchestrator.recording.records import RunResult, Summary
    from rtfs_framework.orchestrator.running.program import LoadedProgram
    from rtfs_framework.orchestrator.running.uses import Use
    from rtfs_framework.server.auth import Caller
    from rtfs_framework.server.openai.bodies import ChatBody
    from rtfs_framework.server.openai.models import Chosen
    from rtfs_framework.server.state import ServerState


async def answer(
    state: ServerState,
    caller: Caller,
    chosen: Chosen,
    body: ChatBody,
    stopping: Stopping,
    listener: Listener | None = None,
) -> Answered:
    """Return what answers a chat request; `listener` hears it as it is made, `stopping` says why it is cancelled.

    Raises:
        Problem: The call has failed, or its program cannot answer chats.
        RtfsError: The program cannot be run.
    """
    digest = sha256(chosen.source.text.encode()).hexdigest()
    kept = await state.programs_of(caller.tenant).get(chosen.source, digest, caller.rules)
    with kept:
        if kept.loaded is not None:  # it asks nobody, so there is no run to write down
            result = await _called(kept.loaded, chosen, body, listener)
            return _answered(state, body, result, result.summary)
        terms = Terms(marks=caller.marks, asker=Asker(token=caller.name), stopping=stopping)
        linked = attrs.evolve(kept.prepared.link(kept.session.limits), terms=terms)
        program = await kept.session.load_async(linked)
        with program:
            result = await _called(program, chosen, body, listener)
            return _answered(state, body, result, program.summary)


def _answered(state: ServerState, body: ChatBody, result: RunResult, summary: Summary) -> Answered:
    """Return what a run answers.

    Raises:
        Problem: It is not as `response_format` has it. (What models say was told to them before; this is a program's.)
    """
    message = _message(result.value)
    content = message["content"]
    wrong = None if content is None or message.get("tool_calls") else why_not(content, body.format)
    if wrong is not None:
        raise Problem(422, FAILED, f"the answer of the model's function: {wrong}", kind="TypeValidationError")
    return Answered.of_run(message, result, summary, int(state.clock.now()))


async def _called(program: LoadedProgram, chosen: Chosen, body: ChatBody, listener: Listener | None) -> RunResult:
    """Call the function of a program that answers.

    Raises:
        Problem: It has failed; the problem knows what was tried.
    """
    args = _arguments(program.function(chosen.function), chosen, body)
    run, kept = program.open_call(chosen.function, args, listener=listener)

    async def drive(_: Use) -> Any:
        return await kept.drive(run)

    try:
        return kept.result(program, await program.portal.call_async(drive))
    except ProgramError as error:
        raise failed(error, kept.sorted_calls) from error


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
