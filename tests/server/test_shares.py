"""Who has their share of the places leaves the rest to others; whose token names an agent is that agent."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import contextmanager
from http.client import HTTPConnection

import httpx
import pytest

from rtfs_framework.testing.served import served

ENDLESS = "(defn main [] (loop [i 0] (recur (inc i))))"
OWN = "a-token-of-its-own"
DIGEST = hashlib.sha256(OWN.encode()).hexdigest()


@contextmanager
def busy(server, headers=None):
    """Have a request under way, until its client goes."""
    before = server.state.metrics.running
    client = HTTPConnection(server.url.removeprefix("http://"))
    body = {"program": {"source": ENDLESS}, "entry": "main"}
    client.request("POST", "/v1/rtfs/run", json.dumps(body), headers or server.headers)
    while server.state.metrics.running == before:
        time.sleep(0.005)
    try:
        yield
    finally:
        client.close()
    while server.state.metrics.running != before:
        time.sleep(0.005)


def headers_of(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("config", "others"),
    [
        ("[serve]\nshare = 1\n", "other"),
        (f'[serve.tokens.own]\nsha256 = "{DIGEST}"\ntenant = "acme"\nconcurrency = 1\n', "acme"),
    ],
    ids=["tenant", "token"],
)
def test_who_has_their_share_is_told_to_come_again_and_others_are_served(ask, config, others):
    with served(f"[limits]\nsteps = 'off'\n{config}", tenants=("acme", "other")) as server:
        full = headers_of(OWN if others == "acme" else server.tokens["acme"])
        with busy(server, full):
            refused = ask(server, "1", headers=full)
            assert (refused.status_code, refused.json()["error"]["code"]) == (429, "E0948")
            assert int(refused.headers["retry-after"]) >= 1
            assert ask(server, "1", headers=headers_of(server.tokens[others])).json()["value"] == "1"
            chat = httpx.post(f"{server.url}/v1/chat/completions", headers=full, json={})
            assert (chat.status_code, chat.json()["error"]["type"]) == (429, "rate_limit_error")
            assert chat.headers["x-should-retry"] == "true"
            assert httpx.get(f"{server.url}/readyz", headers=full).status_code == 200
        assert ask(server, "1", headers=full).json()["value"] == "1", "its place is free again"


def test_a_share_is_counted_anew_by_a_reload_and_forgotten_by_nobody(ask):
    with served("[limits]\nsteps = 'off'\n[serve]\nshare = 2\n") as server:
        with busy(server):
            assert ask(server, "1").status_code == 200
            server.config.write_text(server.config.read_text().replace("share = 2", "share = 1"))
            server.reload()
            assert ask(server, "1").status_code == 429, "what began before counts"
        assert ask(server, "1").status_code == 200


@pytest.mark.needs("rtfs-engine-static", "rtfs-provider-echo")
def test_the_agent_of_a_token_is_not_the_request_s_to_say(ask):
    config = (
        f'[security]\nagent = "the-host"\n[serve.tokens.own]\nsha256 = "{DIGEST}"\nagent = "clerk"\n'
        '[serve.tokens.more]\nsha256 = "' + hashlib.sha256(b"more").hexdigest() + '"\nagent = "boss"\n'
    )
    with served(config) as server:
        seen = []
        for token, said in ((OWN, "boss"), (OWN, None), ("more", "clerk"), (server.token, "clerk")):
            context = {} if said is None else {"context": {"agent": said}}
            headers = {**headers_of(token), "X-Agent": "boss", "RTFS-Agent": "boss"}
            assert ask(server, "1", headers=headers, **context).status_code == 200
            newest = next(reversed(server.state.programs_of("")._kept.values()))
            seen.append(newest.session.host.config.surroundings.agent)
    assert seen == ["clerk", "clerk", "boss", "the-host"]
