"""The end of a server: connections that the system has let in are answered, though nobody had taken them yet."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import closing

import pytest

from rtfs_framework.server.auth import digest_of
from rtfs_framework.server.listening import make_server
from rtfs_framework.server.sockets import listen
from rtfs_framework.server.state import ServerState

TOKEN = "a-token-of-the-tests"
ASKED = b"GET /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"


@pytest.fixture
def state(tmp_path):
    config = tmp_path / "serve.toml"
    config.write_text(f'[serve]\nlame_duck = 0\n[serve.tokens.t]\nsha256 = "{digest_of(TOKEN)}"\n', encoding="utf-8")
    made = ServerState.open(config, environ={"RTFS_HOME": str(tmp_path)})
    yield made
    made.close(timeout=5)


def answer(connection):
    connection.settimeout(30)
    found = b""
    while part := connection.recv(65536):
        found += part
    return found


def ended(state, speak, **tls):
    """Return what comes back on connections that were made while the loop took none, right before the end."""

    async def work():
        sock = listen("127.0.0.1", 0)
        server, loop, ready = make_server(state, **tls), asyncio.get_running_loop(), asyncio.Event()
        server.ready = ready.set
        serving = asyncio.ensure_future(server.serve(sockets=[sock]))
        await ready.wait()
        loop.remove_reader(sock)
        address = sock.getsockname()
        made = [socket.create_connection(address) for _ in range(5)]
        server.should_exit = True
        said = await asyncio.gather(*(loop.run_in_executor(None, speak, each) for each in made))
        await serving
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        return said

    return asyncio.run(work())


def test_whom_the_system_has_let_in_is_answered(state):
    def speak(connection):
        with closing(connection):
            connection.sendall(ASKED)
            return answer(connection)

    said = ended(state, speak)
    assert all(each.startswith(b"HTTP/1.1 200") for each in said)
    assert len(said) == 5


def test_by_tls_too(state, tmp_path):
    trustme = pytest.importorskip("trustme")
    authority, context = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(context)
    cert = tmp_path / "all.pem"
    authority.issue_cert("here.example").private_key_and_cert_chain_pem.write_to_path(cert)

    def speak(connection):
        with context.wrap_socket(connection, server_hostname="here.example") as secure:
            secure.sendall(ASKED)
            return answer(secure)

    said = ended(state, speak, cert=cert)
    assert all(each.startswith(b"HTTP/1.1 200") for each in said)


def test_a_peer_that_says_nothing_keeps_nobody(state):
    def speak(connection):
        with closing(connection):
            return answer(connection)

    assert ended(state, speak) == [b""] * 5
