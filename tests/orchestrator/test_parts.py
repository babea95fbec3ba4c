"""The small parts: names and patterns, target texts, prompts, replies, purity, prices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.api import InferenceReply, LocalModel, LocalPure, ProgramError, RemoteModel
from rtfs_framework.api.provider import Usage
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.signature import FunctionSignature, Parameter
from rtfs_framework.lang.types.model import EnumType, Primitive, VectorType
from rtfs_framework.lang.types.names import no_names
from rtfs_framework.lang.values import ErrorValue, Keyword, Symbol
from rtfs_framework.lang.vectors import GrownVector, List
from rtfs_framework.orchestrator.boundary.purity import is_plain
from rtfs_framework.orchestrator.config.globs import Patterns
from rtfs_framework.orchestrator.config.model import ProviderSpec
from rtfs_framework.orchestrator.config.routes import Unknown, parse_target
from rtfs_framework.orchestrator.performing.cost import cost_of
from rtfs_framework.orchestrator.performing.prompt import build_request, signature_text
from rtfs_framework.orchestrator.performing.reply import to_value
from rtfs_framework.orchestrator.remembering.packed import pack, unpack


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ai-x", "ai-*"),
        ("ai-draft-y", "ai-draft-*"),
        ("empty?", "empty?"),
        ("emptyx", "*"),
        ("a*b", "*"),
        ("ai-", "ai-*"),
    ],
)
def test_the_exact_name_goes_first_then_the_most_specific_pattern(name, expected):
    assert Patterns(["*", "ai-*", "empty?", "ai-draft-*"]).match(name) == expected


def test_no_pattern_fits_nothing():
    assert Patterns([]).match("x") is None
    assert Patterns(["a*"]).match("b") is None


@given(name=st.text(max_size=20))
def test_a_name_always_fits_itself(name):
    assert Patterns(["*", name]).match(name) == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("local-pure", LocalPure()),
        ("local-phi-mini", LocalModel("phi-mini")),
        ("remote-openai", RemoteModel("openai")),
        ("remote-phi-mini", None),
        ("local-openai", None),
        ("local-", None),
        ("local", None),
        ("", None),
        ("Local-pure", None),
        ("capability-x", None),
    ],
)
def test_target_texts_decode_to_what_they_say_or_to_nothing(text, expected):
    found = parse_target(text, ["phi-mini"], ["openai"])
    if expected is None:
        assert isinstance(found, Unknown)
        assert found.help
    else:
        assert found == expected


F = FunctionSignature(
    "shop/rate",
    "Rate it.",
    (
        Parameter("text", Primitive.STRING),
        Parameter("tags", VectorType(Primitive.KEYWORD)),
        Parameter("more", rest=True),
    ),
    EnumType((Keyword("good"), Keyword("bad"))),
    body_digest="b",
)


def test_the_prompt_says_all_that_is_known_and_is_the_same_every_time():
    args = ('so "fine"', (Keyword("a"),), Map.of([(Keyword("z"), 1), (Keyword("b"), 2.5)]), Symbol("s"))
    first, second = (build_request(F, args, no_names, timeout=5.0) for _ in range(2))
    assert first == second
    assert first.timeout == 5.0
    assert first.messages[1].content == (
        "Function: shop/rate\nDocumentation: Rate it.\nReturns: [:enum :good :bad]\nArguments:\n"
        '- text (:string): "so \\"fine\\""\n- tags ([:vector :keyword]): ["a"]\n- more[0]: {"b": 2.5, "z": 1}\n'
        '- more[1]: "s"'
    )
    assert '"enum": ["good", "bad"]' in first.messages[0].content


def test_what_json_cannot_hold_is_printed_as_rtfs():
    content = build_request(FunctionSignature("f"), (float("nan"), len), no_names, timeout=1).messages[1].content
    assert "argument 1: ##NaN" in content
    assert "argument 2: #<function>" in content
    request = build_request(FunctionSignature("f"), (), no_names, timeout=1)
    assert request.schema is None
    assert "(none)" in request.messages[1].content


def test_the_signature_text_tells_named_types_apart():
    import attrs

    named = attrs.evolve(F, returns=None)
    assert signature_text(F, no_names) != signature_text(named, no_names)
    assert signature_text(F, no_names) == signature_text(attrs.evolve(F), no_names)


@pytest.mark.parametrize(
    ("returns", "reply", "expected"),
    [
        (F.returns, InferenceReply(text="good"), Keyword("good")),
        (F.returns, InferenceReply(text='"bad"'), Keyword("bad")),
        (F.returns, InferenceReply(data="good", structured=True), Keyword("good")),
        (None, InferenceReply(text=" as it is "), " as it is "),
        (None, InferenceReply(data={"a": [1]}, structured=True), Map.of([("a", (1,))])),
        (Primitive.INT, InferenceReply(text="42"), 42),
        (Primitive.NIL, InferenceReply(data=None, structured=True), None),
        (VectorType(Primitive.INT), InferenceReply(text="[1, 2]"), (1, 2)),
    ],
)
def test_replies_become_values_of_the_declared_type(returns, reply, expected):
    assert to_value(reply, FunctionSignature("f", returns=returns), no_names, "'m'") == expected


@pytest.mark.parametrize(
    ("returns", "reply"),
    [
        (Primitive.INT, InferenceReply(text="many")),
        (Primitive.INT, InferenceReply(data="1", structured=True)),
        (None, InferenceReply(data=object(), structured=True)),
        (None, InferenceReply()),
    ],
)
def test_other_replies_are_errors_that_name_function_and_source(returns, reply):
    with pytest.raises(ProgramError, match="Type validation error: the answer of 'm' to f: ") as caught:
        to_value(reply, FunctionSignature("f", returns=returns), no_names, "'m'")
    assert caught.value.kind == "TypeValidationError"


@given(
    text=st.none() | st.text(st.characters(exclude_categories=["Cs"])),
    data=st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab"), st.lists),
)
def test_packed_replies_come_back(text, data):
    reply = InferenceReply(text=text, data=data, structured=text is None, model="m", explanation="e")
    assert unpack(pack(reply)) == reply


def test_what_json_cannot_hold_is_not_packed():
    assert pack(InferenceReply(data=object(), structured=True)) is None
    assert pack(InferenceReply(data=float("nan"), structured=True)) is None


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (1, True),
        ((1, "a", Keyword("k"), List((Symbol("s"),))), True),
        (Map.of([(Keyword("a"), Set.of([1]))]), True),
        (GrownVector([1, 2], 2), True),
        (len, False),
        ((1, (2, len)), False),
        (Map.of([(len, 1)]), False),
        (ErrorValue("Generic", "m"), False),
        (object(), False),
    ],
)
def test_only_data_is_plain(value, plain):
    assert is_plain(value) is plain


def test_plainness_does_not_exhaust_the_stack():
    value = ()
    for _ in range(100_000):
        value = (value,)
    assert is_plain(value)


def test_plainness_looks_at_shared_parts_once():
    value = (1,)
    for _ in range(200):
        value = (value, value)
    assert is_plain(value)


def test_costs_are_per_million_tokens():
    spec = ProviderSpec(id="m", plugin="p", target=LocalModel("m"), input_cost=3.0, output_cost=15.0)
    assert cost_of(Usage(2_000_000, 100_000), spec) == pytest.approx(7.5)
    assert cost_of(Usage(10, 10), ProviderSpec(id="m", plugin="p", target=LocalModel("m"))) == 0.0
