"""The addresses of the OpenAI API: /v1/chat/completions, /v1/models, /v1/embeddings (docs/openai-door.md)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.orchestrator.recording.purse import Stopping
from rtfs_framework.server.attending import attended, leaving, staying
from rtfs_framework.server.auth import caller_of
from rtfs_framework.server.bodies import body_of
from rtfs_framework.server.openai.bodies import read_chat_body, read_embeddings_body
from rtfs_framework.server.openai.calling import answer
from rtfs_framework.server.openai.errors import NOT_OFFERED, BadBody, answer_problem
from rtfs_framework.server.openai.models import choose, find, model_names
from rtfs_framework.server.openai.repeats import key_of, once
from rtfs_framework.server.openai.replies import Shape, embeddings, model_object
from rtfs_framework.server.openai.streaming import Stream
from rtfs_framework.server.openai.vectors import vectors
from rtfs_framework.server.problems import Problem, late, problem_of
from rtfs_framework.server.replays import asked_for
from rtfs_framework.server.values import read_beside

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from rtfs_framework.orchestrator.boundary.conversing import Listener
    from rtfs_framework.orchestrator.session import Session
    from rtfs_framework.server.attending import Gone
    from rtfs_framework.server.auth import Caller
    from rtfs_framework.server.openai.replies import Answered
    from rtfs_framework.server.state import ServerState

T = TypeVar("T")

Endpoint = Callable[["Request"], Awaitable[Response]]


def routes(state: ServerState) -> list[BaseRoute]:
    """Return the routes of the OpenAI API."""
    door = Door(state)
    return [
        Route("/v1/chat/completions", told(door.chat), methods=["POST"]),
        Route("/v1/embeddings", told(door.embed), methods=["POST"]),
        Route("/v1/models", told(door.models), methods=["GET"]),
        Route("/v1/models/{name:path}", told(door.model), methods=["GET"]),
    ]


def told(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint whose problems are told in the form of the OpenAI API."""

    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Problem as problem:
            return answer_problem(problem)
        except RtfsError as error:
            return answer_problem(problem_of(error))

    return answered


class Door:
    """Answers requests of the OpenAI API."""

    def __init__(self, state: ServerState) -> None:
        self._state = state

    async def chat(self, request: Request) -> Response:
        """Answer POST /v1/chat/completions."""
        caller = caller_of(request)
        key = key_of(request)
        body = await read_beside(read_chat_body, await body_of(request))
        chosen = choose(self._state.session_for(caller.tenant), body.model)
        shape = Shape(id=f"chatcmpl-{_id(caller, key)}", created=int(self._state.clock.now()), model=body.model)
        stopping = Stopping()

        def begin(gone: Gone, listener: Listener | None = None) -> Awaitable[tuple[Answered, bool]]:
            def make(all_gone: Gone) -> Awaitable[Answered]:
                return self._in_time(answer(self._state, caller, chosen, body, stopping, listener), all_gone, stopping)

            return once(self._state, caller, key, body.digest, make, gone)

        async def streamed(listener: Listener) -> Answered:
            answered, _ = await begin(staying, listener)  # the stream ends it when its client goes
            return answered

        if not body.stream:
            answered, again = await begin(leaving(request.receive))
            headers = {"x-request-id": answered.run, **({"RTFS-Replayed": "true"} if again else {})}
            return _json(shape.completion(answered), headers)
        stream = Stream.begin(shape, streamed, stopping, include_usage=body.include_usage)
        first = await stream.first(request)
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        return StreamingResponse(stream.events(first), headers=headers, media_type="text/event-stream")

    async def embed(self, request: Request) -> Response:
        """Answer POST /v1/embeddings."""
        session = self._session(request)
        body = await read_beside(read_embeddings_body, await body_of(request))
        making = asyncio.to_thread(vectors, session, body.model, body.texts)
        found = await self._in_time(making, leaving(request.receive), Stopping())
        if body.dimensions not in (None, len(found[0])):
            wrong = f"'dimensions' must be {len(found[0])}, or be left out: that is how long this model's vectors are"
            raise BadBody(wrong, "dimensions", code=NOT_OFFERED)
        return _json(embeddings(body.model, found, as_base64=body.as_base64))

    async def models(self, request: Request) -> Response:
        """Answer GET /v1/models."""
        session, created = self._session(request), int(self._state.started)
        data = [model_object(name, created) for name in model_names(session)]
        return _json({"object": "list", "data": data})

    async def model(self, request: Request) -> Response:
        """Answer GET /v1/models/NAME."""
        session, name = self._session(request), request.path_params["name"]
        find(session, name)
        return _json(model_object(name, int(self._state.started)))

    def _session(self, request: Request) -> Session:
        """Return the session of whoever calls.

        Raises:
            Problem: 401, nobody who is known.
        """
        return self._state.session_for(caller_of(request).tenant)

    async def _in_time(self, making: Awaitable[T], gone: Gone, stopping: Stopping) -> T:
        """Await something within the time of a request, as long as somebody waits for it.

        Raises:
            Problem: 408, it takes longer; 400, nobody waits for it any more.
        """
        try:
            return await attended(making, gone, stopping, self._state.spec.seconds)
        except asyncio.TimeoutError:
            raise late() from None


def _id(caller: Caller, key: str) -> str:
    """Return what an answer is known by: requests with one key have the same."""
    return asked_for(caller.tenant, key)[:32] if key else uuid4().hex


def _json(data: Any, headers: dict[str, str] | None = None) -> Response:
    body = json.dumps(data, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Response(body, headers=headers, media_type="application/json")
