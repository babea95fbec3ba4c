"""Requests as jobs: what of a prompt stays the same, how a reply may look, which bounds count."""

from __future__ import annotations

import pytest

from rtfs_framework.api import Message, ProviderError
from rtfs_provider_llama.grammar import GrammarError, gbnf
from rtfs_provider_llama.settings import LlamaSettings
from rtfs_provider_llama.wording import Wording


@pytest.fixture
def job(of_type):
    def made(text, returns=None, own=None, **more):
        wording = Wording("small", own or LlamaSettings())
        request = of_type(text, returns, **more)
        return wording.job(request, wording.form(request.schema))

    return made


def test_all_but_the_values_of_arguments_is_steady(job):
    (_, _, whole), (_, content, steady) = job("one")["messages"]
    assert content[:steady].endswith("Arguments:\n- text (:string): ")
    assert content[steady:] == '"one"'
    assert whole == len(job("one")["messages"][0][1])


def test_a_conversation_is_said_as_it_is(job):
    said = [
        Message("system", "Be kind."),
        Message("user", "Hi"),
        Message("assistant", "Hello"),
        Message("user", "Who?"),
    ]
    assert job("x", messages=tuple(said))["messages"] == [
        ("system", "Be kind.", 8),
        ("user", "Hi", 2),
        ("assistant", "Hello", 5),
        ("user", "Who?", 0),
    ]


@pytest.mark.parametrize(
    ("returns", "choices"),
    [
        ("[:enum :a :b]", ['"a"', '"b"']),
        (":bool", ["true", "false"]),
        (":int", None),
        (None, None),
    ],
)
def test_few_values_are_chosen_among_and_others_are_written(job, returns, choices):
    found = job("x", returns)
    if choices is None:
        assert found["choices"] is None
    else:
        assert sorted(found["choices"]) == sorted(choices)
    assert (found["grammar"] is not None) == (returns == ":int")


def test_the_smaller_bound_of_tokens_counts(job):
    own = LlamaSettings(max_tokens=50)
    assert [job("x", own=own, max_tokens=most)["most"] for most in (None, 20, 80)] == [50, 20, 50]
    assert job("x")["most"] is None


def test_a_temperature_of_the_settings_goes_before_the_request_s(job):
    assert job("x", temperature=0.3)["sampling"]["temperature"] == 0.3
    assert job("x", own=LlamaSettings(temperature=0.7), temperature=0.3)["sampling"]["temperature"] == 0.7


def test_only_plain_text_is_heard_piece_by_piece(job):
    assert job("x", on_text=print)["stream"] is True
    assert job("x", ":int", on_text=print)["stream"] is False
    assert job("x")["stream"] is False


def test_a_type_that_no_json_is_of_is_refused():
    wording = Wording("small", LlamaSettings())
    with pytest.raises(ProviderError, match="cannot be written: nothing fits") as raised:
        wording.form({"type": "integer", "minimum": 2, "maximum": 1})
    assert raised.value.usage.input_tokens == 0


def test_why_a_type_has_no_grammar_is_worked_out_once(monkeypatch):
    asked = []

    def refused(schema):
        asked.append(schema)
        raise GrammarError("too large")

    monkeypatch.setattr("rtfs_provider_llama.wording.closest", refused)
    wording = Wording("small", LlamaSettings())
    for _ in range(2):
        with pytest.raises(ProviderError, match="cannot be written: too large"):
            wording.form({"type": "object"})
    assert len(asked) == 1


def test_a_refinement_that_no_grammar_says_is_left_to_the_host():
    assert Wording("small", LlamaSettings()).form({"type": "string", "pattern": "(?<=x)y"}).grammar == gbnf(
        {"type": "string"}
    )


def test_types_that_differ_in_the_order_of_members_have_grammars_of_their_own():
    wording = Wording("small", LlamaSettings())
    members = {"b": {"const": 1}, "a": {"const": 2}}
    first, second = (
        wording.form({"type": "object", "properties": each, "required": ["a", "b"]}).grammar
        for each in (members, dict(reversed(members.items())))
    )
    assert first != second
