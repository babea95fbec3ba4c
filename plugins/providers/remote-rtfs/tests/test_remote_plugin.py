"""The contract of providers, kept by a real host that serves; the settings."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from rtfs_framework.api import ConfigError, Journey, Left, ProviderSettings, load_toml, structure
from rtfs_framework.testing.conformance.provider import ProviderConformance
from rtfs_provider_remote_rtfs.plugin import RemoteSettings, rtfs_providers

pytest.importorskip("uvicorn")
from rtfs_framework.testing.served import served


class TestContract(ProviderConformance):
    @pytest.fixture(autouse=True)
    def _server(self, request_of, scripted, provider_at):
        self.request_of, self.scripted, self.provider_at = request_of, scripted, provider_at
        with served() as self.server:
            yield

    def make(self):
        return self.provider_at(self.server.url, token=self.server.token)

    def requests(self):
        return (
            self.request_of("hello"),
            self.request_of("", source="(defn f [x] [1 2.5 nil {:a #{1}}])"),
            self.request_of(5, source="(defn f [x] (+ x 1))"),
        )

    def refused(self):
        yield self.provider_at(self.server.url, token="wrong-token-of-nobody"), self.request_of(1)
        yield self.make(), self.request_of(1, source="(defn f [x] (nobody x))")
        yield self.make(), self.request_of(1, source="(defn f [x] (")
        yield self.make(), self.request_of(1, journey=Journey(via=("a", "b"), hops=0))
        yield self.make(), self.request_of(1, journey=Journey(via=(self.server.state.host_id,), hops=3))

    def secrets(self):
        return (self.server.token, "wrong-token-of-nobody")


def test_a_run_names_host_run_and_head(request_of, provider_at):
    with served() as server:

        async def ask():
            provider = provider_at(server.url, token=server.token)
            try:
                return await provider.infer(request_of(20, source="(defn f [x] {:n (* 2 x) :k :v})"))
            finally:
                await provider.aclose()

        reply = asyncio.run(ask())
        assert (reply.data, reply.structured) == ({"n": 40, "k": "v"}, True)
        assert reply.remote.host == server.state.host_id


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "endpoint"),
        ('endpoint = "ftp://x"', "must begin with https:// or http://"),
        ('endpoint = "http://north.example"', "must begin with https://: plain http goes to this machine alone"),
        ('endpoint = "https://u:p@north.example"', "user name or password"),
        ('endpoint = "https://n.example"\ntoken_env = "a b"', "name of an environment variable"),
        ('endpoint = "https://n.example"\nca_file = ""', "must not be empty"),
        ('endpoint = "https://n.example"\nhops = 0', "hops"),
        ('endpoint = "https://n.example"\nhops = 9', "hops"),
        ('endpoint = "https://n.example"\nverify = false', "verify"),
    ],
)
def test_settings_that_are_refused(text, said):
    with pytest.raises(ConfigError, match=said):
        structure(RemoteSettings, *load_toml(text, "delegation.toml"))


def test_a_token_that_cannot_stand_in_a_header_is_told():
    own = RemoteSettings(endpoint="https://n.example", token_env="T")
    assert "is not set" in own.unusable({})
    assert "cannot stand in a header" in own.unusable({"T": "a\nb"})
    assert own.unusable({"T": "fine"}) is None


def test_a_file_of_certificates_that_is_none_is_told(provider_at, tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate", encoding="utf-8")
    with pytest.raises(Exception, match=r"ca\.pem"):
        provider_at("https://n.example", ca_file="ca.pem", directory=str(tmp_path)).prepare()


def test_the_client_comes_with_first_use():
    code = "import sys, rtfs_provider_remote_rtfs.plugin; sys.exit('httpx2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_offer_is_read_in_bands(scripted, provider_at):
    load = {"running": 9, "most": 10}
    target = {"target": "local m", "locality": "local", "accepts": ["pii"], "input_cost": 1, "output_cost": 2,
              "quality": 0.5, "health": "closed"}  # fmt: skip
    scripted.then = lambda *_: (
        200,
        {},
        {"protocol": 1, "host": {"id": "north"}, "targets": [target, {"health": "open", "input_cost": -1}],
         "load": load, "accepts": None, "capabilities": ["a", 5]},
    )  # fmt: skip

    async def ask():
        provider = provider_at(scripted.url)
        try:
            return await provider.offer(5.0)
        finally:
            await provider.aclose()

    offer = asyncio.run(ask())
    assert (offer.host, offer.room, offer.capabilities, offer.cheapest, offer.quality) == (
        "north", Left.SOME, ("a",), 3.0, 0.5,
    )  # fmt: skip
    assert offer.targets[0].accepts == frozenset({"pii"})
    assert ProviderSettings(id="x").own is None
    assert len(rtfs_providers()) == 1
