"""Where one request leaves for its provider: when that is ready and has room, and its rates say that it may.

In: a request that was let pass. Out: what the provider replies, in the shape of a reply.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from inspect import isawaitable, iscoroutinefunction
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.errors import BadReply, ProviderTimeout
from rtfs_framework.api.provider import InferenceReply, InferenceRequest
from rtfs_framework.api.targets import show_target
from rtfs_framework.orchestrator.concurrency.deadlines import OverdueError, pause

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.concurrency.outside import Outside
    from rtfs_framework.orchestrator.performing.gate import Permit
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance


async def infer_there(
    instance: ProviderInstance, request: InferenceRequest, permit: Permit | None, begin: Callable[[], None]
) -> InferenceReply:
    """Ask a provider where plug-ins are awaited; `begin` is called right before it is.

    Raises:
        RefusedError: A check does not let it leave.
        ProviderTimeout: There was no room in its time, or no reply.
        Exception: Whatever the provider raises.
    """
    await instance.prepare()
    outside, infer = instance.outside, instance.provider().infer
    try:
        async with AsyncExitStack() as stack:
            request = await _with_room(instance, request, stack)
            if permit is not None:
                request = await _in_turn(instance, request, permit.leaves_in())
                await permit.begin_there(request.timeout)
            begin()
            reply: Any = await outside.call("`infer`", request.timeout, lambda: _infer(outside, infer, request))
    except OverdueError as error:
        raise ProviderTimeout(instance.spec.id, f"no reply within {request.timeout:g} s") from error
    return a_reply(instance, reply)


async def _in_turn(instance: ProviderInstance, request: InferenceRequest, seconds: float) -> InferenceRequest:
    """Wait until a request may leave. Its room is held meanwhile: without it, those that wait would bunch again.

    That is only ever after a delay, and for no longer than those that piled up take by their rate.
    """
    if seconds <= 0:
        return request
    own = request.timeout < instance.spec.timeout
    if own and seconds >= request.timeout:
        message = f"its rate has no turn for it within {request.timeout:g} s"
        raise ProviderTimeout(instance.spec.id, message, failure=FailureKind.SAFE)
    await pause(seconds)
    return attrs.evolve(request, timeout=request.timeout - seconds) if own else request


async def _with_room(instance: ProviderInstance, request: InferenceRequest, stack: AsyncExitStack) -> InferenceRequest:
    """Wait until there is room for a request. Where its call's own time bounds it, that is a part of that time."""
    import anyio

    if instance.parallel is None or request.timeout >= instance.spec.timeout:
        await stack.enter_async_context(instance.room())
        return request
    begun = anyio.current_time()
    with anyio.move_on_after(request.timeout):
        await stack.enter_async_context(instance.room())
    left = request.timeout - (anyio.current_time() - begun)
    if left <= 0:
        message = f"no room for it within {request.timeout:g} s"
        raise ProviderTimeout(instance.spec.id, message, failure=FailureKind.SAFE)
    return attrs.evolve(request, timeout=left)


async def _infer(outside: Outside, infer: Callable[[InferenceRequest], Any], request: InferenceRequest) -> Any:
    """Call a provider; one that is no coroutine function may block, and runs in a thread."""
    if iscoroutinefunction(infer):
        return await infer(request)
    reply = await outside.in_thread("`infer`", infer, request)
    return await reply if isawaitable(reply) else reply


def a_reply(instance: ProviderInstance, reply: Any) -> InferenceReply:
    """Return a reply that names its target.

    Raises:
        BadReply: It is none.
    """
    if not isinstance(reply, InferenceReply):
        raise BadReply(instance.spec.id, f"its plugin returned a {type(reply).__name__} instead of a reply")
    if reply.remote is not None:
        return attrs.evolve(reply, remote=attrs.evolve(reply.remote, target=show_target(instance.target)))
    return reply
