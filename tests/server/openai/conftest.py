"""A host that is served, in front of real servers of models on loopback."""

from __future__ import annotations

from contextlib import ExitStack

import pytest


@pytest.fixture
def door():
    """Return a function that serves a configuration, in front of servers of models that are given by name.

    Without a configuration of its own, conversations go to them in their order. `more` is said of each of them.
    """
    from rtfs_framework.testing.served import served

    with ExitStack() as stack:

        def opened(config=None, *, tenants=("",), more="", **upstreams):
            targets = ", ".join(f'"remote-{name}"' for name in upstreams)
            config = f'[delegation.static_routes]\n"host/chat" = [{targets}]\n' if config is None else config
            texts = [
                f'[delegation.remote_providers.{name}]\nprovider = "openai"\nendpoint = "{server.url}"\n'
                f'model = "{name}"\napi_key_env = ""\ninput_cost = 1.0\noutput_cost = 2.0\n{more}\n'
                for name, server in upstreams.items()
            ]
            return stack.enter_context(served("\n".join([config, *texts]), tenants=tenants))

        yield opened


@pytest.fixture
def client():
    """Return a function that makes the official client of a door, which never repeats by itself."""
    import openai

    with ExitStack() as stack:

        def made(door, **options):
            found = openai.OpenAI(base_url=f"{door.url}/v1", api_key=door.token, max_retries=0, **options)
            return stack.enter_context(found)

        yield made


@pytest.fixture
def dead():
    """Return an address where nobody listens, as a server of models."""
    import socket
    from types import SimpleNamespace

    with socket.socket() as held:  # bound and not listening: connections are refused, and nobody else gets the port
        held.bind(("127.0.0.1", 0))
        yield SimpleNamespace(url=f"http://127.0.0.1:{held.getsockname()[1]}/v1")
