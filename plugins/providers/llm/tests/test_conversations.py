"""Conversations as a model of llm takes them, and models that run on this machine."""

from __future__ import annotations

import llm
import pytest

from rtfs_framework.api import ChatRequest, ConfigError, Locality, Message, ProviderError, ProviderSettings
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.load import load_catalog
from rtfs_framework.testing.fakes import inference_request
from rtfs_provider_llm.plugin import LocalSettings, rtfs_providers

SAID = (
    Message("system", "be brief"),
    Message("user", "one"),
    Message("assistant", "two"),
    Message("user", "three"),
)
PLAIN = tuple({"role": each.role, "content": each.content} for each in SAID)
SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}}


def chat(**more):
    return inference_request("x", messages=SAID, chat=ChatRequest(messages=PLAIN, **more))


def test_a_model_that_takes_turns_is_given_them(make, ask, models):
    models.says[:] = ["four"]
    reply = ask(make("made-sync"), chat())
    (prompt, _) = models.asked[-1]
    assert (reply.text, reply.structured) == ("four", False)
    assert prompt.system == "be brief"
    turns = [(each.role, each.parts[0].text) for each in prompt.messages if each.role != "system"]
    assert turns == [("user", "one"), ("assistant", "two"), ("user", "three")]


def test_one_that_takes_none_is_given_a_prompt(make, ask, models, monkeypatch):
    monkeypatch.setattr(models, "supports_conversation", False)
    models.says[:] = ["four"]
    assert ask(make("made-sync"), chat()).text == "four"
    prompt = models.asked[-1][0].prompt
    assert prompt == "one\n\nYou answered:\ntwo\n\nThen you were told:\nthree"


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"tools": ({"type": "function", "function": {"name": "f"}},)}, "takes no tools"),
        ({"messages": ({"role": "user", "content": [{"type": "image_url"}]},)}, "image_url"),
    ],
)
def test_what_text_cannot_say_is_refused_before_anything_is_asked(make, ask, models, more, word):
    asked = len(models.asked)
    request = inference_request("x", messages=SAID, chat=ChatRequest(**{"messages": PLAIN, **more}))
    with pytest.raises(ProviderError, match=word) as raised:
        ask(make("made-sync"), request)
    assert (len(models.asked), raised.value.usage.input_tokens) == (asked, 0)


@pytest.mark.parametrize("by_schema", [True, False])
def test_a_wanted_form_is_asked_for_as_the_model_can(make, ask, models, by_schema, monkeypatch):
    monkeypatch.setattr(models, "supports_schema", by_schema)
    models.says[:] = ['{"x": 1}']
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}
    assert ask(make("made-sync"), chat(extra={"response_format": form})).text == '{"x": 1}'
    prompt = models.asked[-1][0]
    assert (prompt.schema == SCHEMA, "JSON Schema" in prompt.system) == (by_schema, not by_schema)


def local(**own):
    entry = rtfs_providers()[0]
    return entry, entry.factory(ProviderSettings(id="here", own=LocalSettings(**own), environ={}))


def test_a_model_of_this_machine_is_local_because_somebody_says_so(ask, models):
    models.says[:] = ["yes"]
    entry, provider = local(model="made-sync", local=True)
    assert (entry.name, entry.locality) == ("llm-local", Locality.LOCAL)
    assert ask(provider, inference_request("x")).text == "yes"


def test_a_model_with_a_key_does_not_run_here(ask):
    _, provider = local(model="echo-needs-key", local=True)
    with pytest.raises(ProviderError, match="needs a key, so it does not run on this machine"):
        ask(provider, inference_request("x"))


@pytest.mark.parametrize(
    ("own", "code", "word"),
    [
        ("", "E0704", "the key 'local' is missing"),
        ("local = false", "E0705", "'local' must be true"),
        ('local = true\napi_key_env = "MINE"', "E0705", "'api_key_env' is of models that run elsewhere"),
    ],
)
def test_who_does_not_say_so_is_refused(tmp_path, own, code, word):
    path = tmp_path / "delegation.toml"
    path.write_text(f'[delegation.local_models.it]\nprovider = "llm-local"\nmodel = "echo"\n{own}\n', encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        Session.open(config_path=path, environ={"RTFS_HOME": str(tmp_path)}, catalog=load_catalog({}), journal=False)
    (found,) = raised.value.diagnostics
    assert (found.code, word in found.message) == (code, True)


def test_a_program_s_call_stays_on_this_machine(tmp_path, models):
    models.says[:] = ["here"]
    path = tmp_path / "delegation.toml"
    path.write_text(
        '[security]\nreach = "local"\n[delegation.local_models.it]\nprovider = "llm-local"\nmodel = "made-sync"\n'
        "local = true\n",
        encoding="utf-8",
    )
    environ = {"RTFS_HOME": str(tmp_path)}
    with Session.open(config_path=path, environ=environ, catalog=load_catalog({}), journal=False) as session:
        result = session.run(Source("p", '(defn say ^:delegation :local-model "it" [x] "own") (say "a")'))
    assert (result.value, result.calls[0].target) == ("here", "local-model it")


def test_llm_has_what_this_rests_on():
    assert {"messages", "system", "schema"} <= set(llm.Model.prompt.__kwdefaults__)
