"""The guard suite fails what breaks the contract."""

from __future__ import annotations

from itertools import count

import pytest

from rtfs_framework.api import InferenceReply, RedactArgs, RedactReply, Refuse, with_texts
from rtfs_framework.testing.conformance import GuardConformance

SECRET = "the-secret"


class Guard:
    """A right guard; the wrong ones below change one thing."""

    def check_request(self, guarded):
        clean = with_texts(guarded.request.args, lambda text: text.replace(SECRET, "?"))
        return None if clean is guarded.request.args else RedactArgs(clean, "1 secret")

    def check_reply(self, guarded, reply):
        text, data = with_texts((reply.text, reply.data), lambda text: text.replace(SECRET, "?"))
        return None if (text, data) == (reply.text, reply.data) else RedactReply(text, data)


class LetsPass(Guard):
    def check_request(self, guarded):
        return None


class LetsRepliesPass(Guard):
    def check_reply(self, guarded, reply):
        return None


class LeavesItIn(Guard):
    def check_request(self, guarded):
        found = super().check_request(guarded)
        return found and RedactArgs(guarded.request.args)


class DropsArguments(Guard):
    def check_request(self, guarded):
        return RedactArgs(())


class SaysYes(Guard):
    def check_request(self, guarded):
        return True


class GivesNoReason(Guard):
    def check_request(self, guarded):
        return super().check_request(guarded) and Refuse(" ")


class Tells(Guard):
    def check_request(self, guarded):
        return super().check_request(guarded) and Refuse(f"it holds {guarded.request.args[0]}")


class Throws(Guard):
    numbers = count()

    def check_request(self, guarded):
        return Refuse("chance") if next(self.numbers) % 2 else None


class ChangesData(Guard):
    def check_reply(self, guarded, reply):
        if isinstance(reply.data, dict):
            reply.data["a"] = ["?"]
        return super().check_reply(guarded, reply)


class AnotherShape(Guard):
    def check_reply(self, guarded, reply):
        return RedactReply(text="?", data="?") if reply.structured else super().check_reply(guarded, reply)


def suite(kind):
    class Suite(GuardConformance):
        def make(self):
            return kind()

        def stopped(self):
            return ((SECRET,), (1, (f"a {SECRET}",)))

        def stopped_replies(self):
            return (InferenceReply(text=SECRET), InferenceReply(data=[SECRET], structured=True))

    return Suite()


def test_a_right_guard_passes(failing):
    assert failing(suite(Guard)) == set()


@pytest.mark.parametrize(
    ("kind", "test"),
    [
        (LetsPass, "test_what_it_is_for_does_not_pass"),
        (LetsRepliesPass, "test_what_it_is_for_does_not_pass"),
        (LeavesItIn, "test_what_it_is_for_does_not_pass"),
        (DropsArguments, "test_verdicts_are_of_the_contract"),
        (SaysYes, "test_verdicts_are_of_the_contract"),
        (GivesNoReason, "test_verdicts_are_of_the_contract"),
        (AnotherShape, "test_verdicts_are_of_the_contract"),
        (Tells, "test_reasons_tell_nothing_of_what_they_are_about"),
        (Throws, "test_equal_requests_get_equal_verdicts"),
        (ChangesData, "test_it_changes_nothing"),
    ],
)
def test_a_wrong_one_fails(failing, kind, test):
    assert test in failing(suite(kind))
