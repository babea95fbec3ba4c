"""The server's addresses, but for that of runs (`run_route`)."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rtfs_framework.server.auth import caller_of
from rtfs_framework.server.metrics import CONTENT_TYPE
from rtfs_framework.server.models import routes as model_routes
from rtfs_framework.server.offering import offer
from rtfs_framework.server.openai.routes import routes as openai_routes
from rtfs_framework.server.openapi import description, page
from rtfs_framework.server.past import told_run, verified_run
from rtfs_framework.server.problems import NOT_HERE, Problem, answer_problem, malformed
from rtfs_framework.server.run_route import RUN
from rtfs_framework.server.wire import check_protocol

if TYPE_CHECKING:
    from rtfs_framework.server.state import ServerState


def make_app(state: ServerState) -> Starlette:
    """Return the application that serves by a state; whoever runs it closes the state."""
    app = Starlette(
        routes=[
            Route("/healthz", _health),
            Route("/readyz", _ready),
            Route("/metrics", _metrics),
            Route("/openapi.json", _openapi),
            Route("/docs", _docs),
            Route("/v1/rtfs/offer", _offer),
            Route("/v1/rtfs/runs/{run}", _told),
            Route("/v1/rtfs/runs/{run}/verify", _verified),
            *model_routes(state),
            *openai_routes(state),
        ],
        exception_handlers={Problem: answer_problem, 404: _unknown, 405: _unknown},
    )
    app.router.redirect_slashes = False  # a redirect would repeat what the request says is this host
    app.state.rtfs = state
    return app


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


async def _metrics(request: Request) -> Response:
    caller_of(request)
    state: ServerState = request.app.state.rtfs
    text = state.metrics.text(most=state.spec.concurrency, generation=state.current.number, draining=state.draining)
    return Response(text, media_type=CONTENT_TYPE)


async def _openapi(_: Request) -> Response:
    return answer_json(description())


async def _docs(_: Request) -> Response:
    policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(page(), 200, policy, "text/html; charset=utf-8")


async def _offer(request: Request) -> Response:
    caller = caller_of(request)
    check_protocol(request.headers.get("rtfs-protocol"))
    state: ServerState = request.app.state.rtfs
    return answer_json(offer(state, caller, max(0, state.metrics.running - 1)))


async def _told(request: Request) -> Response:
    state: ServerState = request.app.state.rtfs
    session = state.session_for(caller_of(request).tenant)
    return answer_json(await asyncio.to_thread(told_run, state, session, request.path_params["run"]))


async def _verified(request: Request) -> Response:
    state: ServerState = request.app.state.rtfs
    session = state.session_for(caller_of(request).tenant)
    run, query = request.path_params["run"], request.query_params
    hops = query.get("hops", "")
    if hops and not (hops.isascii() and hops.isdecimal() and len(hops) < 4):
        raise malformed("'hops' must be a whole number of at least 0")
    further = None if query.get("follow") != "true" else int(hops or state.spec.hops)
    head = query.get("head", "")
    return answer_json(await asyncio.to_thread(verified_run, state, session, run, head=head, hops=further))


async def _unknown(request: Request, error: Exception) -> Response:
    status = 405 if request.url.path == RUN else getattr(error, "status_code", 404)
    message = f"nothing is served at {request.method} {request.url.path:.200}; /openapi.json says what is"
    problem = Problem(status, NOT_HERE, message, kind="NotFound", headers=getattr(error, "headers", None))
    return await answer_problem(request, problem)
