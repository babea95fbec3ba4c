"""The hook `rtfs_capability_sets`: what it offers is in the catalog under its name; what is no record is refused."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import CapabilityEntry, CapabilitySetEntry, CapabilitySetSettings


class Shelf:
    """A set that keeps a value."""

    def __init__(self, settings: CapabilitySetSettings) -> None:
        self.kept = settings.own

    def entries(self):
        return [CapabilityEntry(id="shelf.get", summary="Read.", handler=lambda _: self.kept)]

    def close(self):
        self.kept = None


ENTRY = CapabilitySetEntry(name="shelf", summary="A shelf.", factory=Shelf, ids=("shelf.*",))


def test_a_record_is_in_the_catalog(offering):
    catalog = offering("rtfs_capability_sets", ENTRY)
    entry, who = catalog.capability_sets["shelf"]
    made = entry.factory(CapabilitySetSettings(own=7))
    assert [each.handler(None) for each in made.entries()] == [7]
    assert catalog.part("capability set", "shelf").provenance == who


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("mine", "`rtfs_capability_sets` offers a str, which is no CapabilitySetEntry"),
        (attrs.evolve(ENTRY, factory=3), "whose `factory` is a int and cannot be called"),
        (attrs.evolve(ENTRY, ids="shelf"), "whose `ids` is 'shelf' and no tuple of texts"),
        (attrs.evolve(ENTRY, grant=int), "whose `grant` is 'int' and no attrs class"),
        (attrs.evolve(ENTRY, settings=int), "whose `settings` is 'int' and no attrs class"),
    ],
)
def test_what_is_no_record_is_refused(offering, refused, entry, words):
    catalog = offering("rtfs_capability_sets", entry)
    refused(catalog, words)
    assert not catalog.capability_sets
