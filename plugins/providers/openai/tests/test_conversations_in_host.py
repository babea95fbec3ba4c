"""Conversations through a host to a real server: as they came, piece by piece, and what a refusal becomes."""

from __future__ import annotations

import pytest

from rtfs_framework.api import ProgramError
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.types.jsonable import from_plain, to_json
from rtfs_framework.orchestrator.boundary.conversing import Listener
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.load import load_catalog
from rtfs_framework.testing.openai_server import OpenAIServer, Say, Stream

PROGRAM = '(defn ^{:conversation true} host/chat "Chat." [asked conversation] (throw "no model"))'
TOOL = {"type": "function", "function": {"name": "rain", "parameters": {"type": "object"}}}
ASKED = {"messages": [{"role": "user", "content": "Rain?"}], "tools": [TOOL], "temperature": 0, "seed": 3}
CONFIG = """
[delegation.remote_providers.it]
provider = "openai"
endpoint = "URL"
model = "m"
api_key_env = ""
[delegation.static_routes]
"host/chat" = "remote-it"
"""


@pytest.fixture
def talk(tmp_path):
    """Return what puts a conversation to a server, and answers the message (or the error) and what was sent."""

    def talked(behaviour, body=ASKED, pieces=None):
        with OpenAIServer(then=behaviour) as server:
            path = tmp_path / "delegation.toml"
            path.write_text(CONFIG.replace("URL", server.url), encoding="utf-8")
            environ = {"RTFS_HOME": str(tmp_path / "home")}
            opened = Session.open(config_path=path, environ=environ, catalog=load_catalog({}), journal=False)
            with opened as session, session.load(Source("prog.rtfs", PROGRAM)) as program:
                listener = None if pieces is None else Listener(pieces.append)
                run, kept = program.open_call("host/chat", ("hi", from_plain(body)), listener=listener)
                try:
                    found = to_json(session.portal.call(lambda use: kept.settle(run, use)))
                except ProgramError as error:
                    found = error
            return found, [received.body for received in server.requests]

    return talked


def test_what_a_client_says_arrives_and_nothing_else(talk):
    message, (body,) = talk(Say(None, finish_reason="tool_calls", tool_calls=(("rain", {"city": "Graz"}),)))
    assert message["tool_calls"][0]["function"] == {"name": "rain", "arguments": '{"city": "Graz"}'}
    assert body == {"model": "m", **ASKED}
    _, (body,) = talk(Say("ok"), {"messages": ASKED["messages"]})
    assert body == {"model": "m", "messages": ASKED["messages"]}


def test_the_pieces_are_passed_on_as_they_come(talk):
    pieces = []
    message, (body,) = talk(Say("<think>hm</think>No rain today."), pieces=pieces)
    assert message["content"] == "".join(pieces) == "No rain today."
    assert (len(pieces) > 2, body["stream"]) == (True, True)


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (Say(None, refusal="I cannot help with that."), "the model refused: 'I cannot help with that.'"),
        (Stream(Say("No rain today."), pieces=3, then="break"), "the reply broke off"),
    ],
)
def test_a_failure_is_told_and_asked_once(talk, behaviour, words):
    error, bodies = talk(behaviour, pieces=[])
    assert isinstance(error, ProgramError)
    assert words in str(error)
    assert len(bodies) == 1
