"""A host behind TLS with a real chain of certificates: whom `ca_file` trusts is asked, and nobody else."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from rtfs_framework.api import FailureKind, ProviderUnavailable

pytest.importorskip("uvicorn")
trustme = pytest.importorskip("trustme")
pytestmark = pytest.mark.needs("rtfs-provider-remote-rtfs", "rtfs-provider-echo")
from rtfs_framework.testing.served import served  # noqa: E402 - needs the extra `serve`

SOURCE = '(defn mood [text : :string] : :string "own") (defn f [x] (mood x))'
ECHO = '[serve]\nid = "north"\n[delegation.static_routes]\nmood = "local-echo"\n'


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def behind(tmp_path, authority):
    """Return a function that serves with a certificate for some names, signed by an authority between."""

    def serve(*names, **more):
        made = authority.create_child_ca().issue_cert(*names, **more)
        cert, key = tmp_path / "chain.pem", tmp_path / "key.pem"
        cert.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        key.write_bytes(made.private_key_pem.bytes())
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        return served(ECHO, cert=cert, key=key)

    return serve


@pytest.fixture
def send(tmp_path, provider_at, request_of):
    """Return a function that sends one request to a server."""

    def send_(server, **own):
        async def once():
            provider = provider_at(server.url, token=server.token, directory=tmp_path, **own)
            try:
                return await provider.infer(request_of("a", source=SOURCE))
            finally:
                await provider.aclose()

        return asyncio.run(once())

    return send_


def refusal(server, send, **own):
    """Return why a server is not asked: surely, nothing was done there."""
    with pytest.raises(ProviderUnavailable) as raised:
        send(server, **own)
    assert raised.value.failure is FailureKind.SAFE
    assert server.state.session_for("").host.journal.head == ""
    return str(raised.value)


def test_a_chain_that_the_file_trusts_is_asked(behind, send):
    with behind("127.0.0.1") as server:
        assert server.url.startswith("https://")
        found = send(server, ca_file="ca.pem")
        assert (found.text, found.remote.host) == ("a", "north")


def test_an_authority_that_nobody_named_is_refused(behind, send):
    with behind("127.0.0.1") as server:
        assert "certificate" in refusal(server, send)


def test_another_authority_than_the_file_s_is_refused(behind, send, tmp_path):
    with behind("127.0.0.1") as server:
        trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
        assert "certificate" in refusal(server, send, ca_file="other.pem")


def test_a_certificate_of_another_host_is_refused(behind, send):
    with behind("elsewhere.example") as server:
        assert "mismatch" in refusal(server, send, ca_file="ca.pem")


def test_an_expired_certificate_is_refused(behind, send):
    past = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=1)
    with behind("127.0.0.1", not_after=past) as server:
        assert "expired" in refusal(server, send, ca_file="ca.pem")
