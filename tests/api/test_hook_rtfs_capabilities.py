"""The hook `rtfs_capabilities`: what it offers is in the catalog under its id; what is no record is refused."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import CapabilityEntry, CapabilityRequest, PluginError, parse_type


def test_a_record_is_in_the_catalog(offering):
    entry = CapabilityEntry(
        id="kv/get",
        summary="Read a key.",
        handler=lambda request: {"a": 1}.get(request.args[0]),
        effects=("reads",),
        names=("kv-get",),
    )
    catalog = offering("rtfs_capabilities", entry)
    assert catalog.capability("kv/get").handler(CapabilityRequest("kv/get", ("a",))) == 1
    assert catalog.function_names == {"kv-get": "kv/get"}


def test_what_is_no_record_is_refused(offering, refused):
    catalog = offering("rtfs_capabilities", "mine")
    refused(catalog, "`rtfs_capabilities` offers a str, which is no CapabilityEntry")
    assert not catalog.capabilities


@pytest.mark.parametrize("served", ["", "person", "model", "catalog"])
def test_a_host_serves_what_a_record_may_ask_of_it(served):
    assert CapabilityEntry(id="ask", summary="Ask.", handler=print, served=served).served == served


def test_what_no_host_serves_is_refused():
    with pytest.raises(ValueError, match="'served' must be in"):
        CapabilityEntry(id="ask", summary="Ask.", handler=print, served="persons")


def test_types_may_be_texts_which_are_read_when_somebody_asks(offering):
    entry = CapabilityEntry(
        id="kv/get", summary="Read.", handler=lambda _: 1, parameters=(":string", parse_type(":int")), returns=":nope["
    )
    assert offering("rtfs_capabilities", entry).capability("kv/get") is entry
    assert entry.parameters == (parse_type(":string"), parse_type(":int"))
    with pytest.raises(PluginError, match=r"capability 'kv/get': the type ':nope\[' is none"):
        _ = entry.returns
    assert attrs.evolve(entry, returns=":int").returns == parse_type(":int")
    assert attrs.evolve(entry, parameters=None, returns=None).parameters is None
