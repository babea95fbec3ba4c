"""Models of installed plug-ins, llm-echo's and some made for the tests: what goes to them, and how replies are read."""

from __future__ import annotations

import json
import threading
import time

import attrs
import pytest

from rtfs_framework.api import (
    BadReply,
    FailureKind,
    Message,
    ProviderAuthError,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    Usage,
)
from rtfs_framework.lang.types.model import EnumType, MapEntry, MapType, Primitive
from rtfs_framework.lang.values import Keyword
from rtfs_framework.testing.fakes import inference_request

MOOD = EnumType((Keyword("positive"), Keyword("negative")))
PERSON = MapType((MapEntry(Keyword("name"), Primitive.STRING),))
KEY = "key-do-not-show-me"


class VendorError(Exception):
    def __init__(self, words, **more):
        super().__init__(words)
        for name, value in more.items():
            setattr(self, name, value)


class Response:
    def __init__(self, status_code, **headers):
        self.status_code, self.headers = status_code, headers


def test_an_installed_model_answers(make, ask):
    reply = ask(make(), inference_request("you", messages=(Message("system", "Be brief."), Message("user", "hi you"))))
    said = json.loads(reply.text)
    assert (said["prompt"], said["system"], said["stream"]) == ("hi you", "Be brief.", False)
    assert reply.model == "echo"


def test_what_follows_a_first_answer_stands_in_the_prompt(make, ask):
    messages = (Message("system", "S"), Message("user", "Q"), Message("assistant", "A"), Message("user", "wrong"))
    said = json.loads(ask(make(), inference_request("x", messages=messages)).text)
    assert said["prompt"] == "Q\n\nYou answered:\nA\n\nThen you were told:\nwrong"


def test_pieces_are_passed_on_while_more_is_to_come(make, ask, models):
    heard, go_on = [], threading.Event()
    models.says[:] = [["one ", "two ", go_on, "three"]]

    def listen(piece):
        heard.append(piece)
        if len(heard) == 2:
            go_on.set()

    reply = ask(make("made-sync"), attrs.evolve(inference_request("x"), on_text=listen))
    assert (heard, reply.text, models.asked[0][1]) == (["one ", "two ", "three"], "one two three", True)
    assert reply.usage == Usage(5, 2, 1)


def test_an_asynchronous_model_streams_too_and_reasoning_is_left_out(make, ask):
    heard = []
    request = attrs.evolve(inference_request("x"), on_text=heard.append)
    reply = ask(make("made-thinks"), request)
    assert (heard, reply.text, reply.usage) == (["do", "ne"], "done", Usage(3, 1))
    assert (
        json.loads(ask(make("echo", options={"example_bool": True}), request).text)["options"]["example_bool"] is True
    )


@pytest.mark.parametrize(
    ("returns", "said", "data"),
    [
        (MOOD, '{"value": "positive"}', "positive"),
        (MOOD, '```json\n{"value": "negative"}\n```', "negative"),
        (PERSON, '{"name": "Ada"}', {"name": "Ada"}),
        (Primitive.ANY, '{"value": null}', None),
    ],
)
def test_a_typed_reply_is_asked_for_by_its_schema_where_the_model_takes_one(make, ask, models, returns, said, data):
    heard = []
    models.says[:] = [said]
    reply = ask(make("made-sync"), attrs.evolve(inference_request("x", returns=returns), on_text=heard.append))
    assert (reply.data, reply.structured, reply.text, heard) == (data, True, None, [])
    prompt, stream = models.asked[0]
    assert (prompt.schema["type"], stream) == ("object", False)
    assert ('{"value": RESULT}' in (prompt.system or "")) is (returns is not PERSON)


def test_without_schemas_the_host_reads_the_text(make, ask, models):
    models.says[:] = ["positive"]
    reply = ask(make("made-sync", structured="none"), inference_request("x", returns=MOOD))
    assert (reply.text, reply.structured, models.asked[0][0].schema) == ("positive", False, None)
    assert ask(make(), inference_request("x", returns=MOOD)).structured is False, "echo takes no schema"


@pytest.mark.parametrize("said", ["positive", "[1]", '{"other": 1}', '{"value": NaN}'])
def test_an_answer_that_is_not_the_agreed_json_is_a_bad_reply(make, ask, models, said):
    models.says[:] = [said]
    with pytest.raises(BadReply) as raised:
        ask(make("made-sync"), inference_request("x", returns=MOOD))
    assert (raised.value.said, raised.value.usage) == (said, Usage(5, 2, 1))


