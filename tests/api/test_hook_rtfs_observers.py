"""The hook `rtfs_observers`: a record that it offers is in the catalog under its name; what is no record is refused."""

from __future__ import annotations

from rtfs_framework.api import Event, ObserverEntry


def test_a_record_is_in_the_catalog(offering):
    seen = []
    entry = ObserverEntry(name="notes", summary="Takes notes.", factory=lambda: seen.append, events=("call.decided",))
    catalog = offering("rtfs_observers", entry)
    event = Event("call.decided", 0.0, {})
    catalog.observer("notes").factory()(event)
    assert seen == [event]


def test_what_is_no_record_is_refused(offering, refused):
    catalog = offering("rtfs_observers", "mine")
    refused(catalog, "`rtfs_observers` offers a str, which is no ObserverEntry")
    assert not catalog.observers
