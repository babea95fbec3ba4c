"""Whole conversations: what a client said goes out as it came, and the assistant's message comes back."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import BadReply, ChatRequest, FailureKind, ReplyRefused, Usage
from rtfs_framework.lang.types.model import Primitive
from rtfs_framework.testing.fakes import inference_request
from rtfs_framework.testing.openai_server import OpenAIServer, Raw, Say

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
HISTORY = (
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Rain?"}]},
    {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": TOOL}]},
    {"role": "tool", "tool_call_id": "c", "content": "no"},
)


def talk(on_text=None, max_tokens=None, **chat):
    conversation = ChatRequest(**{"messages": HISTORY, **chat})
    request = inference_request("x", returns=Primitive.ANY, max_tokens=max_tokens)
    return attrs.evolve(request, chat=conversation, on_text=on_text)


def test_messages_tools_and_parameters_go_out_as_they_came(make, ask):
    extra = {"top_p": 0.5, "seed": 7, "temperature": 0.2, "response_format": {"type": "json_object"}, "n": 3, "evil": 1}
    with OpenAIServer([Say("No rain.", usage=(9, 2))]) as server:
        reply = ask(make(server), talk(tools=(TOOL,), tool_choice="auto", stop=("END",), extra=extra, max_tokens=50))
    assert (reply.data, reply.structured, reply.text, reply.usage) == ({"content": "No rain."}, True, None, Usage(9, 2))
    assert server.requests[0].body == {
        "model": "m",
        "messages": list(HISTORY),
        "tools": [TOOL],
        "tool_choice": "auto",
        "stop": ["END"],
        "top_p": 0.5,
        "seed": 7,
        "temperature": 0.2,
        "response_format": {"type": "json_object"},
        "max_tokens": 50,
    }


def test_nothing_is_added_that_the_client_did_not_say(make, ask):
    with OpenAIServer() as server:
        ask(make(server), talk(messages=({"role": "user", "content": "hi"},)))
    assert server.requests[0].body == {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def test_tool_calls_come_back_whole(make, ask):
    said = Say(None, finish_reason="tool_calls", tool_calls=(("weather", {"city": "Graz"}), ("time", {})))
    with OpenAIServer([said]) as server:
        reply = ask(make(server), talk(tools=(TOOL,)))
    assert reply.data == {
        "content": None,
        "tool_calls": [
            {"id": "call_0", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Graz"}'}},
            {"id": "call_1", "type": "function", "function": {"name": "time", "arguments": "{}"}},
        ],
    }


def test_tool_calls_come_back_whole_from_a_stream(make, ask):
    said = Say("Look: ", finish_reason="tool_calls", tool_calls=(("weather", {"city": "Graz"}), ("time", {})))
    heard = []
    with OpenAIServer([said, said]) as server:
        streamed, whole = ask(make(server), talk(heard.append, tools=(TOOL,)), talk(tools=(TOOL,)))
    assert streamed.data == whole.data
    assert "".join(heard) == "Look: "
    assert server.requests[0].body["stream"] is True
    assert "stream" not in server.requests[1].body


def test_an_answer_that_is_cut_off_is_one_for_a_client_that_set_the_bound(make, ask):
    with OpenAIServer([Say("It is", finish_reason="length")]) as server:
        reply = ask(make(server), talk(max_tokens=2))
    assert reply.data == {"content": "It is", "finish_reason": "length"}


def test_reasoning_is_no_part_of_the_message(make, ask):
    heard = []
    said = Say("<think>\nhm </think>\n\nNo.", reasoning="secret thoughts")
    with OpenAIServer([said, said]) as server:
        whole, streamed = ask(make(server), talk(), talk(heard.append))
    assert whole.data == streamed.data == {"content": "No."}
    assert heard == ["No."]


def test_a_refusal_is_an_error_of_its_own(make, ask):
    with OpenAIServer([Say(None, refusal="I cannot help with that.")]) as server, pytest.raises(ReplyRefused) as raised:
        ask(make(server), talk())
    assert (raised.value.code, raised.value.failure, raised.value.usage) == ("E0615", FailureKind.HERE, Usage(7, 3))
    assert "I cannot help with that." in str(raised.value)


@pytest.mark.parametrize(
    "message",
    [
        '{"content": null}',
        '{"content": null, "tool_calls": [{"function": {"name": 7}}, 5]}',
        "{}",
        '{"tool_calls": {}}',
    ],
)
def test_a_message_that_says_nothing_is_a_bad_reply(make, ask, message):
    raw = f'{{"choices": [{{"message": {message}}}]}}'.encode()
    with OpenAIServer([Raw(raw)]) as server, pytest.raises(BadReply, match="neither text nor tool calls"):
        ask(make(server), talk())
