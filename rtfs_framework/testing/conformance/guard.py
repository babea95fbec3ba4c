"""The contract of guards: verdicts that narrow, for any request and reply, and reasons that tell nothing of either."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from rtfs_framework.api import (
    FunctionSignature,
    Guard,
    GuardedRequest,
    GuardSettings,
    InferenceReply,
    Keyword,
    LocalModel,
    Map,
    RedactArgs,
    RedactReply,
    Refuse,
    RemoteModel,
)
from rtfs_framework.orchestrator.performing.guards.shape import misshapen
from rtfs_framework.orchestrator.performing.prompt import build_request
from rtfs_framework.testing.conformance.base import Conformance, check

ARGUMENTS: Sequence[tuple[Any, ...]] = (
    (),
    (None, True, 7, 1.5, "a text", Keyword("k")),
    ((1, "x", ("y",)), Map.of([(Keyword("a"), "b"), ("c", 1)])),
    ("x" * 100_000,),
    ("\0\ud7ff\U0001f600 ' \" \\ { } [ ]",),
)
"""Arguments of every kind that programs have."""

REPLIES: Sequence[InferenceReply] = (
    InferenceReply(text=""),
    InferenceReply(text="a text"),
    InferenceReply(text="x" * 100_000),
    InferenceReply(data=None, structured=True),
    InferenceReply(data={"a": [1, "b", None, {"c": 1.5}]}, structured=True),
)


class GuardConformance(Conformance):
    """Inherit, and give `make`, and examples of what your guard stops."""

    @abstractmethod
    def make(self) -> Guard:
        """Return a new guard."""

    def stopped(self) -> Iterable[tuple[Any, ...]]:
        """Return arguments that the guard must refuse or redact."""
        return ()

    def stopped_replies(self) -> Iterable[InferenceReply]:
        """Return replies that the guard must refuse or redact."""
        return ()

    def test_verdicts_are_of_the_contract(self) -> None:
        """None, a refusal with a reason, or the same shape with something else in it; whatever the call is."""
        guard = self.make()
        for guarded in _requests((*ARGUMENTS, *self.stopped())):
            _check_request(guarded, guard.check_request(guarded))
            for reply in (*REPLIES, *self.stopped_replies()):
                _check_reply(reply, guard.check_reply(guarded, reply))

    def test_equal_requests_get_equal_verdicts(self) -> None:
        """Asked twice, or of another guard of equal settings: a repeat is not let through by chance."""
        first, second = self.make(), self.make()
        for guarded in _requests((*ARGUMENTS, *self.stopped())):
            verdict = first.check_request(guarded)
            check(first.check_request(guarded) == verdict, "a guard changed its mind about an equal request")
            check(second.check_request(guarded) == verdict, "two guards of equal settings disagree")

    def test_what_it_is_for_does_not_pass(self) -> None:
        """Its own examples are refused, or handed back without what was wrong: judged again, they pass."""
        guard = self.make()
        for guarded in _requests(self.stopped()):
            verdict = guard.check_request(guarded)
            check(verdict is not None, f"{guarded.request.args!r:.80} passes as it is")
            if isinstance(verdict, RedactArgs):
                (again,) = (each for each in _requests([verdict.args]) if each.target == guarded.target)
                check(guard.check_request(again) is None, "what it has redacted does not pass it")
        (asked, *_) = _requests([("x",)])
        for reply in self.stopped_replies():
            check(guard.check_reply(asked, reply) is not None, f"{reply!r:.80} passes as it is")

    def test_reasons_tell_nothing_of_what_they_are_about(self) -> None:
        """Reasons and notes stand in records, which outlive what may be kept of a call."""
        guard = self.make()
        for guarded in _requests(self.stopped()):
            verdict = guard.check_request(guarded)
            said = " ".join(_words(verdict))
            for text in _texts(guarded.request.args):
                check(len(text) < _TELLING or text not in said, "a reason holds an argument")

    def test_it_changes_nothing(self) -> None:
        """What it is shown is not its own: it hands back something new."""
        guard, data = self.make(), {"a": ["b"]}
        (guarded, *_) = _requests([("x",)])
        guard.check_reply(guarded, InferenceReply(data=data, structured=True))
        check(data == {"a": ["b"]}, "a guard changed the reply that it was shown")


_TELLING = 8
"""Characters of a text from which on its occurrence is no chance."""


def settings(own: Any = None) -> GuardSettings:
    """Return what a guard is made from."""
    return GuardSettings("guard", own)


def _requests(arguments: Iterable[tuple[Any, ...]]) -> Iterable[GuardedRequest]:
    function = FunctionSignature(name="demo", doc="A function.")
    for args in arguments:
        request = build_request(function, args, lambda _: None, timeout=30.0)
        for target in (RemoteModel("cloud"), LocalModel("small")):
            yield GuardedRequest(target=target, request=request)


def _check_request(guarded: GuardedRequest, verdict: Any) -> None:
    if isinstance(verdict, RedactArgs):
        wrong = misshapen(guarded.request.args, verdict.args)
        check(wrong is None, f"redacted arguments are no longer the call's: {wrong}")
    else:
        _check_refusal(verdict)


def _check_reply(reply: InferenceReply, verdict: Any) -> None:
    if not isinstance(verdict, RedactReply):
        _check_refusal(verdict)
    elif reply.structured:
        wrong = misshapen(reply.data, verdict.data)
        check(wrong is None, f"redacted data have another shape: {wrong}")
    else:
        check(isinstance(verdict.text, str), "a text was redacted to something else")


def _check_refusal(verdict: Any) -> None:
    check(verdict is None or isinstance(verdict, Refuse), f"{verdict!r:.60} is no verdict")
    if verdict is not None:
        check(bool(verdict.reason.strip()) and "\n" not in verdict.reason, f"a reason of {verdict.reason!r}")


def _words(verdict: Any) -> list[str]:
    return [getattr(verdict, field, "") for field in ("reason", "way_out", "note")]


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _texts(item)
