"""The contract of model providers, the settings, and a vendor's own plug-in of llm against a real HTTP server."""

from __future__ import annotations

import gc
import subprocess
import sys

import llm
import pytest

from rtfs_framework.api import ConfigError, Locality, ProviderSettings, RateLimited, load_toml, structure
from rtfs_framework.lang.types.model import EnumType
from rtfs_framework.lang.values import Keyword
from rtfs_framework.testing.conformance.provider import ProviderConformance
from rtfs_framework.testing.fakes import inference_request
from rtfs_framework.testing.openai_server import Fail, OpenAIServer, say_json
from rtfs_provider_llm.plugin import LlmSettings, rtfs_providers

SECRET = "key-do-not-show-me"


class TestContract(ProviderConformance):
    def make(self, **own):
        entry = rtfs_providers()[-1]
        settings = LlmSettings(**{"model": "echo-needs-key", "api_key_env": "MINE", **own})
        return entry.factory(ProviderSettings(id="acme", own=settings, environ={"MINE": SECRET}))

    def refused(self):
        for own in (
            {"model": "none such"},
            {"api_key_env": "OTHER"},
            {"api_key_env": None},
            {"options": {"a": SECRET}},
        ):
            yield self.make(**own), inference_request("x")

    def secrets(self):
        return [SECRET]


def test_the_entry():
    entry = rtfs_providers()[-1]
    assert (entry.name, entry.locality, entry.deterministic, entry.chat) == ("llm", Locality.REMOTE, False, True)


def test_importing_the_plugin_does_not_import_llm():
    code = (
        "import sys\nfrom rtfs_framework.api import ProviderSettings\n"
        "from rtfs_provider_llm.plugin import LlmSettings, rtfs_providers\n"
        "rtfs_providers()[0].factory(ProviderSettings(id='a', own=LlmSettings(model='echo')))\n"
        "assert 'llm' not in sys.modules, 'imported'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_fingerprint_names_the_model_and_who_offers_it_and_no_key(make):
    variants = [
        {},
        {"temperature": 1.0},
        {"max_tokens": 5},
        {"structured": "none"},
        {"options": {"example_bool": True}},
    ]
    made = [make(**own).fingerprint() for own in variants] + [make("made-sync").fingerprint()]
    assert len(set(made)) == len(made)
    assert make("made").fingerprint() == make("made-sync").fingerprint(), "an alias is the model that it means"
    one = make(api_key_env="MINE", environ={"MINE": "a"})
    assert one.fingerprint() == make(api_key_env="MINE", environ={"MINE": "b"}).fingerprint()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the key 'model' is missing"),
        ('model = " "', "must not be empty"),
        ('model = "m"\napi_key_env = "sk-secret"', "the name of an environment variable, never a key"),
        ('model = "m"\ntemperature = 3', "between 0 and 2"),
        ('model = "m"\nmax_tokens = 0', "must be >= 1"),
        ('model = "m"\nstructured = "maybe"', "one of: auto, none"),
        ('model = "m"\noptions = {since = 2024-01-01}', "what JSON cannot hold"),
        ('model = "m"\nmodle = "x"', "did you mean 'model'?"),
    ],
)
def test_a_wrong_setting_says_what_to_do(text, says):
    data, places = load_toml(text, "delegation.toml")
    with pytest.raises(ConfigError) as raised:
        structure(LlmSettings, data, places)
    found = raised.value.diagnostics[0]
    assert says in f"{found.message} {found.help}"
    assert "sk-secret" not in found.message


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # llm makes a client for each request, and closes none
def test_a_vendor_s_plug_in_asks_a_real_server(make, ask, tmp_path, monkeypatch):
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path))
    mood = EnumType((Keyword("positive"),))
    with OpenAIServer(
        [say_json({"value": "positive"}), Fail(429, headers={"Retry-After": "600"})], key=SECRET
    ) as server:
        (tmp_path / "extra-openai-models.yaml").write_text(
            f"- model_id: house\n  model_name: m\n  api_base: {server.url}\n"
            "  api_key_name: house\n  supports_schema: true\n",
            encoding="utf-8",
        )
        provider = make("house", api_key_env="MINE", environ={"MINE": SECRET}, max_tokens=50)
        reply = ask(provider, inference_request("x", returns=mood))
        with pytest.raises(RateLimited):
            ask(provider, inference_request("x", returns=mood))
    assert (reply.data, reply.usage.input_tokens, reply.usage.output_tokens) == ("positive", 7, 3)
    body = server.requests[0].body
    assert (body["model"], body["max_tokens"], body["response_format"]["type"]) == ("m", 50, "json_schema")
    assert not (tmp_path / "logs.db").exists()
    assert llm.user_dir() == tmp_path
    gc.collect()  # here, where the warnings are expected
