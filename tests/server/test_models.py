"""Models of a running server are listed, loaded and unloaded, a tenant's own alone: by HTTP, and by commands."""

from __future__ import annotations

import sys

import pytest

from rtfs_framework.cli.main import run
from rtfs_framework.testing.served import served

httpx = pytest.importorskip("httpx")
pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

PLUGIN = """
from rtfs_framework.api import (
    InferenceReply, Locality, ModelStatus, ProviderEntry, ProviderError, ProviderUnavailable, hookimpl,
)

rtfs_api_version = 2


class Model:
    def __init__(self, settings):
        self.id, self.loaded = settings.id, False

    def fingerprint(self):
        return "1"

    async def infer(self, request):
        return InferenceReply(text="hello")

    async def aclose(self):
        pass

    def load(self):
        if self.id == "broken":
            raise ProviderUnavailable(self.id, "its file is gone")
        if self.id == "faulty":
            raise ZeroDivisionError
        self.loaded = True

    def unload(self):
        self.loaded = False

    def status(self):
        return ModelStatus(loaded=self.loaded, memory=3 << 20 if self.loaded else None)


class Plain:
    def __init__(self, settings):
        pass

    def fingerprint(self):
        return "1"

    async def infer(self, request):
        return InferenceReply(text="hello")

    async def aclose(self):
        pass


@hookimpl
def rtfs_providers():
    more = {"summary": "A model.", "locality": Locality.LOCAL}
    keeps = ProviderEntry(name="keeps", factory=Model, defaults={"big": {}, "broken": {}, "faulty": {}}, **more)
    return [keeps, ProviderEntry(name="plain", factory=Plain, defaults={"plain": {}}, **more)]
"""


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Return a server of two tenants, where a distribution with models is installed."""
    site = tmp_path / "site"
    info = site / "acme_models-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-models\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[rtfs_framework]\nacme-models = acme_models\n", encoding="utf-8")
    (site / "acme_models.py").write_text(PLUGIN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("RTFS_HOME", str(tmp_path / "client"))
    with served(tenants=("acme", "other"), environ={"RTFS_PLUGINS": "acme-models"}) as made:
        yield made
    sys.modules.pop("acme_models", None)


def of(server, target, tenant="acme"):
    headers = {"Authorization": f"Bearer {server.tokens[tenant]}"}
    found = httpx.get(f"{server.url}/v1/rtfs/models", headers=headers).json()["models"]
    return next(each for each in found if each["target"] == target)


def move(server, what, model="local-big", **headers):
    return httpx.post(f"{server.url}/v1/rtfs/models/{model}/{what}", headers=headers or server.headers)


def test_a_model_is_loaded_and_unloaded_for_its_tenant_alone(server):
    assert of(server, "local-big")["status"]["loaded"] is False
    answer = move(server, "load", "big")
    assert answer.status_code == 200
    assert answer.json()["target"] == "local-big"
    assert answer.json()["status"]["memory"] == 3 << 20
    assert of(server, "local-big")["status"]["loaded"] is True
    assert of(server, "local-big", "other")["status"]["loaded"] is False
    assert move(server, "unload").json()["status"]["loaded"] is False


@pytest.mark.parametrize(
    ("model", "status", "said"),
    [
        ("local-nothing", 404, "no such model is configured here"),
        ("local-plain", 422, "plain keeps no model in memory"),
        ("local-broken", 422, "its file is gone"),
        ("local-faulty", 422, "`load` failed: ZeroDivisionError"),
    ],
)
def test_what_cannot_be_loaded_says_why(server, model, status, said):
    answer = move(server, "load", model)
    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]


def test_nobody_without_a_token(server):
    assert move(server, "load", Authorization="Bearer nobody").status_code == 401
    assert httpx.get(f"{server.url}/v1/rtfs/models").status_code == 401


def test_the_addresses_are_described(server):
    paths = httpx.get(f"{server.url}/openapi.json").json()["paths"]
    assert set(paths["/v1/rtfs/models"]) == {"get"}
    for what in ("load", "unload"):
        assert set(paths[f"/v1/rtfs/models/{{model}}/{what}"]) == {"post"}
        assert paths[f"/v1/rtfs/models/{{model}}/{what}"]["post"]["parameters"][0]["name"] == "model"


@pytest.fixture
def rtfs(server, capsys, monkeypatch):
    """Run a command line against the server."""
    pytest.importorskip("httpx2")
    monkeypatch.setenv("RTFS_TOKEN", server.token)
    monkeypatch.delenv("RTFS_SERVER", raising=False)

    def invoke(*args):
        code = run(["models", *args])
        out, err = capsys.readouterr()
        return code, out, err

    return invoke


def test_the_command_line_moves_models_of_a_server(rtfs, server, monkeypatch, tmp_path):
    assert rtfs("load", "big", "--server", server.url)[1] == "local-big is loaded, 3 MiB\n"
    monkeypatch.setenv("RTFS_SERVER", server.url)
    assert "3 MiB" in rtfs("list")[1]
    monkeypatch.delenv("RTFS_TOKEN")
    (tmp_path / "token.txt").write_text(f"{server.token}\n", encoding="utf-8")
    assert rtfs("unload", "big", "--token-file", str(tmp_path / "token.txt"))[1] == "local-big is unloaded\n"


@pytest.mark.parametrize("what", ["load", "unload"])
def test_without_a_server_it_is_refused(rtfs, what):
    code, _, err = rtfs(what, "big")
    assert code == 2
    assert f"error[E0962]: a model is {what}ed in a running server" in err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--server", "http://rtfs.example:80"), "over plain http"),
        (("--server", "nowhere"), "such as https://rtfs.example:8443"),
        (("--server", "http://127.0.0.1:1"), "cannot be reached"),
        (("--server", "http://127.0.0.1:1", "--token-file", "gone.txt"), "no such file: gone.txt"),
    ],
)
def test_a_server_that_cannot_be_asked(rtfs, args, said):
    code, _, err = rtfs("load", "big", *args)
    assert code
    assert said in err


def test_a_refusal_is_told_in_the_server_s_words(rtfs, server, monkeypatch):
    assert "answered 422: broken: its file is gone" in rtfs("load", "broken", "--server", server.url)[2]
    monkeypatch.setenv("RTFS_TOKEN", "wrong")
    assert "error[E0942]" in rtfs("load", "big", "--server", server.url)[2]
    monkeypatch.setenv("RTFS_TOKEN", "")
    assert "no token for the server is known" in rtfs("load", "big", "--server", server.url)[2]
