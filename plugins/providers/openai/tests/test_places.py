"""Several keys and addresses, headers, more of the body, Azure's shape, and the free probe: against real servers."""

from __future__ import annotations

import logging
import socket

import pytest

from rtfs_framework.api import ConfigError, ProviderAuthError, ProviderError, ProviderUnavailable, load_toml, structure
from rtfs_framework.testing.clock import FakeClock
from rtfs_framework.testing.fakes import inference_request
from rtfs_framework.testing.openai_server import Fail, HangUp, OpenAIServer, Say
from rtfs_provider_openai.settings import OpenAISettings
from rtfs_provider_openai.turns import Turns

KEYS = {"A_KEY": "secret-of-a", "B_KEY": "secret-of-b", "TENANT": "tenant-secret"}


def keys_of(server):
    return [received.headers.get("authorization") for received in server.requests]


def free_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/v1"


def test_keys_are_used_in_turn(make, ask):
    with OpenAIServer() as server:
        ask(make(server, environ=KEYS, api_key_env=("A_KEY", "B_KEY")), *[inference_request(n) for n in range(4)])
    assert keys_of(server) == ["Bearer secret-of-a", "Bearer secret-of-b"] * 2


def test_each_endpoint_gets_its_own_key(make, ask):
    with OpenAIServer() as one, OpenAIServer() as other:
        provider = make(endpoint=(one.url, other.url), environ=KEYS, api_key_env=("A_KEY", "B_KEY"))
        ask(provider, *[inference_request(n) for n in range(4)])
    assert (keys_of(one), keys_of(other)) == (["Bearer secret-of-a"] * 2, ["Bearer secret-of-b"] * 2)


@pytest.mark.parametrize(
    "failure", [Fail(429, headers={"Retry-After": "30"}), Fail(401), Fail(403), Fail(429, code="insufficient_quota")]
)
def test_a_key_that_is_not_served_rests_and_the_next_one_is_used(make, ask, failure):
    def picky(received):
        return failure if received.headers["authorization"].endswith("-a") else Say("ok")

    with OpenAIServer(then=picky) as server:
        provider = make(server, environ=KEYS, api_key_env=("A_KEY", "B_KEY"))
        replies = ask(provider, *[inference_request(n) for n in range(4)])
    assert [reply.text for reply in replies] == ["ok"] * 4
    assert [key[-1] for key in keys_of(server)] == ["a", "b", "b", "b", "b"]


def test_an_address_that_nobody_listens_at_is_passed_over(make, ask):
    with OpenAIServer() as server:
        provider = make(endpoint=(free_port(), server.url), environ={})
        assert ask(provider, inference_request("x")).text == "ok"


@pytest.mark.parametrize("failure", [Fail(500), HangUp(), Fail(400, "no"), Say(None)])
def test_what_may_have_been_carried_out_is_not_asked_of_the_next(make, ask, failure):
    with OpenAIServer(then=failure) as one, OpenAIServer() as other:
        with pytest.raises(ProviderError):
            ask(make(endpoint=(one.url, other.url), environ={}), inference_request("x"))
        assert (len(one.requests), len(other.requests)) == (1, 0)


def test_where_no_place_serves_the_last_failure_is_told(make, ask):
    with OpenAIServer(then=Fail(401, "no")) as server, pytest.raises(ProviderAuthError, match="key in B_KEY") as raised:
        ask(make(server, environ=KEYS, api_key_env=("A_KEY", "B_KEY")), inference_request("x"))
    assert "secret" not in str(raised.value)
    assert len(server.requests) == 2


def test_a_place_that_rested_has_its_turn_again():
    clock = FakeClock()
    turns = Turns(2, clock.monotonic)
    turns.rest(0, 30.0)
    assert [turns.order() for _ in range(3)] == [[1, 0]] * 3
    clock.advance(30.0)
    assert {turns.order()[0] for _ in range(2)} == {0, 1}


def test_headers_and_more_of_the_body_go_out_and_secrets_stand_in_the_environment(make, ask, caplog):
    caplog.set_level(logging.DEBUG)
    own = {"headers": {"X-Title": "demo"}, "headers_env": {"X-Tenant-Key": "TENANT"}, "extra_body": {"top_k": 5}}
    with OpenAIServer(then=Fail(400, "tenant-secret is wrong")) as server:
        provider = make(server, environ=KEYS, **own)
        assert "tenant-secret" not in f"{provider.fingerprint()}{OpenAISettings(**own)!r}"
        with pytest.raises(ProviderError) as raised:
            ask(provider, inference_request("x"))
    assert "tenant-secret" not in f"{raised.value}{caplog.text}"
    (received,) = server.requests
    assert (received.headers["x-title"], received.headers["x-tenant-key"]) == ("demo", "tenant-secret")
    assert received.body["top_k"] == 5


