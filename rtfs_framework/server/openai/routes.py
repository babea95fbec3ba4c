"""The addresses of the OpenAI API."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from rtfs_framework.server.state import ServerState


def routes(_: ServerState) -> list[BaseRoute]:
    """Return the routes of the OpenAI API."""
    return []