def test_nothing_at_all_is_a_bad_reply(make, ask, models):
    models.says[:] = [" "]
    with pytest.raises(BadReply, match="no text"):
        ask(make("made-sync"), inference_request("x"))


def test_options_and_bounds_go_to_models_that_have_them(make, ask, models):
    models.says[:] = ["a", "b", "c"]
    ask(make("made-sync"), inference_request("x", max_tokens=9, temperature=0.5))
    ask(make("made", temperature=1, max_tokens=5), inference_request("x", max_tokens=9))
    ask(make("made", temperature="default", options={"max_output_tokens": 3}), inference_request("x", max_tokens=9))
    given = [(prompt.options.temperature, prompt.options.max_output_tokens) for prompt, _ in models.asked]
    assert given == [(0.5, 9), (1.0, 5), (None, 3)]


def test_options_that_a_model_does_not_take_are_told_with_those_that_it_does(make, ask):
    with pytest.raises(ProviderError, match=r"made-sync does not take these options .* max_output_tokens, temperature"):
        ask(make("made-sync", options={"evil": 1}), inference_request("x"))


def test_a_missing_model_says_which_there_are(make, ask):
    with pytest.raises(ProviderError, match=r"offers the model 'ecko'. did you mean 'echo'\? There are: .*") as raised:
        ask(make("ecko"), inference_request("x"))
    assert (raised.value.failure, raised.value.usage) == (FailureKind.HERE, Usage(0, 0))
    with pytest.raises(ProviderError, match="did you mean"):
        make("ecko").prepare()


def test_a_key_comes_from_the_environment_alone(make, ask, tmp_path, monkeypatch):
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path))
    monkeypatch.setenv("LLM_ECHO_NEEDS_KEY_KEY", "of-the-process")
    (tmp_path / "keys.json").write_text('{"echo-needs-key": "stored"}', encoding="utf-8")
    with pytest.raises(ProviderAuthError, match='api_key_env = "LLM_ECHO_NEEDS_KEY_KEY"') as raised:
        ask(make("echo-needs-key"), inference_request("x"))
    assert raised.value.usage == Usage(0, 0)
    with pytest.raises(ProviderAuthError, match="MINE is not set"):
        ask(make("echo-needs-key", api_key_env="MINE"), inference_request("x"))
    reply = ask(make("echo-needs-key", api_key_env="MINE", environ={"MINE": f"{KEY}\n"}), inference_request("x"))
    assert json.loads(reply.text)["key"] == KEY
    assert not list(tmp_path.glob("*.db")), "nothing is written to llm's log"


@pytest.mark.parametrize(
    ("error", "kind", "failure"),
    [
        (VendorError("slow", status_code=429, response=Response(429, **{"retry-after": "7"})), RateLimited, "SAFE"),
        (VendorError("no", response=Response(401)), ProviderAuthError, "HERE"),
        (VendorError("oops", status_code=500), ProviderUnavailable, "UNCERTAIN"),
        (VendorError("later", status_code=503), ProviderUnavailable, "SAFE"),
        (VendorError("what", status_code=400), ProviderError, "HERE"),
        (ConnectionResetError("gone"), ProviderUnavailable, "UNCERTAIN"),
        (TimeoutError("late"), ProviderTimeout, "UNCERTAIN"),
        (ValueError(f"bug {KEY}"), ProviderError, "HERE"),
        (RuntimeError(""), ProviderError, "HERE"),
    ],
)
def test_whatever_a_plug_in_raises_is_a_provider_error(make, ask, models, error, kind, failure):
    models.says[:] = [error, ["a piece", error]]
    provider = make("made-sync", api_key_env="MINE", environ={"MINE": KEY})
    with pytest.raises(ProviderError) as raised:
        ask(provider, inference_request("x"))
    assert (type(raised.value), raised.value.failure) == (kind, FailureKind[failure])
    assert raised.value.__cause__ is error
    assert KEY not in str(raised.value)
    with pytest.raises(ProviderError) as late:
        ask(provider, inference_request("x"))
    assert late.value.failure is FailureKind.UNCERTAIN, "the model had spoken"
    if kind is RateLimited:
        assert raised.value.retry_after == 7


def test_a_model_that_does_not_end_is_left_behind_and_stops_at_its_next_piece(make, ask, models):
    stuck, heard = threading.Event(), []
    models.says[:] = [["one", stuck, "two", "three"]]
    started = time.monotonic()
    with pytest.raises(ProviderTimeout, match=r"within 0.3 s"):
        ask(make("made-sync"), attrs.evolve(inference_request("x", timeout=0.3), on_text=heard.append))
    stuck.set()
    assert time.monotonic() - started < 25
    assert heard == ["one"]
