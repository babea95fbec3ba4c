"""A free provider that never waits is asked where the program computes, and is like any other in all else."""

from __future__ import annotations

import threading

import anyio
import anyio.lowlevel
import pytest

from rtfs_framework.api import BadReply, InferenceReply, ProviderError, Usage
from rtfs_framework.lang.errors import ProgramError

PROGRAM = """
(defn ^:delegation :local-model "m" f "Say." [text : string] : string "own")
(defn main [text] (f text))
"""
CATCHING = PROGRAM.replace("(f text))", '(try (f text) (catch e (str "caught " (:kind e)))))')


def opened(kit, answer, **more):
    return kit.open(kit.catalog(kit.provider("m", answer, deterministic=True, immediate=True, **more), l2=True))


def test_it_answers_in_the_thread_of_the_program_and_needs_no_event_loop(kit, source):
    asked_in = []

    def answer(request):
        asked_in.append(threading.current_thread())
        with pytest.raises(RuntimeError):
            anyio.get_current_task()
        return f"{request.args[0]}!"

    with opened(kit, answer) as session:
        result = session.run(source(PROGRAM), ("a",))
        assert (result.value, result.calls[0].cache, result.calls[0].model) == ("a!", "l2 miss", "fake")
        again = session.run(source(PROGRAM), ("a",))
        assert (again.value, again.calls[0].cache) == ("a!", "l2 hit")
        assert not session.portal.io.used
    assert asked_in == [threading.current_thread()]


def test_its_replies_are_billed_and_its_problems_told(kit, source):
    reply = InferenceReply(text="x", usage=Usage(3, 4), problems=("it was odd",))
    with opened(kit, lambda _: reply) as session:
        (call,) = session.run(source(PROGRAM), ("a",)).calls
        assert (call.input_tokens, call.output_tokens, call.cost) == (3, 4, 0.0)
        assert any("it was odd" in problem.message for problem in session.problems)


class Odd(BaseException):
    """What no plugin should raise."""


async def waits():
    await anyio.lowlevel.checkpoint()
    return "late"


@pytest.mark.parametrize(
    ("answer", "caught", "code", "told"),
    [
        (lambda _: ProviderError("m", "no"), "caught NetworkError", "E06", False),
        (lambda _: BadReply("m", "cut off"), "caught TypeValidationError", "E06", False),
        (lambda _: InferenceReply(data=5, structured=True), "caught TypeValidationError", "", False),
        (lambda _: ValueError("oops"), "caught ", "E08", True),
        (lambda _: Odd("oops"), "caught ", "E08", True),
        (lambda _: SystemExit(3), "caught ", "E08", True),
        (lambda _: waits(), "caught ", "E08", True),
        (lambda _: 42, "caught TypeValidationError", "E06", False),
    ],
)
def test_its_failures_are_errors_of_the_program_and_of_its_plugin(kit, source, answer, caught, code, told):
    with opened(kit, answer) as session:
        result = session.run(source(CATCHING), ("a",))
        assert result.value.startswith(caught)
        assert result.calls[0].code.startswith(code)
        assert bool(session.problems) == told
        assert session.run(source("(+ 1 2)")).value == 3


def test_its_usage_counts_when_the_reply_cannot_be_used(kit, source):
    error = BadReply("m", "cut off", usage=Usage(5, 2))
    with opened(kit, lambda _: error) as session:
        (call,) = session.run(source(CATCHING), ("a",)).calls
    assert (call.input_tokens, call.output_tokens) == (5, 2)


@pytest.mark.parametrize("more", [{"remote": True}, {"parallel": 1}])
def test_what_costs_or_has_a_bound_is_asked_as_any_other(kit, source, more):
    asked_in = []

    def answer(_request):
        asked_in.append(threading.current_thread())
        return "x"

    text = PROGRAM.replace(":local-model", ":remote") if "remote" in more else PROGRAM
    with opened(kit, answer, **more) as session:
        assert session.run(source(text), ("a",)).value == "x"
    assert asked_in != [threading.current_thread()]


def test_a_wrong_argument_is_refused_before_it_is_asked(kit, source):
    with opened(kit, lambda _: "x") as session, pytest.raises(ProgramError, match="argument text of f"):
        session.run(source(PROGRAM), (5,))
    assert not kit.providers["m"].requests


def test_the_calls_of_a_fan_out_are_all_written_down(kit, source):
    text = PROGRAM.replace("(f text))", "(pmap f [text text (str text text)]))")
    with opened(kit, lambda request: request.args[0].upper()) as session:
        result = session.run(source(text), ("a",))
    assert result.value == ("A", "A", "AA")
    assert [call.cache for call in result.calls] == ["l2 miss", "l2 hit", "l2 miss"]