def test_a_header_with_a_key_counts_as_the_account_and_the_others_for_the_fingerprint(make):
    own = OpenAISettings(endpoint="http://127.0.0.1:1/v1", headers_env={"X-Tenant": "TENANT"})
    assert own.account(KEYS)["header x-tenant"] == "tenant-secret"
    assert own.account({**KEYS, "TENANT": "other"}) != own.account(KEYS)
    several = OpenAISettings(endpoint="http://127.0.0.1:1/v1", api_key_env=("A_KEY", "B_KEY"))
    assert {"secret-of-a", "secret-of-b"} <= set(several.account(KEYS).values())
    variants = [{}, {"headers": {"X-A": "1"}}, {"extra_body": {"a": 1}}, {"api_version": "2024-10-21"}]
    variants += [{"api_version": "2024-10-21", "deployment": "d"}, {"endpoint": ("http://a/v1", "http://b/v1")}]
    assert len({make(**each).fingerprint() for each in variants}) == len(variants)


@pytest.mark.parametrize(
    ("own", "environ", "says"),
    [
        ({"headers_env": {"X-Tenant": "TENANT"}}, {}, "TENANT is not set; set it to the value of the header X-Tenant"),
        ({"headers_env": {"X-Tenant": "TENANT"}}, {"TENANT": "a\nb"}, "TENANT holds a control character"),
        ({"api_key_env": ("A_KEY", "C_KEY")}, KEYS, "C_KEY is not set"),
    ],
)
def test_what_is_missing_in_the_environment_is_told_by_name(make, ask, own, environ, says):
    with OpenAIServer() as server, pytest.raises(ProviderAuthError, match=says):
        ask(make(server, environ=environ, **own), inference_request("x"))
    assert server.requests == []


def test_azure_has_paths_and_a_header_of_its_own(make, ask):
    with OpenAIServer(key="secret-of-a", azure=True) as server:
        own = {"api_key_env": "A_KEY", "api_version": "2024-10-21", "environ": KEYS}
        assert ask(make(server, deployment="my gpt", **own), inference_request("x")).text == "ok"
        assert ask(make(server, **own), inference_request("x")).text == "ok"
        make(server, **own).ping(20.0)
    assert [received.path for received in server.requests] == [
        "/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21",
        "/openai/deployments/m/chat/completions?api-version=2024-10-21",
        "/openai/models?api-version=2024-10-21",
    ]
    assert not any("authorization" in received.headers for received in server.requests)


def test_a_ping_asks_for_the_models_and_for_nothing_that_costs(make):
    with OpenAIServer(key="secret-of-a") as server:
        make(server, environ=KEYS, api_key_env="A_KEY").ping(20.0)
    assert [(received.method, received.path) for received in server.requests] == [("GET", "/v1/models")]


def test_a_server_without_a_list_of_models_is_there_all_the_same(make):
    with OpenAIServer(refuses=["models"]) as server:
        make(server).ping(20.0)
    assert len(server.requests) == 1


def test_a_ping_tells_what_a_request_would(make):
    with OpenAIServer(key="another") as server, pytest.raises(ProviderAuthError, match="OPENAI_API_KEY"):
        make(server).ping(20.0)
    with pytest.raises(ProviderUnavailable):
        make(endpoint=free_port()).ping(20.0)
    with pytest.raises(ProviderAuthError, match="is not set"):
        make(environ={}).ping(20.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('endpoint = ["http://a/v1", "b"]', "must begin with https:// or http://"),
        ("endpoint = []", "must name 1 to 64 addresses"),
        ("endpoint = 5", "must be a text or a list"),
        ('api_key_env = ["A", "sk-1"]', "the name of an environment variable, never a key"),
        ('endpoint = ["http://a", "http://b"]\napi_key_env = ["A", "B", "C"]', "one for each of the 2 endpoints"),
        ("api_key_env = []", "must name 1 to 64 variables"),
        ('headers = {Authorization = "Bearer x"}', "name the variable of 'Authorization' in headers_env"),
        ('headers = {Content-Type = "x"}', "requests have their own"),
        ('headers = {"a b" = "x"}', "no name of a header"),
        ('headers = {X-A = "gr\\u00fc\\u00df"}', "cannot stand in a header"),
        ("headers = {X-A = 5}", "must be a text"),
        ('headers_env = {X-A = "sk-1"}', "never a key"),
        ('headers_env = {X-A = ""}', "names no variable for 'X-A'"),
        ("extra_body = {max_tokens = 5}", "there is a key for it, 'max_tokens'"),
        ("extra_body = {stream = true}", "that is the request itself"),
        ("extra_body = {since = 2024-01-01}", "what JSON cannot hold"),
        ('api_version = ""', "must not be empty"),
        ('deployment = " "', "must not be empty"),
    ],
)
def test_a_wrong_setting_says_what_to_do(text, says):
    data, places = load_toml(text, "delegation.toml")
    with pytest.raises(ConfigError) as raised:
        structure(OpenAISettings, data, places)
    found = raised.value.diagnostics[0]
    assert found.place.line >= 1
    assert says in f"{found.message} {found.help}"
    assert "sk-1" not in found.message
