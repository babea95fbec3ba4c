"""The port by which commands of the same user reach a server: it ends with the server, whoever is still connected."""

from __future__ import annotations

import asyncio
import gc
import json
import warnings

import pytest

from rtfs_framework.server.control import controlled, servers


@pytest.mark.parametrize("line", [b"", b"{", b'{"secret": "no"}\n'])
def test_a_connection_that_says_nothing_more_leaves_nothing_open(tmp_path, line, monkeypatch):
    left = []
    monkeypatch.setattr("sys.unraisablehook", lambda told: left.append(told.exc_value))
    environ = {"RTFS_HOME": str(tmp_path)}

    async def main():
        async with controlled(environ, 1234, "http://127.0.0.1:1234", {}):
            (said,) = servers(environ)
            reader, writer = await asyncio.open_connection("127.0.0.1", said["control"])
            writer.write(line)
            await writer.drain()
            await asyncio.sleep(0.05)  # it is being served by now
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        answer = asyncio.run(main())
        gc.collect()
    assert not left
    assert not answer or "error" in json.loads(answer)
    assert not list(servers(environ))
