"""What models say to capabilities piece by piece: within rules, budgets, guards and labels like any other request."""

from __future__ import annotations

from threading import Event

import pytest

from rtfs_framework.api import CapabilityEntry, Described, InferenceReply, ProgramError, Usage

CONFIG = """
[security]
grant = ["tell", "get"]
[delegation.remote_providers.judge]
provider = "judge"
input_cost = 10.0
output_cost = 20.0
"""
LABELS = """
[labels.capabilities]
get = ["pii"]
[labels.accepts]
"capability tell" = ["pii"]
"""
PATIENCE = Event()


def tell(request):
    """Return all pieces that a model says of the words, which may have a mark of their own."""
    words = request.args[0]
    speech = request.speak("judge", words, frozenset(request.args[1:]))
    found = []
    while not speech.ended:
        found += speech.pieces()
        PATIENCE.wait(0.001)
    while more := speech.pieces():
        found += more
    return Described(tuple(found), marks=speech.marks) if speech.marks else tuple(found)


@pytest.fixture
def opened(kit):
    """Return a function that opens a session with a capability that asks a model."""

    def open_session(answer, config=CONFIG, **more):
        entries = [
            CapabilityEntry(id="tell", summary="Asks.", handler=tell, blocking=True, **{"speaks": True, **more}),
            CapabilityEntry(id="get", summary="Reads.", handler=lambda _: "a@b.c"),
        ]
        return kit.open(kit.catalog(kit.provider("judge", answer, remote=True), capabilities=entries), config)

    return open_session


def in_pieces(*pieces, rest=""):
    def answer(request):
        for each in pieces:
            request.on_text(each)
        return InferenceReply(text="".join(pieces) + rest, model="big", usage=Usage(100, 10))

    return answer


def test_pieces_come_as_they_are_told_and_the_rest_at_the_end(opened, source):
    with opened(in_pieces("Once ", "upon", rest=" a time")) as session:
        result = session.run(source('(call :tell "Hi")'))
    assert result.value == ("Once ", "upon", " a time")
    (asked,) = [each for each in result.calls if each.kind == "consultation"]
    assert (asked.target, asked.cost) == ("remote judge", pytest.approx(100 * 10e-6 + 10 * 20e-6))


def test_a_model_that_must_be_sure_is_heard_as_a_whole(opened, source):
    def answer(request):
        assert request.on_text is None
        return InferenceReply(text="whole", model="big", confidence=0.9)

    config = CONFIG.replace('provider = "judge"', 'provider = "judge"\nmin_confidence = 0.5')
    with opened(answer, config) as session:
        assert session.run(source('(call :tell "Hi")')).value == ("whole",)


def test_a_capability_that_does_not_say_that_it_speaks_cannot(opened, source):
    with opened(in_pieces("x"), speaks=False) as session, pytest.raises(ProgramError):
        session.run(source('(call :tell "Hi")'))


@pytest.mark.parametrize(
    ("accepts", "call", "asked"),
    [
        ("", '(call :tell "Hi")', 1),
        ("", '(call :tell (call :get "k"))', 0),
        ("", '(call :tell "Hi" "pii")', 0),
        ('remote-judge = ["pii"]\n', '(call :tell (call :get "k"))', 1),
        ('remote-judge = ["pii"]\n', '(call :tell "Hi" "pii")', 1),
        ('remote-judge = ["pii"]\n', '(call :tell "Hi" "secret")', 0),
    ],
)
def test_marks_of_the_words_hold_wherever_they_come_from(kit, opened, source, accepts, call, asked):
    with opened(in_pieces("said"), f"{CONFIG}{LABELS}{accepts}") as session:
        result = session.run(source(f"(try {call} (catch _ e :refused))"))
    assert (result.value == ("said",), len(kit.providers["judge"].requests)) == (bool(asked), asked)
