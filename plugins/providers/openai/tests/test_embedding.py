"""Vectors over HTTP, from a real server on loopback: what is sent, what is believed, and a whole host that asks it."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from struct import pack

import anyio
import pytest

from rtfs_framework.api import BadReply, Message, ProviderAuthError, ProviderError, ProviderSettings, Usage
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.testing.fakes import inference_request
from rtfs_provider_openai.plugin import OpenAISettings
from rtfs_provider_openai.provider import OpenAIProvider


@contextmanager
def served(answer, status=200):
    """Yield the address of a server that answers so, and what it was sent."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append((self.path, self.headers.get("Authorization"), body))
            said = json.dumps(answer(body) if callable(answer) else answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asked(url, *texts):
    """Return the reply to a request for vectors."""
    own = OpenAISettings(endpoint=url, model="embed-small", api_key_env="KEY")
    provider = OpenAIProvider(ProviderSettings("vectors", own, {"KEY": "k-secret"}))

    async def ask():
        try:
            messages = tuple(Message("user", text) for text in texts)
            return await provider.infer(inference_request(*texts, messages=messages, embeds=True, timeout=10.0))
        finally:
            await provider.aclose()

    return anyio.run(ask)


def listed(*vectors, order=None, **more):
    places = range(len(vectors)) if order is None else order
    data = [{"index": place, "embedding": vectors[place]} for place in places]
    return {"object": "list", "data": data, "model": "embed-small-1", "usage": {"prompt_tokens": 7}, **more}


def test_texts_are_sent_together_and_vectors_come_in_their_order():
    with served(listed([1.0, 0.0], [0.0, 2], order=(1, 0))) as (url, seen):
        reply = asked(url, "one", "")
    assert reply.data == [[1.0, 0.0], [0.0, 2.0]]
    assert (reply.structured, reply.model, reply.usage) == (True, "embed-small-1", Usage(7, 0))
    body = {"model": "embed-small", "input": ["one", " "], "encoding_format": "float"}
    assert seen == [("/v1/embeddings", "Bearer k-secret", body)]


def test_a_server_that_writes_base64_is_read():
    with served(listed(b64encode(pack("<2f", 0.5, -1.0)).decode())) as (url, _):
        assert asked(url, "one").data == [[0.5, -1.0]]


WRONG = [
    {},
    [],
    {"data": None},
    {"data": [{"embedding": [1.0]}]},
    {"data": [{"index": 0}]},
    {"data": [{"index": 1, "embedding": [1.0]}]},
    {"data": [{"index": 0, "embedding": ["x"]}]},
    {"data": [{"index": 0, "embedding": "no base64!"}]},
    {"data": [{"index": 0, "embedding": "AAAA"}]},
    {"data": [{"index": 0, "embedding": [10**400]}]},
    {"data": [{"index": 0, "embedding": ["1.0"]}]},
    {"data": [{"index": 0, "embedding": [True]}]},
]


@pytest.mark.parametrize("answer", WRONG)
def test_what_is_no_list_of_vectors_is_a_bad_reply(answer):
    with served(answer) as (url, _), pytest.raises(BadReply):
        asked(url, "one")


@pytest.mark.parametrize(("status", "kind"), [(401, ProviderAuthError), (500, ProviderError), (404, ProviderError)])
def test_refusals_are_told_as_for_any_request_and_never_hold_the_key(status, kind):
    with served({"error": {"message": "no: k-secret"}}, status) as (url, _), pytest.raises(kind) as raised:
        asked(url, "one")
    assert "k-secret" not in str(raised.value)


CONFIG = """
[delegation]
engine = "chooser"
embedder = "remote-vectors"
[engines.chooser]
plugin = "llm"
symbols = ["*"]
[delegation.remote_providers.vectors]
provider = "openai"
endpoint = "{url}"
model = "embed-small"
[delegation.local_models.tongues]
provider = "echo"
description = "Translates."
[delegation.local_models.moods]
provider = "echo"
description = "Classifies sentiment."
"""


@pytest.mark.needs("rtfs-engine-llm", "rtfs-provider-echo", "rtfs-cache-l1")
def test_a_host_compares_by_a_server_and_asks_it_once(tmp_path):
    def near(body):
        return listed(*([1.0, float(text.startswith("T") or "French" in text)] for text in body["input"]))

    file = tmp_path / "delegation.toml"
    environ = {"RTFS_PLUGINS": "llm,echo,l1,openai", "RTFS_HOME": str(tmp_path / "home")}
    with served(near) as (url, seen):
        file.write_text(CONFIG.replace("{url}", url), encoding="utf-8")
        with Session.open(config_path=file, environ=environ) as session:
            result = session.run(Source("f.rtfs", '(defn f "Into French." [x] :own)\n[(f 1) (f 2)]'))
            assert not session.problems
    assert [call.target for call in result.calls if call.kind == "delegated"] == ["local-model tongues"] * 2
    assert [body["input"] for _, _, body in seen] == [["f. Into French.", "Translates.", "Classifies sentiment."]]


def test_half_a_character_is_not_sent():
    with served(listed([1.0])) as (url, seen), pytest.raises(ProviderError, match="lone surrogate"):
        asked(url, "\ud800")
    assert not seen
