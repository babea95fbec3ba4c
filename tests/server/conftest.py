"""What the tests of the server share."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec

import pytest

NEEDED = ("starlette", "uvicorn", "httpx")
collect_ignore_glob = [] if all(map(find_spec, NEEDED)) else ["test_*.py"]
"""Without the extra `serve` there is nothing to test."""


@pytest.fixture(scope="session")
def ask():
    """Return a function that asks a server to run a program."""
    import httpx

    def run(server, source, args="[]", *, headers=None, client=httpx, **more):
        digest = hashlib.sha256(source.encode()).hexdigest()
        program = {"name": "p.rtfs", "source": source, "sha256": digest}
        body = {"program": program, "args": args, **more}
        return client.post(f"{server.url}/v1/rtfs/run", headers=headers or server.headers, json=body, timeout=30)

    return run
