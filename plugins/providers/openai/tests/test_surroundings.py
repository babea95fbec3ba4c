"""What the provider takes from its surroundings: the session's environment, and nothing of the process's."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rtfs_framework.api import ProviderError
from rtfs_framework.testing.fakes import inference_request
from rtfs_framework.testing.openai_server import OpenAIServer, Raw
from rtfs_framework.testing.poisoned import NOBODY, poisoned_environment

SECRET = "sk-do-not-show-me"


@pytest.fixture
def poisoned(tmp_path):
    """Fill the process's environment with what must not be heard."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login evil password evil\n", encoding="utf-8")
    more = {"SSLKEYLOGFILE": str(tmp_path / "keys.log"), "NETRC": str(tmp_path / ".netrc"), "HOME": str(tmp_path)}
    with poisoned_environment(more):
        yield


@pytest.mark.usefixtures("poisoned")
def test_the_environment_of_the_process_changes_nothing(make, ask, tmp_path):
    with OpenAIServer(key=SECRET) as server:
        assert ask(make(server), inference_request("x")).text == "ok"
        received = server.requests[0]
    assert "of-the-process" not in str(dict(received.headers))
    assert set(received.headers) <= {
        *("host", "accept", "accept-encoding", "connection", "content-type", "content-length", "user-agent"),
        "authorization",
    }
    assert not (tmp_path / "keys.log").exists()


@pytest.mark.usefixtures("poisoned")
def test_an_endpoint_without_a_key_gets_none_from_anywhere(make, ask):
    with OpenAIServer() as server:
        ask(make(server, environ={}, api_key_env=""), inference_request("x"))
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_session_is_used(make, ask, name):
    with OpenAIServer(then=Raw(b'{"choices": [{"message": {"content": "by proxy"}}]}')) as proxy:
        environ = {name: proxy.url.removesuffix("/v1"), "OPENAI_API_KEY": SECRET}
        # The proxy sees the whole address, which is no path that the server knows; it answers 404 and names it.
        with pytest.raises(ProviderError, match=r"POST http://models\.example/v1/chat/completions"):
            ask(make(environ=environ, endpoint="http://models.example/v1"), inference_request("x"))


@pytest.mark.parametrize(
    ("no_proxy", "host", "direct"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("*", "127.0.0.1", True),
        ("other.example, 127.0.0.1", "127.0.0.1", True),
        ("27.0.0.1", "127.0.0.1", False),
        ("localhost", "127.0.0.1", False),
        ("127.0.0.1:1", "127.0.0.1", False),
        ("", "127.0.0.1", False),
    ],
)
def test_no_proxy_of_the_session_is_honoured(make, ask, no_proxy, host, direct):
    with OpenAIServer() as server:
        assert host in server.url
        environ = {"HTTP_PROXY": NOBODY, "NO_PROXY": no_proxy, "OPENAI_API_KEY": SECRET}
        if direct:
            assert ask(make(server, environ=environ), inference_request("x")).text == "ok"
        else:
            with pytest.raises(ProviderError) as raised:
                ask(make(server, environ=environ), inference_request("x"))
            assert raised.value.code == "E0605"


@pytest.mark.parametrize(
    ("variable", "value", "endpoint"),
    [
        ("HTTP_PROXY", "nonsense://u:secret-pw@x", "http://127.0.0.1:9/v1"),
        ("HTTP_PROXY", "http://[::1", "http://127.0.0.1:9/v1"),
        ("SSL_CERT_FILE", "/no/such/file.pem", "https://127.0.0.1:9/v1"),
        ("OPENAI_ORG_ID", "org\nX-Evil: 1", "https://api.openai.com/v1"),
        ("OPENAI_PROJECT_ID", "proj-é", "https://api.openai.com/v1"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(make, ask, variable, value, endpoint):
    environ = {variable: value, "OPENAI_API_KEY": SECRET}
    with pytest.raises(ProviderError, match=variable) as raised:
        ask(make(environ=environ, endpoint=endpoint), inference_request("x"))
    assert "secret-pw" not in str(raised.value)


def test_a_web_server_that_runs_scripts_does_not_choose_the_proxy_by_a_header(make, ask):
    with OpenAIServer() as server:
        environ = {"HTTP_PROXY": NOBODY, "REQUEST_METHOD": "GET", "OPENAI_API_KEY": SECRET}
        assert ask(make(server, environ=environ), inference_request("x")).text == "ok"


SILENT = """
import logging, os
from rtfs_framework.api import ProviderSettings
from rtfs_provider_openai.plugin import OpenAISettings, rtfs_providers
before = logging.getLogger().handlers[:]
(entry,) = rtfs_providers()
entry.factory(ProviderSettings(id="x", own=OpenAISettings(), environ={"OPENAI_API_KEY": "k"})).prepare()
print(logging.getLogger("openai").level, logging.getLogger().handlers == before, os.environ["OPENAI_LOG"])
"""


@pytest.mark.parametrize("level", ["debug", "info"])
def test_the_log_of_the_client_is_not_switched_on_by_the_process(level):
    environ = {**os.environ, "OPENAI_LOG": level}
    done = subprocess.run([sys.executable, "-c", SILENT], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "True", level]
    assert done.stderr == ""
