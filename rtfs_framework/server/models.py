"""Models of a running server: what its tenant has, and taking them into memory and out of it.

`GET /v1/rtfs/models`, `POST /v1/rtfs/models/{model}/load` and `/unload`. Who calls sees and moves the models of their
own tenant's session alone. A model is named by its target, or by its id where only one has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rtfs_framework.api.errors import ProviderError
from rtfs_framework.orchestrator.config.routes import target_text
from rtfs_framework.orchestrator.performing.controls import BusyError, Control
from rtfs_framework.orchestrator.performing.inventory import find_model, inventory, view_of
from rtfs_framework.registry.faults import PluginFault
from rtfs_framework.server.auth import caller_of
from rtfs_framework.server.problems import FAILED, NOT_HERE, Problem, busy

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance
    from rtfs_framework.orchestrator.session import Session
    from rtfs_framework.server.state import ServerState

_AGAIN = 2.0
"""Seconds after which a busy model may be asked again."""


def routes(state: ServerState) -> list[Route]:
    """Return what is served of models."""

    def session_of(request: Request) -> Session:
        return state.session_for(caller_of(request).tenant)

    async def listed(request: Request) -> Response:
        host = session_of(request).host
        return JSONResponse({"models": [each.plain() for each in await inventory(host.pool, host.health)]})

    def moving(name: Control) -> Any:
        async def move(request: Request) -> Response:
            host = session_of(request).host
            instance = find_model(host.pool, request.path_params["model"])
            if instance is None:
                raise Problem(404, NOT_HERE, "no such model is configured here", kind="NotFound")
            await _move(instance, name)
            return JSONResponse((await view_of(instance, host.pool, host.health)).plain())

        return move

    return [
        Route("/v1/rtfs/models", listed),
        Route("/v1/rtfs/models/{model}/load", moving("load"), methods=["POST"]),
        Route("/v1/rtfs/models/{model}/unload", moving("unload"), methods=["POST"]),
    ]


async def _move(instance: ProviderInstance, name: Control) -> None:
    """Load or unload a model.

    Raises:
        Problem: It cannot be done.
    """
    text, why = target_text(instance.target), instance.unusable()
    if why is not None:
        raise Problem(422, FAILED, f"{text}: {why}", kind="ProviderError")
    try:
        if not instance.controls.offers(name):
            message = f"{instance.entry.name} keeps no model in memory that could be loaded or unloaded"
            raise Problem(422, FAILED, f"{text}: {message}", kind="ProviderError")
        await (instance.controls.load() if name == "load" else instance.controls.unload())
    except BusyError as error:
        raise busy(f"{text}: {error}", _AGAIN) from error
    except ProviderError as error:
        raise Problem(422, error.code, str(error), kind="ProviderError") from error
    except PluginFault as fault:
        instance.told(instance.part, fault, "", "nothing has changed")
        raise Problem(422, fault.code, fault.problem, kind="PluginError") from fault
