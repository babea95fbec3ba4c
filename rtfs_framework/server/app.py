"""The server as an ASGI application: its addresses, and what every request passes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rtfs_framework.server.admission import Admission, body_of
from rtfs_framework.server.auth import caller_of
from rtfs_framework.server.models import routes as model_routes
from rtfs_framework.server.openai.routes import routes as openai_routes
from rtfs_framework.server.problems import NOT_HERE, Problem, answer_problem
from rtfs_framework.server.running import run
from rtfs_framework.server.wire import check_protocol, read_run

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from rtfs_framework.server.state import ServerState


def make_app(state: ServerState) -> Starlette:
    """Return the application that serves by a state; whoever runs it closes the state."""
    app = Starlette(
        routes=[
            Route("/healthz", _health),
            Route("/readyz", _ready),
            Route("/v1/rtfs/run", _run, methods=["POST"]),
            *model_routes(state),
            *openai_routes(state),
        ],
        exception_handlers={Problem: answer_problem, 404: _unknown, 405: _unknown},
    )
    app.state.rtfs = state
    return app


def served_app(state: ServerState) -> ASGIApp:
    """Return the application with its bounds around it: what a server is given."""
    return Admission(make_app(state), state)


def answer_json(data: Any, status: int = 200) -> Response:
    """Return JSON as an answer."""
    body = json.dumps(data, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Response(body, status, media_type="application/json")


async def _health(_: Request) -> Response:
    return answer_json({"status": "ok"})


async def _ready(request: Request) -> Response:
    state: ServerState = request.app.state.rtfs
    if state.draining:
        return answer_json({"status": "draining"}, 503)
    return answer_json({"status": "ready", "generation": state.current.number})


async def _run(request: Request) -> Response:
    caller = caller_of(request)
    check_protocol(request.headers.get("rtfs-protocol"))
    asked = read_run(await body_of(request))
    return answer_json(await run(request.app.state.rtfs, caller, asked))


async def _unknown(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    message = f"nothing is served at {request.method} {request.url.path:.200}; /openapi.json says what is"
    problem = Problem(status, NOT_HERE, message, kind="NotFound", headers=getattr(error, "headers", None))
    return await answer_problem(request, problem)
