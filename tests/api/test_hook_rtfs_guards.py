"""The hook `rtfs_guards`: a record that it offers is in the catalog under its name; what is no record is refused."""

from __future__ import annotations

import pytest

from rtfs_framework.api import GuardEntry, GuardSettings


class Lets:
    def check_request(self, guarded):
        return None

    def check_reply(self, guarded, reply):
        return None


def test_a_record_is_in_the_catalog(offering):
    catalog = offering("rtfs_guards", GuardEntry(name="mine", summary="Lets all pass.", factory=lambda _: Lets()))
    assert not catalog.problems
    assert catalog.guard("mine").factory(GuardSettings("mine")).check_request(None) is None


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("mine", "`rtfs_guards` offers a str, which is no GuardEntry"),
        (GuardEntry(name="mine", summary="x", factory=7), "whose `factory` is a int and cannot be called"),
        (GuardEntry(name="mine", summary="x", factory=Lets, settings=dict), "no attrs class"),
    ],
)
def test_what_is_no_record_is_refused(offering, refused, record, words):
    catalog = offering("rtfs_guards", record)
    refused(catalog, words)
    assert not catalog.guards
