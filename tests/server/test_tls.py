"""TLS with a chain of certificates: a client that verifies talks to the right server alone."""

from __future__ import annotations

import datetime as dt
import ssl

import httpx
import pytest

from rtfs_framework.testing.served import served

trustme = pytest.importorskip("trustme")


def chain(folder, authority, *names, **more):
    made = authority.create_child_ca().issue_cert(*names, **more)
    cert, key = folder / "chain.pem", folder / "key.pem"
    cert.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    key.write_bytes(made.private_key_pem.bytes())
    return {"cert": cert, "key": key}


def refusal(server, trusting):
    """Return why a client that verifies does not talk to a server."""
    with httpx.Client(verify=trusting, timeout=30) as client, pytest.raises(httpx.ConnectError) as refused:
        client.get(f"{server.url}/healthz")
    return str(refused.value)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def trusting(authority):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_a_client_that_verifies_is_served(authority, trusting, tmp_path):
    with served(**chain(tmp_path, authority, "127.0.0.1")) as server:
        assert server.url.startswith("https://")
        with httpx.Client(verify=trusting, timeout=30) as client:
            assert client.get(f"{server.url}/healthz").status_code == 200
        with (
            httpx.Client(timeout=30) as stranger,
            pytest.raises(httpx.ConnectError, match=r"self-signed|unable to get local"),
        ):
            stranger.get(f"{server.url}/healthz")


def test_a_certificate_of_another_host_is_refused(authority, trusting, tmp_path):
    with served(**chain(tmp_path, authority, "elsewhere.example")) as server:
        assert "mismatch" in refusal(server, trusting)


def test_an_expired_certificate_is_refused(authority, trusting, tmp_path):
    past = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=1)
    files = chain(tmp_path, authority, "127.0.0.1", not_after=past)
    with served(**files) as server:
        assert "expired" in refusal(server, trusting)


def test_plain_http_is_no_way_in(authority, tmp_path):
    with served(**chain(tmp_path, authority, "127.0.0.1")) as server, pytest.raises(httpx.HTTPError):
        httpx.get(server.url.replace("https", "http") + "/healthz", timeout=30)
