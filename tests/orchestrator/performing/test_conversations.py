"""Functions on conversations: what providers are given, what comes back, and when nothing may follow a failure."""

import json

import pytest

from rtfs_framework.api import (
    BadReply,
    FailureKind,
    InferenceReply,
    LocalModel,
    ProviderUnavailable,
)
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.types.jsonable import from_plain, to_json
from rtfs_framework.orchestrator.boundary.conversing import Listener
from rtfs_framework.orchestrator.performing.budgets.estimate import FREE, bound_of

PROGRAM = '(defn ^{:conversation true} host/chat "Chat." [asked conversation] (throw "no model"))'
ROUTE = '[delegation.static_routes]\n"host/chat" = ["local-a", "local-b"]\n'
ONE = '[delegation.static_routes]\n"host/chat" = "local-a"\n'
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
HI = {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]}
BROKE = ProviderUnavailable("a", "gone", failure=FailureKind.SAFE)


@pytest.fixture
def chat(kit, source):
    def asked(config, body=HI, pieces=None, **providers):
        """Return the message (or the error), the record, and the requests of each model."""
        made = [kit.provider(name, answer, **more) for name, (answer, more) in providers.items()]
        with kit.open(kit.catalog(*made), config) as session, session.load(source(PROGRAM)) as program:
            listener = None if pieces is None else Listener(pieces.append)
            run, kept = program.open_call("host/chat", ("hi", from_plain(body)), listener=listener)
            try:
                found = session.portal.call(lambda use: kept.settle(run, use))
            except ProgramError as error:
                found = error
            calls = kept.sorted_calls
        requests = {name: kit.providers[name].requests for name in providers}
        return found, calls[0] if calls else None, requests

    return asked


def says(text, **more):
    return (lambda _: text), more


def streams(*pieces, then=None, **more):
    def answer(request):
        for piece in pieces:
            if request.on_text is not None:
                request.on_text(piece)
        return InferenceReply(text="".join(pieces)) if then is None else then

    return answer, {"chat": True, **more}


def test_a_provider_of_conversations_is_given_all_of_it(chat):
    body = {
        **HI,
        "tools": [TOOL],
        "tool_choice": "auto",
        "stop": ["END"],
        "max_tokens": 9,
        "temperature": 0.5,
        "seed": 4,
        "response_format": {"type": "text"},
    }
    reply = InferenceReply(data={"content": None, "tool_calls": [CALL]}, structured=True)
    message, _, requests = chat(ONE, body, a=says(reply, chat=True))
    (request,) = requests["a"]
    assert request.chat.messages == tuple(HI["messages"])
    assert (request.chat.tools, request.chat.tool_choice, request.chat.stop) == ((TOOL,), "auto", ("END",))
    assert request.chat.extra == {"temperature": 0.5, "seed": 4, "response_format": {"type": "text"}}
    assert (request.max_tokens, request.temperature, request.schema) == (9, 0.5, None)
    assert [(each.role, each.content) for each in request.messages] == [("system", "Be brief."), ("user", "hi")]
    assert to_json(message) == {"role": "assistant", "content": None, "tool_calls": [CALL]}


def test_members_of_objects_keep_their_order(chat):
    properties = {f"p{n}": {"type": "string"} for n in range(100, 0, -1)}
    tool = {"type": "function", "function": {"name": "look", "parameters": {"properties": properties}}}
    _, _, requests = chat(ONE, {**HI, "tools": [tool]}, a=says("yes", chat=True))
    (sent,) = requests["a"][0].chat.tools
    assert list(sent["function"]["parameters"]["properties"]) == list(properties)


def test_another_provider_is_told_the_conversation_as_messages(chat):
    past = [{"role": "assistant", "content": None, "tool_calls": [CALL]}, {"role": "tool", "content": "42"}]
    body = {"messages": [{"role": "developer", "content": [{"type": "text", "text": "Be brief."}]}, *past]}
    message, _, requests = chat(ONE, body, a=says("hello"))
    (request,) = requests["a"]
    assert request.chat is None
    assert [(each.role, each.content) for each in request.messages] == [
        ("system", "Be brief."),
        ("assistant", "Called look with {}"),
        ("user", "Result of a tool: 42"),
    ]
    assert to_json(message) == {"role": "assistant", "content": "hello"}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"tools": [TOOL]}, "takes no tools"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, "image_url"),
    ],
)
def test_what_messages_cannot_say_goes_to_the_next_target(chat, more, words):
    message, call, requests = chat(ROUTE, {**HI, **more}, a=says("x"), b=says("b says", chat=True))
    assert to_json(message)["content"] == "b says"
    assert requests["a"] == []
    assert call.attempts[0].attempt.kind is FailureKind.HERE
    error, _, _ = chat(ONE, {**HI, **more}, a=says("x"))
    assert words in error.message


