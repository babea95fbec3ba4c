"""What a client's `model` means: `host/chat`, a target, a name of `[serve.models]`, a function of a program."""

from __future__ import annotations

import json

import pytest

from rtfs_framework.api.errors import ConfigError
from rtfs_framework.testing.openai_server import OpenAIServer, Say

httpx = pytest.importorskip("httpx")
pytest.importorskip("uvicorn")

TEXT = '(defn shout "Say it loudly." [said :string] (str (upper-case said) "!"))\n'
TALK = """
(defn count-messages "How many there are." [conversation] (count (get conversation :messages)))
(defn message "A message of its own." [conversation] {:content "mine" :finish_reason "length"})
(defn of-two "Takes something else." [a b] a)
(defn unsayable "Gives a function." [said :string] (fn [] said))
(defn broken "Fails." [said :string] (/ 1 0))
(defn ^{:conversation true} host/chat "Chat." [asked :string conversation] (throw "nobody"))
(defn twice "Asks a model, and says it twice." [asked :string]
  (let [said (host/chat asked {:messages [{"role" "user" "content" asked}]})]
    (str (get said :content) " " (get said :content))))
"""


@pytest.fixture
def ask():
    def asked(served, model, said="hi", tenant="", **more):
        """Return the status and the body of the answer."""
        headers = {"Authorization": f"Bearer {served.tokens[tenant]}"}
        body = {"model": model, "messages": [{"role": "user", "content": said}], **more}
        answer = httpx.post(f"{served.url}/v1/chat/completions", headers=headers, json=body, timeout=30)
        return answer.status_code, answer.json()

    return asked


def content(answer):
    status, body = answer
    assert status == 200, body
    return body["choices"][0]["message"]["content"]


@pytest.fixture
def programs(tmp_path):
    (tmp_path / "text.rtfs").write_text(TEXT, encoding="utf-8")
    (tmp_path / "talk.rtfs").write_text(TALK, encoding="utf-8")
    return tmp_path


def table(name, **keys):
    return f'[serve.models."{name}"]\n' + "".join(f"{key} = {json.dumps(str(each))}\n" for key, each in keys.items())


def of_program(folder, *functions):
    return "\n".join(table(each, program=folder / "talk.rtfs", function=each) for each in functions)


def test_a_program_answers_with_a_text_a_message_or_data(door, programs, ask):
    config = of_program(programs, "count-messages", "message")
    served = door(config + table("shout", program=programs / "text.rtfs", function="shout"))
    assert content(ask(served, "shout", "hello")) == "HELLO!"
    assert content(ask(served, "count-messages")) == "1"
    status, body = ask(served, "message")
    assert (status, body["choices"][0]["finish_reason"]) == (200, "length")
    assert body["choices"][0]["message"] == {"refusal": None, "content": "mine", "role": "assistant"}
    listed = httpx.get(f"{served.url}/v1/models", headers=served.headers).json()["data"]
    assert [each["id"] for each in listed] == ["count-messages", "host/chat", "message", "shout"]


@pytest.mark.parametrize(
    ("function", "status", "words"),
    [
        ("of-two", 503, "cannot answer chats"),
        ("nowhere", 503, "cannot answer chats"),
        ("unsayable", 422, "cannot be passed on"),
        ("broken", 422, "ivi"),
    ],
)
def test_a_function_that_cannot_answer_says_so(door, programs, ask, function, status, words):
    found, body = ask(door(of_program(programs, function)), function)
    assert (found, words in body["error"]["message"]) == (status, True), body
    assert body["error"]["code"]


def test_a_program_that_cannot_be_compiled_is_told_with_its_place(door, programs, ask):
    served = door(of_program(programs, "message"))
    (programs / "talk.rtfs").write_text("(defn message [x]", encoding="utf-8")
    status, body = ask(served, "message")
    assert (status, "talk.rtfs:1" in body["error"]["message"]) == (422, True), body
    (programs / "talk.rtfs").unlink()
    status, body = ask(served, "message")
    assert (status, "cannot be read" in body["error"]["message"]) == (503, True)


@pytest.mark.needs("rtfs-provider-openai")
def test_a_program_may_talk_with_models_itself(door, programs, ask):
    config = '[delegation.static_routes]\n"host/chat" = "remote-one"\n' + of_program(programs, "twice")
    with OpenAIServer(then=Say("yes")) as one:
        served = door(config, one=one)
        assert content(ask(served, "twice")) == "yes yes"
        answer = ask(served, "twice")[1]
    assert (answer["usage"]["total_tokens"], answer["rtfs"]["calls"]) == (10, 1)


@pytest.mark.needs("rtfs-provider-openai")
def test_names_may_have_routes_of_their_own_and_one_stands_for_all_others(door, ask):
    routes = '[delegation.static_routes]\n"host/chat" = "remote-one"\n"host/cheap" = ["remote-two"]\n'
    tables = table("gpt-4o-mini", function="host/cheap") + table("two", target="remote-two")
    with OpenAIServer(then=Say("one")) as one, OpenAIServer(then=Say("two")) as two:
        served = door(routes + tables, one=one, two=two)
        assert content(ask(served, "gpt-4o-mini")) == content(ask(served, "two")) == "two"
        assert content(ask(served, "host/chat")) == "one"
        for unknown in ("gpt-4o", "remote-one"):  # what the table does not name is not for clients to choose
            status, body = ask(served, unknown)
            assert (status, body["error"]["code"]) == (404, "E0971")
        other = door(routes + tables + table("*", function="host/chat"), one=one, two=two)
        assert content(ask(other, "gpt-4o")) == "one"


@pytest.mark.needs("rtfs-provider-openai", "rtfs-cache-l2")
def test_each_tenant_has_its_own_routes_and_its_own_memory(door, ask):
    config = (
        '[delegation.static_routes]\n"host/chat" = "remote-one"\n'
        '[tenants.acme.static_routes]\n"host/chat" = "remote-two"\n[tenants.other]\n'
    )
    with OpenAIServer(then=Say("one")) as one, OpenAIServer(then=Say("two")) as two:
        served = door(config, tenants=("acme", "other", ""), more='reuse = "always"', one=one, two=two)
        assert content(ask(served, "host/chat", tenant="acme")) == "two"
        assert content(ask(served, "host/chat", tenant="other")) == "one"
        assert content(ask(served, "host/chat")) == "one"
        assert content(ask(served, "host/chat", tenant="other")) == "one"
    assert (len(one.requests), len(two.requests)) == (2, 1)


@pytest.mark.parametrize(
    ("keys", "place", "words"),
    [
        ({}, "models", "says nothing"),
        ({"function": "chat"}, "function", "no function in host/"),
        ({"function": "host/"}, "function", "no function in host/"),
        ({"program": "talk.rtfs"}, "program", "which function"),
        ({"target": "remote-nobody"}, "target", "no remote provider 'nobody'"),
        ({"target": "local-echo", "function": "host/chat"}, "target", "something else"),
        ({"program": "nowhere.rtfs", "function": "f"}, "program", "nowhere.rtfs"),
        ({"colour": "red"}, "colour", "colour"),
    ],
)
def test_a_faulty_table_is_refused_with_its_place(door, programs, keys, place, words):
    with pytest.raises(ConfigError) as caught:
        door(table("m", **keys))
    found = [each for each in caught.value.diagnostics if words in each.message]
    assert [each.span is not None for each in found] == [True]
    assert place in str(caught.value)
