"""The contract of model providers, kept against a real HTTP server, and the settings."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rtfs_framework.api import ConfigError, Locality, ProviderSettings, load_toml, structure
from rtfs_framework.testing.conformance.provider import ProviderConformance
from rtfs_framework.testing.fakes import inference_request
from rtfs_framework.testing.openai_server import Fail, HangUp, OpenAIServer, Raw
from rtfs_provider_openai.plugin import OpenAISettings, rtfs_providers


class TestContract(ProviderConformance):
    SECRET = "sk-do-not-show-me"

    @pytest.fixture(autouse=True)
    def _server(self):
        with OpenAIServer() as self.server:
            yield

    def make(self, then=None):
        if then is not None:
            self.server._then = then
        own = OpenAISettings(endpoint=self.server.url, max_reply=4096)
        (entry,) = rtfs_providers()
        return entry.factory(ProviderSettings(id="acme", own=own, environ={"OPENAI_API_KEY": self.SECRET}))

    def refused(self):
        elsewhere = Raw(b"", status=307, headers={"Location": "http://elsewhere.example/"})
        for then in (
            *(Fail(500), Fail(429), Fail(400), Fail(401, f"\x1b[2J {self.SECRET}"), HangUp(), elsewhere),
            *(Raw(b"{"), Raw(b"null"), Raw(b'{"choices": []}'), Raw(b'{"error": "no\\u202e"}'), Raw(b" " * 5000)),
            Raw(b'{"choices": [{"message": {"content": null}}], "usage": {"prompt_tokens": 1e300}}'),
        ):
            yield self.make(then), inference_request("x")

    def secrets(self):
        return [self.SECRET]


def test_the_entry_brings_an_instance_that_needs_only_a_key():
    (entry,) = rtfs_providers()
    assert (entry.name, entry.locality, entry.deterministic) == ("openai", Locality.REMOTE, False)
    assert entry.defaults == {"openai": {}}


def test_importing_the_plugin_and_making_a_provider_does_not_import_the_vendors_client():
    code = (
        "import sys\nfrom rtfs_framework.api import ProviderSettings\n"
        "from rtfs_provider_openai.plugin import rtfs_providers\n"
        "rtfs_providers()[0].factory(ProviderSettings(id='a')).fingerprint()\n"
        "assert 'openai' not in sys.modules, 'imported'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("own", "environ", "key"),
    [
        ({}, {}, None),
        ({}, {"OPENAI_API_KEY": ""}, None),
        ({}, {"OPENAI_API_KEY": "k"}, "k"),
        ({}, {"OPENAI_BASE_URL": "http://here/v1"}, ""),
        ({}, {"OPENAI_BASE_URL": "http://here/v1", "OPENAI_API_KEY": "k"}, "k"),
        ({"endpoint": "http://here/v1"}, {}, ""),
        ({"endpoint": "https://api.openai.com/v1/"}, {}, None),
        ({"endpoint": "http://here/v1", "api_key_env": "MINE"}, {"OPENAI_API_KEY": "k"}, None),
        ({"api_key_env": "MINE"}, {"MINE": "m", "OPENAI_API_KEY": "k"}, "m"),
        ({"api_key_env": ""}, {"OPENAI_API_KEY": "k"}, ""),
    ],
)
def test_which_key_is_used_and_when_it_is_missing(own, environ, key):
    settings = OpenAISettings(**own)
    assert settings.key(environ) == key
    why = settings.unusable(environ)
    assert (why is None) is (key is not None)
    if why is not None:
        assert own.get("api_key_env", "OPENAI_API_KEY") in why
        assert 'api_key_env = ""' in why


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ('endpoint = "localhost:8000"', 12, "must begin with https:// or http://"),
        ('api_key_env = "sk-secret"', 15, "the name of an environment variable, never a key"),
        ("temperature = 3", 15, "between 0 and 2"),
        ('temperature = "hot"', 15, "one of: default"),
        ('model = " "', 9, "must not be empty"),
        ("max_tokens = 0", 14, "must be >= 1"),
        ("max_reply = 10", 13, "must be >= 1024"),
        ('max_reply = "16"', 13, ""),
        ('structured = "jsonschema"', 14, "did you mean 'json_schema'?"),
        ('endpiont = "x"', 1, "did you mean 'endpoint'?"),
    ],
)
def test_a_wrong_setting_has_a_place_and_a_way_out(text, column, says):
    data, places = load_toml(text, "delegation.toml")
    with pytest.raises(ConfigError) as raised:
        structure(OpenAISettings, data, places)
    (found,) = raised.value.diagnostics
    assert (found.place.line, found.place.column) == (1, column)
    assert says in f"{found.message} {found.help}"
    assert "sk-secret" not in found.message


@pytest.mark.parametrize(
    ("own", "environ", "named"),
    [
        ({}, {}, {}),
        ({}, {"OPENAI_API_KEY": "k"}, {"key": "k"}),
        ({}, {"OPENAI_API_KEY": "k", "OPENAI_ORG_ID": "o"}, {"key": "k", "OPENAI_ORG_ID": "o"}),
        ({}, {"OPENAI_API_KEY": "k", "OPENAI_PROJECT_ID": "o"}, {"key": "k", "OPENAI_PROJECT_ID": "o"}),
        ({"api_key_env": "OTHER"}, {"OPENAI_API_KEY": "k", "OTHER": "m"}, {"key": "m"}),
        ({"api_key_env": ""}, {"OPENAI_API_KEY": "k"}, {}),
        ({"endpoint": "http://127.0.0.1:1/v1"}, {}, {}),
    ],
)
def test_all_that_chooses_the_account_is_told(own, environ, named):
    found = dict(OpenAISettings(**own).account(environ))
    assert found.pop("url", None) == ("https://api.openai.com/v1" if named else None)
    assert {name: text for name, text in found.items() if text} == named


def test_the_same_key_at_another_address_is_another_account():
    environ = {"OPENAI_API_KEY": "k"}
    elsewhere = {**environ, "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}
    assert OpenAISettings().account(environ) != OpenAISettings().account(elsewhere)


def test_preparing_imports_what_the_first_request_needs():
    code = (
        "import sys\nfrom rtfs_framework.api import ProviderSettings\n"
        "from rtfs_provider_openai.plugin import OpenAISettings, rtfs_providers\n"
        "own = OpenAISettings(endpoint='http://127.0.0.1:9/v1')\n"
        "rtfs_providers()[0].factory(ProviderSettings(id='a', own=own)).prepare()\n"
        "assert {'openai', 'httpx2', 'httpcore2', 'h11'} <= set(sys.modules), 'left to the first request'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