def test_a_schema_reaches_providers_without_conversations(chat):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    body = {**HI, "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}}
    message, _, requests = chat(ONE, body, a=says(InferenceReply(data={"n": 1}, structured=True)))
    assert requests["a"][0].schema == schema
    assert to_json(message)["content"] == '{"n":1}'


def test_what_is_no_json_is_told_once_and_then_is_a_failure(chat):
    body = {**HI, "response_format": {"type": "json_object"}}
    said = iter(["no JSON", '{"n": 1}'])
    message, call, requests = chat(ONE, body, a=((lambda _: next(said)), {"chat": True}))
    assert to_json(message)["content"] == '{"n": 1}'
    again = requests["a"][1].chat.messages
    assert [each["role"] for each in again] == ["system", "user", "assistant", "user"]
    assert again[2]["content"] == "no JSON"
    assert "was to be JSON" in again[3]["content"]
    assert [each.attempt.kind for each in call.attempts] == [FailureKind.REPLY]
    error, _, _ = chat(ONE, body, a=says("no JSON", chat=True))
    assert (error.kind, "was to be JSON" in error.message) == ("TypeValidationError", True)


@pytest.mark.parametrize(
    "data", [{"content": None}, {"content": None, "tool_calls": [{"id": "x"}]}, {"content": "x", "tool_calls": [1]}]
)
def test_a_message_that_is_none_is_refused(chat, data):
    error, _, _ = chat(ONE, HI, a=says(InferenceReply(data=data, structured=True), chat=True))
    assert error.kind == "TypeValidationError"


def test_without_an_answer_the_error_is_the_models_and_not_the_bodys(chat):
    error, call, _ = chat(ONE, HI, a=says(BadReply("a", "nonsense")))
    assert "nonsense" in error.message
    assert call.decision.exhausted == "error"


def test_without_a_target_the_body_says_so(chat):
    error, call, _ = chat("", HI)
    assert "no model" in error.message
    assert call is None


@pytest.mark.parametrize(
    "conversation", [5, "x", {}, {"messages": []}, {"messages": [1]}, {"messages": [{}]}, {**HI, "max_tokens": "5"}]
)
def test_what_is_no_conversation_is_an_error_of_the_program(chat, conversation):
    error, _, requests = chat(ONE, conversation, a=says("x"))
    assert (error.kind, "conversation of host/chat" in error.message) == ("TypeValidationError", True)
    assert requests["a"] == []


def test_pieces_are_passed_on_as_they_arrive(chat):
    pieces = []
    message, _, _ = chat(ONE, HI, pieces, a=streams("Hel", "", "lo"))
    assert (to_json(message)["content"], pieces) == ("Hello", ["Hel", "lo"])


def test_a_failure_before_the_first_piece_is_followed_by_the_next_target(chat):
    pieces = []
    message, call, _ = chat(ROUTE, HI, pieces, a=streams(then=BROKE), b=streams("b ", "says"))
    assert (to_json(message)["content"], pieces) == ("b says", ["b ", "says"])
    assert call.attempts[0].attempt.target == LocalModel("a")


@pytest.mark.parametrize("failure", [BROKE, BadReply("a", "nonsense", said="x")])
def test_a_failure_after_a_piece_is_final(chat, failure):
    pieces = []
    error, call, requests = chat(ROUTE, HI, pieces, a=streams("Hel", then=failure), b=streams("never"))
    assert (pieces, requests["b"]) == (["Hel"], [])
    assert len(requests["a"]) == 1, "no repeat, and no repair"
    assert call.attempts[0].attempt.kind is FailureKind.FINAL
    assert error.message == call.error


def test_a_late_piece_of_an_attempt_that_failed_is_not_passed_on(chat):
    pieces, kept = [], []

    def fails(request):
        kept.append(request.on_text)
        return BROKE

    def answers(request):
        kept[0]("late")
        request.on_text("b says")
        return "b says"

    message, _, _ = chat(ROUTE, HI, pieces, a=(fails, {"chat": True}), b=(answers, {"chat": True}))
    assert (to_json(message)["content"], pieces) == ("b says", ["b says"])


def test_what_must_be_sure_enough_is_passed_on_as_a_whole(chat):
    pieces = []
    config = f"{ONE}[delegation.local_models.a]\nmin_confidence = 0.5\n"
    message, _, requests = chat(config, HI, pieces, a=streams("hello"))
    assert (to_json(message)["content"], pieces) == ("hello", [])
    assert requests["a"][0].on_text is None


def test_the_bound_of_a_request_counts_all_of_its_conversation(chat):
    image = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x.example/i.png"}}]}
    bounds = []
    for body in (HI, {**HI, "tools": [TOOL]}, {"messages": [*HI["messages"], image]}):
        _, _, requests = chat(ONE, body, a=says("x", chat=True))
        bounds.append(bound_of(requests["a"][0], FREE, 10).input_tokens)
    plain, with_tool, with_image = bounds
    assert plain > len(str(HI["messages"]))
    assert with_tool >= plain + len(json.dumps(TOOL)) - 2
    assert with_image > plain + 40_000
