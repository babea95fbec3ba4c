"""The hook `rtfs_commands`: a record that it offers is in the catalog under its name; what is no record is refused."""

from __future__ import annotations

from rtfs_framework.api import CommandEntry


def test_a_record_is_in_the_catalog(offering):
    loaded = []
    entry = CommandEntry(name="greet", summary="Say hello.", load=lambda: loaded.append("greet"))
    catalog = offering("rtfs_commands", entry)
    assert catalog.command("greet") is entry
    assert not loaded  # a command's code comes when the command is used


def test_what_is_no_record_is_refused(offering, refused):
    catalog = offering("rtfs_commands", "mine")
    refused(catalog, "`rtfs_commands` offers a str, which is no CommandEntry")
    assert not catalog.commands
