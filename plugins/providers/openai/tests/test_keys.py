"""Keys: as they may be sent, and struck out of everything, however a server spells them."""

from __future__ import annotations

import base64
import json
import logging
from urllib.parse import quote

import pytest

from rtfs_framework.api import ProviderAuthError, ProviderError
from rtfs_framework.testing.fakes import inference_request
from rtfs_framework.testing.openai_server import Fail, OpenAIServer, Raw

SECRET = "sk-secret/4711+\\x\"='"


@pytest.mark.parametrize("around", ["\r", "\n", "\r\n", " ", "\t", "\x0b", "\u2028"])
@pytest.mark.parametrize("before", [False, True])
def test_white_space_around_a_key_is_taken_off(make, ask, around, before):
    value = around + "sk-4711" if before else "sk-4711" + around
    with OpenAIServer(key="sk-4711") as server:
        assert ask(make(server, environ={"OPENAI_API_KEY": value}), inference_request("x")).text == "ok"


@pytest.mark.parametrize("key", ["sk-\r\nX-Evil: 1", "sk-hé", "sk-\0", "sk-\x1b[2J", "\ufeffsk-1", "sk-\udc80"])
@pytest.mark.parametrize("variable", [None, "ACME_KEY"])
def test_a_key_that_cannot_stand_in_a_header_is_refused_before_anything_is_sent(make, ask, key, variable):
    with OpenAIServer() as server:
        environ = {variable or "OPENAI_API_KEY": key}
        provider = make(server, environ=environ, api_key_env=variable)
        with pytest.raises(ProviderAuthError, match=variable or "OPENAI_API_KEY") as raised:
            ask(provider, inference_request("x"))
    assert server.requests == []
    assert raised.value.code == "E0604"
    assert key not in str(raised.value)
    assert repr(key)[1:-1] not in str(raised.value)


def test_a_key_of_white_space_is_none(make, ask):
    with pytest.raises(ProviderAuthError, match="OPENAI_API_KEY is not set"):
        ask(make(environ={"OPENAI_API_KEY": " \r\n"}), inference_request("x"))


SPELLINGS = {
    "itself": SECRET,
    "repr": repr(SECRET),
    "repr of bytes": repr(SECRET.encode()),
    "json": json.dumps(SECRET),
    "json twice": json.dumps(json.dumps(SECRET)),
    "json with slashes": json.dumps(SECRET).replace("/", "\\/"),
    "unicode escapes": "".join(f"\\u{ord(char):04x}" for char in SECRET),
    "hex escapes": "".join(f"\\x{ord(char):02X}" for char in SECRET),
    "percent": quote(SECRET, safe=""),
    "percent, all": "".join(f"%{ord(char):02x}" for char in SECRET),
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 of user and key": base64.b64encode(f"user:{SECRET}".encode()).decode(),
    "base64 of bearer": base64.b64encode(f"Bearer {SECRET}!".encode()).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(f"u:{SECRET}".encode()).decode(),
    "hexadecimal": SECRET.encode().hex(),
    "HEXADECIMAL": SECRET.encode().hex().upper(),
    "html": "".join(f"&#{ord(char)};" for char in SECRET),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_no_spelling_of_the_key_gets_out(make, ask, caplog, spelling, status):
    caplog.set_level(logging.DEBUG)
    echoed = SPELLINGS[spelling]
    body = json.dumps({"error": {"message": f"bad key: {echoed} <- that", "param": echoed}}).encode()
    with OpenAIServer(then=Raw(body, status=status)) as server, pytest.raises(ProviderError) as raised:
        ask(make(server, environ={"OPENAI_API_KEY": f"{SECRET}\r\n"}), inference_request("x"))
    error = raised.value
    assert "bad key:" in str(error)
    assert "<- that" in str(error)
    for text in (str(error), caplog.text):
        assert echoed not in text
        assert SECRET not in text
    assert "[secret]" in str(error)


@pytest.mark.parametrize("place", ["choices", "finish", "text"])
def test_a_key_in_what_the_model_says_is_struck_out_of_the_error(make, ask, place):
    bodies = {
        "choices": [SECRET],
        "finish": {"choices": [{"message": {"refusal": f"no: {SECRET}"}}]},
        "text": f"not json {SECRET}",
    }
    body = bodies[place] if place == "text" else json.dumps(bodies[place])
    with OpenAIServer(then=Raw(body.encode())) as server, pytest.raises(ProviderError) as raised:
        ask(make(server, environ={"OPENAI_API_KEY": SECRET}), inference_request("x"))
    assert SECRET not in str(raised.value)
    assert json.dumps(SECRET)[1:-1] not in str(raised.value)


def test_a_very_short_key_is_struck_out_as_it_is(make, ask):
    with (
        OpenAIServer(then=Fail(400, "key k9 is bad")) as server,
        pytest.raises(ProviderError, match=r"key \[secret\] is bad"),
    ):
        ask(make(server, environ={"OPENAI_API_KEY": "k9"}), inference_request("x"))
