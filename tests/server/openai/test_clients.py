"""Unmodified clients of the OpenAI API talk to a host, and get its routing, failover, memory and audit."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import struct
import subprocess
import sys

import pytest

from rtfs_framework.testing.openai_server import Fail, OpenAIServer, Say, Stream

openai = pytest.importorskip("openai")
httpx = pytest.importorskip("httpx")
pytest.importorskip("uvicorn")
pytestmark = pytest.mark.needs("rtfs-provider-openai")

HI = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


def ask(client, **more):
    return client.chat.completions.create(**{"model": "host/chat", "messages": HI, **more})


def text_of(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def test_a_completion_comes_from_the_first_target_and_says_so(door, client):
    with OpenAIServer([Say("hello")]) as one:
        found = ask(client(door(one=one)), temperature=0.5, max_tokens=9, stop="END", seed=4)
        sent = one.requests[-1].body
    assert found.choices[0].message.content == "hello"
    assert (found.choices[0].finish_reason, found.object, found.model) == ("stop", "chat.completion", "host/chat")
    assert (found.usage.prompt_tokens, found.usage.completion_tokens, found.usage.total_tokens) == (7, 3, 10)
    assert (found.rtfs["target"], found.rtfs["model"], found.rtfs["attempts"]) == ("remote one", "one", 0)
    assert found.rtfs["cost"] == pytest.approx(13e-6)
    assert found._request_id == found.rtfs["run"]
    assert sent["messages"] == HI
    assert (sent["temperature"], sent["max_tokens"], sent["stop"], sent["seed"]) == (0.5, 9, ["END"], 4)


def test_a_dead_target_is_followed_by_the_next_in_one_answer(door, client, dead):
    with OpenAIServer(then=Say("two says")) as two:
        found = ask(client(door(one=dead, two=two)))
        streamed = list(ask(client(door(one=dead, two=two)), stream=True))
    assert found.choices[0].message.content == "two says"
    assert (found.rtfs["target"], found.rtfs["attempts"]) == ("remote two", 1)
    assert text_of(streamed) == "two says"
    assert streamed[-1].rtfs["attempts"] == 1


def test_pieces_arrive_as_they_are_made_and_together_are_the_answer(door, client):
    said = "The answer comes in pieces, and there are several of them."
    with OpenAIServer(then=Stream(Say(said))) as one:
        served = door(one=one)
        chunks = list(ask(client(served), stream=True, stream_options={"include_usage": True}))
        plain = list(ask(client(served), stream=True))
    told = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert ("".join(told), len(told) > 1) == (said, True)
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert (chunks[-1].choices, chunks[-1].usage.total_tokens) == ([], 10)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert len({chunk.id for chunk in chunks}) == 1
    assert not any(chunk.usage for chunk in plain)


def test_tools_are_passed_through_and_back(door, client):
    calls = (("look", {"where": "here"}),)
    with OpenAIServer(then=Say(None, finish_reason="tool_calls", tool_calls=calls)) as one:
        served = door(one=one)
        found = ask(client(served), tools=[TOOL], tool_choice="auto")
        sent = one.requests[-1].body
        chunks = list(ask(client(served), tools=[TOOL], stream=True))
        (call,) = found.choices[0].message.tool_calls
        talk = [*HI, found.choices[0].message.to_dict(), {"role": "tool", "tool_call_id": call.id, "content": "42"}]
        ask(client(served), messages=talk, tools=[TOOL])
        again = one.requests[-1].body["messages"]
    assert (sent["tools"], sent["tool_choice"]) == ([TOOL], "auto")
    assert (call.function.name, json.loads(call.function.arguments)) == ("look", {"where": "here"})
    assert found.choices[0].finish_reason == "tool_calls"
    (streamed,) = [part for chunk in chunks for part in chunk.choices[0].delta.tool_calls or ()]
    assert (streamed.index, streamed.function.name, streamed.function.arguments) == (0, "look", call.function.arguments)
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    assert again[2] == {"role": "tool", "tool_call_id": call.id, "content": "42"}
    assert again[1]["tool_calls"][0]["id"] == call.id


def test_structured_outputs_reach_the_model_and_are_parsed_by_the_client(door, client):
    pydantic = pytest.importorskip("pydantic")

    class Point(pydantic.BaseModel):
        x: int

    with OpenAIServer(then=Say('{"x": 3}')) as one:
        found = client(door(one=one)).chat.completions.parse(model="host/chat", messages=HI, response_format=Point)
        sent = one.requests[-1].body["response_format"]
    assert found.choices[0].message.parsed == Point(x=3)
    assert (sent["type"], sent["json_schema"]["name"]) == ("json_schema", "Point")


def test_the_asynchronous_client_asks_many_at_once(door):
    async def all_of(served):
        async with openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key=served.token, max_retries=0) as client:

            async def one(number):
                messages = [{"role": "user", "content": f"say {number}"}]
                stream = await client.chat.completions.create(model="host/chat", messages=messages, stream=True)
                return text_of([chunk async for chunk in stream])

            return await asyncio.gather(*map(one, range(8)))

    with OpenAIServer(then=lambda received: Stream(Say(f"heard {received.body['messages'][-1]['content']}"))) as one:
        assert asyncio.run(all_of(door(one=one))) == [f"heard say {number}" for number in range(8)]


def test_models_are_listed_and_found(door, client):
    with OpenAIServer() as one:
        models = client(door(one=one)).models
        listed = {model.id for model in models.list()}
        assert {"host/chat", "remote-one"} <= listed
        assert models.retrieve("host/chat").id == "host/chat"
        with pytest.raises(openai.NotFoundError) as caught:
            models.retrieve("host/chatt")
    assert caught.value.code == "E0971"


def test_a_target_may_be_named_and_nothing_else_is_asked_then(door, client):
    with OpenAIServer(then=Say("one")) as one, OpenAIServer(then=Say("two")) as two:
        made = client(door(one=one, two=two))
        assert ask(made, model="remote-two").choices[0].message.content == "two"
        assert one.requests == []
        two._then = Fail(400, "not understood")
        with pytest.raises(openai.APIStatusError) as caught:
            ask(made, model="remote-two")
    assert (caught.value.status_code, caught.value.code) == (502, "E0601")


@pytest.mark.needs("rtfs-embedder-wordllama")
def test_vectors_come_from_the_configured_embedder_in_both_forms(door, client):
    served = door('[delegation]\nembedder = "wordllama"\n')
    made = client(served).embeddings
    as_client = made.create(model="host/embed", input=["a cat", "a dog"]).data
    floats = made.create(model="wordllama", input="a cat", encoding_format="float").data[0].embedding
    raw = made.with_raw_response.create(model="host/embed", input="a cat", encoding_format="base64").text
    packed = base64.b64decode(json.loads(raw)["data"][0]["embedding"])
    assert [each.index for each in as_client] == [0, 1]
    assert as_client[0].embedding == pytest.approx(floats, rel=1e-6)
    assert list(struct.unpack(f"<{len(floats)}f", packed)) == pytest.approx(floats, rel=1e-6)
    with pytest.raises(openai.BadRequestError, match="dimensions"):
        made.create(model="host/embed", input="x", dimensions=7)
    for model in ("host/chat", "local-echo"):
        with pytest.raises(openai.NotFoundError, match="makes no vectors"):
            made.create(model=model, input="x")


ASKED = """
[delegation]
embedder = "remote-vectors"
[delegation.remote_providers.vectors]
provider = "openai"
endpoint = "http://127.0.0.1:9/v1"
"""


@pytest.mark.needs("rtfs-provider-openai")
def test_a_model_that_decisions_ask_makes_no_vectors_for_clients(door, client):
    with pytest.raises(openai.NotFoundError, match="makes vectors for decisions alone"):
        client(door(ASKED)).embeddings.create(model="remote-vectors", input="a text")


def test_without_an_embedder_there_are_no_vectors(door, client):
    with pytest.raises(openai.NotFoundError, match="no embedder is configured"):
        client(door("")).embeddings.create(model="host/embed", input="x")


@pytest.mark.parametrize("options", [(), ("--no-stream",)])
def test_the_llm_command_talks_to_a_host_by_its_openai_route(door, tmp_path, options):
    pytest.importorskip("llm")
    said = Say("hello from a host")
    with OpenAIServer(then=lambda received: Stream(said) if received.body.get("stream") else said) as one:
        served = door(one=one)
        model = {"model_id": "rtfs", "model_name": "host/chat", "api_base": f"{served.url}/v1", "api_key_name": "rtfs"}
        (tmp_path / "extra-openai-models.yaml").write_text(json.dumps([model]), encoding="utf-8")
        (tmp_path / "keys.json").write_text(json.dumps({"rtfs": served.token}), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "llm", "prompt", "-m", "rtfs", *options, "hi"],
            env={**os.environ, "LLM_USER_PATH": str(tmp_path)},
            input="",
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
    assert (done.stdout.strip(), done.returncode) == ("hello from a host", 0), done.stderr


def test_the_description_of_the_server_names_the_addresses(door):
    served = door("")
    paths = httpx.get(f"{served.url}/openapi.json", timeout=40).json()["paths"]
    named = {f"{method} {path}" for path, methods in paths.items() for method in methods}
    assert {"post /v1/chat/completions", "post /v1/embeddings", "get /v1/models", "get /v1/models/{name}"} <= named
    for path in [path for path in paths if path.startswith("/v1/models")]:
        address = f"{served.url}{path.replace('{name}', 'host/chat')}"
        assert httpx.get(address, headers=served.headers, timeout=40).status_code == 200
